//! Bodies: at once, in order, with back-pressure, and never shorter than they
//! claim.

mod kit;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use kit::{App, Client, OK, PATIENCE, ask, eventually, site, start};

#[test]
fn events_arrive_one_by_one() {
    let (step, steps) = channel::<()>();
    let steps = std::sync::Mutex::new(steps);
    let app = App::new(move |conn| {
        conn.head();
        conn.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        let steps = steps.lock().unwrap();
        for n in 0..3 {
            conn.send(format!("9\r\ndata: {n}\n\n\r\n"));
            // The next event only exists once the last one was seen.
            steps.recv_timeout(PATIENCE).unwrap();
        }
        conn.send("0\r\n\r\n");
    });
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    client
        .send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .head()
        .unwrap();
    for n in 0..3 {
        assert_eq!(
            client.read_exact(14),
            format!("9\r\ndata: {n}\n\n\r\n").into_bytes()
        );
        step.send(()).unwrap();
    }
    assert_eq!(client.read_exact(5), b"0\r\n\r\n");
}

#[test]
fn bodies_and_trailers_go_both_ways() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            let (body, trailers) = conn.chunked();
            let text = format!(
                "{}|{}",
                String::from_utf8_lossy(&body),
                trailers.replace("\r\n", ";")
            );
            conn.send(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n{:x}\r\n{text}\r\n0\r\nX-Sum: 7\r\n\r\n",
                text.len()
            ));
        }
    });
    let running = start(&site(&app.url()));
    for method in ["POST", "GET"] {
        let answer = ask(
            &running,
            format!(
                "{method} / HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nTrailer: x-up, content-length\r\n\
                 Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Up: 1\r\nContent-Length: 99\r\n\
                 X-Forwarded-For: 6.6.6.6\r\n\r\n"
            ),
        );
        let text = answer.text().to_lowercase();
        assert!(text.starts_with("hello|x-up: 1;"), "{text}");
        assert!(
            !text.contains("content-length") && !text.contains("6.6.6.6"),
            "{text}"
        );
        assert!(
            answer.trailers.to_lowercase().contains("x-sum: 7"),
            "{answer:?}"
        );
    }
}

#[test]
fn a_reader_that_stops_stops_the_app() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let app = App::new(move |conn| {
        conn.head();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        let piece = vec![7; 64 * 1024];
        while conn.stream().write_all(&piece).is_ok() {
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    client
        .send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .head()
        .unwrap();
    // Steady for a while means that the app is held back.
    let mut last = usize::MAX;
    eventually("the app's standstill", || {
        let now = sent.load(Ordering::SeqCst);
        let steady = now == last;
        last = now;
        std::thread::sleep(Duration::from_millis(300));
        steady && now > 0
    });
    let held = sent.load(Ordering::SeqCst);
    // What the kernel's socket buffers take at most on the way, and our own.
    assert!(
        held < 64 << 20,
        "the app could send {held} bytes to a client that does not read"
    );
    let read = client.read_exact(16 << 20);
    assert!(read.iter().all(|byte| *byte == 7));
    eventually("the app's going on", || sent.load(Ordering::SeqCst) > held);
}

#[test]
fn large_bodies_arrive_whole_and_in_order() {
    const LENGTH: usize = 3_000_017;
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            let body = match head.to_lowercase().contains("chunked") {
                true => conn.chunked().0,
                false => conn.body(LENGTH),
            };
            conn.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"
            ));
            conn.send(&body);
        }
    });
    let running = start(&site(&app.url()));
    // No two places alike within many blocks and records.
    let body: Vec<u8> = (0..LENGTH as u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for mut client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        // Pieces of a chunk, of one record, of several, and of all.
        for piece in [5_000, 16_384, 50_000, LENGTH] {
            let fixed =
                format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n");
            client.send(fixed);
            for part in body.chunks(piece) {
                client.send(part);
            }
            client.head().unwrap();
            assert!(client.read_exact(LENGTH) == body, "in pieces of {piece}");
            client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
            for part in body.chunks(piece) {
                client.send(format!("{:x}\r\n", part.len()));
                client.send(part).send("\r\n");
            }
            client.send("0\r\n\r\n").head().unwrap();
            assert!(client.read_exact(LENGTH) == body, "in chunks of {piece}");
        }
    }
}

