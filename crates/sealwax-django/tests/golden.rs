//! Texts that Django 6.1.3 made, with one key at one time: made again here, byte for byte.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

use std::time::Duration;

use sealwax_django::session::{Engine, SessionCodec, SessionData};
use sealwax_django::{
    BadSignature, DUMPS_SALT, KeyUsed, Keys, LegacySalt, SecretKey, SignedCookie, Signer,
    TimestampSigner, dumps, loads,
};

const KEY: &str = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
const NOW: Duration = Duration::from_secs(1_764_000_000);

fn keys() -> Keys {
    Keys::new(SecretKey::new(KEY).unwrap())
}

#[test]
fn signer() {
    let plain = Signer::new(&keys(), Signer::SALT);
    let text = "foo:g4y2ZvvNxtxnECDdL-jBGPu6ypNJ7q7ssJJ5O1Kprjc";
    assert_eq!(plain.sign("foo"), text);
    assert_eq!(plain.unsign(text), Ok("foo"));
    assert_eq!(plain.signature("foo"), text["foo:".len()..]);
    let extra = Signer::new(&keys(), "extra");
    assert_eq!(
        extra.sign("foo"),
        "foo:whlw7hbB6uTvdtjmVA3aFQ0cR-fO2mmkbJTNsC8hWRw"
    );
    assert_eq!(extra.unsign(text), Err(BadSignature::Mismatch));
    assert_eq!(plain.unsign("foo"), Err(BadSignature::MissingSeparator));
    assert_eq!(plain.unsign("foo:"), Err(BadSignature::Mismatch));
    assert_eq!(plain.unsign(""), Err(BadSignature::MissingSeparator));
}

#[test]
fn timestamp_signer() {
    let signer = TimestampSigner::new(&keys(), TimestampSigner::SALT);
    let text = "foo:1vNYyu:S8-Cik8vh0qV8nVTWArPEqM4xk-yTBx8ytMZfmZR7jI";
    assert_eq!(signer.sign("foo", NOW), text);
    let second = Duration::from_secs(1);
    let max_age = Some(10 * second);
    assert_eq!(signer.unsign(text, max_age, NOW + 10 * second), Ok("foo"));
    assert_eq!(
        signer.unsign(text, max_age, NOW + 10 * second + Duration::from_nanos(1)),
        Err(BadSignature::Expired {
            max_age: 10 * second
        })
    );
    assert_eq!(signer.unsign(text, Some(Duration::ZERO), NOW), Ok("foo"));
    // A clock that is behind is no reason to refuse.
    assert_eq!(
        signer.unsign(text, Some(Duration::ZERO), Duration::ZERO),
        Ok("foo")
    );
}

#[test]
fn a_signed_text_without_a_time_is_told_apart() {
    let plain = Signer::new(&keys(), TimestampSigner::SALT);
    let stamped = TimestampSigner::new(&keys(), TimestampSigner::SALT);
    for text in ["foo", "foo:", "foo:!", "foo:zzzzzzzzzzzzzzzzz"] {
        assert_eq!(
            stamped.unsign(&plain.sign(text), None, NOW),
            Err(BadSignature::BadTimestamp),
            "{text}"
        );
    }
}

#[test]
fn objects() {
    let signer = TimestampSigner::new(&keys(), DUMPS_SALT);
    assert_eq!(
        dumps(&signer, "hello", false, NOW).unwrap(),
        "ImhlbGxvIg:1vNYyu:fYmO05L0p3QSb4b8926vI8fJrJfz4AaF-_VKz6l4kKg"
    );
    let value = serde_json::json!({"k": "\u{e9}\u{2019}\u{1f600}"});
    let text = "eyJrIjoiXHUwMGU5XHUyMDE5XHVkODNkXHVkZTAwIn0:1vNYyu:-Vsy4ZTR6S5mFYRPiV35MuVvuOmnYLdoy6yyxstbfNY";
    assert_eq!(dumps(&signer, &value, false, NOW).unwrap(), text);
    assert_eq!(
        loads::<serde_json::Value>(&signer, text, None, NOW).unwrap(),
        value
    );
}

#[test]
fn signed_cookies() {
    for (name, salt, text) in [
        (
            "c",
            "",
            "hello:1vNYyu:659kLcpzNAqTHxPXECHy_fcbMAD00B32q9vz2Jo3MO0",
        ),
        (
            "a",
            "bc",
            "hello:1vNYyu:e9_bSFL6AkUpbS2Yc16jiSHTbtlrChL0hxtXU-vdtcc",
        ),
        (
            "c",
            "\u{fc}",
            "hello:1vNYyu:M1q2TIWjpwrBav9EWunxzntHP_TABFD2ESkjsyz6-mY",
        ),
    ] {
        let cookie = SignedCookie::new(&keys(), name, salt, LegacySalt::Off);
        assert_eq!(cookie.sign("hello", NOW), text);
        assert_eq!(cookie.unsign(text, None, NOW), Ok("hello"));
    }
}

