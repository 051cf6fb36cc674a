//! How many connections one client may hold, and how long one request may take.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kit;

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use kit::{Answer, App, Client, OK, PATIENCE, Running, config, eventually, site, start};
use socket2::{Domain, Socket, Type};

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";

/// A connection from `127.0.0.last`.
fn from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(&address.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn plain(last: u8, running: &Running) -> Client {
    Client::over(from(last, running.http))
}

fn tls(last: u8, running: &Running) -> Client {
    Client::tls_over(from(last, running.https), running.home.path(), "localhost")
}

fn three_each(app: &App, more: &str) -> String {
    format!(
        "[limits]\nclient_connections = 3\n{more}\n{}",
        site(&app.url())
    )
}

fn assert_turned_away(answer: &Answer) {
    assert_eq!((answer.status, answer.whole), (503, true), "{answer:?}");
    assert_eq!(answer.field("retry-after").as_deref(), Some("5"));
    assert_eq!(answer.field("connection").as_deref(), Some("close"));
    assert_eq!(answer.field("cache-control").as_deref(), Some("no-store"));
    assert!(answer.text().contains("busy at the moment"), "{answer:?}");
}

#[test]
fn a_client_holds_so_many_connections_and_no_more() {
    let app = App::answering(OK);
    let running = start(&three_each(&app, ""));
    let mut held: Vec<Client> = vec![plain(1, &running), tls(1, &running), plain(1, &running)];
    for client in &mut held {
        assert_eq!(client.get("/").status, 200);
    }
    let asked = app.heads().len();
    for mut one_too_many in [plain(1, &running), tls(1, &running)] {
        assert_turned_away(&one_too_many.send(GET).answer("GET"));
        assert!(one_too_many.at_end());
    }
    assert_eq!(app.heads().len(), asked, "the app hears nothing of it");
    // Neither others, nor those that are there already, notice.
    assert_eq!(tls(2, &running).get("/").status, 200);
    for client in &mut held {
        assert_eq!(client.get("/").status, 200);
    }
    // Who leaves makes room for itself.
    held.pop();
    eventually("a place for one more", || {
        plain(1, &running).get("/").status == 200
    });
}

#[test]
fn trusted_proxies_are_many_clients() {
    let app = App::answering(OK);
    let rest = three_each(&app, "[proxies]\ntrusted = [\"127.0.0.7\"]");
    let running = start(&rest);
    let mut held: Vec<Client> = (0..8).map(|_| plain(7, &running)).collect();
    for client in &mut held {
        assert_eq!(client.get("/").status, 200);
    }
}

#[test]
fn a_reload_changes_the_limit_for_whoever_comes() {
    let app = App::answering(OK);
    let running = start(&three_each(&app, ""));
    let _held: Vec<Client> = (0..3).map(|_| plain(1, &running)).collect();
    eventually("the limit", || plain(1, &running).get("/").status == 503);
    running.gateway.reload(config(&site(&app.url()))).unwrap();
    assert_eq!(plain(1, &running).get("/").status, 200);
}

fn in_all(total: &str, app: &App) -> Running {
    start(&format!(
        "[timeouts]\ntotal = \"{total}\"\n{}",
        site(&app.url())
    ))
}

#[test]
fn a_response_that_has_not_begun_in_all_that_time_is_a_504() {
    let app = App::new(|conn| {
        conn.head();
        thread::sleep(PATIENCE);
    });
    let running = in_all("400ms", &app);
    let began = Instant::now();
    let answer = Client::tls(&running, "localhost").get("/");
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("timeouts.total"), "{answer:?}");
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[test]
fn a_body_that_has_not_ended_in_all_that_time_is_a_408() {
    let app = App::new(|conn| {
        conn.head();
        while !conn.read_some().is_empty() {}
    });
    let running = in_all("500ms", &app);
    let mut client = Client::plain(running.http);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    client
        .tcp()
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    // Steady, so that no other deadline is due.
    let until = Instant::now() + PATIENCE;
    while client.at_rest() && Instant::now() < until {
        client.try_send(&[b'a'; 100]);
    }
    client.tcp().set_read_timeout(Some(PATIENCE)).unwrap();
    let answer = client.answer("POST");
    assert_eq!(answer.status, 408);
    assert!(answer.text().contains("timeouts.total"), "{answer:?}");
}

/// An app whose answer goes on for ever, steadily.
fn endless(head: &'static str, piece: &'static str) -> App {
    App::new(move |conn| {
        conn.head();
        conn.send(head);
        while conn.send(piece) {
            thread::sleep(Duration::from_millis(10));
        }
    })
}

#[test]
fn a_response_that_goes_on_for_longer_is_broken_off() {
    for (head, piece) in [
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "5\r\nhello\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
            "hello",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", "hello"),
    ] {
        let app = endless(head, piece);
        let running = in_all("500ms", &app);
        for mut client in [
            Client::plain(running.http),
            Client::tls(&running, "localhost"),
        ] {
            let answer = client.get("/");
            assert_eq!(answer.status, 200);
            assert!(!answer.body.is_empty() && !answer.whole, "{answer:?}");
        }
        // HTTP/1.0 has nothing but the end of the connection to tell by.
        let mut client = Client::plain(running.http);
        let answer = client
            .send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .answer("GET");
        assert!(!answer.whole, "{answer:?}");
    }
}

#[test]
fn a_client_that_reads_for_longer_is_cut_off() {
    let app = App::new(|conn| {
        conn.head();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        let piece = vec![7; 64 * 1024];
        while conn.send(&piece) {}
    });
    let running = in_all("700ms", &app);
    for mut client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        let began = Instant::now();
        client.send(GET).head().unwrap();
        while client.try_read(10_000).is_some() {
            assert!(began.elapsed() < PATIENCE, "it goes on for ever");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(began.elapsed() >= Duration::from_millis(700));
    }
}

#[test]
fn each_request_has_its_own_time_and_a_tunnel_all_it_wants() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            if head.to_lowercase().contains("upgrade: echo") {
                conn.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n");
                loop {
                    let said = conn.read_some();
                    if said.is_empty() || !conn.send(said) {
                        return;
                    }
                }
            }
            thread::sleep(Duration::from_millis(100));
            conn.send(OK);
        }
    });
    let running = in_all("600ms", &app);
    let mut client = Client::tls(&running, "localhost");
    // Together they take longer than one may.
    for _ in 0..10 {
        assert_eq!(client.get("/").status, 200);
    }
    client
        .send("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n");
    assert_eq!(client.answer("GET").status, 101);
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(100));
        assert_eq!(client.send("hello").read_exact(5), b"hello");
    }
}
