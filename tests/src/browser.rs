//! Headless Chromium over the DevTools protocol, with a trust store of its own.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::page::Page;
use crate::process::Process;

/// A cookie as Chromium stored it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host, with a leading dot when the cookie had a Domain.
    pub domain: String,
    /// Its path.
    pub path: String,
    /// When it expires, in seconds since 1970; `None` for the browser's session.
    pub expires: Option<f64>,
    /// HttpOnly.
    pub http_only: bool,
    /// Secure.
    pub secure: bool,
    /// `Strict`, `Lax`, `None`, or empty when it had none.
    pub same_site: String,
}

/// A Set-Cookie field as Chromium received it.
#[derive(Debug, Clone)]
pub struct SetCookieSeen {
    /// The URL of the response.
    pub url: String,
    /// The field's value.
    pub field: String,
    /// Why Chromium refused it; empty when it was stored.
    pub blocked: Vec<String>,
}

/// What a browser leaves behind when it is closed: its profile and whom it trusts.
pub struct Profile {
    home: TempDir,
    rules: String,
    binding: bool,
    http1: bool,
}

/// A running browser with an empty profile.
pub struct Chromium {
    connection: Arc<Connection>,
    // Ended before its profile goes.
    process: Process,
    profile: Profile,
}

/// Device Bound Session Credentials with keys in software, which need no TPM, and without the
/// limit on signatures, which short lifetimes would reach.
const BINDING: &str = "--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";

impl Chromium {
    /// Starts Chromium. It trusts the roots in `trusted` because they are imported into
    /// its NSS database, as a person would do it; certificate errors are never ignored.
    /// `rules` is its `--host-resolver-rules`; names under `.test` lead to 127.0.0.1
    /// unless a rule before says otherwise.
    ///
    /// # Panics
    /// When Chromium or certutil is missing, or does not start.
    pub async fn start(trusted: &[&Path], rules: &str) -> Self {
        Self::reopen(Profile::empty(trusted, rules, false)).await
    }

