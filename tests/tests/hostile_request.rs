//! Request lines, hosts, framing and redirects that somebody made to hurt.

use sealwax_tests::{Authority, Client, Gateway, Request, Step, Tls, Upstream, parse_answer, run};
use tempfile::TempDir;

fn ok(_: &Request) -> Vec<Step> {
    Step::response(200, &[], "ok")
}

/// Sends each request over TLS to a gateway for `good.test` and checks the status; where it
/// was refused, nothing may have reached the app.
async fn refuse(cases: &[(&str, &str, &[u16])]) {
    let app = Upstream::with(ok).await;
    let gateway = Gateway::to(&app.url()).hosts(&["good.test"]).start().await;
    let mut wrong = Vec::new();
    for (what, bytes, statuses) in cases {
        let before = app.requests().len();
        let raw = gateway.raw("good.test", bytes).await;
        // A closed connection without a word is a refusal too, where 0 is allowed.
        let status = parse_answer(&raw).map_or(0, |answer| answer.status);
        let answers = String::from_utf8_lossy(&raw).matches("HTTP/1.1 ").count();
        if !statuses.contains(&status) {
            wrong.push(format!("{what}: {status}, wanted {statuses:?}"));
        }
        if status != 200 && app.requests().len() > before {
            wrong.push(format!(
                "{what}: refused with {status}, yet the app saw {:?}",
                app.last().target()
            ));
        }
        if status == 200 && (answers > 1 || app.requests().len() > before + 1) {
            wrong.push(format!(
                "{what}: one request became {} at the app",
                app.requests().len() - before
            ));
        }
        if app
            .requests()
            .iter()
            .skip(before)
            .any(|seen| seen.has("x-smuggled") || seen.target().contains("smuggled"))
        {
            wrong.push(format!("{what}: smuggled"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn request_lines_and_hosts_that_are_wrong_are_refused() {
    run(
        120,
        refuse(&[
            (
                "the good one",
                "GET / HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n",
                &[200],
            ),
            ("no Host", "GET / HTTP/1.1\r\n\r\n", &[400]),
            ("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", &[400]),
            (
                "two Hosts",
                "GET / HTTP/1.1\r\nHost: good.test\r\nHost: evil.test\r\n\r\n",
                &[400],
            ),
            (
                "two equal Hosts",
                "GET / HTTP/1.1\r\nHost: good.test\r\nHost: good.test\r\n\r\n",
                &[400],
            ),
            (
                "a list of hosts",
                "GET / HTTP/1.1\r\nHost: good.test,evil.test\r\n\r\n",
                &[400],
            ),
            (
                "a Host with a space before its colon",
                "GET / HTTP/1.1\r\nHost: good.test\r\nHost : evil.test\r\n\r\n",
                &[400],
            ),
            (
                "a Host that is not ours",
                "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n",
                &[421],
            ),
            (
                "a Host with user information",
                "GET / HTTP/1.1\r\nHost: good.test@evil.test\r\n\r\n",
                &[400],
            ),
            ("HTTP/0.9", "GET /\r\n\r\n", &[400, 505, 0]),
            ("HTTP/0.9 to the letter", "GET /\r\n", &[400, 408, 505, 0]),
            (
                "HTTP/1.2",
                "GET / HTTP/1.2\r\nHost: good.test\r\n\r\n",
                &[400, 505],
            ),
            (
                "HTTP/2.0 in a line",
                "GET / HTTP/2.0\r\nHost: good.test\r\n\r\n",
                &[400, 505],
            ),
            (
                "lower-case http",
                "GET / http/1.1\r\nHost: good.test\r\n\r\n",
                &[400, 505],
            ),
            (
                "a tab in the line",
                "GET\t/\tHTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400],
            ),
            (
                "a space in the target",
                "GET /a b HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400],
            ),
            (
                "a control byte in the target",
                "GET /a\x01 HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400],
            ),
            (
                "a fragment",
                "GET /a#b HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n",
                &[400, 200],
            ),
            (
                "a target without a slash",
                "GET evil HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400],
            ),
            (
                "CONNECT",
                "CONNECT internal:22 HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400, 405, 421],
            ),
            (
                "TRACE",
                "TRACE / HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n",
                &[405, 501, 200],
            ),
            (
                "a NUL in a value",
                "GET / HTTP/1.1\r\nHost: good.test\r\nX-A: a\0b\r\n\r\n",
                &[400],
            ),
            (
                "a bare CR in a value",
                "GET / HTTP/1.1\r\nHost: good.test\r\nX-A: a\rX-Smuggled: 1\r\n\r\n",
                &[400],
            ),
            (
                "a name with a space",
                "GET / HTTP/1.1\r\nHost: good.test\r\nX A: 1\r\n\r\n",
                &[400],
            ),
            (
                "a line without a colon",
                "GET / HTTP/1.1\r\nHost: good.test\r\nnonsense\r\n\r\n",
                &[400],
            ),
        ]),
    );
}

#[test]
fn what_is_ambiguous_about_a_bodys_end_is_refused() {
    run(
        120,
        refuse(&[
            (
                "length and chunks",
                "POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400, 200],
            ),
            (
                "chunks and length",
                "POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400, 200],
            ),
            (
                "two lengths",
                "POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                &[400],
            ),
            (
                "a length with a plus",
                "POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: +5\r\n\r\nhello",
                &[400],
            ),
            (
                "a length in a list",
                "POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 5, 6\r\n\r\nhello!",
                &[400],
            ),
            (
                "a space before the colon",
                "POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                &[400],
            ),
            (
                "an unknown coding",
                "POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                &[400, 501],
            ),
            (
                "chunked and then a cow",
                "POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: chunked, cow\r\n\r\n0\r\n\r\n",
                &[400, 501],
            ),
            (
                "a quoted coding",
                "POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
                &[400, 501],
            ),
            (
                "folded",
                "POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
                &[400],
            ),
            (
                "chunks in HTTP/1.0",
                "POST / HTTP/1.0\r\nHost: good.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: good.test\r\n\r\n",
                &[400],
            ),
            (
                "a coding with an underscore",
                "POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 0\r\nTransfer_Encoding: chunked\r\nConnection: close\r\n\r\n",
                &[200],
            ),
        ]),
    );
}

#[test]
fn a_target_with_an_authority_never_mixes_two_hosts() {
    run(30, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url()).hosts(&["good.test"]).start().await;
        let status = async |bytes: &str| {
            parse_answer(&gateway.raw("good.test", bytes).await).map_or(0, |answer| answer.status)
        };
        // RFC 9112, 3.2.2: the authority of an absolute target replaces the Host.
        assert!([400, 421].contains(&status("GET https://evil.test/ HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n").await));
        assert!(app.requests().is_empty());
        let seen = status(
            "GET https://good.test/x HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n",
        )
        .await;
        if seen == 200 {
            assert_eq!(
                (
                    app.last().target().as_str(),
                    app.last().header("host").as_str()
                ),
                ("/x", "good.test")
            );
        } else {
            assert_eq!(seen, 400);
        }
        // HTTP/2: `:authority` and a Host that disagrees.
        let mixed = gateway
            .request("good.test", "/mixed")
            .header("host", "evil.test")
            .http2()
            .try_send()
            .await;
        match mixed {
            Err(_) => {}
            Ok(answer) if answer.status == 200 => {
                assert_eq!(app.last().header("host"), gateway.authority("good.test"));
            }
            Ok(answer) => assert!([400, 421].contains(&answer.status), "{answer:?}"),
        }
    });
}

#[test]
fn a_connection_for_one_site_is_not_used_for_another_in_a_way_that_mixes_them() {
    run(30, async {
        let (a, b) = (
            Upstream::with(|_| Step::response(200, &[], "a")).await,
            Upstream::with(|_| Step::response(200, &[], "b")).await,
        );
        let gateway = Gateway::to(&a.url())
            .hosts(&["a.test"])
            .and_site(&["b.test"], &b.url())
            .start()
            .await;
        for http2 in [false, true] {
            let request = Client::plain(gateway.https, &gateway.authority("b.test"), "/")
                .tls(&gateway.tls(), "a.test");
            let answer = if http2 {
                request.http2().send().await
            } else {
                request.send().await
            };
            // The certificate of that connection is a.test's alone.
            assert_eq!(answer.status, 421, "HTTP/2 {http2}: {answer:?}");
        }
        assert!(b.requests().is_empty() && a.requests().is_empty());
    });
}

#[test]
fn redirects_from_the_plain_port_stay_on_the_host_and_keep_their_bytes() {
    run(60, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["good.test", "[::1]", "127.0.0.1"])
            .start()
            .await;
        let port = gateway.https.port();
        for (target, path) in [
            ("//evil.com/..%2f", "//evil.com/..%2f"),
            ("///evil.com", "///evil.com"),
            ("/\\evil.com", "/\\evil.com"),
            ("/%0d%0aSet-Cookie:x=1", "/%0d%0aSet-Cookie:x=1"),
            ("/a%2Fb/../c?d=/e&f=%20", "/a%2Fb/../c?d=/e&f=%20"),
            ("/?", "/?"),
            ("/@evil.com", "/@evil.com"),
        ] {
            let raw = gateway
                .raw_plain(format!(
                    "GET {target} HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n"
                ))
                .await;
            let answer = parse_answer(&raw).unwrap();
            if answer.status == 400 && target.contains('\\') {
                continue;
            }
            assert!(
                [301, 307, 308].contains(&answer.status),
                "{target}: {answer:?}"
            );
            assert_eq!(
                answer.header("location"),
                format!("https://good.test:{port}{path}")
            );
            assert!(answer.set_cookie("x").is_empty());
        }
        for (host, place) in [
            ("[::1]", "[::1]"),
            ("[::1]:8080", "[::1]"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("GOOD.test:99", "GOOD.test"),
        ] {
            let answer = Client::plain(gateway.http, host, "/x").send().await;
            assert!(
                answer
                    .header("location")
                    .eq_ignore_ascii_case(&format!("https://{place}:{port}/x")),
                "{host}: {answer:?}"
            );
        }
        // An absolute target names its host itself.
        let raw = gateway
            .raw_plain(
                "GET http://evil.test/ HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n",
            )
            .await;
        assert!(
            !parse_answer(&raw)
                .unwrap()
                .header("location")
                .contains("evil"),
            "{}",
            String::from_utf8_lossy(&raw)
        );
        assert!(app.requests().is_empty());
    });
}

#[test]
fn with_a_certificate_of_its_own_a_site_redirects_for_good() {
    run(30, async {
        let app = Upstream::with(ok).await;
        let authority = Authority::new();
        let directory = TempDir::new().unwrap();
        let (cert, key) = authority.files(directory.path(), &["good.example.com"]);
        let gateway = Gateway::to(&app.url())
            .hosts(&["good.example.com"])
            .site(&format!("tls = {{ cert = {cert:?}, key = {key:?} }}\n[site.redirect]\nport = 443\nexempt = [\"^plain/\"]\nrefuse = [\"^api/\"]\n[site.hsts]\nwhen = \"always\""))
            .start()
            .await;
        for (method, status) in [
            ("GET", 301),
            ("HEAD", 301),
            ("POST", 308),
            ("PUT", 308),
            ("DELETE", 308),
        ] {
            let answer = gateway
                .plain("good.example.com", "/x?y")
                .method(method)
                .send()
                .await;
            // Port 443 is said by saying nothing.
            assert_eq!(
                (answer.status, answer.header("location").as_str()),
                (status, "https://good.example.com/x?y"),
                "{method}"
            );
            assert!(
                !answer.headers.contains_key("strict-transport-security"),
                "HSTS only counts over TLS"
            );
        }
        assert_eq!(
            gateway
                .plain("good.example.com", "/api/x")
                .send()
                .await
                .status,
            403
        );
        assert!(app.requests().is_empty());
        let exempt = gateway.plain("good.example.com", "/plain/x").send().await;
        assert_eq!(exempt.status, 200);
        assert_eq!(app.last().header("x-forwarded-proto"), "http");
        let secure = gateway.authority("good.example.com");
        let answer = Client::plain(gateway.https, &secure, "/")
            .tls(&Tls::trusting(&[&authority.root()]), "good.example.com")
            .send()
            .await;
        // The first step of the ramp.
        assert_eq!(answer.header("strict-transport-security"), "max-age=300");
    });
}

#[test]
fn a_redirect_loop_made_by_the_app_is_explained_and_not_spun() {
    run(30, async {
        // The app that thinks it is on http, as Django with SECURE_SSL_REDIRECT and without
        // SECURE_PROXY_SSL_HEADER does.
        let app = Upstream::with(|request| {
            let place = format!("https://{}{}", request.header("host"), request.target());
            Step::response(301, &[("Location", &place)], "")
        })
        .await;
        let gateway = Gateway::to(&app.url()).start().await;
        // Chromium gives up after twenty; each worker counts for itself.
        let mut statuses = Vec::new();
        for _ in 0..18 {
            statuses.push(gateway.get("localhost", "/loop?x=1").await.status);
        }
        assert!(statuses.contains(&508), "{statuses:?}");
        let log = gateway.log();
        assert!(
            log.contains("SECURE_PROXY_SSL_HEADER") || log.to_lowercase().contains("loop"),
            "{log}"
        );
    });
}

#[test]
fn a_head_that_is_too_large_is_431_and_one_below_passes() {
    run(60, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url()).start().await;
        for http2 in [false, true] {
            let ask = |size: usize| {
                let request = gateway
                    .request("localhost", "/")
                    .header("X-Big", "x".repeat(size));
                if http2 { request.http2() } else { request }
            };
            assert_eq!(ask(8 << 10).send().await.status, 200);
            match ask(1 << 20).try_send().await {
                Ok(answer) => assert!(
                    [400, 431].contains(&answer.status),
                    "HTTP/2 {http2}: {}",
                    answer.status
                ),
                Err(_) => assert!(http2, "HTTP/1.1 must say why"),
            }
        }
        assert_eq!(gateway.get("localhost", "/").await.status, 200);
    });
}

#[test]
fn plain_http_on_the_tls_port_gets_a_clear_word() {
    run(30, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url()).start().await;
        let raw = sealwax_tests::exchange_tcp(
            gateway.https,
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        )
        .await;
        let answer = parse_answer(&raw);
        // A 400 that says https, or a redirect there; silence or a TLS alert would leave
        // people guessing.
        let answer = answer.unwrap_or_else(|| panic!("not an HTTP answer: {raw:?}"));
        assert!([400, 301, 307, 308].contains(&answer.status), "{answer:?}");
        assert!(
            answer.text().to_lowercase().contains("https")
                || answer.header("location").starts_with("https://"),
            "{answer:?}"
        );
        assert!(app.requests().is_empty());
    });
}
