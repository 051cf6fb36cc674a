//! Field lines: names, colons, values, line ends.

use crate::case::{Cases, Tail, Want, seen};
use crate::stage::{Listener, judge};
use crate::sweep;

const NAME: &str = "RFC 9110 §5.6.2: tchar = \"!\" / \"#\" / \"$\" / \"%\" / \"&\" / \"'\" / \"*\" / \"+\" / \"-\" / \".\" / \"^\" / \"_\" / \"`\" / \"|\" / \"~\" / DIGIT / ALPHA";
const COLON: &str = "RFC 9112 §5: field-line = field-name \":\" OWS field-value OWS";
const SPACE: &str = "RFC 9112 §5.1: A server MUST reject, with a response status code of 400 (Bad Request), any received request message that contains whitespace between a header field name and colon.";
const LEADING: &str = "RFC 9112 §2.2: A recipient that receives whitespace between the start-line and the first header field MUST either reject the message as invalid or consume each whitespace-preceded line without further processing of it …";
const FOLD: &str = "RFC 9112 §5.2: A server that receives an obs-fold in a request message … MUST either reject the message by sending a 400 (Bad Request) …";
const LF: &str = "RFC 9112 §2.2: … a recipient MAY recognize a single LF as a line terminator and ignore any preceding CR.";
const CR: &str = "RFC 9112 §2.2: A recipient of such a bare CR MUST consider that element to be invalid or replace each bare CR with SP before processing the element or forwarding the message.";
const NUL: &str =
    "RFC 9110 §5.5: Field values containing CR, LF, or NUL characters are invalid and dangerous …";
const CONTROL: &str = "RFC 9110 §5.5: Field values containing other CTL characters are also invalid; however, recipients MAY retain such characters for the sake of robustness when they appear within a safe context …";
const OBS: &str = "RFC 9110 §5.5: A recipient SHOULD treat other allowed octets in field content (i.e., obs-text) as opaque data.";

fn get(line: &str) -> String {
    format!("GET / HTTP/1.1⏎Host: HOST⏎{line}⏎⏎")
}

#[test]
fn a_line_that_is_no_field_is_refused() {
    let mut cases = Cases::default();
    for (why, name, line) in [
        (COLON, "no colon", "nonsense"),
        (COLON, "no name", ": x"),
        (COLON, "a colon alone", ":"),
        (COLON, "two words before the colon", "X A: b"),
        (
            COLON,
            "something like a start line",
            "GET /smuggled HTTP/1.1",
        ),
        (SPACE, "a space before the colon", "X-A : b"),
        (SPACE, "a tab before the colon", "X-A\t: b"),
        (SPACE, "spaces before the colon", "X-A   : b"),
        (SPACE, "only spaces before the colon", "   : b"),
        (FOLD, "folded with a space", "X-A: b⏎ c"),
        (FOLD, "folded with a tab", "X-A: b⏎\tc"),
        (FOLD, "folded into nothing", "X-A: b⏎ "),
        (
            FOLD,
            "folded into what looks like a field",
            "X-A: b⏎ X-B: c",
        ),
        (FOLD, "folded after an empty value", "X-A:⏎ b"),
        (LF, "an LF for a line end", "X-A: b\nX-B: c"),
        (LF, "an LF before a line end", "X-A: b\n⏎X-B: c"),
        (LF, "an LF in a name", "X-\nA: b"),
        (LF, "an LF before a colon", "X-A\n: b"),
        (LF, "an LF after a colon", "X-A:\nb"),
        (
            LF,
            "two LFs, as if the head ended",
            "X-A: b\n\nGET /smuggled HTTP/1.1",
        ),
        (CR, "a CR in a value", "X-A: b\rc"),
        (CR, "a CR and a field in a value", "X-A: b\rX-B: c"),
        (
            CR,
            "two CRs, as if the head ended",
            "X-A: b\r\rGET /smuggled HTTP/1.1",
        ),
        (CR, "a CR before a line end", "X-A: b\r"),
        (CR, "a CR before a name", "\rX-A: b"),
        (CR, "a CR in a name", "X\r-A: b"),
        (CR, "a CR after a colon", "X-A:\rb"),
        (NUL, "a NUL in a value", "X-A: b\0c"),
        (NUL, "a NUL for a value", "X-A: \0"),
        (NUL, "a NUL in a name", "X\0-A: b"),
        (NAME, "a name in quotes", "\"X-A\": b"),
        (NAME, "a name in brackets", "[X-A]: b"),
        (NAME, "a name with a slash", "X/A: b"),
        (NAME, "a name with an at", "X@A: b"),
        (NAME, "a name with a comma", "X,A: b"),
        (NAME, "a name with a semicolon", "X;A: b"),
        (NAME, "a name with an equals sign", "X=A: b"),
        (NAME, "a name in another script", "X-\u{e9}: b"),
        (NAME, "a name as of HTTP/2", ":path: /evil"),
    ] {
        cases.refused(why, &[(name, &get(line))]);
    }
    for (why, name, input) in [
        (
            LEADING,
            "a space before the first name",
            "GET / HTTP/1.1⏎ Host: HOST⏎⏎",
        ),
        (
            LEADING,
            "a tab before the first name",
            "GET / HTTP/1.1⏎\tHost: HOST⏎⏎",
        ),
        (
            LEADING,
            "a line of spaces first",
            "GET / HTTP/1.1⏎  ⏎Host: HOST⏎⏎",
        ),
        (
            LEADING,
            "a field behind a space first",
            "GET / HTTP/1.1⏎ X-A: b⏎Host: HOST⏎⏎",
        ),
        (
            LF,
            "an LF after the request line",
            "GET / HTTP/1.1\nHost: HOST⏎⏎",
        ),
        (
            LF,
            "an LF after the last field",
            "GET / HTTP/1.1⏎Host: HOST\n⏎",
        ),
        (
            LF,
            "an LF at the end of the head",
            "GET / HTTP/1.1⏎Host: HOST⏎\n",
        ),
        (LF, "nothing but LFs", "GET / HTTP/1.1\nHost: HOST\n\n"),
        (
            CR,
            "a CR after the request line",
            "GET / HTTP/1.1\rHost: HOST⏎⏎",
        ),
        (
            CR,
            "a CR at the end of the head",
            "GET / HTTP/1.1⏎Host: HOST⏎\r⏎",
        ),
        (CR, "nothing but CRs", "GET / HTTP/1.1\rHost: HOST\r\r"),
        (
            CR,
            "two CRs and LF everywhere",
            "GET / HTTP/1.1\r\r\nHost: HOST\r\r\n\r\r\n",
        ),
    ] {
        cases.refused(why, &[(name, input)]);
    }
    judge("field lines", Listener::Https, "", cases);
}