    /// The same with Device Bound Session Credentials, whose events every page notes.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn with_bound_sessions(trusted: &[&Path], rules: &str) -> Self {
        Self::reopen(Profile::empty(trusted, rules, true)).await
    }

    /// The same by HTTP/1.1 alone.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn with_bound_sessions_over_http1(trusted: &[&Path], rules: &str) -> Self {
        let mut profile = Profile::empty(trusted, rules, true);
        profile.http1 = true;
        Self::reopen(profile).await
    }

    /// Starts Chromium as it was when it was closed (see [`Self::close`]).
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn reopen(profile: Profile) -> Self {
        let home = profile.home.path();
        let mut command = Command::new("chromium");
        command
            .env("HOME", home)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--mute-audio",
                "--window-size=1000,800",
            ])
            // A certificate of a local CA has no certificate transparency, as in real life;
            // an upgrade from http to https must come from the gateway, not from Chromium.
            .args(["--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,Translate"])
            .args(profile.binding.then_some(BINDING))
            .args(profile.http1.then_some("--disable-http2"))
            .arg(format!("--host-resolver-rules={}", profile.rules))
            .arg(format!(
                "--user-data-dir={}",
                home.join("profile").display()
            ))
            .args(["--remote-debugging-port=0", "about:blank"]);
        let mut process = Process::start("chromium", &mut command);
        let line = process
            .wait_for_line("its DevTools address", 30, |line| {
                line.contains("DevTools listening on ws://")
            })
            .await;
        let url = line
            .split_once("listening on ")
            .expect("the address")
            .1
            .trim()
            .to_owned();
        let connection = Connection::open(&url).await;
        Self {
            connection,
            process,
            profile,
        }
    }

    /// Closes it as a person does, and hands back its profile, for [`Self::reopen`].
    ///
    /// # Panics
    /// When it does not end within 30 seconds.
    pub async fn close(self) -> Profile {
        let Self {
            connection,
            mut process,
            profile,
        } = self;
        connection.call(None, "Browser.close", json!({})).await;
        process.wait(30).await;
        profile
    }

    /// Opens an empty page.
    pub async fn page(&self) -> Page {
        let target = self
            .connection
            .call(None, "Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attached = self
            .connection
            .call(
                None,
                "Target.attachToTarget",
                json!({"targetId": target["targetId"], "flatten": true}),
            )
            .await;
        let session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        let page = Page::new(Arc::clone(&self.connection), session).await;
        if self.profile.binding {
            page.note_bound_sessions().await;
        }
        page
    }

    /// Every cookie it holds, by name.
    pub async fn cookies(&self) -> Vec<Cookie> {
        let answer = self
            .connection
            .call(None, "Storage.getCookies", json!({}))
            .await;
        let mut cookies: Vec<_> = answer["cookies"]
            .as_array()
            .expect("a list")
            .iter()
            .map(read_cookie)
            .collect();
        cookies.sort_by(|a, b| (&a.name, &a.domain, &a.path).cmp(&(&b.name, &b.domain, &b.path)));
        cookies
    }

    /// The one cookie of this name.
    ///
    /// # Panics
    /// When there is none, or more than one; the message lists what there is.
    pub async fn cookie(&self, name: &str) -> Cookie {
        let cookies = self.cookies().await;
        let mut found = cookies.iter().filter(|cookie| cookie.name == name);
        match (found.next(), found.next()) {
            (Some(cookie), None) => cookie.clone(),
            _ => panic!("not exactly one cookie {name} in {cookies:#?}"),
        }
    }

    /// Whether it holds a cookie of this name.
    pub async fn has_cookie(&self, name: &str) -> bool {
        self.cookies()
            .await
            .iter()
            .any(|cookie| cookie.name == name)
    }

    /// Forgets every cookie.
    pub async fn clear_cookies(&self) {
        self.connection
            .call(None, "Storage.clearCookies", json!({}))
            .await;
    }

    /// Its process, to look at.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl Profile {
    fn empty(trusted: &[&Path], rules: &str, binding: bool) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        import(home.path(), trusted);
        allow_third_party_cookies(&home.path().join("profile"));
        let mut rules = rules.to_owned();
        if !rules.is_empty() {
            rules.push_str(", ");
        }
        rules.push_str("MAP *.test 127.0.0.1");
        Self {
            home,
            rules,
            binding,
            http1: false,
        }
    }
}

