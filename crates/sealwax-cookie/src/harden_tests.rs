use super::*;
use crate::change::Change as C;

const DEMAND: Demand = Demand {
    secure: true,
    http_only: true,
    same_site: Some(SameSite::Lax),
    rename: Rename::HostOnly,
    legacy_client: false,
};
/// What every cookie gets.
const FLOOR: Demand = Demand {
    http_only: false,
    rename: Rename::Never,
    ..DEMAND
};
/// Nothing but what browsers insist on.
const NOTHING: Demand = Demand {
    secure: false,
    same_site: None,
    ..FLOOR
};

#[track_caller]
fn check(field: &str, path: &str, demand: Demand, expected: &str, form: Form, changes: &[Change]) {
    let cookie = SetCookie::parse(field.as_bytes()).unwrap();
    let hardened = harden(&cookie, path.as_bytes(), &demand);
    assert_eq!(std::str::from_utf8(&hardened.field).unwrap(), expected);
    assert_eq!(hardened.form, form);
    assert_eq!(
        hardened.changes.iter().collect::<Vec<_>>(),
        changes,
        "{field}"
    );
    assert_eq!(
        matches!(hardened.field, Cow::Borrowed(_)),
        field == expected
    );
}

#[test]
fn a_careless_cookie_gets_everything() {
    check(
        "sid=1",
        "/login",
        DEMAND,
        "__Host-sid=1; Path=/; Secure; HttpOnly; SameSite=Lax",
        Form::Host,
        &[
            C::Secure,
            C::HttpOnly,
            C::SameSite,
            C::Prefix,
            C::PrefixPath,
        ],
    );
}

#[test]
fn a_careful_cookie_stays_byte_for_byte() {
    check(
        "a=b; Secure ; httponly;SAMESITE=lax",
        "/",
        FLOOR,
        "a=b; Secure ; httponly;SAMESITE=lax",
        Form::Bare,
        &[],
    );
    check(
        " a=b;secure=1;SameSite=strict;",
        "/",
        FLOOR,
        " a=b;secure=1;SameSite=strict;",
        Form::Bare,
        &[],
    );
    check(
        "a=b; Secure; SameSite=None",
        "/",
        FLOOR,
        "a=b; Secure; SameSite=None",
        Form::Bare,
        &[],
    );
    // Doubles that say the same are not worth an edit.
    check(
        "a=b; Secure; Secure; SameSite=Lax",
        "/",
        FLOOR,
        "a=b; Secure; Secure; SameSite=Lax",
        Form::Bare,
        &[],
    );
}

#[test]
fn the_rest_is_not_touched() {
    check(
        "a=b;  Priority=High ;Comment=x y;Version=1; expires=Thu, 01 Jan 2099 00:00:00 GMT; PARTITIONED;;x",
        "/",
        FLOOR,
        "a=b;  Priority=High ;Comment=x y;Version=1; expires=Thu, 01 Jan 2099 00:00:00 GMT; PARTITIONED;;x; Secure; SameSite=Lax",
        Form::Bare,
        &[C::Secure, C::SameSite, C::PartitionedNeedsSecure],
    );
    check(
        r#"sid="a;b"; Path=/"#,
        "/",
        FLOOR,
        r#"sid="a;b"; Path=/; Secure; SameSite=Lax"#,
        Form::Bare,
        &[C::Secure, C::SameSite, C::NotCanonical],
    );
}

#[test]
fn an_empty_attribute_at_the_end_is_used_up() {
    check(
        "a=b;",
        "/",
        FLOOR,
        "a=b; Secure; SameSite=Lax",
        Form::Bare,
        &[C::Secure, C::SameSite],
    );
    check(
        "a=b; ",
        "/",
        FLOOR,
        "a=b; Secure; SameSite=Lax",
        Form::Bare,
        &[C::Secure, C::SameSite],
    );
    check(
        "a=b; Path=/;",
        "/",
        FLOOR,
        "a=b; Path=/; Secure; SameSite=Lax",
        Form::Bare,
        &[C::Secure, C::SameSite],
    );
}

#[test]
fn bytes_that_are_not_utf8_stay() {
    let cookie = SetCookie::parse(b"\xffa=\xfe; X=\xfd").unwrap();
    let hardened = harden(&cookie, b"/", &DEMAND);
    assert_eq!(
        *hardened.field,
        *b"\xffa=\xfe; X=\xfd; Secure; HttpOnly; SameSite=Lax"
    );
    assert_eq!(
        hardened.form,
        Form::Bare,
        "a name that cannot come back is not renamed"
    );
    assert!(hardened.changes.has(C::NotCanonical));
}

