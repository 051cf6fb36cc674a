//! Clients that make us work for nobody over HTTP/2, and honest ones that look
//! a little like them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod h2kit;
mod kit;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use h2kit::*;
use kit::{App, OK, PATIENCE, Running, site, start};

/// More than any honest client sends; less than a second of loopback.
const MANY: u32 = 20_000;

/// How many go out in one go.
const TURN: u32 = 50;

/// Waits until all that was sent has been dealt with; false when the end came.
fn wait(client: &mut Frames) -> bool {
    while let Some(frame) = client.peek() {
        if frame.kind == GOAWAY {
            return false;
        }
        client.next();
        if frame.kind == PING && frame.is_ack() {
            return true;
        }
    }
    false
}

fn flood(
    running: &Running,
    settings: &[(u16, u32)],
    next: impl Fn(&mut Frames, u32),
) -> Option<u32> {
    flood_in(running, settings, false, next).map(|goaway| goaway.code())
}

/// `paced`: only as fast as the gateway answers. Sends `next` until the gateway hangs up, while another client is served all
/// along, and returns the GOAWAY.
fn flood_in(
    running: &Running,
    settings: &[(u16, u32)],
    paced: bool,
    next: impl Fn(&mut Frames, u32),
) -> Option<Frame> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let bystander = scope.spawn(|| {
            let mut client = Frames::connect(running, &[]);
            let mut slowest = Duration::ZERO;
            let mut stream = 1;
            while !over.load(Ordering::SeqCst) || stream < 20 {
                let began = Instant::now();
                client.get(stream, "/.sealwax/health");
                client.finish(stream);
                slowest = slowest.max(began.elapsed());
                stream += 2;
            }
            slowest
        });
        let before = resident();
        let mut client = Frames::connect(running, settings);
        for number in 0..MANY {
            next(&mut client, number);
            if number % TURN == TURN - 1 {
                if paced {
                    client.put_frame(PING, 0, 0, [1; 8]);
                }
                if !client.try_flush() || paced && !wait(&mut client) {
                    break;
                }
            }
        }
        client.try_flush();
        let goaway = client.farewell();
        let grown = resident().saturating_sub(before);
        over.store(true, Ordering::SeqCst);
        let slowest = bystander.join().unwrap();
        assert!(slowest < PATIENCE / 10, "another client waited {slowest:?}");
        // The client's own buffers are in it too.
        assert!(grown < 20 << 20, "{grown} bytes more");
        goaway
    })
}

/// This process's memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// An app that never answers.
fn silent_app() -> App {
    App::new(|conn| {
        conn.head();
        conn.at_end();
    })
}

fn odd(number: u32) -> u32 {
    2 * number + 1
}

fn assert_calmed(flood: &str, code: Option<u32>) {
    assert_eq!(code, Some(ENHANCE_YOUR_CALM), "{flood}");
}

