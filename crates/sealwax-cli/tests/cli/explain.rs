//! `sealwax explain`: whole answers, word for word.

use serde_json::{Value, json};

use crate::support::Home;

fn explain(home: &Home, args: &[&str]) -> String {
    let finished = home.finish(&[&["explain"], args].concat());
    assert_eq!(
        (finished.code, finished.err.as_str()),
        (Some(0), ""),
        "{args:?}"
    );
    finished.out
}

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&explain(home, &[args, &["--json"]].concat())).unwrap()
}

const SITE: &str = "[listen]\nhttp = \"0.0.0.0:80\"\nhttps = \"0.0.0.0:443\"\n[[site]]\nhosts = [\"app.example.com\"]\n\
                    to = \"http://127.0.0.1:8000\"\ntls = { cert = \"c.pem\", key = \"k.pem\" }\n";

#[test]
fn cookies_out() {
    let out = explain(
        &Home::new(),
        &[
            "GET",
            "https://localhost:8443/login",
            "--response-header",
            "Set-Cookie: sessionid=abc; Path=/",
            "--response-header",
            "Set-Cookie: theme=dark; SameSite=Strict; Priority=High",
            "--response-header",
            "Content-Type: text/html",
        ],
    );
    let expected = "\
GET https://localhost:8443/login
  policy: the defaults, for localhost
  cookie names seen: none yet
  certificate: from the local authority

Request, from the client to the app
    GET /login HTTP/1.1
    Host: localhost:8443
  + X-Forwarded-Proto: https
  + X-Forwarded-Host: localhost:8443
  + X-Forwarded-Port: 8443
  + X-Forwarded-For: 203.0.113.7
  + X-Real-IP: 203.0.113.7
      forwarded.set  The app learns scheme, host and client from the gateway, which knows them (RFC 7239 §1).

Response, from the app to the client
    HTTP/1.1 200 OK
  - Set-Cookie: sessionid=abc; Path=/
  + Set-Cookie: __Host-sessionid=abc; Path=/; Secure; HttpOnly; SameSite=Lax
      cookie.secure  Without Secure the cookie travels over plain HTTP, where anyone on the path reads it (RFC 6265bis §5.6.5).
      cookie.http-only  Without HttpOnly a script injected into the page can read the cookie (RFC 6265bis §5.6.6).
      cookie.same-site  Without a valid SameSite at the floor or above it, other sites can make the browser send the cookie (RFC 6265bis §5.6.7).
      cookie.prefix  A name prefix keeps sibling hosts and plain HTTP from setting this cookie (RFC 6265bis §4.1.3).
  - Set-Cookie: theme=dark; SameSite=Strict; Priority=High
  + Set-Cookie: theme=dark; SameSite=Strict; Priority=High; Secure
      cookie.readable  note: Scripts can read this cookie; it could be hardened if no script needs it (RFC 6265bis §4.1.2.6).
      cookie.secure  as above
    Content-Type: text/html
  + X-Content-Type-Options: nosniff
      headers.nosniff  Browsers must not guess a type that the app did not declare (WHATWG Fetch, X-Content-Type-Options).
  + Referrer-Policy: strict-origin-when-cross-origin
      headers.referrer-policy  Full URLs of this site are not told to other sites (W3C Referrer Policy).
  + Cross-Origin-Opener-Policy: same-origin-allow-popups
      headers.cross-origin-opener-policy  Pages of other sites that open this one get no handle on its window (WHATWG HTML, Cross-origin opener policies).
  + X-Frame-Options: SAMEORIGIN
      headers.x-frame-options  Other sites cannot show this page in a frame to steal clicks (RFC 7034 §2.1).
  * hsts.withheld  `strict-transport-security`: HSTS is only sent for public names with a publicly trusted certificate (RFC 6797 §8.1.1).
";
    assert_eq!(out, expected);
}

#[test]
fn plain_http_is_redirected() {
    let out = explain(&Home::new(), &["GET", "http://localhost:8080/a?b=c"]);
    let request = out.split("\n\n").nth(1).unwrap();
    assert_eq!(
        request,
        "Request, from the client\n    GET /a?b=c HTTP/1.1\n    Host: localhost:8080\n  \
         * redirect.https  Plain HTTP can be read and changed by anyone on the way (RFC 9110 §15.4).\n  \
         → 307 Temporary Redirect; the app is not asked"
    );
    assert!(
        out.contains("\n    Location: https://localhost:8443/a?b=c\n    Cache-Control: no-store\n"),
        "{out}"
    );
}

#[test]
fn an_unknown_host_is_refused_with_the_mend() {
    let home = Home::new();
    home.write("sealwax.toml", SITE);
    let out = explain(
        &home,
        &[
            "GET",
            "https://other.example.com/",
            "--config",
            "sealwax.toml",
        ],
    );
    let expected = "\
GET https://other.example.com/
  policy: sealwax.toml
  cookie names seen: none yet

Request, from the client
    GET / HTTP/1.1
    Host: other.example.com
  → 421 Misdirected Request; the app is not asked
      host.unknown  No site here answers for this host, so a forged Host cannot reach an app (RFC 9110 §15.5.20).
    help: if `other.example.com` is yours, add it to `hosts` of its site; answered now: app.example.com
";
    assert_eq!(out, expected);
}

