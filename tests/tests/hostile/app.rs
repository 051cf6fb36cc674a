//! Apps that answer what is no answer: the client gets a clean failure, and the next client
//! none of it.

use sealwax_tests::{Gateway, Recorder, Step, run};

use crate::answers::{Cases, Want, hello, judge};
use crate::case::bytes;

const LENGTHS: &str = "RFC 9112 §6.3: If the invalid message is a response … a proxy MUST close the connection to the server, discard the received response, and send a 502 (Bad Gateway) response to the client.";
const BOTH: &str = "RFC 9112 §6.3: … the Transfer-Encoding overrides the Content-Length. Such a message might indicate an attempt to perform request smuggling or response splitting and ought to be handled as an error.";
const CODING: &str = "RFC 9112 §6.3: If a Transfer-Encoding header field is present in a response and the chunked transfer coding is not the final encoding, the message body length is determined by reading the connection until it is closed …";
const OLD: &str = "RFC 9112 §6.1: A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field MUST treat the message as if the framing is faulty …";
const STATUS: &str = "RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]";
const FOLD: &str = "RFC 9112 §5.2: A proxy or gateway that receives an obs-fold in a response message … MUST either discard the message and replace it with a 502 (Bad Gateway) response … or replace each received obs-fold with one or more SP octets …";
const SPACE: &str = "RFC 9112 §5.1: A proxy MUST remove any such whitespace from a response message before forwarding the message downstream.";
const FIELD: &str =
    "RFC 9110 §5.5: Field values containing CR, LF, or NUL characters are invalid and dangerous …";
const LINE: &str = "RFC 9112 §2.2: A sender MUST NOT generate a bare CR …";
const INTERIM: &str = "RFC 9110 §15.2: A client MUST be able to parse one or more 1xx responses received prior to a final response …";
const SWITCH: &str = "RFC 9110 §15.2.2: The server MUST generate an Upgrade header field in the response that indicates which protocol(s) will be in effect after this response. — and nobody had asked for one.";
const NO_BODY: &str = "RFC 9112 §6.3: Any response to a HEAD request and any response with a 1xx (Informational), 204 (No Content), or 304 (Not Modified) status code is always terminated by the first empty line after the header fields …";
const AFTER: &str = "RFC 9112 §6.3: If the final response to the last request on a connection has been completely received and there remains additional data to read, a user agent MAY discard the remaining data …; it MUST NOT process, cache, or forward such extra data as a separate response …";
const CUT: &str = "RFC 9112 §8: A client that receives an incomplete response message … MUST record the message as incomplete.";
const CHUNK: &str = "RFC 9112 §7.1: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF";
const LIMIT: &str = "RFC 9110 §5.4: A client MAY discard or truncate received field lines that are larger than the client wishes to process …";
const CLOSE: &str = "RFC 9112 §6.3: Otherwise, this is a response message without a declared message body length, so the message body length is determined by the number of octets received prior to the server closing the connection.";

