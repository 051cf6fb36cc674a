//! An end that nobody meant is not taken for one that somebody did.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod h2kit;
mod kit;

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::mpsc;
use std::time::Duration;

use h2kit::{CANCEL, DATA, END_HEADERS, Frames, HEADERS, NO_ERROR, RST_STREAM, request};
use kit::{App, Client, Conn, OK, PATIENCE, Running, site, start};

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const UPGRADE: &str =
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// An app that answers early, takes no more of the request, and resets when it
/// is told to.
fn early(answer: &'static str) -> (Running, mpsc::Sender<()>, App) {
    let (tell, told) = mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let app = App::new(move |conn| {
        conn.head();
        conn.send(answer);
        let _ = told.lock().unwrap().recv();
        conn.reset();
    });
    (start(&site(&app.url())), tell, app)
}

/// Sends until nobody takes more.
fn fill(client: &Client) {
    let mut tcp = client.tcp().try_clone().unwrap();
    tcp.set_nonblocking(true).unwrap();
    let some = [b'x'; 64 * 1024];
    let mut full = 0;
    while full < 20 {
        if tcp.write(&some).is_ok_and(|taken| taken > 0) {
            full = 0;
        } else {
            full += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    tcp.set_nonblocking(false).unwrap();
}

/// The write of the request meets the reset first, and then reading finds
/// nothing but the end.
#[test]
fn a_reset_that_a_write_meets_does_not_end_a_response() {
    let upload = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
    let (running, tell, _app) = early("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart");
    let mut client = Client::plain(running.http);
    client.send(upload);
    fill(&client);
    tell.send(()).unwrap();
    let answer = client.answer("POST");
    assert!(!answer.whole && answer.text() == "part", "{answer:?}");
}

/// The same, met before the app has begun to answer.
#[test]
fn a_reset_is_not_forgotten_when_the_head_comes_after_it() {
    let upload = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
    let app = App::new(move |conn| {
        conn.head();
        // Read late, since nobody looks before the socket takes more.
        conn.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart");
        conn.reset();
    });
    let running = start(&site(&app.url()));
    for _ in 0..20 {
        let mut client = Client::plain(running.http);
        client.send(upload);
        let _ = client.try_send(&[b'x'; 256 * 1024]);
        if let Some(answer) = client.try_answer("POST") {
            assert!(!answer.whole || answer.status == 502, "{answer:?}");
        }
    }
}

fn tunnel(script: impl Fn(&mut Conn) + Send + Sync + 'static) -> Running {
    let app = App::new(move |conn| {
        conn.head();
        conn.send(SWITCH);
        script(conn);
    });
    start(&site(&app.url()))
}

fn switched(mut client: Client) -> Client {
    assert!(client.send(UPGRADE).head().unwrap().contains(" 101 "));
    client
}

/// How reading until the end ends.
fn ends_well(client: &mut Client) -> bool {
    client.drain().is_ok()
}

#[test]
fn a_tunnel_that_the_app_resets_is_reset() {
    let running = tunnel(|conn| {
        conn.send("part");
        // The reset must not overtake it.
        assert_eq!(conn.body(2), b"go");
        conn.reset();
    });
    for client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        let mut client = switched(client);
        assert_eq!(client.read_exact(4), b"part");
        client.send("go");
        assert!(!ends_well(&mut client));
    }
}

#[test]
fn a_tunnel_that_the_client_breaks_is_reset() {
    let (tell, told) = mpsc::channel();
    let running = tunnel(move |conn| {
        assert_eq!(conn.body(4), b"part");
        conn.send("go");
        let stream = conn.stream();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut more = Vec::new();
        let ended = stream.read_to_end(&mut more);
        tell.send((ended.is_ok(), more)).unwrap();
    });
    // Plain and reset; TLS that ends without its own end (RFC 8446 §6.1).
    for (tls, reset) in [(false, true), (true, false), (true, true)] {
        let client = match tls {
            true => Client::tls(&running, "localhost"),
            false => Client::plain(running.http),
        };
        let mut client = switched(client);
        client.send("part");
        assert_eq!(client.read_exact(2), b"go");
        let tcp = client.tcp();
        if reset {
            socket2::SockRef::from(tcp)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            drop(client);
        } else {
            tcp.shutdown(Shutdown::Write).unwrap();
        }
        let ended = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(ended, (false, Vec::new()), "TLS {tls}, reset {reset}");
    }
}

#[test]
fn a_tunnel_that_both_sides_end_ends_well() {
    let running = tunnel(|conn| {
        // What the client has to say, to its end.
        assert_eq!(conn.body(4), b"ping");
        assert!(conn.at_end());
        conn.send("pong");
        conn.close();
    });
    for client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        let mut client = switched(client);
        client.send("ping").end();
        assert_eq!(client.read_exact(4), b"pong");
        assert!(ends_well(&mut client));
    }
}

