//! Django's admin behind a gateway that binds its session, and who visits it.

use std::net::SocketAddr;
use std::time::Duration;

use sealwax_cookie::{KeyRing, SealKey};
use sealwax_tests::{
    Answer, App, Chromium, Client, Django, Gateway, Page, Tls, Version, Visitor, sealwax,
};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const HOST: &str = "shop.example.test";
pub(crate) const SESSION: &str = "__Host-sessionid";
pub(crate) const PROOF: &str = "__Host-sealwax-proof";

/// Proofs that last so short a time that a test can outwait them.
pub(crate) const SITE: &str = r#"
[site.bind]
cookies = ["sessionid"]
lifetime = "5s"
born_on = ["^admin/login/"]
fresh = { "^admin/password_change/" = "0s" }
"#;

/// Seconds after which no proof is live that was made before.
pub(crate) const LIFETIME: u64 = 5;

/// What nodes share, in SEALWAX_SECRET.
pub(crate) fn keys() -> String {
    let ring = KeyRing::new(SealKey::new([7; 32]), []).expect("one key");
    ring.to_text().to_string()
}

pub(crate) struct Scene {
    pub(crate) page: Page,
    pub(crate) browser: Chromium,
    pub(crate) gateway: Gateway,
    pub(crate) app: App,
    /// Where browsers find the gateway.
    front: SocketAddr,
    names: std::sync::atomic::AtomicU32,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(true, &[]).await
    }

    /// With a browser that binds sessions to its device or not, and that trusts `others` too.
    pub(crate) async fn with(binding: bool, others: &[&std::path::Path]) -> Self {
        let (app, gateway) = Self::site().await;
        let root = gateway.root();
        let mut trusted = vec![root.as_path()];
        trusted.extend(others);
        let browser = match binding {
            true => Chromium::with_bound_sessions(&trusted, "").await,
            false => Chromium::start(&trusted, "").await,
        };
        Self::of(app, gateway, browser, None).await
    }

    pub(crate) async fn over_http1() -> Self {
        let (app, gateway) = Self::site().await;
        let root = gateway.root();
        let browser = Chromium::with_bound_sessions_over_http1(&[&root], "").await;
        Self::of(app, gateway, browser, None).await
    }

    async fn site() -> (App, Gateway) {
        let app = Django::new(Version::Lts).start().await;
        let home = TempDir::new().expect("a temporary directory");
        let keys = sealwax(home.path(), &["secret", "new"], &[]);
        assert_eq!(keys.code, 0, "{keys:?}");
        let gateway = Gateway::to(&app.url())
            .hosts(&[HOST])
            .site(SITE)
            .home(home)
            .start()
            .await;
        (app, gateway)
    }

    /// What was started elsewhere; `front` is in front of the gateway, if something is.
    pub(crate) async fn of(
        app: App,
        gateway: Gateway,
        browser: Chromium,
        front: Option<SocketAddr>,
    ) -> Self {
        Self {
            page: browser.page().await,
            browser,
            front: front.unwrap_or(gateway.https),
            gateway,
            app,
            names: 0.into(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority())
    }

    fn authority(&self) -> String {
        format!("{HOST}:{}", self.front.port())
    }

    pub(crate) async fn goto(&self, path: &str) -> u16 {
        self.page.goto(&self.url(path)).await
    }

    /// Logs in on the admin's own page; where somebody is logged in already, on the other.
    pub(crate) async fn log_in(&self, path: &str) {
        assert_eq!(self.goto(path).await, 200);
        self.page.fill("#id_username", "alice").await;
        self.page.fill("#id_password", "correct-horse").await;
        let status = self.page.click_through("[type=submit], #submit").await;
        assert_eq!(status, 200, "{}", self.page.body().await);
    }

    pub(crate) async fn log_out(&self) {
        self.goto("/admin/").await;
        assert_eq!(self.page.click_through("#logout-form button").await, 200);
    }

    /// A path whose name no other request has.
    pub(crate) fn whoami(&self) -> (String, String) {
        use std::sync::atomic::Ordering::Relaxed;
        let name = format!("r{}", self.names.fetch_add(1, Relaxed));
        (format!("/whoami/?as={name}"), name)
    }

    /// Who the app believes the browser to be, asked by a navigation.
    pub(crate) async fn user_by_page(&self, page: &Page) -> String {
        let (path, _) = self.whoami();
        let status = page.goto(&self.url(&path)).await;
        assert_eq!(status, 200, "{}", page.body().await);
        page.text("#user").await
    }

    /// The same, asked by `times` scripts at once, on a page of the site.
    pub(crate) async fn users_by_fetch(&self, page: &Page, times: usize) -> Vec<String> {
        let answers = page.eval(&fetches(times)).await;
        let answers = answers.as_array().expect("a list");
        answers
            .iter()
            .map(|user| user.as_str().unwrap_or("no answer").to_owned())
            .collect()
    }

    /// Takes the proof away, as its Max-Age does.
    pub(crate) async fn expire(&self) {
        self.page.delete_cookie(PROOF, &self.url("/")).await;
    }

    /// Waits until no proof is live that was made before.
    pub(crate) async fn outlive(&self) {
        tokio::time::sleep(Duration::from_secs(LIFETIME + 1)).await;
    }

    /// Who was seen by the app under a name.
    pub(crate) async fn seen(&self, name: &str) -> Vec<String> {
        let request = Visitor::of(HOST).request(self.app.port, "/seen/");
        let answer = request.header("x-forwarded-proto", "https").send().await;
        let users = answer.json()[name].clone();
        let users = users.as_array().cloned().unwrap_or_default();
        let text = |user: Value| user.as_str().unwrap_or_default().to_owned();
        users.into_iter().map(text).collect()
    }

    /// Somebody elsewhere with a copy of all cookies that the browser sends to the site.
    pub(crate) async fn thief(&self) -> Thief {
        let cookies = self.browser.cookies().await;
        let ours = cookies.into_iter().filter(|cookie| cookie.domain == HOST);
        Thief {
            jar: ours.map(|cookie| (cookie.name, cookie.value)).collect(),
            tls: self.gateway.tls(),
            authority: self.authority(),
            address: self.gateway.https,
            keeps: false,
        }
    }
}

