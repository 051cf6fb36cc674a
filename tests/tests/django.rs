//! Real Django with its admin, behind the gateway, in a real browser.
//!
//! The project is what `startproject` writes plus one line, SECURE_PROXY_SSL_HEADER. Each
//! test runs against the newest long-term release and, where Python allows, Django 6.

use sealwax_tests::{App, Chromium, Django, Gateway, Page, Version, run};

const HOST: &str = "shop.example.test";

struct Scene {
    browser: Chromium,
    page: Page,
    gateway: Gateway,
    _app: App,
}

async fn scene(django: Django, site: &str) -> Scene {
    let app = django.start().await;
    let gateway = Gateway::to(&app.url())
        .hosts(&[HOST])
        .site(site)
        .start()
        .await;
    let browser = Chromium::start(&[&gateway.root()], "").await;
    let page = browser.page().await;
    Scene {
        browser,
        page,
        gateway,
        _app: app,
    }
}

impl Scene {
    async fn goto(&self, path: &str) -> u16 {
        self.page.goto(&self.gateway.url(HOST, path)).await
    }

    async fn log_in(&self, path: &str) -> u16 {
        self.goto(path).await;
        self.page.fill("#id_username", "alice").await;
        self.page.fill("#id_password", "correct-horse").await;
        self.page.click_through("[type=submit], #submit").await
    }
}

/// The admin from log-in to log-out, with a password changed in between.
async fn admin(django: Django) {
    let scene = scene(django, "").await;
    let page = &scene.page;
    assert_eq!(scene.log_in("/admin/").await, 200);
    assert_eq!(page.security_state().await, "secure");
    assert!(
        page.body().await.contains("Site administration"),
        "{}",
        page.body().await
    );

    let session = scene.browser.cookie("__Host-sessionid").await;
    assert!(
        session.secure && session.http_only && session.same_site == "Lax",
        "{session:?}"
    );
    let csrf = scene.browser.cookie("__Host-csrftoken").await;
    assert!(
        csrf.secure && csrf.http_only && csrf.same_site == "Lax",
        "{csrf:?}"
    );
    // Without the gateway Django would leave both readable on plain HTTP: see tests/harness.rs.
    assert_eq!(page.document_cookie().await, "");

    assert_eq!(scene.goto("/admin/password_change/").await, 200);
    for (field, text) in [
        ("#id_old_password", "correct-horse"),
        ("#id_new_password1", "staple-42"),
        ("#id_new_password2", "staple-42"),
    ] {
        page.fill(field, text).await;
    }
    assert_eq!(page.click_through(".submit-row [type=submit]").await, 200);
    assert_eq!(
        page.eval("location.pathname").await,
        "/admin/password_change/done/"
    );
    // Django rotates the session key on a password change; the browser follows.
    let rotated = scene.browser.cookie("__Host-sessionid").await;
    assert_ne!(rotated.value, session.value);

    assert_eq!(scene.goto("/admin/").await, 200);
    assert_eq!(page.click_through("#logout-form button").await, 200);
    assert!(
        page.body().await.contains("Logged out"),
        "{}",
        page.body().await
    );
    // Deleted in Django's way, without HttpOnly or Secure; gone all the same.
    assert!(
        !scene.browser.has_cookie("__Host-sessionid").await,
        "{:#?}",
        scene.browser.cookies().await
    );
    scene.goto("/admin/").await;
    assert!(page.body().await.contains("Username:"), "still logged in");
    for seen in page.set_cookies() {
        assert!(seen.blocked.is_empty(), "Chromium refused {seen:?}");
    }
}

/// A form with CSRF protection whose answer is a message in the messages cookie.
async fn form(django: Django) {
    let scene = scene(django, "").await;
    let page = &scene.page;
    assert_eq!(scene.goto("/order/").await, 200);
    page.fill("#item", "tea").await;
    assert_eq!(page.click_through("#submit").await, 200);
    assert_eq!(page.text("#messages").await, "ordered: tea");
    assert_eq!(scene.goto("/order/").await, 200);
    assert_eq!(
        page.text("#messages").await,
        "",
        "the messages cookie was not deleted"
    );

    // Without the token it is refused, so the form above proves something.
    page.eval("document.querySelector('[name=csrfmiddlewaretoken]').value = 'x'.repeat(64)")
        .await;
    assert_eq!(page.click_through("#submit").await, 403);
}

/// A script that reads `csrftoken`: it stops working by default, and the setting mends it.
async fn script(django: fn() -> Django) {
    let hardened = scene(django(), "").await;
    hardened.goto("/order/json/").await;
    assert_eq!(hardened.page.eval("order('tea')").await, 403);
    let log = hardened.gateway.log();
    assert!(
        log.contains("readable") && log.contains("csrftoken"),
        "the log does not name the mend:\n{log}"
    );

    let mended = scene(django(), "[site.cookies]\nreadable = [\"csrftoken\"]").await;
    mended.goto("/order/json/").await;
    let csrf = mended.browser.cookie("csrftoken").await;
    assert!(
        csrf.secure && !csrf.http_only && csrf.same_site == "Lax",
        "{csrf:?}"
    );
    assert_eq!(mended.page.eval("order('tea')").await, 200);
}

/// A custom log-in, the session's counter, a redirect made of build_absolute_uri, log-out.
async fn session(django: Django) {
    let scene = scene(django, "").await;
    let page = &scene.page;
    scene.goto("/").await;
    scene.goto("/").await;
    assert_eq!(page.text("#visits").await, "2");
    scene.log_in("/login/").await;
    assert_eq!(page.text("#user").await, "alice");
    assert_eq!(scene.goto("/redirect/").await, 200);
    assert_eq!(
        page.eval("location.href").await,
        scene.gateway.url(HOST, "/")
    );
    page.click_through("#logout").await;
    assert_eq!(page.text("#user").await, "nobody");
}

macro_rules! both {
    ($($name:ident => $lts:ident, $six:ident;)*) => {$(
        #[test]
        fn $lts() {
            run(90, $name(Django::new(Version::Lts)));
        }

        #[test]
        fn $six() {
            let Some(django) = Django::available(Version::Six, stringify!($six)) else { return };
            run(90, $name(django));
        }
    )*};
}

both! {
    admin => the_admin_works_on_the_lts, the_admin_works_on_django_6;
    form => a_protected_form_and_its_message_work_on_the_lts, a_protected_form_and_its_message_work_on_django_6;
    session => sessions_and_log_out_work_on_the_lts, sessions_and_log_out_work_on_django_6;
}

#[test]
fn a_script_that_reads_csrftoken_is_named_and_mended_by_one_setting() {
    run(120, script(|| Django::new(Version::Lts)));
}

#[test]
fn cookies_that_django_deletes_are_gone() {
    run(60, async {
        let scene = scene(Django::new(Version::Lts), "").await;
        scene.goto("/cookies/set/").await;
        for name in ["theme", "__Host-sid", "strict", "__Secure-cart"] {
            assert!(
                scene.browser.has_cookie(name).await,
                "{name} in {:#?}",
                scene.browser.cookies().await
            );
        }
        assert_eq!(scene.browser.cookie("strict").await.same_site, "Strict");
        scene.goto("/cookies/delete/").await;
        assert_eq!(scene.browser.cookies().await, []);
    });
}
