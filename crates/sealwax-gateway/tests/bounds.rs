//! Memory is bounded whatever either side does. The gateway runs in a process of
//! its own, whose resident memory is what is measured.
//!
//! The bounds are stated for each connection where each holds something (a
//! response that nobody reads), and for all together where nothing may stay.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "what was measured")]

mod kit;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kit::apart::Apart;
use kit::{App, Client, PATIENCE, eventually, site};

const MIB: usize = 1 << 20;

/// What may stay behind when all is over: the allocator's and the pools'.
const RESIDUE: usize = 8 * MIB;

#[test]
#[ignore = "the gateway of the tests below, in a process of its own"]
fn gateway() {
    kit::apart::serve();
}

fn start(config: &str) -> Apart {
    let apart = Apart::start(config, None);
    // What is made once is there from here on.
    for _ in 0..20 {
        assert_eq!(apart.tls().get("/.sealwax/health").status, 200);
        let health = Client::plain(apart.http).get("/.sealwax/health");
        assert_eq!(health.status, 200);
    }
    apart
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / MIB as f64
}

/// An app that would send a gigabyte to each client, and how much it has sent.
fn gigabytes() -> (App, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let app = App::new(move |conn| {
        if conn.head().is_none() {
            return;
        }
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        let piece = vec![7; 64 * 1024];
        while conn.stream().write_all(&piece).is_ok() {
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });
    (app, sent)
}

/// Until the app is held back.
fn standstill(sent: &AtomicUsize) {
    let mut last = usize::MAX;
    eventually("the app's standstill", || {
        thread::sleep(Duration::from_millis(300));
        let now = sent.load(Ordering::SeqCst);
        now > 0 && std::mem::replace(&mut last, now) == now
    });
}

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A connection to the app, one to the client, and what is between: a buffer
/// that is being read into, parts that wait to be written (128 KiB), TLS records
/// that wait for the socket (twice that).
const HELD: usize = 512 * 1024;

#[test]
fn a_client_that_never_reads_a_gigabyte() {
    const CLIENTS: usize = 24;
    let (app, sent) = gigabytes();
    let apart = start(&site(&app.url()));
    let before = apart.memory();
    for tls in [false, true] {
        sent.store(0, Ordering::SeqCst);
        let clients: Vec<Client> = (0..CLIENTS)
            .map(|_| {
                let mut client = match tls {
                    true => apart.tls(),
                    false => Client::plain(apart.http),
                };
                client.send(GET);
                client
            })
            .collect();
        standstill(&sent);
        let each = apart.memory().saturating_sub(before) / CLIENTS;
        println!(
            "TLS {tls}: {} KiB for each response that is not read",
            each / 1024
        );
        assert!(each < HELD, "{each} bytes for each of {CLIENTS}, TLS {tls}");
        drop(clients);
        returns(&apart, before, "those who did not read");
    }
}

#[test]
fn streams_that_nobody_reads() {
    const STREAMS: usize = 24;
    let (app, sent) = gigabytes();
    let apart = start(&site(&app.url()));
    let before = apart.memory();
    let mut client = h2_client(&apart);
    for stream in 0..STREAMS as u32 {
        client.send(h2_request(2 * stream + 1));
    }
    standstill(&sent);
    let each = apart.memory().saturating_sub(before) / STREAMS;
    println!(
        "HTTP/2: {} KiB for each response that is not read",
        each / 1024
    );
    assert!(each < HELD, "{each} bytes for each of {STREAMS}");
    drop(client);
    returns(&apart, before, "streams that nobody read");
}

/// A client with windows as wide as can be, which leave everything to the
/// gateway's own restraint.
fn h2_client(apart: &Apart) -> Client {
    let stream = TcpStream::connect(apart.https).unwrap();
    let mut client = Client::tls_speaking(stream, &apart.home, "localhost", b"h2");
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    // SETTINGS_INITIAL_WINDOW_SIZE (4) = 2^31-1.
    client.send([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
    // WINDOW_UPDATE of the connection, up to 2^31-1.
    client.send([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0]);
    client
}

/// HEADERS, ended and whole: GET https://localhost/ in literals and the static
/// table (RFC 7541).
fn h2_request(stream: u32) -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x84, 0x01, 9];
    block.extend_from_slice(b"localhost");
    let mut frame = vec![0, 0, block.len() as u8, 1, 0x05];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(&block);
    frame
}

#[test]
fn an_app_that_sends_interim_responses_for_ever() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let app = App::new(move |conn| {
        conn.head();
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n".repeat(100);
        while conn.send(&hints) {
            counter.fetch_add(hints.len(), Ordering::SeqCst);
        }
    });
    let apart = start(&site(&app.url()));
    let before = apart.memory();
    for _ in 0..20 {
        assert_eq!(Client::plain(apart.http).get("/").status, 502);
    }
    returns(&apart, before, "interim responses");
    let taken = sent.load(Ordering::SeqCst);
    // What the system's buffers took before the connections were closed.
    assert!(taken < 20 * 8 * MIB, "{:.1} MiB were taken", mib(taken));
}