#[test]
fn same_site_is_a_floor() {
    for (given, floor, expected) in [
        ("", Some(SameSite::Lax), "SameSite=Lax"),
        ("", Some(SameSite::Strict), "SameSite=Strict"),
        ("", Some(SameSite::None), "SameSite=None"),
        ("", None, ""),
        ("SameSite=Lax", Some(SameSite::Lax), "SameSite=Lax"),
        ("SameSite=Lax", Some(SameSite::Strict), "SameSite=Strict"),
        ("SameSite=Lax", Some(SameSite::None), "SameSite=Lax"),
        ("SameSite=Strict", Some(SameSite::Lax), "SameSite=Strict"),
        ("SameSite=Strict", Some(SameSite::None), "SameSite=Strict"),
        ("SameSite=None", Some(SameSite::Lax), "SameSite=None"),
        ("SameSite=None", Some(SameSite::Strict), "SameSite=Strict"),
        ("SameSite=Bogus", Some(SameSite::Lax), "SameSite=Lax"),
        ("SameSite", Some(SameSite::Lax), "SameSite=Lax"),
        ("SameSite=Bogus", None, "SameSite=Bogus"),
        (
            "SameSite=None; SameSite=Bogus",
            Some(SameSite::Lax),
            "SameSite=Lax",
        ),
        (
            "SameSite=Bogus; SameSite=None",
            Some(SameSite::Lax),
            "SameSite=None",
        ),
        (
            "SameSite=Lax; samesite=strict",
            Some(SameSite::Lax),
            "samesite=strict",
        ),
    ] {
        let join = |attribute: &str| match attribute {
            "" => "a=b; Secure".to_owned(),
            some => format!("a=b; Secure; {some}"),
        };
        let field = join(given);
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        let hardened = harden(
            &cookie,
            b"/",
            &Demand {
                same_site: floor,
                ..FLOOR
            },
        );
        assert_eq!(
            *hardened.field,
            *join(expected).as_bytes(),
            "{given} {floor:?}"
        );
        let doubled = given.contains("; ") && !given.ends_with("Bogus");
        assert_eq!(hardened.changes.has(C::SameSiteDuplicate), doubled);
        assert_eq!(
            hardened.changes.has(C::SameSite),
            given != expected && !doubled
        );
    }
}

#[test]
fn the_last_valid_same_site_is_the_only_one_left() {
    check(
        "a=b; Secure=1; SameSite=Bogus; SameSite=None",
        "/",
        FLOOR,
        "a=b; Secure=1; SameSite=None",
        Form::Bare,
        &[C::SameSiteDuplicate],
    );
}

#[test]
fn an_edit_leaves_one_of_each() {
    let long = "x".repeat(1025);
    check(
        &format!(
            "a=b; Secure; secure=2;HttpOnly;httponly;SameSite=Lax;SameSite=x; SameSite={long}; Secure={long}"
        ),
        "/",
        FLOOR,
        "a=b; Secure;HttpOnly; SameSite=Lax",
        Form::Bare,
        &[C::SameSite],
    );
}

#[test]
fn none_and_partitioned_force_secure_whatever_the_site_says() {
    check(
        "a=b; SameSite=None",
        "/",
        NOTHING,
        "a=b; SameSite=None; Secure",
        Form::Bare,
        &[C::Secure, C::NoneNeedsSecure],
    );
    check(
        "a=b; Partitioned",
        "/",
        NOTHING,
        "a=b; Partitioned; Secure",
        Form::Bare,
        &[C::Secure, C::PartitionedNeedsSecure],
    );
    check("a=b", "/", NOTHING, "a=b", Form::Bare, &[]);
    let none = Demand {
        same_site: Some(SameSite::None),
        ..NOTHING
    };
    check(
        "a=b",
        "/",
        none,
        "a=b; Secure; SameSite=None",
        Form::Bare,
        &[C::Secure, C::SameSite, C::NoneNeedsSecure],
    );
}

