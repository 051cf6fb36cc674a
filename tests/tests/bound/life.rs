//! What happens in the life of a session: logins, tabs, restarts, new keys, an app that is away.

use sealwax_tests::{Chromium, Gateway, run};

use super::scene::{HOST, SESSION, Scene};

impl Scene {
    /// The user is there by a page and by scripts, with the proof that there is and without one.
    pub(crate) async fn is_still_alice(&self, after: &str) {
        for expired in [false, true] {
            if expired {
                self.expire().await;
            }
            assert_eq!(
                self.user_by_page(&self.page).await,
                "alice",
                "by a page after {after}, expired: {expired}"
            );
            if expired {
                self.expire().await;
            }
            assert_eq!(
                self.users_by_fetch(&self.page, 3).await,
                ["alice"; 3],
                "by scripts after {after}, expired: {expired}"
            );
        }
    }

    /// The session's cookie alone is worth nothing.
    pub(crate) async fn is_bound(&self, after: &str) {
        let mut thief = self.thief().await.only(&[SESSION]);
        assert_eq!(thief.jar.len(), 1, "{after}");
        assert_eq!(thief.user().await, "nobody", "{after}");
    }
}

#[test]
fn over_http1_all_is_the_same() {
    run(120, async {
        let scene = Scene::over_http1().await;
        scene.log_in("/admin/").await;
        let protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol";
        assert_eq!(scene.page.eval(protocol).await, "http/1.1");
        scene.is_bound("a login").await;
        scene.is_still_alice("a login").await;
        assert_eq!(scene.goto("/admin/password_change/").await, 200);
        let title = scene.page.eval("document.title").await;
        assert!(title.to_string().contains("Password change"), "{title}");
    });
}

#[test]
fn logging_out_and_in_again_binds_again() {
    run(120, async {
        let scene = Scene::new().await;
        scene.log_in("/admin/").await;
        let mut old = scene.thief().await;
        scene.log_out().await;
        assert_eq!(scene.user_by_page(&scene.page).await, "nobody");
        assert_eq!(old.user().await, "nobody");
        scene.log_in("/admin/").await;
        scene.is_bound("a second login").await;
        scene.is_still_alice("a second login").await;
        // Elsewhere in the app, on a page that offers no session, while there is one.
        scene.log_in("/login/").await;
        scene.is_bound("a login while bound").await;
        scene.is_still_alice("a login while bound").await;
        // After a log-out with an expired proof.
        scene.log_out().await;
        scene.expire().await;
        scene.log_in("/login/").await;
        scene.is_bound("a login elsewhere").await;
        scene.is_still_alice("a login elsewhere").await;
    });
}

#[test]
fn two_tabs_and_a_restart_of_the_browser_keep_the_session() {
    run(120, async {
        let mut scene = Scene::new().await;
        scene.log_in("/admin/").await;
        let other = scene.browser.page().await;
        assert_eq!(scene.user_by_page(&other).await, "alice");
        for _ in 0..3 {
            scene.expire().await;
            let both = tokio::join!(scene.user_by_page(&scene.page), scene.user_by_page(&other));
            assert_eq!((both.0.as_str(), both.1.as_str()), ("alice", "alice"));
            scene.expire().await;
            let both = tokio::join!(
                scene.users_by_fetch(&scene.page, 4),
                scene.users_by_fetch(&other, 4)
            );
            assert_eq!(both.0, ["alice"; 4]);
            assert_eq!(both.1, ["alice"; 4]);
        }
        for round in 0..2 {
            let Scene { browser, .. } = &mut scene;
            let profile = std::mem::replace(browser, Chromium::start(&[], "").await)
                .close()
                .await;
            scene.browser = Chromium::reopen(profile).await;
            scene.page = scene.browser.page().await;
            // At first without asking for the proof, which the profile may have kept.
            assert_eq!(
                scene.user_by_page(&scene.page).await,
                "alice",
                "restart {round}"
            );
            scene.is_still_alice("a restart").await;
            scene.is_bound("a restart").await;
        }
    });
}

#[test]
fn a_restart_of_the_gateway_new_keys_and_an_app_that_is_away_log_nobody_out() {
    run(180, async {
        let mut scene = Scene::new().await;
        scene.log_in("/admin/").await;
        scene.is_still_alice("the login").await;

        for _ in 0..3 {
            let rotated = scene.gateway.cli(&["secret", "rotate"]);
            assert_eq!(rotated.code, 0, "{rotated:?}");
            scene.reload().await;
            scene.is_still_alice("a rotation").await;
            scene.is_bound("a rotation").await;
        }

        let (http, https) = (scene.gateway.http.port(), scene.gateway.https.port());
        for _ in 0..2 {
            let text = scene.gateway.read_config();
            let old = std::mem::replace(
                &mut scene.gateway,
                Gateway::to("http://127.0.0.1:9").start().await,
            );
            let home = old.stop().await;
            // Requests in between reach nobody, refreshes as well.
            assert!(
                scene
                    .page
                    .try_goto(&scene.url_at(https, "/whoami/"))
                    .await
                    .is_err()
            );
            let site = text.split_once("[[site]]").expect("a site").1;
            let (keys, tables) = site.split_once("\n[site.").expect("a table");
            let to = scene.app.url();
            assert!(keys.contains(&to));
            scene.gateway = Gateway::to(&to)
                .hosts(&[HOST])
                .site(&format!("[site.{tables}"))
                .ports(http, https)
                .home(home)
                .start()
                .await;
            scene.is_still_alice("a restart of the gateway").await;
        }

        let good = scene.gateway.read_config();
        scene
            .gateway
            .write_config(&good.replace(&scene.app.url(), "http://127.0.0.1:9"));
        scene.reload().await;
        scene.expire().await;
        assert_eq!(scene.goto("/whoami/").await, 502);
        scene.expire().await;
        assert_eq!(scene.goto("/whoami/").await, 502);
        scene.gateway.write_config(&good);
        scene.reload().await;
        scene.is_still_alice("the app was away").await;
    });
}

impl Scene {
    fn url_at(&self, port: u16, path: &str) -> String {
        format!("https://{HOST}:{port}{path}")
    }

    /// SIGHUP, and the line that says that it counts.
    pub(crate) async fn reload(&self) {
        let lines = || self.gateway.log().matches("reloaded").count();
        let before = lines();
        self.gateway.reload();
        sealwax_tests::wait_until("a reload", 10, || (lines() > before).then_some(())).await;
    }
}
