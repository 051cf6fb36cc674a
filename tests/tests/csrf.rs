//! Requests that another site would make a browser send, as raw bytes, to an axum app behind all
//! layers. In Chromium: csrf_in_chromium.rs.

use sealwax_tests::{App, Visitor, axum, run, wait_until};

const HOST: &str = "good.example.test";
const KEY: (&str, &str) = (
    "SECRET_KEY",
    "an example of fifty characters, which nobody guesses!",
);

/// The app over plain HTTP, as a browser's own address bar shows it.
async fn app(more: &[(&str, &str)]) -> App {
    let mut settings = vec![("SEALWAX_ENV", "development"), ("ALLOWED_HOSTS", HOST), KEY];
    settings.extend(more);
    axum(&settings).await
}

/// The app behind a gateway that ends TLS: the same process, a trusted peer, `https`.
async fn secure_app(more: &[(&str, &str)]) -> App {
    let mut settings = vec![
        ("ALLOWED_HOSTS", HOST),
        KEY,
        ("SEALWAX_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("SEALWAX_COOKIE_PREFIX", "false"),
    ];
    settings.extend(more);
    axum(&settings).await
}

/// A request with these fields, and the good token and its cookie unless `token` is false: what
/// must be refused is then refused for where it comes from.
async fn send(app: &App, method: &str, target: &str, fields: &[(&str, &str)], token: bool) -> u16 {
    let mut visitor = Visitor::of(HOST).with_old_browser();
    let proxied = fields.iter().find(|(name, _)| *name == "x-forwarded-proto");
    let mut page = visitor.request(app.port, "/token/");
    if let Some((name, value)) = proxied {
        page = page.header(name, value);
    }
    let page = visitor.send(page).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let before = changes(app).await;
    let mut request = visitor.request(app.port, target).method(method);
    for (name, value) in fields {
        request = request.header(name, value.replace("PORT", &app.port.to_string()));
    }
    if token {
        request = request.header("x-csrftoken", page.text());
    }
    let answer = request.send().await;
    let reached = changes(app).await != before;
    assert!(
        !(reached && answer.status == 403),
        "refused, but done: {method} {target} {fields:?}"
    );
    answer.status
}

/// How often something was changed in the app.
async fn changes(app: &App) -> String {
    let mut visitor = Visitor::of(HOST);
    let request = visitor.request(app.port, "/changes");
    visitor
        .send(request.header("x-forwarded-proto", "https"))
        .await
        .text()
}

#[test]
fn other_origins_are_refused_and_the_own_one_passes() {
    run(60, async {
        let app = app(&[]).await;
        for origin in [
            "http://good.evil.com",
            "http://evilgood.example.test:PORT",
            "http://good.example.test.evil.com:PORT",
            "http://evil.good.example.test:PORT",
            "null",
            "",
            "http://good.example.test:444",
            "http://good.example.test",
            "https://good.example.test:PORT",
            "http://good.example.test:PORT/",
            "http://GOOD.example.test:PORT",
            "http://good.example.test:PORT, http://evil.com",
            "good.example.test:PORT",
            "http://good.example.test:PORT@evil.com",
            "http://user@good.example.test:PORT",
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let fields = [("origin", origin)];
                assert_eq!(
                    send(&app, method, "/", &fields, true).await,
                    403,
                    "{method} {origin}"
                );
            }
        }
        let own = [("origin", "http://good.example.test:PORT")];
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(send(&app, method, "/x", &own, true).await, 200, "{method}");
            // An old browser's request needs the token besides.
            assert_eq!(send(&app, method, "/x", &own, false).await, 403, "{method}");
        }
        // Reading is for everybody.
        for method in ["GET", "HEAD", "OPTIONS"] {
            let fields = [("origin", "http://evil.com")];
            assert_eq!(
                send(&app, method, "/x", &fields, false).await,
                200,
                "{method}"
            );
        }
        let two = [
            ("origin", "http://good.example.test:PORT"),
            ("origin", "http://evil.com"),
        ];
        assert_eq!(send(&app, "POST", "/", &two, true).await, 403);
    });
}

