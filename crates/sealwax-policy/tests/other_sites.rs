//! What holds for every request and policy text: no other site passes for the
//! site itself, and no value breaks out of its directive.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sealwax_policy::{Csp, Csrf, Disposition, Proof, Sent, Sources, TrustedOrigins};

/// Text near to a URL of the site: pieces that a parser could trip over.
fn url() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://"),
        Just("http://"),
        Just("https:"),
        Just("//"),
        Just("good"),
        Just("evil"),
        Just("."),
        Just(":443"),
        Just(":"),
        Just("@"),
        Just("/"),
        Just("\\"),
        Just("?"),
        Just("#"),
        Just("["),
        Just("]"),
        Just("*"),
        Just("%2e"),
        Just(" "),
        Just("\t"),
        Just("null"),
        Just("GOOD"),
        Just("\u{e9}"),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn field() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let site = prop_oneof![
        Just("same-origin"),
        Just("same-site"),
        Just("cross-site"),
        Just("none"),
        Just("x"),
    ]
    .prop_map(str::to_owned);
    let near = || prop_oneof![4 => url(), 1 => Just("https://good".to_owned())];
    let named = prop_oneof![
        (Just("origin"), near()),
        (Just("referer"), near()),
        (Just("sec-fetch-site"), site),
        (Just("upgrade"), Just("websocket".to_owned())),
    ];
    named.prop_filter_map("header values", |(name, value)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        Some((HeaderName::from_static(name), value))
    })
}

fn texts<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h [u8]> {
    let values = headers.get_all(name).iter();
    values.map(HeaderValue::as_bytes).collect()
}

/// Whether a URL is on `https://good`, told without the code under test.
fn on_site(url: &[u8]) -> bool {
    let plain: Vec<u8> = url.iter().copied().filter(|byte| *byte != b'\t').collect();
    let plain = plain.trim_ascii_start();
    let Some(rest) = plain.strip_prefix(b"https://good") else {
        return false;
    };
    rest.first().is_none_or(|byte| b"/?#".contains(byte))
}

proptest! {
    #[test]
    fn no_other_site_passes_for_this_one(
        method in prop_oneof![Just("POST"), Just("GET"), Just("get"), Just("DELETE")],
        secure in any::<bool>(),
        fields in prop::collection::vec(field(), 0..4),
    ) {
        let headers: HeaderMap = fields.into_iter().fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        });
        let sent = Sent { method, path: "/x", headers: &headers, secure, host: Some("good") };
        let origins = texts(&headers, "origin");
        let referers = texts(&headers, "referer");
        let sites = texts(&headers, "sec-fetch-site");
        let own: &[u8] = if secure { b"https://good" } else { b"http://good" };
        let upgrade = headers.contains_key("upgrade");
        match Csrf::default().judge(&sent) {
            Ok(Proof::SafeMethod) => {
                prop_assert_eq!(method, "GET");
                prop_assert!(!upgrade || (origins.is_empty() && sites.is_empty()));
            }
            Ok(Proof::FetchMetadata) => {
                prop_assert!(sites == [b"same-origin"] || sites == [b"none"], "{:?}", sites);
            }
            Ok(Proof::OwnOrigin) => {
                prop_assert!(origins == [own] && sites.is_empty());
            }
            Ok(Proof::Referer) => {
                prop_assert!(secure && origins.is_empty() && sites.is_empty());
                prop_assert!(referers.len() == 1 && on_site(referers[0]), "{:?}", referers);
            }
            Ok(Proof::Nothing) => {
                prop_assert!(!secure && origins.is_empty() && sites.is_empty());
            }
            Ok(other) => prop_assert!(false, "nobody else is trusted: {:?}", other),
            Err(reason) => {
                prop_assert!(!(origins == [own] && sites.is_empty()), "{}", reason);
                prop_assert!(sites != [b"same-origin"], "{}", reason);
            }
        }
    }

    #[test]
    fn what_is_taken_for_an_origin_can_match(entry in url()) {
        if let Ok(origins) = TrustedOrigins::new([&entry]) {
            let origin = entry.replace("*.", "sub.");
            prop_assert!(origins.trust(&origin), "{} does not trust {}", entry, origin);
        }
    }

    #[test]
    fn no_value_breaks_out_of_its_directive(
        directives in prop::collection::vec(("[ -~]{0,6}|script-src", prop::collection::vec("[ -~\\n]{0,6}|'self'|https://a\\.test", 0..3)), 0..4),
        nonce in "[ -~]{0,8}|[A-Za-z0-9_-]{22}",
    ) {
        let mut csp = Csp::new(Disposition::Enforce);
        for (name, values) in &directives {
            let mut values = values.clone();
            values.push(Csp::NONCE.to_owned());
            csp = csp.directive(name.clone(), Sources::List(values));
        }
        let Ok(header) = csp.compile() else { return Ok(()) };
        if let Some(value) = header.value(Some(&nonce)) {
            let text = value.to_str().expect("checked values are ASCII");
            let mut found = text.split(';').map(str::trim);
            for (name, values) in &directives {
                let directive = found.next().expect("each directive is there");
                let expected = format!("{name} {} 'nonce-{nonce}'", values.join(" "));
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                prop_assert_eq!(words(directive), words(&expected));
            }
            prop_assert!(found.next().is_none() && !text.contains(','));
        }
    }
}
