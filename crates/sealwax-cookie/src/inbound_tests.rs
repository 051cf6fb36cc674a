use super::*;
use crate::rules::NameRule;

/// Names and forms that are known, on one day.
fn known(names: &[(&str, Form)]) -> KnownNames {
    let mut known = KnownNames::default();
    names
        .iter()
        .for_each(|(name, form)| known.learn(name.as_bytes(), *form, false, 1));
    known
}

fn run(rules: &NameRules, known: &KnownNames, fields: &[&str]) -> Inbound {
    inbound(fields.iter().map(|field| field.as_bytes()), rules, known)
}

/// What the app sees, what it does not and why, and what the next response deletes.
type Outcome = (String, Vec<(String, InboundDrop)>, Vec<(String, Form)>);

fn outcome(rules: &NameRules, known: &KnownNames, field: &str) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let result = run(rules, known, &[field]);
    if result.unchanged {
        assert!(result.header.is_none() && result.dropped.is_empty() && result.stale.is_empty());
        return (field.to_owned(), vec![], vec![]);
    }
    assert_ne!(
        result.header.as_deref(),
        Some(field.as_bytes()),
        "that would be unchanged"
    );
    assert_eq!(result.dropped_total, result.dropped.len());
    (
        text(&result.header.unwrap_or_default()),
        result
            .dropped
            .iter()
            .map(|(name, why)| (text(name), *why))
            .collect(),
        result
            .stale
            .iter()
            .map(|(name, form)| (text(name), *form))
            .collect(),
    )
}

#[track_caller]
fn check(
    (rules, known): (&NameRules, &KnownNames),
    field: &str,
    header: &str,
    dropped: &[(&str, InboundDrop)],
    stale: &[(&str, Form)],
) {
    let (got_header, got_dropped, got_stale) = outcome(rules, known, field);
    assert_eq!(got_header, header);
    let got: Vec<_> = got_dropped
        .iter()
        .map(|(name, why)| (name.as_str(), *why))
        .collect();
    assert_eq!(got, dropped);
    let got: Vec<_> = got_stale
        .iter()
        .map(|(name, form)| (name.as_str(), *form))
        .collect();
    assert_eq!(got, stale);
}

use InboundDrop::{
    CaseVariant, DoublePrefix, Duplicate, NeverPrefixed, NotCanonical, NotSentOut, Outranked,
};

#[test]
fn before_anything_is_known_only_host_counts_for_protected_names() {
    let at = (&NameRules::default(), &KnownNames::default());
    // Under both names: an app that calls its own cookie `__Host-sessionid` must not lose it to
    // a gateway that has just been put in front.
    let both = "__Host-sessionid=good; sessionid=good";
    check(at, "__Host-sessionid=good", both, &[], &[]);
    check(
        at,
        "sessionid=evil",
        "",
        &[("sessionid", NotSentOut)],
        &[("sessionid", Form::Bare)],
    );
    check(
        at,
        "__Secure-sessionid=evil",
        "",
        &[("__Secure-sessionid", NotSentOut)],
        &[("sessionid", Form::Secure)],
    );
    check(
        at,
        "sessionid=evil; __Host-sessionid=good; __Secure-sessionid=evil; a=1",
        "__Host-sessionid=good; sessionid=good; a=1",
        &[
            ("sessionid", NotSentOut),
            ("__Secure-sessionid", NotSentOut),
        ],
        &[("sessionid", Form::Bare), ("sessionid", Form::Secure)],
    );
}

#[test]
fn what_servers_would_read_as_a_protected_name_is_dropped() {
    let rules = NameRules::default();
    let known = known(&[
        ("laravel_session", Form::Host),
        ("mine_x", Form::Host),
        ("koa.sess", Form::Bare),
    ]);
    let at = (&rules, &known);
    for name in [
        "laravel.session",
        "laravel[session",
        "LARAVEL_SESSION",
        "mine.x",
        "PHPSESSID[a]",
        "session%69d",
        "..Host-sessionid",
        "%5F%5FHost-sessionid",
        "__Secure-laravel.session",
    ] {
        check(
            at,
            &format!("{name}=evil; a=1"),
            "a=1",
            &[(name, InboundDrop::LookAlike)],
            &[],
        );
    }
    // What the app sets under that very name, and what only looks a little like it, passes.
    for field in [
        "koa.sess=1",
        "laravel_sessions=1",
        "theme.dark=1",
        "arr[0]=1",
        "Theme=1",
    ] {
        check(at, field, field, &[], &[]);
    }
    let readable = NameRules {
        readable: vec!["csrftoken".into()],
        ..NameRules::default()
    };
    check((&readable, &known), "CSRFTOKEN=1", "CSRFTOKEN=1", &[], &[]);
}

