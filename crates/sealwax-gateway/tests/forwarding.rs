//! From the client to the app and back: what arrives, what is refused, which
//! connection it takes.

mod kit;

use std::net::TcpListener;
use std::sync::atomic::Ordering;

use kit::{App, Client, OK, ask, eventually, site, start, unix_app};

#[test]
fn a_request_reaches_the_app_and_its_answer_the_client() {
    let app = App::answering(
        "HTTP/1.1 201 Made\r\nContent-Length: 5\r\nX-App: yes\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\r\nhello",
    );
    let running = start(&site(&app.url()));
    let answer = Client::tls(&running, "localhost").get("/a%2Fb?x=1&y=%zz");
    assert_eq!((answer.status, answer.text().as_str()), (201, "hello"));
    assert_eq!(answer.field("x-app").as_deref(), Some("yes"));
    assert_eq!(answer.field("x-hop"), None);
    assert_eq!(answer.field("keep-alive"), None);
    assert_eq!(
        answer.field("x-content-type-options").as_deref(),
        Some("nosniff")
    );
    let head = app.heads().remove(0).to_lowercase();
    assert!(
        head.starts_with("get /a%2fb?x=1&y=%zz http/1.1\r\n"),
        "{head}"
    );
    for line in [
        "host: localhost",
        "x-forwarded-proto: https",
        "x-forwarded-for: 127.0.0.1",
        "x-real-ip: 127.0.0.1",
    ] {
        assert!(
            head.contains(&format!("\r\n{line}\r\n")),
            "{line} in {head}"
        );
    }
}

#[test]
fn fields_that_nobody_judges_arrive_as_they_were_sent() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nServer: a, b\r\nETag:\"x\"\r\nContent-Type:  text/plain \t\r\nDate: long ago\r\nConnection: keep-alive\r\nContent-Length: 2\r\nLink: <a>\r\nLink: <b>\r\n\r\nok",
    );
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nACCEPT: */*\r\nUser-Agent:x\r\nRange:\r\nConnection: Keep-Alive\r\nreferer:  y \t\r\n\r\n");
    let answer = client.answer("GET");
    let (head, sent) = (answer.head.clone(), app.heads().remove(0));
    for line in ["ACCEPT: */*", "User-Agent: x", "Range: ", "referer: y"] {
        assert_eq!(
            sent.matches(&format!("\r\n{line}\r\n")).count(),
            1,
            "{line} in {sent}"
        );
    }
    for line in [
        "Server: a, b",
        "ETag: \"x\"",
        "Content-Type: text/plain",
        "Date: long ago",
        "Link: <a>\r\nLink: <b>",
    ] {
        assert_eq!(
            head.matches(&format!("\r\n{line}\r\n")).count(),
            1,
            "{line} in {head}"
        );
    }
    for head in [head, sent] {
        let head = head.to_lowercase();
        assert!(!head.contains("\r\nconnection:"), "{head}");
        assert!(head.matches("\r\ndate:").count() <= 1, "{head}");
        assert!(head.matches("\r\ncontent-length:").count() <= 1, "{head}");
    }
    assert_eq!(answer.text(), "ok");
}

#[test]
fn what_connection_nominates_stays_here_though_nobody_judges_it() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nServer: a\r\nETag: b\r\nConnection: ETag\r\nContent-Length: 2\r\n\r\nok",
    );
    let running = start(&site(&app.url()));
    let answer = ask(
        &running,
        "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: a\r\nReferer: b\r\nConnection: close, Accept\r\n\r\n",
    );
    assert_eq!(answer.field("server").as_deref(), Some("a"));
    assert_eq!(answer.field("etag"), None);
    let sent = app.heads().remove(0).to_lowercase();
    assert!(sent.contains("\r\nreferer: b\r\n"), "{sent}");
    assert!(
        !sent.contains("\r\naccept:") && !sent.contains("\r\nconnection:"),
        "{sent}"
    );
}

#[test]
fn a_page_has_the_form_that_accept_asks_for() {
    let app = App::new(|conn| {
        conn.head();
        conn.reset();
    });
    let running = start(&site(&app.url()));
    for (accept, kind) in [
        ("text/html", "text/html"),
        ("application/json", "application/problem+json"),
    ] {
        for extra in ["", "Connection: close, X-Hop\r\n"] {
            let answer = ask(
                &running,
                format!(
                    "POST / HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n{extra}Content-Length: 0\r\n\r\n"
                ),
            );
            assert_eq!(answer.status, 502);
            let found = answer.field("content-type").unwrap_or_default();
            assert!(found.starts_with(kind), "{accept}: {found}");
        }
    }
}

#[test]
fn connections_are_kept_on_both_sides() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    for _ in 0..20 {
        assert_eq!(client.get("/").text(), "ok");
    }
    assert_eq!(app.connections(), 1);
}

