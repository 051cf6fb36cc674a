//! The table of rules: every one has its texts, and every one can be broken.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use std::collections::HashSet;

use sealwax_h1::{Asked, Decoder, Framing, Limits, Piece, RequestParser, ResponseParser, Rule};

/// Limits so low that short messages break them.
const LOW: Limits = Limits {
    start_line: 64,
    head: 160,
    fields: 4,
    chunk_line: 16,
    chunk_overhead: 8,
    trailers: 16,
    trailer_fields: 2,
    interim: 0,
};

fn request(input: &str) -> Option<Rule> {
    let result = RequestParser::new(LOW).parse(input.as_bytes(), &mut Vec::new());
    result.err().map(|refusal| refusal.rule)
}

fn response(input: &str) -> Option<Rule> {
    let asked = Asked {
        head: false,
        upgrade: Some(b"websocket"),
    };
    let result = ResponseParser::new(LOW).parse(input.as_bytes(), &asked, &mut Vec::new());
    result.err().map(|refusal| refusal.rule)
}

fn chunks(input: &str) -> Option<Rule> {
    let mut decoder = Decoder::new(Framing::Chunked, &LOW);
    let mut rest = input.as_bytes();
    loop {
        match decoder.decode(rest) {
            Err(refusal) => return Some(refusal.rule),
            Ok(Piece::Data { skip, len }) => rest = &rest[skip + len..],
            Ok(_) => return decoder.end().err().map(|refusal| refusal.rule),
        }
    }
}

#[test]
fn every_rule_can_be_broken() {
    let post = |fields: &str| request(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
    let long = "x".repeat(200);
    let broken: Vec<Rule> = [
        request("GET / HTTP/1.1\n"),
        request("GET / HTTP/1.1\rX"),
        request("GET\r\n"),
        request(&format!("GET /{long}")),
        request("G@T / HTTP/1.1\r\n"),
        request("GET /\u{7f} HTTP/1.1\r\n"),
        request("GET * HTTP/1.1\r\n"),
        request("GET http://u@h/ HTTP/1.1\r\n"),
        request("GET / http/1.1\r\n"),
        request("GET / HTTP/1.2\r\n"),
        response("HTTP/1.1 ok\r\n"),
        response(&format!("HTTP/1.1 200 {long}")),
        response("HTTP/1.1 600 x\r\n"),
        post(": x\r\n"),
        post("x : y\r\n"),
        post(" x: y\r\n"),
        post("x: \0\r\n"),
        post(&format!("x: {long}\r\n")),
        post("a:\r\nb:\r\nc:\r\nd:\r\n"),
        post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        post("Content-Length: x\r\n"),
        post("Content-Length: 1\r\nContent-Length: 1\r\n"),
        post("Transfer-Encoding: x\r\n"),
        post("Transfer-Encoding: gzip, chunked\r\n"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        request("GET / HTTP/1.1\r\n\r\n"),
        post("Host: a\r\n"),
        post("Connection: a b\r\n"),
        post("Upgrade: a b\r\n"),
        post(&format!("{upgrade}Content-Length: 1\r\n")),
        request("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
        post("Expect: x\r\n"),
        response("HTTP/1.1 101 x\r\n\r\n"),
        response("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        response("HTTP/1.1 100 x\r\nContent-Length: 1\r\n\r\n"),
        response("HTTP/1.1 100 x\r\n\r\n"),
        chunks("x\r\n"),
        chunks("8000000000000000\r\n"),
        chunks("1;\r\n"),
        chunks(&format!("1;{long}")),
        chunks("1\r\naa"),
        chunks(&"1;xxxxxxxxxxxxxx\r\na\r\n".repeat(5)),
        chunks(&format!("0\r\nx: {long}")),
        chunks("0\r\na:\r\nb:\r\nc:\r\n\r\n"),
        chunks("1\r\n"),
    ]
    .into_iter()
    .map(|rule| rule.expect("each of these breaks a rule"))
    .collect();
    assert_eq!(broken, Rule::ALL, "in the order of the table");
}

#[test]
fn every_rule_has_an_id_of_its_own_a_sentence_and_a_status() {
    let ids: HashSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        let plain = |byte: u8| byte.is_ascii_lowercase() || b"0123456789.-".contains(&byte);
        assert!(
            rule.id().starts_with("h1.") && rule.id().bytes().all(plain),
            "{rule}"
        );
        let sentence = rule.sentence();
        assert!(
            sentence.contains("(RFC 9") && sentence.ends_with(")."),
            "{rule}: {sentence}"
        );
        assert!(
            [400, 414, 417, 431, 501, 502, 505].contains(&rule.status()),
            "{rule}: {}",
            rule.status()
        );
    }
}

#[test]
fn a_refusal_reads_as_a_sentence_with_its_rule_and_place() {
    let refusal = RequestParser::new(Limits::REQUEST)
        .parse(b"GET / HTTP/1.1\n", &mut Vec::new())
        .expect_err("a bare LF");
    assert_eq!(
        refusal.to_string(),
        "Lines end with CR LF; a LF alone ends a line for some recipients and not for others (RFC 9112 §2.2). [h1.line.bare-lf at byte 14]"
    );
}