#[test]
fn protected_names_come_back_as_they_were_sent_out() {
    let rules = NameRules::default();
    let secure = known(&[("sid", Form::Secure)]);
    check((&rules, &secure), "__Secure-sid=1", "sid=1", &[], &[]);
    check(
        (&rules, &secure),
        "__Host-sid=1",
        "",
        &[("__Host-sid", NotSentOut)],
        &[("sid", Form::Host)],
    );
    check(
        (&rules, &secure),
        "sid=1",
        "",
        &[("sid", NotSentOut)],
        &[("sid", Form::Bare)],
    );

    let domain = known(&[("sessionid", Form::BareDomain)]);
    check((&rules, &domain), "sessionid=1", "sessionid=1", &[], &[]);
    check(
        (&rules, &domain),
        "__Host-sessionid=0; sessionid=1",
        "sessionid=1",
        &[("__Host-sessionid", NotSentOut)],
        &[("sessionid", Form::Host)],
    );
    let bare = known(&[("sessionid", Form::Bare)]);
    check((&rules, &bare), "sessionid=1", "sessionid=1", &[], &[]);
}

#[test]
fn exactly_one_survives_the_best_then_the_first() {
    let rules = NameRules::default();
    let all = known(&[
        ("sid", Form::Host),
        ("sid", Form::Secure),
        ("sid", Form::BareDomain),
    ]);
    check(
        (&rules, &all),
        "sid=1; __Secure-sid=2; x=3; __Host-sid=4; __Host-sid=5; sid=6",
        "x=3; sid=4",
        &[
            ("__Host-sid", Duplicate),
            ("__Secure-sid", Outranked),
            ("sid", Outranked),
            ("sid", Outranked),
        ],
        &[("sid", Form::Secure), ("sid", Form::Bare)],
    );
    check(
        (&rules, &all),
        "sid=1; sid=2",
        "sid=1",
        &[("sid", Duplicate)],
        &[],
    );
    check(
        (&rules, &all),
        "sid=1; __Secure-sid=2",
        "sid=2",
        &[("sid", Outranked)],
        &[("sid", Form::Bare)],
    );
}

#[test]
fn a_tossed_flood_is_settled_too() {
    let rules = NameRules::default();
    let host = known(&[("sid", Form::Host), ("sid", Form::BareDomain)]);
    let flood = "sid=evil; ".repeat(5000);
    let result = run(
        &rules,
        &host,
        &[&format!("{flood}__Host-sid=good; {flood}x=1")],
    );
    assert_eq!(result.header.as_deref(), Some(&b"sid=good; x=1"[..]));
    assert_eq!(result.dropped_total, 10_000);
    assert_eq!(result.dropped.len(), MAX_LISTED);
    assert_eq!(result.stale, [(b"sid".to_vec(), Form::Bare)]);
}

#[test]
fn a_long_cookie_is_accepted_bare_only_when_it_is_long() {
    let rules = NameRules::default();
    let long = known(&[("sid", Form::Host), ("sid", Form::BareLong)]);
    let field = format!("sid={}", "v".repeat(4090));
    assert!(run(&rules, &long, &[&field]).unchanged);
    check(
        (&rules, &long),
        "sid=1",
        "",
        &[("sid", NotSentOut)],
        &[("sid", Form::Bare)],
    );
    let never_long = known(&[("sid", Form::Host)]);
    assert!(run(&rules, &never_long, &[&field]).header.is_none());
    assert!(!run(&rules, &never_long, &[&field]).unchanged);
    // Exactly what either prefix pushes over the limit.
    for (length, accepted) in [(4084, false), (4085, true)] {
        let field = format!("sid={}", "v".repeat(length));
        assert_eq!(
            run(&rules, &long, &[&field]).unchanged,
            accepted,
            "{length}"
        );
    }
}

#[test]
fn migration_takes_the_bare_one_where_nothing_better_came() {
    let rules = NameRules {
        migrate: true,
        ..NameRules::default()
    };
    let host = known(&[("sid", Form::Host)]);
    check((&rules, &host), "sid=old; a=1", "sid=old; a=1", &[], &[]);
    check(
        (&rules, &KnownNames::default()),
        "sessionid=old",
        "sessionid=old",
        &[],
        &[],
    );
    check(
        (&rules, &host),
        "sid=old; __Host-sid=new",
        "sid=new",
        &[("sid", Outranked)],
        &[("sid", Form::Bare)],
    );
    // A form that was never sent out does not count as better.
    check(
        (&rules, &host),
        "__Secure-sid=evil; sid=old",
        "sid=old",
        &[("__Secure-sid", NotSentOut)],
        &[("sid", Form::Secure)],
    );
}

