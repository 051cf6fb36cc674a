//! The `sealwax` binary under test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::client::{Client, Tls};
use crate::ports::free_port;
use crate::process::Process;
use crate::{Answer, exchange_tcp, exchange_tls};

/// The binary: `SEALWAX_BIN`, else the debug build of this workspace.
///
/// # Panics
/// When it is not there; the message says how to build it.
#[must_use]
pub fn binary() -> PathBuf {
    match std::env::var_os("SEALWAX_BIN") {
        Some(path) => path.into(),
        None => built("sealwax-cli", "sealwax"),
    }
}

/// A binary of this workspace's debug build.
///
/// # Panics
/// When it is not there; the message says how to build it.
#[must_use]
pub fn built(package: &str, name: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), PathBuf::from);
    let path = target.join("debug").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p {package}` or ./test",
        path.display()
    );
    path
}

/// The binary with an environment of its own: nothing of the caller's but PATH, and `home`
/// for its state.
fn command(home: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("SEALWAX_HOME", home.join("sealwax"))
        .current_dir(home);
    command
}

/// What a command that ends by itself left behind.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `sealwax` with these arguments to its end, with `home` as working directory, HOME
/// and the place of its state, and `environment` added.
///
/// # Panics
/// When it does not end within 30 seconds.
#[must_use]
pub fn sealwax(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let child = command(home)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let id = i32::try_from(child.id()).expect("a process id");
    // A command that should refuse but serves instead must not hang the test.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver
        .recv_timeout(std::time::Duration::from_secs(30))
        .unwrap_or_else(|_| {
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_raw(id).expect("not zero"),
                Signal::KILL,
            );
            panic!("sealwax {arguments:?} did not end within 30 s");
        });
    let output = output.expect("its output");
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A gateway to be started.
#[must_use]
pub struct Builder {
    top: String,
    listen: String,
    sites: Vec<String>,
    http: u16,
    https: u16,
    environment: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
    home: Option<TempDir>,
}

impl Builder {
    /// Text before the first table, or whole tables such as `[proxies]`.
    pub fn top(mut self, text: &str) -> Self {
        self.top.push_str(text);
        self.top.push('\n');
        self
    }

    /// Replaces the `[listen]` table's lines; `HTTP` and `HTTPS` in it become the ports.
    pub fn listen(mut self, text: &str) -> Self {
        text.clone_into(&mut self.listen);
        self
    }

    /// Text within the last site: keys such as `mode = "report"`, then tables such as
    /// `[site.cookies]`. A key that is already there is replaced.
    pub fn site(mut self, text: &str) -> Self {
        let site = self.sites.last_mut().expect("a site");
        for line in text.lines() {
            let key = line.split_once('=').map(|(key, _)| key.trim());
            if let Some(key) = key.filter(|_| !site.contains("\n[site.")) {
                let kept: Vec<_> = site
                    .lines()
                    .filter(|old| old.split_once('=').is_none_or(|(old, _)| old.trim() != key))
                    .collect();
                *site = kept.join("\n") + "\n";
            }
            site.push_str(line);
            site.push('\n');
        }
        self
    }

    /// Replaces the hosts of the last site.
    pub fn hosts(self, hosts: &[&str]) -> Self {
        self.site(&format!("hosts = {hosts:?}"))
    }

    /// One more site, with the local CA.
    pub fn and_site(mut self, hosts: &[&str], to: &str) -> Self {
        self.sites.push(format!(
            "[[site]]\nhosts = {hosts:?}\nto = [{to:?}]\ntls = \"local\"\n"
        ));
        self
    }

    /// A variable in the binary's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file beside the configuration, written before the start.
    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    /// A directory with state from an earlier gateway (see [`Gateway::stop`]).
    pub fn home(mut self, home: TempDir) -> Self {
        self.home = Some(home);
        self
    }

    /// The ports of an earlier gateway.
    pub fn ports(mut self, http: u16, https: u16) -> Self {
        (self.http, self.https) = (http, https);
        self
    }

    /// The plain and the TLS port that the gateway will have.
    #[must_use]
    pub fn known_ports(&self) -> (u16, u16) {
        (self.http, self.https)
    }

    /// The configuration as it will be written.
    #[must_use]
    pub fn text(&self) -> String {
        let listen = self
            .listen
            .replace("HTTPS", &self.https.to_string())
            .replace("HTTP", &self.http.to_string());
        format!(
            "{}\n[listen]\n{listen}\n\n{}",
            self.top,
            self.sites.join("\n")
        )
    }

    /// Starts it and waits for the line that says it is ready.
    ///
    /// # Panics
    /// When it does not become ready within 20 seconds.
    pub async fn start(self) -> Gateway {
        let text = self.text();
        let home = self
            .home
            .unwrap_or_else(|| TempDir::new().expect("a temporary directory"));
        let config = home.path().join("sealwax.toml");
        std::fs::write(&config, &text).expect("a configuration on disk");
        for (name, bytes) in &self.files {
            std::fs::write(home.path().join(name), bytes).expect("a file on disk");
        }
        let mut command = command(home.path());
        command
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .envs(self.environment);
        let mut process = Process::start("sealwax", &mut command);
        let mut wanted = Vec::new();
        if self.listen.contains("HTTPS") {
            wanted.push(format!(":{}", self.https));
        }
        if self.listen.contains(":HTTP\"") {
            wanted.push(format!(":{}", self.http));
        }
        process
            .wait_for_line("the line that names its addresses", 20, |line| {
                wanted.iter().all(|address| line.contains(address.as_str()))
            })
            .await;
        Gateway {
            process,
            config,
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, self.http)),
            https: SocketAddr::from((Ipv4Addr::LOCALHOST, self.https)),
            home,
        }
    }

    /// Starts it with a configuration that must be refused, and answers what it said.
    #[must_use]
    pub fn refused(self) -> Finished {
        let home = TempDir::new().expect("a temporary directory");
        let text = self.text();
        std::fs::write(home.path().join("sealwax.toml"), text).expect("a configuration on disk");
        for (name, bytes) in &self.files {
            std::fs::write(home.path().join(name), bytes).expect("a file on disk");
        }
        let environment: Vec<_> = self
            .environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        sealwax(
            home.path(),
            &["serve", "--config", "sealwax.toml"],
            &environment,
        )
    }
}

/// The running gateway. Fields are dropped in this order: the process before its home.
pub struct Gateway {
    /// The process.
    pub process: Process,
    /// The configuration file.
    pub config: PathBuf,
    /// The plain listener.
    pub http: SocketAddr,
    /// The TLS listener.
    pub https: SocketAddr,
    /// Its home: state, configuration, files.
    pub home: TempDir,
}

impl Gateway {
    /// One site `localhost` in front of `to`, with the local CA and free ports.
    pub fn to(to: &str) -> Builder {
        Builder {
            top: String::new(),
            listen: "http = \"127.0.0.1:HTTP\"\nhttps = \"127.0.0.1:HTTPS\"".into(),
            sites: Vec::new(),
            http: free_port(),
            https: free_port(),
            environment: Vec::new(),
            files: Vec::new(),
            home: None,
        }
        .and_site(&["localhost"], to)
    }

    /// `sealwax` with these arguments, as typed in `home`; `HTTP` and `HTTPS` in them become
    /// free ports. Waits for the line that names both.
    ///
    /// # Panics
    /// When it does not become ready within 40 seconds.
    pub async fn typed(
        home: TempDir,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        let (http, https) = (free_port(), free_port());
        let fill = |text: &&str| {
            text.replace("HTTPS", &https.to_string())
                .replace("HTTP", &http.to_string())
        };
        let mut command = command(home.path());
        command
            .args(arguments.iter().map(fill))
            .envs(environment.iter().cloned());
        let mut process = Process::start("sealwax", &mut command);
        let (plain, secure) = (format!(":{http}"), format!(":{https}"));
        process
            .wait_for_line("the line that names its addresses", 40, |line| {
                line.contains(&plain) && line.contains(&secure)
            })
            .await;
        Self {
            process,
            config: home.path().join("sealwax.toml"),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, http)),
            https: SocketAddr::from((Ipv4Addr::LOCALHOST, https)),
            home,
        }
    }

    /// The local CA's root, as `sealwax trust path` names it.
    ///
    /// # Panics
    /// When that command fails.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        let finished = self.cli(&["trust", "path"]);
        assert_eq!(finished.code, 0, "sealwax trust path: {finished:?}");
        PathBuf::from(finished.out.trim())
    }

    /// Runs another `sealwax` command with the same state.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> Finished {
        sealwax(self.home.path(), arguments, &[])
    }

    /// Trusts the local CA and nobody else.
    #[must_use]
    pub fn tls(&self) -> Tls {
        Tls::trusting(&[&self.root()])
    }

    /// `host` with the TLS listener's port.
    #[must_use]
    pub fn authority(&self, host: &str) -> String {
        format!("{host}:{}", self.https.port())
    }

    /// The URL of a path at `host`, over TLS.
    #[must_use]
    pub fn url(&self, host: &str, path: &str) -> String {
        format!("https://{}{path}", self.authority(host))
    }

    /// A request over TLS, to be completed and sent.
    pub fn request(&self, host: &str, target: &str) -> Client {
        Client::plain(self.https, &self.authority(host), target).tls(&self.tls(), host)
    }

    /// A request to the plain listener.
    pub fn plain(&self, host: &str, target: &str) -> Client {
        Client::plain(self.http, &format!("{host}:{}", self.http.port()), target)
    }

    /// GET over TLS.
    pub async fn get(&self, host: &str, target: &str) -> Answer {
        self.request(host, target).send().await
    }

    /// Exact bytes over TLS, with `host` as server name.
    pub async fn raw(&self, host: &str, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        exchange_tls(self.https, &self.tls(), host, bytes.as_ref()).await
    }

    /// Exact bytes to the plain listener.
    pub async fn raw_plain(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        exchange_tcp(self.http, bytes.as_ref()).await
    }

    /// Everything it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Replaces the configuration's text; it counts from the next reload on.
    pub fn write_config(&self, text: &str) {
        std::fs::write(&self.config, text).expect("a configuration on disk");
    }

    /// The configuration's text.
    #[must_use]
    pub fn read_config(&self) -> String {
        std::fs::read_to_string(&self.config).expect("a configuration")
    }

    /// Sends SIGHUP.
    pub fn reload(&self) {
        self.process.signal(Signal::HUP);
    }

    /// Ends it with SIGTERM and hands back its home, for a gateway that goes on from there.
    pub async fn stop(mut self) -> TempDir {
        self.process.signal(Signal::TERM);
        let status = self.process.wait(40).await;
        assert!(
            status.success(),
            "SIGTERM ended it with {status}:\n{}",
            self.log()
        );
        self.home
    }
}
