//! HTTP/2 by the book: the cases that h2spec tries (sections of RFC 7540 and
//! RFC 7541, in its numbering), each in exact frames.
//!
//! A connection error is a GOAWAY with the code and the end of the connection; a
//! stream error may also be one. Where the gateway answers otherwise than
//! h2spec expects, [`DEVIATIONS`] says how and why, so that a change is noticed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod h2kit;
mod kit;

use std::time::Duration;

use h2kit::*;
use kit::{Running, site, start};

/// What a case should bring about.
#[derive(Debug, Clone, Copy)]
enum Expect {
    /// The connection ends, with one of these codes.
    Connection(&'static [u32]),
    /// Stream 1 (or the one last opened) or the connection ends so.
    Stream(&'static [u32]),
    /// An acknowledged PING with this payload.
    Pong([u8; 8]),
    /// A whole response on stream 1.
    Answer,
    /// A DATA frame of this length.
    Data(usize),
    /// The client's SETTINGS are acknowledged.
    SettingsAck,
    /// The first frame is SETTINGS, and no acknowledgement.
    ServerPreface,
}
use Expect::{Answer, Connection, Data, Pong, ServerPreface, SettingsAck, Stream};

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Goaway(u32),
    Reset(u32),
    Answered,
    Closed,
    Silence,
}

/// The library says PROTOCOL_ERROR for every frame and field that it cannot
/// read; the connection ends as it must.
const ONE_CODE: &str = "the library has one code for whatever it cannot read";
/// The library forgets streams, and takes what comes late for what comes wrong.
const NO_HISTORY: &str = "the library does not tell a closed stream from one that cannot be";

/// Case, what comes instead, why.
#[rustfmt::skip]
const DEVIATIONS: &[(&str, Outcome, &str)] = &[
    ("4.3/1 broken header block", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.3/2 PRIORITY of 4 bytes", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.4/3 RST_STREAM of 3 bytes", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.5/1 SETTINGS ACK with payload", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.5.2/2 INITIAL_WINDOW_SIZE 2^31", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.7/4 PING of 6 bytes", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.9/3 WINDOW_UPDATE of 3 bytes", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.9.2/3 INITIAL_WINDOW_SIZE above 2^31-1", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("2.3.3/1 index beyond the tables", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("2.3.3/2 name index beyond the tables", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("4.2/1 table size update at the end", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("5.2/1 Huffman padding longer than 7 bits", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("5.2/2 Huffman padding of zeros", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("5.2/3 Huffman EOS", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.1/1 index 0", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("6.3/1 table size above the limit", Outcome::Goaway(PROTOCOL_ERROR), ONE_CODE),
    ("5.1/5 half-closed: DATA", Outcome::Goaway(PROTOCOL_ERROR), NO_HISTORY),
    ("5.1/6 half-closed: HEADERS", Outcome::Goaway(PROTOCOL_ERROR), NO_HISTORY),
    ("5.1/9 reset: HEADERS", Outcome::Goaway(PROTOCOL_ERROR), NO_HISTORY),
    ("5.1/12 closed: HEADERS", Outcome::Goaway(PROTOCOL_ERROR), NO_HISTORY),
    ("6.1/2 DATA on a stream that is not open", Outcome::Goaway(PROTOCOL_ERROR), NO_HISTORY),
    ("8.1.2.1/3b pseudo-header field in trailers at the end", Outcome::Answered, "the library drops it, so that the app never sees it"),
];

type Play = fn(&mut Frames);

const CONTENT: [u8; 8] = *b"h2spec!!";
const WHOLE: u8 = END_STREAM | END_HEADERS;

fn get() -> Vec<u8> {
    request("GET", "/")
}

fn post() -> Vec<u8> {
    request("POST", "/")
}

fn with(mut block: Vec<u8>, more: &[u8]) -> Vec<u8> {
    block.extend(more);
    block
}

/// Eight fields, more than 16 KiB together.
fn large() -> Vec<u8> {
    let field = literal("x-dummy", [b'a'; 4096]);
    with(get(), &field.repeat(5))
}

fn dummy() -> Vec<u8> {
    literal("x-dummy", "0")
}

/// Exclusive bit and dependency, then the weight.
fn priority(on: u32, weight: u8) -> Vec<u8> {
    let mut payload = on.to_be_bytes().to_vec();
    payload.push(weight);
    payload
}

fn open(client: &mut Frames) -> &mut Frames {
    client.put_frame(HEADERS, END_HEADERS, 1, post())
}

fn ask(client: &mut Frames) -> &mut Frames {
    client.put_frame(HEADERS, WHOLE, 1, get())
}

/// A response has come whole.
fn closed(client: &mut Frames) -> &mut Frames {
    ask(client).flush();
    client.finish(1);
    client
}

fn ping(client: &mut Frames) {
    client.put_frame(PING, 0, 0, CONTENT);
}

fn update(increment: u32) -> [u8; 4] {
    increment.to_be_bytes()
}

fn acknowledged(client: &mut Frames) -> &mut Frames {
    client.flush();
    loop {
        let frame = client.until(SETTINGS, 0);
        if frame.is_ack() {
            return client;
        }
    }
}

/// A request whose header block is `block`.
fn block(client: &mut Frames, block: Vec<u8>) {
    client.put_frame(HEADERS, WHOLE, 1, block);
}

const PSEUDO: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "localhost"),
];