#[test]
fn a_prefix_behind_a_prefix_is_dropped() {
    let at = (
        &NameRules::default(),
        &known(&[("sid", Form::Host), ("sid", Form::Secure)]),
    );
    for name in [
        "__Secure-__Host-sid",
        "__Secure-__HOST-sid",
        "__Host-__Secure-sid",
        "__Host-__host-http-sid",
        "__Secure-__Http-x",
        "__SECURE-__Host-x",
        "__Http-__Host-x",
        "__Host-Http-__Host-x",
    ] {
        check(at, &format!("{name}=1"), "", &[(name, DoublePrefix)], &[]);
    }
}

#[test]
fn a_remainder_that_is_no_name_is_dropped() {
    let at = (&NameRules::default(), &KnownNames::default());
    for (name, why) in [
        ("__Host-$Version", Dropped::DollarName),
        ("__Host-", Dropped::Nameless),
        ("__Secure-", Dropped::Nameless),
    ] {
        check(
            at,
            &format!("{name}=1"),
            "",
            &[(name, NotCanonical(why))],
            &[],
        );
    }
}

#[test]
fn case_variants_are_never_stripped() {
    let at = (&NameRules::default(), &known(&[("tok", Form::Host)]));
    for name in [
        "__HOST-sessionid",
        "__host-tok",
        "__SECURE-sessionid",
        "__HTTP-tok",
        "__Host-http-tok",
    ] {
        check(at, &format!("{name}=1"), "", &[(name, CaseVariant)], &[]);
    }
    check(
        at,
        "__HOST-x=1; __secure-y=2",
        "__HOST-x=1; __secure-y=2",
        &[],
        &[],
    );
}

#[test]
fn prefixes_that_we_do_not_write_pass_as_they_are() {
    let at = (&NameRules::default(), &KnownNames::default());
    check(
        at,
        "__Http-a=1; __Host-Http-b=2",
        "__Http-a=1; __Host-Http-b=2",
        &[],
        &[],
    );
}

#[test]
fn an_unknown_prefixed_name_passes_under_both_names() {
    let rules = NameRules::default();
    let at = (&rules, &KnownNames::default());
    check(at, "__Host-foo=1", "__Host-foo=1; foo=1", &[], &[]);
    check(
        at,
        "a=0; __Secure-next-auth.session-token=t; b=1",
        "a=0; __Secure-next-auth.session-token=t; next-auth.session-token=t; b=1",
        &[],
        &[],
    );
    // Until it is known: as ours, as the app's own, or as a name that is never prefixed.
    check(
        (&rules, &known(&[("foo", Form::Host)])),
        "__Host-foo=1",
        "foo=1",
        &[],
        &[],
    );
    let own = known(&[("__Host-foo", Form::AppPrefixed)]);
    check(
        (&rules, &own),
        "__Host-foo=1; foo=2",
        "__Host-foo=1; foo=2",
        &[],
        &[],
    );
    check(
        (&rules, &known(&[("foo", Form::Bare)])),
        "__Host-foo=1",
        "__Host-foo=1",
        &[],
        &[],
    );
}

#[test]
fn the_apps_own_prefixed_names_pass_as_they_are() {
    let rules = NameRules::default();
    for name in [
        "__Host-sessionid",
        "__HOST-sessionid",
        "__Secure-__Host-odd",
        "__Http-session",
    ] {
        let own = known(&[(name, Form::AppPrefixed)]);
        let field = format!("{name}=1");
        check((&rules, &own), &field, &field, &[], &[]);
    }
}

#[test]
fn names_that_are_never_renamed_pass_bare_only() {
    let rules = NameRules {
        readable: vec!["csrftoken".into()],
        rules: vec![NameRule {
            name: "PHPSESSID".into(),
            prefix: Some(false),
            ..NameRule::default()
        }],
        ..NameRules::default()
    };
    let at = (&rules, &KnownNames::default());
    check(
        at,
        "csrftoken=1; PHPSESSID=2; XSRF-TOKEN=3",
        "csrftoken=1; PHPSESSID=2; XSRF-TOKEN=3",
        &[],
        &[],
    );
    check(
        at,
        "csrftoken=1; csrftoken=2",
        "csrftoken=1; csrftoken=2",
        &[],
        &[],
    );
    check(
        at,
        "__Host-csrftoken=1; __Secure-PHPSESSID=2; _xsrf=3; __Host-_xsrf=4",
        "_xsrf=3",
        &[
            ("__Host-csrftoken", NeverPrefixed),
            ("__Secure-PHPSESSID", NeverPrefixed),
            ("__Host-_xsrf", NeverPrefixed),
        ],
        &[
            ("csrftoken", Form::Host),
            ("PHPSESSID", Form::Secure),
            ("_xsrf", Form::Host),
        ],
    );
    let own = known(&[("__Host-csrftoken", Form::AppPrefixed)]);
    check(
        (&rules, &own),
        "__Host-csrftoken=1",
        "__Host-csrftoken=1",
        &[],
        &[],
    );
}

