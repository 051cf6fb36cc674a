//! From `evil.example.test`, a sibling of `app.example.test`: what Chromium lets it set, and
//! that none of it reaches the app behind the gateway.
//!
//! Each attack is also sent to the same app without the gateway, where it arrives: so the
//! test shows an attack, not a cookie that the browser refused.

use sealwax_tests::{Authority, Chromium, Gateway, Request, Step, Upstream, run};

const APP: &str = "app.example.test";

fn app(request: &Request) -> Vec<Step> {
    let cookies: &[&str] = if request.path() == "/login" {
        &["sessionid=real; Path=/; HttpOnly", "csrftoken=real; Path=/"]
    } else {
        &[]
    };
    Step::page(cookies, "<p>app</p>")
}

/// Runs `script` on the evil page and answers the Cookie fields that the app received
/// without the gateway, and behind it before and after a log-in.
async fn attack(script: &str) -> [String; 3] {
    let ours = Authority::new();
    let behind = Upstream::with(app).await;
    let gateway = Gateway::to(&behind.url()).hosts(&[APP]).start().await;
    let bare = Upstream::tls(&ours, &[APP], app).await;
    let evil = Upstream::tls(&ours, &["evil.example.test"], |_| {
        Step::page(&[], "<p>evil</p>")
    })
    .await;
    let browser = Chromium::start(&[&gateway.root(), &ours.root()], "").await;
    let page = browser.page().await;
    let evil_url = format!("https://evil.example.test:{}/", evil.port());

    page.goto(&evil_url).await;
    page.eval(script).await;
    page.goto(&format!("https://{APP}:{}/bare/deep", bare.port()))
        .await;
    let without = bare.last_for("/bare/deep").header("cookie");
    page.goto(&gateway.url(APP, "/bare/deep")).await;
    let before = behind.last_for("/bare/deep").header("cookie");

    page.goto(&gateway.url(APP, "/login")).await;
    page.goto(&evil_url).await;
    page.eval(script).await;
    page.goto(&gateway.url(APP, "/bare/after")).await;
    let after = behind.last_for("/bare/after").header("cookie");
    [without, before, after]
}

fn sorted(cookies: &str) -> Vec<&str> {
    let mut cookies: Vec<_> = cookies.split("; ").collect();
    cookies.sort_unstable();
    cookies
}

#[test]
fn tossed_names_do_not_reach_the_app() {
    run(90, async {
        let [without, before, after] = attack(
            "document.cookie = 'sessionid=evil1; domain=example.test; path=/; secure';
             document.cookie = 'sessionid=evil2; domain=example.test; path=/bare; secure';
             document.cookie = 'csrftoken=evil3; domain=example.test; path=/; secure'",
        )
        .await;
        assert!(
            without.contains("sessionid=evil1") && without.contains("sessionid=evil2"),
            "no attack at all: {without}"
        );
        assert_eq!(before, "");
        assert_eq!(sorted(&after), ["csrftoken=real", "sessionid=real"]);
    });
}

#[test]
fn prefixes_in_disguise_do_not_reach_the_app() {
    run(90, async {
        let [without, before, after] = attack(
            "document.cookie = '__Secure-__Host-sessionid=evil1; domain=example.test; path=/; secure';
             document.cookie = '__Secure-sessionid=evil2; domain=example.test; path=/; secure';
             document.cookie = '__Secure-__HOST-csrftoken=evil3; domain=example.test; path=/bare; secure'",
        )
        .await;
        assert!(
            without.contains("__Secure-__Host-sessionid=evil1")
                && without.contains("__Secure-sessionid=evil2"),
            "no attack at all: {without}"
        );
        assert_eq!(before, "");
        assert_eq!(sorted(&after), ["csrftoken=real", "sessionid=real"]);
    });
}

#[test]
fn white_space_before_a_prefix_does_not_reach_the_app() {
    run(90, async {
        let [without, before, after] = attack(
            "for (const space of ['\\u2000', '\\u0085', '\\u00a0', '\\u3000'])
               for (const name of ['__Host-sessionid', 'sessionid'])
                 document.cookie = space + name + '=evil; domain=example.test; path=/; secure'",
        )
        .await;
        assert!(
            without.contains("__Host-sessionid=evil"),
            "no attack at all: {without}"
        );
        assert_eq!(before, "");
        assert_eq!(sorted(&after), ["csrftoken=real", "sessionid=real"]);
    });
}

#[test]
fn the_sandwich_and_the_old_syntax_do_not_reach_the_app() {
    run(90, async {
        let [without, before, after] = attack(
            "document.cookie = '$Version=1; domain=example.test; path=/bare; secure';
             document.cookie = 'start=\"x; domain=example.test; path=/bare; secure';
             document.cookie = 'end=y\"; domain=example.test; path=/; secure';
             document.cookie = '$Version=1,__Host-sessionid=evil; domain=example.test; path=/bare; secure';
             document.cookie = 'sessionid; domain=example.test; path=/; secure'",
        )
        .await;
        assert!(
            without.contains("$Version=1") && without.contains("start=\"x"),
            "no attack at all: {without}"
        );
        assert_eq!(before, "");
        assert_eq!(sorted(&after), ["csrftoken=real", "sessionid=real"]);
    });
}

#[test]
fn a_flood_that_pushes_the_session_out_does_not_plant_another() {
    run(90, async {
        // Chromium keeps some 170 cookies of a domain: the evil sibling fills the jar.
        let [_, before, after] = attack(
            "for (let number = 0; number < 200; number++)
               document.cookie = 'sessionid=evil' + number + '; domain=example.test; secure; path=/' + (number % 2 ? '' : 'bare');
             for (let number = 0; number < 200; number++)
               document.cookie = 'f' + number + '=x; domain=example.test; secure; path=/'",
        )
        .await;
        for received in [before, after] {
            assert!(!received.contains("evil"), "{received}");
        }
    });
}