#[test]
fn an_app_that_does_not_read_stops_the_client() {
    let app = App::new(|conn| {
        conn.head();
        std::thread::sleep(PATIENCE);
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n");
    client
        .tcp()
        .set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let piece = vec![0; 1 << 20];
    let sent = (0..1024).take_while(|_| client.try_send(&piece)).count();
    assert!(sent < 64, "{sent} MiB went to an app that does not read");
}

#[test]
fn who_reads_slowly_but_steadily_gets_all() {
    const LENGTH: usize = 8_000_000;
    let app = App::new(|conn| {
        conn.head();
        conn.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"
        ));
        conn.send(vec![b'a'; LENGTH]);
    });
    let running = start(&format!(
        "[timeouts]\nresponse_idle = \"500ms\"\n{}",
        site(&app.url())
    ));
    for mut client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        socket2::SockRef::from(client.tcp())
            .set_recv_buffer_size(64 * 1024)
            .unwrap();
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.head().unwrap();
        // About 2 MB/s, so that a full send buffer of 4 MB takes longer than
        // the limit.
        for _ in 0..LENGTH / 20_000 {
            client.read_exact(20_000);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_response_that_breaks_off_is_never_whole() {
    let broken = [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ];
    for response in broken {
        let app = App::new(move |conn| {
            conn.head();
            conn.send(response);
            std::thread::sleep(Duration::from_millis(50));
            conn.close();
        });
        let running = start(&site(&app.url()));
        let answer = ask(&running, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(!answer.whole, "{response:?} became {answer:?}");
        let answer = Client::tls(&running, "localhost").get("/");
        assert!(!answer.whole, "{response:?} became {answer:?}");
    }
}

#[test]
fn an_end_by_closing_is_an_end_and_a_reset_is_not() {
    let app = App::new(|conn| {
        let head = conn.head().unwrap();
        conn.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello");
        if head.contains("/reset") {
            std::thread::sleep(Duration::from_millis(100));
            conn.reset();
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    let answer = client.get("/");
    assert!(answer.whole && answer.text() == "hello", "{answer:?}");
    let answer = client.get("/reset");
    assert!(!answer.whole, "{answer:?}");
}

#[test]
fn the_body_waits_for_the_apps_100() {
    let app = App::new(|conn| {
        let head = conn.head().unwrap();
        assert!(
            head.to_lowercase().contains("expect: 100-continue"),
            "{head}"
        );
        conn.send("HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(conn.body(5), b"hello");
        conn.send(OK);
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert!(client.head().unwrap().starts_with("HTTP/1.1 100 "));
    assert_eq!(client.send("hello").answer("POST").text(), "ok");
}

#[test]
fn an_app_that_refuses_gets_no_body() {
    let (told, tells) = channel();
    let told = std::sync::Mutex::new(told);
    let app = App::new(move |conn| {
        let head = conn.head().unwrap();
        let text = if head.contains("/big") { "big" } else { "" };
        let length = text.len();
        conn.send(format!(
            "HTTP/1.1 413 Too Large\r\nContent-Length: {length}\r\n\r\n{text}"
        ));
        told.lock().unwrap().send(conn.at_end()).unwrap();
    });
    let running = start(&site(&app.url()));
    for (path, text) in [("/big", "big"), ("/", "")] {
        let mut client = Client::plain(running.http);
        client.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        ));
        let answer = client.answer("POST");
        assert_eq!((answer.status, answer.text().as_str()), (413, text));
        assert_eq!(answer.field("connection").as_deref(), Some("close"));
        assert!(
            client.at_end(),
            "the connection must close: nobody knows whether the body comes"
        );
        assert!(
            tells.recv_timeout(PATIENCE).unwrap(),
            "the app must not see a byte of the body"
        );
    }
}

#[test]
fn an_answer_before_the_end_of_the_body_reaches_the_client() {
    let app = App::new(|conn| {
        conn.head();
        conn.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
        std::thread::sleep(Duration::from_millis(200));
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n");
    client.try_send(&[0; 100_000]);
    let answer = client.answer("POST");
    assert_eq!((answer.status, answer.text().as_str()), (403, "no"));
}

#[test]
fn an_upgrade_opens_a_tunnel_that_outlives_a_reload() {
    let app = App::new(|conn| {
        let head = conn.head().unwrap().to_lowercase();
        assert!(
            head.contains("\r\nupgrade: websocket\r\n")
                && head.contains("\r\nconnection: upgrade\r\n"),
            "{head}"
        );
        conn.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhi");
        loop {
            let some = conn.read_some();
            if some.is_empty() || !conn.send(some) {
                return;
            }
        }
    });
    let rest = site(&app.url());
    let running = start(&rest);
    for mut client in [
        Client::tls(&running, "localhost"),
        Client::plain(running.http),
    ] {
        client.send("GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n");
        let head = client.head().unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(
            head.to_lowercase().contains("\r\nupgrade: websocket\r\n")
                && head.to_lowercase().contains("connection: upgrade"),
            "{head}"
        );
        assert_eq!(client.read_exact(2), b"hi");
        for word in ["one", "two"] {
            assert_eq!(client.send(word).read_exact(3), word.as_bytes());
            running.gateway.reload(kit::config(&rest)).unwrap();
        }
    }
}

#[test]
fn an_upgrade_with_a_body_is_refused() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let answer = ask(
        &running,
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 30\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!(answer.status, 400);
    assert_eq!(app.connections(), 0);
}

#[test]
fn bodies_over_the_limit_are_refused() {
    let app = App::new(|conn| {
        conn.head();
        while !conn.read_some().is_empty() {}
    });
    let running = start(&format!(
        "[limits]\nrequest_body = \"10KiB\"\n{}",
        site(&app.url())
    ));
    let chunk = "x".repeat(0x3000);
    let answer = ask(
        &running,
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3000\r\n{chunk}\r\n0\r\n\r\n"
        ),
    );
    assert_eq!(answer.status, 413);
    let answer = ask(
        &running,
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12288\r\n\r\n{chunk}"),
    );
    assert_eq!(answer.status, 413);
}
