//! Requests over HTTP/2 that HTTP/1.1 would say differently: none reaches the
//! app, whoever refuses it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod h2kit;
mod kit;

use std::sync::Mutex;

use h2kit::*;
use kit::{App, OK, PATIENCE, Running, site, start};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Status(u16),
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY with this code.
    Goaway(u32),
    Closed,
}
use Verdict::{Goaway, Reset, Status};

/// The status, when HPACK says it in a byte or in plain or packed digits.
fn status(block: &[u8]) -> u16 {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match *block {
        [byte @ 0x88..=0x8e, ..] => INDEXED[usize::from(byte - 0x88)],
        // Name by index, value in Huffman's code: digits 0 to 2 have five bits,
        // 3 to 9 six (RFC 7541, appendix B).
        [0x08 | 0x48, length, ref rest @ ..] if length & 0x80 != 0 => {
            let bits: String = rest[..usize::from(length & 0x7f)]
                .iter()
                .map(|byte| format!("{byte:08b}"))
                .collect();
            let mut at = 0;
            let mut status = 0;
            for _ in 0..3 {
                let short = u16::from_str_radix(&bits[at..at + 5], 2).unwrap();
                let (digit, length) = if short < 3 {
                    (short, 5)
                } else {
                    (
                        u16::from_str_radix(&bits[at..at + 6], 2).unwrap() - 0x19 + 3,
                        6,
                    )
                };
                status = status * 10 + digit;
                at += length;
            }
            status
        }
        [0x08 | 0x48, 3, a, b, c, ..] => String::from_utf8(vec![a, b, c]).unwrap().parse().unwrap(),
        _ => panic!("{block:x?}"),
    }
}

fn verdict(running: &Running, frames: &[(u8, u8, Vec<u8>)]) -> Verdict {
    let mut client = Frames::settled(running);
    for (kind, flags, payload) in frames {
        client.put_frame(*kind, *flags, 1, payload);
    }
    client.flush();
    loop {
        match client.next() {
            None => return Verdict::Closed,
            Some(frame) if frame.kind == GOAWAY => return Goaway(frame.code()),
            Some(frame) if frame.kind == RST_STREAM => return Reset(frame.code()),
            Some(frame) if frame.kind == HEADERS => return Status(status(&frame.payload)),
            Some(_) => {}
        }
    }
}

fn get(fields: &[(&str, &str)]) -> Vec<(u8, u8, Vec<u8>)> {
    vec![(HEADERS, END_STREAM | END_HEADERS, literals(fields))]
}

/// The pseudo-header fields of a plain GET, one of them changed or left out,
/// and more fields.
fn changed(name: &str, value: Option<&[u8]>, more: &[(&str, &[u8])]) -> Vec<(u8, u8, Vec<u8>)> {
    let mut block = Vec::new();
    for (field, plain) in [
        (":method", &b"GET"[..]),
        (":scheme", b"https"),
        (":path", b"/"),
        (":authority", b"localhost"),
    ] {
        let value = if field == name { value } else { Some(plain) };
        if let Some(value) = value {
            block.extend(literal(field, value));
        }
    }
    for (field, value) in more {
        block.extend(literal(field, value));
    }
    vec![(HEADERS, END_STREAM | END_HEADERS, block)]
}

fn with(more: &[(&str, &[u8])]) -> Vec<(u8, u8, Vec<u8>)> {
    changed("", None, more)
}

#[test]
fn what_the_library_refuses() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let stream = Reset(PROTOCOL_ERROR);
    let connection = Goaway(PROTOCOL_ERROR);
    for (name, frames, expected) in [
        (
            "transfer-encoding",
            with(&[("transfer-encoding", b"chunked")]),
            stream,
        ),
        ("connection", with(&[("connection", b"close")]), stream),
        ("upgrade", with(&[("upgrade", b"websocket")]), stream),
        ("keep-alive", with(&[("keep-alive", b"1")]), stream),
        (
            "proxy-connection",
            with(&[("proxy-connection", b"close")]),
            stream,
        ),
        ("te", with(&[("te", b"trailers, gzip")]), stream),
        ("upper case", with(&[("X-A", b"b")]), connection),
        ("space in a name", with(&[("x a", b"b")]), connection),
        ("colon in a name", with(&[("x:a", b"b")]), connection),
        ("empty name", with(&[("", b"b")]), connection),
        ("NUL", with(&[("x", b"a\0b")]), connection),
        ("CR", with(&[("x", b"a\rb")]), connection),
        ("LF", with(&[("x", b"a\nb")]), connection),
        (
            "CR LF and a request",
            with(&[("x", b"a\r\n\r\nGET /admin HTTP/1.1\r\nHost: a")]),
            connection,
        ),
        ("LF in :path", changed(":path", Some(b"/\nx"), &[]), stream),
        (
            "space in :path",
            changed(":path", Some(b"/ HTTP/1.1"), &[]),
            stream,
        ),
        ("NUL in :path", changed(":path", Some(b"/\0"), &[]), stream),
        (
            "LF in :method",
            changed(":method", Some(b"GET / HTTP/1.1\n"), &[]),
            connection,
        ),
        (
            "space in :method",
            changed(":method", Some(b"GET /x"), &[]),
            connection,
        ),
        (
            "LF in :authority",
            changed(":authority", Some(b"localhost\nx"), &[]),
            stream,
        ),
        (
            "space in :authority",
            changed(":authority", Some(b"localhost x"), &[]),
            stream,
        ),
        (
            "slash in :authority",
            changed(":authority", Some(b"localhost/x"), &[]),
            stream,
        ),
        (
            "empty :authority",
            changed(":authority", Some(b""), &[]),
            stream,
        ),
        ("empty :path", changed(":path", Some(b""), &[]), stream),
        (
            "LF in :scheme",
            changed(":scheme", Some(b"https\n"), &[]),
            stream,
        ),
        ("no :path", changed(":path", None, &[]), stream),
        (
            ":path without slash",
            changed(":path", Some(b"x"), &[]),
            stream,
        ),
        (
            ":path with scheme",
            changed(":path", Some(b"http://evil/"), &[]),
            stream,
        ),
        ("length +5", with(&[("content-length", b"+5")]), stream),
        ("length 5, 5", with(&[("content-length", b"5, 5")]), stream),
        ("length -0", with(&[("content-length", b"-0")]), stream),
        ("length 0x0", with(&[("content-length", b"0x0")]), stream),
        (
            "two lengths",
            with(&[("content-length", b"0"), ("content-length", b"1")]),
            stream,
        ),
        (
            "length without content",
            with(&[("content-length", b"5")]),
            stream,
        ),
        (
            ":protocol",
            changed(":method", Some(b"CONNECT"), &[(":protocol", b"websocket")]),
            stream,
        ),
        (
            "pseudo after regular",
            with(&[("x", b"a"), (":path", b"/admin")]),
            stream,
        ),
    ] {
        assert_eq!(verdict(&running, &frames), expected, "{name}");
    }
    assert_eq!(app.heads(), Vec::<String>::new());
}