/// All connections end in time, and then nothing is left of them.
fn returns(apart: &Apart, before: usize, what: &str) {
    let until = Instant::now() + PATIENCE;
    let now = loop {
        let now = apart.memory();
        if now < before + RESIDUE {
            break now;
        }
        assert!(
            Instant::now() < until,
            "{:.1} MiB more after {what}",
            mib(now - before)
        );
        thread::sleep(Duration::from_millis(50));
    };
    println!("after {what}: {:+.1} MiB", mib(now) - mib(before));
}

/// Sends `drip` on each of `crowd` again and again until the gateway has ended
/// them all. Returns the most memory that was seen.
fn drip(apart: &Apart, mut crowd: Vec<TcpStream>, drip: &[u8], within: Duration) -> usize {
    let (mut most, until) = (0, Instant::now() + within);
    for stream in &crowd {
        stream.set_nonblocking(true).unwrap();
    }
    while !crowd.is_empty() {
        let left = crowd.len();
        assert!(Instant::now() < until, "{left} are open after {within:?}");
        crowd.retain_mut(|stream| {
            let mut answer = [0; 4096];
            let goes_on = match stream.read(&mut answer) {
                Ok(0) => false,
                Ok(_) => true,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            };
            goes_on && (drip.is_empty() || stream.write_all(drip).is_ok())
        });
        most = most.max(apart.memory());
        thread::sleep(Duration::from_millis(50));
    }
    most
}

const SHORT: &str = "[timeouts]\nhandshake = \"3s\"\nrequest_head = \"2s\"\nrequest_body_idle = \"1s\"\n[limits]\nrequest_body_rate = 1000\n";

/// A connection that has got so far costs one block for what it has begun, and
/// what tokio and the system want.
const BEGUN: usize = 64 * 1024;

#[test]
fn heads_bodies_and_handshakes_that_never_end() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            while !conn.read_some().is_empty() {}
        }
    });
    let apart = start(&format!("{SHORT}{}", site(&app.url())));
    let files = apart.files();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    for (what, count, address, begin, rest) in [
        (
            "heads",
            500,
            apart.http,
            "GET / HTTP/1.1\r\nX-Drip: ".as_bytes(),
            &b"a"[..],
        ),
        ("bodies", 200, apart.http, head.as_bytes(), b"a"),
        (
            "handshakes",
            2000,
            apart.https,
            &[22, 3, 1, 2, 0, 1, 0],
            b"",
        ),
    ] {
        // What the first round leaves behind is the allocator's, and serves the
        // second.
        let first = apart.memory();
        for round in 0..2 {
            let before = apart.memory();
            let crowd: Vec<TcpStream> = (0..count)
                .map(|_| {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(begin).unwrap();
                    stream
                })
                .collect();
            let most = drip(&apart, crowd, rest, PATIENCE).saturating_sub(first);
            println!("{what}: {} KiB each while they last", most / count / 1024);
            assert!(
                most < count * BEGUN,
                "{:.1} MiB for {count} {what}",
                mib(most)
            );
            eventually("the end of all sockets", || apart.files() <= files + 2);
            if round > 0 {
                returns(&apart, before, what);
            }
        }
    }
}