#[test]
fn signed_cookies_under_the_old_salt() {
    let text = "hello:1vNYyu:0a_sKcV7Dpti2oLyx2EWutz37luNKR7c03lmf-_1I1o";
    let cookie = |legacy| SignedCookie::new(&keys(), "c", "", legacy);
    let (off, read, write) = (
        cookie(LegacySalt::Off),
        cookie(LegacySalt::Read),
        cookie(LegacySalt::Write),
    );
    assert_eq!(write.sign("hello", NOW), text);
    assert_eq!(off.unsign(text, None, NOW), Err(BadSignature::Mismatch));
    assert_eq!(read.unsign(text, None, NOW), Ok("hello"));
    assert_eq!(write.unsign(text, None, NOW), Ok("hello"));
    assert_eq!(read.sign("hello", NOW), off.sign("hello", NOW));
    assert_eq!(
        write.unsign(&off.sign("hello", NOW), None, NOW),
        Ok("hello")
    );
    let late = NOW + Duration::from_secs(9);
    let error = read
        .unsign(text, Some(Duration::from_secs(1)), late)
        .unwrap_err();
    assert!(error.is_expired());
    // Name and salt ran together in the old one: that is why there is a new one.
    let (ab, a) = (
        SignedCookie::new(&keys(), "ab", "c", LegacySalt::Write),
        SignedCookie::new(&keys(), "a", "bc", LegacySalt::Write),
    );
    assert_eq!(a.unsign(&ab.sign("x", NOW), None, NOW), Ok("x"));
    let a = SignedCookie::new(&keys(), "a", "bc", LegacySalt::Off);
    let ab = SignedCookie::new(&keys(), "ab", "c", LegacySalt::Off);
    assert_eq!(
        a.unsign(&ab.sign("x", NOW), None, NOW),
        Err(BadSignature::Mismatch)
    );
}

#[test]
fn sessions() {
    for (engine, json, text) in [
        (
            Engine::Db,
            r#"{"a":1}"#,
            "eyJhIjoxfQ:1vNYyu:kPVysRphsGAXHccG4Z_QE2nlcEqUsQ9ZejL-BIo5nAE",
        ),
        (
            Engine::Db,
            "{}",
            "e30:1vNYyu:_wd8jcbTHObVwwNWQ8cyRd1pFLGl_Vl05ytP7GN01rA",
        ),
        (
            Engine::SignedCookies,
            r#"{"a":1}"#,
            "eyJhIjoxfQ:1vNYyu:AJAUgASB8h0XSql4kIXt2IO1biwS13TFnMv4mtrgGTs",
        ),
    ] {
        let codec = SessionCodec::new(&keys(), &engine);
        let data = SessionData::from_json(json).unwrap();
        assert_eq!(codec.encode(&data, NOW), text);
        let read = codec.decode(text, None, NOW).unwrap();
        assert_eq!(read, data);
        assert_eq!(read.to_json(), json);
    }
    let empty = SessionCodec::new(&keys(), &Engine::File);
    assert!(empty.encode(&SessionData::new(), NOW).starts_with("e30:"));
    let own = SessionCodec::new(&keys(), &Engine::Custom("Mine".into()));
    assert!(
        own.decode(&empty.encode(&SessionData::new(), NOW), None, NOW)
            .is_err()
    );
}

#[test]
fn a_session_is_read_whether_compressed_or_not() {
    let zlib = SessionCodec::new(&keys(), &Engine::Db);
    let plain = zlib.clone().with_compression(false);
    let mut data = SessionData::new();
    data.insert("again", &"and again ".repeat(20)).unwrap();
    let (short, long) = (zlib.encode(&data, NOW), plain.encode(&data, NOW));
    assert!(short.starts_with('.') && !long.starts_with('.') && short.len() < long.len());
    for codec in [&zlib, &plain] {
        assert_eq!(codec.decode(&short, None, NOW).unwrap(), data);
        assert_eq!(codec.decode(&long, None, NOW).unwrap(), data);
    }
}

#[test]
fn retired_keys_verify_and_do_not_sign() {
    let new = Keys::new(SecretKey::new("new").unwrap()).with_fallbacks([
        SecretKey::new("older").unwrap(),
        SecretKey::new(KEY).unwrap(),
    ]);
    let signer = Signer::new(&new, Signer::SALT);
    let text = "foo:g4y2ZvvNxtxnECDdL-jBGPu6ypNJ7q7ssJJ5O1Kprjc";
    assert_eq!(signer.unsign_with(text), Ok(("foo", KeyUsed::Fallback(1))));
    let own = signer.sign("foo");
    assert_ne!(own, text);
    assert_eq!(signer.unsign_with(&own), Ok(("foo", KeyUsed::Current)));
}
