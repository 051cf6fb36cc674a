//! `sealwax serve`: ready line, signals, reload.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use rustix::process::Signal;

use crate::support::{ANY_PORT, Home, app};

fn config(app: u16, more: &str) -> String {
    format!(
        "environment = \"development\"\n[listen]\nhttp = \"127.0.0.1:0\"\nhttps = \"127.0.0.1:0\"\n\
         [[site]]\nhosts = [\"localhost\"]\nto = \"http://127.0.0.1:{app}\"\n{more}\n"
    )
}

#[test]
fn one_line_names_each_address_and_sigterm_ends_with_0() {
    let home = Home::new();
    let to = format!("http://127.0.0.1:{}", app());
    let mut running = home.start(&[&["serve", "--to", &to][..], &ANY_PORT].concat());
    let (http, https) = (running.port("http"), running.port("https"));
    assert_eq!(
        running.wait_for("ready"),
        format!("sealwax: ready: http://127.0.0.1:{http} https://127.0.0.1:{https}")
    );
    let answer = home.curl(&["-i", &format!("https://localhost:{https}/")]);
    assert!(
        answer
            .out
            .contains("__Host-sessionid=abc; Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{answer:?}"
    );
    let redirect = home.curl(&["-i", &format!("http://localhost:{http}/a?b")]);
    assert!(
        redirect
            .out
            .contains(&format!("location: https://localhost:{https}/a?b\r\n")),
        "{redirect:?}"
    );
    assert_eq!(running.stop().code(), Some(0));
}

#[test]
fn sigint_ends_with_0_too() {
    let home = Home::new();
    let mut running =
        home.start(&[&["serve", "--to", "http://127.0.0.1:9"][..], &ANY_PORT].concat());
    running.signal(Signal::INT);
    assert_eq!(running.wait().code(), Some(0));
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_in_flight() {
    let home = Home::new();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = format!("http://{}", silent.local_addr().unwrap());
    let mut running = home.start(&[&["serve", "--to", &to][..], &ANY_PORT].concat());
    let url = format!("https://localhost:{}/", running.port("https"));
    let client = std::thread::spawn({
        let root = home.root();
        move || {
            Command::new("curl")
                .args(["--silent", "--cacert", &root, &url])
                .status()
        }
    });
    // Accepted and never answered: the request is in flight now.
    let _held = silent.accept().unwrap();
    running.signal(Signal::TERM);
    running.wait_for("what is in flight is finished first");
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(0));
    running.wait_for("second signal: ending at once");
    assert!(!client.join().unwrap().unwrap().success());
}

#[test]
fn logs_are_json_without_a_terminal() {
    let home = Home::new();
    let to = format!("http://127.0.0.1:{}", app());
    let running = home.start(&[&["serve", "--to", &to][..], &ANY_PORT].concat());
    home.curl(&[&format!(
        "https://localhost:{}/logged",
        running.port("https")
    )]);
    let line: serde_json::Value = serde_json::from_str(&running.wait_for("/logged")).unwrap();
    assert_eq!(
        (&line["target"], &line["status"]),
        (&"sealwax::access".into(), &200.into())
    );
}

#[test]
fn the_access_log_can_be_left_out() {
    let home = Home::new();
    let to = format!("http://127.0.0.1:{}", app());
    let mut command = home.sealwax(&[&["serve", "--to", &to][..], &ANY_PORT].concat());
    command.env("SEALWAX_LOG", "info,sealwax::access=off");
    let mut running = crate::support::Running::spawn(command);
    home.curl(&[&format!(
        "https://localhost:{}/logged",
        running.port("https")
    )]);
    running.stop();
    assert!(!running.said().contains("/logged"), "{}", running.said());
}

#[test]
fn a_reload_applies_and_a_broken_one_changes_nothing() {
    let home = Home::new();
    let app = app();
    let file = home.write("sealwax.toml", &config(app, ""));
    let running = home.start(&["serve", "--config", "sealwax.toml"]);
    let url = format!("https://localhost:{}/", running.port("https"));
    let frame_options = |home: &Home| {
        let answer = home.curl(&["-i", &url]).out;
        answer
            .lines()
            .find_map(|line| line.strip_prefix("x-frame-options: ").map(str::to_owned))
    };
    assert_eq!(frame_options(&home).as_deref(), Some("SAMEORIGIN"));

    fs::write(&file, config(app, "[site.headers]\npreset = \"django\"")).unwrap();
    running.signal(Signal::HUP);
    running.wait_for("configuration reloaded");
    assert_eq!(frame_options(&home).as_deref(), Some("DENY"));

    fs::write(&file, config(app, "[site.headers]\npreset = \"nonsense\"")).unwrap();
    running.signal(Signal::HUP);
    running.wait_for("the old one goes on");
    assert!(
        running.said().contains("sealwax.toml:9:10"),
        "{}",
        running.said()
    );
    assert_eq!(frame_options(&home).as_deref(), Some("DENY"));

    fs::remove_file(&file).unwrap();
    running.signal(Signal::HUP);
    running.wait_for("the configuration file cannot be read");
    assert_eq!(frame_options(&home).as_deref(), Some("DENY"));
}

#[test]
fn a_taken_port_is_said_with_the_mend_and_ends_with_2() {
    let home = Home::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let finished = home.finish(&[
        "serve",
        "--to",
        "http://127.0.0.1:9",
        "--http",
        "127.0.0.1:0",
        "--https",
        &address,
    ]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished.err.contains(&format!("--https {address}")),
        "{}",
        finished.err
    );
    assert!(finished.err.contains("in use"), "{}", finished.err);
}

#[test]
fn a_missing_certificate_is_reported_at_its_line_and_ends_with_64() {
    let home = Home::new();
    let text = "[listen]\nhttps = \"127.0.0.1:0\"\n[[site]]\nhosts = [\"app.example.com\"]\nto = \"http://127.0.0.1:9\"\n\
                tls = { cert = \"no.pem\", key = \"no-key.pem\" }\n";
    home.write("sealwax.toml", text);
    let finished = home.finish(&["serve", "--config", "sealwax.toml"]);
    assert_eq!(finished.code, Some(64), "{finished:?}");
    assert!(finished.err.contains("sealwax.toml:6:"), "{}", finished.err);
    assert!(finished.err.contains("no.pem"), "{}", finished.err);
}
