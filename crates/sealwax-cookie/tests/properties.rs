//! Properties that hold for every cookie, tried on random ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/fuzzing.rs"]
mod fuzzing;

use fuzzing::browser;
use proptest::prelude::*;
use sealwax_cookie::{Form, KnownNames, SameSiteAttribute, SetCookie, cannot_read_none, date};

/// Attributes as apps write them, well and badly.
fn attribute() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "Secure",
        " secure",
        " SECURE ",
        " Secure=1",
        "HttpOnly",
        " httponly",
        " HttpOnly=no",
        " SameSite=Lax",
        " samesite=strict",
        " SameSite=None",
        " SameSite=Bogus",
        " SameSite",
        "SAMESITE= none ",
        " Path=/",
        " Path=/app",
        " path=",
        " Path=x",
        "Path",
        " Domain=x.test",
        " Domain=.x.test",
        " Domain=",
        " domain=.",
        " Max-Age=0",
        " Max-Age=60",
        " max-age=x",
        " expires=Thu, 01 Jan 1970 00:00:00 GMT",
        " Partitioned",
        " Priority=High",
        " Comment=a b",
        " Version=1",
        "",
        " ",
        "=",
        " =x",
        " Domain=\u{fc}",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    let long = prop::sample::select(vec!["Secure", "SameSite", "Path", "Domain", "HttpOnly"])
        .prop_map(|name| [name.as_bytes(), b"=", &[b'/'; 1025]].concat());
    let junk = prop::collection::vec(
        any::<u8>().prop_filter("no semicolon", |b| *b != b';'),
        0..12,
    );
    prop_oneof![20 => known, 1 => long, 3 => junk]
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "a",
        "sid",
        " sid ",
        "sessionid",
        "csrftoken",
        "XSRF-TOKEN",
        "__Host-own",
        "__Secure-own",
        "__HOST-x",
        "__Http-x",
        "__Host-Http-x",
        "__Secure-__Host-sid",
        "http-x",
        "",
        "a b",
        "$a",
        "arr[0]",
        "\u{2000}__Host-sid",
        "__Host-",
        "__stripe_mid",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![4 => known, 1 => prop::collection::vec(any::<u8>(), 0..10)]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "",
        "1",
        "\"x\"",
        "\"x",
        "{\"a\": [1,2]}",
        " a=b ",
        "__Host-x=1",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    let long = (4070usize..4100).prop_map(|length| vec![b'v'; length]);
    prop_oneof![6 => known, 1 => long, 2 => prop::collection::vec(any::<u8>(), 0..20)]
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    (
        name(),
        any::<bool>(),
        value(),
        prop::collection::vec(attribute(), 0..6),
    )
        .prop_map(|(name, equals, value, attributes)| {
            let pair = if equals {
                [&name[..], b"=", &value].concat()
            } else {
                name
            };
            std::iter::once(pair)
                .chain(attributes)
                .collect::<Vec<_>>()
                .join(&b';')
        })
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    let prefix = prop::sample::select(vec![
        "",
        "",
        "",
        "__Host-",
        "__Secure-",
        "__HOST-",
        "__Http-",
        "__Secure-__Host-",
        "\u{2000}",
        "$",
    ]);
    let base = prop::sample::select(vec![
        "sid",
        "sessionid",
        "own",
        "theme",
        "csrftoken",
        "a b",
        "",
    ]);
    let part = (
        prefix,
        base,
        value(),
        prop::sample::select(vec!["; ", ";", "\n", " ;\t"]),
    )
        .prop_map(|(prefix, base, value, end)| {
            [
                prefix.as_bytes(),
                base.as_bytes(),
                b"=",
                &value,
                end.as_bytes(),
            ]
            .concat()
        });
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lossless, idempotent, never weaker, as strong as asked.
    #[test]
    fn set_cookie_fields(field in field()) {
        fuzzing::set_cookie(&field);
    }

    #[test]
    fn set_cookie_noise(field in prop::collection::vec(any::<u8>(), 0..60)) {
        fuzzing::set_cookie(&field);
    }

    /// Our reading and the independent one agree on every field that a browser takes.
    #[test]
    fn the_reading_is_the_browsers(field in field(), path in prop::sample::select(fuzzing::PATHS.to_vec())) {
        let stored = browser::store(&field, path);
        let Ok(cookie) = SetCookie::parse(&field) else {
            prop_assert!(stored.is_none(), "refused what a browser takes");
            return Ok(());
        };
        let Some(stored) = stored else { return Ok(()) };
        prop_assert_eq!(cookie.name(), &stored.name[..]);
        prop_assert_eq!(cookie.value(), &stored.value[..]);
        prop_assert_eq!(cookie.secure(), stored.secure);
        prop_assert_eq!(cookie.http_only(), stored.http_only);
        prop_assert_eq!(cookie.partitioned(), stored.partitioned);
        prop_assert_eq!(cookie.domain().unwrap_or_default(), &stored.domain[..]);
        prop_assert_eq!(cookie.effective_path(path), &stored.path[..]);
        let strength = match cookie.same_site() {
            SameSiteAttribute::Absent | SameSiteAttribute::Invalid => 1,
            SameSiteAttribute::Is(sealwax_cookie::SameSite::None) => 0,
            SameSiteAttribute::Is(sealwax_cookie::SameSite::Lax) => 2,
            SameSiteAttribute::Is(sealwax_cookie::SameSite::Strict) => 3,
        };
        prop_assert_eq!(strength, stored.same_site);
    }

    /// Canonical, stable, and protected names only from the forms that the rules allow.
    #[test]
    fn cookie_headers(header in header()) {
        fuzzing::cookie_header(&header);
    }

    #[test]
    fn cookie_header_noise(header in prop::collection::vec(any::<u8>(), 0..80)) {
        fuzzing::cookie_header(&header);
    }

    /// What the app got can come in again (a second gateway) and stays as it is, but for protected
    /// names, which then lack their prefix, and prefixed names, which are then still unknown.
    #[test]
    fn inbound_is_stable(header in header()) {
        for known in fuzzing::memories() {
            let rules = sealwax_cookie::NameRules { prefix: false, ..Default::default() };
            let first = sealwax_cookie::inbound([&header[..]], &rules, &known);
            if let Some(once) = first.header {
                let twice = sealwax_cookie::inbound([&once[..]], &rules, &known);
                let prefixed = once.windows(2).any(|two| two == b"__");
                prop_assert!(twice.unchanged || prefixed, "{:?}", String::from_utf8_lossy(&once));
            }
        }
    }

    #[test]
    fn a_round_trip_through_the_browser_gives_the_app_its_cookie(
        name in "[a-z]{1,8}", value in "[ -:<-~]{0,20}", path in prop::sample::select(vec!["/", "/app"]),
    ) {
        let rules = sealwax_cookie::NameRules { harden_all: true, ..Default::default() };
        let mut known = KnownNames::default();
        let field = format!("{name}={value}; Path={path}");
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        let demand = rules.demand(&cookie, None);
        let hardened = sealwax_cookie::harden(&cookie, b"/", &demand);
        known.learn(cookie.name(), hardened.form, false, 1);
        let stored = browser::store(&hardened.field, b"/").unwrap();
        let sent = [&stored.name[..], b"=", &stored.value].concat();
        let inbound = sealwax_cookie::inbound([&sent[..]], &rules, &known);
        let got = if inbound.unchanged { Some(sent) } else { inbound.header };
        if hardened.changes.has(sealwax_cookie::Change::NotCanonical) {
            prop_assert_eq!(got, None);
        } else {
            prop_assert_eq!(got.unwrap(), [cookie.name(), b"=", cookie.value()].concat());
        }
    }

    #[test]
    fn memories_survive_the_disk(seen in prop::collection::vec((name(), 0usize..6, any::<bool>(), 0u32..900), 0..40)) {
        let mut known = KnownNames::default();
        for (name, form, floored, day) in seen {
            let form = Form::ALL[form];
            known.learn(&name, form, floored, day);
            prop_assert!(!known.would_learn(&name, form, floored, day));
        }
        let text = known.to_text();
        let back = KnownNames::from_text(&text).unwrap();
        prop_assert_eq!(back.to_text(), text);
        prop_assert!(known.iter().eq(back.iter()));
    }

    #[test]
    fn nothing_panics_on_noise(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let _ = date::parse(&bytes);
        let _ = date::parse(text.as_bytes());
        let _ = cannot_read_none(&bytes);
        let _ = KnownNames::from_text(&text);
        let _ = KnownNames::from_text(&format!("sealwax-cookie-names 1\n{text}\n"));
    }
}
