//! Django's admin, unmodified, with its session bound to the browser's device: who has a copy of
//! the cookies is nobody, and who has the device never notices.
//!
//! Chromium makes its keys in software here. What counts is what it says of its sessions over
//! DevTools and whom the app saw; no test measures time.

mod kinds;
mod life;
mod mix;
mod nodes;
mod scene;
mod sites;

use std::time::Duration;

use scene::{PROOF, SESSION, Scene, waited_for};
use sealwax_tests::run;

/// The value with which the login answered, before anything could have sealed it anew.
fn first_session(scene: &Scene) -> String {
    let seen = scene.page.set_cookies();
    let mut fields = seen.iter().filter_map(|seen| {
        let rest = seen.field.strip_prefix(SESSION)?.strip_prefix('=')?;
        Some(rest.split(';').next()?.to_owned())
    });
    fields.next().expect("the login sets a session")
}

#[test]
fn the_login_of_the_admin_is_bound_from_its_first_byte() {
    run(90, async {
        let scene = Scene::new().await;
        let mark = scene.page.mark();
        assert_eq!(scene.goto("/admin/").await, 200);
        let created = |event: &serde_json::Value| event["creationEventDetails"].is_object();
        let event = scene
            .page
            .wait_bound_event(mark, "a registration", created)
            .await;
        assert_eq!(
            event["creationEventDetails"]["fetchResult"], "Success",
            "{event}"
        );
        scene.log_in("/admin/").await;
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");

        // The cookie alone, and as it first left.
        let mut thief = scene.thief().await.only(&[SESSION]);
        assert_eq!(thief.jar.len(), 1);
        assert_eq!(thief.user().await, "nobody");
        thief.jar = vec![(SESSION.to_owned(), first_session(&scene))];
        assert_eq!(thief.user().await, "nobody");
        // The same with the proof, or the cookie proves nothing.
        let mut thief = scene.thief().await.only(&[SESSION, PROOF]);
        assert_eq!(thief.user().await, "alice");
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");

        // One session, and nothing went wrong with it.
        let events = scene.page.bound_events(mark);
        let creations = events.iter().filter(|event| created(event)).count();
        assert_eq!(creations, 1, "{events:#?}");
        for event in &events {
            let ended = event["terminationEventDetails"].is_object();
            let refreshed = &event["refreshEventDetails"]["refreshResult"];
            let good = refreshed.is_null() || refreshed == "Refreshed";
            assert!(good && !ended, "{event:#}");
        }
    });
}

#[test]
fn a_form_that_is_sent_before_the_browser_has_registered_is_bound_all_the_same() {
    run(90, async {
        let scene = Scene::new().await;
        let url = scene.url("/admin/login/?next=/whoami/");
        // Sent by a script as soon as the form is there.
        scene.page.goto(&url).await;
        let send = "document.querySelector('#id_username').value = 'alice'; \
            document.querySelector('#id_password').value = 'correct-horse'; \
            document.querySelector('#login-form').submit()";
        scene.page.start(send).await;
        scene
            .page
            .wait_for("document.querySelector('#user')?.innerText == 'alice'")
            .await;
        // At the latest when the next page has come.
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");
        let mut thief = scene.thief().await.only(&[SESSION]);
        assert_eq!(thief.user().await, "nobody");
    });
}

#[test]
fn whoever_has_the_device_is_refreshed_and_whoever_has_the_cookies_is_nobody() {
    run(120, async {
        let scene = Scene::new().await;
        scene.log_in("/admin/").await;
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");
        let mut thief = scene.thief().await;
        assert_eq!(
            thief.clone().user().await,
            "alice",
            "the copied proof is live still"
        );
        let mut early = thief.clone();
        let mut keeping = thief.clone();
        keeping.keeps = true;

        // What wants a fresh proof was never his, live proof or not.
        for thief in [&mut early, &mut keeping] {
            let answer = thief.get("/admin/password_change/").await;
            assert!(!answer.text().contains("id_old_password"), "{answer:?}");
            assert!(!thief.changes_password().await);
        }

        scene.outlive().await;
        assert_eq!(thief.user().await, "nobody");
        for thief in [&mut early, &mut keeping] {
            assert_eq!(thief.user().await, "nobody");
            let answer = thief.get("/admin/password_change/").await;
            assert!(!answer.text().contains("id_old_password"), "{answer:?}");
            assert!(!thief.changes_password().await);
        }

        // The victim, at the same time: a page first, and then scripts.
        let mark = scene.page.mark();
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");
        let refreshed = |event: &serde_json::Value| {
            event["refreshEventDetails"]["wasFullyProactiveRefresh"] == false
        };
        scene
            .page
            .wait_bound_event(mark, "a refresh", refreshed)
            .await;
        assert_eq!(waited_for(&scene.page, mark), 1);

        scene.outlive().await;
        let mark = scene.page.mark();
        assert_eq!(scene.users_by_fetch(&scene.page, 12).await, ["alice"; 12]);
        scene
            .page
            .wait_bound_event(mark, "a refresh", refreshed)
            .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(
            waited_for(&scene.page, mark),
            1,
            "{:#?}",
            scene.page.bound_events(mark)
        );
    });
}

