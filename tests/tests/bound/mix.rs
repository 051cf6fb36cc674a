//! Everything that happens to a session, in an order that a seed decides.

use sealwax_tests::run;

use super::scene::Scene;

/// xorshift64*, so that a seed says all.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

async fn step(scene: &Scene, dice: &mut Dice) -> &'static str {
    let page = &scene.page;
    match dice.below(9) {
        0 => {
            assert_eq!(scene.user_by_page(page).await, "alice");
            "a page"
        }
        1 => {
            assert_eq!(scene.users_by_fetch(page, 5).await, ["alice"; 5]);
            "scripts"
        }
        2 => {
            scene.expire().await;
            "an expired proof"
        }
        3 => {
            let other = scene.browser.page().await;
            let both = tokio::join!(scene.user_by_page(page), scene.user_by_page(&other));
            assert_eq!((both.0.as_str(), both.1.as_str()), ("alice", "alice"));
            "another tab"
        }
        4 => {
            scene.reload().await;
            "a reload of the gateway"
        }
        5 => {
            scene.goto("/admin/password_change/").await;
            page.wait_for("document.querySelector('#id_old_password')")
                .await;
            "a fresh proof"
        }
        6 => {
            scene.log_out().await;
            scene.log_in("/admin/").await;
            "a log-out and a login"
        }
        7 => {
            // Left before they have answered.
            page.start("for (const _ of [1, 2, 3]) fetch('/whoami/?as=left')")
                .await;
            assert_eq!(scene.user_by_page(page).await, "alice");
            "requests that are left"
        }
        _ => {
            let pause = std::time::Duration::from_millis(dice.below(1500));
            tokio::time::sleep(pause).await;
            "a pause"
        }
    }
}

#[test]
fn in_any_order_nobody_is_logged_out() {
    let runs = match std::env::var_os("SEALWAX_LONG") {
        Some(_) => 200,
        None => 20,
    };
    run(60 + runs * 10, async {
        let scene = Scene::new().await;
        scene.log_in("/admin/").await;
        for number in 0..runs {
            let seed = 0x5ea1_0000 + number;
            println!("seed {seed:#x}");
            // Ten times in all: sixteen keys are kept, and the session is sealed by the first.
            if number % (runs / 10) == 0 {
                let rotated = scene.gateway.cli(&["secret", "rotate"]);
                assert_eq!(rotated.code, 0, "{rotated:?}");
            }
            let mut dice = Dice(seed);
            for _ in 0..6 {
                println!("  {}", step(&scene, &mut dice).await);
            }
            assert_eq!(scene.user_by_page(&scene.page).await, "alice");
        }
    });
}