#[test]
fn a_site_without_prefixes_lets_bare_names_in() {
    let rules = NameRules {
        prefix: false,
        ..NameRules::default()
    };
    let before = known(&[("tok", Form::Host)]);
    check(
        (&rules, &before),
        "sessionid=1; tok=2",
        "sessionid=1; tok=2",
        &[],
        &[],
    );
    check(
        (&rules, &before),
        "__Host-tok=1; tok=2",
        "tok=2",
        &[("__Host-tok", NeverPrefixed)],
        &[("tok", Form::Host)],
    );
}

#[test]
fn other_names_pass_in_order_with_doubles() {
    let at = (&NameRules::default(), &KnownNames::default());
    let field = r#"theme=dark; b=2; theme=light; arr[0]=x; j={"k": [1,2]}; q="a b"; e="#;
    check(at, field, field, &[], &[]);
}

#[test]
fn prefix_bypass_sandwich_and_version_tricks_end_here() {
    let at = (&NameRules::default(), &known(&[("sessionid", Form::Host)]));
    for (field, name, why) in [
        (
            "\u{2000}__Host-sessionid=evil",
            "\u{2000}__Host-sessionid",
            Dropped::NameByte,
        ),
        (
            "\u{3000}sessionid=evil",
            "\u{3000}sessionid",
            Dropped::NameByte,
        ),
        (
            "$Version=1,__Host-sessionid=evil",
            "$Version",
            Dropped::DollarName,
        ),
        ("=__Host-sessionid", "", Dropped::Nameless),
        ("__Host-sessionid", "", Dropped::Nameless),
        (
            "__Host-sessionid=\"evil",
            "__Host-sessionid",
            Dropped::UnbalancedQuote,
        ),
    ] {
        check(at, field, "", &[(name, NotCanonical(why))], &[]);
    }
    check(
        at,
        "$Version=1; show=\"x; __Host-sessionid=secret; end=y\"",
        "sessionid=secret",
        &[
            ("$Version", NotCanonical(Dropped::DollarName)),
            ("show", NotCanonical(Dropped::UnbalancedQuote)),
            ("end", NotCanonical(Dropped::UnbalancedQuote)),
        ],
        &[],
    );
}

#[test]
fn several_fields_become_one() {
    let rules = NameRules::default();
    let known = known(&[("sessionid", Form::Host)]);
    let result = run(&rules, &known, &["a=1", "b=2; c=3", "__Host-sessionid=s"]);
    assert_eq!(
        result.header.as_deref(),
        Some(&b"a=1; b=2; c=3; sessionid=s"[..])
    );
}

#[test]
fn what_is_canonical_already_is_not_built_anew() {
    let rules = NameRules::default();
    let nothing = KnownNames::default();
    let unchanged = |fields: &[&str]| run(&rules, &nothing, fields).unchanged;
    assert!(unchanged(&[]));
    assert!(unchanged(&["a=1"]));
    assert!(unchanged(&["a=1; b=2"]));
    for field in [
        "",
        " ",
        "a=1;",
        "a=1;b=2",
        "a=1;  b=2",
        " a=1",
        "a =1",
        "a= 1",
        "a=1;\tb=2",
        "a=1; ; b=2",
        "a",
    ] {
        let result = run(&rules, &nothing, &[field]);
        assert!(!result.unchanged, "{field:?}");
        assert_eq!(result.header.is_none(), !field.contains('='));
    }
    assert!(!unchanged(&["a=1", "b=2"]));
}

#[test]
fn secrets_do_not_get_into_the_list_of_names() {
    let rules = NameRules::default();
    let result = run(
        &rules,
        &KnownNames::default(),
        &["=secret; secret; a b=secret; c=\"secret"],
    );
    assert_eq!(result.dropped_total, 4);
    for (name, _) in &result.dropped {
        assert!(!name.windows(6).any(|window| window == b"secret"));
    }
    let long = format!("\u{e9}{}=1", "n".repeat(1000));
    assert_eq!(
        run(&rules, &KnownNames::default(), &[&long]).dropped[0]
            .0
            .len(),
        MAX_LISTED_NAME
    );
}