#[test]
fn a_path_that_wants_a_fresh_proof_works_for_its_user() {
    run(120, async {
        let scene = Scene::new().await;
        scene.log_in("/admin/").await;
        let form = [
            ("#id_old_password", "correct-horse"),
            ("#id_new_password1", "staple-42"),
            ("#id_new_password2", "staple-42"),
        ];
        // By a proof that is live, and after it is over.
        for expired in [false, true] {
            println!("expired: {expired}");
            // Or what is waited for would be there already.
            scene.user_by_page(&scene.page).await;
            let expire = async || {
                if expired {
                    scene.expire().await;
                }
            };
            expire().await;
            scene
                .page
                .start(&format!(
                    "location.href = '{}'",
                    scene.url("/admin/password_change/")
                ))
                .await;
            scene
                .page
                .wait_for("document.querySelector('#id_old_password')")
                .await;

            // With a mistake the form comes back; a page that answers a POST may be one that was
            // loaded again.
            for (field, text) in form {
                scene
                    .page
                    .fill(
                        field,
                        if field == "#id_old_password" {
                            "wrong"
                        } else {
                            text
                        },
                    )
                    .await;
            }
            expire().await;
            scene.page.click(".submit-row [type=submit]").await;
            scene
                .page
                .wait_for(
                    "document.body.innerText.includes('Your old password was entered incorrectly')",
                )
                .await;

            // A script whose own refresh came before the wish gets 403, and may send it again.
            expire().await;
            let ask = "fetch('/admin/password_change/').then(async (a) => \
                       a.status + ((await a.text()).includes('id_old_password') ? ' form' : ' none'))";
            let mut asked = scene.page.eval(ask).await;
            println!("  a script: {asked}");
            if asked == "403 none" {
                asked = scene.page.eval(ask).await;
            }
            assert_eq!(asked, "200 form");
        }
        scene.expire().await;
        scene
            .page
            .start(&format!(
                "location.href = '{}'",
                scene.url("/admin/password_change/")
            ))
            .await;
        scene.page.wait_for("document.querySelector('#id_old_password') && !document.querySelector('.errornote')").await;
        for (field, text) in form {
            scene.page.fill(field, text).await;
        }
        scene.page.click(".submit-row [type=submit]").await;
        scene.page.wait_for("location.pathname == '/admin/password_change/done/' && document.body.innerText.includes('Your password was changed')").await;
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");
        // Django made a new session; it is bound like the old one.
        let mut thief = scene.thief().await.only(&[SESSION]);
        assert_eq!(thief.user().await, "nobody");
    });
}

#[test]
fn browsers_that_bind_nothing_are_not_disturbed() {
    run(90, async {
        let scene = Scene::with(false, &[]).await;
        scene.log_in("/admin/").await;
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");
        let session = scene.browser.cookie(SESSION).await;
        assert!(
            session.secure && session.http_only && session.same_site == "Lax",
            "{session:?}"
        );
        // Django's keys have 32 characters; what is sealed has many more.
        assert!(session.value.len() > 100, "{session:?}");
        assert!(!scene.browser.has_cookie(PROOF).await);
        assert_eq!(scene.goto("/admin/password_change/").await, 200);
        assert_eq!(
            scene
                .page
                .eval("!!document.querySelector('#id_old_password')")
                .await,
            true
        );
        assert_eq!(scene.users_by_fetch(&scene.page, 3).await, ["alice"; 3]);
        scene.log_out().await;
        assert!(!scene.browser.has_cookie(SESSION).await);
        assert_eq!(scene.user_by_page(&scene.page).await, "nobody");
    });
}