#[test]
fn what_a_client_plants_does_not_reach_the_app() {
    let home = Home::new();
    let mut names = sealwax_policy::KnownNames::default();
    names.learn(b"sessionid", sealwax_policy::Form::Host, true, 20_000);
    home.write("seen.names", &names.to_text());
    let out = explain(
        &home,
        &[
            "--names",
            "seen.names",
            "POST",
            "https://localhost:8443/",
            "-H",
            "Cookie: __Host-sessionid=good; sessionid=planted; theme=dark",
            "-H",
            "X-Forwarded-For: 127.0.0.1",
            "-H",
            "X_Forwarded_Proto: https",
        ],
    );
    for text in [
        "  - Cookie: __Host-sessionid=good; sessionid=planted; theme=dark\n  + Cookie: sessionid=good; theme=dark\n",
        "  - X-Forwarded-For: 127.0.0.1\n  + X-Forwarded-For: 203.0.113.7\n      forwarded.removed  ",
        "  - X_forwarded_proto: https\n      header-name.dropped  ",
    ] {
        assert!(out.contains(text), "{text}\nis missing in\n{out}");
    }
    let deleted = out
        .lines()
        .find(|line| line.starts_with("  + Set-Cookie: sessionid=; "))
        .unwrap();
    assert!(
        deleted.contains("Max-Age=0"),
        "the planted form is deleted: {deleted}"
    );
}

#[test]
fn a_deletion_goes_out_in_every_form() {
    let out = explain(
        &Home::new(),
        &[
            "GET",
            "https://localhost:8443/",
            "--response-header",
            "Set-Cookie: old=; Max-Age=0; Path=/",
        ],
    );
    let text = "  - Set-Cookie: old=; Max-Age=0; Path=/\n  + Set-Cookie: old=; Max-Age=0; Path=/; Secure; SameSite=Lax\n  \
                + Set-Cookie: __Host-old=; Max-Age=0; Path=/; Secure; SameSite=Lax\n      cookie.deleted  ";
    assert!(out.contains(text), "{out}");
}

#[test]
fn report_mode_tells_and_leaves() {
    let home = Home::new();
    home.write("sealwax.toml", &format!("{SITE}mode = \"report\"\n"));
    let out = explain(
        &home,
        &[
            "GET",
            "https://app.example.com/",
            "--config",
            "sealwax.toml",
            "--response-header",
            "Set-Cookie: sessionid=1; Path=/",
        ],
    );
    for text in [
        "  certificate: assumed to be publicly trusted (c.pem",
        "  mode = \"report\": responses are left as they are",
        "    Set-Cookie: sessionid=1; Path=/\n  ~ Set-Cookie: __Host-sessionid=1; Path=/; Secure; HttpOnly; SameSite=Lax\n      cookie.secure  ",
        "  ~ X-Frame-Options: SAMEORIGIN\n      headers.x-frame-options  ",
    ] {
        assert!(out.contains(text), "{text}\nis missing in\n{out}");
    }
    let response = out.split("Response, ").nth(1).unwrap();
    assert!(
        !response.contains("\n  + ") && !response.contains("\n  - "),
        "{out}"
    );
}

#[test]
fn a_name_that_was_seen_is_known() {
    let home = Home::new();
    let ask = |home: &Home| {
        explain(
            home,
            &[
                "GET",
                "https://localhost:8443/",
                "-H",
                "Cookie: __Host-cart=1",
                "--names",
                "seen.names",
            ],
        )
    };
    let mut names = sealwax_policy::KnownNames::default();
    home.write("seen.names", &names.to_text());
    assert!(
        ask(&home).contains("  + Cookie: __Host-cart=1; cart=1\n"),
        "unknown: both names"
    );
    names.learn(b"cart", sealwax_policy::Form::Host, true, 20_000);
    home.write("seen.names", &names.to_text());
    let out = ask(&home);
    assert!(
        out.contains("  + Cookie: cart=1\n") && out.contains("cookie names seen: seen.names"),
        "{out}"
    );

    home.write("seen.names", "damaged");
    let finished = home.finish(&[
        "explain",
        "GET",
        "https://localhost/",
        "--names",
        "seen.names",
    ]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.err.contains(" --> seen.names"), "{finished:?}");
}

