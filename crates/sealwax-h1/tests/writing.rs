//! What `write` writes, byte for byte.
#![allow(clippy::expect_used, reason = "tests say what they expect")]

use sealwax_h1::write::{
    CHUNK_END, LAST_CHUNK, LAST_CHUNK_BEFORE_TRAILERS, chunk_head, end_of_head, field, reason,
    request_line, status_line,
};
use sealwax_h1::{Decoder, Framing, Limits, Piece};

#[test]
fn heads_are_written_as_the_grammar_says() {
    let mut out = b"before".to_vec();
    request_line(&mut out, b"GET", b"/a?b");
    field(&mut out, b"Host", b"a");
    field(&mut out, b"X-Empty", b"");
    end_of_head(&mut out);
    assert_eq!(
        out,
        b"beforeGET /a?b HTTP/1.1\r\nHost: a\r\nX-Empty: \r\n\r\n"
    );
    for (status, line) in [
        (200, "HTTP/1.1 200 OK\r\n"),
        (100, "HTTP/1.1 100 Continue\r\n"),
        (413, "HTTP/1.1 413 Content Too Large\r\n"),
        (299, "HTTP/1.1 299 \r\n"),
        (599, "HTTP/1.1 599 \r\n"),
    ] {
        let mut out = Vec::new();
        status_line(&mut out, status);
        assert_eq!(String::from_utf8(out).expect("text"), line);
    }
    assert_eq!(reason(404), "Not Found");
    assert_eq!(reason(1000), "");
}

#[test]
fn chunk_sizes_are_written_in_hexadecimal() {
    for size in (1..5000).chain([0xffff, 0x10000, 0xabcdef, usize::MAX]) {
        assert_eq!(
            chunk_head(size).as_ref(),
            format!("{size:x}\r\n").as_bytes()
        );
    }
}

#[test]
fn a_body_written_in_chunks_reads_back() {
    let content = vec![b'x'; 70_000];
    let mut out = Vec::new();
    for chunk in content.chunks(4097) {
        out.extend_from_slice(chunk_head(chunk.len()).as_ref());
        out.extend_from_slice(chunk);
        out.extend_from_slice(CHUNK_END);
    }
    for trailers in [false, true] {
        let mut out = out.clone();
        if trailers {
            out.extend_from_slice(LAST_CHUNK_BEFORE_TRAILERS);
            field(&mut out, b"X-Sum", b"1");
            end_of_head(&mut out);
        } else {
            out.extend_from_slice(LAST_CHUNK);
        }
        let mut decoder = Decoder::new(Framing::Chunked, &Limits::REQUEST);
        let (mut read, mut at) = (Vec::new(), 0);
        loop {
            match decoder.decode(&out[at..]).expect("good") {
                Piece::Data { skip, len } => {
                    read.extend_from_slice(&out[at + skip..at + skip + len]);
                    at += skip + len;
                }
                Piece::End { skip } => {
                    assert_eq!(at + skip, out.len());
                    break;
                }
                Piece::More { .. } => unreachable!("the body is whole"),
            }
        }
        assert_eq!(read, content);
        assert_eq!(decoder.trailers().is_some(), trailers);
    }
}
