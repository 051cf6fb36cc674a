//! What holds for every message: nothing of the app's is lost or weakened, and
//! nothing a client sends makes the machine panic or forge its route.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use proptest::prelude::*;
use sealwax_cookie::{SameSiteAttribute, SetCookie};
use sealwax_policy::{
    AllowedHosts, Connection, Exchange, Headers, KnownNames, Level, LoopWatch, Policy, State, Step,
    Target,
};

static HSTS: HeaderValue = HeaderValue::from_static("max-age=300");

fn connection(tls: bool) -> Connection {
    Connection {
        peer: "203.0.113.9".parse().ok(),
        tls,
        publicly_trusted: true,
    }
}

fn state(names: &KnownNames) -> State<'_> {
    State {
        now: 1_764_000_000,
        names,
        hsts: &HSTS,
    }
}

/// Runs a response through a fresh exchange on a GET for `/`.
fn respond(policy: &Policy, names: &KnownNames, headers: HeaderMap) -> HeaderMap {
    let request = Request::get("/").header("host", "app.example.com");
    let mut parts = request.body(()).expect("request").into_parts().0;
    let target = Target::read(&parts).expect("target");
    let mut exchange = Exchange::new(policy, connection(true), target, &parts, Level::All);
    assert!(matches!(
        exchange.request(&mut parts, state(names)),
        Step::Forward
    ));
    let mut response = Response::new(()).into_parts().0;
    response.headers = headers;
    let mut loops = LoopWatch::default();
    let _plan = exchange.response(&mut response, state(names), &mut loops);
    response.headers
}

fn field() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let names = prop_oneof![
        3 => Just("set-cookie"),
        1 => Just("vary"),
        1 => Just("strict-transport-security"),
        1 => Just("x-frame-options"),
        1 => Just("content-security-policy"),
        1 => Just("location"),
        1 => Just("x-anything"),
    ];
    let values = prop_oneof![
        "[ -~]{0,40}",
        "(sid|sessionid|__Host-a|theme)=[a-z]{0,5}(; (Secure|HttpOnly|SameSite=(Lax|Strict|None|x)|Path=/[a-z]?|Domain=a\\.b|Max-Age=-?[0-9])){0,4}",
    ];
    (names, values).prop_filter_map("header values", |(name, value)| {
        Some((
            HeaderName::from_static(name),
            HeaderValue::from_str(&value).ok()?,
        ))
    })
}

fn strength(cookie: &SetCookie<'_>) -> (bool, bool, u8) {
    let same_site = match cookie.same_site() {
        SameSiteAttribute::Is(sealwax_cookie::SameSite::None) => 0,
        SameSiteAttribute::Absent | SameSiteAttribute::Invalid => 1,
        SameSiteAttribute::Is(sealwax_cookie::SameSite::Lax) => 2,
        SameSiteAttribute::Is(sealwax_cookie::SameSite::Strict) => 3,
    };
    (cookie.secure(), cookie.http_only(), same_site)
}

proptest! {
    #[test]
    fn what_the_app_sent_stays_and_is_never_weaker(fields in prop::collection::vec(field(), 0..8)) {
        let policy = Policy::new(AllowedHosts::new(["app.example.com"]));
        let names = KnownNames::default();
        let mut sent = HeaderMap::new();
        for (name, value) in &fields {
            sent.append(name.clone(), value.clone());
        }
        let got = respond(&policy, &names, sent.clone());
        for name in sent.keys().filter(|n| *n != "set-cookie") {
            let before: Vec<_> = sent.get_all(name).iter().collect();
            let after: Vec<_> = got.get_all(name).iter().take(before.len()).collect();
            prop_assert_eq!(before, after, "{}", name);
        }
        for name in ["x-content-type-options", "referrer-policy", "strict-transport-security"] {
            prop_assert!(got.contains_key(name), "{}", name);
        }
        // Every cookie goes out in the app's order; deletions of ours may stand between.
        let mut after = got.get_all("set-cookie").iter();
        for before in sent.get_all("set-cookie") {
            let Ok(before) = SetCookie::parse(before.as_bytes()) else { continue };
            let its_own = |field: &&HeaderValue| {
                SetCookie::parse(field.as_bytes())
                    .is_ok_and(|c| c.value() == before.value() && c.name().ends_with(before.name()))
            };
            let Some(field) = after.find(its_own) else {
                return Err(TestCaseError::fail("a cookie is lost"));
            };
            let is = SetCookie::parse(field.as_bytes()).map(|c| strength(&c)).expect("parsed above");
            let was = strength(&before);
            prop_assert!(is.0 && is.1 >= was.1 && is.2 >= was.2, "{:?} -> {:?}", was, is);
        }
    }

    #[test]
    fn a_second_pass_changes_nothing(fields in prop::collection::vec(field(), 0..6)) {
        let policy = Policy::new(AllowedHosts::new(["app.example.com"]));
        let names = KnownNames::default();
        let mut sent = HeaderMap::new();
        for (name, value) in fields {
            // A deletion goes out twice by design.
            let deletes = SetCookie::parse(value.as_bytes()).is_ok_and(|c| c.is_deletion(1_764_000_000));
            if !(name == "set-cookie" && deletes) {
                sent.append(name, value);
            }
        }
        let once = respond(&policy, &names, sent);
        let twice = respond(&policy, &names, once.clone());
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn no_client_forges_its_route(
        fields in prop::collection::vec(("[!#$%&'*+.^_`|~0-9a-z-]{1,24}", "[\\t -~]{0,32}"), 0..12),
        cookie in prop::collection::vec(any::<u8>().prop_filter("header bytes", |b| (0x20..0x7f).contains(b) || *b >= 0x80), 0..64),
    ) {
        let mut policy = Policy::new(AllowedHosts::new(["app.example.com"]));
        policy.headers = Headers::django();
        let names = KnownNames::default();
        let mut parts = Request::get("/").header("host", "app.example.com").body(()).expect("request").into_parts().0;
        for (name, value) in &fields {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
                && name != "host"
            {
                parts.headers.append(name, value);
            }
        }
        if let Ok(value) = HeaderValue::from_bytes(&cookie) {
            parts.headers.append("cookie", value);
        }
        let target = Target::read(&parts).expect("target");
        let mut exchange = Exchange::new(&policy, connection(true), target, &parts, Level::Notable);
        prop_assert!(matches!(exchange.request(&mut parts, state(&names)), Step::Forward));
        prop_assert_eq!(&parts.headers["x-forwarded-proto"], "https");
        prop_assert_eq!(&parts.headers["x-forwarded-for"], "203.0.113.9");
        for name in parts.headers.keys() {
            prop_assert!(!name.as_str().contains(['_', '.']), "{}", name);
        }
        prop_assert!(parts.headers.get_all("cookie").iter().count() <= 1);
    }
}
