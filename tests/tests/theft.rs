//! Signs of theft, as they arrive at the operator's webhook and command.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sealwax_cookie::{KeyRing, SealKey};
use sealwax_tests::{Answer, Authority, Builder, Gateway, Step, Upstream, run, wait_until};
use serde_json::Value;

const HOST: &str = "shop.example.test";
/// What only the user and the app know.
const VALUE: &str = "s3cret-of-the-user";

fn keys() -> String {
    let ring = KeyRing::new(SealKey::new([7; 32]), []).expect("one key");
    ring.to_text().to_string()
}

/// An app that sets a session, behind a gateway that seals it.
async fn shop() -> (Upstream, Builder) {
    let app = Upstream::with(|_| Step::page(&[&format!("sid={VALUE}; Path=/")], "hello")).await;
    let gateway = Gateway::to(&app.url())
        .hosts(&[HOST])
        .env("SEALWAX_SECRET", &keys())
        .site("[site.cookies]\nseal = [\"sid\"]\n");
    (app, gateway)
}

async fn with_cookie(gateway: &Gateway, cookie: &str) -> Answer {
    let request = gateway.request(HOST, "/account/?token=hush");
    request.header("cookie", cookie).send().await
}

/// The cookie as the browser gets it, and the same with another last character.
async fn sealed_and_forged(gateway: &Gateway) -> (String, String) {
    let answer = gateway.get(HOST, "/").await;
    let field = answer.all("set-cookie").remove(0);
    let sealed = field.split(';').next().expect("a pair").to_owned();
    let mut forged = sealed.clone();
    let last = forged.pop();
    forged.push(if last == Some('A') { 'Q' } else { 'A' });
    (sealed, forged)
}

/// One event with all that it must say, and none of what it must not.
fn check(event: &Value, text: &str) {
    assert_eq!(event["version"], 1, "{text}");
    assert_eq!(event["event"], "seal.forged", "{text}");
    assert_eq!(event["site"], HOST, "{text}");
    assert_eq!(event["subject"], "sid", "{text}");
    assert_eq!(event["client"], "127.0.0.1", "{text}");
    assert_eq!(event["path"], "/account/", "{text}");
    assert_eq!(event["method"], "GET", "{text}");
    assert!(!text.contains("hush") && !text.contains(VALUE), "{text}");
}

#[test]
fn a_webhook_is_told_once_and_again_when_it_was_away() {
    run(90, async {
        // It fails twice and takes the third.
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let hook = Upstream::with(move |_| match counted.fetch_add(1, Relaxed) {
            0 => Step::response(500, &[], ""),
            1 => Step::response(302, &[("Location", "/elsewhere")], ""),
            _ => Step::response(204, &[], ""),
        })
        .await;
        let (_app, gateway) = shop().await;
        let notify = format!("[site.notify]\nurl = \"{}/hook?team=web\"\n", hook.url());
        let gateway = gateway.site(&notify).start().await;
        let (sealed, forged) = sealed_and_forged(&gateway).await;
        assert_eq!(with_cookie(&gateway, &sealed).await.status, 200);
        for _ in 0..20 {
            assert_eq!(with_cookie(&gateway, &forged).await.status, 200);
        }
        let told = || (hook.requests().len() >= 3).then_some(());
        wait_until("the third try", 20, told).await;
        // Where it was sent elsewhere it has not gone.
        for request in hook.requests() {
            assert_eq!(request.target(), "/hook?team=web");
            assert_eq!(request.method(), "POST");
            assert_eq!(request.header("content-type"), "application/json");
        }
        let text = String::from_utf8(hook.last().body.clone()).expect("text");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        check(&event, &text);
        assert_eq!(event["count"], 1);
        // The other nineteen wait for the minute; the log has no more than the webhook.
        assert_eq!(
            gateway.log().matches("\"event\":\"seal.forged\"").count(),
            1
        );
        assert!(!gateway.log().contains(VALUE), "{}", gateway.log());
        assert_eq!(tries.load(Relaxed), 3);
    });
}

