//! More than one gateway, and clocks that disagree: whoever has the keys can judge every proof.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sealwax_tests::{App, Builder, Chromium, Django, Gateway, Version, run};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::scene::{HOST, SITE, Scene, keys};

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A load balancer for TCP: one port in front of several gateways, of which one is in use.
struct Balancer {
    address: SocketAddr,
    chosen: Arc<AtomicUsize>,
    /// Changes with every choice; open connections end then.
    choices: watch::Sender<usize>,
}

impl Balancer {
    async fn before(gateways: &[&Gateway]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (choices, choice) = watch::channel(0);
        let chosen = Arc::new(AtomicUsize::new(0));
        let addresses: Vec<_> = gateways.iter().map(|gateway| gateway.https).collect();
        let current = Arc::clone(&chosen);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (to, mut choice) = (addresses[current.load(Relaxed)], choice.clone());
                choice.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut node) = TcpStream::connect(to).await else {
                        return;
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut node) => {}
                        _ = choice.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            chosen,
            choices,
        }
    }

    fn choose(&self, number: usize) {
        self.chosen.store(number, Relaxed);
        self.choices.send_replace(number);
    }
}

fn node(app: &App) -> Builder {
    Gateway::to(&app.url())
        .hosts(&[HOST])
        .site(SITE)
        .env("SEALWAX_SECRET", &keys())
}

#[test]
fn two_gateways_with_the_same_keys_are_one() {
    run(120, async {
        let app = Django::new(Version::Lts).start().await;
        let nodes = [node(&app).start().await, node(&app).start().await];
        let balancer = Balancer::before(&[&nodes[0], &nodes[1]]).await;
        let roots = [nodes[0].root(), nodes[1].root()];
        let browser = Chromium::with_bound_sessions(&[&roots[0], &roots[1]], "").await;
        let [gateway, other] = nodes;
        let scene = Scene::of(app, gateway, browser, Some(balancer.address)).await;

        // The page on one, the registration or the login perhaps on the other.
        assert_eq!(scene.goto("/admin/").await, 200);
        balancer.choose(1);
        scene.log_in("/admin/").await;
        for number in [0, 1, 1, 0] {
            balancer.choose(number);
            scene.is_still_alice(&format!("the way to {number}")).await;
            scene.is_bound(&format!("the way to {number}")).await;
        }
        // A fresh proof that one node has asked for and the other gets.
        scene.goto("/admin/password_change/").await;
        scene
            .page
            .wait_for("document.querySelector('#id_old_password')")
            .await;
        balancer.choose(1);
        scene.goto("/admin/password_change/").await;
        scene
            .page
            .wait_for("document.querySelector('#id_old_password')")
            .await;
        for (gateway, name) in [(&scene.gateway, "first"), (&other, "second")] {
            assert!(
                gateway.log().contains("/.sealwax/bind/refresh"),
                "the {name} has seen refreshes"
            );
        }
        // One of them is gone for good.
        balancer.choose(0);
        drop(other);
        scene.is_still_alice("the end of the other").await;
    });
}

#[test]
fn a_browser_whose_clock_is_wrong_is_bound_like_any_other() {
    run(180, async {
        assert!(Path::new(FAKETIME).exists(), "Debian's faketime is missing");
        // Seen from the gateway it is the browser's clock that is wrong.
        for shift in ["-2d", "+20m"] {
            println!("the gateway's clock: {shift}");
            let app = Django::new(Version::Lts).start().await;
            let gateway = node(&app)
                .env("LD_PRELOAD", FAKETIME)
                .env("FAKETIME", shift)
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .start()
                .await;
            let browser = Chromium::with_bound_sessions(&[&gateway.root()], "").await;
            let scene = Scene::of(app, gateway, browser, None).await;
            scene.log_in("/admin/").await;
            scene.is_still_alice("the login").await;
            scene.is_bound("the login").await;
            // By the cookie's own end, which browsers tell by their clock.
            for _ in 0..2 {
                scene.outlive().await;
                assert_eq!(scene.user_by_page(&scene.page).await, "alice");
                scene.outlive().await;
                assert_eq!(scene.users_by_fetch(&scene.page, 3).await, ["alice"; 3]);
            }
        }
    });
}
