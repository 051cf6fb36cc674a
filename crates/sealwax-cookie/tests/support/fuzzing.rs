//! What must hold for every input. The fuzz targets call these two functions, and `tests/corpus.rs`
//! calls them for every file of the committed corpora.

#![allow(
    dead_code,
    reason = "not every test that includes this file uses all of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use sealwax_cookie::{
    Change, Demand, Form, KnownNames, NameRules, Pairing, Rename, SameSite, SetCookie, deletions,
    harden, inbound, pairs,
};

#[path = "browser.rs"]
pub(crate) mod browser;

pub(crate) const PATHS: [&[u8]; 4] = [b"/", b"/login?next=/a/b", b"/app/page", b""];

/// Every demand that a site can make of a browser which reads `SameSite=None`.
pub(crate) fn demands() -> impl Iterator<Item = Demand> {
    let floors = [
        None,
        Some(SameSite::Lax),
        Some(SameSite::None),
        Some(SameSite::Strict),
    ];
    let renames = [Rename::Never, Rename::HostOnly, Rename::EvenWithDomain];
    (0..48).map(move |n| Demand {
        secure: n & 1 != 0,
        http_only: n & 2 != 0,
        same_site: floors[(n / 4) % 4],
        rename: renames[n / 16],
        legacy_client: false,
    })
}

/// One `Set-Cookie` field through parsing, hardening and deletion, under every demand.
pub(crate) fn set_cookie(field: &[u8]) {
    let Ok(cookie) = SetCookie::parse(field) else {
        return;
    };
    assert_eq!(cookie.as_bytes(), field);
    let _ = (
        cookie.max_age(),
        cookie.expiry(0),
        cookie.is_deletion(i64::MAX),
    );
    for path in PATHS {
        for demand in demands() {
            check_hardened(&cookie, path, &demand);
        }
        let legacy = demands().map(|demand| Demand {
            legacy_client: true,
            ..demand
        });
        for demand in legacy {
            let hardened = harden(&cookie, path, &demand);
            let stored = browser::store(&hardened.field, path);
            assert!(
                stored.is_none_or(|stored| stored.same_site != 0),
                "no None for this client"
            );
        }
    }
}

fn check_hardened(cookie: &SetCookie<'_>, path: &[u8], demand: &Demand) {
    let hardened = harden(cookie, path, demand);
    let field = &*hardened.field;
    assert_eq!(hardened.changes.any_edit(), field != cookie.as_bytes());

    // A second time changes nothing more.
    let again = SetCookie::parse(field).expect("what goes out can be read");
    let twice = harden(&again, path, demand);
    assert_eq!(twice.field, hardened.field, "idempotent");
    assert!(!twice.changes.any_edit());

    // Never weaker, by the independent reader.
    let after = browser::store(field, path);
    if let Some(before) = browser::store(cookie.as_bytes(), path) {
        let after = after
            .as_ref()
            .expect("a cookie that was taken is still taken");
        assert!(after.secure >= before.secure);
        assert!(after.http_only >= before.http_only);
        assert!(after.same_site >= before.same_site || demand.same_site == Some(SameSite::None));
        assert!(after.same_site >= before.same_site || before.same_site == 1);
        assert_eq!(after.partitioned, before.partitioned);
        assert_eq!(after.value, before.value);
        assert_eq!(after.domain, before.domain);
        assert_eq!(after.path, before.path);
        assert_eq!(after.others, before.others);
        let prefix = match hardened.form {
            Form::Host => &b"__Host-"[..],
            Form::Secure => b"__Secure-",
            _ => b"",
        };
        assert_eq!(after.name, [prefix, &before.name].concat());
    }
    // And as strong as was asked, unless the app's own prefix contradicts its attributes.
    if !hardened.changes.has(Change::AppPrefixUnmet) {
        let after = after.expect("a browser takes it");
        assert!(after.secure >= demand.secure && after.http_only >= demand.http_only);
        if let Some(floor) = demand.same_site {
            let explicit_none = after.same_site == 0 && floor == SameSite::Lax;
            let floor = match floor {
                SameSite::None => 0,
                SameSite::Lax => 2,
                SameSite::Strict => 3,
            };
            assert!(after.same_site >= floor || explicit_none);
            assert_ne!(
                after.same_site, 1,
                "with a floor there is always a valid attribute"
            );
        }
    }
    if hardened.changes.any_edit() {
        for name in ["secure", "httponly", "samesite"] {
            assert!(count(field, name) <= 1, "one {name} after an edit");
        }
    }

    for field in deletions(cookie, path, demand, hardened.form) {
        assert!(SetCookie::parse(&field).is_ok());
    }
}