#[test]
fn a_legacy_client_gets_no_none() {
    let legacy = Demand {
        legacy_client: true,
        ..FLOOR
    };
    check(
        "a=b; SameSite=None; Secure",
        "/",
        legacy,
        "a=b; Secure",
        Form::Bare,
        &[C::LegacySameSite],
    );
    check(
        "a=b; samesite=x; SameSite=None",
        "/",
        legacy,
        "a=b; Secure",
        Form::Bare,
        &[C::Secure, C::NoneNeedsSecure, C::LegacySameSite],
    );
    check(
        "a=b; Secure; SameSite=Lax",
        "/",
        legacy,
        "a=b; Secure; SameSite=Lax",
        Form::Bare,
        &[],
    );
    check(
        "a=b; Secure",
        "/",
        legacy,
        "a=b; Secure; SameSite=Lax",
        Form::Bare,
        &[C::SameSite],
    );
    let none = Demand {
        same_site: Some(SameSite::None),
        ..legacy
    };
    check("a=b; Secure", "/", none, "a=b; Secure", Form::Bare, &[]);
    check(
        "a=b; Secure; SameSite=x",
        "/",
        none,
        "a=b; Secure",
        Form::Bare,
        &[C::LegacySameSite],
    );
    let strict = Demand {
        same_site: Some(SameSite::Strict),
        ..legacy
    };
    check(
        "a=b; Secure; SameSite=None",
        "/",
        strict,
        "a=b; Secure; SameSite=Strict",
        Form::Bare,
        &[C::SameSite],
    );
}

/// Renames, with the attributes already there.
#[track_caller]
fn renamed(attributes: &str, path: &str, rename: Rename) -> (String, Form, Vec<Change>) {
    let field = format!("a=b; Secure; HttpOnly; SameSite=Lax{attributes}");
    let cookie = SetCookie::parse(field.as_bytes()).unwrap();
    let hardened = harden(&cookie, path.as_bytes(), &Demand { rename, ..DEMAND });
    let text = String::from_utf8(hardened.field.into_owned()).unwrap();
    let shown = text.replace("; Secure; HttpOnly; SameSite=Lax", "");
    (shown, hardened.form, hardened.changes.iter().collect())
}

#[test]
fn the_prefix_follows_path_and_domain() {
    use Rename::{EvenWithDomain, HostOnly, Never};
    for (attributes, path, rename, field, form) in [
        (
            "; Path=/",
            "/x/y",
            HostOnly,
            "__Host-a=b; Path=/",
            Form::Host,
        ),
        ("", "/login", HostOnly, "__Host-a=b; Path=/", Form::Host),
        (
            "",
            "/login?next=/x/",
            HostOnly,
            "__Host-a=b; Path=/",
            Form::Host,
        ),
        (
            "; Path=",
            "/login",
            HostOnly,
            "__Host-a=b; Path=; Path=/",
            Form::Host,
        ),
        (
            "; Path=x",
            "/login",
            HostOnly,
            "__Host-a=b; Path=x; Path=/",
            Form::Host,
        ),
        (
            "; Path=/a; Path=/",
            "/x/y",
            HostOnly,
            "__Host-a=b; Path=/a; Path=/",
            Form::Host,
        ),
        ("", "/x/y", HostOnly, "__Secure-a=b", Form::Secure),
        (
            "; Path=/; Path=",
            "/x/y",
            HostOnly,
            "__Secure-a=b; Path=/; Path=",
            Form::Secure,
        ),
        (
            "; Path=/app",
            "/",
            HostOnly,
            "__Secure-a=b; Path=/app",
            Form::Secure,
        ),
        (
            "; Domain=; Path=/",
            "/",
            HostOnly,
            "__Host-a=b; Domain=; Path=/",
            Form::Host,
        ),
        (
            "; Domain=x.test; Path=/",
            "/",
            HostOnly,
            "a=b; Domain=x.test; Path=/",
            Form::BareDomain,
        ),
        (
            "; Domain=.; Path=/",
            "/",
            HostOnly,
            "a=b; Domain=.; Path=/",
            Form::BareDomain,
        ),
        (
            "; Domain=x.test; Path=/",
            "/",
            EvenWithDomain,
            "__Secure-a=b; Domain=x.test; Path=/",
            Form::Secure,
        ),
        (
            "; Path=/",
            "/",
            EvenWithDomain,
            "__Host-a=b; Path=/",
            Form::Host,
        ),
        ("; Path=/", "/", Never, "a=b; Path=/", Form::Bare),
        (
            "; Domain=x.test",
            "/",
            Never,
            "a=b; Domain=x.test",
            Form::BareDomain,
        ),
    ] {
        let (shown, was, changes) = renamed(attributes, path, rename);
        assert_eq!((shown.as_str(), was), (field, form), "{attributes} {path}");
        assert_eq!(changes.contains(&C::Prefix), form.is_renamed());
        let kept_for_domain = form == Form::BareDomain && rename == HostOnly;
        assert_eq!(changes.contains(&C::DomainKeepsName), kept_for_domain);
    }
}

