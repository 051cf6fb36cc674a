//! Where a request's body ends: Content-Length against Transfer-Encoding (CWE-444).

use crate::case::{Cases, Tail, Want, seen};
use crate::stage::{Listener, judge};
use crate::sweep;

const BOTH: &str = "RFC 9112 §6.1: A server MAY reject a request that contains both Content-Length and Transfer-Encoding …";
const LENGTHS: &str = "RFC 9112 §6.3: If a message is received without Transfer-Encoding and with an invalid Content-Length header field, then the message framing is invalid and the recipient MUST treat it as an unrecoverable error …";
const SAME: &str = "RFC 9112 §6.3: … unless the field value can be successfully parsed as a comma-separated list, all values in the list are valid, and all values in the list are the same (in which case, the message is processed with that single value …)";
const CODING: &str = "RFC 9112 §6.1: A server that receives a request message with a transfer coding it does not understand SHOULD respond with 501 (Not Implemented).";
const LAST: &str = "RFC 9112 §6.3: If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the final encoding, the message body length cannot be determined reliably; the server MUST respond with the 400 (Bad Request) status code and then close the connection.";
const ONCE: &str = "RFC 9112 §6.1: A sender MUST NOT apply the chunked transfer coding more than once to a message body …";
const NAMES: &str = "RFC 9112 §7: All transfer-coding names are case-insensitive …";
const SPACE: &str = "RFC 9112 §5.1: A server MUST reject, with a response status code of 400 (Bad Request), any received request message that contains whitespace between a header field name and colon.";
const FOLD: &str = "RFC 9112 §5.2: A server that receives an obs-fold in a request message that is not within a \"message/http\" container MUST either reject the message by sending a 400 (Bad Request) …";
const LONE: &str = "RFC 9110 §5.5: Field values containing CR, LF, or NUL characters are invalid and dangerous …; a recipient … MUST either reject the message or replace each of those characters with SP …";
const OLD: &str = "RFC 9112 §6.1: A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field MUST treat the message as if the framing is faulty, even if a Content-Length is present, and close the connection after processing the message.";
const OWS: &str =
    "RFC 9112 §5.1: The field line value does not include that leading or trailing whitespace …";
const EMPTY: &str = "RFC 9110 §5.6.1.2: A recipient MUST parse and ignore a reasonable number of empty list elements …";
const NONE: &str = "RFC 9112 §6.3: If this is a request message and none of the above are true, then the message body length is zero (no message body is present).";
const SHORT: &str = "RFC 9112 §6.3: If the sender closes the connection or the recipient times out before the indicated number of octets are received, the recipient MUST consider the message to be incomplete and close the connection.";
/// RFC 9110 §5.5 allows a tab there, but llhttp (Node.js) does not take it off a coding's name
/// and so sees another one: nobody needs it, so nobody may send it.
const TAB: &str = "RFC 9110 §5.5: … a field parsing implementation MUST exclude such whitespace prior to evaluating the field value.";
/// CGI (RFC 3875 §4.1.18) writes `-` as `_`, so this is another field's name to some apps.
const FOLDED: &str = "RFC 9110 §5.1: … a proxy MUST forward unrecognized header fields unless … the proxy is specifically configured to block, or otherwise transform, such fields.";

/// A POST with these fields and this body.
fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1⏎Host: HOST⏎{fields}⏎⏎{body}")
}

/// A chunked body, and what a server that goes by another length would take for a request.
const SMUGGLE: &str = "0⏎⏎GET /smuggled HTTP/1.1⏎Host: HOST⏎⏎";