/// The app has said all and is gone, and what the client sends finds nobody: no
/// reason to break what it has got.
#[test]
fn a_client_that_talks_to_nobody_keeps_what_it_was_told() {
    let running = tunnel(|conn| {
        conn.send("bye");
    });
    let mut client = switched(Client::plain(running.http));
    assert_eq!(client.read_exact(3), b"bye");
    for _ in 0..2 {
        // The app's system answers the first with a reset, which the second
        // meets.
        std::thread::sleep(Duration::from_millis(30));
        client.send("?");
    }
    std::thread::sleep(Duration::from_millis(30));
    assert!(ends_well(&mut client));
}

/// Over TLS a tunnel that begins after the client has broken off, in the middle
/// of an earlier response, has not been ended by it either.
#[test]
fn a_tunnel_that_begins_after_a_broken_end_is_reset() {
    let (tell, told) = mpsc::channel();
    let app = App::new(move |conn| {
        if !conn.head().is_some_and(|head| head.contains("echo")) {
            // Until the client has broken off.
            std::thread::sleep(Duration::from_millis(100));
            conn.send(OK);
            conn.head();
            return;
        }
        conn.send(SWITCH);
        let stream = conn.stream();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        tell.send(stream.read_to_end(&mut Vec::new()).is_ok())
            .unwrap();
    });
    let running = start(&site(&app.url()));
    let mut client = Client::tls(&running, "localhost");
    client.send(format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n{UPGRADE}"
    ));
    client.tcp().shutdown(Shutdown::Write).unwrap();
    // An upgrade takes a connection of its own.
    let ended = told.recv_timeout(PATIENCE);
    assert_eq!(ended, Ok(false));
}

/// HTTP/1.0 knows no other end than that of the connection.
#[test]
fn a_response_until_the_end_ends_well_for_who_has_closed_its_half() {
    let app =
        App::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    let running = start(&site(&app.url()));
    for client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        let mut client = client;
        client
            .send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .end();
        let answer = client.answer("GET");
        assert!(answer.whole && answer.text() == "ok", "{answer:?}");
    }
}

/// Whatever the code of the reset says, an upload that has not ended is not whole,
/// and in chunks only its last could say that it is.
#[test]
fn an_upload_over_http2_that_is_reset_is_never_whole() {
    for code in [NO_ERROR, CANCEL] {
        let (tell, told) = mpsc::channel();
        let app = App::new(move |conn| {
            conn.head();
            let mut came = Vec::new();
            loop {
                let some = conn.read_some();
                if some.is_empty() {
                    break;
                }
                came.extend(some);
                let _ = tell.send(came.clone());
            }
            let _ = tell.send([&came[..], b"END"].concat());
        });
        let running = start(&site(&app.url()));
        let mut client = Frames::settled(&running);
        client.send(HEADERS, END_HEADERS, 1, request("POST", "/"));
        client.send(DATA, 0, 1, b"abc");
        // Some of it is with the app.
        let chunk = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(chunk, b"3\r\nabc\r\n");
        client.send(RST_STREAM, 0, 1, code.to_be_bytes());
        let all = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(all, b"3\r\nabc\r\nEND", "code {code}");
    }
}