#[test]
fn leading_white_space_stays_before_the_prefix() {
    check(
        " \tsid =1; Path=/; Secure; HttpOnly; SameSite=Lax",
        "/",
        DEMAND,
        " \t__Host-sid =1; Path=/; Secure; HttpOnly; SameSite=Lax",
        Form::Host,
        &[C::Prefix],
    );
}

#[test]
fn what_would_pass_4096_bytes_keeps_its_name() {
    for (length, path, form) in [
        (4088, "/", Form::Host),
        (4089, "/", Form::BareLong),
        (4086, "/p", Form::Secure),
        (4087, "/p", Form::BareLong),
        (4095, "/", Form::BareLong),
    ] {
        let field = format!("a={}; Path={path}", "v".repeat(length));
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        let hardened = harden(&cookie, b"/", &DEMAND);
        assert_eq!(hardened.form, form, "{length} {path}");
        assert!(
            SetCookie::parse(&hardened.field).is_ok(),
            "still taken by browsers"
        );
        assert!(hardened.changes.has(C::HttpOnly));
        assert_eq!(
            hardened.changes.has(C::TooLongToPrefix),
            form == Form::BareLong
        );
    }
}

#[test]
fn nameless_cookies_and_insecure_sites_are_not_renamed() {
    let all = &[C::Secure, C::HttpOnly, C::SameSite, C::NotCanonical];
    check(
        "=v; Path=/",
        "/",
        DEMAND,
        "=v; Path=/; Secure; HttpOnly; SameSite=Lax",
        Form::Bare,
        all,
    );
    check(
        "a",
        "/",
        DEMAND,
        "a; Secure; HttpOnly; SameSite=Lax",
        Form::Bare,
        all,
    );
    let insecure = Demand {
        secure: false,
        ..DEMAND
    };
    check(
        "a=b; Path=/",
        "/",
        insecure,
        "a=b; Path=/; HttpOnly; SameSite=Lax",
        Form::Bare,
        &[C::HttpOnly, C::SameSite],
    );
}

#[test]
fn a_name_that_would_make_another_prefix_is_kept() {
    check(
        "http-id=1; Path=/; Secure; HttpOnly; SameSite=Lax",
        "/",
        DEMAND,
        "http-id=1; Path=/; Secure; HttpOnly; SameSite=Lax",
        Form::Bare,
        &[C::PrefixAmbiguous],
    );
}

#[test]
fn the_apps_own_prefix_stays_and_gets_what_it_needs() {
    for (field, expected, unmet) in [
        (
            "__Host-a=b; Path=/; Secure",
            "__Host-a=b; Path=/; Secure",
            false,
        ),
        ("__HOST-a=b; Path=/", "__HOST-a=b; Path=/; Secure", false),
        ("__Host-a=b", "__Host-a=b; Path=/; Secure", false),
        (
            "__Host-a=b; Path=x",
            "__Host-a=b; Path=x; Path=/; Secure",
            false,
        ),
        ("__Host-a=b; Path=/x", "__Host-a=b; Path=/x; Secure", true),
        (
            "__Host-a=b; Path=/; Domain=x.test",
            "__Host-a=b; Path=/; Domain=x.test; Secure",
            true,
        ),
        (
            "__Secure-next-auth.session-token=b",
            "__Secure-next-auth.session-token=b; Secure",
            false,
        ),
        (
            "__Secure-a=b; Domain=x.test",
            "__Secure-a=b; Domain=x.test; Secure",
            false,
        ),
        ("__Http-a=b", "__Http-a=b; Secure; HttpOnly", false),
        (
            "__host-http-a=b",
            "__host-http-a=b; Path=/; Secure; HttpOnly",
            false,
        ),
    ] {
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        for rename in [Rename::Never, Rename::HostOnly, Rename::EvenWithDomain] {
            let hardened = harden(&cookie, b"/p/q", &Demand { rename, ..NOTHING });
            assert_eq!(*hardened.field, *expected.as_bytes(), "{field}");
            assert_eq!(hardened.form, Form::AppPrefixed);
            assert_eq!(hardened.changes.has(C::AppPrefixUnmet), unmet, "{field}");
            assert_eq!(hardened.changes.has(C::AppPrefix), field != expected);
        }
    }
}
