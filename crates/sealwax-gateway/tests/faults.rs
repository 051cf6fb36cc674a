//! Apps that misbehave, and the pages that tell of it.

mod kit;

use std::net::TcpListener;
use std::time::Duration;

use kit::{App, Client, OK, ask, site, start};

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn a_head_that_can_be_read_in_two_ways_is_no_answer() {
    let flood = format!("{}{OK}", "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000));
    let huge = format!(
        "HTTP/1.1 200 OK\r\nX-Huge: {}\r\nContent-Length: 0\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nLocation: //x\r\n Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".to_owned(),
        "<html>no head at all</html>".to_owned(),
        String::new(),
        flood,
        huge,
    ];
    for response in responses {
        let shown = response.get(..60).unwrap_or(&response).to_owned();
        let app = App::new(move |conn| {
            conn.head();
            conn.send(&response);
            std::thread::sleep(Duration::from_millis(100));
        });
        let running = start(&site(&app.url()));
        let mut client = Client::plain(running.http);
        let answer = client.send(GET).answer("GET");
        assert_eq!(answer.status, 502, "{shown:?}");
        // The client's own connection is not to blame.
        assert_eq!(client.get("/.sealwax/health").status, 200, "{shown:?}");
    }
}

#[test]
fn what_follows_a_refused_head_is_nobodys_answer() {
    // The second response would be taken for the answer to the next request.
    let app = App::new(|conn| {
        if conn.head().is_some() && conn.number == 0 {
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        } else {
            conn.send(OK);
        }
        conn.head();
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    assert_eq!(client.get("/").status, 502);
    assert_eq!(client.get("/").text(), "ok");
}

#[test]
fn bytes_after_a_response_are_not_the_next_one() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            if !conn.send(format!(
                "{OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )) {
                return;
            }
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for _ in 0..10 {
        assert_eq!(client.get("/").text(), "ok");
    }
}

#[test]
fn no_app_is_a_502_that_says_what_to_do_in_development_only() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let running = start(&site(&format!("\"http://{address}\"")));
    let answer = ask(&running, GET);
    assert_eq!(answer.status, 502);
    assert!(
        answer.text().contains(&format!(
            "Nothing listens at http://{address}: start your app"
        )),
        "{}",
        answer.text()
    );
    assert_eq!(answer.field("cache-control").as_deref(), Some("no-store"));
    assert_eq!(
        answer.field("x-content-type-options").as_deref(),
        Some("nosniff")
    );
}

#[test]
fn pages_come_in_the_form_the_client_reads() {
    let running = start(&site("\"http://127.0.0.1:1\""));
    for (accept, kind) in [
        (
            "text/html,application/xhtml+xml;q=0.9",
            "text/html; charset=utf-8",
        ),
        ("application/json", "application/problem+json"),
        ("*/*", "text/plain; charset=utf-8"),
    ] {
        let answer = ask(
            &running,
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n"),
        );
        assert_eq!(
            (answer.status, answer.field("content-type").as_deref()),
            (502, Some(kind))
        );
        let text = answer.text();
        assert!(
            text.to_lowercase().contains("reference") && text.contains("502"),
            "{text}"
        );
        assert!(!text.contains("<script"), "{text}");
    }
    let answer = ask(&running, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.status, 502);
    assert_ne!(answer.field("content-length").as_deref(), Some("0"));
}

#[test]
fn what_an_app_may_have_worked_on_is_not_sent_again() {
    // Only who asks and changes nothing may be sent twice, and only at once.
    for (method, work, times) in [("GET", 0, 2), ("GET", 500, 1), ("DELETE", 0, 1)] {
        let app = App::new(move |conn| {
            while let Some(head) = conn.head() {
                if head.contains("/order/7") && conn.number == 0 {
                    std::thread::sleep(Duration::from_millis(work));
                    return;
                }
                conn.send(OK);
            }
        });
        let running = start(&site(&app.url()));
        let mut client = Client::plain(running.http);
        assert_eq!(client.get("/").status, 200);
        client.send(format!(
            "{method} /order/7 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ));
        let status = if times == 2 { 200 } else { 502 };
        assert_eq!(
            client.answer(method).status,
            status,
            "{method} after {work} ms"
        );
        let heads = app.heads();
        let sent = heads.iter().filter(|head| head.contains("/order/7"));
        assert_eq!(sent.count(), times, "{method} after {work} ms");
    }
}

#[test]
fn an_app_that_never_answers_is_a_504() {
    let app = App::new(|conn| {
        conn.head();
        std::thread::sleep(kit::PATIENCE);
    });
    let running = start(&format!(
        "[timeouts]\nresponse_head = \"300ms\"\n{}",
        site(&app.url())
    ));
    let answer = ask(&running, GET);
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("response_head"), "{}", answer.text());
}

#[test]
fn an_app_that_falls_silent_breaks_the_response() {
    let app = App::new(|conn| {
        conn.head();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        std::thread::sleep(kit::PATIENCE);
    });
    let running = start(&format!(
        "[timeouts]\nresponse_idle = \"300ms\"\n{}",
        site(&app.url())
    ));
    let answer = ask(&running, GET);
    assert!(!answer.whole && answer.text() == "hello", "{answer:?}");
}

#[test]
fn a_client_that_stops_sending_is_a_408_and_no_fault_of_the_apps() {
    let app = App::new(|conn| {
        conn.head();
        while !conn.read_some().is_empty() {}
    });
    let running = start(&format!(
        "[timeouts]\nrequest_body_idle = \"300ms\"\n{}",
        site(&app.url())
    ));
    let mut client = Client::plain(running.http);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello");
    assert_eq!(client.answer("POST").status, 408);
}

#[test]
fn slow_heads_and_idle_connections_are_closed() {
    let app = App::answering(OK);
    let running = start(&format!(
        "[timeouts]\nrequest_head = \"300ms\"\nkeep_alive = \"600ms\"\nhandshake = \"300ms\"\n{}",
        site(&app.url())
    ));
    let mut silent = Client::plain(running.http);
    assert!(silent.at_end());
    let mut half = Client::plain(running.http);
    assert_eq!(half.send("GET / HT").answer("GET").status, 408);
    assert!(half.at_end());
    let mut idle = Client::tls(&running, "localhost");
    assert_eq!(idle.get("/").status, 200);
    assert!(idle.at_end());
    let mut slow_next = Client::plain(running.http);
    assert_eq!(slow_next.get("/").status, 200);
    assert_eq!(slow_next.send("GET / HT").answer("GET").status, 408);
    assert!(slow_next.at_end());
}

#[test]
fn an_app_that_redirects_to_itself_is_told_why() {
    let app = App::answering(
        "HTTP/1.1 302 Found\r\nLocation: https://localhost/\r\nContent-Length: 0\r\n\r\n",
    );
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    let statuses: Vec<u16> = (0..5).map(|_| client.get("/").status).collect();
    assert_eq!(statuses, [302, 302, 302, 302, 508]);
    assert!(client.get("/").text().contains("SECURE_PROXY_SSL_HEADER"));
}

#[test]
fn production_pages_keep_silent() {
    let home = tempfile::tempdir().unwrap();
    let mut config = kit::config(&site("\"http://127.0.0.1:1\""));
    config.environment = sealwax_config::Environment::Production;
    // `tls = "local"` is development by itself; behind a proxy there is none.
    config.listen.https.clear();
    for site in &mut config.sites {
        site.tls = sealwax_config::Tls::Off;
    }
    let gateway = sealwax_gateway::Gateway::start(config, home.path()).unwrap();
    let answer = Client::plain(gateway.addresses()[0].socket)
        .send(GET)
        .answer("GET");
    let text = answer.text();
    assert_eq!(answer.status, 502);
    assert!(
        !text.contains("127.0.0.1") && !text.contains("listens") && text.contains("Reference"),
        "{text}"
    );
}
