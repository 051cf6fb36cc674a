//! What a client says of itself, its route and its cookies, in every spelling.

use crate::case::{Cases, HOST, Seen, Tail, Want, seen};
use crate::stage::{Listener, judge};

const ROUTE: &str = "RFC 7239 §8.1: The \"Forwarded\" HTTP header field cannot be relied upon to be correct, as it may be modified, whether mistakenly or for malicious reasons, by every node on the way to the server, including the client making the request.";
const ODD: &str = "RFC 3875 §4.1.18: … \"-\" characters are replaced with \"_\" — so that a name with `_` is another's to CGI, WSGI and PHP, which folds `.` too.";
const COOKIE: &str = "RFC 6265bis §5.8.3: cookie-string; RFC 6265bis §4.1.3: the prefixes say nothing where a server takes the bare name too.";
const TWO: &str =
    "RFC 6265bis §5.8.1: … the user agent MUST NOT attach more than one Cookie header field.";
const VALUE: &str =
    "RFC 9110 §5.5: Field values containing CR, LF, or NUL characters are invalid and dangerous …";

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1⏎Host: HOST⏎{fields}⏎⏎")
}

fn truth() -> Seen {
    seen("GET", "/")
        .with("host", HOST)
        .with("x-forwarded-for", "127.0.0.1")
        .with("x-real-ip", "127.0.0.1")
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", HOST)
        .with("x-forwarded-port", "443")
        .without("forwarded")
        .without("proxy")
}

#[test]
fn no_claim_reaches_the_app() {
    let mut cases = Cases::default();
    for name in [
        "X-Forwarded-For",
        "x-forwarded-for",
        "X-FORWARDED-FOR",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Real-IP",
        "Forwarded",
        "Proxy",
    ] {
        for (what, value) in [
            ("a lie", "evil.test"),
            ("nothing", ""),
            ("an address", "127.0.0.1"),
            ("a list", "127.0.0.1, 10.0.0.1, evil.test"),
            ("a quote", "\""),
            ("an address with a zone", "[fe80::1%eth0]:80"),
            ("bytes above ASCII", "\u{ff}\u{fe}"),
            ("pairs", "for=1;host=evil.test;proto=http"),
        ] {
            let input = get(&format!("{name}: {value}"));
            cases.passed(ROUTE, &truth(), &[(&format!("{name}: {what}"), &input)]);
        }
        let twice = get(&format!("{name}: a⏎X-A: b⏎{name}: c"));
        cases.passed(ROUTE, &truth(), &[(&format!("{name} twice"), &twice)]);
    }
    for name in [
        "X-Forwarded",
        "X-Forwarded-Prefix",
        "X-Forwarded-Scheme",
        "X-Forwarded-Ssl",
        "X-Forwarded-Server",
        "X-Forwarded-By",
        "X-Forwarded-Anything",
        "True-Client-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
        "X-Original-URL",
        "X-Original-Host",
        "X-Rewrite-URL",
        "X-Host",
        "X-Url-Scheme",
        "Front-End-Https",
        "X-Sealwax-Anything",
        "Client-IP",
        "X-Scheme",
    ] {
        let gone = truth().without(name);
        cases.passed(ROUTE, &gone, &[(name, &get(&format!("{name}: evil.test")))]);
    }
    for name in [
        "X_Forwarded_For",
        "X-Forwarded_For",
        "X_Forwarded-Proto",
        "X.Forwarded.Proto",
        "X-Forwarded.Host",
        "X__Forwarded__For",
        "_X-Forwarded-For",
        "X-Forwarded-For_",
        "Content_Type",
        "Ho.st",
        "X_Real_IP",
        "REMOTE_ADDR",
        "HTTP_HOST",
        "X.Y",
        "Cookie_",
        ".",
        "_",
    ] {
        let gone = truth().without(name);
        cases.passed(ODD, &gone, &[(name, &get(&format!("{name}: evil.test")))]);
    }
    // 64 KiB is the head's limit; this is near it, and one more address would be of no use.
    let hops = vec!["6.6.6.6"; 6000].join(",");
    cases.passed(
        ROUTE,
        &truth(),
        &[("6,000 hops", &get(&format!("X-Forwarded-For: {hops}")))],
    );
    let hops = vec!["6.6.6.6"; 10_000].join(",");
    let want = Want::Refused(&[431]);
    cases.one(
        ROUTE,
        want,
        Tail::Request,
        "10,000 hops",
        &get(&format!("X-Forwarded-For: {hops}")),
    );
    judge("claims", Listener::Https, "", cases);
}