/// Headless Chromium keeps third-party cookies from cross-site frames; a person's Chrome
/// allows them unless its owner chose otherwise.
fn allow_third_party_cookies(profile: &Path) {
    let directory = profile.join("Default");
    std::fs::create_dir_all(&directory).expect("a directory");
    let preferences =
        json!({"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}});
    std::fs::write(directory.join("Preferences"), preferences.to_string())
        .expect("preferences on disk");
}

/// Puts the roots into the NSS database that Chromium on Linux reads.
fn import(home: &Path, trusted: &[&Path]) {
    let database = home.join(".pki/nssdb");
    std::fs::create_dir_all(&database).expect("a directory");
    let database = format!("sql:{}", database.display());
    certutil(&["-N", "--empty-password", "-d", &database]);
    for (number, root) in trusted.iter().enumerate() {
        let name = format!("test root {number}");
        certutil(&[
            "-A",
            "-d",
            &database,
            "-t",
            "C,,",
            "-n",
            &name,
            "-i",
            &root.display().to_string(),
        ]);
    }
}

fn certutil(arguments: &[&str]) {
    let output = Command::new("certutil")
        .args(arguments)
        .output()
        .expect("certutil (Debian: libnss3-tools)");
    assert!(
        output.status.success(),
        "certutil {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn read_cookie(cookie: &Value) -> Cookie {
    let text = |name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
    Cookie {
        name: text("name"),
        value: text("value"),
        domain: text("domain"),
        path: text("path"),
        expires: cookie["expires"].as_f64().filter(|&time| time > 0.0),
        http_only: cookie["httpOnly"].as_bool().unwrap_or_default(),
        secure: cookie["secure"].as_bool().unwrap_or_default(),
        same_site: text("sameSite"),
    }
}

/// An event of the protocol.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) session: String,
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// The connection to the browser: calls out, answers and events in.
pub(crate) struct Connection {
    next: AtomicU64,
    sender: tokio::sync::Mutex<SplitSink<WebSocketStream<TcpStream>, Message>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    events: Mutex<Vec<Event>>,
    arrived: Notify,
}

impl Connection {
    async fn open(url: &str) -> Arc<Self> {
        let address = url
            .trim_start_matches("ws://")
            .split('/')
            .next()
            .expect("an address")
            .to_owned();
        let stream = TcpStream::connect(address)
            .await
            .expect("Chromium's DevTools port");
        let (socket, _) = tokio_tungstenite::client_async(url, stream)
            .await
            .expect("a WebSocket to Chromium");
        let (sender, mut receiver) = socket.split();
        let connection = Arc::new(Self {
            next: AtomicU64::new(1),
            sender: tokio::sync::Mutex::new(sender),
            waiting: Mutex::default(),
            events: Mutex::default(),
            arrived: Notify::new(),
        });
        let this = Arc::clone(&connection);
        tokio::spawn(async move {
            while let Some(Ok(message)) = receiver.next().await {
                if let Message::Text(text) = message {
                    this.take(serde_json::from_str(&text).unwrap_or_default());
                }
            }
        });
        connection
    }

    /// Calls a method and waits for its result.
    pub(crate) async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let answer = self.try_call(session, method, params.clone()).await;
        assert!(
            answer.get("error").is_none(),
            "{method} {params}: {}",
            answer["error"]
        );
        answer["result"].clone()
    }

    /// Calls a method and answers its result or error.
    pub(crate) async fn try_call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting
            .lock()
            .expect("no poisoned lock")
            .insert(id, sender);
        self.sender
            .lock()
            .await
            .send(Message::text(message.to_string()))
            .await
            .expect("Chromium listens");
        tokio::time::timeout(Duration::from_secs(30), receiver)
            .await
            .unwrap_or_else(|_| panic!("Chromium did not answer {method} within 30 s"))
            .expect("an answer")
    }

    fn take(&self, message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(sender) = self.waiting.lock().expect("no poisoned lock").remove(&id) {
                let _ = sender.send(message);
            }
            return;
        }
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let event = Event {
            session: text("sessionId"),
            method: text("method"),
            params: message["params"].clone(),
        };
        self.events.lock().expect("no poisoned lock").push(event);
        self.arrived.notify_waiters();
    }

    /// How many events came so far: where a later search begins.
    pub(crate) fn mark(&self) -> usize {
        self.events.lock().expect("no poisoned lock").len()
    }

    /// The events of a session since `mark`.
    pub(crate) fn events(&self, session: &str, mark: usize) -> Vec<Event> {
        let events = self.events.lock().expect("no poisoned lock");
        events
            .iter()
            .skip(mark)
            .filter(|event| event.session == session)
            .cloned()
            .collect()
    }

    /// Waits until `find` answers something for the events since `mark`.
    pub(crate) async fn wait<T>(
        &self,
        session: &str,
        mark: usize,
        what: &str,
        find: impl Fn(&[Event]) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                let arrived = self.arrived.notified();
                if let Some(found) = find(&self.events(session, mark)) {
                    return found;
                }
                // A bound on the pause, since an event may come between search and wait.
                let _ = tokio::time::timeout(Duration::from_millis(200), arrived).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(25), search).await {
            Ok(found) => found,
            Err(_) => {
                let seen: Vec<_> = self
                    .events(session, mark)
                    .into_iter()
                    .map(|event| event.method)
                    .collect();
                panic!("Chromium did not show {what} within 25 s; it showed {seen:?}")
            }
        }
    }
}
