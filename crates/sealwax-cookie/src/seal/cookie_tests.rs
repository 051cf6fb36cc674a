use super::*;
use crate::seal::{KeyRing, SealKey};
use crate::set_cookie::SetCookie;

const NOW: i64 = 1_764_000_000;
const NONCE: [u8; 12] = *b"twelve bytes";

fn ring(keys: &[u8]) -> KeyRing {
    let mut keys = keys.iter().map(|n| SealKey::new([*n; 32]));
    KeyRing::new(keys.next().unwrap(), keys).unwrap()
}

fn seal() -> CookieSeal {
    CookieSeal::new(&ring(&[1]))
}

/// Seals what the app at `app.example.com` sends.
fn sealed(field: &str) -> String {
    let cookie = SetCookie::parse(field.as_bytes()).unwrap();
    let contents = Contents::of(&cookie, b"app.example.com", b"/login/", NOW);
    seal().seal(&contents, b"__Host-sid", NONCE).unwrap()
}

fn opens(text: &str, name: &str, host: &str, now: i64) -> Result<(), WhyNot> {
    seal()
        .open(text.as_bytes(), name.as_bytes(), host.as_bytes(), now)
        .map(drop)
}

#[test]
fn a_host_only_cookie_opens_on_its_own_host_only() {
    let text = sealed("sid=1; Path=/");
    for host in ["app.example.com", "APP.example.COM"] {
        assert_eq!(opens(&text, "sid", host, NOW), Ok(()));
    }
    for host in [
        "example.com",
        "a.app.example.com",
        "app.example.com.",
        "evil-app.example.com",
        "app.example.com.evil.test",
        "",
    ] {
        let why = opens(&text, "sid", host, NOW).unwrap_err();
        let sealed_for = "app.example.com".into();
        assert_eq!(why, WhyNot::OtherHost { sealed_for }, "{host}");
    }
}

#[test]
fn a_cookie_with_a_domain_opens_wherever_the_browser_sends_it() {
    let text = sealed("sid=1; Path=/; Domain=.Example.com");
    for host in ["example.com", "app.example.com", "a.b.example.com"] {
        assert_eq!(opens(&text, "sid", host, NOW), Ok(()), "{host}");
    }
    for host in [
        "evil-example.com",
        "com",
        "example.org",
        "example.com.evil.test",
    ] {
        let why = opens(&text, "sid", host, NOW).unwrap_err();
        let sealed_for = "Example.com".into();
        assert_eq!(why, WhyNot::OtherHost { sealed_for }, "{host}");
    }
}

#[test]
fn a_value_cannot_be_moved_to_another_name() {
    let text = sealed("sid=1; Path=/");
    for name in ["", "SID", "sid ", "__Host-sid", "admin"] {
        let moved = opens(&text, name, "app.example.com", NOW);
        assert_eq!(moved, Err(WhyNot::OtherName), "{name}");
    }
}

#[test]
fn what_another_purpose_sealed_is_no_cookie() {
    let raw = seal()
        .0
        .open_raw(sealed("sid=1; Path=/").as_bytes())
        .unwrap()
        .0;
    let plain = &raw[PLAIN_START..];
    let other = ring(&[1]).sealer("challenge").seal(plain, NONCE);
    let found = opens(&other, "sid", "app.example.com", NOW);
    assert_eq!(found, Err(WhyNot::Forged));
    // The same bytes under the right purpose are one.
    let same = ring(&[1]).sealer("cookie").seal(plain, NONCE);
    assert_eq!(opens(&same, "sid", "app.example.com", NOW), Ok(()));
}

#[test]
fn time_ends_to_the_second() {
    let text = sealed("sid=1; Path=/; Max-Age=60");
    let at = |now| opens(&text, "sid", "app.example.com", now);
    assert_eq!(at(NOW + 59), Ok(()));
    assert_eq!(at(NOW + 60), Err(WhyNot::Expired));
    assert_eq!(at(i64::MAX), Err(WhyNot::Expired));
    // Another node's clock may be five minutes ahead.
    assert_eq!(at(NOW - MAX_SKEW), Ok(()));
    assert_eq!(at(NOW - MAX_SKEW - 1), Err(WhyNot::FromTheFuture));
    assert_eq!(at(i64::MIN), Err(WhyNot::FromTheFuture));
}

#[test]
fn a_cookie_without_a_lifetime_ends_after_400_days() {
    let text = sealed("sid=1; Path=/");
    let day = 24 * 60 * 60;
    assert_eq!(
        opens(&text, "sid", "app.example.com", NOW + 400 * day - 1),
        Ok(())
    );
    let over = opens(&text, "sid", "app.example.com", NOW + 400 * day);
    assert_eq!(over, Err(WhyNot::Expired));
}

