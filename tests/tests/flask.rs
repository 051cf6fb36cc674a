//! A Flask app as Flask ships it.

use sealwax_tests::{Chromium, Gateway, flask, run};

#[test]
fn flask_logs_in_flashes_and_logs_out_in_chromium() {
    run(60, async {
        let app = flask().await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["flask.example.test"])
            .start()
            .await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        page.goto(&gateway.url("flask.example.test", "/login"))
            .await;
        assert_eq!(page.security_state().await, "secure");
        page.fill("#user", "bob").await;
        assert_eq!(page.click_through("#submit").await, 200);
        assert_eq!(
            (page.text("#user").await, page.text("#flash").await),
            ("bob".into(), "welcome".into())
        );
        let session = browser.cookie("__Host-session").await;
        assert!(
            session.secure && session.http_only && session.same_site == "Lax",
            "{session:?}"
        );
        page.goto(&gateway.url("flask.example.test", "/")).await;
        assert_eq!(
            (page.text("#user").await, page.text("#flash").await),
            ("bob".into(), String::new())
        );

        page.goto(&gateway.url("flask.example.test", "/two")).await;
        assert!(!browser.cookie("theme").await.http_only);
        assert!(browser.cookie("__Host-remember_token").await.http_only);

        page.goto(&gateway.url("flask.example.test", "/logout"))
            .await;
        assert_eq!(page.text("#user").await, "nobody");
        assert!(
            !browser.has_cookie("__Host-session").await,
            "{:#?}",
            browser.cookies().await
        );
    });
}