fn without(name: &str) -> Vec<u8> {
    let fields: Vec<_> = PSEUDO.into_iter().filter(|(n, _)| *n != name).collect();
    literals(&fields)
}

const MOST: u32 = (1 << 31) - 1;

#[rustfmt::skip]
const HTTP2: &[(&str, Expect, Play)] = &[
    ("3.5/1 client preface", ServerPreface, |_| {}),
    ("4.1/1 unknown frame type", Pong(CONTENT), |c| { c.put_frame(0x16, 0, 0, [0; 8]); ping(c); }),
    ("4.1/2 undefined flags", Pong(CONTENT), |c| { c.put_frame(PING, 0x16, 0, CONTENT); }),
    ("4.1/3 reserved bit", Pong(CONTENT), |c| { c.put_frame(PING, 0x16, 1 << 31, CONTENT); }),
    ("4.2/1 DATA of 2^14", Answer, |c| { open(c).put_frame(DATA, END_STREAM, 1, [0; 16_384]); }),
    ("4.2/2 DATA too large", Stream(&[FRAME_SIZE_ERROR]), |c| { open(c).put_frame(DATA, END_STREAM, 1, [0; 16_385]); }),
    ("4.2/3 HEADERS too large", Connection(&[FRAME_SIZE_ERROR]), |c| block(c, large())),
    ("4.3/1 broken header block", Connection(&[COMPRESSION_ERROR]), |c| block(c, vec![0x40])),
    ("4.3/2 PRIORITY within a header block", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, 0, 1, get()).put_frame(PRIORITY, 0, 1, priority(0, 255)).put_frame(CONTINUATION, END_HEADERS, 1, dummy());
    }),
    ("4.3/3 HEADERS within a header block", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, 0, 1, get()).put_frame(HEADERS, WHOLE, 3, get()).put_frame(CONTINUATION, END_HEADERS, 1, dummy());
    }),
    ("5.1/1 idle: DATA", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("5.1/2 idle: RST_STREAM", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(RST_STREAM, 0, 1, update(CANCEL)); }),
    ("5.1/3 idle: WINDOW_UPDATE", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(WINDOW_UPDATE, 0, 1, update(100)); }),
    ("5.1/4 idle: CONTINUATION", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(CONTINUATION, END_HEADERS, 1, get()); }),
    ("5.1/5 half-closed: DATA", Stream(&[STREAM_CLOSED]), |c| { ask(c).put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("5.1/6 half-closed: HEADERS", Stream(&[STREAM_CLOSED]), |c| { ask(c).put_frame(HEADERS, WHOLE, 1, get()); }),
    ("5.1/7 half-closed: CONTINUATION", Stream(&[STREAM_CLOSED, PROTOCOL_ERROR]), |c| { ask(c).put_frame(CONTINUATION, END_HEADERS, 1, get()); }),
    ("5.1/8 reset: DATA", Stream(&[STREAM_CLOSED]), |c| {
        open(c).put_frame(RST_STREAM, 0, 1, update(CANCEL)).put_frame(DATA, END_STREAM, 1, b"test");
    }),
    ("5.1/9 reset: HEADERS", Stream(&[STREAM_CLOSED]), |c| {
        open(c).put_frame(RST_STREAM, 0, 1, update(CANCEL)).put_frame(HEADERS, WHOLE, 1, get());
    }),
    ("5.1/10 reset: CONTINUATION", Stream(&[STREAM_CLOSED, PROTOCOL_ERROR]), |c| {
        open(c).put_frame(RST_STREAM, 0, 1, update(CANCEL)).put_frame(CONTINUATION, END_HEADERS, 1, dummy());
    }),
    ("5.1/11 closed: DATA", Stream(&[STREAM_CLOSED]), |c| { closed(c).put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("5.1/12 closed: HEADERS", Connection(&[STREAM_CLOSED]), |c| { closed(c).put_frame(HEADERS, WHOLE, 1, get()); }),
    ("5.1/13 closed: CONTINUATION", Connection(&[STREAM_CLOSED, PROTOCOL_ERROR]), |c| { closed(c).put_frame(CONTINUATION, END_HEADERS, 1, dummy()); }),
    ("5.1.1/1 even stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(HEADERS, WHOLE, 2, get()); }),
    ("5.1.1/2 smaller stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(HEADERS, WHOLE, 5, get()).put_frame(HEADERS, WHOLE, 3, get()); }),
    ("5.1.2/1 too many streams", Stream(&[PROTOCOL_ERROR, REFUSED_STREAM]), |c| {
        acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 0)]));
        for number in 0..=128 { c.put_frame(HEADERS, WHOLE, 2 * number + 1, get()); }
    }),
    ("5.3.1/1 HEADERS that depend on themselves", Stream(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, WHOLE | PRIORITISED, 1, with(priority(1, 255), &get()));
    }),
    ("5.3.1/2 PRIORITY that depends on itself", Stream(&[PROTOCOL_ERROR]), |c| { c.put_frame(PRIORITY, 0, 1, priority(1, 255)); }),
    ("5.4.1/1 PING on a stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(PING, 0, 3, [0; 8]); }),
    ("5.5/1 unknown extension frame", Pong(CONTENT), |c| { c.put_frame(0x16, 0, 0, [0; 8]); ping(c); }),
    ("5.5/2 unknown frame within a header block", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, END_STREAM, 1, get()).put_frame(0x16, 0, 0, [0; 8]);
    }),
    ("6.1/1 DATA on stream 0", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(DATA, END_STREAM, 0, b"test"); }),
    ("6.1/2 DATA on a stream that is not open", Stream(&[STREAM_CLOSED]), |c| { ask(c).put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("6.1/3 DATA with more padding than payload", Connection(&[PROTOCOL_ERROR]), |c| { open(c).put_frame(DATA, END_STREAM | PADDED, 1, b"\x06Test"); }),
    ("6.2/1 HEADERS without end, then PRIORITY", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, 0, 1, get()).put_frame(PRIORITY, 0, 1, priority(0, 255));
    }),
    ("6.2/2 HEADERS without end, then HEADERS", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, 0, 1, get()).put_frame(HEADERS, WHOLE, 3, get());
    }),
    ("6.2/3 HEADERS on stream 0", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(HEADERS, WHOLE, 0, get()); }),
    ("6.2/4 HEADERS with more padding than payload", Stream(&[PROTOCOL_ERROR]), |c| {
        let head = get();
        let length = u8::try_from(head.len() + 2).unwrap();
        c.put_frame(HEADERS, WHOLE | PADDED, 1, with(vec![length], &head));
    }),
    ("6.3/1 PRIORITY on stream 0", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(PRIORITY, 0, 0, priority(0, 255)); }),
    ("6.3/2 PRIORITY of 4 bytes", Stream(&[FRAME_SIZE_ERROR]), |c| { ask(c).put_frame(PRIORITY, 0, 1, [0x80, 0, 0, 1]); }),
    ("6.4/1 RST_STREAM on stream 0", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(RST_STREAM, 0, 0, update(CANCEL)); }),
    ("6.4/2 RST_STREAM on an idle stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(RST_STREAM, 0, 1, update(CANCEL)); }),
    ("6.4/3 RST_STREAM of 3 bytes", Stream(&[FRAME_SIZE_ERROR]), |c| { ask(c).put_frame(RST_STREAM, 0, 1, [0; 3]); }),
    ("6.5/1 SETTINGS ACK with payload", Connection(&[FRAME_SIZE_ERROR]), |c| { c.put_frame(SETTINGS, ACK, 0, [0]); }),
    ("6.5/2 SETTINGS on a stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(SETTINGS, 0, 1, [0, 3, 0, 0, 0, 0x64]); }),
    ("6.5/3 SETTINGS of 3 bytes", Connection(&[FRAME_SIZE_ERROR, PROTOCOL_ERROR]), |c| { c.put_frame(SETTINGS, 0, 0, [0, 3, 0]); }),
    ("6.5.2/1 ENABLE_PUSH 2", Connection(&[PROTOCOL_ERROR]), |c| { c.settings(&[(ENABLE_PUSH, 2)]); }),
    ("6.5.2/2 INITIAL_WINDOW_SIZE 2^31", Connection(&[FLOW_CONTROL_ERROR]), |c| { c.settings(&[(INITIAL_WINDOW_SIZE, 1 << 31)]); }),
    ("6.5.2/3 MAX_FRAME_SIZE too small", Connection(&[PROTOCOL_ERROR]), |c| { c.settings(&[(MAX_FRAME_SIZE, 16_383)]); }),
    ("6.5.2/4 MAX_FRAME_SIZE too large", Connection(&[PROTOCOL_ERROR]), |c| { c.settings(&[(MAX_FRAME_SIZE, 1 << 24)]); }),
    ("6.5.2/5 unknown setting", Pong(CONTENT), |c| { c.settings(&[(0xff, 1)]); ping(c); }),
    ("6.5.3/1 the last value counts", Data(1), |c| {
        ask(acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)])));
    }),
    ("6.5.3/2 SETTINGS are acknowledged", SettingsAck, |c| { c.settings(&[(ENABLE_PUSH, 0)]); }),
    ("6.7/1 PING", Pong(CONTENT), ping),
    ("6.7/2 PING ACK is not answered", Pong(CONTENT), |c| { c.put_frame(PING, ACK, 0, b"invalid!"); ping(c); }),
    ("6.7/3 PING on a stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(PING, 0, 1, [0; 8]); }),
    ("6.7/4 PING of 6 bytes", Connection(&[FRAME_SIZE_ERROR]), |c| { c.put_frame(PING, 0, 0, [0; 6]); }),
    ("6.8/1 GOAWAY on a stream", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(GOAWAY, 0, 1, [0; 8]); }),
    ("6.9/1 WINDOW_UPDATE of 0", Connection(&[PROTOCOL_ERROR]), |c| { c.put_frame(WINDOW_UPDATE, 0, 0, update(0)); }),
    ("6.9/2 WINDOW_UPDATE of 0 on a stream", Stream(&[PROTOCOL_ERROR]), |c| { open(c).put_frame(WINDOW_UPDATE, 0, 1, update(0)); }),
    ("6.9/3 WINDOW_UPDATE of 3 bytes", Connection(&[FRAME_SIZE_ERROR]), |c| { c.put_frame(WINDOW_UPDATE, 0, 0, [0, 0, 1]); }),
    ("6.9.1/1 a window of 1", Data(1), |c| { ask(acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 1)]))); }),
    ("6.9.1/2 connection window above 2^31-1", Connection(&[FLOW_CONTROL_ERROR]), |c| {
        c.put_frame(WINDOW_UPDATE, 0, 0, update(MOST)).put_frame(WINDOW_UPDATE, 0, 0, update(MOST));
    }),
    ("6.9.1/3 stream window above 2^31-1", Stream(&[FLOW_CONTROL_ERROR]), |c| {
        open(c).put_frame(WINDOW_UPDATE, 0, 1, update(MOST)).put_frame(WINDOW_UPDATE, 0, 1, update(MOST));
    }),
    ("6.9.2/1 the window grows after HEADERS", Data(1), |c| {
        ask(acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 0)]))).settings(&[(INITIAL_WINDOW_SIZE, 1)]);
    }),
    ("6.9.2/2 a negative window", Data(1), |c| {
        ask(acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 3)]))).flush();
        c.until(DATA, 1);
        acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 2)])).put_frame(WINDOW_UPDATE, 0, 1, update(2));
    }),
    ("6.9.2/3 INITIAL_WINDOW_SIZE above 2^31-1", Connection(&[FLOW_CONTROL_ERROR]), |c| { c.settings(&[(INITIAL_WINDOW_SIZE, 1 << 31)]); }),
    ("6.10/1 several CONTINUATIONs", Answer, |c| {
        c.put_frame(HEADERS, END_STREAM, 1, get()).put_frame(CONTINUATION, 0, 1, dummy()).put_frame(CONTINUATION, END_HEADERS, 1, dummy());
    }),
    ("6.10/2 DATA after CONTINUATION", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, 0, 1, post()).put_frame(CONTINUATION, 0, 1, dummy()).put_frame(DATA, END_STREAM, 1, b"test");
    }),
    ("6.10/3 CONTINUATION on stream 0", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, END_STREAM, 1, get()).put_frame(CONTINUATION, END_HEADERS, 0, dummy());
    }),
    ("6.10/4 CONTINUATION after the end of HEADERS", Connection(&[PROTOCOL_ERROR]), |c| { ask(c).put_frame(CONTINUATION, END_HEADERS, 1, dummy()); }),
    ("6.10/5 CONTINUATION after the end of CONTINUATION", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, END_STREAM, 1, get());
        c.put_frame(CONTINUATION, END_HEADERS, 1, dummy()).put_frame(CONTINUATION, END_HEADERS, 1, dummy());
    }),
    ("6.10/6 CONTINUATION after DATA", Connection(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, 0, 1, post()).put_frame(DATA, END_STREAM, 1, b"test").put_frame(CONTINUATION, 0, 1, dummy());
    }),
    ("7/1 GOAWAY with an unknown code", Pong(CONTENT), |c| { c.put_frame(GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0xff]); ping(c); }),
    ("7/2 RST_STREAM with an unknown code", Pong(CONTENT), |c| { open(c).put_frame(RST_STREAM, 0, 1, update(0xff)); ping(c); }),
    ("8.1/1 a second HEADERS that does not end the stream", Stream(&[PROTOCOL_ERROR]), |c| {
        open(c).put_frame(DATA, 0, 1, b"test").put_frame(HEADERS, END_HEADERS, 1, literal("x-test", "ok"));
    }),
    ("8.1.2/1 upper case in a name", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literal("X-TEST", "ok")))),
    ("8.1.2.1/1 unknown pseudo-header field", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literal(":test", "ok")))),
    ("8.1.2.1/2 :status in a request", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literal(":status", "200")))),
    ("8.1.2.1/3 pseudo-header field in trailers", Stream(&[PROTOCOL_ERROR]), |c| {
        open(c).put_frame(DATA, 0, 1, b"test").put_frame(HEADERS, END_HEADERS, 1, literal(":method", "POST"));
    }),
    // h2spec's case is also refused for not ending the stream; this one is not its.
    ("8.1.2.1/3b pseudo-header field in trailers at the end", Stream(&[PROTOCOL_ERROR]), |c| {
        open(c).put_frame(DATA, 0, 1, b"test").put_frame(HEADERS, WHOLE, 1, literal(":method", "POST"));
    }),
    ("8.1.2.1/4 pseudo-header field after a regular one", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(literal("x-test", "ok"), &get()))),
    ("8.1.2.2/1 connection", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literal("connection", "keep-alive")))),
    ("8.1.2.2/2 te other than trailers", Stream(&[PROTOCOL_ERROR]), |c| {
        block(c, with(get(), &literals(&[("trailers", "test"), ("te", "trailers, deflate")])));
    }),
    ("8.1.2.3/1 empty :path", Stream(&[PROTOCOL_ERROR]), |c| block(c, request("GET", ""))),
    ("8.1.2.3/2 no :method", Stream(&[PROTOCOL_ERROR]), |c| block(c, without(":method"))),
    ("8.1.2.3/3 no :scheme", Stream(&[PROTOCOL_ERROR]), |c| block(c, without(":scheme"))),
    ("8.1.2.3/4 no :path", Stream(&[PROTOCOL_ERROR]), |c| block(c, without(":path"))),
    ("8.1.2.3/5 :method twice", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literals(&PSEUDO[..1])))),
    ("8.1.2.3/6 :scheme twice", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literals(&PSEUDO[1..2])))),
    ("8.1.2.3/7 :path twice", Stream(&[PROTOCOL_ERROR]), |c| block(c, with(get(), &literals(&PSEUDO[2..3])))),
    ("8.1.2.6/1 content-length is not the length of DATA", Stream(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, END_HEADERS, 1, with(post(), &literal("content-length", "1"))).put_frame(DATA, END_STREAM, 1, b"test");
    }),
    ("8.1.2.6/2 content-length is not the sum of DATA", Stream(&[PROTOCOL_ERROR]), |c| {
        c.put_frame(HEADERS, END_HEADERS, 1, with(post(), &literal("content-length", "1")));
        c.put_frame(DATA, 0, 1, b"test").put_frame(DATA, END_STREAM, 1, b"test");
    }),
    ("8.2/1 PUSH_PROMISE", Connection(&[PROTOCOL_ERROR]), |c| {
        ask(c).put_frame(PUSH_PROMISE, END_HEADERS, 1, with(vec![0, 0, 0, 3], &get()));
    }),
];

