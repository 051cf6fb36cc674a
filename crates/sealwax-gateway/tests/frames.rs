//! HTTP/2 in exact frames, for clients that no library would play.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod h2kit;
mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use h2kit::{
    DATA, Frame, Frames, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING, RST_STREAM, WINDOW_UPDATE,
};
use kit::{App, OK, PATIENCE, eventually, site, start};

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
    let mut client = Frames::connect(&running, &[(INITIAL_WINDOW_SIZE, 0)]);
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
    client.send(WINDOW_UPDATE, 0, 1, [0, 1, 0, 0]);
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
    let mut client = Frames::connect(&running, &[(INITIAL_WINDOW_SIZE, 100_000)]);
    client.send(WINDOW_UPDATE, 0, 0, [0, 15, 0, 0]);
    client.get(1, "/big");
    let mut got = 0;
    while got < 500_000 {
        let frame = client.until(DATA, 1);
        got += frame.payload.len();
        if got % 100_000 == 0 && got < 500_000 {
            // In all longer than the limit, but never at once.
            std::thread::sleep(Duration::from_millis(250));
            client.send(WINDOW_UPDATE, 0, 1, 100_000_u32.to_be_bytes());
        }
    }
}
