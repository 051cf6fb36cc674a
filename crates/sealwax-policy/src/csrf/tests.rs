use super::*;

fn csrf() -> Csrf {
    Csrf {
        trusted_origins: TrustedOrigins::new(["https://*.friends.test", "https://pay.test:8443"])
            .unwrap(),
        exempt: Paths::new(["^hook/"]).unwrap(),
        cookie_domain: None,
    }
}

fn judge(first_line: &str, secure: bool, fields: &[(&'static str, &str)]) -> Result<Proof, String> {
    let (method, path) = first_line.split_once(' ').unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    let sent = Sent {
        method,
        path,
        headers: &headers,
        secure,
        host: Some("good"),
    };
    csrf()
        .judge(&sent)
        .map_err(|reason| reason.rule().id().to_owned())
}

const ORIGIN: Result<Proof, &str> = Err("csrf.origin");

#[test]
fn a_foreign_origin_is_refused() {
    for (origin, expected) in [
        ("https://good", Ok(Proof::OwnOrigin)),
        ("https://good.evil.com", ORIGIN),
        ("https://evilgood.com", ORIGIN),
        ("null", ORIGIN),
        ("https://good:444", ORIGIN),
        ("https://good:443", ORIGIN),
        ("http://good", ORIGIN),
        ("https://GOOD", ORIGIN),
        ("https://good/", ORIGIN),
        ("good", ORIGIN),
        ("", ORIGIN),
        ("https://[", ORIGIN),
        ("https://x.friends.test", Ok(Proof::TrustedOrigin)),
        ("https://friends.test", Ok(Proof::TrustedOrigin)),
        ("https://pay.test:8443", Ok(Proof::TrustedOrigin)),
        ("https://pay.test", ORIGIN),
    ] {
        let expected = expected.map_err(str::to_owned);
        let fields = [("origin", origin), ("referer", "https://good/page")];
        assert_eq!(judge("POST /", true, &fields), expected, "{origin}");
    }
    assert_eq!(
        judge("POST /", false, &[("origin", "http://good")]),
        Ok(Proof::OwnOrigin)
    );
    let twice = [("origin", "https://good"), ("origin", "https://evil")];
    assert_eq!(judge("POST /", true, &twice), Err("csrf.origin".into()));
}

#[test]
fn what_the_browser_says_of_the_sender_comes_first() {
    for (site, origin, expected) in [
        ("same-origin", None, Ok(Proof::FetchMetadata)),
        // A page with `Referrer-Policy: no-referrer` sends this to itself.
        ("same-origin", Some("null"), Ok(Proof::FetchMetadata)),
        ("none", None, Ok(Proof::FetchMetadata)),
        ("same-site", None, Err("csrf.fetch-metadata")),
        ("cross-site", None, Err("csrf.fetch-metadata")),
        ("", None, Err("csrf.fetch-metadata")),
        ("Same-Origin", None, Err("csrf.fetch-metadata")),
        ("same-origin, none", None, Err("csrf.fetch-metadata")),
        ("same-site", Some("https://sub.good"), ORIGIN),
        ("same-site", Some("https://good"), ORIGIN),
        ("cross-site", Some("null"), ORIGIN),
        (
            "cross-site",
            Some("https://a.friends.test"),
            Ok(Proof::TrustedOrigin),
        ),
    ] {
        let mut fields = vec![("sec-fetch-site", site), ("referer", "https://good/")];
        fields.extend(origin.map(|origin| ("origin", origin)));
        let expected = expected.map_err(str::to_owned);
        assert_eq!(
            judge("POST /", true, &fields),
            expected,
            "{site} {origin:?}"
        );
    }
}

#[test]
fn the_referer_is_what_is_left_on_https() {
    assert_eq!(
        judge("POST /", true, &[("referer", "https://good/x")]),
        Ok(Proof::Referer)
    );
    for referer in ["https://good.evil.com/", "http://good/", "about:blank"] {
        let judged = judge("POST /", true, &[("referer", referer)]);
        assert_eq!(judged, Err("csrf.referer".into()), "{referer}");
    }
    assert_eq!(judge("POST /", true, &[]), Err("csrf.referer".into()));
    assert_eq!(judge("POST /", false, &[]), Ok(Proof::Nothing));
}

#[test]
fn only_four_methods_are_safe_and_only_by_their_exact_name() {
    let foreign = [("origin", "https://evil")];
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        let judged = judge(&format!("{method} /"), true, &foreign);
        assert_eq!(judged, Ok(Proof::SafeMethod), "{method}");
    }
    for method in [
        "POST", "post", "get", "PUT", "DELETE", "PATCH", "QUERY", "CONNECT", "GETT",
    ] {
        let judged = judge(&format!("{method} /"), true, &foreign);
        assert_eq!(judged, Err("csrf.origin".into()), "{method}");
    }
    // What an override says makes no difference in either direction.
    let override_to = |method, field| judge(method, true, &[("origin", "https://evil"), field]);
    let delete = ("x-http-method-override", "DELETE");
    assert_eq!(
        override_to("GET /?_method=DELETE", delete),
        Ok(Proof::SafeMethod)
    );
    let get = ("x-http-method-override", "GET");
    assert!(override_to("POST /?_method=GET", get).is_err());
}

#[test]
fn a_websocket_from_another_site_is_refused() {
    for method in ["GET /", "HEAD /", "OPTIONS /"] {
        let upgrade = |fields: &[(&'static str, &str)]| {
            let mut all = vec![("upgrade", "websocket"), ("connection", "Upgrade")];
            all.extend(fields);
            judge(method, true, &all)
        };
        assert_eq!(
            upgrade(&[("origin", "https://evil")]),
            Err("csrf.origin".into())
        );
        assert_eq!(upgrade(&[("origin", "null")]), Err("csrf.origin".into()));
        assert_eq!(
            upgrade(&[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://sub.good")
            ]),
            Err("csrf.origin".into())
        );
        assert_eq!(upgrade(&[("origin", "https://good")]), Ok(Proof::OwnOrigin));
        assert_eq!(upgrade(&[]), Ok(Proof::SafeMethod));
    }
}

#[test]
fn an_exempt_path_is_not_left_by_another_spelling() {
    for (path, exempt) in [
        ("/hook/", true),
        ("/hook/pay", true),
        ("/hook", false),
        ("/hook/../admin", false),
        ("/hook%2f..%2fadmin", false),
        ("/HOOK/", false),
    ] {
        let judged = judge(&format!("POST {path}"), true, &[("origin", "https://evil")]);
        assert_eq!(judged == Ok(Proof::Exempt), exempt, "{path}");
    }
}

#[test]
fn without_an_allowed_host_nothing_is_the_sites_own() {
    let mut headers = HeaderMap::new();
    headers.insert("origin", "https://good".parse().unwrap());
    let sent = Sent {
        method: "POST",
        path: "/",
        headers: &headers,
        secure: true,
        host: None,
    };
    assert!(csrf().judge(&sent).is_err());
}

#[test]
fn the_record_says_why_and_cannot_be_written_into() {
    let change = Reason::BadOrigin("https://a\u{1b}[2J".into()).change(false);
    assert_eq!(change.rule, Rule::CsrfOrigin);
    assert!(!change.applied && change.notable);
    assert!(!change.before.unwrap().contains('\u{1b}'));
}