#[test]
fn length_and_chunks_together_are_refused() {
    let mut cases = Cases::default();
    for (name, fields) in [
        (
            "the length first",
            "Content-Length: 6⏎Transfer-Encoding: chunked",
        ),
        (
            "the chunks first",
            "Transfer-Encoding: chunked⏎Content-Length: 6",
        ),
        (
            "a length of nought",
            "Content-Length: 0⏎Transfer-Encoding: chunked",
        ),
        (
            "a length that is that of the chunks",
            "Content-Length: 5⏎Transfer-Encoding: chunked",
        ),
        (
            "a length beyond all",
            "Content-Length: 999999⏎Transfer-Encoding: chunked",
        ),
        (
            "with a field between",
            "Content-Length: 6⏎X-A: b⏎Transfer-Encoding: chunked",
        ),
        (
            "both in lower case",
            "content-length: 6⏎transfer-encoding: chunked",
        ),
        (
            "both in upper case",
            "CONTENT-LENGTH: 6⏎TRANSFER-ENCODING: CHUNKED",
        ),
        (
            "without spaces",
            "Content-Length:6⏎Transfer-Encoding:chunked",
        ),
        (
            "with tabs",
            "Content-Length:\t6\t⏎Transfer-Encoding:\tchunked\t",
        ),
        (
            "a length that is none",
            "Content-Length: x⏎Transfer-Encoding: chunked",
        ),
        (
            "an empty length",
            "Content-Length:⏎Transfer-Encoding: chunked",
        ),
        ("an empty coding", "Content-Length: 6⏎Transfer-Encoding:"),
        (
            "a length on each side",
            "Content-Length: 6⏎Transfer-Encoding: chunked⏎Content-Length: 6",
        ),
        (
            "a coding on each side",
            "Transfer-Encoding: chunked⏎Content-Length: 6⏎Transfer-Encoding: chunked",
        ),
        (
            "the coding nominated to be dropped",
            "Connection: Transfer-Encoding⏎Content-Length: 6⏎Transfer-Encoding: chunked",
        ),
        (
            "the length nominated to be dropped",
            "Connection: Content-Length⏎Content-Length: 6⏎Transfer-Encoding: chunked",
        ),
    ] {
        cases.refused(BOTH, &[(name, &post(fields, SMUGGLE))]);
    }
    for (name, coding) in [
        ("identity", "identity"),
        ("a misspelt coding", "xchunked"),
        ("a quoted coding", "\"chunked\""),
        ("another coding", "gzip"),
        ("a coding with a vertical tab", "\u{b}chunked"),
        ("a coding with a no-break space", "\u{a0}chunked"),
    ] {
        let both = format!("Content-Length: 6⏎Transfer-Encoding: {coding}");
        let want = Want::Refused(&[400, 501]);
        cases.one(BOTH, want, Tail::Request, name, &post(&both, SMUGGLE));
    }
    let get = "GET / HTTP/1.1⏎Host: HOST⏎Content-Length: 6⏎Transfer-Encoding: chunked⏎⏎0⏎⏎";
    cases.refused(BOTH, &[("in a GET", get)]);
    for (name, fields) in [
        ("chunks in HTTP/1.0", "Transfer-Encoding: chunked"),
        (
            "both in HTTP/1.0",
            "Content-Length: 5⏎Transfer-Encoding: chunked",
        ),
        (
            "chunks in HTTP/1.0 kept alive",
            "Connection: keep-alive⏎Transfer-Encoding: chunked",
        ),
    ] {
        let input = format!("POST / HTTP/1.0⏎Host: HOST⏎{fields}⏎⏎{SMUGGLE}");
        cases.refused(OLD, &[(name, &input)]);
    }
    judge("length and chunks", Listener::Https, "", cases);
}

