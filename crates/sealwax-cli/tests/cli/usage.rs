//! Help, exit codes and diagnostics.

use std::process::Stdio;

use crate::support::{Finished, Home};

#[test]
fn help_shows_the_commands_and_how_to_begin() {
    let help = Home::new().finish(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for line in [
        "  demo     ",
        "  serve    ",
        "  run      ",
        "  explain  ",
        "  trust    ",
        "Examples:",
        "sealwax demo ",
    ] {
        assert!(
            help.out.contains(line),
            "{line:?} is missing in\n{}",
            help.out
        );
    }
    assert!(
        !help.out.contains("audit"),
        "what is not there yet is not offered"
    );
}

#[test]
fn every_command_has_examples_or_notes() {
    for (command, text) in [
        ("serve", "SIGHUP"),
        ("run", "sealwax run -- python manage.py runserver {port}"),
        ("explain", "sealwax explain GET http://localhost:8080/"),
        ("demo", "--https <ADDR>"),
        ("trust", "install"),
    ] {
        let help = Home::new().finish(&[command, "--help"]);
        assert_eq!(help.code, Some(0), "{command}");
        assert!(help.out.contains(text), "{command}:\n{}", help.out);
    }
    let long = Home::new().finish(&["serve", "--help"]).out;
    assert!(
        long.contains("SEALWAX_SECURE_SSL_REDIRECT"),
        "the table of settings is in serve's help"
    );
}

#[test]
fn the_version_is_the_packages() {
    let version = Home::new().finish(&["--version"]);
    assert_eq!(
        version.out,
        format!("sealwax {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(version.code, Some(0));
}

#[test]
fn bad_usage_ends_with_64() {
    for args in [
        &[][..],
        &["nonsense"],
        &["serve", "--nonsense"],
        &["serve", "--cert", "only.pem"],
        &["run"],
        &["explain", "GET"],
        &["explain", "get", "https://a/"],
        &["explain", "GET", "a/b"],
        &["explain", "GET", "https://a/", "--status", "99"],
        &["explain", "GET", "https://a/", "-H", "no colon"],
        &["trust", "elsewhere"],
    ] {
        let finished = Home::new().finish(args);
        assert_eq!(finished.code, Some(64), "{args:?}: {finished:?}");
        assert!(
            !finished.err.is_empty() && finished.out.is_empty(),
            "{args:?}: {finished:?}"
        );
    }
}

#[test]
fn commands_of_later_versions_say_so() {
    for (command, rest) in [
        ("check", "--django"),
        ("audit", "https://example.com"),
        ("watch", "--help"),
    ] {
        let finished = Home::new().finish(&[command, rest]);
        let first = finished.err.lines().next().unwrap();
        assert_eq!(
            first,
            format!("error: sealwax {command} is not in this version yet")
        );
        assert_eq!(finished.code, Some(64));
    }
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_their_lines() {
    let home = Home::new();
    let file = "[listen]\nhttps = \"127.0.0.1:99999\"\n\n[[site]]\nhosts = [\"app.test\"]\nto = \"http://127.0.0.1:8000\"\nmod = \"report\"\n";
    home.write("sealwax.toml", file);
    let finished = home.finish(&["serve", "--config", "sealwax.toml"]);
    assert_eq!(finished.code, Some(64), "{finished:?}");
    for place in ["sealwax.toml:2:", "sealwax.toml:7:"] {
        assert!(
            finished.err.contains(place),
            "{place} is missing in\n{}",
            finished.err
        );
    }
    assert!(
        finished.err.contains("`mode`"),
        "the mend is missing in\n{}",
        finished.err
    );
    assert!(
        !finished.err.contains('\u{1b}'),
        "colour without a terminal"
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let home = Home::new();
    home.write("latin.toml", "x");
    std::fs::write(home.path().join("latin.toml"), b"environment = \"\xe9\"\n").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (
            &["serve", "--config", "missing.toml"],
            "error: the configuration file cannot be read: No such file or directory",
        ),
        (
            &["serve", "--config", "."],
            "the configuration file cannot be read",
        ),
        (&["serve", "--config", "latin.toml"], "not UTF-8"),
        (
            &["serve", "--config", "/dev/zero"],
            "a configuration has at most",
        ),
    ];
    for (args, text) in cases {
        let finished = home.finish(args);
        assert_eq!(finished.code, Some(64), "{finished:?}");
        assert!(
            finished.err.contains(text),
            "{text:?} is missing in\n{}",
            finished.err
        );
    }
}

#[test]
fn what_this_version_does_not_have_is_refused_by_name() {
    let finished = Home::new().finish(&["serve", "--to", "http://127.0.0.1:1", "--tls", "acme"]);
    assert_eq!(finished.code, Some(64));
    assert!(
        finished
            .err
            .contains("`tls = \"acme\"` is not in this version"),
        "{}",
        finished.err
    );
}

#[test]
fn variables_are_checked_like_flags() {
    let home = Home::new();
    let with = |name: &str, value: &str| {
        Finished::from(
            home.sealwax(&["serve", "--to", "http://127.0.0.1:1"])
                .env(name, value)
                .output()
                .unwrap(),
        )
    };
    for (name, value) in [
        ("SEALWAX_HOME", "relative"),
        ("SEALWAX_LOG", "=nonsense="),
        ("SEALWAX_LISTEN_HTTPS", "nowhere"),
        ("SEALWAX_SECURE_SSL_REDIRECTS", "false"),
    ] {
        let finished = with(name, value);
        assert_eq!(finished.code, Some(64), "{name}: {finished:?}");
        assert!(
            finished.err.contains(name),
            "{name} is missing in\n{}",
            finished.err
        );
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let home = Home::new();
    let mut child = home
        .sealwax(&["explain", "GET", "https://localhost:8443/"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let finished = Finished::from(child.wait_with_output().unwrap());
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
}
