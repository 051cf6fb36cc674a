//! What somebody without the key tries.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use aws_lc_rs::{hmac, rand::SystemRandom};
use sealwax_bind::{
    Binder, FieldError, JwkError, Jwt, JwtError, Lifetime, MAX_JWT, Part, PublicKey, Refreshing,
    Refusal, Unusable,
};

mod support;
use support::{
    Browser, HOST, Key, NOW, base64url, binder, challenged, cookie, offered, random, register, ring,
};

const HEADER: &str = r#"{"alg":"ES256","typ":"dbsc+jwt"}"#;

/// A session with a challenge that is waiting, and what becomes of these proofs for it.
fn refused(forge: impl Fn(&Browser, &str) -> String) -> Refusal {
    let binder = binder();
    let browser = Browser::register(&binder, Key::es256(), NOW);
    let challenge = browser.challenge.clone().unwrap();
    let jwt = forge(&browser, &challenge);
    let asked = challenged(browser.post(&binder, Some(&jwt), NOW));
    // The one who has the key goes on, whatever the other one did.
    let good = browser.key.refresh(&challenge);
    assert_eq!(browser.post(&binder, Some(&good), NOW).status(), 200);
    asked.reason
}

fn payload(challenge: &str) -> String {
    format!(r#"{{"jti":"{challenge}"}}"#)
}

#[test]
fn nobody_else_can_sign() {
    let other = Key::es256();
    let wrong_key = refused(|_, challenge| other.refresh(challenge));
    assert_eq!(wrong_key, Refusal::Signature);
    // With the key that signed it in the header.
    let named = refused(|_, challenge| other.registration(challenge));
    assert_eq!(named, Refusal::OtherKey);
    // With the right key in the header.
    let claimed = refused(|browser, challenge| {
        let header = format!(
            r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#,
            browser.key.jwk()
        );
        other.jwt(&header, &payload(challenge))
    });
    assert_eq!(claimed, Refusal::Signature);
    let rsa = Key::rs256(KeySize::Rsa2048);
    assert_eq!(
        refused(|_, challenge| rsa.refresh(challenge)),
        Refusal::OtherKey
    );
    for reason in [wrong_key, named, claimed] {
        assert!(!reason.is_ordinary());
    }
}

#[test]
fn what_is_not_signed_with_the_key_is_not_signed() {
    let with = |header: &str, sign: &dyn Fn(&Browser, &[u8]) -> Vec<u8>| {
        refused(|browser, challenge| {
            let signed = format!("{}.{}", base64url(header), base64url(payload(challenge)));
            let signature = sign(browser, signed.as_bytes());
            format!("{signed}.{}", base64url(signature))
        })
    };
    let good = |browser: &Browser, signed: &[u8]| browser.key.sign(signed);
    let empty = |_: &Browser, _: &[u8]| Vec::new();
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = format!(r#"{{"alg":"{none}","typ":"dbsc+jwt"}}"#);
        for sign in [&good as &dyn Fn(&Browser, &[u8]) -> Vec<u8>, &empty] {
            assert_eq!(with(&header, sign), Refusal::Proof(JwtError::AlgorithmNone));
        }
    }
    // The public key as the secret of an HMAC.
    for (name, algorithm) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
        let header = format!(r#"{{"alg":"{name}","typ":"dbsc+jwt"}}"#);
        let reason = with(&header, &|browser, signed| {
            let key = hmac::Key::new(algorithm, browser.key.jwk().as_bytes());
            hmac::sign(&key, signed).as_ref().to_vec()
        });
        assert_eq!(reason, Refusal::Proof(JwtError::AlgorithmSymmetric));
    }
    for other in ["ES384", "RS512", "PS256", "EdDSA", "es256", "ES256K", ""] {
        let header = format!(r#"{{"alg":"{other}","typ":"dbsc+jwt"}}"#);
        assert_eq!(
            with(&header, &good),
            Refusal::Proof(JwtError::AlgorithmUnknown),
            "{other}"
        );
    }
    // Signatures that hold for every message where nobody looks at the numbers; cut ones, and the
    // other encoding of a good one.
    let asn1 = |_: &Browser, signed: &[u8]| {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        key.sign(&SystemRandom::new(), signed)
            .unwrap()
            .as_ref()
            .to_vec()
    };
    let zero = |_: &Browser, _: &[u8]| vec![0; 64];
    let cut = |browser: &Browser, signed: &[u8]| browser.key.sign(signed)[..63].to_vec();
    let long = |browser: &Browser, signed: &[u8]| [browser.key.sign(signed), vec![0]].concat();
    for sign in [
        &empty as &dyn Fn(&Browser, &[u8]) -> Vec<u8>,
        &asn1,
        &zero,
        &cut,
        &long,
    ] {
        assert_eq!(with(HEADER, sign), Refusal::Signature);
    }
}

#[test]
fn only_a_proof_counts_as_one() {
    let with = |header: &str, payload: &dyn Fn(&str) -> String| {
        refused(|browser, challenge| browser.key.jwt(header, &payload(challenge)))
    };
    let malformed = [
        (r#"{"alg":"ES256"}"#, JwtError::Type),
        (r#"{"alg":"ES256","typ":"JWT"}"#, JwtError::Type),
        (r#"{"alg":"ES256","typ":"DBSC+JWT"}"#, JwtError::Type),
        (r#"{"alg":"ES256","typ":"dbsc+jwt "}"#, JwtError::Type),
        (r#"{"typ":"dbsc+jwt"}"#, JwtError::AlgorithmMissing),
        (
            r#"{"alg":["ES256"],"typ":"dbsc+jwt"}"#,
            JwtError::Json(Part::Header),
        ),
        (
            r#"{"alg":"ES256","typ":"dbsc+jwt","alg":"ES256"}"#,
            JwtError::Json(Part::Header),
        ),
        (
            r#"{"alg":"none","typ":"dbsc+jwt","\u0061lg":"ES256"}"#,
            JwtError::Json(Part::Header),
        ),
        (
            r#"{"alg":"ES256","typ":"dbsc+jwt","x":1,"x":1}"#,
            JwtError::Json(Part::Header),
        ),
        (
            r#"{"alg":"ES256","typ":"dbsc+jwt","crit":["b64"],"b64":false}"#,
            JwtError::Critical,
        ),
        (
            r#"{"alg":"ES256","typ":"dbsc+jwt","crit":[]}"#,
            JwtError::Critical,
        ),
        (
            r#"{"alg":"RS256","typ":"dbsc+jwt","jwk":{"kty":"EC"}}"#,
            JwtError::Key(JwkError::Curve),
        ),
        (
            r#"{"alg":"ES256","typ":"dbsc+jwt","jwk":null}"#,
            JwtError::Json(Part::Header),
        ),
        ("", JwtError::Json(Part::Header)),
        ("[]", JwtError::Json(Part::Header)),
    ];
    for (header, error) in malformed {
        assert_eq!(with(header, &payload), Refusal::Proof(error), "{header}");
    }
    let no_challenge = Refusal::Proof(JwtError::ChallengeMissing);
    let not_json = Refusal::Proof(JwtError::Json(Part::Payload));
    for (payload, refusal) in [
        ("{}", &no_challenge),
        (r#"{"jti":""}"#, &no_challenge),
        (r#"{"JTI":"$"}"#, &no_challenge),
        (r#"{"jti":"$","jti":"$"}"#, &not_json),
        (r#"{"jti":["$"]}"#, &not_json),
        (r#"{"jti":"$"}{}"#, &not_json),
        (r#""$""#, &not_json),
        (r#"{"jti":"$","authorization":1}"#, &not_json),
        (r#"{"jti":"$ "}"#, &Refusal::Challenge(Unusable::NotSealed)),
    ] {
        let reason = with(HEADER, &|challenge| payload.replace('$', challenge));
        assert_eq!(reason, *refusal, "{payload}");
    }
    // What the last bits of the text happen to be decides how far it is read.
    let doubled = with(HEADER, &|challenge| {
        format!(r#"{{"jti":"{challenge}{challenge}"}}"#)
    });
    let Refusal::Challenge(Unusable::NotSealed | Unusable::Forged) = doubled else {
        panic!("{doubled:?}")
    };
    // Claims that browsers have sent, or may send one day, change nothing.
    let binder = binder();
    let browser = Browser::register(&binder, Key::es256(), NOW);
    let challenge = browser.challenge.as_ref().unwrap();
    for more in [
        r#""aud":"https://other.example/x""#,
        r#""iat":1,"sub":"x","key":{"a":[1]}"#,
        r#""authorization":"x""#,
    ] {
        let payload = format!(r#"{{{more},"jti":"{challenge}"}}"#);
        let jwt = browser.key.jwt(HEADER, &payload);
        assert_eq!(
            browser.post(&binder, Some(&jwt), NOW).status(),
            200,
            "{more}"
        );
    }
}

#[test]
fn a_proof_is_written_in_one_way_only() {
    let jwt = Key::es256().refresh("challenge");
    let parts: Vec<&str> = jwt.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!()
    };
    let error = |text: &str| Jwt::parse(text.as_bytes()).map(|_| ()).unwrap_err();
    let base64 = JwtError::Base64;
    for (text, expected) in [
        (String::new(), JwtError::Parts),
        ("..".to_owned(), JwtError::Json(Part::Header)),
        (format!("{header}.{payload}"), JwtError::Parts),
        (format!("{jwt}."), JwtError::Parts),
        (format!(".{jwt}"), JwtError::Parts),
        (format!("{header}..{payload}.{signature}"), JwtError::Parts),
        (
            format!("{header}=.{payload}.{signature}"),
            base64(Part::Header),
        ),
        (
            format!("{header}.{payload}=.{signature}"),
            base64(Part::Payload),
        ),
        (
            format!("{header}.{payload}.{signature}=="),
            base64(Part::Signature),
        ),
        (
            format!("{header}.{payload} .{signature}"),
            base64(Part::Payload),
        ),
        (format!(" {jwt}"), base64(Part::Header)),
        (format!("{jwt}\n"), base64(Part::Signature)),
        (
            format!("{header}.{payload}.{signature}+/"),
            base64(Part::Signature),
        ),
        (format!("{header}.{payload}.\0"), base64(Part::Signature)),
        (format!("{jwt}{}", "A".repeat(MAX_JWT)), JwtError::TooLong),
        (".".repeat(MAX_JWT), JwtError::Parts),
    ] {
        assert_eq!(error(&text), expected, "{text:.60}");
    }
    // 64 bytes of signature need 86 characters; the last one's lower bits say nothing and are 0.
    let last = signature.chars().last().unwrap();
    let other = if last == 'B' { 'C' } else { 'B' };
    let dirty = format!("{header}.{payload}.{}{other}", &signature[..85]);
    assert_eq!(error(&dirty), base64(Part::Signature));
}

#[test]
fn only_keys_that_can_protect_are_taken() {
    let ec = Key::es256();
    let [x, y] = ec.numbers();
    let rsa = Key::rs256(KeySize::Rsa2048);
    let [n, e] = rsa.numbers();
    let jwk_ec = |crv: &str, x: &[u8], y: &[u8]| {
        let [x, y] = [x, y].map(base64url);
        format!(r#"{{"kty":"EC","crv":"{crv}","x":"{x}","y":"{y}"}}"#)
    };
    let jwk_rsa = |n: &[u8], e: &[u8]| {
        let [n, e] = [n, e].map(base64url);
        format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#)
    };
    assert!(PublicKey::from_jwk(jwk_ec("P-256", &x, &y).as_bytes()).is_ok());
    assert!(PublicKey::from_jwk(jwk_rsa(&n, &e).as_bytes()).is_ok());
    assert!(PublicKey::from_jwk(jwk_rsa(&n, &[3]).as_bytes()).is_ok());

    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let (x384, y384) = p384.public_key().as_ref()[1..].split_at(48);
    let with = |number: &[u8], at: usize, byte: u8| {
        let mut number = number.to_vec();
        number[at] = byte;
        number
    };
    let odd = |bits: usize| {
        [
            vec![0x80 >> ((8 - bits % 8) % 8)],
            vec![1; bits.div_ceil(8) - 1],
        ]
        .concat()
    };
    let big = |length: usize| base64url(vec![1; length]);
    for (jwk, error) in [
        (jwk_ec("P-384", x384, y384), JwkError::Curve),
        (jwk_ec("P-256", x384, y384), JwkError::Number),
        (jwk_ec("secp256k1", &x, &y), JwkError::Curve),
        (jwk_ec("P-256", &y, &x), JwkError::OffCurve),
        (
            jwk_ec("P-256", &x, &with(&y, 31, y[31] ^ 1)),
            JwkError::OffCurve,
        ),
        (jwk_ec("P-256", &[0; 32], &[0; 32]), JwkError::OffCurve),
        // Not reduced: over the field's prime.
        (jwk_ec("P-256", &[0xff; 32], &y), JwkError::OffCurve),
        (jwk_ec("P-256", &x[1..], &y), JwkError::Number),
        (
            jwk_ec("P-256", &[&[0], &x[..]].concat(), &y),
            JwkError::Number,
        ),
        (jwk_ec("P-256", &x, b""), JwkError::Number),
        (jwk_rsa(&odd(1024), &e), JwkError::Modulus),
        (jwk_rsa(&odd(2047), &e), JwkError::Modulus),
        (jwk_rsa(&odd(4097), &e), JwkError::Modulus),
        (jwk_rsa(&with(&n, 255, n[255] ^ 1), &e), JwkError::Modulus),
        (jwk_rsa(&[&[0], &n[..]].concat(), &e), JwkError::Number),
        (jwk_rsa(b"", &e), JwkError::Number),
        (jwk_rsa(&n, &[1]), JwkError::Exponent),
        (jwk_rsa(&n, &[2]), JwkError::Exponent),
        (jwk_rsa(&n, &[1, 0, 0]), JwkError::Exponent),
        (jwk_rsa(&n, &[1, 0, 0, 0, 1]), JwkError::Exponent),
        (jwk_rsa(&n, &[0, 1, 0, 1]), JwkError::Number),
        (jwk_rsa(&n, &[]), JwkError::Number),
        (jwk_rsa(&n, &n), JwkError::Exponent),
        (r#"{"kty":"oct","k":"AAAA"}"#.to_owned(), JwkError::Private),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#.to_owned(),
            JwkError::Type,
        ),
        (r#"{"crv":"P-256"}"#.to_owned(), JwkError::Type),
        (r#"{"kty":"RSA"}"#.to_owned(), JwkError::Number),
        (
            format!(r#"{{"kty":"RSA","n":"{}=","e":"AQAB"}}"#, big(256)),
            JwkError::Number,
        ),
        (
            format!(
                r#"{{"kty":"RSA","kty":"RSA","n":"{}","e":"AQAB"}}"#,
                big(256)
            ),
            JwkError::Json,
        ),
        ("null".to_owned(), JwkError::Json),
        (
            jwk_ec("P-256", &x, &y).replacen('{', r#"{"d":"AAAA","#, 1),
            JwkError::Private,
        ),
    ] {
        assert_eq!(
            PublicKey::from_jwk(jwk.as_bytes()),
            Err(error),
            "{jwk:.100}"
        );
        // And so in a registration, whoever signs it.
        if error != JwkError::Json && jwk.len() < 4000 {
            let algorithm = if jwk.contains("RSA") {
                "RS256"
            } else {
                "ES256"
            };
            let header = format!(r#"{{"alg":"{algorithm}","typ":"dbsc+jwt","jwk":{jwk}}}"#);
            let jwt = ec.jwt(&header, &payload(&offered(&binder(), HOST, NOW)));
            let refusal = register(&binder(), HOST, &jwt, NOW).unwrap_err();
            assert_eq!(refusal, Refusal::Proof(JwtError::Key(error)), "{jwk:.100}");
        }
    }
}

#[test]
fn nobody_registers_a_key_that_is_not_theirs() {
    let binder = binder();
    let (mine, theirs) = (Key::es256(), Key::es256());
    let challenge = offered(&binder, HOST, NOW);
    let header = format!(
        r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#,
        theirs.jwk()
    );
    let refused = |jwt: &str| register(&binder, HOST, jwt, NOW).unwrap_err();
    assert_eq!(
        refused(&mine.jwt(&header, &payload(&challenge))),
        Refusal::Signature
    );
    assert_eq!(refused(&mine.refresh(&challenge)), Refusal::NoKey);
    // A key with the algorithm of another kind.
    let mixed = format!(r#"{{"alg":"RS256","typ":"dbsc+jwt","jwk":{}}}"#, mine.jwk());
    let error = JwtError::AlgorithmOfOtherKey;
    assert_eq!(
        refused(&mine.jwt(&mixed, &payload(&challenge))),
        Refusal::Proof(error)
    );
    // A refresh that was seen is no registration.
    let browser = Browser::register(&binder, Key::es256(), NOW);
    let seen = browser.key.refresh(browser.challenge.as_ref().unwrap());
    assert_eq!(refused(&seen), Refusal::NoKey);
    let overtaken = browser
        .key
        .registration(browser.challenge.as_ref().unwrap());
    assert_eq!(
        refused(&overtaken),
        Refusal::Challenge(Unusable::OtherPurpose)
    );
}

#[test]
fn no_challenge_counts_but_the_one_for_this_key_here() {
    let (here, elsewhere) = (binder(), Binder::new(&ring(&[9]), Lifetime::default()));
    let browser = Browser::register(&here, Key::es256(), NOW);
    let signed = |challenge: &str| {
        let jwt = browser.key.refresh(challenge);
        match challenged(browser.post(&here, Some(&jwt), NOW)).reason {
            Refusal::Challenge(why) => why,
            other => panic!("{other:?}"),
        }
    };
    // The registration's own, another browser's, another host's, another ring's, made up.
    assert_eq!(signed(&offered(&here, HOST, NOW)), Unusable::OtherPurpose);
    let other = Browser::register(&here, Key::es256(), NOW);
    assert_eq!(
        signed(other.challenge.as_ref().unwrap()),
        Unusable::OtherKey
    );
    let sealed_for: Box<str> = "b.example".into();
    assert_eq!(
        signed(&offered(&here, "b.example", NOW)),
        Unusable::OtherHost { sealed_for }
    );
    assert!(matches!(
        signed(&offered(&elsewhere, HOST, NOW)),
        Unusable::UnknownKey(_)
    ));
    assert_eq!(signed("made-up"), Unusable::NotSealed);
    assert_eq!(signed(&"A".repeat(1025)), Unusable::NotSealed);
}

/// Every sealed value, put into every place but its own.
#[test]
fn no_value_can_stand_for_another() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    let refreshed = browser.refresh(&binder, NOW);
    let proof = cookie(&refreshed.set_cookie).0;
    let mark = cookie(&binder.make_mark(HOST, refreshed.proof.key, NOW, random()).1).0;
    let challenge = browser.challenge.clone().unwrap();
    let session = browser.query.split("&k=").nth(1).unwrap().to_owned();
    assert!(binder.proof(proof.as_bytes(), HOST, NOW).is_ok());
    assert!(binder.mark(mark.as_bytes(), HOST, NOW).is_ok());
    for value in [&mark, &challenge, &session] {
        assert_eq!(
            binder.proof(value.as_bytes(), HOST, NOW),
            Err(Unusable::Forged)
        );
    }
    for value in [&proof, &challenge, &session] {
        assert_eq!(
            binder.mark(value.as_bytes(), HOST, NOW),
            Err(Unusable::Forged)
        );
    }
    for value in [&proof, &mark, &session] {
        let jwt = browser.key.refresh(value);
        let reason = challenged(browser.post(&binder, Some(&jwt), NOW)).reason;
        assert_eq!(reason, Refusal::Challenge(Unusable::Forged));
    }
    for value in [&proof, &mark, &challenge] {
        browser.query = format!("t={NOW}&k={value}");
        let refreshing = browser.post(&binder, None, NOW);
        assert_eq!(
            refreshing,
            Refreshing::Ended(Refusal::Session(Unusable::Forged))
        );
    }
}

/// Every character of every sealed value changed, and every end cut off.
#[test]
fn no_value_can_be_changed() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    let refreshed = browser.refresh(&binder, NOW);
    let proof = cookie(&refreshed.set_cookie).0;
    let mark = cookie(&binder.make_mark(HOST, refreshed.proof.key, NOW, random()).1).0;
    let query = browser.query.clone();
    let changed = |text: &str, from: usize| {
        let text = text.to_owned();
        (from..text.len()).flat_map(move |at| {
            let other = if text.as_bytes()[at] == b'A' {
                "B"
            } else {
                "A"
            };
            let swapped = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            [swapped, text[..at].to_owned(), format!("{text}{other}")]
        })
    };
    for proof in changed(&proof, 0) {
        assert!(
            binder.proof(proof.as_bytes(), HOST, NOW).is_err(),
            "{proof}"
        );
    }
    for mark in changed(&mark, 0) {
        assert!(binder.mark(mark.as_bytes(), HOST, NOW).is_err(), "{mark}");
    }
    for query in changed(&query, query.find("&k=").unwrap() + 3) {
        browser.query = query;
        let refreshing = browser.post(&binder, None, NOW);
        assert!(
            matches!(
                refreshing,
                Refreshing::Ended(_) | Refreshing::Unavailable(_)
            ),
            "{refreshing:?}"
        );
    }
}

#[test]
fn proofs_and_marks_stay_on_their_host_and_in_their_time() {
    let binder = binder();
    let refreshed = Browser::register(&binder, Key::es256(), NOW).refresh(&binder, NOW);
    let proof = cookie(&refreshed.set_cookie).0;
    let mark = cookie(&binder.make_mark(HOST, refreshed.proof.key, NOW, random()).1).0;
    let sealed_for: Box<str> = HOST.into();
    for host in [
        "",
        "app.exampl",
        "app.example.",
        "app.example:8443",
        "App.example",
        "b.example",
    ] {
        let moved = Unusable::OtherHost {
            sealed_for: sealed_for.clone(),
        };
        assert_eq!(
            binder.proof(proof.as_bytes(), host, NOW),
            Err(moved.clone())
        );
        assert_eq!(binder.mark(mark.as_bytes(), host, NOW), Err(moved));
    }
    let proof = |now| binder.proof(proof.as_bytes(), HOST, now).err();
    assert_eq!(proof(NOW - 300), None);
    assert_eq!(proof(NOW - 301), Some(Unusable::FromTheFuture));
    assert_eq!(proof(0), Some(Unusable::FromTheFuture));
    assert_eq!(proof(NOW + 605), Some(Unusable::Expired { seconds: 5 }));
    assert!(matches!(proof(u64::MAX), Some(Unusable::Expired { .. })));
    let mark = |now| binder.mark(mark.as_bytes(), HOST, now).err();
    assert_eq!(mark(NOW + 59), None);
    assert_eq!(mark(NOW + 60), Some(Unusable::Expired { seconds: 0 }));
    assert_eq!(mark(NOW - 301), Some(Unusable::FromTheFuture));
}

#[test]
fn what_is_too_long_is_not_looked_at() {
    let binder = binder();
    let browser = Browser::register(&binder, Key::es256(), NOW);
    let field = |text: String| challenged(browser.post(&binder, Some(&text), NOW)).reason;
    let too_long = Refusal::ProofField(FieldError::TooLong);
    assert_eq!(field("a".repeat(MAX_JWT + 1)), too_long);
    assert_eq!(field(format!("\"{}\"", "a".repeat(MAX_JWT))), too_long);
    for bad in [
        "",
        " ",
        "a b",
        "\"a",
        "\"a\" b",
        "a,b",
        "\"a\", \"b\"",
        ":YQ==:",
        "?1",
        "\u{e9}",
    ] {
        assert_eq!(
            field(bad.to_owned()),
            Refusal::ProofField(FieldError::NoString),
            "{bad:?}"
        );
    }
    let long = "A".repeat(100_000);
    assert_eq!(
        binder.proof(long.as_bytes(), HOST, NOW),
        Err(Unusable::NotSealed)
    );
    assert_eq!(
        binder.mark(long.as_bytes(), HOST, NOW),
        Err(Unusable::NotSealed)
    );
}
