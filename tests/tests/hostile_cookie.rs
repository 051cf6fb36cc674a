//! Cookies that somebody made to hurt, in both directions, byte for byte.

use sealwax_tests::{Gateway, Request, Step, Upstream, parse_answer, run, wait_until};

/// An app whose session and CSRF cookies the gateway has seen leave as `__Host-`.
async fn with_a_session() -> (Upstream, Gateway) {
    let (app, gateway) = setting(&["sessionid=1; Path=/; HttpOnly", "csrftoken=1; Path=/"]).await;
    gateway.get("localhost", "/").await;
    (app, gateway)
}

/// An app that sets these cookies with every answer.
async fn setting(cookies: &'static [&'static str]) -> (Upstream, Gateway) {
    let app = Upstream::with(move |_: &Request| {
        let fields: Vec<_> = cookies
            .iter()
            .map(|&cookie| ("Set-Cookie", cookie))
            .collect();
        Step::response(200, &fields, "ok")
    })
    .await;
    let gateway = Gateway::to(&app.url()).start().await;
    (app, gateway)
}

/// The attributes of a Set-Cookie field, lower-case, with their count.
fn attributes(field: &str) -> Vec<String> {
    let mut all: Vec<_> = field
        .split(';')
        .skip(1)
        .map(|attribute| attribute.trim().to_ascii_lowercase())
        .collect();
    all.sort();
    all
}

#[test]
fn what_leaves_is_hardened_once_and_otherwise_as_the_app_wrote_it() {
    run(30, async {
        let (_app, gateway) = setting(&[
            "a=b; Secure ; httponly;SAMESITE=lax",
            "sid=\"a;b\"; Path=/",
            "odd=1; Secure=1; SameSite=Bogus; SameSite=None",
            "dup=1; SameSite=Strict; SameSite=Bogus",
            "unknown=1; Path=/; Priority=High; X-Odd=\"1\"",
            "sessionid=s; path=/; Expires=Wed, 01-Jan-2031 00:00:00 GMT",
            "strict=1; SameSite=STRICT",
            "none=1; SameSite=None",
            "chips=1; SameSite=None; Partitioned; Secure",
            "latin=caf\u{e9}; Path=/",
        ])
        .await;
        let answer = gateway.get("localhost", "/dir/").await;
        let fields = answer.all("set-cookie");
        let find = |start: &str| {
            fields
                .iter()
                .find(|field| field.starts_with(start))
                .unwrap_or_else(|| panic!("no {start} in {fields:#?}"))
                .clone()
        };
        for field in &fields {
            let attributes = attributes(field);
            let count = |name: &str| {
                attributes
                    .iter()
                    .filter(|attribute| attribute.split('=').next() == Some(name))
                    .count()
            };
            assert_eq!((count("secure"), count("samesite")), (1, 1), "{field}");
            assert!(count("httponly") <= 1, "{field}");
        }
        // Marked HttpOnly without a path on /dir/: the path is /dir, so __Secure-.
        assert_eq!(
            find("__Secure-a="),
            "__Secure-a=b; Secure ; httponly;SAMESITE=lax"
        );
        assert!(
            find("odd=").to_lowercase().contains("samesite=none"),
            "{}",
            find("odd=")
        );
        // The last SameSite counts, and it is none that exists: the floor.
        assert!(
            attributes(&find("dup=")).contains(&"samesite=lax".to_owned()),
            "{}",
            find("dup=")
        );
        assert!(find("unknown=1; Path=/; Priority=High; X-Odd=\"1\"").contains("SameSite=Lax"));
        assert!(
            find("__Host-sessionid=s; path=/; Expires=Wed, 01-Jan-2031 00:00:00 GMT")
                .contains("HttpOnly")
        );
        assert_eq!(attributes(&find("strict=")), ["samesite=strict", "secure"]);
        assert_eq!(attributes(&find("none=")), ["samesite=none", "secure"]);
        assert_eq!(
            attributes(&find("chips=")),
            ["partitioned", "samesite=none", "secure"]
        );
        assert!(find("latin=").starts_with("latin=caf\u{e9}; Path=/"));
    });
}

