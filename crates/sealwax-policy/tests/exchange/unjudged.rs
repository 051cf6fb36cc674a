//! What is said to be judged by no rule makes no difference to any.

use sealwax_policy::{Mode, is_unjudged_in_request, is_unjudged_in_response};

use crate::world::{Fields, Seen, World};

/// Where the names stand, so that none can be added without being tried.
const LISTS: &str = include_str!("../../src/unjudged.rs");

/// What means something in one field or another.
const VALUES: [&str; 10] = [
    "1",
    "document",
    "navigate",
    "cross-site",
    "https://app.example.com/",
    "public, max-age=60",
    "frame-ancestors *",
    "for=192.0.2.7;proto=https",
    "sessionid=b; path=/",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X)",
];

const REQUESTS: [&str; 6] = [
    "GET /?next=/\ncookie: sessionid=a; theme=b",
    "POST /\norigin: https://app.example.com\ncookie: __Host-sessionid=a; sessionid=b",
    "POST /\nsec-fetch-site: cross-site\nsec-fetch-mode: navigate",
    "POST /\nsec-fetch-site: same-origin\ncookie: csrftoken=a",
    "GET /login/\nsec-fetch-site: none\nsec-fetch-mode: navigate",
    "GET /login/\nsec-fetch-site: cross-site\nsec-fetch-mode: navigate\nsec-fetch-dest: document",
];

const RESPONSES: [&str; 3] = [
    "200\nset-cookie: sessionid=a\nset-cookie: theme=b; SameSite=None",
    "403\ncontent-security-policy: default-src 'self'\ncache-control: public, max-age=60",
    "301\nlocation: https://app.example.com/?next=/\nset-cookie: csrftoken=a",
];

/// The names in quotes that `is_listed`.
fn names(is_listed: fn(&[u8]) -> bool) -> Vec<&'static str> {
    let quoted = LISTS.split('"').skip(1).step_by(2);
    let names: Vec<&str> = quoted.filter(|name| is_listed(name.as_bytes())).collect();
    assert!(names.len() > 15, "{names:?}");
    names
}

/// Seals and binds a cookie.
#[cfg(feature = "bind")]
fn bind(world: &mut World) {
    use sealwax_policy::{Bind, Paths, Seal};

    let key = sealwax_cookie::SealKey::new([1; 32]);
    let ring = sealwax_cookie::KeyRing::new(key, []).expect("a ring");
    let lifetime = sealwax_bind::Lifetime::from_seconds(600).expect("a lifetime");
    // What comes of two requests is compared.
    let always_the_same = |bytes: &mut [u8]| bytes.fill(7);
    let bind = Bind::new(&ring, ["theme"], lifetime, always_the_same)
        .born_on(Paths::new(["^login/$"]).expect("paths"));
    world
        .policy
        .set_seal(Seal::new(&ring, ["theme"], always_the_same));
    world.policy.set_bind(bind);
}

#[cfg(not(feature = "bind"))]
fn bind(_: &mut World) {}

fn judge(mode: Mode, tls: bool, bound: bool, request: &str, response: &str) -> Seen {
    let mut world = World::new();
    world.policy.mode = mode;
    world.connection.tls = tls;
    if bound {
        bind(&mut world);
    }
    world.run("GET /", "200\nset-cookie: sessionid=a\nset-cookie: theme=b");
    world.drive(request, response, Fields::InTheMap).0
}

/// Asserts that `line` makes no difference but that it is there.
fn makes_no_difference(line: &str, in_request: bool) {
    let name = line.split(':').next().unwrap_or_default();
    for request in REQUESTS {
        for response in RESPONSES {
            for (mode, tls, bound) in [
                (Mode::Enforce, true, false),
                (Mode::Enforce, false, false),
                (Mode::Report, true, false),
                (Mode::Enforce, true, true),
            ] {
                let without = judge(mode, tls, bound, request, response);
                let with = |text: &str, here| match here {
                    true => format!("{text}\n{line}"),
                    false => text.to_owned(),
                };
                let (request, response) = (with(request, in_request), with(response, !in_request));
                let mut with = judge(mode, tls, bound, &request, &response);
                assert_eq!(without.changes, with.changes, "{line:?} after {request:?}");
                // A response of our own, instead of the app's, has none of the app's fields.
                if !in_request {
                    with.client.remove(name);
                }
                if let Ok(headers) = &mut with.app {
                    assert_eq!(headers.remove(name).is_some(), in_request, "{line:?}");
                }
                assert_eq!(without.app, with.app, "{line:?} after {request:?}");
                assert_eq!(without.client, with.client, "{line:?} after {response:?}");
            }
        }
    }
}

#[test]
fn no_rule_looks_at_what_is_unjudged_in_a_request() {
    for name in names(is_unjudged_in_request) {
        for value in VALUES {
            makes_no_difference(&format!("{name}: {value}"), true);
        }
    }
}

#[test]
fn no_rule_looks_at_what_is_unjudged_in_a_response() {
    for name in names(is_unjudged_in_response) {
        for value in VALUES {
            makes_no_difference(&format!("{name}: {value}"), false);
        }
    }
}

#[test]
fn what_rules_look_at_is_not_unjudged_in_any_case_of_letters() {
    for name in [
        "Host",
        "COOKIE",
        "Origin",
        "Sec-Fetch-Site",
        "Sec-Fetch-Mode",
        "Sec-Fetch-Dest",
        "Sec-Purpose",
        "Sec-CH-UA",
        "Secure-Session-Skipped",
        "Secure-Session-Response",
        "Sec-Secure-Session-Id",
        "X-CSRFToken",
        "X-Forwarded-For",
        "Forwarded",
        "Connection",
        "TE",
        "Upgrade",
        "Expect",
        "Transfer-Encoding",
        "Content-Length",
        "Trailer",
        "X_Odd",
        "",
    ] {
        assert!(!is_unjudged_in_request(name.as_bytes()), "{name}");
    }
    for name in [
        "Set-Cookie",
        "LOCATION",
        "Vary",
        "Cache-Control",
        "Strict-Transport-Security",
        "Content-Security-Policy",
        "X-Frame-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "X-Content-Type-Options",
        "Connection",
        "Upgrade",
        "Content-Length",
        "Transfer-Encoding",
        "Trailer",
        "Clear-Site-Data",
    ] {
        assert!(!is_unjudged_in_response(name.as_bytes()), "{name}");
    }
    assert!(is_unjudged_in_request(b"ACCEPT-Encoding") && is_unjudged_in_response(b"ETag"));
}
