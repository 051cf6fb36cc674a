//! The examples, started as their READMEs say, in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use sealwax_tests::{
    Chromium, Django, Page, Postgres, Process, Version, Visitor, binary, built, free_port, run,
    sealwax,
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn examples() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    workspace.expect("the workspace").join("examples")
}

fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The notes, running in a directory of their own.
struct Notes {
    process: Process,
    port: u16,
    directory: TempDir,
}

impl Notes {
    async fn start(environment: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        Self::start_in(directory, environment).await
    }

    async fn start_in(directory: TempDir, environment: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut command = Command::new(built("sealwax-example-notes", "sealwax-example-notes"));
        command
            .env_clear()
            .env("LISTEN", format!("127.0.0.1:{port}"))
            .envs(environment.iter().copied())
            .current_dir(directory.path());
        let mut process = Process::start("notes", &mut command);
        process
            .wait_for_line("its address", 20, |line| line.contains("http://localhost"))
            .await;
        Self {
            process,
            port,
            directory,
        }
    }
}

#[test]
fn the_notes_work_in_a_browser_with_and_without_their_script() {
    run(120, async {
        let notes = Notes::start(&[]).await;
        let browser = Chromium::start(&[], "").await;
        let page = browser.page().await;
        let url = format!("http://localhost:{}/", notes.port);
        assert_eq!(page.goto(&url).await, 200);
        page.screenshot(&picture("notes-visitor.png")).await;
        log_in(&page, "wrong").await;
        assert_eq!(page.text(".message.error").await, "Wrong name or password.");
        log_in(&page, "correct-horse").await;
        assert_eq!(page.text(".message.success").await, "Welcome, alice.");

        // Through the script and the JSON API.
        page.fill("textarea", "<script>alert(1)</script> & \"milk\"")
            .await;
        assert_eq!(page.click_through("#add button").await, 200);
        assert_eq!(
            page.text("li.note").await,
            "<script>alert(1)</script> & \"milk\""
        );
        // As a form, as it is sent where no script runs.
        page.eval("document.querySelector('textarea').value = 'bread'")
            .await;
        let sent = page.start("document.querySelector('#add').submit()");
        assert_eq!(page.navigating(sent).await, 200);
        assert_eq!(page.text(".message.success").await, "Kept.");
        assert_eq!(page.text("li.note").await, "bread");
        page.screenshot(&picture("notes-member.png")).await;
        let listed = page
            .eval("fetch('/api/notes').then((answer) => answer.json())")
            .await;
        assert_eq!(
            listed,
            json!(["<script>alert(1)</script> & \"milk\"", "bread"])
        );

        // A script without the nonce does not run.
        page.eval("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')").await;
        page.eval("(() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s) })()").await;
        assert_eq!(page.eval("window.ran ?? null").await, Value::Null);

        assert_eq!(page.click_through("header button").await, 200);
        assert!(page.body().await.contains("You are logged out"));
        let status = page
            .eval("fetch('/api/notes').then((answer) => answer.status)")
            .await;
        assert_eq!(status, 403);
        for seen in page.set_cookies() {
            assert!(seen.blocked.is_empty(), "Chromium refused {seen:?}");
        }
    });
}

async fn log_in(page: &Page, password: &str) {
    page.fill("[name=username]", "alice").await;
    page.fill("[name=password]", password).await;
    assert_eq!(page.click_through("button").await, 200);
}