#[test]
fn frames_that_carry_nothing() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    for (name, kind, flags, stream, payload) in [
        ("PING", PING, 0, 0, &[0; 8][..]),
        ("PING ACK", PING, ACK, 0, &[0; 8]),
        ("SETTINGS", SETTINGS, 0, 0, b""),
        (
            "SETTINGS that move windows",
            SETTINGS,
            0,
            0,
            b"\0\x04\0\0\xff\xff",
        ),
        (
            "SETTINGS with large tables",
            SETTINGS,
            0,
            0,
            b"\0\x01\xff\xff\xff\xff",
        ),
        ("PRIORITY", PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
        ("WINDOW_UPDATE", WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        ("GOAWAY", GOAWAY, 0, 0, &[0; 8]),
        ("unknown", 0xfe, 0, 0, &[0; 64]),
        ("empty unknown", 0x42, 0xff, 7, b""),
        ("PRIORITY_UPDATE", 0x10, 0, 0, b"\0\0\0\x01u=1"),
    ] {
        let code = flood(&running, &[], |client, _| {
            client.put_frame(kind, flags, stream, payload);
        });
        assert_calmed(name, code);
    }
}

#[test]
fn frames_that_carry_nothing_on_an_open_stream() {
    let app = silent_app();
    let running = start(&site(&app.url()));
    for (name, kind, payload) in [
        ("empty DATA", DATA, &b""[..]),
        ("WINDOW_UPDATE", WINDOW_UPDATE, &[0, 0, 0, 1]),
        ("PRIORITY", PRIORITY, &[0, 0, 0, 0, 9]),
        ("RST_STREAM", RST_STREAM, &[0, 0, 0, 8]),
    ] {
        let code = flood(&running, &[], |client, number| {
            if number == 0 {
                client.put_frame(HEADERS, END_HEADERS, 1, request("POST", "/"));
            }
            client.put_frame(kind, 0, 1, payload);
        });
        assert_calmed(name, code);
    }
}

#[test]
fn padding_without_content() {
    let app = silent_app();
    let running = start(&site(&app.url()));
    let code = flood(&running, &[], |client, number| {
        if number == 0 {
            client.put_frame(HEADERS, END_HEADERS, 1, request("POST", "/"));
        }
        client.put_frame(DATA, PADDED, 1, [3, 0, 0, 0]);
    });
    assert_calmed("padded empty DATA", code);
}

#[test]
fn requests_given_up_at_once() {
    let app = silent_app();
    let running = start(&site(&app.url()));
    let code = flood(&running, &[], |client, number| {
        client.put_frame(
            HEADERS,
            END_STREAM | END_HEADERS,
            odd(number),
            request("GET", "/"),
        );
        client.put_frame(RST_STREAM, 0, odd(number), CANCEL.to_be_bytes());
    });
    assert_calmed("rapid reset", code);
}

#[test]
fn requests_given_up_one_by_one() {
    let app = silent_app();
    let running = start(&site(&app.url()));
    // Each is seen by the service before it is reset.
    let mut client = Frames::settled(&running);
    for number in 0..MANY {
        client.put_frame(
            HEADERS,
            END_STREAM | END_HEADERS,
            odd(number),
            request("GET", "/"),
        );
        client.put_frame(PING, 0, 0, number.to_be_bytes().repeat(2));
        if !client.try_flush() {
            break;
        }
        let frame = std::iter::from_fn(|| client.next())
            .find(|frame| matches!(frame.kind, PING | GOAWAY | RST_STREAM));
        match frame {
            Some(frame) if frame.kind == PING => {}
            Some(frame) if frame.kind == GOAWAY => {
                assert_eq!(frame.code(), ENHANCE_YOUR_CALM);
                assert_eq!(&frame.payload[8..], b"too many requests given up");
                assert!((450..700).contains(&number), "after {number}");
                return;
            }
            other => panic!("{other:?} after {number}"),
        }
        client.put_frame(RST_STREAM, 0, odd(number), CANCEL.to_be_bytes());
    }
    panic!("the connection ended without a word, or not at all");
}

#[test]
fn streams_that_we_have_to_reset() {
    let app = silent_app();
    let running = start(&site(&app.url()));
    // CVE-2025-8671: each opens a request, then makes us reset it.
    for (name, frames) in [
        (
            "trailers that do not end the stream",
            &[(HEADERS, END_HEADERS, literal("x", "y"))][..],
        ),
        (
            "a window too large",
            &[(WINDOW_UPDATE, 0, vec![0x7f, 0xff, 0xff, 0xff])],
        ),
        ("a priority on itself", &[(PRIORITY, 0, vec![0xff; 5])]),
        (
            "more content than announced",
            &[(DATA, 0, b"123456".to_vec())],
        ),
    ] {
        // Not more at once than may be open: a second frame for a refused stream
        // is another matter.
        let asked_before = app.connections();
        let goaway = flood_in(&running, &[], true, |client, number| {
            let mut head = request("POST", "/");
            head.extend(literal("content-length", "5"));
            let stream = odd(number);
            client.put_frame(HEADERS, END_HEADERS, stream, head);
            for (kind, flags, payload) in frames {
                let mut payload = payload.clone();
                if *kind == PRIORITY {
                    payload[..4].copy_from_slice(&stream.to_be_bytes());
                }
                client.put_frame(*kind, *flags, stream, payload);
            }
        });
        let goaway = goaway.unwrap();
        assert_calmed(name, Some(goaway.code()));
        // The library would have let a thousand pass.
        assert_eq!(
            &goaway.payload[8..],
            b"too many streams that had to be reset",
            "{name}"
        );
        let asked = app.connections() - asked_before;
        assert!(asked < 400, "{name}: the app was asked {asked} times");
    }
    // What is an error of the whole connection ends it at the first frame.
    for (kind, flags, payload, expected) in [
        (WINDOW_UPDATE, 0, &[0; 4][..], PROTOCOL_ERROR),
        (PRIORITY, 0, &[0; 4], PROTOCOL_ERROR),
        (DATA, END_STREAM, b"late", PROTOCOL_ERROR),
    ] {
        let code = flood(&running, &[], |client, number| {
            client.put_frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                odd(number),
                request("GET", "/"),
            );
            client.put_frame(kind, flags, odd(number), payload);
        });
        assert_eq!(code, Some(expected), "frame {kind}");
    }
}