#[test]
fn what_the_browser_says_of_a_request_counts_first() {
    run(60, async {
        let app = app(&[]).await;
        let own = ("origin", "http://good.example.test:PORT");
        for site in [
            "same-site",
            "cross-site",
            "SAME-ORIGIN",
            "same-origin, cross-site",
            "",
            "x",
        ] {
            let fields = [("sec-fetch-site", site)];
            let status = send(&app, "POST", "/", &fields, false).await;
            assert_eq!(status, 403, "{site} without Origin and token");
        }
        for site in ["same-site", "cross-site"] {
            // No browser says both, so whoever does is none.
            let fields = [("sec-fetch-site", site), own];
            assert_eq!(send(&app, "POST", "/", &fields, true).await, 403, "{site}");
        }
        for site in ["same-origin", "none"] {
            let fields = [("sec-fetch-site", site)];
            assert_eq!(send(&app, "POST", "/", &fields, false).await, 200, "{site}");
        }
        let two = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert_eq!(send(&app, "POST", "/", &two, false).await, 403);
    });
}

#[test]
fn methods_are_taken_as_they_are_written() {
    run(60, async {
        let app = app(&[]).await;
        let evil = [("origin", "http://evil.com")];
        for method in ["post", "Post", "get", "PURGE", "PROPFIND", "X"] {
            let status = send(&app, method, "/", &evil, true).await;
            // The router may know no such method, but not before the layer has judged it.
            assert_eq!(status, 403, "{method}");
        }
        // A method in a header or a field is another framework's custom: it is not looked at.
        for header in [
            "x-http-method-override",
            "x-method-override",
            "x-http-method",
        ] {
            let fields = [("origin", "http://evil.com"), (header, "DELETE")];
            assert_eq!(send(&app, "GET", "/x", &fields, false).await, 200);
            let fields = [("origin", "http://evil.com"), (header, "GET")];
            assert_eq!(send(&app, "POST", "/x", &fields, true).await, 403);
        }
        assert_eq!(
            send(&app, "GET", "/x?_method=DELETE", &evil, false).await,
            200
        );
        assert_eq!(send(&app, "POST", "/x?_method=GET", &evil, true).await, 403);
        assert_eq!(changes(&app).await, "0");
    });
}

#[test]
fn a_websocket_is_opened_from_the_own_origin_only() {
    run(60, async {
        let app = app(&[]).await;
        let handshake = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let with = |more: &[(&'static str, &'static str)]| [&handshake, more].concat();
        for (more, wanted) in [
            (vec![("origin", "http://evil.com")], 403),
            (vec![("origin", "null")], 403),
            (vec![("origin", "http://good.example.test:444")], 403),
            (vec![("origin", "http://evil.example.test:PORT")], 403),
            (vec![("sec-fetch-site", "cross-site")], 403),
            (
                vec![
                    ("sec-fetch-site", "same-site"),
                    ("origin", "http://evil.example.test:PORT"),
                ],
                403,
            ),
            (vec![("origin", "http://good.example.test:PORT")], 101),
            (vec![("sec-fetch-site", "same-origin")], 101),
        ] {
            let status = send(&app, "GET", "/socket", &with(&more), false).await;
            assert_eq!(status, wanted, "{more:?}");
            if wanted == 403 {
                assert_eq!(
                    send(&app, "HEAD", "/socket", &with(&more), false).await,
                    403
                );
                let fields = [
                    more.as_slice(),
                    &[
                        ("upgrade", "WebSocket"),
                        ("connection", "keep-alive, upgrade"),
                    ],
                ]
                .concat();
                assert_eq!(send(&app, "GET", "/socket", &fields, false).await, 403);
            }
        }
    });
}