#[test]
fn a_cookie_that_a_browser_would_refuse_does_no_harm() {
    run(30, async {
        let (_app, gateway) = setting(&[
            "=v",
            "a",
            "",
            ";",
            "=__Host-x",
            "sessionid",
            "sessionid=",
            "=; Path=/",
        ])
        .await;
        let answer = gateway.get("localhost", "/").await;
        assert_eq!(answer.status, 200);
        for field in answer.all("set-cookie") {
            // Never does a nameless one become a protected one.
            assert!(
                !field.starts_with("__Host-=") && !field.contains("__Host-__Host-"),
                "{field}"
            );
        }
    });
}

/// What the app receives when the client sends these bytes as `Cookie`; "refused" where the
/// request is answered with 400, as one with control bytes may be.
async fn receives(gateway: &Gateway, app: &Upstream, cookie: impl AsRef<[u8]>) -> String {
    let mut request =
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: ".to_vec();
    request.extend_from_slice(cookie.as_ref());
    request.extend_from_slice(b"\r\n\r\n");
    let answer = parse_answer(&gateway.raw("localhost", request).await);
    match answer.map_or(0, |answer| answer.status) {
        200 => app.last().header("cookie"),
        400 => "refused".into(),
        other => panic!("{}: {other}", String::from_utf8_lossy(cookie.as_ref())),
    }
}