#[test]
fn json_has_the_documented_form() {
    let home = Home::new();
    let answer = json(
        &home,
        &[
            "GET",
            "https://localhost:8443/",
            "--response-header",
            "Set-Cookie: sessionid=1; Path=/",
        ],
    );
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["site"], "localhost");
    assert_eq!(answer["mode"], "enforce");
    assert_eq!(answer["names"], Value::Null);
    assert_eq!(answer["verdict"], json!({ "kind": "forwarded" }));
    assert_eq!(answer["request"]["line"], "GET / HTTP/1.1");
    assert_eq!(answer["response"]["status"], 200);
    let cookie = &answer["response"]["headers"][0];
    assert_eq!(cookie["name"], "set-cookie");
    assert_eq!(cookie["before"], json!(["sessionid=1; Path=/"]));
    assert_eq!(
        cookie["after"],
        json!(["__Host-sessionid=1; Path=/; Secure; HttpOnly; SameSite=Lax"])
    );
    let rules: Vec<&str> = cookie["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["rule"].as_str().unwrap())
        .collect();
    assert_eq!(
        rules,
        [
            "cookie.secure",
            "cookie.http-only",
            "cookie.same-site",
            "cookie.prefix"
        ]
    );
    let first = &cookie["changes"][0];
    assert_eq!(
        (&first["action"], &first["applied"], &first["subject"]),
        (&json!("changed"), &json!(true), &json!("sessionid"))
    );
    assert!(
        !first["reason"].as_str().unwrap().is_empty()
            && !first["reference"].as_str().unwrap().is_empty()
    );
}

#[test]
fn json_verdicts() {
    let home = Home::new();
    home.write(
        "sealwax.toml",
        &format!("{SITE}[site.redirect]\nrefuse = [\"^api/\"]\n"),
    );
    let ask = |url: &str| json(&home, &["GET", url, "--config", "sealwax.toml"]);
    for (url, kind, status) in [
        ("http://app.example.com/", "redirected", 301),
        ("http://app.example.com/api/x", "refused", 403),
        ("https://other.example.com/", "refused", 421),
        ("https://app.example.com/.sealwax/health", "health", 200),
        ("https://app.example.com/.sealwax/other", "refused", 404),
    ] {
        let verdict = &ask(url)["verdict"];
        assert_eq!(
            (&verdict["kind"], &verdict["status"]),
            (&json!(kind), &json!(status)),
            "{url}"
        );
    }
    assert_eq!(
        ask("https://other.example.com/")["verdict"]["rule"],
        "host.unknown"
    );
    assert_eq!(ask("https://other.example.com/")["response"], Value::Null);
}

#[test]
fn a_public_host_gets_hsts_and_a_proxy_is_believed() {
    let home = Home::new();
    let public = json(&home, &["GET", "https://app.example.com/"]);
    let hsts = public["response"]["headers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|header| header["name"] == "strict-transport-security");
    assert_eq!(hsts.unwrap()["after"], json!(["max-age=300"]));

    home.write(
        "sealwax.toml",
        &format!("{SITE}[proxies]\ntrusted = [\"10.0.0.0/8\"]\n"),
    );
    let out = explain(
        &home,
        &[
            "GET",
            "http://app.example.com/",
            "--config",
            "sealwax.toml",
            "--peer",
            "10.0.0.1",
            "-H",
            "X-Forwarded-Proto: https",
            "-H",
            "X-Forwarded-For: 198.51.100.7",
        ],
    );
    assert!(out.contains("  + X-Real-IP: 198.51.100.7\n"), "{out}");
    assert!(out.contains("    HTTP/1.1 200 OK\n"), "{out}");
}

#[test]
fn terminal_escapes_do_not_get_through() {
    let home = Home::new();
    let finished = home.finish(&[
        "explain",
        "GET",
        "https://localhost/",
        "--response-header",
        "X-A: \u{1b}[2J",
    ]);
    assert_eq!(finished.code, Some(64));
    assert!(!finished.err.contains('\u{1b}'), "{finished:?}");
    let out = explain(
        &home,
        &[
            "GET",
            "https://localhost/",
            "--response-header",
            "Set-Cookie: a=\u{9b}2J",
        ],
    );
    assert!(
        !out.contains('\u{9b}'),
        "C1 control characters are escaped: {out}"
    );
}

#[test]
fn the_example_configuration_is_valid() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sealwax.toml");
    for environment in ["production", "development"] {
        let out = explain(
            &Home::new(),
            &[
                "GET",
                "https://app.example.com/",
                "--config",
                example,
                "--env",
                environment,
            ],
        );
        assert!(out.contains("  + X-Forwarded-Proto: https\n"), "{out}");
    }
}

/// Every TOML block of the guide to cookies is one that works.
#[test]
fn the_settings_in_the_guide_to_cookies_are_valid() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cookies.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let blocks: Vec<&str> = guide
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 6, "{blocks:?}");
    let home = Home::new();
    for block in blocks {
        home.write("sealwax.toml", &format!("{SITE}[site.cookies]\n{block}"));
        let out = explain(
            &home,
            &[
                "GET",
                "https://app.example.com/",
                "--config",
                "sealwax.toml",
            ],
        );
        assert!(
            out.contains("  + X-Forwarded-Proto: https\n"),
            "{block}\n{out}"
        );
    }
}