fn count(field: &[u8], attribute: &str) -> usize {
    field
        .split(|b| *b == b';')
        .skip(1)
        .filter(|part| {
            let name = part.split(|b| *b == b'=').next().unwrap();
            let name = browser::strip(name);
            name.eq_ignore_ascii_case(attribute.as_bytes())
        })
        .count()
}

/// The `Cookie` fields of one request (one a line), under several memories and rules.
pub(crate) fn cookie_header(text: &[u8]) {
    let fields: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    let joined = fields.join(&b"; "[..]);
    assert!(
        pairs(fields.iter().copied()).eq(pairs([&joined[..]])),
        "fields are one joined with ;"
    );

    for rules in rules() {
        for known in memories() {
            check_inbound(&fields, &rules, &known);
        }
    }
}

pub(crate) fn rules() -> [NameRules; 4] {
    let base = NameRules::default;
    [
        base(),
        NameRules {
            migrate: true,
            ..base()
        },
        NameRules {
            prefix: false,
            ..base()
        },
        NameRules {
            readable: vec!["csrftoken".into(), "sid".into()],
            ..base()
        },
    ]
}

pub(crate) fn memories() -> Vec<KnownNames> {
    let mut memories = vec![KnownNames::default()];
    for form in Form::ALL {
        let mut known = KnownNames::default();
        for name in ["sid", "sessionid", "__Host-own"] {
            known.learn(name.as_bytes(), form, false, 1);
        }
        memories.push(known);
    }
    memories
}

fn check_inbound(fields: &[&[u8]], rules: &NameRules, known: &KnownNames) {
    let result = inbound(fields.iter().copied(), rules, known);
    assert!(result.dropped.len() <= 32 && result.stale.len() <= 32);
    assert!(result.dropped.len() <= result.dropped_total);
    let header = if result.unchanged {
        assert!(result.header.is_none() && fields.len() <= 1);
        fields.first().map(|field| field.to_vec())
    } else {
        result.header.clone()
    };
    let Some(header) = header else { return };
    assert!(!header.is_empty());

    // Always canonical: reading it drops nothing and writing it again gives the same bytes.
    let read: Vec<_> = pairs([&header[..]]).collect();
    let written: Vec<Vec<u8>> = read
        .iter()
        .map(|pairing| match pairing {
            Pairing::Good(pair) => [pair.name, b"=", pair.value].concat(),
            Pairing::Dropped { bytes, why } => panic!("{why:?} {bytes:?} reached the app"),
        })
        .collect();
    assert_eq!(written.join(&b"; "[..]), header);

    for name in ["sid", "sessionid"] {
        check_protected(fields, rules, known, &header, name.as_bytes());
    }
}

/// A protected name reaches the app once, and only from a form that the rules allow.
fn check_protected(
    fields: &[&[u8]],
    rules: &NameRules,
    known: &KnownNames,
    header: &[u8],
    name: &[u8],
) {
    let memory = known.get(name);
    if !rules.is_protected(name, memory) {
        return;
    }
    let seen: Vec<_> = pairs([header])
        .filter_map(Pairing::good)
        .filter(|pair| pair.name == name)
        .collect();
    assert!(seen.len() <= 1, "a protected name reaches the app once");
    let Some(seen) = seen.first() else { return };
    let sent = |prefix: &str, pair: &sealwax_cookie::Pair<'_>| {
        pair.name.strip_prefix(prefix.as_bytes()) == Some(name) && pair.value == seen.value
    };
    let came = |prefix: &str| {
        pairs(fields.iter().copied())
            .filter_map(Pairing::good)
            .any(|pair| sent(prefix, &pair))
    };
    let forms = memory.map(|known| known.forms);
    let knows = |form| forms.is_some_and(|forms| forms.contains(form));
    let bare = rules.migrate
        || knows(Form::Bare)
        || knows(Form::BareDomain)
        || knows(Form::BareLong) && name.len() + seen.value.len() + 9 > 4096;
    let by_host = (knows(Form::Host) || forms.is_none()) && came("__Host-");
    let by_secure = knows(Form::Secure) && came("__Secure-");
    assert!(
        by_host || by_secure || bare && came(""),
        "from no form that was sent out"
    );
}