#[test]
fn heads_that_can_be_read_in_two_ways_are_502() {
    let mut cases = Cases::default();
    let ok = |rest: &str| format!("HTTP/1.1 200 OK⏎{rest}");
    for (why, name, fields) in [
        (
            BOTH,
            "length and chunks",
            "Content-Length: 5⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            BOTH,
            "chunks and length",
            "Transfer-Encoding: chunked⏎Content-Length: 5⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            BOTH,
            "a length of nought and chunks",
            "Content-Length: 0⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            LENGTHS,
            "two lengths",
            "Content-Length: 5⏎Content-Length: 6⏎⏎hello!",
        ),
        (
            LENGTHS,
            "two lengths in a list",
            "Content-Length: 5, 6⏎⏎hello!",
        ),
        (LENGTHS, "a length with a plus", "Content-Length: +5⏎⏎hello"),
        (
            LENGTHS,
            "a length with a minus",
            "Content-Length: -5⏎⏎hello",
        ),
        (
            LENGTHS,
            "a length in base sixteen",
            "Content-Length: 0x5⏎⏎hello",
        ),
        (LENGTHS, "an empty length", "Content-Length:⏎⏎hello"),
        (
            LENGTHS,
            "a length that is none",
            "Content-Length: five⏎⏎hello",
        ),
        (
            LENGTHS,
            "a length with a parameter",
            "Content-Length: 5;a⏎⏎hello",
        ),
        (
            LENGTHS,
            "a length beyond 2^64",
            "Content-Length: 18446744073709551621⏎⏎hello",
        ),
        (
            LENGTHS,
            "a length with a vertical tab",
            "Content-Length: \u{b}5⏎⏎hello",
        ),
        (CODING, "an unknown coding", "Transfer-Encoding: cow⏎⏎hello"),
        (CODING, "identity", "Transfer-Encoding: identity⏎⏎hello"),
        (CODING, "an empty coding", "Transfer-Encoding:⏎⏎hello"),
        (
            CODING,
            "compressed and chunked",
            "Transfer-Encoding: gzip, chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            CODING,
            "chunked and then identity",
            "Transfer-Encoding: chunked, identity⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            CODING,
            "chunked twice",
            "Transfer-Encoding: chunked⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            CODING,
            "chunked with a vertical tab",
            "Transfer-Encoding: \u{b}chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            CODING,
            "chunked in quotes",
            "Transfer-Encoding: \"chunked\"⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            SPACE,
            "a space before the colon",
            "Content-Length : 5⏎⏎hello",
        ),
        (
            SPACE,
            "a space before the colon of a cookie",
            "Set-Cookie : a=b⏎Content-Length: 5⏎⏎hello",
        ),
        (
            SPACE,
            "a space before the first name",
            " X-A: b⏎Content-Length: 5⏎⏎hello",
        ),
        (FOLD, "a folded field", "X-A: b⏎ c⏎Content-Length: 5⏎⏎hello"),
        (
            FOLD,
            "a folded Location",
            "Location: //x⏎ Set-Cookie: a=b⏎Content-Length: 5⏎⏎hello",
        ),
        (
            FIELD,
            "a CR in a value",
            "Location: //x\rSet-Cookie: a=b⏎Content-Length: 5⏎⏎hello",
        ),
        (
            FIELD,
            "a NUL in a value",
            "X-A: b\0c⏎Content-Length: 5⏎⏎hello",
        ),
        (
            FIELD,
            "a bell in a value",
            "X-A: b\u{7}c⏎Content-Length: 5⏎⏎hello",
        ),
        (
            FIELD,
            "a DEL in a value",
            "X-A: b\u{7f}c⏎Content-Length: 5⏎⏎hello",
        ),
        (FIELD, "a NUL in a name", "X\0A: b⏎Content-Length: 5⏎⏎hello"),
        (
            FIELD,
            "a line without a colon",
            "nonsense⏎Content-Length: 5⏎⏎hello",
        ),
        (
            FIELD,
            "a line without a name",
            ": b⏎Content-Length: 5⏎⏎hello",
        ),
        (
            FIELD,
            "a name with a space",
            "X A: b⏎Content-Length: 5⏎⏎hello",
        ),
        (
            LINE,
            "an LF for a line end",
            "X-A: b\nSet-Cookie: a=b⏎Content-Length: 5⏎⏎hello",
        ),
        (
            LINE,
            "an LF at the end of the head",
            "Content-Length: 5⏎\nhello",
        ),
        (LINE, "a CR before a line end", "Content-Length: 5\r⏎⏎hello"),
    ] {
        cases.add(why, Want::Bad, name, &ok(fields));
    }
    let lf = "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello";
    cases.add(LINE, Want::Bad, "nothing but LFs", lf);
    let old = "HTTP/1.0 200 OK⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎";
    cases.add(OLD, Want::Bad, "chunks in HTTP/1.0", old).end = Some(Step::Close);
    for (name, start) in [
        ("a status of two digits", "HTTP/1.1 20 OK"),
        ("a status of four digits", "HTTP/1.1 2000 OK"),
        ("a status of letters", "HTTP/1.1 abc OK"),
        ("a status with a sign", "HTTP/1.1 +20 OK"),
        ("a status below 100", "HTTP/1.1 099 OK"),
        ("no status", "HTTP/1.1 OK"),
        ("no status at all", "HTTP/1.1"),
        ("two spaces", "HTTP/1.1  200 OK"),
        ("a tab", "HTTP/1.1\t200 OK"),
        ("a space first", " HTTP/1.1 200 OK"),
        ("an empty line first", "⏎HTTP/1.1 200 OK"),
        ("HTTP/2", "HTTP/2 200 OK"),
        ("HTTP/2.0", "HTTP/2.0 200 OK"),
        ("HTTP/0.9 with a status", "HTTP/0.9 200 OK"),
        ("lower case", "http/1.1 200 OK"),
        ("a version of two digits", "HTTP/1.10 200 OK"),
        ("another protocol", "ICY 200 OK"),
        ("a NUL in the reason", "HTTP/1.1 200 O\0K"),
        ("a CR in the reason", "HTTP/1.1 200 O\rK"),
        ("a bell in the reason", "HTTP/1.1 200 O\u{7}K"),
    ] {
        let answer = format!("{start}⏎Content-Length: 5⏎⏎hello");
        cases.add(STATUS, Want::Bad, name, &answer);
    }
    for (name, answer) in [
        ("HTTP/0.9", "<html>hello</html>"),
        ("nothing", ""),
        ("another kind of server", "SSH-2.0-OpenSSH_9.2⏎"),
        ("TLS", "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{46}"),
        ("a request", "GET / HTTP/1.1⏎Host: a⏎⏎"),
    ] {
        cases.add(STATUS, Want::Bad, name, answer).end = Some(Step::Close);
    }
    for (name, answer) in [
        ("no reason", "HTTP/1.1 200 ⏎Content-Length: 5⏎⏎hello"),
        (
            "a reason in another script",
            "HTTP/1.1 200 caf\u{e9}⏎Content-Length: 5⏎⏎hello",
        ),
        (
            "spaces around a length",
            "HTTP/1.1 200 OK⏎Content-Length:  5  ⏎⏎hello",
        ),
        (
            "chunks in capitals",
            "HTTP/1.1 200 OK⏎Transfer-Encoding: CHUNKED⏎⏎5⏎hello⏎0⏎⏎",
        ),
    ] {
        cases.add(STATUS, hello(), name, answer);
    }
    let either = Want::BadOr(200, b"hello".to_vec());
    cases.all(
        STATUS,
        &either,
        &[
            (
                "no reason and no space",
                "HTTP/1.1 200⏎Content-Length: 5⏎⏎hello",
            ),
            (
                "two lengths that are the same",
                "HTTP/1.1 200 OK⏎Content-Length: 5⏎Content-Length: 5⏎⏎hello",
            ),
            (
                "a list of the same length",
                "HTTP/1.1 200 OK⏎Content-Length: 5, 5⏎⏎hello",
            ),
            (
                "noughts before the length",
                "HTTP/1.1 200 OK⏎Content-Length: 005⏎⏎hello",
            ),
            (
                "a comma after chunked",
                "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked,⏎⏎5⏎hello⏎0⏎⏎",
            ),
        ],
    );
    let large = format!("X-Big: {}⏎Content-Length: 5⏎⏎hello", "x".repeat(1 << 20));
    cases.add(LIMIT, Want::Bad, "a field of a mebibyte", &ok(&large));
    let many = format!("{}Content-Length: 5⏎⏎hello", "X-A: b⏎".repeat(100_000));
    cases.add(LIMIT, Want::Bad, "a hundred thousand fields", &ok(&many));
    let long = format!(
        "HTTP/1.1 200 {}⏎Content-Length: 5⏎⏎hello",
        "x".repeat(1 << 20)
    );
    cases.add(LIMIT, Want::Bad, "a reason of a mebibyte", &long);
    judge("answers' heads", &cases);
}

