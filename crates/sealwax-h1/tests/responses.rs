//! Response heads: what is accepted, and next to it what is refused and by which rule.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use sealwax_h1::{Asked, Framing, Limits, ResponseHead, ResponseParser, Rule, Version};

const GET: Asked<'_> = Asked {
    head: false,
    upgrade: None,
};
const HEAD: Asked<'_> = Asked {
    head: true,
    upgrade: None,
};

fn parse(asked: &Asked<'_>, input: &str) -> Result<Option<ResponseHead>, Rule> {
    ResponseParser::new(Limits::RESPONSE)
        .parse(input.as_bytes(), asked, &mut Vec::new())
        .map_err(|refusal| refusal.rule)
}

fn accepted(asked: &Asked<'_>, input: &str) -> ResponseHead {
    match parse(asked, input) {
        Ok(Some(head)) => head,
        other => panic!("{input:?}: {other:?}"),
    }
}

fn refused(asked: &Asked<'_>, input: &str, rule: Rule) {
    assert_eq!(parse(asked, input), Err(rule), "{input:?}");
}

#[test]
fn a_plain_response_is_read() {
    let input = b"HTTP/1.1 404 Not  Found \t\xe9\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc";
    let mut fields = Vec::new();
    let head = ResponseParser::new(Limits::RESPONSE)
        .parse(input, &GET, &mut fields)
        .expect("good")
        .expect("whole");
    assert_eq!(head.status, 404);
    assert_eq!(head.version, Version::Http11);
    assert_eq!(&input[head.reason.clone()], b"Not  Found \t\xe9");
    assert_eq!(head.framing, Framing::Length(3));
    assert!(head.keep_alive && !head.is_interim());
    assert_eq!(&input[head.length..], b"abc");
    assert_eq!(&input[fields[0].name()], b"Server");
}

#[test]
fn the_status_line_is_exact_but_for_a_missing_empty_reason() {
    for (line, reason) in [
        ("HTTP/1.1 200 OK", "OK"),
        ("HTTP/1.0 200 OK", "OK"),
        ("HTTP/1.1 200 ", ""),
        ("HTTP/1.1 200", ""),
        ("HTTP/1.1 200  ", " "),
        ("HTTP/1.1 599 x", "x"),
        ("HTTP/1.1 299 x", "x"),
    ] {
        let input = format!("{line}\r\nContent-Length: 0\r\n\r\n");
        let head = accepted(&GET, &input);
        assert_eq!(&input[head.reason.clone()], reason, "{line:?}");
    }
    for (line, rule) in [
        ("\r\nHTTP/1.1 200 OK", Rule::Version),
        ("http/1.1 200 OK", Rule::Version),
        ("HTTP 200 OK", Rule::Version),
        ("ICY 200 OK", Rule::Version),
        ("<html>", Rule::Version),
        (" HTTP/1.1 200 OK", Rule::Version),
        ("HTTP/1.2 200 OK", Rule::VersionUnsupported),
        ("HTTP/2 200", Rule::VersionUnsupported),
        ("HTTP/2.0 200 OK", Rule::VersionUnsupported),
        ("HTTP/1.1  200 OK", Rule::StatusLine),
        ("HTTP/1.1\t200 OK", Rule::StatusLine),
        ("HTTP/1.1200 OK", Rule::StatusLine),
        ("HTTP/1.1 20 OK", Rule::StatusLine),
        ("HTTP/1.1 2000 OK", Rule::StatusLine),
        ("HTTP/1.1 +20 OK", Rule::StatusLine),
        ("HTTP/1.1 OK", Rule::StatusLine),
        ("HTTP/1.1 200\tOK", Rule::StatusLine),
        ("HTTP/1.1 200OK", Rule::StatusLine),
        ("HTTP/1.1 200 O\0K", Rule::StatusLine),
        ("HTTP/1.1 200 O\u{7f}", Rule::StatusLine),
        ("HTTP/1.1 ", Rule::StatusLine),
        ("HTTP/1.1", Rule::StatusLine),
        ("HTTP/1.1 099 x", Rule::StatusRange),
        ("HTTP/1.1 000 x", Rule::StatusRange),
        ("HTTP/1.1 600 x", Rule::StatusRange),
        ("HTTP/1.1 999 x", Rule::StatusRange),
        ("HTTP/1.1 200 OK\n", Rule::BareLf),
        ("HTTP/1.1 200\n", Rule::BareLf),
        ("HTTP/1.1 2\n", Rule::BareLf),
        ("HTTP/1.1\n", Rule::BareLf),
        ("HTTP\n", Rule::BareLf),
        ("HTTP/1.1 200 a\rb", Rule::BareCr),
        ("HTTP/1.1 200\rb", Rule::BareCr),
    ] {
        refused(&GET, &format!("{line}\r\nContent-Length: 0\r\n\r\n"), rule);
    }
}

