//! HTTP/2 in exact frames, for clients that no library would play.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kit;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kit::{App, OK, PATIENCE, Running, client_config, eventually, site, start};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

// RFC 9113 §6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM_AND_HEADERS: u8 = 5;

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// Answers SETTINGS and PING, and nothing else, by itself.
struct Frames(StreamOwned<ClientConnection, TcpStream>);

impl Frames {
    /// `settings`: identifier and value each.
    fn connect(running: &Running, settings: &[(u16, u32)]) -> Self {
        let stream = TcpStream::connect(running.https).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let config = client_config(running.home.path(), &[b"h2"]);
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut frames = Self(StreamOwned::new(tls, stream));
        frames
            .0
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        let mut payload = Vec::new();
        for (identifier, value) in settings {
            payload.extend(identifier.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        frames.send(SETTINGS, 0, 0, &payload);
        frames
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).unwrap();
        self.0.flush().unwrap();
    }

    /// A GET of `path` at localhost, in HPACK's static table and plain literals.
    fn get(&mut self, stream: u32, path: &str) {
        let mut head = vec![0x82, 0x87, 0x01, 9];
        head.extend(b"localhost");
        head.extend([0x04, u8::try_from(path.len()).unwrap()]);
        head.extend(path.as_bytes());
        self.send(HEADERS, END_STREAM_AND_HEADERS, stream, &head);
    }

    /// The next frame; `None` at the end of the connection.
    fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
        };
        let mut payload = vec![0; number(&head[..3]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        let frame = Frame {
            kind: head[3],
            flags: head[4],
            stream: number(&head[5..]),
            payload,
        };
        if matches!(frame.kind, SETTINGS | PING) && frame.flags & ACK == 0 {
            let payload = if frame.kind == PING {
                &frame.payload[..]
            } else {
                &[]
            };
            self.send(frame.kind, ACK, 0, payload);
        }
        Some(frame)
    }

    fn until(&mut self, kind: u8, stream: u32) -> Frame {
        loop {
            let frame = self
                .next()
                .unwrap_or_else(|| panic!("no frame {kind} of {stream}"));
            if (frame.kind, frame.stream) == (kind, stream) {
                return frame;
            }
        }
    }
}

#[test]
fn an_idle_connection_ends_with_a_goaway() {
    let app = App::answering(OK);
    let running = start(&format!(
        "[timeouts]\nkeep_alive = \"500ms\"\n{}",
        site(&app.url())
    ));
    // With and without a request before; frames that are none come between.
    for requests in [0, 1] {
        let mut client = Frames::connect(&running, &[]);
        for _ in 0..requests {
            client.get(1, "/");
            client.until(DATA, 1);
        }
        client.send(PING, 0, 0, b"01234567");
        client.until(PING, 0);
        let began = Instant::now();
        client.until(GOAWAY, 0);
        assert!(began.elapsed() < PATIENCE / 4, "{:?}", began.elapsed());
        let rest: Vec<Frame> = std::iter::from_fn(|| client.next()).collect();
        let last = rest.iter().rfind(|frame| frame.kind == GOAWAY).unwrap();
        // The answered PING lets the last GOAWAY name the last stream, without
        // an error.
        assert_eq!(last.payload[..8], [0, 0, 0, requests, 0, 0, 0, 0]);
    }
}

#[test]
fn a_client_that_does_not_read_holds_no_worker_of_the_app() {
    const STREAMS: u32 = 20;
    let freed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&freed);
    let app = App::new(move |conn| {
        conn.head();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        for _ in 0..1000 {
            if !conn.send([b'a'; 100_000]) {
                counter.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    });
    let running = start(&format!(
        "[timeouts]\nresponse_idle = \"500ms\"\n{}",
        site(&app.url())
    ));
    // SETTINGS_INITIAL_WINDOW_SIZE
    let mut client = Frames::connect(&running, &[(4, 0)]);
    for number in 0..STREAMS {
        client.get(2 * number + 1, "/big");
    }
    for _ in 0..STREAMS {
        while client.next().unwrap().kind != HEADERS {}
    }
    eventually("the end of the app's connections", || {
        freed.load(Ordering::SeqCst) == STREAMS as usize
    });
    // Nobody takes a part for the whole, and the connection is as good as new.
    client.send(WINDOW_UPDATE, 0, 1, &[0, 1, 0, 0]);
    client.until(RST_STREAM, 1);
    client.get(101, "/.sealwax/health");
    client.until(HEADERS, 101);
}

#[test]
fn a_slow_reader_gets_all() {
    let app = App::new(|conn| {
        conn.head();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n");
        conn.send(vec![b'a'; 500_000]);
        conn.at_end();
    });
    let running = start(&format!(
        "[timeouts]\nresponse_idle = \"600ms\"\n{}",
        site(&app.url())
    ));
    let mut client = Frames::connect(&running, &[(4, 100_000)]);
    client.send(WINDOW_UPDATE, 0, 0, &[0, 15, 0, 0]);
    client.get(1, "/big");
    let mut got = 0;
    while got < 500_000 {
        let frame = client.until(DATA, 1);
        got += frame.payload.len();
        if got % 100_000 == 0 && got < 500_000 {
            // In all longer than the limit, but never at once.
            std::thread::sleep(Duration::from_millis(250));
            client.send(WINDOW_UPDATE, 0, 1, &100_000_u32.to_be_bytes());
        }
    }
}