#[test]
fn a_kept_connection_that_the_app_has_closed_costs_no_request() {
    // Each connection answers once, then closes when the next request comes,
    // as apps do whose keep-alive time ends just then.
    let app = App::new(|conn| {
        conn.head();
        conn.send(OK);
        conn.head();
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for _ in 0..5 {
        assert_eq!(client.get("/").status, 200);
    }
}

#[test]
fn a_post_is_not_sent_twice() {
    let app = App::new(|conn| {
        conn.head();
        conn.send(OK);
        conn.head();
        conn.read_some();
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    assert_eq!(client.get("/").status, 200);
    let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(client.send(post).answer("POST").status, 502);
    assert_eq!(
        app.heads()
            .iter()
            .filter(|head| head.starts_with("POST"))
            .count(),
        1
    );
}

#[test]
fn health_needs_neither_host_nor_https() {
    let running = start(&site("\"http://127.0.0.1:1\"").replace("redirect.enabled = false", ""));
    for request in [
        "GET /.sealwax/health HTTP/1.1\r\nHost: anything.example\r\n\r\n",
        "GET /.sealwax/health HTTP/1.0\r\n\r\n",
        "HEAD /.sealwax/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = ask(&running, request);
        assert_eq!(answer.status, 200, "{request}");
        assert_eq!(answer.field("cache-control").as_deref(), Some("no-store"));
    }
}

#[test]
fn plain_http_is_redirected_and_other_reserved_paths_end_here() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()).replace("redirect.enabled = false", ""));
    let answer = ask(
        &running,
        "GET //evil.com/..%2f?a=b HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
    );
    assert_eq!(answer.status, 307);
    let location = format!(
        "https://localhost:{}//evil.com/..%2f?a=b",
        running.https.port()
    );
    assert_eq!(answer.field("location"), Some(location));
    let answer = Client::tls(&running, "localhost").get("/.sealwax/secrets");
    assert_eq!(answer.status, 404);
    assert_eq!(app.connections(), 0);
}

#[test]
fn plain_http_on_the_https_port_gets_redirects_only() {
    let app = App::answering(OK);
    let redirecting = start(&site(&app.url()).replace("redirect.enabled = false", ""));
    let request = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = Client::plain(redirecting.https).send(request).answer("GET");
    assert_eq!(answer.status, 307);
    let open = start(&site(&app.url()));
    let answer = Client::plain(open.https).send(request).answer("GET");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert_eq!(app.connections(), 0);
}

#[test]
fn tls_on_the_http_port_is_closed() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    assert!(client.at_end());
}

#[test]
fn one_host_or_none() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost : b\r\n\r\n", 400),
        ("GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: unknown.example\r\n\r\n", 421),
        ("GET / HTTP/1.0\r\n\r\n", 400),
        ("GET / HTTP/1.2\r\nHost: localhost\r\n\r\n", 505),
        ("GET / http/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        ("GET /\r\n\r\n", 400),
        (
            "CONNECT internal:22 HTTP/1.1\r\nHost: internal:22\r\n\r\n",
            405,
        ),
        ("TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    ] {
        assert_eq!(ask(&running, request).status, status, "{request:?}");
    }
    assert_eq!(app.connections(), 0);
    let absolute = "GET http://localhost/x?y HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(ask(&running, absolute).status, 200);
    assert!(
        app.heads()[0].starts_with("GET /x?y HTTP/1.1\r\n"),
        "{:?}",
        app.heads()
    );
}

#[test]
fn a_transfer_coding_that_would_be_lost_is_refused() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            conn.chunked();
            conn.send(OK);
        }
    });
    let running = start(&site(&app.url()));
    let post = |codings: &str| {
        let mut client = Client::plain(running.http);
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{codings}\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        ));
        let answer = client.answer("POST");
        (answer.status, answer.field("connection"))
    };
    for (codings, status) in [
        // RFC 9112 §6.1: a coding that is not understood.
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: identity, chunked", 400),
        ("Transfer-Encoding: chunked, chunked", 400),
        ("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked", 400),
    ] {
        let refused = (status, Some("close".to_owned()));
        assert_eq!(post(codings), refused, "{codings}");
    }
    assert_eq!(app.connections(), 0);
    assert_eq!(post("Transfer-Encoding: Chunked").0, 200);
}

#[test]
fn a_connection_for_one_site_does_not_carry_another() {
    let app = App::answering(OK);
    let second = format!(
        "[[site]]\nhosts = [\"other.localhost\"]\nto = [{}]\ntls = \"local\"\n",
        app.url()
    );
    let running = start(&format!("{}{second}", site(&app.url())));
    let request = "GET / HTTP/1.1\r\nHost: other.localhost\r\n\r\n";
    assert_eq!(
        Client::tls(&running, "localhost")
            .send(request)
            .answer("GET")
            .status,
        421
    );
    assert_eq!(
        Client::tls(&running, "other.localhost")
            .send(request)
            .answer("GET")
            .status,
        200
    );
}

