//! Properties that hold for every text, tried on random ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use proptest::prelude::*;
use sealwax_django::cookie::{self, Attributes};
use sealwax_django::csrf::{self, CsrfSecret};
use sealwax_django::session::{Engine, Expiry, SessionCodec, SessionData};
use sealwax_django::{
    Keys, LegacySalt, Login, Message, MessagesCookie, SecretKey, SessionAuth, SignedCookie, Signer,
    TimestampSigner, UNPACKED_LIMIT, base62, dumps, loads, pack, password, unpack,
};
use serde_json::Value;

fn keys(key: &[u8]) -> Keys {
    Keys::new(SecretKey::new(key).unwrap())
}

/// Any bytes, and near misses of what is well formed.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[.:a-zA-Z0-9_=-]{0,80}",
        r#"[\[\]{}",:0-9a-zA-Z\\ .+-]{0,60}"#,
        r#"\{"[a-z]{0,3}":(["0-9\\u]{0,12}|NaN|\[[0-9,]{0,5}\]|null)(,"[a-z]{0,2}":-?[0-9]{1,30})?\}"#,
        r#"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.+Z-]{0,20}"#,
        r#"([a-z ]{0,4}=?"?[a-z\\0-9]{0,9}"?;){0,6}"#,
        r"(pbkdf2_sha256|pbkdf2_sha1|md5)?\$?[0-9]{0,2}\$[a-z$]{0,9}",
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_signed_is_read(
        key in prop::collection::vec(any::<u8>(), 1..99),
        salt in any::<String>(),
        value in any::<String>(),
        now in 0..=253_402_300_799_u64,
    ) {
        let keys = keys(&key);
        let signer = Signer::new(&keys, &salt);
        let signed = signer.sign(&value);
        prop_assert_eq!(signer.unsign(&signed), Ok(&*value));
        let now = Duration::from_secs(now);
        let stamped = TimestampSigner::new(&keys, &salt);
        let signed = stamped.sign(&value, now);
        prop_assert_eq!(stamped.unsign(&signed, Some(Duration::ZERO), now), Ok(&*value));
        prop_assert!(stamped.unsign(&signed, Some(Duration::ZERO), now + Duration::from_nanos(1)).is_err());
        let other = TimestampSigner::new(&keys, salt + "2");
        prop_assert!(other.unsign(&signed, None, now).is_err());
    }

    #[test]
    fn one_changed_character_is_refused(value in any::<String>(), at in any::<prop::sample::Index>(), to in any::<char>()) {
        let signer = Signer::new(&keys(b"key"), "salt");
        let signed: Vec<char> = signer.sign(&value).chars().collect();
        let mut spoilt = signed.clone();
        spoilt[at.index(signed.len())] = to;
        prop_assume!(spoilt != signed);
        let spoilt: String = spoilt.into_iter().collect();
        prop_assert!(signer.unsign(&spoilt).is_err());
    }

    #[test]
    fn bytes_are_packed_and_unpacked(bytes in prop::collection::vec(any::<u8>(), 0..300), times in 1..40_usize) {
        let bytes = bytes.repeat(times);
        for compress in [false, true] {
            let text = pack(&bytes, compress);
            prop_assert_eq!(unpack(&text, bytes.len()), Ok(bytes.clone()));
            if let Some(less) = bytes.len().checked_sub(1) {
                prop_assert!(unpack(&text, less).is_err());
            }
        }
    }

    #[test]
    fn numbers_in_base_62(number in any::<i64>()) {
        prop_assert_eq!(base62::decode(&base62::encode(number)), Ok(number));
    }

    #[test]
    fn objects_are_dumped_and_loaded(value in json()) {
        let signer = TimestampSigner::new(&keys(b"key"), "salt");
        let text = dumps(&signer, &value, true, Duration::ZERO).unwrap();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(loads::<Value>(&signer, &text, None, Duration::ZERO).unwrap(), value);
    }

    #[test]
    fn sessions_keep_what_nobody_touches(names in prop::collection::vec(any::<String>(), 0..40), value in json(), touched in any::<String>()) {
        let mut data = SessionData::new();
        for name in &names {
            data.insert(name, &value).unwrap();
        }
        let codec = SessionCodec::new(&keys(b"key"), &Engine::Db);
        let text = codec.encode(&data, Duration::ZERO);
        let mut read = codec.decode(&text, None, Duration::ZERO).unwrap();
        prop_assert_eq!(&read, &data);
        let before = read.to_json().into_owned();
        let there = read.contains(&touched);
        prop_assert_eq!(there, names.contains(&touched));
        if !there {
            read.insert(&touched, "x").unwrap();
            prop_assert_eq!(read.get::<String>(&touched).unwrap().unwrap(), "x");
            prop_assert!(read.remove(&touched));
        }
        prop_assert_eq!(read.to_json(), before);
        for name in &names {
            prop_assert_eq!(read.get::<Value>(name).unwrap().unwrap(), value.clone());
        }
    }

    #[test]
    fn a_map_is_a_map_whoever_reads_it(text in text()) {
        // What serde_json reads, we read; with the same names and, parsed, the same values.
        if let Ok(Value::Object(map)) = serde_json::from_str::<Value>(&text) {
            let data = SessionData::from_json(text.as_str()).unwrap();
            prop_assert_eq!(data.len(), map.len());
            for (name, value) in &map {
                prop_assert_eq!(&data.get::<Value>(name).unwrap().unwrap(), value);
            }
        }
    }

    #[test]
    fn tokens_unmask_to_their_secret(secret in any::<[u8; 32]>(), mask in any::<[u8; 32]>()) {
        let secret = CsrfSecret::from_random(&secret);
        let token = secret.mask(&mask);
        prop_assert_eq!(csrf::check_format(&token), Ok(()));
        prop_assert!(CsrfSecret::parse(&token).unwrap().matches(&secret));
    }

    #[test]
    fn cookies_come_back(name in "[!#-'*+.0-9A-Z^_`a-z|~-]{1,20}", value in any::<String>()) {
        let field = cookie::format(&name, &value, &Attributes::default()).unwrap();
        prop_assert!(!field.contains(';') && !field.bytes().any(|byte| byte < 0x20 || byte == 0x7f));
        let read = cookie::value(&field, &name);
        prop_assert_eq!(read.as_deref(), Some(&*value));
    }

    #[test]
    fn messages_come_back(texts in prop::collection::vec((any::<i64>(), any::<String>(), any::<Option<String>>(), any::<bool>()), 1..20)) {
        let messages: Vec<Message> = texts
            .into_iter()
            .map(|(level, text, extra_tags, safe)| Message { level, text, extra_tags, safe })
            .collect();
        let cookie = MessagesCookie::new(&keys(b"key"));
        let stored = cookie.store(&messages, Duration::ZERO);
        let received = cookie.read(&stored.cookie.unwrap(), Duration::ZERO).unwrap();
        prop_assert_eq!(received.all, stored.left_out == 0);
        prop_assert_eq!(&received.messages, &messages[stored.left_out..]);
    }

    #[test]
    fn dates_come_back(micros in -62_135_596_800_000_000..253_402_300_800_000_000_i64) {
        let mut data = SessionData::new();
        Expiry::At(micros).write(&mut data);
        prop_assert_eq!(Expiry::of(&data), Ok(Expiry::At(micros)));
    }

    #[test]
    fn no_text_panics(text in text(), now in any::<u64>()) {
        let (keys, now) = (keys(b"key"), Duration::from_secs(now));
        let signer = TimestampSigner::new(&keys, "");
        // As it is, and well signed.
        for text in [text.clone(), Signer::new(&keys, "").sign(&text), signer.sign(&text, now)] {
            let _ = signer.unsign(&text, Some(Duration::ZERO), now);
            let _ = loads::<Value>(&signer, &text, None, now);
        }
        let _ = base62::decode(&text);
        let _ = unpack(&text, UNPACKED_LIMIT);
        let _ = CsrfSecret::parse(&text);
        let _ = cookie::parse(&text);
        let _ = cookie::value(&text, "a");
        let _ = cookie::format(&text, &text, &Attributes { path: Some(&text), ..Attributes::default() });
        let _ = SignedCookie::new(&keys, &text, &text, LegacySalt::Read).unsign(&text, None, now);
        let _ = MessagesCookie::new(&keys).read(&text, now);
        let _ = SessionAuth::new(&keys).matches(&text, &text);
        let _ = password::verify(&text, &text);
        let _ = Signer::new(&keys, &text).with_separator(&text);
        if let Ok(data) = SessionData::from_json(text.as_str()) {
            let _ = Login::of(&data);
        }
        let mut data = SessionData::new();
        data.insert("_session_expiry", &text).unwrap();
        if let Ok(expiry) = Expiry::of(&data) {
            let _ = (expiry.age(Duration::MAX, now), expiry.date(Duration::MAX, now));
        }
        if data.insert_raw("_session_expiry", text).is_ok() {
            let _ = Expiry::of(&data).map(|expiry| expiry.date(Duration::MAX, now));
        }
    }
}
