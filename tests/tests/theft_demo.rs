//! `sealwax demo --theft` in Chromium: the victim, the thief's desk, and who is whom over time.

use std::process::Command;

use sealwax_tests::{Chromium, Page, Process, binary, run};
use tempfile::TempDir;

struct Demo {
    browser: Chromium,
    victim: Page,
    shop: String,
    _process: Process,
    _home: TempDir,
}

impl Demo {
    async fn start(binding: bool) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        let mut command = Command::new(binary());
        command
            .args(["demo", "--theft"])
            .env("SEALWAX_HOME", home.path());
        let mut process = Process::start("demo", &mut command);
        let line = process
            .wait_for_line("its address", 20, |line| line.contains("sealwax: open: "))
            .await;
        let shop = line
            .split_once("open: ")
            .expect("an address")
            .1
            .trim()
            .to_owned();
        let root = home.path().join("ca/root.pem");
        let browser = match binding {
            true => Chromium::with_bound_sessions(&[&root], "").await,
            false => Chromium::start(&[&root], "").await,
        };
        let victim = browser.page().await;
        Self {
            browser,
            victim,
            shop,
            _process: process,
            _home: home,
        }
    }

    /// Signs in, and takes the cookies to the thief in another tab.
    async fn stolen(&self) -> Page {
        assert_eq!(self.victim.goto(&self.shop).await, 200);
        assert_eq!(self.victim.click_through("button.main").await, 200);
        assert_eq!(self.victim.text("#user").await, "Ada");
        let desk = self
            .victim
            .eval("document.querySelector('#copy').form.action")
            .await;
        let desk = desk.as_str().expect("a URL").to_owned();
        // The button opens a tab of its own; this one does the same.
        self.victim
            .start("document.querySelector('#copy').form.target = '_self'; document.querySelector('#copy').click()")
            .await;
        self.victim
            .wait_for("document.querySelector('#ordinary .big')?.innerText == 'Ada'")
            .await;
        let page = self.browser.page().await;
        page.goto(&desk).await;
        assert_eq!(self.victim.goto(&self.shop).await, 200);
        page
    }
}

fn shows(pane: &str, who: &str) -> String {
    format!("document.querySelector('#{pane} .big')?.innerText == '{who}'")
}

#[test]
fn the_thief_is_the_user_with_one_cookie_and_soon_nobody_with_the_other() {
    run(120, async {
        let demo = Demo::start(true).await;
        let desk = demo.stolen().await;
        desk.wait_for(&shows("bound", "Ada")).await;
        // In the end, and for good: each of the last tries says the same.
        let over = shows("bound", "nobody");
        for _ in 0..3 {
            desk.wait_for_up_to(40, &over).await;
        }
        let state = desk.eval("fetch('/state').then((a) => a.json())").await;
        assert_eq!(state["proof"], true);
        let tries = state["tries"].as_array().expect("tries");
        assert!(tries.iter().all(|one| one["ordinary"] == true), "{state:#}");
        assert!(
            tries.iter().all(|one| one["ordinary_transfer"] == true),
            "{state:#}"
        );
        assert!(tries.iter().all(|one| one["alone"] == false), "{state:#}");
        assert!(
            tries.iter().all(|one| one["bound_transfer"] == false),
            "{state:#}"
        );
        let first_nobody = tries
            .iter()
            .position(|one| one["bound"] == false)
            .expect("an end");
        assert!(first_nobody > 0, "{state:#}");
        assert!(
            tries[first_nobody..]
                .iter()
                .all(|one| one["bound"] == false),
            "{state:#}"
        );

        // The victim never noticed, and moves money where the thief could not.
        assert_eq!(demo.victim.goto(&demo.shop).await, 200);
        assert_eq!(demo.victim.text("#user").await, "Ada");
        assert_eq!(demo.victim.text("#balance").await, "1000");
        demo.victim.click("#transfer").await;
        demo.victim
            .wait_for("document.querySelector('#balance')?.innerText == '990'")
            .await;
    });
}

#[test]
fn a_browser_that_binds_nothing_is_told_so() {
    run(90, async {
        let demo = Demo::start(false).await;
        let desk = demo.stolen().await;
        desk.wait_for("!document.querySelector('#notice').hidden")
            .await;
        desk.wait_for(&shows("bound", "Ada")).await;
        assert!(
            desk.text("#notice")
                .await
                .contains("--enable-features=DeviceBoundSessions")
        );
        let pane = desk.text("#bound").await;
        assert!(
            pane.contains("could not be bound") && pane.contains("nothing ends it"),
            "{pane}"
        );
        assert!(!pane.contains("proof"), "{pane}");
    });
}
