//! What holds for all inputs, tried with many.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use sealwax_bind::{
    Binder, Bond, Field, Jwt, Lifetime, Refreshing, SkipReason, Skipped, Thumbprint,
};

#[path = "support/fuzzing.rs"]
mod fuzzing;
mod support;
use support::{Browser, HOST, Key, NOW, base64url, binder, cookie, random, register, ring};

/// A browser with a session, and its keys, made once: keys of RSA take a while.
static KEYS: LazyLock<[Key; 2]> =
    LazyLock::new(|| [Key::es256(), Key::rs256(aws_lc_rs::rsa::KeySize::Rsa2048)]);

fn json_text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "alg|typ|jwk|crit|jti|authorization|kty|crv|x|y|n|e|d|aud",
        "[a-z]{0,3}"
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,5}",
        r#""(ES256|RS256|none|HS256|dbsc\+jwt|EC|RSA|P-256|AQAB|[A-Za-z0-9_-]{0,60})""#,
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        vec((name.clone(), inner), 0..7).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("\"{name}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    })
}

proptest! {
    #[test]
    fn anything_can_come_as_a_proof(data in vec(any::<u8>(), 0..300)) {
        fuzzing::dbsc_jwt(&data);
    }

    #[test]
    fn anything_can_stand_in_a_proof(header in json_text(), payload in json_text(), signature in vec(any::<u8>(), 0..80)) {
        let jwt = [base64url(&header), base64url(&payload), base64url(signature)].join(".");
        fuzzing::dbsc_jwt(jwt.as_bytes());
        fuzzing::dbsc_jwt(header.as_bytes());
    }

    #[test]
    fn anything_can_come_as_fields(lines in vec(prop_oneof![
        "[ -~]{0,80}",
        r#"[a-z_]{1,12}(;session_identifier=("[ -~&&[^"\\]]{0,20}"|[a-z]+))?(, [a-z]+)?"#,
        r#""[A-Za-z0-9_.-]{0,60}"(;[a-z]=[0-9])?"#,
        "t=[0-9]{0,21}&k=[A-Za-z0-9_-]{0,100}",
    ], 0..8)) {
        fuzzing::dbsc_headers(lines.join("\n").as_bytes());
    }

    #[test]
    fn anything_can_come_as_bytes(data in vec(any::<u8>(), 0..300)) {
        fuzzing::dbsc_headers(&data);
    }

    /// One bit of a good proof: it is refused, and asked for again.
    #[test]
    fn no_bit_of_a_proof_can_be_changed(which in 0..2usize, at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let binder = binder();
        let key = &KEYS[which];
        let jwt = key.registration(&support::offered(&binder, HOST, NOW));
        let mut changed = jwt.clone().into_bytes();
        changed[at.index(jwt.len())] ^= 1 << bit;
        prop_assert!(register(&binder, HOST, &jwt, NOW).is_ok());
        let refused = binder.register(&sealwax_bind::Registration {
            host: HOST,
            response: Field::Once(&changed),
            now: NOW,
            random: random(),
        });
        prop_assert!(refused.is_err());
        if let Ok(jwt) = Jwt::parse(&changed) {
            // Parsed and signed by another key only, if a bit of the key makes one.
            prop_assert!(jwt.key().is_none_or(|key| jwt.verify(key).is_err()));
        }
    }

    /// However late a proof is used, sent again, and refreshed: it ends with its challenge's time.
    #[test]
    fn nothing_outlasts_its_challenge(life in 5..=86_400u64, waits in vec(0..200u64, 1..6), clock in 0..(1u64 << 40)) {
        let lifetime = Lifetime::from_seconds(life).unwrap();
        let binder = Binder::new(&ring(&[3]), lifetime);
        let mut browser = Browser::register(&binder, Key::es256(), clock);
        let mut now = clock;
        for wait in waits {
            now += wait;
            let last = browser.challenge.clone();
            let refreshed = browser.refresh(&binder, now);
            let given = if browser.challenge == last { None } else { Some(now) };
            let proof = refreshed.proof;
            prop_assert!(given.is_none_or(|given| proof.proven == given));
            prop_assert!(proof.proven <= now && proof.age(now) < lifetime.challenge_seconds());
            prop_assert_eq!(proof.expires, proof.proven + life);
            let (value, seconds) = cookie(&refreshed.set_cookie);
            prop_assert!(seconds >= 1);
            prop_assert_eq!(now + seconds + lifetime.margin_seconds(), proof.expires);
            for (at, live) in [(now, true), (proof.expires - 1, true), (proof.expires, false), (proof.expires + 1000, false)] {
                prop_assert_eq!(binder.proof(value.as_bytes(), HOST, at).is_ok(), live);
            }
        }
    }

    /// A refresh never needs a third round trip.
    #[test]
    fn two_round_trips_are_enough(clock in 0..(1u64 << 40), steps in vec((0..100_000u64, any::<bool>(), any::<bool>()), 1..8)) {
        let binder = binder();
        let mut browser = Browser::register(&binder, Key::es256(), clock);
        let mut now = clock;
        for (wait, restart, wish) in steps {
            now += wait;
            if restart {
                browser.challenge = None;
            }
            browser.mark = None;
            if wish {
                let key = browser.refresh(&binder, now).proof.key;
                browser.mark = Some(cookie(&binder.make_mark(HOST, key, now, random()).1).0);
            }
            let first = browser.try_refresh(&binder, now);
            let done = matches!(first, Refreshing::Refreshed(_))
                || matches!(browser.try_refresh(&binder, now), Refreshing::Refreshed(_));
            prop_assert!(done);
        }
    }

    #[test]
    fn bonds_come_back_as_they_were(key in any::<[u8; 32]>(), offered in any::<u64>(), data in vec(any::<u8>(), 0..64)) {
        for bond in [Bond::Bound(Thumbprint::from_bytes(key)), Bond::Unbound { offered }] {
            prop_assert_eq!(Bond::from_bytes(&bond.to_bytes()), Some(bond));
        }
        if let Some(bond) = Bond::from_bytes(&data) {
            prop_assert!(data.is_empty() || bond.to_bytes() == data);
        }
    }

    #[test]
    fn skipped_is_read_as_it_is_written(members in vec((0..4usize, "[a-z][a-z_]{0,30}", proptest::option::of("[ -~]{0,50}")), 0..10)) {
        let reasons = ["unreachable", "server_error", "quota_exceeded"];
        let mut expected = Vec::new();
        let mut written = Vec::new();
        for (which, other, session) in members {
            let token = reasons.get(which).map_or(other, |token| (*token).to_owned());
            let escaped = session.as_ref().map(|s| s.replace('\\', "\\\\").replace('"', "\\\""));
            written.push(match escaped {
                Some(session) => format!("{token};session_identifier=\"{session}\""),
                None => token.clone(),
            });
            expected.push((token, session));
        }
        let skipped = Skipped::parse(written.join(", ").as_bytes()).unwrap();
        let read: Vec<(String, Option<String>)> = skipped
            .into_iter()
            .map(|member| (member.reason.token().to_owned(), member.session.map(Into::into)))
            .collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn skipped_as_chromium_and_the_draft_write_it() {
    let parse = |text: &str| Skipped::parse(text.as_bytes());
    let session = |id: &str| Some(id.into());
    assert_eq!(
        parse(r#"unreachable;session_identifier="123", quota_exceeded;session_identifier="456""#),
        Ok(vec![
            Skipped {
                reason: SkipReason::Unreachable,
                session: session("123")
            },
            Skipped {
                reason: SkipReason::QuotaExceeded,
                session: session("456")
            },
        ])
    );
    let other = SkipReason::Other("signing_quota".into());
    assert_eq!(
        parse(r#"server_error;a;session_identifier=1, signing_quota;session_identifier="x";b=2"#),
        Ok(vec![
            Skipped {
                reason: SkipReason::ServerError,
                session: None
            },
            Skipped {
                reason: other,
                session: session("x")
            },
        ])
    );
    // What is no token tells no reason.
    assert_eq!(
        parse(r#""unreachable", (unreachable), 1, ?1"#),
        Ok(Vec::new())
    );
    assert_eq!(parse(&"x".repeat(65)), Ok(Vec::new()));
    assert_eq!(parse(""), Ok(Vec::new()));
    assert_eq!(parse(&vec!["a"; 100].join(",")).unwrap().len(), 64);
    for bad in [
        "unreachable,",
        "a b",
        "unreachable;session_identifier=\"x",
        "\u{e9}",
        "A;B=1",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    assert!(parse(&"a".repeat(17_000)).is_err());
}
