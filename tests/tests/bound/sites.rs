//! Requests that another site starts: browsers refresh for none of them.

use sealwax_tests::{Authority, Request, Step, Upstream, run, wait_until};

use super::scene::Scene;

fn other_site(request: &Request) -> Vec<Step> {
    // The end of an OAuth flow.
    if let Some((_, to)) = request.target().split_once("?return=") {
        return Step::response(302, &[("Location", to)], "");
    }
    Step::page(&[], "<link rel=icon href=data:,><p>other")
}

/// How the other site leads a window to the app; it arrives as the user.
const LEADS: &[(&str, &str)] = &[
    (
        "a link",
        "const a = document.createElement('a'); a.href = 'URL'; document.body.append(a); a.click()",
    ),
    (
        "a link without referrer, to a fragment",
        "const a = document.createElement('a'); a.href = 'URL#part'; a.rel = 'noreferrer'; document.body.append(a); a.click()",
    ),
    (
        "a GET form",
        "const f = document.createElement('form'); f.action = 'URL'; \
        f.innerHTML = '<input name=as value=NAME>'; document.body.append(f); f.submit()",
    ),
    ("a return", "location.href = '/?return=URL'"),
];

/// What it makes the window send that is the app's nobody.
const ATTACKS: &[(&str, &str)] = &[
    (
        "an iframe",
        "const i = document.createElement('iframe'); i.src = 'URL'; document.body.append(i)",
    ),
    (
        "a POST form",
        "const f = document.createElement('form'); f.method = 'POST'; f.action = 'URL'; document.body.append(f); f.submit()",
    ),
    (
        "an image",
        "document.body.append(Object.assign(new Image(), {src: 'URL'}))",
    ),
    (
        "a script",
        "fetch('URL', {mode: 'no-cors', credentials: 'include'})",
    ),
];

#[test]
fn another_site_can_lead_to_the_app_and_do_nothing_else() {
    run(180, async {
        let ours = Authority::new();
        let other = Upstream::tls(&ours, &["other.test", "sibling.example.test"], other_site).await;
        let scene = Scene::with(true, &[&ours.root()]).await;
        scene.log_in("/admin/").await;
        for host in ["other.test", "sibling.example.test"] {
            let start = format!("https://{host}:{}/", other.port());
            for (what, script) in LEADS {
                for expired in [true, false] {
                    println!("{what} from {host}, expired: {expired}");
                    assert_eq!(scene.page.goto(&start).await, 200);
                    if expired {
                        scene.expire().await;
                    }
                    let (path, name) = scene.whoami();
                    let script = script.replace("URL", &scene.url(&path));
                    scene.page.start(&script.replace("NAME", &name)).await;
                    scene
                        .page
                        .wait_for("document.querySelector('#user')?.innerText == 'alice'")
                        .await;
                    assert_eq!(scene.seen(&name).await, ["alice"], "{what} from {host}");
                }
            }
        }
        let start = format!("https://other.test:{}/", other.port());
        // Written when the answer is over.
        let arrivals = || scene.gateway.log().matches("\"path\":\"/whoami/\"").count();
        for (what, script) in ATTACKS {
            println!("{what}");
            assert_eq!(scene.page.goto(&start).await, 200);
            scene.expire().await;
            let before = arrivals();
            let (path, name) = scene.whoami();
            scene
                .page
                .start(&script.replace("URL", &scene.url(&path)))
                .await;
            // A refusal of the gateway is as good: what must not be is that the app sees the user.
            let arrived = || (arrivals() > before).then_some(());
            wait_until(&format!("{what} to arrive"), 10, arrived).await;
            let seen = scene.seen(&name).await;
            assert!(
                seen.is_empty() || seen == ["nobody"],
                "{what} arrived as {seen:?}"
            );
        }
        assert_eq!(scene.user_by_page(&scene.page).await, "alice");
    });
}

#[test]
fn a_page_from_a_link_may_be_loaded_anew_by_hand() {
    run(120, async {
        let ours = Authority::new();
        let other = Upstream::tls(&ours, &["other.test"], other_site).await;
        let scene = Scene::with(true, &[&ours.root()]).await;
        scene.log_in("/admin/").await;
        let start = format!("https://other.test:{}/", other.port());
        assert_eq!(scene.page.goto(&start).await, 200);
        let (path, _) = scene.whoami();
        let (_, link) = LEADS[0];
        scene
            .page
            .start(&link.replace("URL", &scene.url(&path)))
            .await;
        let alice = "document.querySelector('#user')?.innerText == 'alice'";
        scene.page.wait_for(alice).await;
        // The browser says again that another site has led to it.
        scene
            .page
            .eval("document.querySelector('#user').innerText = 'before'")
            .await;
        scene.expire().await;
        scene.page.reload().await;
        scene.page.wait_for(alice).await;
    });
}