#[test]
fn the_notes_keep_a_login_over_a_restart_with_a_key() {
    run(60, async {
        let key = [
            ("SEALWAX_ENV", "development"),
            (
                "SECRET_KEY",
                "an example of fifty characters, which nobody guesses!",
            ),
        ];
        let notes = Notes::start(&key).await;
        let mut visitor = Visitor::of("localhost");
        let fields = [("username", "alice"), ("password", "correct-horse")];
        assert_eq!(
            visitor.form(notes.port, "/login", &fields).await.status,
            303
        );
        let kept = visitor
            .json(notes.port, "/api/notes", &json!({"text": "milk"}))
            .await;
        assert_eq!(kept.status, 201);
        let Notes {
            process, directory, ..
        } = notes;
        drop(process);
        let again = Notes::start_in(directory, &key).await;
        let listed = visitor.get(again.port, "/api/notes").await;
        assert_eq!(listed.json(), json!(["milk"]));
        // What the README says of attacks.
        for (next, leads_to) in [
            ("/api/notes", "/api/notes"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
        ] {
            let fields = [fields[0], fields[1], ("next", next)];
            let sent = visitor.form(again.port, "/login", &fields).await;
            assert_eq!(sent.header("location"), leads_to, "{next}");
        }
        let mut stranger = Visitor::of("localhost").with_old_browser();
        assert_eq!(stranger.form(again.port, "/logout", &[]).await.status, 403);
        let elsewhere = Visitor::of("evil.example").get(again.port, "/").await;
        assert_eq!(elsewhere.status, 400);
    });
}

/// `./run` of examples/django-and-axum, on free ports and with its state elsewhere.
struct Site {
    browser: Chromium,
    page: Page,
    url: String,
    // Ended before its files go.
    _process: Process,
    _state: TempDir,
}

impl Site {
    async fn start(django: &Django, database: Option<&str>) -> Self {
        let state = TempDir::new().expect("a temporary directory");
        let example = examples().join("django-and-axum");
        let [http, https, front, api] = [(); 4].map(|()| free_port());
        let config = std::fs::read_to_string(example.join("sealwax.toml")).expect("its settings");
        let mut changed = config.clone();
        for (port, free) in [
            ("8080", http),
            ("8443", https),
            ("8000", front),
            ("3000", api),
        ] {
            let with = |port: &str| format!("127.0.0.1:{port}\"");
            assert!(config.contains(&with(port)), "no port {port} in {config}");
            changed = changed.replace(&with(port), &with(&free.to_string()));
        }
        let config = state.path().join("sealwax.toml");
        std::fs::write(&config, changed).expect("settings on disk");
        let bin = binary();
        let api_program = built("sealwax-example-api", "sealwax-example-api");
        let programs = state.path().join("bin");
        std::fs::create_dir(&programs).expect("a directory");
        for program in [&bin, &api_program] {
            let name = program.file_name().expect("its name");
            std::os::unix::fs::symlink(program, programs.join(name)).expect("a link");
        }
        let mut command = Command::new(example.join("run"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", state.path())
            .env("SEALWAX_HOME", state.path().join("sealwax"))
            .env("STATE", state.path())
            .env("CONFIG", &config)
            .env("PYTHON", django.python())
            .env("BIN", &programs)
            .env("DJANGO_PORT", front.to_string())
            .env("API_PORT", api.to_string())
            .envs(database.map(|url| ("DATABASE_URL", url)));
        let mut process = Process::start("run", &mut command);
        for (what, word, port) in [
            ("the gateway's address", "ready", https),
            ("axum's address", "listening", api),
            ("Django's address", "server at", front),
        ] {
            let address = format!(":{port}");
            let said = |line: &str| line.contains(word) && line.contains(&address);
            process.wait_for_line(what, 60, said).await;
        }
        let trust = sealwax(state.path(), &["trust", "path"], &[]);
        let browser = Chromium::start(&[Path::new(trust.out.trim())], "").await;
        let page = browser.page().await;
        Self {
            browser,
            page,
            url: format!("https://localhost:{https}"),
            _process: process,
            _state: state,
        }
    }

    async fn goto(&self, path: &str) -> u16 {
        self.page.goto(&format!("{}{path}", self.url)).await
    }

    /// What the start page says of either side.
    async fn both_say(&self, name: &str) {
        assert_eq!(self.goto("/").await, 200);
        assert_eq!(self.page.text("#django").await, name);
        // The script asks axum after the page has loaded.
        let asked = self
            .page
            .eval("fetch('/api/me').then((answer) => answer.json())")
            .await;
        assert_eq!(asked["username"].as_str().unwrap_or("nobody"), name);
    }

    async fn admin_asks_for_a_password(&self) -> bool {
        assert_eq!(self.goto("/admin/").await, 200);
        let body = self.page.body().await;
        let asks = body.contains("Password:");
        assert_ne!(asks, body.contains("Site administration"), "{body}");
        asks
    }
}

async fn django_and_axum(django: Django, database: Option<&str>, pictures: bool) {
    let site = Site::start(&django, database).await;
    let page = &site.page;
    site.both_say("nobody").await;
    if pictures {
        page.screenshot(&picture("django-and-axum-visitor.png"))
            .await;
    }
    assert!(site.admin_asks_for_a_password().await);
    page.fill("#id_username", "alice").await;
    page.fill("#id_password", "correct-horse").await;
    assert_eq!(page.click_through("[type=submit]").await, 200);
    assert!(page.body().await.contains("Site administration"));
    assert_eq!(page.security_state().await, "secure");

    // axum knows who that is, behind the same host, by the same cookie.
    site.both_say("alice").await;
    let session = site.browser.cookie("__Host-sessionid").await;
    assert!(
        session.secure && session.http_only && session.same_site == "Lax",
        "{session:?}"
    );
    if pictures {
        page.screenshot(&picture("django-and-axum-member.png"))
            .await;
    }
    // Logged out there, by the form on Django's page with Django's token, which says so.
    assert_eq!(page.click_through("#logout").await, 200);
    assert_eq!(page.text(".message").await, "axum has logged you out.");
    assert!(!site.browser.has_cookie("__Host-sessionid").await);
    assert!(site.admin_asks_for_a_password().await);
    site.both_say("nobody").await;

    // The other way round.
    assert_eq!(page.click_through("#login").await, 200);
    assert_eq!(page.text(".message").await, "axum has logged in alice.");
    assert!(!site.admin_asks_for_a_password().await);
    assert_eq!(page.click_through("#logout-form button").await, 200);
    site.both_say("nobody").await;

    // Without a page of the site's own nobody logs in: from a script on it, as JSON, one does.
    let login = "fetch('/api/login', {method: 'POST', headers: {'content-type': 'application/json'}, \
        body: JSON.stringify({username: 'alice', password: 'correct-horse'})}).then((a) => a.json())";
    let me = page.eval(login).await;
    assert_eq!(me, json!({"username": "alice", "is_staff": true}));
    site.both_say("alice").await;
    for seen in page.set_cookies() {
        assert!(seen.blocked.is_empty(), "Chromium refused {seen:?}");
    }
}

#[test]
fn django_and_axum_share_a_login_in_a_browser_over_sqlite() {
    run(180, django_and_axum(Django::new(Version::Lts), None, true));
}

#[test]
fn django_and_axum_share_a_login_in_a_browser_over_postgresql() {
    let test = "django_and_axum_share_a_login_in_a_browser_over_postgresql";
    let Some(django) = Django::available(Version::Six, test) else {
        return;
    };
    run(180, async {
        let server = Postgres::start().await;
        django_and_axum(django, Some(&server.url()), false).await;
    });
}