#[test]
fn framing_follows_the_status_the_method_and_the_fields() {
    let length = "Content-Length: 5\r\n";
    let zero = "Content-Length: 0\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (asked, status, fields, framing, keep_alive) in [
        (GET, 200, length, Framing::Length(5), true),
        (GET, 200, zero, Framing::Length(0), true),
        (GET, 200, chunked, Framing::Chunked, true),
        (GET, 200, "", Framing::UntilClose, false),
        (
            GET,
            200,
            "Connection: keep-alive\r\n",
            Framing::UntilClose,
            false,
        ),
        (GET, 404, "", Framing::UntilClose, false),
        (GET, 205, zero, Framing::Length(0), true),
        (HEAD, 200, length, Framing::Empty, true),
        (HEAD, 200, chunked, Framing::Empty, true),
        (HEAD, 200, "", Framing::Empty, true),
        (GET, 304, length, Framing::Empty, true),
        (GET, 304, chunked, Framing::Empty, true),
        (GET, 304, "", Framing::Empty, true),
        (GET, 204, "", Framing::Empty, true),
        (GET, 204, zero, Framing::Empty, true),
        (GET, 204, length, Framing::Empty, false),
        (GET, 204, chunked, Framing::Empty, false),
        (GET, 100, "", Framing::Empty, true),
        (GET, 103, zero, Framing::Empty, true),
        (GET, 199, "", Framing::Empty, true),
    ] {
        let head = accepted(&asked, &format!("HTTP/1.1 {status} x\r\n{fields}\r\n"));
        assert_eq!(head.framing, framing, "{status} {fields:?}");
        assert_eq!(head.keep_alive, keep_alive, "{status} {fields:?}");
    }
    for (fields, keep_alive) in [
        ("Connection: close\r\n", false),
        ("Connection: x\r\n", true),
    ] {
        // Another option than close is the name of a field, here.
        let head = accepted(&GET, &format!("HTTP/1.1 200 x\r\n{length}{fields}\r\n"));
        assert_eq!(head.keep_alive, keep_alive, "{fields:?}");
        assert_eq!(head.nominates, keep_alive, "{fields:?}");
    }
    for (fields, keep_alive) in [("", false), ("Connection: keep-alive\r\n", true)] {
        let head = accepted(&GET, &format!("HTTP/1.0 200 x\r\n{length}{fields}\r\n"));
        assert_eq!(head.keep_alive, keep_alive, "HTTP/1.0 {fields:?}");
    }
}

#[test]
fn what_frames_twice_is_refused_even_where_there_is_no_body() {
    for asked in [GET, HEAD] {
        for status in [200, 204, 304, 100] {
            for (fields, rule) in [
                (
                    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                    Rule::FramingBoth,
                ),
                (
                    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                    Rule::FramingBoth,
                ),
                (
                    "Content-Length: 5\r\nContent-Length: 5\r\n",
                    Rule::LengthRepeated,
                ),
                ("Content-Length: 5,5\r\n", Rule::Length),
                (
                    "Transfer-Encoding: gzip, chunked\r\n",
                    Rule::CodingUnsupported,
                ),
                ("Transfer-Encoding: identity\r\n", Rule::Coding),
                (
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                    Rule::CodingRepeated,
                ),
                ("Connection: a b\r\n", Rule::Connection),
            ] {
                refused(
                    &asked,
                    &format!("HTTP/1.1 {status} x\r\n{fields}\r\n"),
                    rule,
                );
            }
        }
    }
    let old = "HTTP/1.0 200 x\r\nTransfer-Encoding: chunked\r\n\r\n";
    refused(&GET, old, Rule::CodingHttp10);
    // What only a request is judged by.
    let both = "HTTP/1.1 200 x\r\nHost: a\r\nHost: b\r\nExpect: x\r\nContent-Length: 0\r\n\r\n";
    accepted(&GET, both);
}