#[test]
fn interim_answers_and_answers_without_a_body() {
    let mut cases = Cases::default();
    let end = "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hello";
    for (name, interim) in [
        ("a 100 that nobody waits for", "HTTP/1.1 100 Continue⏎⏎"),
        ("a 103", "HTTP/1.1 103 Early Hints⏎Link: </a.css>⏎⏎"),
        (
            "a 102 and a 103",
            "HTTP/1.1 102 Processing⏎⏎HTTP/1.1 103 Early Hints⏎⏎",
        ),
        ("an unknown one", "HTTP/1.1 199 Odd⏎⏎"),
    ] {
        cases.add(INTERIM, hello(), name, &format!("{interim}{end}"));
    }
    let bad: &[(&'static str, &str, String)] = &[
        (INTERIM, "a thousand", format!("{}{end}", "HTTP/1.1 103 Early Hints⏎Link: </a.css>⏎⏎".repeat(1000))),
        (INTERIM, "one with a length and a body", format!("HTTP/1.1 103 Early Hints⏎Content-Length: 5⏎⏎evil!{end}")),
        (INTERIM, "one in chunks", format!("HTTP/1.1 103 Early Hints⏎Transfer-Encoding: chunked⏎⏎0⏎⏎{end}")),
        (INTERIM, "one and nothing", "HTTP/1.1 103 Early Hints⏎⏎".to_owned()),
        (INTERIM, "one and nonsense", "HTTP/1.1 100 Continue⏎⏎hello".to_owned()),
        (SWITCH, "a 101 that nobody asked for", "HTTP/1.1 101 Switching Protocols⏎Upgrade: evil⏎Connection: Upgrade⏎⏎GET /admin HTTP/1.1⏎⏎".to_owned()),
        (SWITCH, "a 101 without a word", format!("HTTP/1.1 101 Switching Protocols⏎⏎{end}")),
        (SWITCH, "a 101 to WebSocket", "HTTP/1.1 101 Switching Protocols⏎Upgrade: websocket⏎Connection: Upgrade⏎⏎".to_owned()),
    ];
    for (why, name, answer) in bad {
        let case = cases.add(why, Want::Bad, name, answer);
        case.end = Some(Step::Close);
    }
    for (name, status, answer) in [
        (
            "204 with a length",
            204,
            "HTTP/1.1 204 No Content⏎Content-Length: 5⏎⏎hello",
        ),
        (
            "204 with a length and no body",
            204,
            "HTTP/1.1 204 No Content⏎Content-Length: 5⏎⏎",
        ),
        (
            "204 in chunks",
            204,
            "HTTP/1.1 204 No Content⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            "204 and a body",
            204,
            "HTTP/1.1 204 No Content⏎⏎HTTP/1.1 200 OK⏎Content-Length: 4⏎⏎evil",
        ),
        (
            "204 with a length of nought",
            204,
            "HTTP/1.1 204 No Content⏎Content-Length: 0⏎⏎",
        ),
    ] {
        cases.add(NO_BODY, Want::BadOr(status, Vec::new()), name, answer);
    }
    for (name, status, answer) in [
        (
            "304 with a length",
            304,
            "HTTP/1.1 304 Not Modified⏎Content-Length: 5⏎⏎",
        ),
        (
            "304 and a body",
            304,
            "HTTP/1.1 304 Not Modified⏎Content-Length: 5⏎⏎hello",
        ),
        (
            "304 in chunks and a body",
            304,
            "HTTP/1.1 304 Not Modified⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            "205 with an empty body",
            205,
            "HTTP/1.1 205 Reset Content⏎Content-Length: 0⏎⏎",
        ),
    ] {
        cases.add(NO_BODY, Want::Whole(status, Vec::new()), name, answer);
    }
    for (name, answer) in [
        ("HEAD with a length", "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎"),
        (
            "HEAD with a body",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hello",
        ),
        (
            "HEAD in chunks",
            "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎",
        ),
        (
            "HEAD in chunks with a body",
            "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎",
        ),
        (
            "HEAD and another answer",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎HTTP/1.1 200 OK⏎Content-Length: 4⏎⏎evil",
        ),
    ] {
        let want = Want::Whole(200, Vec::new());
        cases.add(NO_BODY, want, name, answer).method = "HEAD";
    }
    for (name, answer) in [
        (
            "more than the length",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hello!",
        ),
        (
            "another answer after the length",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎helloHTTP/1.1 200 OK⏎Content-Length: 4⏎⏎evil",
        ),
        (
            "another answer after the chunks",
            "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎HTTP/1.1 200 OK⏎Content-Length: 4⏎⏎evil",
        ),
        (
            "half an answer after",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎helloHTTP/1.1 20",
        ),
        (
            "an interim answer after",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎helloHTTP/1.1 100 Continue⏎⏎",
        ),
        (
            "a line end after",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hello⏎",
        ),
        (
            "a megabyte after",
            &format!(
                "HTTP/1.1 200 OK⏎Content-Length: 5⏎⏎hello{}",
                "evil".repeat(250_000)
            ),
        ),
    ] {
        cases.add(AFTER, hello(), name, answer);
    }
    for (name, answer) in [
        ("no length", "HTTP/1.1 200 OK⏎⏎hello"),
        ("no length in HTTP/1.0", "HTTP/1.0 200 OK⏎⏎hello"),
        (
            "a length in HTTP/1.0",
            "HTTP/1.0 200 OK⏎Content-Length: 5⏎⏎hello",
        ),
        (
            "a length and close",
            "HTTP/1.1 200 OK⏎Connection: close⏎Content-Length: 5⏎⏎hello",
        ),
    ] {
        cases.add(CLOSE, hello(), name, answer).end = Some(Step::Close);
    }
    judge("answers' ends", &cases);
}

#[test]
fn chunks_that_are_none_break_the_answer() {
    let mut cases = Cases::default();
    for (name, body) in [
        ("0x before", "0x5⏎hello⏎0⏎⏎"),
        ("a minus", "-5⏎hello⏎0⏎⏎"),
        ("a plus", "+5⏎hello⏎0⏎⏎"),
        ("no size", "⏎hello⏎0⏎⏎"),
        ("no hex digit", "xyz⏎hello⏎0⏎⏎"),
        ("a space before", " 5⏎hello⏎0⏎⏎"),
        ("2^64 + 5", "10000000000000005⏎hello⏎0⏎⏎"),
        ("LF after the size", "5\nhello⏎0⏎⏎"),
        ("CR after the size", "5\rhello⏎0⏎⏎"),
        ("LF after the data", "5⏎hello\n0⏎⏎"),
        ("nothing after the data", "5⏎hello0⏎⏎"),
        ("data too long", "3⏎hello⏎0⏎⏎"),
        ("data too short", "6⏎hello⏎0⏎⏎"),
        ("LF in an extension", "5;a\nhello⏎0⏎⏎"),
        ("a second chunk that is none", "5⏎hello⏎x⏎"),
        ("the last one with a sign", "5⏎hello⏎-0⏎⏎"),
        ("a trailer without a colon", "5⏎hello⏎0⏎nonsense⏎⏎"),
        ("a trailer with a CR", "5⏎hello⏎0⏎X-A: b\rc⏎⏎"),
        ("a trailer with a NUL", "5⏎hello⏎0⏎X-A: \0⏎⏎"),
        ("a folded trailer", "5⏎hello⏎0⏎X-A: b⏎ c⏎⏎"),
        (
            "a trailer of a mebibyte",
            &format!("5⏎hello⏎0⏎X-A: {}⏎⏎", "a".repeat(1 << 20)),
        ),
        (
            "an extension of a mebibyte",
            &format!("5;{}⏎hello⏎0⏎⏎", "a".repeat(1 << 20)),
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎{body}");
        cases.add(CHUNK, Want::Cut, name, &answer).end = Some(Step::Close);
    }
    for (name, body) in [
        ("one chunk", "5⏎hello⏎0⏎⏎"),
        ("five chunks", "1⏎h⏎1⏎e⏎1⏎l⏎1⏎l⏎1⏎o⏎0⏎⏎"),
        ("an extension", "5;a=b⏎hello⏎0⏎⏎"),
        ("a trailer", "5⏎hello⏎0⏎X-Sum: 1⏎⏎"),
        (
            "a trailer that must be none",
            "5⏎hello⏎0⏎Content-Length: 9⏎Transfer-Encoding: gzip⏎Set-Cookie: a=b⏎⏎",
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎{body}");
        cases.add(CHUNK, hello(), name, &answer);
    }
    judge("answers in chunks", &cases);
}

/// The app goes away after each byte of an answer, in good order and not.
#[test]
fn an_answer_cut_at_any_byte_never_looks_whole() {
    for (family, answer) in [
        (
            "cut in chunks",
            "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎2⏎he⏎3⏎llo⏎0⏎⏎",
        ),
        (
            "cut in a length",
            "HTTP/1.1 200 OK⏎Content-Length: 5⏎X-A: b⏎⏎hello",
        ),
    ] {
        let whole = bytes(answer);
        let head = whole
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let mut cases = Cases::default();
        for (how, end) in [("closed", Step::Close), ("reset", Step::Reset)] {
            for length in 0..=whole.len() {
                let want = match length {
                    _ if length == whole.len() && how == "closed" => hello(),
                    // A reset may take along what was sent before.
                    _ if length == whole.len() => Want::BadOr(200, b"hello".to_vec()),
                    _ if length < head => Want::Bad,
                    _ => Want::Cut,
                };
                let case = cases.add(CUT, want, &format!("{how} after {length}"), "");
                case.answer = whole[..length].to_vec();
                case.end = Some(end.clone());
            }
        }
        judge(family, &cases);
    }
}

/// RFC 9110 §7.6.1 lets a sender nominate fields for removal, but none of ours.
#[test]
fn an_app_cannot_nominate_our_protection() {
    run(30, async {
        let app = Recorder::with(|_, _| {
            let names = "strict-transport-security, set-cookie, x-content-type-options, referrer-policy, x-frame-options, cross-origin-opener-policy, content-length, transfer-encoding";
            let answer = format!("HTTP/1.1 200 OK\r\nConnection: {names}\r\nSet-Cookie: sessionid=1; Path=/\r\nContent-Length: 5\r\n\r\nhello");
            vec![Step::Send(answer.into_bytes())]
        })
        .await;
        let gateway = Gateway::to(&app.url())
            .site("[site.hsts]\nwhen = \"always\"")
            .start()
            .await;
        for http2 in [false, true] {
            let request = gateway.request("localhost", "/");
            let answer = if http2 { request.http2() } else { request }.send().await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
            assert!(
                !answer.header("strict-transport-security").is_empty(),
                "{answer:?}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
            for cookie in answer.all("set-cookie") {
                assert!(
                    cookie.starts_with("__Host-sessionid=") && cookie.contains("Secure"),
                    "{cookie}"
                );
            }
            assert!(
                !answer.header("connection").contains("set-cookie"),
                "{answer:?}"
            );
        }
    });
}