#[test]
fn more_streams_than_allowed() {
    let app = silent_app();
    let running = start(&site(&app.url()));
    let code = flood(&running, &[], |client, number| {
        client.put_frame(
            HEADERS,
            END_STREAM | END_HEADERS,
            odd(number),
            request("GET", "/"),
        );
    });
    assert_calmed("refused streams", code);
}

#[test]
fn malformed_requests() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let code = flood(&running, &[], |client, number| {
        let mut head = request("GET", "/");
        head.extend(literal("connection", "close"));
        client.put_frame(HEADERS, END_STREAM | END_HEADERS, odd(number), head);
    });
    assert_calmed("malformed requests", code);
}

#[test]
fn a_header_block_without_end() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let field = literal("x", [b'a'; 8000]);
    for (name, part) in [("empty", &b""[..]), ("full", &field)] {
        let code = flood(&running, &[], |client, number| {
            if number == 0 {
                client.put_frame(HEADERS, END_STREAM, 1, request("GET", "/"));
            }
            client.put_frame(CONTINUATION, 0, 1, part);
        });
        assert_calmed(name, code);
    }
}

#[test]
fn a_header_bomb() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    // One field of 4000 bytes in the table, named by one byte each time.
    let mut first = request("GET", "/");
    first.push(0x40);
    first.extend(&literal("x", [b'a'; 4000])[1..]);
    let mut bomb = request("GET", "/");
    bomb.extend([0xbe; 12_000]);
    let code = flood(&running, &[], |client, number| {
        if number == 0 {
            client.put_frame(HEADERS, END_STREAM | END_HEADERS, 1, &first);
        } else if number < 50 {
            client.put_frame(HEADERS, END_STREAM | END_HEADERS, odd(number), &bomb);
        }
    });
    assert_calmed("bomb", code);
}

#[test]
fn windows_opened_by_single_bytes() {
    let app = App::answering("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789");
    let running = start(&site(&app.url()));
    // Twenty DATA frames for each response; a thousand responses at a time.
    let code = flood(&running, &[(INITIAL_WINDOW_SIZE, 0)], |client, number| {
        if number % 100 == 0 {
            client.put_frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                odd(number),
                request("GET", "/"),
            );
        }
        client.put_frame(WINDOW_UPDATE, 0, odd(number - number % 100), [0, 0, 0, 1]);
    });
    assert_calmed("dribble", code);
}

#[test]
fn ten_thousand_requests_are_no_flood() {
    const ROUNDS: u32 = 100;
    const STREAMS: u32 = 100;
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let mut client = Frames::settled(&running);
    for round in 0..ROUNDS {
        for number in 0..STREAMS {
            let stream = odd(round * STREAMS + number);
            client.put_frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                stream,
                request("GET", "/"),
            );
            // As clients do that acknowledge everything.
            client.put_frame(WINDOW_UPDATE, 0, 0, [0, 0, 0, 2]);
            client.put_frame(WINDOW_UPDATE, 0, stream, [0, 0, 0, 2]);
        }
        client.put_frame(PING, 0, 0, round.to_be_bytes().repeat(2));
        client.flush();
        let mut left = STREAMS;
        while left > 0 {
            let frame = client.next().unwrap();
            assert!(!matches!(frame.kind, GOAWAY | RST_STREAM), "{frame:?}");
            left -= u32::from(frame.ends_stream());
        }
    }
}

#[test]
fn a_thousand_pings_over_time_are_no_flood() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let mut client = Frames::settled(&running);
    for number in 0..1000_u32 {
        client.send(PING, 0, 0, number.to_be_bytes().repeat(2));
        let pong = client.until(PING, 0);
        assert_eq!(pong.payload, number.to_be_bytes().repeat(2));
        std::thread::sleep(Duration::from_millis(7));
    }
}

#[test]
fn leaving_pages_is_no_flood() {
    const STREAMS: u32 = 100;
    let app = silent_app();
    let running = start(&site(&app.url()));
    let mut client = Frames::settled(&running);
    // Three pages, each left before the first of its parts was answered: once
    // with all in one go, as a busy gateway would find it.
    for (page, at_once) in [(0, true), (1, false), (2, true)] {
        let streams = (page * STREAMS..(page + 1) * STREAMS).map(odd);
        for stream in streams.clone() {
            client.put_frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                stream,
                request("GET", "/"),
            );
        }
        if !at_once {
            client.send(PING, 0, 0, [7; 8]);
            client.until(PING, 0);
        }
        for stream in streams {
            client.put_frame(RST_STREAM, 0, stream, CANCEL.to_be_bytes());
        }
        client.send(PING, 0, 0, [8; 8]);
        client.until(PING, 0);
    }
    client.get(1001, "/.sealwax/health");
    client.finish(1001);
}