#[test]
fn a_length_is_one_number() {
    let mut cases = Cases::default();
    for (name, value) in [
        ("a plus", "+5"),
        ("a minus", "-5"),
        ("minus nought", "-0"),
        ("in base sixteen", "0x5"),
        ("base sixteen without a sign of it", "a"),
        ("a point", "5.0"),
        ("a power", "5e0"),
        ("an underscore", "0_5"),
        ("empty", ""),
        ("a space", " "),
        ("quoted", "\"5\""),
        ("two numbers", "5 5"),
        ("a parameter", "5;q=1"),
        ("other digits in UTF-8", "\u{d9}\u{a5}"),
        ("a superscript", "\u{b9}"),
        ("a vertical tab before", "\u{b}5"),
        ("a form feed after", "5\u{c}"),
        ("a no-break space", "\u{a0}5"),
        ("a NUL after", "5\0"),
        ("a list that differs", "5, 6"),
        ("a list with something else", "5, x"),
        ("2^64", "18446744073709551616"),
        ("2^64 + 5", "18446744073709551621"),
        ("2^128 + 5", "340282366920938463463374607431768211461"),
        ("300 nines", &"9".repeat(300)),
        ("a word", "five"),
        ("another field's line", "5 Transfer-Encoding: chunked"),
    ] {
        let input = post(&format!("Content-Length: {value}"), "hello");
        cases.refused(LENGTHS, &[(name, &input)]);
    }
    for (name, fields) in [
        ("two that differ", "Content-Length: 5⏎Content-Length: 6"),
        (
            "two that differ, apart",
            "Content-Length: 6⏎X-A: b⏎Content-Length: 5",
        ),
        (
            "two that differ in case",
            "Content-Length: 5⏎content-length: 0",
        ),
        ("one of two empty", "Content-Length: 5⏎Content-Length:"),
        (
            "a name that only begins so",
            "Content-Length: 5⏎Content-Length : 0",
        ),
    ] {
        cases.refused(LENGTHS, &[(name, &post(fields, "hello!"))]);
    }
    let hello = seen("POST", "/").body("hello").with("content-length", "5");
    for (name, fields) in [
        (
            "two that are the same",
            "Content-Length: 5⏎Content-Length: 5",
        ),
        (
            "three that are the same",
            "Content-Length: 5⏎Content-Length: 5⏎content-length: 5",
        ),
        ("a list of the same", "Content-Length: 5, 5"),
        ("a list with nothing after", "Content-Length: 5,"),
        ("a list with nothing before", "Content-Length: ,5"),
        // Grammatical, and base eight to some: 012 is not the same to all.
        ("leading noughts", "Content-Length: 005"),
        (
            "forty leading noughts",
            "Content-Length: 00000000000000000000000000000000000000005",
        ),
    ] {
        let want = Want::Either(&[400], hello.clone());
        cases.one(SAME, want, Tail::Request, name, &post(fields, "hello"));
    }
    for (name, fields) in [
        ("a tab before", "Content-Length:\t5"),
        ("a tab behind", "Content-Length: 5\t"),
    ] {
        cases.refused(TAB, &[(name, &post(fields, "hello"))]);
    }
    for (name, fields) in [
        ("as it should be", "Content-Length: 5"),
        ("without a space", "Content-Length:5"),
        ("with spaces around", "Content-Length:   5  "),
        ("in another case", "cOnTeNt-LeNgTh: 5"),
    ] {
        cases.passed(OWS, &hello, &[(name, &post(fields, "hello"))]);
    }
    cases.passed(
        NONE,
        &seen("POST", "/"),
        &[("no length at all", "POST / HTTP/1.1⏎Host: HOST⏎⏎")],
    );
    let body = seen("GET", "/").body("hello");
    let get = "GET / HTTP/1.1⏎Host: HOST⏎Content-Length: 5⏎⏎hello";
    cases.passed(OWS, &body, &[("a GET with a body", get)]);
    let none = seen("POST", "/").without("content_length");
    for (name, fields) in [
        (
            "an underscore in the name",
            "Content_Length: 5⏎Content-Length: 0",
        ),
        ("a point in the name", "Content.Length: 5⏎Content-Length: 0"),
    ] {
        let without = seen("POST", "/")
            .without("content_length")
            .without("content.length");
        cases.passed(FOLDED, &without, &[(name, &post(fields, ""))]);
    }
    cases.passed(
        FOLDED,
        &none,
        &[(
            "an underscore and no length",
            &post("Content_Length: 5", ""),
        )],
    );
    for (name, length, body) in [
        ("cut short", "10", "hello"),
        ("cut before the first byte", "10", ""),
        ("cut before the last byte", "6", "hello"),
        ("a length that never ends", "9223372036854775807", "hello"),
    ] {
        let input = post(&format!("Content-Length: {length}"), body);
        cases.one(SHORT, Want::Broken(&[400, 408]), Tail::End, name, &input);
    }
    judge("lengths", Listener::Https, "", cases);
}

