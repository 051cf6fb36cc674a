//! Chunked bodies (RFC 9112 §7.1): sizes, extensions, line ends, trailers.

use crate::case::{Cases, Tail, Want, seen};
use crate::stage::{Listener, judge};

const SIZE: &str = "RFC 9112 §7.1: chunk-size = 1*HEXDIG";
const OVERFLOW: &str = "RFC 9112 §7.1: A recipient MUST be able to parse and decode the chunked transfer coding. … recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to integer conversion overflows …";
const LINE: &str = "RFC 9112 §7.1: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF";
const IGNORE: &str = "RFC 9112 §7.1.1: A recipient MUST ignore unrecognized chunk extensions.";
const EXTENSION: &str = "RFC 9112 §7.1.1: chunk-ext = *( BWS \";\" BWS chunk-ext-name [ BWS \"=\" BWS chunk-ext-val ] )";
const MUCH: &str = "RFC 9112 §7.1.1: A server ought to limit the total length of chunk extensions received in a request to an amount reasonable for the services provided …";
const CUT: &str = "RFC 9112 §8: A message body that uses the chunked transfer coding is incomplete if the zero-sized chunk that terminates the encoding has not been received.";
const FORBIDDEN: &str = "RFC 9110 §6.5.1: A sender MUST NOT generate a trailer field unless the sender knows the corresponding header field name's definition permits the sending of that field in trailers …";
const MERGE: &str = "RFC 9110 §6.5.1: … a recipient MUST NOT merge a received trailer field into the header section unless its corresponding header field definition explicitly permits …";
const TRAILER: &str = "RFC 9112 §7.1.2: trailer-section = *( field-line CRLF )";

fn post(body: &str) -> String {
    format!("POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎{body}")
}