#[rustfmt::skip]
const HPACK: &[(&str, Expect, Play)] = &[
    ("2.3.3/1 index beyond the tables", Connection(&[COMPRESSION_ERROR]), |c| block(c, with(get(), b"\xc6"))),
    ("2.3.3/2 name index beyond the tables", Connection(&[COMPRESSION_ERROR]), |c| block(c, with(get(), b"\x7f\x07\x00"))),
    ("4.2/1 table size update at the end", Connection(&[COMPRESSION_ERROR]), |c| block(c, with(get(), b"\x21"))),
    ("5.2/1 Huffman padding longer than 7 bits", Connection(&[COMPRESSION_ERROR]), |c| {
        block(c, with(get(), b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"));
    }),
    ("5.2/2 Huffman padding of zeros", Connection(&[COMPRESSION_ERROR]), |c| {
        block(c, with(get(), b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"));
    }),
    ("5.2/3 Huffman EOS", Connection(&[COMPRESSION_ERROR]), |c| {
        block(c, with(get(), b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"));
    }),
    ("6.1/1 index 0", Connection(&[COMPRESSION_ERROR]), |c| block(c, with(get(), b"\x80"))),
    ("6.3/1 table size above the limit", Connection(&[COMPRESSION_ERROR]), |c| block(c, with(b"\x3f\xe2\x1f".to_vec(), &get()))),
];

const NAME: &[u8] = b"\x0auser-agent\x06h2spec";
const PACKED_NAME: &[u8] = b"\x87\xb5\x05\xb1\x61\xcc\x5a\x93\x84\x9c\x48\xac\xa4";
const NEW: &[u8] = b"\x06x-test\x06h2spec";
const PACKED_NEW: &[u8] = b"\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4";

/// A field whose representation begins with `first`.
fn field(client: &mut Frames, first: u8, rest: &[u8]) {
    block(client, with(with(get(), &[first]), rest));
}

#[rustfmt::skip]
const GENERIC: &[(&str, Expect, Play)] = &[
    ("1/1 client preface", ServerPreface, |_| {}),
    ("2/1 PRIORITY on an idle stream", Pong(CONTENT), |c| { c.put_frame(PRIORITY, 0, 1, priority(0, 255)); ping(c); }),
    ("2/2 WINDOW_UPDATE on a half-closed stream", Data(1), |c| {
        ask(acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 0)]))).put_frame(WINDOW_UPDATE, 0, 1, update(1));
    }),
    ("2/3 PRIORITY on a half-closed stream", Data(1), |c| {
        ask(acknowledged(c.settings(&[(INITIAL_WINDOW_SIZE, 0)]))).put_frame(PRIORITY, 0, 1, priority(0, 255)).put_frame(WINDOW_UPDATE, 0, 1, update(1));
    }),
    ("2/4 RST_STREAM on a half-closed stream", Pong(CONTENT), |c| { ask(c).put_frame(RST_STREAM, 0, 1, update(CANCEL)); ping(c); }),
    ("2/5 PRIORITY on a closed stream", Pong(CONTENT), |c| { closed(c).put_frame(PRIORITY, 0, 1, priority(0, 255)); ping(c); }),
    ("3.1/1 DATA", Answer, |c| { open(c).put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("3.1/2 several DATA", Answer, |c| { open(c).put_frame(DATA, 0, 1, b"test").put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("3.1/3 padded DATA", Answer, |c| { open(c).put_frame(DATA, END_STREAM | PADDED, 1, b"\x05test\0\0\0\0\0"); }),
    ("3.2/1 HEADERS", Answer, |c| { ask(c); }),
    ("3.2/2 padded HEADERS", Answer, |c| { c.put_frame(HEADERS, WHOLE | PADDED, 1, with(with(vec![8], &get()), &[0; 8])); }),
    ("3.2/3 HEADERS with priority", Answer, |c| { c.put_frame(HEADERS, WHOLE | PRIORITISED, 1, with(priority(0, 255), &get())); }),
    ("3.3/1 PRIORITY with weight 1", Answer, |c| { ask(c.put_frame(PRIORITY, 0, 1, priority(0, 0))); }),
    ("3.3/2 PRIORITY with weight 256", Answer, |c| { ask(c.put_frame(PRIORITY, 0, 1, priority(0, 255))); }),
    ("3.3/3 PRIORITY on another stream", Answer, |c| { ask(c.put_frame(PRIORITY, 0, 3, priority(1, 0))); }),
    ("3.3/4 exclusive PRIORITY", Answer, |c| { ask(c.put_frame(PRIORITY, 0, 1, priority(1 << 31, 0))); }),
    ("3.3/5 PRIORITY, then HEADERS on a smaller stream", Answer, |c| { ask(c.put_frame(PRIORITY, 0, 3, priority(0, 255))); }),
    ("3.4/1 RST_STREAM", Pong(CONTENT), |c| { open(c).put_frame(RST_STREAM, 0, 1, update(CANCEL)); ping(c); }),
    ("3.5/1 SETTINGS", SettingsAck, |c| {
        c.settings(&[(1, 4096), (ENABLE_PUSH, 1), (3, 100), (INITIAL_WINDOW_SIZE, 65_535), (MAX_FRAME_SIZE, 16_384), (6, 100)]);
    }),
    ("3.7/1 PING", Pong(CONTENT), ping),
    ("3.8/1 GOAWAY", Pong(CONTENT), |c| { c.put_frame(GOAWAY, 0, 0, with(vec![0; 8], b"h2spec")); ping(c); }),
    ("3.9/1 WINDOW_UPDATE on stream 0", Pong(CONTENT), |c| { c.put_frame(WINDOW_UPDATE, 0, 0, update(1)); ping(c); }),
    ("3.9/2 WINDOW_UPDATE on stream 1", Answer, |c| { ask(c).put_frame(WINDOW_UPDATE, 0, 1, update(1)); }),
    ("3.10/1 CONTINUATION", Answer, |c| {
        let head = get();
        c.put_frame(HEADERS, END_STREAM, 1, &head[..5]).put_frame(CONTINUATION, END_HEADERS, 1, &head[5..]);
    }),
    ("3.10/2 several CONTINUATIONs", Answer, |c| {
        let head = get();
        c.put_frame(HEADERS, END_STREAM, 1, &head[..5]).put_frame(CONTINUATION, 0, 1, &head[5..10]).put_frame(CONTINUATION, END_HEADERS, 1, &head[10..]);
    }),
    ("4/1 GET", Answer, |c| { ask(c); }),
    ("4/2 HEAD", Answer, |c| block(c, request("HEAD", "/"))),
    ("4/3 POST", Answer, |c| { open(c).put_frame(DATA, END_STREAM, 1, b"test"); }),
    ("4/4 POST with trailers", Answer, |c| {
        c.put_frame(HEADERS, END_HEADERS, 1, with(post(), &literal("trailer", "x-test"))).put_frame(DATA, 0, 1, b"test");
        c.put_frame(HEADERS, WHOLE, 1, literal("x-test", "ok"));
    }),
    ("5/1 indexed field", Answer, |c| block(c, with(get(), b"\xba"))),
    ("5/2 incremental indexing, indexed name", Answer, |c| field(c, 0x7a, b"\x06h2spec")),
    ("5/3 incremental indexing, known name", Answer, |c| field(c, 0x40, NAME)),
    ("5/4 incremental indexing, known name, Huffman", Answer, |c| field(c, 0x40, PACKED_NAME)),
    ("5/5 incremental indexing, new name", Answer, |c| field(c, 0x40, NEW)),
    ("5/6 incremental indexing, new name, Huffman", Answer, |c| field(c, 0x40, PACKED_NEW)),
    ("5/7 without indexing, known name", Answer, |c| field(c, 0, NAME)),
    ("5/8 without indexing, known name, Huffman", Answer, |c| field(c, 0, PACKED_NAME)),
    ("5/9 without indexing, new name", Answer, |c| field(c, 0, NEW)),
    ("5/10 without indexing, new name, Huffman", Answer, |c| field(c, 0, PACKED_NEW)),
    ("5/11 never indexed, known name", Answer, |c| field(c, 0x10, NAME)),
    ("5/12 never indexed, known name, Huffman", Answer, |c| field(c, 0x10, PACKED_NAME)),
    ("5/13 never indexed, new name", Answer, |c| field(c, 0x10, NEW)),
    ("5/14 never indexed, new name, Huffman", Answer, |c| field(c, 0x10, PACKED_NEW)),
    ("5/15 table size update", Answer, |c| block(c, with(b"\x3f\x61".to_vec(), &get()))),
    ("5/16 several table size updates", Answer, |c| block(c, with(b"\x3f\x61\x3f\xe1\x1f".to_vec(), &get()))),
];

/// What the connection came to. Whoever is answered may still be reset for what
/// came after the request.
fn outcome(client: &mut Frames) -> Outcome {
    client.patience(Duration::from_secs(2));
    let mut so_far = Outcome::Silence;
    loop {
        match client.read() {
            Ok(Some(frame)) if frame.kind == GOAWAY => {
                let code = frame.code();
                client.patience(kit::PATIENCE);
                assert!(client.farewell().is_none(), "GOAWAY twice");
                return Outcome::Goaway(code);
            }
            Ok(Some(frame)) if frame.kind == RST_STREAM => return Outcome::Reset(frame.code()),
            Ok(Some(frame)) if frame.ends_stream() => {
                so_far = Outcome::Answered;
                client.patience(Duration::from_millis(300));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Outcome::Closed,
            Err(_) => return so_far,
        }
    }
}

fn is_as_expected(expect: Expect, outcome: Outcome) -> bool {
    match (expect, outcome) {
        (Connection(codes), Outcome::Goaway(code)) => codes.contains(&code),
        (Stream(codes), Outcome::Goaway(code) | Outcome::Reset(code)) => codes.contains(&code),
        _ => false,
    }
}

/// The complaint, when there is one.
fn check(running: &Running, name: &str, expect: Expect, play: Play) -> Option<String> {
    let mut client = Frames::connect(running, &[]);
    if !matches!(expect, ServerPreface) {
        while !client.next()?.is_ack() {}
    }
    play(&mut client);
    client.flush();
    let wrong = |what: String| Some(format!("{name}: {what}, not {expect:?}"));
    match expect {
        Connection(_) | Stream(_) => {
            let outcome = outcome(&mut client);
            let deviation = DEVIATIONS.iter().find(|(case, ..)| *case == name);
            match deviation {
                Some((_, known, _)) if outcome != *known => {
                    wrong(format!("{outcome:?}, and not {known:?} any more"))
                }
                None if !is_as_expected(expect, outcome) => wrong(format!("{outcome:?}")),
                _ => None,
            }
        }
        Pong(payload) => {
            let pong = std::iter::from_fn(|| client.next())
                .find(|frame| frame.kind == PING && frame.is_ack());
            match pong {
                Some(pong) if pong.payload == payload => None,
                other => wrong(format!("{other:?}")),
            }
        }
        Answer => {
            let mut frames = Vec::new();
            while let Some(frame) = client.next() {
                frames.push((frame.kind, frame.stream, frame.flags));
                if frame.stream == 1 && frame.ends_stream() {
                    return None;
                }
                if frame.kind == GOAWAY {
                    break;
                }
            }
            wrong(format!("{frames:?}"))
        }
        Data(length) => {
            let data = std::iter::from_fn(|| client.next()).find(|frame| frame.kind == DATA);
            match data {
                Some(data) if data.payload.len() == length => None,
                other => wrong(format!("{other:?}")),
            }
        }
        SettingsAck => {
            let ack = std::iter::from_fn(|| client.next())
                .any(|frame| frame.kind == SETTINGS && frame.is_ack());
            (!ack).then(|| format!("{name}: no acknowledgement"))
        }
        ServerPreface => match client.next() {
            Some(frame) if frame.kind == SETTINGS && !frame.is_ack() => None,
            other => wrong(format!("{other:?}")),
        },
    }
}

fn check_all(cases: &[(&str, Expect, Play)]) {
    let app = echoing_app();
    let running = start(&site(&app.url()));
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, expect, play)| check(&running, name, *expect, *play))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn http2() {
    check_all(HTTP2);
}

#[test]
fn hpack() {
    check_all(HPACK);
}

#[test]
fn generic() {
    check_all(GENERIC);
}

#[test]
fn every_deviation_is_of_a_case() {
    let cases: Vec<&str> = [HTTP2, HPACK, GENERIC]
        .concat()
        .iter()
        .map(|case| case.0)
        .collect();
    for (name, ..) in DEVIATIONS {
        assert!(cases.contains(name), "{name}");
    }
}

#[test]
fn an_invalid_preface_ends_the_connection() {
    let app = echoing_app();
    let running = start(&site(&app.url()));
    let mut client = Frames::silent(&running);
    client.put(b"INVALID CONNECTION PREFACE\r\n\r\n").flush();
    assert!(matches!(
        outcome(&mut client),
        Outcome::Closed | Outcome::Goaway(PROTOCOL_ERROR)
    ));
}
