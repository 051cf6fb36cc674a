use super::*;

fn parse(field: &str) -> SetCookie<'_> {
    SetCookie::parse(field.as_bytes()).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn names_and_values() {
    for (field, name, value) in [
        ("a=b", "a", "b"),
        ("  a\t= b \t; Path=/", "a", "b"),
        ("a=b=c", "a", "b=c"),
        ("a=", "a", ""),
        ("=v", "", "v"),
        ("a", "", "a"),
        ("a; Secure", "", "a"),
        // A semicolon ends the value even inside quotes.
        (r#"sid="a;b"; Path=/"#, "sid", r#""a"#),
        (r#"sid="a b""#, "sid", r#""a b""#),
        (r#"j={"x":[1,2]}; Path=/"#, "j", r#"{"x":[1,2]}"#),
        ("arr[0]=1", "arr[0]", "1"),
        ("a=b\tc", "a", "b\tc"),
    ] {
        let cookie = parse(field);
        assert_eq!(
            (text(cookie.name()), text(cookie.value())),
            (name, value),
            "{field}"
        );
        assert_eq!(text(cookie.as_bytes()), field);
    }
}

#[test]
fn flags_ignore_their_values_and_their_case() {
    let cookie = parse("a=b; Secure=1; httponly = no;PARTITIONED");
    assert!(cookie.secure() && cookie.http_only() && cookie.partitioned());
    let cookie = parse("a=b; Secured; Http-Only; x=Secure");
    assert!(!cookie.secure() && !cookie.http_only() && !cookie.partitioned());
    let long = format!("a=b; Secure={}", "x".repeat(1025));
    assert!(
        !parse(&long).secure(),
        "an attribute value over 1024 bytes is ignored"
    );
}

#[test]
fn the_last_same_site_counts() {
    use SameSiteAttribute::{Absent, Invalid, Is};
    for (field, expected) in [
        ("a=b", Absent),
        ("a=b; SameSite", Invalid),
        ("a=b; SameSite=", Invalid),
        ("a=b; SAMESITE=lax", Is(SameSite::Lax)),
        ("a=b; samesite = sTrIcT ", Is(SameSite::Strict)),
        (
            "a=b; Secure=1; SameSite=Bogus; SameSite=None",
            Is(SameSite::None),
        ),
        ("a=b; SameSite=Strict; SameSite=Bogus", Invalid),
    ] {
        assert_eq!(parse(field).same_site(), expected, "{field}");
    }
}

#[test]
fn the_last_domain_counts() {
    for (field, expected, mentions) in [
        ("a=b", None, false),
        ("a=b; Domain=example.com", Some("example.com"), true),
        ("a=b; Domain=.Example.com", Some("Example.com"), true),
        ("a=b; Domain=x.test; domain=", None, false),
        ("a=b; Domain", None, false),
        ("a=b; Domain=.", None, true),
        ("a=b; Domain=a.test; Domain=b.test", Some("b.test"), true),
    ] {
        assert_eq!(parse(field).domain().map(text), expected, "{field}");
        assert_eq!(parse(field).mentions_domain(), mentions, "{field}");
    }
}

#[test]
fn the_last_path_counts() {
    for (field, expected) in [
        ("a=b", None),
        ("a=b; Path=/", Some("/")),
        ("a=b; path = /x y ", Some("/x y")),
        ("a=b; Path=/; Path=", None),
        ("a=b; Path=/; Path=relative", None),
        ("a=b; Path=/a; Path=/b", Some("/b")),
    ] {
        assert_eq!(parse(field).path().map(text), expected, "{field}");
    }
    assert_eq!(parse("a=b; Path=x").effective_path(b"/d/e"), b"/d");
    assert_eq!(parse("a=b; Path=/x").effective_path(b"/d/e"), b"/x");
}

#[test]
fn default_paths() {
    for (request, expected) in [
        ("", "/"),
        ("*", "/"),
        ("x/y", "/"),
        ("/", "/"),
        ("/a", "/"),
        ("/a/", "/a"),
        ("/a/b", "/a"),
        ("/a/b/c?q=/d/e", "/a/b"),
        ("//a", "/"),
        ("/?next=/a/b", "/"),
    ] {
        assert_eq!(
            text(default_path(request.as_bytes())),
            expected,
            "{request}"
        );
    }
}

#[test]
fn max_age_is_read_strictly_and_held_to_400_days() {
    for (value, expected) in [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("60", Some(60)),
        ("34560000", Some(MAX_LIFETIME)),
        ("34560001", Some(MAX_LIFETIME)),
        ("99999999999999999999999", Some(MAX_LIFETIME)),
        ("-99999999999999999999999", Some(-i64::MAX)),
        ("", None),
        ("-", None),
        ("+1", None),
        ("1.5", None),
        ("1s", None),
        ("--1", None),
    ] {
        assert_eq!(
            parse(&format!("a=b; Max-Age={value}")).max_age(),
            expected,
            "{value}"
        );
    }
    assert_eq!(
        parse("a=b; Max-Age=5; max-age=junk").max_age(),
        Some(5),
        "invalid: not in the list"
    );
    assert_eq!(parse("a=b; Max-Age=5; max-age=7").max_age(), Some(7));
}

#[test]
fn expiry_follows_max_age_before_expires() {
    let now = 1_000_000_000;
    let past = "expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let future = "expires=Fri, 31 Dec 9999 23:59:59 GMT";
    for (attributes, expiry, deletion) in [
        (String::new(), None, false),
        ("Max-Age=0".into(), Some(i64::MIN), true),
        ("Max-Age=-5".into(), Some(i64::MIN), true),
        ("Max-Age=10".into(), Some(now + 10), false),
        (past.into(), Some(0), true),
        (future.into(), Some(now + MAX_LIFETIME), false),
        (format!("{past}; Max-Age=10"), Some(now + 10), false),
        (format!("Max-Age=0; {future}"), Some(i64::MIN), true),
        (format!("Max-Age=x; {past}"), Some(0), true),
        (format!("{past}; expires=never"), Some(0), true),
        (
            "expires=Sun, 09 Sep 2001 01:46:40 GMT".into(),
            Some(now),
            true,
        ),
        (
            "expires=Sun, 09 Sep 2001 01:46:41 GMT".into(),
            Some(now + 1),
            false,
        ),
    ] {
        let field = format!("a=b; {attributes}");
        let cookie = parse(&field);
        assert_eq!(cookie.expiry(now), expiry, "{field}");
        assert_eq!(cookie.is_deletion(now), deletion, "{field}");
    }
}

#[test]
fn what_a_browser_ignores_is_refused() {
    let long = |len: usize| format!("ab={}", "x".repeat(len));
    assert!(SetCookie::parse(long(4094).as_bytes()).is_ok());
    for (field, expected) in [
        (long(4095).into_bytes(), Refusal::TooLong),
        (b"a=b\0".to_vec(), Refusal::ControlCharacter),
        (b"a=b; Path=/\x7f".to_vec(), Refusal::ControlCharacter),
        (
            b"a=b\r\nSet-Cookie: c=d".to_vec(),
            Refusal::ControlCharacter,
        ),
        (b"".to_vec(), Refusal::Empty),
        (b" = ; Secure".to_vec(), Refusal::Empty),
        (b"; Path=/".to_vec(), Refusal::Empty),
        (b"=__Host-a=b".to_vec(), Refusal::NamelessPrefix),
        (b"__secure-a".to_vec(), Refusal::NamelessPrefix),
        (b"=__HTTP-a".to_vec(), Refusal::NamelessPrefix),
        (
            "a=b; Domain=b\u{fc}cher.test".into(),
            Refusal::DomainNotAscii,
        ),
    ] {
        assert_eq!(SetCookie::parse(&field).unwrap_err(), expected, "{field:?}");
    }
    // Only the last Domain counts, so only it can spoil the cookie.
    assert!(SetCookie::parse("a=b; Domain=\u{fc}; Domain=x.test".as_bytes()).is_ok());
}

#[test]
fn bytes_that_are_not_utf8_pass_through() {
    let field = b"a=\xff\xfe; X\xe9=\x80; Path=/\xff";
    let cookie = SetCookie::parse(field).unwrap();
    assert_eq!(cookie.value(), b"\xff\xfe");
    assert_eq!(cookie.path(), Some(&b"/\xff"[..]));
    assert_eq!(cookie.as_bytes(), field);
}

#[test]
fn the_short_way_through_an_attribute_leads_to_the_same() {
    for field in [
        " Path=/",
        " Secure",
        " HttpOnly",
        " SameSite=Lax",
        " Path=/; Path=/x",
        " Path=/x; Path=/",
        " Secure; Secure",
        " HttpOnly; httponly",
        " SameSite=None; SameSite=Lax",
        " SameSite=Lax; SameSite=x",
        " Path=/;",
        " Path=/ ; Secure ",
        " Secured; HttpOnly=no; SameSite=Laxer",
        ";; Secure;",
    ] {
        let blank = SetCookie::parse(b"a=1").unwrap();
        let (mut short, mut long) = (blank, blank);
        let mut rest = Some(field.as_bytes());
        while let Some(attributes) = rest {
            rest = short.take_first(attributes);
        }
        attributes(Some(field.as_bytes())).for_each(|attribute| long.take(&attribute));
        assert_eq!(format!("{short:?}"), format!("{long:?}"), "{field}");
    }
}