#[test]
fn a_body_that_is_not_as_long_as_announced_never_ends_well_for_the_app() {
    let (sender, bodies) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    let app = App::new(move |conn| {
        conn.head();
        // What there is of the body, to the end of the connection.
        let parts = std::iter::from_fn(|| Some(conn.read_some()).filter(|part| !part.is_empty()));
        let body = parts.collect::<Vec<_>>().concat();
        sender.lock().unwrap().send(body).unwrap();
    });
    let running = start(&site(&app.url()));
    let mut head = request("POST", "/");
    head.extend(literal("content-length", "5"));
    for (name, data) in [
        ("longer", vec![(END_STREAM, &b"123456"[..])]),
        ("longer in parts", vec![(0, b"123"), (0, b"456")]),
        ("shorter", vec![(END_STREAM, b"1234")]),
    ] {
        let mut frames = vec![(HEADERS, END_HEADERS, head.clone())];
        let data = data.into_iter();
        frames.extend(data.map(|(flags, data)| (DATA, flags, data.to_vec())));
        assert_eq!(verdict(&running, &frames), Reset(PROTOCOL_ERROR), "{name}");
    }
    // Where the app was asked at all, it saw less than was announced, and then
    // the end of the connection.
    for _ in 0..app.connections() {
        let body = bodies.recv_timeout(PATIENCE).unwrap();
        assert!(body.len() < 5, "{body:?}");
    }
}

#[test]
fn what_the_library_lets_through() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    for (name, frames) in [
        ("host differs", with(&[("host", b"evil.example")])),
        ("host differs in port", with(&[("host", b"localhost:1")])),
        (
            "host with the default port",
            with(&[("host", b"localhost:443")]),
        ),
        (
            "host twice",
            with(&[("host", b"localhost"), ("host", b"localhost")]),
        ),
        (
            "hosts, no authority",
            changed(
                ":authority",
                None,
                &[("host", b"localhost"), ("host", b"evil")],
            ),
        ),
        ("no host", changed(":authority", None, &[])),
        (
            "user information",
            changed(":authority", Some(b"user@localhost"), &[]),
        ),
        ("scheme http", changed(":scheme", Some(b"http"), &[])),
        ("* without OPTIONS", changed(":path", Some(b"*"), &[])),
        (
            "bytes above ASCII in :path",
            changed(":path", Some("/\u{e4}".as_bytes()), &[]),
        ),
        (
            "two equal lengths",
            with(&[("content-length", b"0"), ("content-length", b"0")]),
        ),
        ("empty length", with(&[("content-length", b"")])),
        ("leading space", with(&[("x", b" a")])),
        ("trailing tab", with(&[("x", b"a\t")])),
    ] {
        assert_eq!(verdict(&running, &frames), Status(400), "{name}");
    }
    assert_eq!(
        verdict(&running, &changed(":method", Some(b"CONNECT"), &[])),
        Reset(PROTOCOL_ERROR)
    );
    assert_eq!(
        verdict(
            &running,
            &get(&[(":method", "CONNECT"), (":authority", "localhost:22")])
        ),
        Status(405)
    );
    assert_eq!(app.heads(), Vec::<String>::new());
    // Cut off before anything judges it.
    assert_eq!(
        verdict(&running, &changed(":path", Some(b"/a#/../admin"), &[])),
        Status(200)
    );
    assert!(
        app.heads()[0].starts_with("GET /a HTTP/1.1\r\n"),
        "{:?}",
        app.heads()
    );
}