#[test]
fn exempt_paths_are_those_and_no_others() {
    run(60, async {
        let app = app(&[("SEALWAX_CSRF_EXEMPT", "^hook/")]).await;
        let evil = [("origin", "http://evil.com")];
        for target in ["/hook/", "/hook/push", "/hook/a/b?x=../y", "/hook/%41"] {
            assert_eq!(
                send(&app, "POST", target, &evil, false).await,
                200,
                "{target}"
            );
        }
        for target in [
            "/hook",
            "/hooks/",
            "/HOOK/",
            "/hook/../admin",
            "/hook/./x",
            "/hook%2f..%2fadmin",
            "/hook/..%2fadmin",
            "/hook/%2e%2e/admin",
            "/hook/..\\admin",
            "/hook/%5c..%5cadmin",
            "/x/hook/",
            "/hook;/x",
            "/hook/%252e%252e/admin/..",
            "/admin?/hook/",
            "/%2fhook/..",
        ] {
            assert_eq!(
                send(&app, "POST", target, &evil, true).await,
                403,
                "{target}"
            );
        }
    });
}

#[test]
fn over_https_the_referer_speaks_where_no_origin_does() {
    run(60, async {
        let trusted = "https://trusted.example.com,https://*.partner.example.com";
        let app = secure_app(&[("CSRF_TRUSTED_ORIGINS", trusted)]).await;
        let https = ("x-forwarded-proto", "https");
        for referer in [
            "",
            "https://evil.com/",
            "http://good.example.test:PORT/",
            "https://good.example.test/",
            "https://good.example.test:444/",
            "https://good.example.test.evil.com/",
            "https://evil.com/https://good.example.test:PORT/",
            "//good.example.test:PORT/",
            "good.example.test",
            "https:///good.example.test:PORT/",
            "https://[/",
            "https://good.example.test:PORT@evil.com/",
            "https://user@good.example.test:PORT/",
            "https://evil.com\\@good.example.test:PORT/",
        ] {
            let fields = [https, ("referer", referer)];
            assert_eq!(
                send(&app, "POST", "/", &fields, true).await,
                403,
                "{referer}"
            );
        }
        assert_eq!(
            send(&app, "POST", "/", &[https], true).await,
            403,
            "no Referer at all"
        );
        for referer in [
            "https://good.example.test:PORT/",
            "https://good.example.test:PORT",
            "https://trusted.example.com/x",
            "https://a.b.partner.example.com/",
        ] {
            let fields = [https, ("referer", referer)];
            assert_eq!(
                send(&app, "POST", "/", &fields, true).await,
                200,
                "{referer}"
            );
            assert_eq!(
                send(&app, "POST", "/", &fields, false).await,
                403,
                "{referer} without token"
            );
        }
        for (origin, wanted) in [
            ("https://good.example.test:PORT", 200),
            ("https://trusted.example.com", 200),
            ("https://x.partner.example.com", 200),
            ("http://good.example.test:PORT", 403),
            ("http://trusted.example.com", 403),
            ("https://trusted.example.com:8443", 403),
            ("https://xpartner.example.com", 403),
            ("https://x.trusted.example.com", 403),
        ] {
            let fields = [https, ("origin", origin)];
            assert_eq!(
                send(&app, "POST", "/", &fields, true).await,
                wanted,
                "{origin}"
            );
            // A trusted origin is trusted across sites, and needs its token like everybody.
            let fields = [https, ("origin", origin), ("sec-fetch-site", "cross-site")];
            let across = if origin.starts_with("https://good") {
                403
            } else {
                wanted
            };
            assert_eq!(
                send(&app, "POST", "/", &fields, true).await,
                across,
                "{origin} across sites"
            );
        }
        // From somebody who is no trusted proxy the word `https` is worth nothing: see forwarded.rs.
    });
}

#[test]
fn report_mode_refuses_nothing_and_says_what_it_would() {
    run(60, async {
        let app = app(&[("SEALWAX_CSRF_MODE", "report")]).await;
        let evil = [("origin", "http://evil.com")];
        assert_eq!(send(&app, "POST", "/x", &evil, false).await, 200);
        assert_eq!(changes(&app).await, "1");
        // The answer is sent before the line of the log is written.
        wait_until("the line of the log", 10, || {
            app.process
                .log()
                .contains(
                    "Origin checking failed - http://evil.com does not match any trusted origins.",
                )
                .then_some(())
        })
        .await;
    });
}
