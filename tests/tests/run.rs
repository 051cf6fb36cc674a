//! `sealwax run`: the development server with HTTPS in front, as one command.

use std::time::Duration;

use rustix::process::Signal;
use sealwax_tests::{Chromium, Django, Gateway, Version, run, sealwax, wait_until};
use tempfile::TempDir;

const LISTEN: [&str; 4] = ["--http", "127.0.0.1:HTTP", "--https", "127.0.0.1:HTTPS"];

#[test]
fn runserver_has_https_at_its_directorys_name() {
    run(120, async {
        let parent = TempDir::new().unwrap();
        let django = Django::new(Version::Lts).setting("DEBUG", true);
        let mut environment = django.environment(parent.path());
        environment.push(("PYTHONUNBUFFERED".into(), "1".into()));
        let python = django.python().display().to_string();
        let manage = Django::directory().join("manage.py").display().to_string();
        let mut arguments = vec!["run"];
        arguments.extend(LISTEN);
        arguments.extend(["--", &python, &manage, "runserver", "{port}"]);
        let mut gateway = Gateway::typed(
            TempDir::with_prefix("shop").unwrap(),
            &arguments,
            &environment,
        )
        .await;
        let name = gateway
            .home
            .path()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_lowercase();
        let host = format!(
            "{}.localhost",
            name.trim_matches('.').replace(['.', '_'], "-")
        );

        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        assert_eq!(page.goto(&gateway.url(&host, "/login/")).await, 200);
        assert_eq!(page.security_state().await, "secure");
        page.fill("#id_username", "alice").await;
        page.fill("#id_password", "correct-horse").await;
        assert_eq!(page.click_through("#submit").await, 200);
        assert_eq!(page.text("#user").await, "alice");
        assert!(browser.cookie("__Host-sessionid").await.http_only);

        // SIGTERM ends all of it.
        let children = gateway.process.descendants();
        assert!(!children.is_empty());
        gateway.process.signal(Signal::TERM);
        gateway.process.wait(20).await;
        let alive = || {
            let alive = children.iter().filter(|id| {
                std::fs::read_to_string(format!("/proc/{id}/stat"))
                    .is_ok_and(|stat| !stat.contains(") Z "))
            });
            (alive.count() == 0).then_some(())
        };
        wait_until("the children to end", 10, alive).await;
    });
}

/// Runs a shell script as the app.
fn shell(script: &str) -> sealwax_tests::Finished {
    let home = TempDir::new().unwrap();
    let (http, https) = (
        format!("127.0.0.1:{}", sealwax_tests::free_port()),
        format!("127.0.0.1:{}", sealwax_tests::free_port()),
    );
    sealwax(
        home.path(),
        &[
            "run", "--http", &http, "--https", &https, "--", "sh", "-c", script,
        ],
        &[],
    )
}

#[test]
fn the_apps_exit_code_is_ours() {
    for code in [0, 1, 7, 130] {
        let finished = shell(&format!("exit {code}"));
        assert_eq!(finished.code, code, "{finished:?}");
    }
    let killed = shell("kill -9 $$");
    assert_eq!(killed.code, 128 + 9, "{killed:?}");
}

#[test]
fn the_exit_code_holds_after_the_app_has_served() {
    let finished = shell(
        "python3 -c 'import http.server, os, threading
server = http.server.HTTPServer((\"127.0.0.1\", int(os.environ[\"PORT\"])), http.server.BaseHTTPRequestHandler)
threading.Timer(1.5, server.shutdown).start()
server.serve_forever()'; exit 9",
    );
    assert_eq!(finished.code, 9, "{finished:?}");
}

#[test]
fn a_command_that_is_not_there_is_a_clear_error() {
    let home = TempDir::new().unwrap();
    let finished = sealwax(home.path(), &["run", "--", "/nonexistent/command"], &[]);
    assert!(
        finished.code != 0 && finished.err.contains("/nonexistent/command"),
        "{finished:?}"
    );
    assert!(!finished.err.contains("panicked"));
    assert_eq!(sealwax(home.path(), &["run"], &[]).code, 64);
}

#[test]
fn the_child_trusts_the_local_authority_and_knows_its_port() {
    let finished = shell(
        "echo PORT=$PORT; for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE REQUESTS_CA_BUNDLE; do
           eval file=\\$$name; test -s \"$file\" && openssl x509 -in \"$file\" -noout >/dev/null && echo $name=ok; done",
    );
    let said = format!("{}{}", finished.out, finished.err);
    for wanted in [
        "PORT=",
        "NODE_EXTRA_CA_CERTS=ok",
        "SSL_CERT_FILE=ok",
        "REQUESTS_CA_BUNDLE=ok",
    ] {
        assert!(said.contains(wanted), "no {wanted} in\n{said}");
    }
    let port = said
        .split_once("PORT=")
        .unwrap()
        .1
        .lines()
        .next()
        .unwrap()
        .to_owned();
    assert!(port.parse::<u16>().is_ok(), "PORT={port}");
}

#[test]
fn signals_are_passed_on() {
    run(60, async {
        let script = "trap 'echo got INT; exit 3' INT; trap 'echo got TERM; exit 4' TERM
            python3 -m http.server --bind 127.0.0.1 $PORT >/dev/null 2>&1 & server=$!
            trap 'kill $server' EXIT
            while :; do sleep 0.1; done";
        for (signal, code, word) in [(Signal::INT, 3, "got INT"), (Signal::TERM, 4, "got TERM")] {
            let mut arguments = vec!["run"];
            arguments.extend(LISTEN);
            arguments.extend(["--", "sh", "-c", script]);
            let mut gateway =
                Gateway::typed(TempDir::with_prefix("app").unwrap(), &arguments, &[]).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            gateway.process.signal(signal);
            let status = gateway.process.wait(20).await;
            assert!(gateway.log().contains(word), "{}", gateway.log());
            assert_eq!(status.code(), Some(code), "{}", gateway.log());
        }
    });
}