#[test]
fn what_a_client_says_of_its_route_is_replaced() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let answer = ask(
        &running,
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Forwarded-For, X-Real-IP, X-Mine\r\n\
         X-Mine: 1\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n\
         X-Forwarded-Prefix: //evil\r\nForwarded: for=1;host=evil;proto=https\r\nX-Real-IP: 1.2.3.4\r\n\
         X-Original-URL: /admin\r\nX_Forwarded_Proto: https\r\nX.Forwarded.Proto: https\r\nProxy: http://evil\r\n\
         TE: trailers, gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    );
    assert_eq!(answer.status, 200);
    let head = app.heads().remove(0).to_lowercase();
    for gone in [
        "evil",
        "1.2.3.4",
        "/admin",
        "x_",
        "x.",
        "gzip",
        "h2c",
        "http2-settings",
        "x-mine",
    ] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    for there in [
        "x-forwarded-for: 127.0.0.1",
        "x-real-ip: 127.0.0.1",
        "x-forwarded-proto: http\r",
        "te: trailers",
    ] {
        assert!(head.contains(there), "{there} in {head}");
    }
}

#[test]
fn heads_up_to_the_limit_pass_and_longer_ones_do_not() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let with_head = |length: usize| {
        let start = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Fill: ";
        format!("{start}{}\r\n\r\n", "a".repeat(length - start.len() - 4))
    };
    for (length, status) in [(64 * 1024 - 1, 200), (64 * 1024, 200), (64 * 1024 + 1, 431)] {
        assert_eq!(ask(&running, with_head(length)).status, status, "{length}");
    }
    let many = |count: usize| {
        let fields: String = (0..count - 1).map(|n| format!("x-{n}: 1\r\n")).collect();
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
    };
    for (count, status) in [(100, 200), (101, 431)] {
        assert_eq!(ask(&running, many(count)).status, status, "{count}");
    }
    let long_url = format!(
        "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a".repeat(65_535)
    );
    assert!([414, 431].contains(&ask(&running, long_url).status));
}

#[test]
fn statuses_without_a_body_keep_their_head() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            let sent = match head.split(' ').nth(1) {
                Some("/304") => conn.send("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
                Some("/204") => conn.send("HTTP/1.1 204 No Content\r\n\r\n"),
                _ => conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
            };
            if !sent {
                return;
            }
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    let answer = client
        .send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .answer("HEAD");
    assert_eq!(answer.field("content-length").as_deref(), Some("1234"));
    assert_eq!(client.get("/304").field("etag").as_deref(), Some("\"x\""));
    assert_eq!(client.get("/204").status, 204);
    assert_eq!(app.connections(), 1);
}

#[test]
fn an_app_on_a_unix_socket() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("app.sock");
    unix_app(&path, OK);
    let running = start(&site(&format!("\"unix:{}\"", path.display())));
    let mut client = Client::plain(running.http);
    assert_eq!(client.get("/").text(), "ok");
    assert_eq!(client.get("/").text(), "ok");
}

#[test]
fn several_upstreams_take_turns_and_one_that_is_down_is_passed_over() {
    let first = App::answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
    let second = App::answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let down = closed.local_addr().unwrap();
    drop(closed);
    let running = start(&site(&format!(
        "{}, \"http://{down}\", {}",
        first.url(),
        second.url()
    )));
    let mut client = Client::plain(running.http);
    let mut answers: Vec<String> = (0..12).map(|_| client.get("/").text()).collect();
    answers.sort();
    assert_eq!(
        answers.iter().filter(|text| *text == "1").count()
            + answers.iter().filter(|text| *text == "2").count(),
        12
    );
    assert!(
        first.heads().len() >= 4 && second.heads().len() >= 4,
        "{answers:?}"
    );
    // It comes back by itself.
    let third = App::on(TcpListener::bind(down).unwrap(), |conn| {
        while conn.head().is_some() && conn.send(OK) {}
    });
    eventually("the upstream's return", || {
        client.get("/");
        third.connections.load(Ordering::SeqCst) > 0
    });
}

#[test]
fn http_1_0_and_pipelining() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send(
        "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert_eq!(
        (client.answer("GET").status, client.answer("GET").status),
        (200, 200)
    );
    let mut old = Client::plain(running.http);
    assert_eq!(
        old.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .answer("GET")
            .status,
        200
    );
    assert!(old.at_end());
}

#[test]
fn cookies_are_hardened_and_understood_again() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: sessionid=s3cret; Path=/\r\n\r\nok",
    );
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    let set = client.get("/").field("set-cookie").unwrap();
    assert_eq!(
        set,
        "__Host-sessionid=s3cret; Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-sessionid=s3cret; sessionid=evil\r\n\r\n").answer("GET");
    assert!(
        app.heads()[1]
            .to_lowercase()
            .contains("\r\ncookie: sessionid=s3cret\r\n"),
        "{:?}",
        app.heads()
    );
}
