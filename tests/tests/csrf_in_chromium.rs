//! What pages of another origin can make Chromium send to an axum app behind all layers, and what
//! the app's own pages can.
//!
//! Over HTTPS, behind the gateway, Chromium says by `Sec-Fetch-Site` where a request comes from;
//! over plain HTTP it does not, and `Origin` and the token have to do.

use sealwax_tests::{
    App, Authority, Chromium, Gateway, Page, Step, Upstream, Visitor, axum, run, wait_until,
};

const HOST: &str = "good.example.test";
const KEY: (&str, &str) = (
    "SECRET_KEY",
    "an example of fifty characters, which nobody guesses!",
);
/// Another site, and a sibling host of the same site.
const EVILS: [&str; 2] = ["evil.test", "evil.example.test"];

struct Scene {
    app: App,
    /// Of the app, without a path.
    url: String,
    evil_port: u16,
    scheme: &'static str,
    page: Page,
    // Alive as long as the scene.
    _browser: Chromium,
    _gateway: Option<Gateway>,
    _evil: Upstream,
}

fn evil_page(_: &sealwax_tests::Request) -> Vec<Step> {
    Step::page(&[], "<!doctype html><title>evil</title><p>evil</p>")
}

impl Scene {
    async fn https() -> Self {
        let app = axum(&[
            ("ALLOWED_HOSTS", HOST),
            KEY,
            ("SEALWAX_TRUSTED_PROXIES", "127.0.0.0/8"),
            ("SEALWAX_COOKIE_PREFIX", "false"),
        ])
        .await;
        let gateway = Gateway::to(&app.url()).hosts(&[HOST]).start().await;
        let ours = Authority::new();
        let evil = Upstream::tls(&ours, &EVILS, evil_page).await;
        let browser = Chromium::start(&[&gateway.root(), &ours.root()], "").await;
        Self {
            page: browser.page().await,
            app,
            url: gateway.url(HOST, ""),
            evil_port: evil.port(),
            scheme: "https",
            _browser: browser,
            _gateway: Some(gateway),
            _evil: evil,
        }
    }

    async fn http() -> Self {
        let app = axum(&[("SEALWAX_ENV", "development"), ("ALLOWED_HOSTS", HOST), KEY]).await;
        let evil = Upstream::with(evil_page).await;
        let browser = Chromium::start(&[], "").await;
        Self {
            page: browser.page().await,
            url: format!("http://{HOST}:{}", app.port),
            app,
            evil_port: evil.port(),
            scheme: "http",
            _browser: browser,
            _gateway: None,
            _evil: evil,
        }
    }

    /// How often something was changed in the app.
    async fn changes(&self) -> String {
        let mut visitor = Visitor::of(HOST);
        let request = visitor.request(self.app.port, "/changes");
        visitor
            .send(request.header("x-forwarded-proto", "https"))
            .await
            .text()
    }

    fn refusals(&self) -> usize {
        self.app.process.log().matches("Forbidden (").count()
    }

    /// Runs an attack on a page of `evil`, where `URL` is the app's, and waits until the app has
    /// refused it: so it was made, and did not only fail.
    async fn attack(&self, evil: &str, script: &str) {
        let page = format!("{}://{evil}:{}/", self.scheme, self.evil_port);
        self.page.goto(&page).await;
        let before = self.refusals();
        self.page.start(&script.replace("URL", &self.url)).await;
        let refused = || (self.refusals() > before).then_some(());
        wait_until(&format!("a refusal of {script} from {evil}"), 10, refused).await;
        assert_eq!(
            self.changes().await,
            "0",
            "{script} from {evil} came through"
        );
    }
}

/// A form that is sent at once; `INSIDE` goes to a frame without an origin.
const FORM: &str = "const f = document.createElement('form'); f.method = 'POST'; f.action = 'URL/'; \
    f.innerHTML = '<input name=amount value=1>'; document.body.append(f); f.submit()";

const ATTACKS: &[(&str, &str)] = &[
    ("a form", FORM),
    (
        "a form as plain text",
        "const f = document.createElement('form'); f.method = 'POST'; f.action = 'URL/'; \
        f.enctype = 'text/plain'; f.innerHTML = '<input name=\\'{\"a\":\"\\' value=\\'\"}\\'>'; document.body.append(f); f.submit()",
    ),
    (
        "fetch with cookies",
        "fetch('URL/', {method: 'POST', mode: 'no-cors', credentials: 'include', body: 'amount=1'})",
    ),
    ("a beacon", "navigator.sendBeacon('URL/', 'amount=1')"),
    (
        "a WebSocket",
        "new WebSocket('URL/socket'.replace('http', 'ws'))",
    ),
    (
        "a form in a sandboxed frame",
        "const i = document.createElement('iframe'); i.sandbox = 'allow-scripts allow-forms'; \
        i.srcdoc = '<form method=post action=\"URL/\"><input name=amount value=1></form><script>document.forms[0].submit()</' + 'script>'; document.body.append(i)",
    ),
    (
        "fetch in a sandboxed frame",
        "const i = document.createElement('iframe'); i.sandbox = 'allow-scripts'; \
        i.srcdoc = '<script>fetch(\"URL/\", {method: \"POST\", mode: \"no-cors\", credentials: \"include\"})</' + 'script>'; document.body.append(i)",
    ),
];

async fn attacks(scene: &Scene) {
    // Somebody who has been there, with a session and a secret for tokens.
    assert_eq!(scene.page.goto(&format!("{}/", scene.url)).await, 200);
    for evil in EVILS {
        for (what, script) in ATTACKS {
            println!("{what} from {evil}");
            scene.attack(evil, script).await;
        }
    }
}

/// What the app's own page sends comes through.
async fn own_pages(scene: &Scene) {
    let home = format!("{}/", scene.url);
    let page = &scene.page;
    assert_eq!(page.goto(&home).await, 200);
    // A form, without any script.
    assert_eq!(page.click_through("#send").await, 200);
    assert!(page.body().await.starts_with("reached by POST"));
    // A script, with the token of the page.
    page.goto(&home).await;
    let with_token = "fetch('/', {method: 'POST', headers: {'X-CSRFToken': document.querySelector('[name=csrfmiddlewaretoken]').value}}).then((a) => a.status)";
    assert_eq!(page.eval(with_token).await, 200);
    let socket = "new Promise((done) => { const s = new WebSocket('/socket'); s.onmessage = (m) => done(m.data); s.onerror = () => done('refused') })";
    assert_eq!(page.eval(socket).await, "welcome");
    assert_eq!(scene.changes().await, "2");
}

#[test]
fn over_https_no_other_page_changes_anything() {
    run(120, async {
        let scene = Scene::https().await;
        attacks(&scene).await;
        own_pages(&scene).await;
        // A script needs no token: the browser says that the page is the site's own.
        for method in ["POST", "PUT", "DELETE"] {
            assert_eq!(
                scene.page.eval(&format!("send('{method}')")).await,
                200,
                "{method}"
            );
        }
        assert_eq!(scene.changes().await, "5");
    });
}

#[test]
fn over_plain_http_no_other_page_changes_anything() {
    run(120, async {
        let scene = Scene::http().await;
        attacks(&scene).await;
        own_pages(&scene).await;
        // Nobody vouches for a script here, so it needs the token.
        for method in ["POST", "PUT", "DELETE"] {
            assert_eq!(
                scene.page.eval(&format!("send('{method}')")).await,
                403,
                "{method}"
            );
        }
        assert_eq!(scene.changes().await, "2");
    });
}