#[test]
fn cookies_arrive_in_one_form() {
    let mut cases = Cases::default();
    let cookie = |value: &str| seen("GET", "/").with("cookie", value);
    for (name, fields, value) in [
        ("one", "Cookie: a=1", "a=1"),
        ("two", "Cookie: a=1; b=2", "a=1; b=2"),
        ("no space between", "Cookie: a=1;b=2", "a=1; b=2"),
        ("spaces between", "Cookie: a=1  ;  b=2", "a=1; b=2"),
        ("tabs between", "Cookie: a=1\t;\tb=2", "a=1; b=2"),
        ("nothing between", "Cookie: a=1;;b=2;", "a=1; b=2"),
        ("no name", "Cookie: =1; b=2", "b=2"),
        ("no value", "Cookie: a=; b=2", "a=; b=2"),
        ("no equals sign", "Cookie: a; b=2", "b=2"),
        ("an equals sign in a value", "Cookie: a=1=2", "a=1=2"),
        (
            "a protected name bare",
            "Cookie: a=1; sessionid=evil",
            "a=1",
        ),
        (
            "a protected name as Host and bare",
            "Cookie: __Host-sessionid=good; sessionid=evil",
            "__Host-sessionid=good; sessionid=good",
        ),
        (
            "a protected name bare and as Host",
            "Cookie: sessionid=evil; __Host-sessionid=good",
            "__Host-sessionid=good; sessionid=good",
        ),
        (
            "two prefixes",
            "Cookie: a=1; __Secure-__Host-sessionid=evil",
            "a=1",
        ),
        (
            "two prefixes in two cases",
            "Cookie: a=1; __Secure-__hOST-sessionid=evil",
            "a=1",
        ),
        (
            "a space of another script before",
            "Cookie: a=1; \u{e2}\u{80}\u{80}__Host-sessionid=evil",
            "a=1",
        ),
        (
            "a no-break space before",
            "Cookie: a=1; \u{a0}sessionid=evil",
            "a=1",
        ),
        ("the old syntax", "Cookie: a=1; $Version=1; $Path=/", "a=1"),
        ("a quote that does not end", "Cookie: a=\"1; b=2", "b=2"),
        (
            "a sandwich",
            "Cookie: a=\"1; sessionid=evil; b=2\"; c=3",
            "c=3",
        ),
        ("two fields", "Cookie: a=1⏎Cookie: b=2", "a=1; b=2"),
        (
            "two fields, apart and in two cases",
            "Cookie: a=1⏎X-A: b⏎cOOKIE: b=2",
            "a=1; b=2",
        ),
        (
            "two fields with a protected name",
            "Cookie: a=1⏎Cookie: sessionid=evil",
            "a=1",
        ),
        ("a comma in a name", "Cookie: a=1; b,c=2", "a=1"),
        ("a space in a name", "Cookie: a=1; b c=2", "a=1"),
    ] {
        let why = if name.starts_with("two fields") {
            TWO
        } else {
            COOKIE
        };
        cases.passed(why, &cookie(value), &[(name, &get(fields))]);
    }
    for (name, fields) in [
        ("none but a protected one", "Cookie: sessionid=evil"),
        ("an empty field", "Cookie:"),
        ("semicolons", "Cookie: ;; ;"),
        (
            "an underscore in the name of the field",
            "Coo_kie: sessionid=evil",
        ),
    ] {
        let none = seen("GET", "/").without("cookie");
        cases.passed(COOKIE, &none, &[(name, &get(fields))]);
    }
    for (name, fields) in [
        ("a NUL in a value", "Cookie: a=1\0; b=2"),
        ("a CR in a value", "Cookie: a=1\rb=2"),
        ("an LF in a value", "Cookie: a=1\nX-Smuggled: 1"),
        ("a fold", "Cookie: a=1;⏎ sessionid=evil"),
        ("a bell in a value", "Cookie: a=\u{7}"),
        ("a space before the colon", "Cookie : a=1"),
    ] {
        cases.refused(VALUE, &[(name, &get(fields))]);
    }
    let many: Vec<_> = (0..300).map(|n| format!("n{n}=1")).collect();
    let many = many.join("; ");
    cases.passed(
        COOKIE,
        &cookie(&many),
        &[("300 in one field", &get(&format!("Cookie: {many}")))],
    );
    let fields = vec!["Cookie: a=1"; 300].join("⏎");
    cases.one(
        COOKIE,
        Want::Refused(&[431]),
        Tail::Request,
        "300 fields",
        &get(&fields),
    );
    let large = format!("Cookie: a={}", "b".repeat(64 << 10));
    cases.one(
        COOKIE,
        Want::Refused(&[431]),
        Tail::Request,
        "one of 64 KiB",
        &get(&large),
    );
    judge("cookies", Listener::Https, "", cases);
}