#[test]
fn chunks_that_can_be_read_in_two_ways_are_no_body() {
    let mut cases = Cases::default();
    let rows: &[(&'static str, &str, &str)] = &[
        (SIZE, "0x before", "0x5⏎hello⏎0⏎⏎"),
        (SIZE, "0X before", "0X5⏎hello⏎0⏎⏎"),
        (SIZE, "a plus", "+5⏎hello⏎0⏎⏎"),
        (SIZE, "a minus", "-5⏎hello⏎0⏎⏎"),
        (SIZE, "minus one", "-1⏎hello⏎0⏎⏎"),
        (SIZE, "minus nought", "-0⏎⏎"),
        (SIZE, "empty", "⏎hello⏎0⏎⏎"),
        (SIZE, "an empty line before", "⏎5⏎hello⏎0⏎⏎"),
        (SIZE, "no hex digit", "g⏎hello⏎0⏎⏎"),
        (SIZE, "a hex digit and one that is none", "5g⏎hello⏎0⏎⏎"),
        (SIZE, "with an h", "5h⏎hello⏎0⏎⏎"),
        (SIZE, "an underscore", "0_5⏎hello⏎0⏎⏎"),
        (SIZE, "a point", "5.⏎hello⏎0⏎⏎"),
        (SIZE, "a comma", "5,⏎hello⏎0⏎⏎"),
        (SIZE, "quoted", "\"5\"⏎hello⏎0⏎⏎"),
        (SIZE, "two numbers", "5 5⏎hello⏎0⏎⏎"),
        (SIZE, "a space before", " 5⏎hello⏎0⏎⏎"),
        (SIZE, "a tab before", "\t5⏎hello⏎0⏎⏎"),
        (SIZE, "a vertical tab before", "\u{b}5⏎hello⏎0⏎⏎"),
        (SIZE, "a form feed after", "5\u{c}⏎hello⏎0⏎⏎"),
        (SIZE, "a NUL after", "5\0⏎hello⏎0⏎⏎"),
        (SIZE, "a no-break space after", "5\u{a0}⏎hello⏎0⏎⏎"),
        (SIZE, "other digits in UTF-8", "\u{d9}\u{a5}⏎hello⏎0⏎⏎"),
        (SIZE, "wide digits in UTF-8", "\u{ef}\u{bc}\u{95}⏎hello⏎0⏎⏎"),
        (SIZE, "a space after", "5 ⏎hello⏎0⏎⏎"),
        (SIZE, "a tab after", "5\t⏎hello⏎0⏎⏎"),
        (SIZE, "0x in the last one", "5⏎hello⏎0x0⏎⏎"),
        (SIZE, "a minus in the last one", "5⏎hello⏎-0⏎⏎"),
        (OVERFLOW, "2^64 + 5", "10000000000000005⏎hello⏎0⏎⏎"),
        (OVERFLOW, "2^64", "10000000000000000⏎⏎"),
        (OVERFLOW, "17 digits", "ffffffffffffffff1⏎hello⏎0⏎⏎"),
        (
            OVERFLOW,
            "100 digits",
            "1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005⏎hello⏎0⏎⏎",
        ),
        (LINE, "LF after the size", "5\nhello⏎0⏎⏎"),
        (LINE, "CR after the size", "5\rhello⏎0⏎⏎"),
        (LINE, "two CRs after the size", "5\r⏎hello⏎0⏎⏎"),
        (LINE, "LF CR after the size", "5\n\rhello⏎0⏎⏎"),
        (LINE, "LF after the data", "5⏎hello\n0⏎⏎"),
        (LINE, "CR after the data", "5⏎hello\r0⏎⏎"),
        (LINE, "nothing after the data", "5⏎hello0⏎⏎"),
        (LINE, "two line ends after the data", "5⏎hello⏎⏎0⏎⏎"),
        (LINE, "one byte too many", "5⏎hello!⏎0⏎⏎"),
        (LINE, "two bytes too many", "5⏎hello!!0⏎⏎"),
        (LINE, "one byte too few", "5⏎hell⏎0⏎⏎"),
        (LINE, "LF after the last size", "5⏎hello⏎0\n⏎"),
        (LINE, "LF at the very end", "5⏎hello⏎0⏎\n"),
        (LINE, "two LFs at the end", "5⏎hello⏎0\n\n"),
        (LINE, "CR at the very end", "5⏎hello⏎0⏎\r\r\n"),
        (LINE, "something instead of the end", "5⏎hello⏎0⏎xy"),
        (EXTENSION, "a semicolon alone", "5;⏎hello⏎0⏎⏎"),
        (EXTENSION, "an extension without a name", "5;=b⏎hello⏎0⏎⏎"),
        (EXTENSION, "an extension without a value", "5;a=⏎hello⏎0⏎⏎"),
        (EXTENSION, "two semicolons", "5;;a⏎hello⏎0⏎⏎"),
        (EXTENSION, "CR LF in quotes", "5;a=\"⏎\"⏎hello⏎0⏎⏎"),
        (EXTENSION, "a quote that never ends", "5;a=\"b⏎hello⏎0⏎⏎"),
        (EXTENSION, "a quote in the middle", "5;a=b\"c⏎hello⏎0⏎⏎"),
        (
            EXTENSION,
            "something after the quote",
            "5;a=\"b\"c⏎hello⏎0⏎⏎",
        ),
        (EXTENSION, "LF in it", "5;a\nhello⏎0⏎⏎"),
        (EXTENSION, "LF in its value", "5;a=b\nxx⏎hello⏎0⏎⏎"),
        (
            EXTENSION,
            "LF right after the semicolon",
            "5;\nxx⏎hello⏎0⏎⏎",
        ),
        (EXTENSION, "LF in quotes", "5;a=\"\n\"⏎hello⏎0⏎⏎"),
        (EXTENSION, "CR in it", "5;a\rb⏎hello⏎0⏎⏎"),
        (EXTENSION, "CR in quotes", "5;a=\"\r\"⏎hello⏎0⏎⏎"),
        (EXTENSION, "a NUL in it", "5;a\0b⏎hello⏎0⏎⏎"),
        (EXTENSION, "a NUL in quotes", "5;a=\"\0\"⏎hello⏎0⏎⏎"),
        (EXTENSION, "a space in its name", "5;a b⏎hello⏎0⏎⏎"),
        (EXTENSION, "LF in that of the last", "5⏎hello⏎0;a\n⏎"),
        (TRAILER, "a trailer without a colon", "5⏎hello⏎0⏎nonsense⏎⏎"),
        (TRAILER, "a trailer without a name", "5⏎hello⏎0⏎: x⏎⏎"),
        (
            TRAILER,
            "a trailer with a space before its colon",
            "5⏎hello⏎0⏎X-A : b⏎⏎",
        ),
        (TRAILER, "a folded trailer", "5⏎hello⏎0⏎X-A: b⏎ c⏎⏎"),
        (
            TRAILER,
            "a trailer with a space before",
            "5⏎hello⏎0⏎ X-A: b⏎⏎",
        ),
        (
            TRAILER,
            "a trailer that ends with LF",
            "5⏎hello⏎0⏎X-A: b\n⏎",
        ),
        (TRAILER, "a trailer with a CR", "5⏎hello⏎0⏎X-A: b\rc⏎⏎"),
        (TRAILER, "a trailer with a NUL", "5⏎hello⏎0⏎X-A: b\0c⏎⏎"),
        (
            TRAILER,
            "a trailer with a space in its name",
            "5⏎hello⏎0⏎X A: b⏎⏎",
        ),
        (TRAILER, "a trailer with a bell", "5⏎hello⏎0⏎X-A: \u{7}⏎⏎"),
    ];
    for (why, name, body) in rows {
        cases.one(why, Want::Broken(&[400]), Tail::Request, name, &post(body));
    }
    for (name, body) in [
        ("cut in the first size", "5"),
        ("cut after the first size", "5⏎"),
        ("cut in the data", "5⏎hel"),
        ("cut after the data", "5⏎hello"),
        ("cut in the line end", "5⏎hello\r"),
        ("cut after a chunk", "5⏎hello⏎"),
        ("cut in the last size", "5⏎hello⏎0"),
        ("cut after the last size", "5⏎hello⏎0⏎"),
        ("cut in the very end", "5⏎hello⏎0⏎\r"),
        ("cut in a trailer", "5⏎hello⏎0⏎X-A: b"),
        ("cut after a trailer", "5⏎hello⏎0⏎X-A: b⏎"),
        (
            "a chunk of 2^64 - 1 that never comes",
            "ffffffffffffffff⏎hello",
        ),
    ] {
        cases.one(CUT, Want::Broken(&[400, 408]), Tail::End, name, &post(body));
    }
    for (name, body) in [
        (
            "an extension of 64 KiB",
            format!("5;{}⏎hello⏎0⏎⏎", "a".repeat(64 << 10)),
        ),
        (
            "extensions of a mebibyte in all",
            format!("{}0⏎⏎", format!("1;{}⏎x⏎", "a".repeat(500)).repeat(2000)),
        ),
        (
            "a trailer of 128 KiB",
            format!("5⏎hello⏎0⏎X-A: {}⏎⏎", "a".repeat(128 << 10)),
        ),
        (
            "ten thousand trailers",
            format!("5⏎hello⏎0⏎{}⏎", "X-A: b⏎".repeat(10_000)),
        ),
        (
            "a size of 64 KiB",
            format!("{}5⏎hello⏎0⏎⏎", "0".repeat(64 << 10)),
        ),
    ] {
        let want = Want::Broken(&[400, 413, 431]);
        cases.one(MUCH, want, Tail::Request, name, &post(&body));
    }
    judge("chunks refused", Listener::Https, "", cases);
}

#[test]
fn chunks_that_can_be_read_in_one_way_are_the_body() {
    let mut cases = Cases::default();
    let hello = seen("POST", "/").body("hello");
    for (why, name, body) in [
        (SIZE, "one chunk", "5⏎hello⏎0⏎⏎"),
        (SIZE, "five chunks", "1⏎h⏎1⏎e⏎1⏎l⏎1⏎l⏎1⏎o⏎0⏎⏎"),
        (SIZE, "several noughts at the end", "5⏎hello⏎000⏎⏎"),
        (IGNORE, "an extension", "5;a⏎hello⏎0⏎⏎"),
        (IGNORE, "an extension with a value", "5;a=b⏎hello⏎0⏎⏎"),
        (IGNORE, "two extensions", "5;a=b;c⏎hello⏎0⏎⏎"),
        (IGNORE, "a quoted value", "5;a=\"b c\"⏎hello⏎0⏎⏎"),
        (IGNORE, "a quote in quotes", "5;a=\"b\\\"c\"⏎hello⏎0⏎⏎"),
        (IGNORE, "a semicolon in quotes", "5;a=\"b;c\"⏎hello⏎0⏎⏎"),
        (IGNORE, "an extension of the last", "5⏎hello⏎0;a=b⏎⏎"),
    ] {
        cases.passed(why, &hello, &[(name, &post(body))]);
    }
    for (why, name, body) in [
        (SIZE, "a leading nought", "05⏎hello⏎0⏎⏎"),
        (
            SIZE,
            "twenty leading noughts",
            "000000000000000000005⏎hello⏎0⏎⏎",
        ),
        (EXTENSION, "a space before the semicolon", "5 ;a⏎hello⏎0⏎⏎"),
        (EXTENSION, "a space after the semicolon", "5; a⏎hello⏎0⏎⏎"),
        (
            EXTENSION,
            "spaces around the equals sign",
            "5;a = b⏎hello⏎0⏎⏎",
        ),
    ] {
        let want = Want::Either(&[400], hello.clone());
        cases.one(why, want, Tail::Request, name, &post(body));
    }
    cases.passed(
        SIZE,
        &seen("POST", "/").body("0123456789"),
        &[
            ("a size in lower case", &post("a⏎0123456789⏎0⏎⏎")),
            ("a size in upper case", &post("A⏎0123456789⏎0⏎⏎")),
        ],
    );
    cases.passed(
        SIZE,
        &seen("POST", "/"),
        &[("no data at all", &post("0⏎⏎"))],
    );
    let looks = "0\r\n\r\nGET /x HTTP/1.1\r\n\r\n";
    let size = format!("{:x}", looks.len());
    let inner = post(&format!("{size}⏎{}⏎0⏎⏎", looks.replace("\r\n", "⏎")));
    cases.passed(
        SIZE,
        &seen("POST", "/").body(looks),
        &[("data that looks like an end", &inner)],
    );
    // What a trailer must not change: framing, routing, rights, cookies (RFC 9110 §6.5.1).
    for (name, field) in [
        ("Content-Length", "Content-Length: 5"),
        ("Transfer-Encoding", "Transfer-Encoding: chunked"),
        ("Host", "Host: evil.test"),
        ("Cookie", "Cookie: sessionid=evil"),
        ("Authorization", "Authorization: Basic ZTp2aWw="),
        ("Content-Encoding", "Content-Encoding: gzip"),
        ("Content-Type", "Content-Type: text/evil"),
        ("Connection", "Connection: close"),
        ("Upgrade", "Upgrade: websocket"),
        ("X-Forwarded-For", "X-Forwarded-For: 127.0.0.1"),
        ("X-Forwarded-Proto", "X-Forwarded-Proto: http"),
        ("X-Forwarded-Host", "X-Forwarded-Host: evil.test"),
        ("Forwarded", "Forwarded: for=1"),
        ("X-Real-IP", "X-Real-IP: 127.0.0.1"),
        ("X_Forwarded_For", "X_Forwarded_For: 127.0.0.1"),
        ("X.Forwarded.For", "X.Forwarded.For: 127.0.0.1"),
        ("X-Original-URL", "X-Original-URL: /admin"),
        ("X-Rewrite-URL", "X-Rewrite-URL: /admin"),
        ("True-Client-IP", "True-Client-IP: 127.0.0.1"),
        ("CF-Connecting-IP", "CF-Connecting-IP: 127.0.0.1"),
        ("Remote-User", "Remote-User: admin"),
        ("X-SSL-Client-Cert", "X-SSL-Client-Cert: x"),
        ("Proxy", "Proxy: http://evil.test"),
    ] {
        // The app may have Host and the X-Forwarded fields of ours, but no trailer.
        let input = post(&format!("5⏎hello⏎0⏎{field}⏎⏎"));
        let want = Want::Passed(vec![hello.clone().without_trailer(name)]);
        cases.one(
            FORBIDDEN,
            want,
            Tail::Request,
            &format!("the trailer {name}"),
            &input,
        );
    }
    let checksum = post("5⏎hello⏎0⏎X-Checksum: abc⏎⏎");
    let body = hello.clone().without_header("x-checksum");
    cases.passed(MERGE, &body, &[("a trailer that may be one", &checksum)]);
    judge("chunks passed", Listener::Https, "", cases);
}