/// Refreshes since `mark` that a request waited for.
pub(crate) fn waited_for(page: &Page, mark: usize) -> usize {
    let events = page.bound_events(mark);
    let details = events.iter().map(|event| &event["refreshEventDetails"]);
    details
        .filter(|details| {
            details["refreshResult"] == "Refreshed" && details["wasFullyProactiveRefresh"] == false
        })
        .count()
}

/// A script that asks so many times at once.
pub(crate) fn fetches(times: usize) -> String {
    format!(
        "Promise.all(Array.from({{length: {times}}}, () => fetch('/whoami/?as=fetch').then((a) => a.text())\
         .then((text) => text.match(/id=user>(.*)</)?.[1] ?? text)))"
    )
}

/// Copied cookies and an HTTP client.
#[derive(Clone)]
pub(crate) struct Thief {
    pub(crate) jar: Vec<(String, String)>,
    tls: Tls,
    authority: String,
    address: std::net::SocketAddr,
    /// Deletes nothing that the server wants deleted.
    pub(crate) keeps: bool,
}

impl Thief {
    /// With these cookies only.
    pub(crate) fn only(mut self, names: &[&str]) -> Self {
        self.jar.retain(|(name, _)| names.contains(&name.as_str()));
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.follow("GET", path, "").await
    }

    pub(crate) async fn user(&mut self) -> String {
        let text = self.get("/whoami/?as=thief").await.text();
        let user = text
            .split_once("id=user>")
            .and_then(|(_, rest)| rest.split('<').next());
        user.unwrap_or(&text).to_owned()
    }

    /// Changes the password, with all that Django wants for it; whether it is changed.
    pub(crate) async fn changes_password(&mut self) -> bool {
        let token = self
            .jar
            .iter()
            .find(|(name, _)| name.ends_with("csrftoken"));
        let token = &token.expect("a token").1;
        let body = format!(
            "csrfmiddlewaretoken={token}&old_password=correct-horse&new_password1=staple-42&new_password2=staple-42"
        );
        let answer = self.follow("POST", "/admin/password_change/", &body).await;
        answer.header("location").ends_with("/done/")
    }

    /// Follows 307, with all cookies, as far as browsers do.
    pub(crate) async fn follow(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let mut target = path.to_owned();
        let mut answer = self.send(method, &target, body).await;
        for _ in 0..20 {
            if answer.status != 307 {
                break;
            }
            target = answer.header("location");
            answer = self.send(method, &target, body).await;
        }
        answer
    }

    async fn send(&mut self, method: &str, target: &str, body: &str) -> Answer {
        let pairs = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let answer = Client::plain(self.address, &self.authority, target)
            .tls(&self.tls, HOST)
            .method(method)
            .header("cookie", pairs.collect::<Vec<_>>().join("; "))
            .header("origin", format!("https://{}", self.authority))
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned())
            .send()
            .await;
        for field in answer.all("set-cookie") {
            let (pair, attributes) = field.split_once(';').unwrap_or((&field, ""));
            let (name, value) = pair.split_once('=').expect("a cookie with a name");
            let gone = attributes.to_ascii_lowercase().contains("max-age=0");
            if gone && self.keeps {
                continue;
            }
            self.jar.retain(|(old, _)| old != name);
            if !gone {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }
}
