//! `sealwax explain`: what would be done to a message, and why.

use sealwax_tests::sealwax;
use serde_json::Value;
use tempfile::TempDir;

fn explain(arguments: &[&str]) -> sealwax_tests::Finished {
    let home = TempDir::new().unwrap();
    let mut all = vec!["explain"];
    all.extend(arguments);
    sealwax(home.path(), &all, &[])
}

#[test]
fn a_sloppy_cookie_is_shown_before_and_after_with_reasons() {
    let finished = explain(&[
        "GET",
        "https://localhost:8443/",
        "--status",
        "200",
        "--response-header",
        "Set-Cookie: sessionid=abc; Path=/",
    ]);
    assert_eq!(finished.code, 0, "{finished:?}");
    for wanted in [
        "sessionid=abc; Path=/",
        "__Host-sessionid=abc",
        "cookie.secure",
        "cookie.http-only",
        "cookie.same-site",
        "cookie.prefix",
        "6265bis",
    ] {
        assert!(
            finished.out.contains(wanted),
            "no {wanted} in\n{}",
            finished.out
        );
    }
}

#[test]
fn a_spoofed_header_and_a_tossed_cookie_are_shown_as_dropped() {
    let finished = explain(&[
        "GET",
        "https://localhost:8443/",
        "-H",
        "X-Forwarded-For: 6.6.6.6",
        "-H",
        "Cookie: sessionid=evil; theme=dark",
    ]);
    assert_eq!(finished.code, 0, "{finished:?}");
    for wanted in ["6.6.6.6", "sessionid", "theme=dark"] {
        assert!(
            finished.out.contains(wanted),
            "no {wanted} in\n{}",
            finished.out
        );
    }
}

#[test]
fn plain_http_is_shown_as_a_redirect() {
    let finished = explain(&["GET", "http://localhost:8080/a?b"]);
    assert_eq!(finished.code, 0, "{finished:?}");
    assert!(
        finished.out.contains("307") && finished.out.contains("https://localhost:8443/a?b"),
        "{}",
        finished.out
    );
}

#[test]
fn an_unknown_host_is_shown_as_refused() {
    let home = TempDir::new().unwrap();
    let config = "[listen]\nhttp = \"127.0.0.1:8080\"\nhttps = \"127.0.0.1:8443\"\n
        [[site]]\nhosts = [\"good.test\"]\nto = [\"http://127.0.0.1:9\"]\ntls = \"local\"\n";
    std::fs::write(home.path().join("sealwax.toml"), config).unwrap();
    let explain = |url: &str| {
        sealwax(
            home.path(),
            &["explain", "GET", url, "--config", "sealwax.toml"],
            &[],
        )
    };
    let refused = explain("https://evil.test/");
    assert!(refused.out.contains("421"), "{refused:?}");
    let served = explain("https://good.test/");
    assert!(
        !served.out.contains("421") && served.out.contains("X-Forwarded-Proto"),
        "{served:?}"
    );
}

#[test]
fn json_is_for_machines() {
    let finished = explain(&[
        "GET",
        "https://localhost:8443/",
        "--status",
        "200",
        "--response-header",
        "Set-Cookie: a=1",
        "--json",
    ]);
    assert_eq!(finished.code, 0, "{finished:?}");
    let value: Value = serde_json::from_str(&finished.out)
        .unwrap_or_else(|error| panic!("{error}: {}", finished.out));
    let text = value.to_string();
    assert!(
        text.contains("cookie.secure") && text.contains("cookie.same-site"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_explained_is_bad_usage() {
    for arguments in [
        &[][..],
        &["GET"],
        &["GET", "not a url"],
        &["GET", "ftp://localhost/"],
        &["G T", "https://localhost/"],
        &["GET", "https://localhost/", "-H", "no colon"],
        &["GET", "https://localhost/", "--status", "99999"],
    ] {
        let finished = explain(arguments);
        assert_eq!(finished.code, 64, "{arguments:?}: {finished:?}");
        assert!(
            !finished.err.contains("panicked"),
            "{arguments:?}: {finished:?}"
        );
    }
}

#[test]
fn with_the_keys_of_the_gateway_cookies_are_sealed_and_thieves_are_named() {
    let home = TempDir::new().unwrap();
    let site = "[[site]]\nhosts = [\"localhost\"]\nto = [\"http://127.0.0.1:9\"]\n\
                [site.cookies]\nseal = [\"sid\"]\n";
    std::fs::write(home.path().join("sealwax.toml"), site).unwrap();
    let explain = |extra: &[&str]| {
        let mut all = vec!["explain", "--config", "sealwax.toml"];
        all.extend(["GET", "https://localhost:8443/", "--status", "200"]);
        all.extend(extra);
        let finished = sealwax(home.path(), &all, &[]);
        assert_eq!(finished.code, 0, "{finished:?}");
        finished.out
    };
    let without = explain(&[]);
    assert!(
        without.contains("keys: none, so nothing is sealed"),
        "{without}"
    );
    assert_eq!(sealwax(home.path(), &["secret", "new"], &[]).code, 0);
    let sealed = explain(&["--response-header", "Set-Cookie: sid=hush", "--json"]);
    let sealed: Value = serde_json::from_str(&sealed).unwrap();
    let text = sealed.to_string();
    let (_, rest) = text.split_once("__Host-sid=").expect("a sealed cookie");
    let value: String = rest.chars().take_while(|char| *char != ';').collect();
    assert!(value.len() > 60, "{value}");

    let opened = explain(&["-H", &format!("Cookie: __Host-sid={value}")]);
    assert!(opened.contains("Cookie: sid=hush"), "{opened}");
    assert!(!opened.contains("a sign of theft"), "{opened}");
    let forged = format!("Cookie: __Host-sid={}AA", &value[..value.len() - 2]);
    let forged = explain(&["-H", &forged]);
    assert!(forged.contains("a sign of theft"), "{forged}");
    assert!(
        forged.contains("seal.forged") && !forged.contains("hush"),
        "{forged}"
    );
}
