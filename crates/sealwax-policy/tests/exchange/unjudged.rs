//! What is said to be judged by no rule makes no difference to any.

use sealwax_policy::{Mode, is_unjudged_in_request, is_unjudged_in_response};

use crate::world::{Fields, Seen, World};

/// Where the names stand, so that none can be added without being tried.
const LISTS: &str = include_str!("../../src/unjudged.rs");

/// What means something in one field or another.
const VALUES: [&str; 9] = [
    "1",
    "navigate",
    "cross-site",
    "https://app.example.com/",
    "public, max-age=60",
    "frame-ancestors *",
    "for=192.0.2.7;proto=https",
    "sessionid=b; path=/",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X)",
];

const REQUESTS: [&str; 4] = [
    "GET /?next=/\ncookie: sessionid=a; theme=b",
    "POST /\norigin: https://app.example.com\ncookie: __Host-sessionid=a; sessionid=b",
    "POST /\nsec-fetch-site: cross-site\nsec-fetch-mode: navigate",
    "POST /\nsec-fetch-site: same-origin\ncookie: csrftoken=a",
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

fn judge(mode: Mode, tls: bool, request: &str, response: &str) -> Seen {
    let mut world = World::new();
    world.policy.mode = mode;
    world.connection.tls = tls;
    world.run("GET /", "200\nset-cookie: sessionid=a\nset-cookie: theme=b");
    world.drive(request, response, Fields::InTheMap).0
}

/// Asserts that `line` makes no difference but that it is there.
fn makes_no_difference(line: &str, in_request: bool) {
    let name = line.split(':').next().unwrap_or_default();
    for request in REQUESTS {
        for response in RESPONSES {
            for (mode, tls) in [
                (Mode::Enforce, true),
                (Mode::Enforce, false),
                (Mode::Report, true),
            ] {
                let without = judge(mode, tls, request, response);
                let with = |text: &str, here| match here {
                    true => format!("{text}\n{line}"),
                    false => text.to_owned(),
                };
                let (request, response) = (with(request, in_request), with(response, !in_request));
                let mut with = judge(mode, tls, &request, &response);
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