#[test]
fn values_are_bytes() {
    for value in [
        &b""[..],
        b"\xff\x00\xfe",
        "\u{e9}".as_bytes(),
        b"\"quoted\"",
    ] {
        let contents = Contents {
            value,
            note: b"\0note\xff",
            ..Contents::of(
                &SetCookie::parse(b"sid=x; Path=/").unwrap(),
                b"a.test",
                b"/",
                NOW,
            )
        };
        let text = seal().seal(&contents, b"sid", NONCE).unwrap();
        let opened = seal()
            .open(text.as_bytes(), b"sid", b"a.test", NOW)
            .unwrap();
        assert_eq!(opened.contents(), contents);
    }
}

#[test]
fn whatever_is_changed_cut_off_or_put_on_does_not_open() {
    let text = sealed("sid=1; Path=/");
    let open = |text: &[u8]| seal().open(text, b"sid", b"app.example.com", NOW);
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let why = open(&bytes).unwrap_err();
        assert!(
            matches!(
                why,
                WhyNot::Forged | WhyNot::NotSealed | WhyNot::UnknownKey(_)
            ),
            "{at}: {why}"
        );
        assert!(open(&text.as_bytes()[..at]).is_err());
    }
    assert!(open(format!("{text}A").as_bytes()).is_err());
    assert_eq!(open(&[b'A'; 4097]).unwrap_err(), WhyNot::NotSealed);
}

#[test]
fn an_older_key_opens_and_says_so() {
    let text = sealed("sid=1; Path=/");
    let by = |keys: &[u8]| {
        let opened =
            CookieSeal::new(&ring(keys)).open(text.as_bytes(), b"sid", b"app.example.com", NOW);
        opened.map(|opened| opened.by())
    };
    assert_eq!(by(&[1, 2]), Ok(KeyAge::First));
    assert_eq!(by(&[2, 1]), Ok(KeyAge::Older));
    let id = ring(&[1]).ids().next().unwrap();
    assert_eq!(by(&[2]), Err(WhyNot::UnknownKey(id)));
}

#[test]
fn a_layout_to_come_is_not_read() {
    let text = ring(&[1]).sealer(CookieSeal::PURPOSE).seal(&[2; 40], NONCE);
    let found = opens(&text, "sid", "app.example.com", NOW);
    assert_eq!(found, Err(WhyNot::NotSealed));
}

/// The numbers in the documentation of [`CookieSeal`].
#[test]
fn sizes_are_as_documented() {
    let field = "sessionid=kq3vzn0mk3zsh8r9t7c1k2m4x5b6n7v8; Path=/; Max-Age=1209600; HttpOnly";
    assert_eq!(sealed(field).len(), 143);

    let longest = 2985;
    let value = vec![b'x'; longest + 1];
    let cookie = SetCookie::parse(b"sessionid=x; Path=/").unwrap();
    let contents = Contents::of(&cookie, b"app.example.com", b"/", NOW);
    let seal_so_many = |length: usize| {
        let contents = Contents {
            value: &value[..length],
            ..contents.clone()
        };
        seal().seal(&contents, b"__Host-sessionid", NONCE)
    };
    assert!(seal_so_many(longest).is_ok());
    assert!(seal_so_many(longest + 1).is_err());
}

#[test]
fn exactly_4096_bytes_fit() {
    let contents = Contents::of(
        &SetCookie::parse(b"sid=x; Path=/").unwrap(),
        b"a.test",
        b"/",
        NOW,
    );
    let length = seal().seal(&contents, b"", NONCE).unwrap().len();
    let name = vec![b'n'; 4097 - length];
    assert!(seal().seal(&contents, &name[1..], NONCE).is_ok());
    let error = seal().seal(&contents, &name, NONCE).unwrap_err();
    assert_eq!(error, TooLong { length: 4097 });
}

#[test]
fn debug_shows_no_value() {
    let text = sealed("sid=115secret; Path=/");
    let opened = seal()
        .open(text.as_bytes(), b"sid", b"app.example.com", NOW)
        .unwrap();
    let shown = format!("{opened:?}");
    assert!(
        shown.contains("app.example.com") && shown.contains("First"),
        "{shown}"
    );
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn every_reason_has_an_id_and_a_sentence() {
    let id = KeyId::from_bytes([1, 2, 3, 4]);
    let reasons = [
        (WhyNot::Expired, "seal.expired"),
        (WhyNot::Forged, "seal.forged"),
        (WhyNot::FromTheFuture, "seal.from-the-future"),
        (WhyNot::NotSealed, "seal.not-sealed"),
        (
            WhyNot::OtherHost {
                sealed_for: "a.test".into(),
            },
            "seal.other-host",
        ),
        (WhyNot::OtherName, "seal.other-name"),
        (WhyNot::UnknownKey(id), "seal.unknown-key"),
    ];
    for (why, id) in reasons {
        assert_eq!(why.id(), id);
        assert!(why.to_string().len() > 20);
    }
    assert!(WhyNot::UnknownKey(id).to_string().contains("01020304"));
}
