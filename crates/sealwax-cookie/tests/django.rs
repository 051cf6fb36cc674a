//! Differential test against Django's own cookie code: `django_vectors.txt` is what a real Django
//! wrote and read (`django_vectors.py` makes it).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use sealwax_cookie::{
    KnownNames, MAX_LIFETIME, NameRules, SameSite, SameSiteAttribute, SetCookie, harden, inbound,
    pairs,
};

const VECTORS: &str = include_str!("django_vectors.txt");
/// The time at which Django wrote its fields.
const NOW: i64 = 1_764_000_000;

type Values = BTreeMap<&'static str, &'static str>;

fn vectors(kind: &'static str) -> impl Iterator<Item = Values> {
    VECTORS.lines().filter_map(move |line| {
        let mut words = line.split('\t');
        (words.next() == Some(kind)).then(|| {
            words
                .map(|word| word.split_once('=').expect("key=value"))
                .collect()
        })
    })
}

#[test]
fn every_field_django_writes_is_read_as_django_meant_it() {
    let mut count = 0;
    for vector in vectors("set") {
        count += 1;
        let field = unescape(vector["field"]);
        let cookie = SetCookie::parse(&field).expect("Django writes what browsers take");
        let shown = vector["field"];
        assert_eq!(cookie.name(), unescape(vector["name"]), "{shown}");
        assert_eq!(cookie.value(), unescape(vector["value"]), "{shown}");
        assert_eq!(cookie.secure(), vector["secure"] == "1", "{shown}");
        assert_eq!(cookie.http_only(), vector["httponly"] == "1", "{shown}");
        assert_eq!(
            cookie.path().unwrap_or_default(),
            unescape(vector["path"]),
            "{shown}"
        );
        let domain = unescape(vector["domain"]);
        let domain = domain.strip_prefix(b".").unwrap_or(&domain);
        assert_eq!(cookie.domain().unwrap_or_default(), domain, "{shown}");
        let same_site = match vector["samesite"].to_ascii_lowercase().as_str() {
            "" => SameSiteAttribute::Absent,
            "lax" => SameSiteAttribute::Is(SameSite::Lax),
            "none" => SameSiteAttribute::Is(SameSite::None),
            "strict" => SameSiteAttribute::Is(SameSite::Strict),
            other => panic!("{other}"),
        };
        assert_eq!(cookie.same_site(), same_site, "{shown}");
        let max_age = vector["maxage"].parse().ok();
        let expires = vector["expires"].parse().ok();
        assert_eq!(
            cookie.max_age(),
            max_age.map(|age: i64| age.min(MAX_LIFETIME)),
            "{shown}"
        );
        assert_eq!(cookie.expires(), expires, "{shown}");
        let deletion = max_age.map_or(expires.is_some_and(|at: i64| at <= NOW), |age| age <= 0);
        assert_eq!(cookie.is_deletion(NOW), deletion, "{shown}");
    }
    assert!(count > 80, "{count} fields");
}

/// The value that the app gave to Django comes back to it through the browser and both translations.
#[test]
fn every_value_django_writes_comes_back() {
    let rules = NameRules {
        harden_all: true,
        ..NameRules::default()
    };
    for vector in vectors("set") {
        let field = unescape(vector["field"]);
        let cookie = SetCookie::parse(&field).unwrap();
        let mut known = KnownNames::default();
        let hardened = harden(&cookie, b"/", &rules.demand(&cookie, None));
        known.learn(cookie.name(), hardened.form, false, 1);

        let kept = SetCookie::parse(&hardened.field).unwrap();
        let sent = [kept.name(), b"=", kept.value()].concat();
        let result = inbound([&sent[..]], &rules, &known);
        let header = if result.unchanged {
            sent
        } else {
            result.header.expect("it comes back")
        };
        assert_eq!(header, [cookie.name(), b"=", cookie.value()].concat());
        assert_eq!(
            read_as_django(&header),
            items(vector["back"]),
            "{}",
            vector["field"]
        );
    }
}

#[test]
fn headers_are_made_canonical_as_the_second_implementation_makes_them() {
    let rules = NameRules {
        prefix: false,
        ..NameRules::default()
    };
    let known = every_prefixed_name_is_the_apps();
    let mut bypasses = 0;
    for vector in vectors("cookie") {
        let header = unescape(vector["header"]);
        let result = inbound([&header[..]], &rules, &known);
        let out = if result.unchanged {
            header
        } else {
            result.header.unwrap_or_default()
        };
        let shown = vector["header"];
        assert_eq!(out, unescape(vector["canonical"]), "{shown}");
        // And Django reads in it what we read in it, and nothing that was not in the raw one.
        let read = items(vector["read"]);
        assert_eq!(read_as_django(&out), read, "{shown}");
        let raw = items(vector["raw"]);
        assert!(read.keys().all(|name| raw.contains_key(name)), "{shown}");
        // Where Django alone is fooled: it reads a prefixed name that no browser enforced.
        let prefixed = |cookies: &BTreeMap<String, String>| {
            cookies.keys().any(|name| name.starts_with("__Host-"))
        };
        bypasses += usize::from(prefixed(&raw) && !prefixed(&read));
    }
    assert!(bypasses >= 6, "the attacks are in the vectors: {bypasses}");
}

/// So that no prefix is taken off or doubled, and the canonical reading alone is seen.
fn every_prefixed_name_is_the_apps() -> KnownNames {
    let mut known = KnownNames::default();
    for vector in vectors("cookie") {
        let header = unescape(vector["header"]);
        for pair in pairs([&header[..]]).filter_map(sealwax_cookie::Pairing::good) {
            if pair.name.starts_with(b"__") {
                known.learn(pair.name, sealwax_cookie::Form::AppPrefixed, false, 1);
            }
        }
    }
    known
}

/// Our pairs, with what Django does to them afterwards: the last double wins, values lose Unicode
/// white space and RFC 2109 quoting, and bytes become text.
fn read_as_django(header: &[u8]) -> BTreeMap<String, String> {
    pairs([header])
        .filter_map(sealwax_cookie::Pairing::good)
        .map(|pair| {
            let value = String::from_utf8_lossy(pair.value);
            (
                String::from_utf8_lossy(pair.name).into_owned(),
                unquote(value.trim()),
            )
        })
        .collect()
}

fn unquote(value: &str) -> String {
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return value.to_owned();
    };
    let mut out = String::new();
    let mut rest = inner.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        let ahead: String = rest.clone().take(3).collect();
        let octal = ahead.len() == 3
            && ahead.starts_with(['0', '1', '2', '3'])
            && ahead.chars().all(|digit| digit.is_digit(8));
        if octal {
            out.push(char::from(u8::from_str_radix(&ahead, 8).unwrap()));
            rest.nth(2);
        } else {
            out.push(rest.next().unwrap_or('\\'));
        }
    }
    out
}

fn items(text: &str) -> BTreeMap<String, String> {
    let decode = |part: &str| String::from_utf8(unescape(part)).unwrap();
    text.split('&')
        .filter(|item| !item.is_empty())
        .map(|item| {
            let (name, value) = item.split_once('=').unwrap();
            (decode(name), decode(value))
        })
        .collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    out
}