#[test]
fn what_arrives_is_canonical_and_only_in_the_form_in_which_it_left() {
    run(60, async {
        let (app, gateway) = with_a_session().await;
        let cases: &[(&[u8], &str)] = &[
            (b"theme=dark; lang=en", "theme=dark; lang=en"),
            (b"theme=dark;lang=en;", "theme=dark; lang=en"),
            (b"\ttheme=dark \t;  lang=en", "theme=dark; lang=en"),
            // Tossing.
            (b"__Host-sessionid=good; sessionid=evil", "sessionid=good"),
            (
                b"sessionid=evil; __Host-sessionid=good; sessionid=evil2",
                "sessionid=good",
            ),
            (b"sessionid=evil", ""),
            (b"csrftoken=evil; theme=dark", "theme=dark"),
            (b"__Secure-sessionid=evil", ""),
            (
                b"__Secure-sessionid=evil; __Host-sessionid=good",
                "sessionid=good",
            ),
            (
                b"__Host-sessionid=first; __Host-sessionid=second",
                "sessionid=first",
            ),
            // Prefixes in disguise.
            (b"__Secure-__Host-sessionid=evil", ""),
            (b"__Host-__Host-sessionid=evil", ""),
            (b"__HOST-sessionid=evil", ""),
            (b"__host-sessionid=evil; __SECURE-sessionid=evil", ""),
            (b"__Host-__secure-sessionid=evil", ""),
            ("\u{2000}__Host-sessionid=evil".as_bytes(), ""),
            (
                "\u{a0}__Host-sessionid=evil; \u{85}sessionid=evil; \u{3000}theme=x".as_bytes(),
                "",
            ),
            (b"\x0b__Host-sessionid=evil", "refused"),
            (b"\x0csessionid=evil; a=1", "refused"),
            // Old syntax.
            (b"$Version=1; $Path=/; a=1", "a=1"),
            (b"$Version=1,__Host-sessionid=evil", ""),
            (b"a,b=1; c=2", "c=2"),
            (b"a\"b=1; a\\b=2; a b=3; c=4", "c=4"),
            // The sandwich.
            (b"a=\"x; __Host-sessionid=good; z=y\"", "sessionid=good"),
            (b"a=\"whole\"; b=2", "a=\"whole\"; b=2"),
            (b"a=\"; b=2", "b=2"),
            // Nameless.
            (b"=sessionid=evil; nameless; a=1", "a=1"),
            (b"=__Host-sessionid=evil", ""),
            // What apps really use.
            (b"arr[0]=a; arr[1]=b", "arr[0]=a; arr[1]=b"),
            (
                b"prefs={\"a\":1,\"b\":[2,3]}",
                "prefs={\"a\":1,\"b\":[2,3]}",
            ),
            (b"a=1=2==; b=", "a=1=2==; b="),
            ("name=caf\u{e9}".as_bytes(), "name=caf\u{e9}"),
            (b"a=1; a=2", "a=1; a=2"),
        ];
        let mut wrong = Vec::new();
        for (sent, wanted) in cases {
            let seen = receives(&gateway, &app, sent).await;
            if seen != *wanted {
                wrong.push(format!(
                    "{}: {seen:?}, wanted {wanted:?}",
                    String::from_utf8_lossy(sent)
                ));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(!app.last().has("cookie") || !app.last().header("cookie").is_empty());
    });
}

#[test]
fn before_anything_is_known_a_protected_name_passes_only_as_host() {
    run(30, async {
        let (app, gateway) = setting(&[]).await;
        for (sent, wanted) in [
            // The app may have prefixed it itself: under both names, and nothing else.
            (
                "__Host-sessionid=good; sessionid=evil",
                "__Host-sessionid=good; sessionid=good",
            ),
            ("sessionid=evil", ""),
            ("__Secure-sessionid=evil", ""),
            ("__Secure-__Host-sessionid=evil; __HOST-sessionid=evil", ""),
        ] {
            assert_eq!(receives(&gateway, &app, sent).await, wanted, "{sent}");
        }
    });
}

#[test]
fn an_empty_cookie_field_is_left_out() {
    run(30, async {
        let (app, gateway) = setting(&[]).await;
        receives(&gateway, &app, "sessionid=evil").await;
        assert!(
            !app.last().has("cookie"),
            "an empty Cookie field reached the app"
        );
    });
}

#[test]
fn cookies_in_many_fields_are_one_to_the_app() {
    run(30, async {
        let (app, gateway) = with_a_session().await;
        for http2 in [false, true] {
            let mut request = gateway.request("localhost", "/");
            for cookie in ["a=1", "__Host-sessionid=good", "sessionid=evil", "b=2; c=3"] {
                request = request.header("Cookie", cookie);
            }
            let answer = if http2 {
                request.http2().send().await
            } else {
                request.send().await
            };
            if http2 || answer.status == 200 {
                assert_eq!(app.last().header("cookie"), "a=1; sessionid=good; b=2; c=3");
            } else {
                // RFC 6265bis, 5.8.3: one field in HTTP/1.1; refusing more is right too.
                assert_eq!(answer.status, 400);
            }
        }
    });
}

#[test]
fn too_many_cookies_are_431() {
    run(30, async {
        let (app, gateway) = setting(&[]).await;
        let many = (0..300)
            .map(|number| format!("cookie{number}={}", "x".repeat(220)))
            .collect::<Vec<_>>()
            .join("; ");
        assert!(many.len() > 64 << 10);
        for http2 in [false, true] {
            let request = gateway.request("localhost", "/").header("Cookie", &many);
            let answer = if http2 {
                request.http2().send().await
            } else {
                request.send().await
            };
            assert_eq!(answer.status, 431, "HTTP/2 {http2}");
        }
        assert!(app.requests().is_empty());
    });
}

#[test]
fn a_deletion_deletes_every_form_with_the_attributes_of_each() {
    run(30, async {
        let (_app, gateway) = setting(&["sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"]).await;
        let answer = gateway.get("localhost", "/").await;
        for name in ["__Host-sessionid", "sessionid"] {
            let attributes = attributes(&answer.set_cookie(name));
            for wanted in ["max-age=0", "path=/", "secure"] {
                assert!(
                    attributes.contains(&wanted.to_owned()),
                    "{name}: {attributes:?} in {answer:?}"
                );
            }
            assert!(
                !attributes
                    .iter()
                    .any(|attribute| attribute.starts_with("domain"))
            );
        }
    });
}

#[test]
fn what_the_app_set_decides_what_comes_back_also_after_a_restart() {
    run(60, async {
        let app = Upstream::with(|request| match request.path().as_str() {
            "/set" => Step::response(
                200,
                &[
                    ("Set-Cookie", "own=1; Path=/; HttpOnly"),
                    ("Set-Cookie", "__Host-mine=1; Path=/; Secure"),
                    (
                        "Set-Cookie",
                        "sessionid=shared; Domain=example.test; Path=/",
                    ),
                    ("Set-Cookie", "deep=1; Path=/deep/; HttpOnly"),
                ],
                "ok",
            ),
            _ => Step::response(200, &[], "ok"),
        })
        .await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["app.example.test"])
            .start()
            .await;
        let receives = async |gateway: &Gateway, cookie: &str| {
            gateway
                .request("app.example.test", "/")
                .header("Cookie", cookie)
                .send()
                .await;
            app.last().header("cookie")
        };
        // Unknown, unprotected and prefixed: under both names until it is known.
        assert_eq!(
            receives(&gateway, "__Host-mine=1").await,
            "__Host-mine=1; mine=1"
        );
        assert_eq!(receives(&gateway, "own=1; deep=1").await, "own=1; deep=1");
        gateway.get("app.example.test", "/set").await;
        let after = async |gateway: &Gateway| {
            assert_eq!(receives(gateway, "__Host-mine=1").await, "__Host-mine=1");
            assert_eq!(receives(gateway, "__Host-own=1; own=evil").await, "own=1");
            assert_eq!(receives(gateway, "own=evil").await, "");
            assert_eq!(
                receives(gateway, "__Secure-deep=1; deep=evil").await,
                "deep=1"
            );
            // Set with a Domain it left bare, so bare it comes back.
            assert_eq!(
                receives(gateway, "sessionid=shared").await,
                "sessionid=shared"
            );
        };
        after(&gateway).await;
        let home = gateway.stop().await;
        let text = std::fs::read_to_string(home.path().join("sealwax.toml")).unwrap();
        let again = Gateway::to(&app.url())
            .hosts(&["app.example.test"])
            .home(home)
            .start()
            .await;
        assert!(text.contains("app.example.test"));
        after(&again).await;
    });
}

#[test]
fn a_secure_cookie_never_leaves_over_plain_http() {
    run(30, async {
        let app =
            Upstream::with(|_| Step::response(200, &[("Set-Cookie", "sessionid=1; Path=/")], "ok"))
                .await;
        let gateway = Gateway::to(&app.url())
            .site("[site.redirect]\nexempt = [\"^plain/\"]")
            .start()
            .await;
        let answer = gateway.plain("localhost", "/plain/").send().await;
        assert_eq!(answer.status, 200);
        assert!(answer.all("set-cookie").is_empty(), "{answer:?}");
        wait_until("a word on what was withheld", 5, || {
            gateway.log().contains("cookie.withheld").then_some(())
        })
        .await;
    });
}

#[test]
fn report_mode_changes_no_cookie_and_still_cleans_what_comes_in() {
    run(30, async {
        let app =
            Upstream::with(|_| Step::response(200, &[("Set-Cookie", "sessionid=1; Path=/")], "ok"))
                .await;
        let gateway = Gateway::to(&app.url())
            .site("mode = \"report\"")
            .start()
            .await;
        let answer = gateway.get("localhost", "/").await;
        assert_eq!(answer.all("set-cookie"), ["sessionid=1; Path=/"]);
        assert!(!answer.headers.contains_key("x-content-type-options"));
        gateway
            .request("localhost", "/")
            .header("Cookie", "sessionid=1; \u{2000}x=evil; a=1")
            .send()
            .await;
        assert_eq!(app.last().header("cookie"), "sessionid=1; a=1");
    });
}

#[test]
fn clients_that_cannot_read_none_are_spared_it_when_asked_for() {
    run(30, async {
        let app = Upstream::with(|_| {
            Step::response(
                200,
                &[("Set-Cookie", "embed=1; Path=/; SameSite=None; Secure")],
                "ok",
            )
        })
        .await;
        let old = "Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1";
        let new = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        for (setting, agent, none) in [
            ("true", old, false),
            ("true", new, true),
            ("false", old, true),
        ] {
            let gateway = Gateway::to(&app.url())
                .site(&format!("[site.cookies]\nlegacy_same_site = {setting}"))
                .start()
                .await;
            let answer = gateway
                .request("localhost", "/")
                .header("User-Agent", agent)
                .send()
                .await;
            let field = answer.set_cookie("embed").to_lowercase();
            assert_eq!(field.contains("samesite=none"), none, "{field}");
            assert!(field.contains("secure"), "{field}");
            assert_eq!(
                answer.header("vary").to_lowercase().contains("user-agent"),
                setting == "true",
                "{answer:?}"
            );
        }
    });
}