#[test]
fn an_interim_response_has_no_body_and_is_one_of_few() {
    for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        for status in [100, 101, 103] {
            let input = format!("HTTP/1.1 {status} x\r\n{fields}\r\n");
            refused(&GET, &input, Rule::InterimBody);
        }
    }
    let limits = Limits {
        interim: 2,
        ..Limits::RESPONSE
    };
    let mut parser = ResponseParser::new(limits);
    let mut fields = Vec::new();
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let mut next = |input: &[u8]| parser.parse(input, &GET, &mut fields);
    for _ in 0..2 {
        assert_eq!(next(&interim[..20]), Ok(None));
        let head = next(interim).expect("good").expect("whole");
        assert!(head.is_interim() && head.length == interim.len());
    }
    let last = next(b"HTTP/1.1 200 OK\r\n\r\n")
        .expect("good")
        .expect("whole");
    assert!(!last.is_interim());
    let mut parser = ResponseParser::new(limits);
    let mut next = |input: &[u8]| parser.parse(input, &GET, &mut fields);
    assert!(next(interim).is_ok() && next(interim).is_ok());
    let refusal = next(interim).expect_err("a third");
    assert_eq!(refusal.rule, Rule::InterimFlood);
}

#[test]
fn protocols_are_switched_only_as_offered() {
    let asked = |upgrade| Asked {
        head: false,
        upgrade,
    };
    let answer = |fields: &str| format!("HTTP/1.1 101 x\r\n{fields}\r\n");
    let websocket = answer("Connection: Upgrade\r\nUpgrade: WebSocket\r\n");
    for offered in ["websocket", "h2c, websocket", "foo/1 ,WEBSOCKET"] {
        let head = accepted(&asked(Some(offered.as_bytes())), &websocket);
        assert_eq!(head.framing, Framing::Tunnel, "{offered}");
        assert!(!head.keep_alive && !head.is_interim());
    }
    let two = answer("Connection: upgrade\r\nUpgrade: foo/1, bar\r\n");
    accepted(&asked(Some(b"bar, foo/1")), &two);

    let offered = asked(Some(b"websocket"));
    refused(&GET, &websocket, Rule::UpgradeUnasked);
    for (fields, rule) in [
        ("", Rule::UpgradeUnasked),
        ("Connection: upgrade\r\n", Rule::UpgradeUnasked),
        ("Upgrade: websocket\r\n", Rule::UpgradeUnasked),
        ("Connection: upgrade\r\nUpgrade:\r\n", Rule::UpgradeOther),
        (
            "Connection: upgrade\r\nUpgrade: evil\r\n",
            Rule::UpgradeOther,
        ),
        (
            "Connection: upgrade\r\nUpgrade: websocket/13\r\n",
            Rule::UpgradeOther,
        ),
        (
            "Connection: upgrade\r\nUpgrade: websocket, evil\r\n",
            Rule::UpgradeOther,
        ),
        (
            "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: evil\r\n",
            Rule::UpgradeOther,
        ),
        (
            "Connection: upgrade\r\nUpgrade: web socket\r\n",
            Rule::Upgrade,
        ),
    ] {
        refused(&offered, &answer(fields), rule);
    }
    let old = "HTTP/1.0 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    refused(&offered, old, Rule::UpgradeUnasked);
}

#[test]
fn what_is_as_large_as_a_limit_passes_and_one_more_is_refused() {
    let input = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: y\r\n\r\n";
    let line = "HTTP/1.1 200 OK\r\n".len();
    let parse = |start_line, head, fields| {
        let limits = Limits {
            start_line,
            head,
            fields,
            ..Limits::RESPONSE
        };
        let head = ResponseParser::new(limits).parse(input.as_bytes(), &GET, &mut Vec::new());
        head.map(|head| head.is_some())
            .map_err(|refusal| refusal.rule)
    };
    assert_eq!(parse(line, input.len(), 2), Ok(true));
    assert_eq!(parse(line - 1, input.len(), 2), Err(Rule::StatusLineLong));
    assert_eq!(parse(line, input.len() - 1, 2), Err(Rule::HeadLong));
    assert_eq!(parse(line, input.len(), 1), Err(Rule::HeadFields));
}