#[test]
fn a_webhook_must_be_who_it_says() {
    run(90, async {
        let authority = Authority::new();
        let hook =
            Upstream::tls(&authority, &["localhost"], |_| Step::response(200, &[], "")).await;
        for trusted in [false, true] {
            let (_app, gateway) = shop().await;
            let url = format!("https://localhost:{}/hook", hook.port());
            let mut gateway = gateway.site(&format!("[site.notify]\nurl = {url:?}\n"));
            if trusted {
                let root = authority.root().display().to_string();
                gateway = gateway.env("SSL_CERT_FILE", &root);
            }
            let gateway = gateway.start().await;
            let (_, forged) = sealed_and_forged(&gateway).await;
            with_cookie(&gateway, &forged).await;
            if trusted {
                let told = || (!hook.requests().is_empty()).then_some(());
                wait_until("the event", 20, told).await;
            } else {
                let given_up = || gateway.log().contains("was not taken").then_some(());
                wait_until("the end of three tries", 30, given_up).await;
                assert!(hook.requests().is_empty());
            }
        }
    });
}

#[test]
fn a_command_is_given_each_event_and_not_our_keys() {
    run(90, async {
        let (_app, gateway) = shop().await;
        let notify = "[site.notify]\ncommand = [\"./told\", \"with spaces; $(and) signs\"]\n";
        let gateway = gateway.site(notify).file(
            "told",
            "#!/bin/sh\nprintf '%s|%s|' \"$1\" \"$SEALWAX_SECRET\" >> told.txt\ncat >> told.txt\necho >> told.txt\n",
        );
        let gateway = gateway.start().await;
        let home = gateway.home.path();
        let script = home.join("told");
        let executable = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&script, executable).expect("the permission");
        let (_, forged) = sealed_and_forged(&gateway).await;
        with_cookie(&gateway, &forged).await;
        let read = || std::fs::read_to_string(home.join("told.txt")).ok();
        let whole = || read().filter(|text| text.ends_with('\n'));
        let text = wait_until("the event", 20, whole).await;
        let rest = text.strip_prefix("with spaces; $(and) signs||");
        let rest = rest.unwrap_or_else(|| panic!("{text}"));
        check(&serde_json::from_str(rest).expect("JSON"), &text);

        // Another address after a reload; what waits at the end is still told.
        let config = gateway.read_config();
        gateway.write_config(&config.replace("with spaces", "no spaces"));
        gateway.reload();
        let reloaded = || gateway.log().contains("reloaded").then_some(());
        wait_until("the reload", 10, reloaded).await;
        let tossed = forged.replace("__Host-", "__host-");
        with_cookie(&gateway, &tossed).await;
        let home = gateway.stop().await;
        let text = std::fs::read_to_string(home.path().join("told.txt")).expect("the file");
        let last = text.lines().last().expect("a line");
        assert!(last.starts_with("no spaces;"), "{text}");
        assert!(last.contains("cookie.inbound.case-variant"), "{text}");
    });
}

#[test]
fn nobody_waits_for_a_receiver_that_never_answers() {
    run(90, async {
        let silent = Upstream::with(|_| vec![Step::Wait(std::time::Duration::from_secs(60))]).await;
        let (_app, gateway) = shop().await;
        let notify = format!("[site.notify]\nurl = \"{}/\"\n", silent.url());
        let gateway = gateway.site(&notify).start().await;
        let (_, forged) = sealed_and_forged(&gateway).await;
        for _ in 0..100 {
            assert_eq!(with_cookie(&gateway, &forged).await.status, 200);
        }
        let asked = || (!silent.requests().is_empty()).then_some(());
        wait_until("the event", 20, asked).await;
        // It would have ten seconds for each of three tries.
        gateway.stop().await;
    });
}