#[test]
fn a_coding_is_chunked_alone() {
    let mut cases = Cases::default();
    for (why, name, fields) in [
        (CODING, "misspelt", "Transfer-Encoding: xchunked"),
        (
            CODING,
            "chunked and then a cow",
            "Transfer-Encoding: chunked, cow",
        ),
        (
            CODING,
            "a cow and then chunked",
            "Transfer-Encoding: cow, chunked",
        ),
        (
            CODING,
            "compressed and chunked",
            "Transfer-Encoding: gzip, chunked",
        ),
        (
            CODING,
            "compressed and chunked in two lines",
            "Transfer-Encoding: gzip⏎Transfer-Encoding: chunked",
        ),
        (
            CODING,
            "identity and chunked",
            "Transfer-Encoding: identity, chunked",
        ),
        (
            CODING,
            "identity and chunked in two lines",
            "Transfer-Encoding: identity⏎Transfer-Encoding: chunked",
        ),
        (CODING, "quoted", "Transfer-Encoding: \"chunked\""),
        (
            CODING,
            "in quotes of another kind",
            "Transfer-Encoding: 'chunked'",
        ),
        (CODING, "in parentheses", "Transfer-Encoding: (chunked)"),
        (CODING, "with a parameter", "Transfer-Encoding: chunked;q=1"),
        (
            CODING,
            "with an empty parameter",
            "Transfer-Encoding: chunked;",
        ),
        (CODING, "with a space inside", "Transfer-Encoding: chun ked"),
        (CODING, "two words", "Transfer-Encoding: chunked chunked"),
        (CODING, "the word trailers", "Transfer-Encoding: trailers"),
        (
            CODING,
            "a no-break space before",
            "Transfer-Encoding: \u{a0}chunked",
        ),
        (
            CODING,
            "a no-break space after",
            "Transfer-Encoding: chunked\u{a0}",
        ),
        // U+212A, the Kelvin sign, is a k once folded.
        (
            CODING,
            "a sign that folds to k",
            "Transfer-Encoding: chun\u{e2}\u{84}\u{aa}ed",
        ),
        (LAST, "identity alone", "Transfer-Encoding: identity"),
        (LAST, "compressed alone", "Transfer-Encoding: gzip"),
        (
            LAST,
            "chunked, then identity",
            "Transfer-Encoding: chunked, identity",
        ),
        (
            LAST,
            "chunked, then identity in two lines",
            "Transfer-Encoding: chunked⏎Transfer-Encoding: identity",
        ),
        (LAST, "empty", "Transfer-Encoding:"),
        (LAST, "a comma", "Transfer-Encoding: ,"),
        (ONCE, "chunked twice", "Transfer-Encoding: chunked, chunked"),
        (
            ONCE,
            "chunked twice in two lines",
            "Transfer-Encoding: chunked⏎Transfer-Encoding: chunked",
        ),
        (
            ONCE,
            "chunked twice in two cases",
            "Transfer-Encoding: chunked⏎transfer-encoding: CHUNKED",
        ),
    ] {
        let want = Want::Refused(&[400, 501]);
        cases.one(why, want, Tail::Request, name, &post(fields, "5⏎hello⏎0⏎⏎"));
    }
    for (why, name, fields) in [
        (TAB, "a tab before", "Transfer-Encoding:\tchunked"),
        (TAB, "a tab behind", "Transfer-Encoding: chunked\t"),
        (
            TAB,
            "a space and a tab before",
            "Transfer-Encoding: \tchunked",
        ),
        (
            SPACE,
            "a space before the colon",
            "Transfer-Encoding : chunked",
        ),
        (
            SPACE,
            "a tab before the colon",
            "Transfer-Encoding\t: chunked",
        ),
        (
            SPACE,
            "a space before the name",
            " Transfer-Encoding: chunked",
        ),
        (FOLD, "folded with a space", "Transfer-Encoding:⏎ chunked"),
        (FOLD, "folded with a tab", "Transfer-Encoding:⏎\tchunked"),
        (FOLD, "folded behind", "Transfer-Encoding: chunked⏎ "),
        (FOLD, "folded in the middle", "Transfer-Encoding: chu⏎ nked"),
        (
            FOLD,
            "folded into another field",
            "X-A: b⏎ Transfer-Encoding: chunked",
        ),
        (
            LONE,
            "a lone LF before",
            "X-A: X\nTransfer-Encoding: chunked",
        ),
        (
            LONE,
            "a lone CR before",
            "X-A: X\rTransfer-Encoding: chunked",
        ),
        (
            LONE,
            "a lone LF after",
            "Transfer-Encoding: chunked\nX-A: b",
        ),
        (LONE, "a lone CR after", "Transfer-Encoding: chunked\r"),
        (
            LONE,
            "a lone LF in the value",
            "Transfer-Encoding:\nchunked",
        ),
        (
            LONE,
            "a lone CR in the value",
            "Transfer-Encoding: \rchunked",
        ),
        (LONE, "a NUL after", "Transfer-Encoding: chunked\0"),
        (LONE, "a NUL in the name", "Transfer-Encoding\0: chunked"),
        (
            LONE,
            "a vertical tab before",
            "Transfer-Encoding: \u{b}chunked",
        ),
        (LONE, "a form feed after", "Transfer-Encoding: chunked\u{c}"),
        (
            LONE,
            "a line without a colon before",
            "X-A⏎Transfer-Encoding: chunked",
        ),
    ] {
        cases.refused(why, &[(name, &post(fields, "5⏎hello⏎0⏎⏎"))]);
    }
    let hello = seen("POST", "/").body("hello");
    for (why, name, fields) in [
        (NAMES, "as it should be", "Transfer-Encoding: chunked"),
        (NAMES, "with a capital", "Transfer-Encoding: Chunked"),
        (NAMES, "in capitals", "TRANSFER-ENCODING: CHUNKED"),
        (OWS, "without a space", "Transfer-Encoding:chunked"),
        (OWS, "with spaces around", "Transfer-Encoding:   chunked  "),
    ] {
        cases.passed(why, &hello, &[(name, &post(fields, "5⏎hello⏎0⏎⏎"))]);
    }
    for (name, fields) in [
        ("a comma after", "Transfer-Encoding: chunked,"),
        ("a comma before", "Transfer-Encoding: ,chunked"),
        ("commas around", "Transfer-Encoding: , ,chunked, ,"),
    ] {
        let want = Want::Either(&[400, 501], hello.clone());
        cases.one(
            EMPTY,
            want,
            Tail::Request,
            name,
            &post(fields, "5⏎hello⏎0⏎⏎"),
        );
    }
    let none = seen("POST", "/")
        .without("transfer_encoding")
        .without("transfer.encoding");
    for (name, fields) in [
        (
            "an underscore in the name",
            "Transfer_Encoding: chunked⏎Content-Length: 0",
        ),
        (
            "a point in the name",
            "Transfer.Encoding: chunked⏎Content-Length: 0",
        ),
    ] {
        cases.passed(FOLDED, &none, &[(name, &post(fields, ""))]);
    }
    let get = "GET / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎";
    cases.passed(
        NAMES,
        &seen("GET", "/").body("hello"),
        &[("a GET in chunks", get)],
    );
    judge("codings", Listener::Https, "", cases);
}

/// Thirteen bytes that some parsers skip, at each place of the field that decides.
#[test]
fn a_framing_field_bent_by_one_byte_is_refused() {
    let mut cases = Cases::default();
    for byte in sweep::SKIPPED {
        for (place, line) in sweep::bent("Transfer-Encoding", "chunked", byte) {
            // Whoever skips the byte sees both fields; whoever does not, a field of no name
            // or a coding that does not exist.
            let fields = format!("Content-Length: 5⏎{line}");
            let want = Want::Refused(&[400, 501]);
            let name = format!("coding, {byte:#04x} {place}");
            cases.one(BOTH, want, Tail::Request, &name, &post(&fields, "0⏎⏎"));
        }
        for (place, line) in sweep::bent("Content-Length", "10", byte) {
            let outside = matches!(place, "after the colon" | "at the end");
            let want = if outside && byte == b' ' {
                Want::Passed(vec![seen("POST", "/").body("helloworld")])
            } else {
                Want::Refused(&[400])
            };
            let name = format!("length, {byte:#04x} {place}");
            cases.one(
                LENGTHS,
                want,
                Tail::Request,
                &name,
                &post(&line, "helloworld"),
            );
        }
    }
    judge("bent framing", Listener::Https, "", cases);
}