#[test]
fn a_field_is_passed_on_as_it_came() {
    let mut cases = Cases::default();
    for (name, line, value) in [
        ("obs-text in a value", "X-A: caf\u{e9}", "caf\u{e9}"),
        (
            "UTF-8 in a value",
            "X-A: caf\u{c3}\u{a9}",
            "caf\u{c3}\u{a9}",
        ),
        (
            "a no-break space at the edge",
            "X-A: \u{a0}b\u{a0}",
            "\u{a0}b\u{a0}",
        ),
        ("a tab in a value", "X-A: b\tc", "b\tc"),
        ("spaces in a value", "X-A: b  c", "b  c"),
        ("an empty value", "X-A:", ""),
        ("a value of spaces", "X-A:    ", ""),
        ("white space around", "X-A: \t b \t ", "b"),
        ("no space", "X-A:b", "b"),
        ("a colon in a value", "X-A: b:c", "b:c"),
        ("a colon first", "X-A::b", ":b"),
        ("quotes", "X-A: \"b", "\"b"),
        ("the name in capitals", "X-A: b", "b"),
    ] {
        let seen = seen("GET", "/").with("x-a", value);
        cases.passed(OBS, &seen, &[(name, &get(line))]);
    }
    let odd = "!#$%&'*+-^`|~09azAZ: b";
    cases.passed(
        NAME,
        &seen("GET", "/").with("!#$%&'*+-^`|~09azAZ", "b"),
        &[("every odd sign in a name", &get(odd))],
    );
    for (name, line, folded) in [
        ("an underscore in a name", "X_A: b", "x_a"),
        ("a point in a name", "X.A: b", "x.a"),
        ("an underscore first", "_X: b", "_x"),
        (
            "an underscore that hides a real one",
            "X_Forwarded_For: 127.0.0.1",
            "x_forwarded_for",
        ),
        (
            "one underscore of two",
            "X-Forwarded_Proto: https",
            "x-forwarded_proto",
        ),
        ("an underscore in Host", "Ho_st: evil", "ho_st"),
    ] {
        cases.passed(
            NAME,
            &seen("GET", "/").without(folded),
            &[(name, &get(line))],
        );
    }
    judge("fields passed", Listener::Https, "", cases);
}

/// Every byte there is, in a name and in a value.
#[test]
fn each_byte_has_its_place_or_none() {
    for (family, in_name) in [("bytes in a name", true), ("bytes in a value", false)] {
        let mut cases = Cases::default();
        for byte in 0..=255_u8 {
            let character = char::from(byte);
            let name = format!("{byte:#04x}");
            let (line, passes) = if in_name {
                let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-^`|~_.".contains(&byte);
                (format!("X{character}A: b"), token || byte == b':')
            } else {
                let text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
                (format!("X-A: b{character}c"), text)
            };
            let mut seen = seen("GET", "/");
            if !in_name {
                let value = format!("b{character}c");
                seen = seen.with("x-a", &value);
            }
            let (want, why) = match (passes, in_name) {
                (true, true) => (Want::Passed(vec![seen]), NAME),
                (true, false) => (Want::Passed(vec![seen]), OBS),
                (false, true) => (Want::Refused(&[400]), NAME),
                (false, false) => (Want::Refused(&[400]), CONTROL),
            };
            cases.one(why, want, Tail::Request, &name, &get(&line));
        }
        judge(family, Listener::Http, "", cases);
    }
}

/// The field that names the host, bent by each of the bytes that some parsers skip.
#[test]
fn a_host_bent_by_one_byte_is_refused() {
    let mut cases = Cases::default();
    for byte in sweep::SKIPPED {
        for (place, line) in sweep::bent("Host", "HOST", byte) {
            // `bent` cuts the placeholder in two: a host of another name, if of any.
            let outside = matches!(place, "after the colon" | "at the end");
            let want = if outside && matches!(byte, 9 | 32) {
                Want::Passed(vec![seen("GET", "/").with("host", "HOST")])
            } else if matches!(byte, 9 | 32 | 0xa0..) && (outside || place == "in the value") {
                // A field like any other, but no host.
                Want::Denied(&[400])
            } else {
                Want::Refused(&[400])
            };
            let name = format!("{byte:#04x} {place}");
            let input = format!("GET / HTTP/1.1⏎{line}⏎⏎");
            cases.one(COLON, want, Tail::Request, &name, &input);
        }
    }
    judge("bent hosts", Listener::Https, "", cases);
}
