//! What must hold for every sealed value and for every text that claims to be one. The fuzz target
//! calls [`sealed_value`], and `tests/corpus.rs` calls it for every file of the committed corpus.

#![allow(
    dead_code,
    reason = "not every test that includes this file uses all of it"
)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use sealwax_cookie::{
    Attributes, Contents, CookieSeal, KeyAge, KeyRing, SameSite, Scope, SealKey, SetCookie, WhyNot,
};

pub(crate) const NOW: i64 = 1_764_000_000;
pub(crate) const HOST: &[u8] = b"app.example.com";

pub(crate) fn ring(keys: &[u8]) -> KeyRing {
    let mut keys = keys.iter().map(|n| SealKey::new([*n; 32]));
    KeyRing::new(keys.next().unwrap(), keys).unwrap()
}

/// A line that came back as a cookie's value, and behind it what an app may have set.
pub(crate) fn sealed_value(data: &[u8]) {
    let cut = data.iter().position(|byte| *byte == b'\n');
    let (text, rest) = data.split_at(cut.unwrap_or(data.len()));
    claimed(text);
    let rest = rest.get(1..).unwrap_or_default();
    made_of(rest);
    if let Ok(cookie) = SetCookie::parse(rest) {
        of_a_cookie(&cookie);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        key_ring(text);
    }
}

/// Nobody has sealed `text`: whatever it is, it does not open.
fn claimed(text: &[u8]) {
    let seal = CookieSeal::new(&ring(&[1, 2]));
    let why = seal.open(text, b"sid", HOST, NOW).unwrap_err();
    assert!(matches!(
        why,
        WhyNot::Forged | WhyNot::NotSealed | WhyNot::UnknownKey(_)
    ));
    let why = ring(&[1]).sealer("challenge").open(text).unwrap_err();
    assert_eq!(format!("{why}").is_empty(), why.id().is_empty());
}

/// Contents of any bytes come back, under both keys, and not when one byte is another.
fn made_of(data: &[u8]) {
    let mut data = data.iter().copied();
    let mut next = || data.next().unwrap_or_default();
    let (flags, steer, at, flip, expires) = (next(), next(), next(), next(), next());
    let rest: Vec<u8> = data.collect();
    let mut cuts = rest.splitn(6, |byte| *byte == b'|');
    let mut field = || cuts.next().unwrap_or_default();
    let host = field();
    let contents = Contents {
        name: field(),
        scope: match flags & 1 {
            0 => Scope::Host(host),
            _ => Scope::Domain(host),
        },
        issued: NOW,
        expires: NOW + 1 + i64::from(expires),
        attributes: Attributes {
            path: (flags & 2 != 0).then_some(field()),
            secure: flags & 4 != 0,
            http_only: flags & 8 != 0,
            same_site: match steer % 4 {
                0 => None,
                1 => Some(SameSite::None),
                2 => Some(SameSite::Lax),
                _ => Some(SameSite::Strict),
            },
            partitioned: flags & 16 != 0,
            persistent: flags & 32 != 0,
            others: field().into(),
        },
        note: field(),
        value: field(),
    };
    round_trip(&contents, at, flip);
}

/// What is made of a cookie that an app has set can be sent again and read as the same.
fn of_a_cookie(cookie: &SetCookie<'_>) {
    let contents = Contents::of(cookie, HOST, b"/login/", NOW);
    if !cookie.is_deletion(NOW) {
        round_trip(&contents, 0, 0);
    }
    if let Some(field) = contents.set_cookie(cookie.name(), cookie.value(), NOW) {
        let again = SetCookie::parse(&field).expect("what goes out can be read");
        let mut again = Contents::of(&again, HOST, b"/elsewhere/", NOW);
        // In the past is in the past.
        again.expires = again.expires.max(contents.expires.min(NOW));
        assert_eq!(again, contents);
    }
}

fn round_trip(contents: &Contents<'_>, at: u8, flip: u8) {
    let old = CookieSeal::new(&ring(&[1]));
    let Ok(text) = old.seal(contents, b"__Host-sid", [9; 12]) else {
        return;
    };
    assert!(text.len() + 10 <= 4096);
    let (Scope::Domain(host) | Scope::Host(host)) = contents.scope;
    let new = CookieSeal::new(&ring(&[2, 1]));
    for (seal, by) in [(&old, KeyAge::First), (&new, KeyAge::Older)] {
        let opened = seal.open(text.as_bytes(), contents.name, host, NOW);
        match opened {
            Ok(opened) => {
                assert_eq!(opened.contents(), *contents);
                assert_eq!(opened.by(), by);
            }
            // A Domain without a name matches no host.
            Err(WhyNot::OtherHost { .. }) => {
                assert!(contents.scope == Scope::Domain(b""), "its own host");
            }
            Err(why) => panic!("{why}"),
        }
        let expired = seal.open(text.as_bytes(), contents.name, host, contents.expires);
        assert!(expired.is_err());
    }
    let mut bytes = text.into_bytes();
    let place = usize::from(at) * bytes.len() / 256;
    bytes[place] ^= flip.max(1);
    assert!(old.open(&bytes, contents.name, host, NOW).is_err());
    assert!(old.open(&bytes[..place], contents.name, host, NOW).is_err());
}

/// Whatever reads as a key ring is written as one, and its errors have a line.
fn key_ring(text: &str) {
    match KeyRing::parse(text) {
        Ok(ring) => {
            let again = KeyRing::parse(&ring.to_text()).unwrap();
            assert_eq!(*again.to_text(), *ring.to_text());
        }
        Err(error) => assert!((1..=text.lines().count().max(1)).contains(&error.line)),
    }
}
