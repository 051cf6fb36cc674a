//! Request heads: what is accepted, and next to it what is refused and by which rule.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use sealwax_h1::{Field, Framing, Limits, RequestHead, RequestParser, Rule, TargetForm, Version};

type Parsed = Result<Option<(RequestHead, Vec<Field>)>, (Rule, usize)>;

fn parse_with(limits: Limits, input: &[u8]) -> Parsed {
    let mut fields = Vec::new();
    match RequestParser::new(limits).parse(input, &mut fields) {
        Ok(head) => Ok(head.map(|head| (head, fields))),
        Err(refusal) => Err((refusal.rule, refusal.at)),
    }
}

fn accepted(input: &str) -> RequestHead {
    match parse_with(Limits::REQUEST, input.as_bytes()) {
        Ok(Some((head, _))) => head,
        other => panic!("{input:?}: {other:?}"),
    }
}

fn refused(input: &str, rule: Rule) {
    let result = parse_with(Limits::REQUEST, input.as_bytes());
    match result {
        Err((found, _)) => assert_eq!(found, rule, "{input:?}"),
        Ok(head) => panic!("{input:?} is not refused: {head:?}"),
    }
}

/// A request of which only the fields matter.
fn with(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[test]
fn a_plain_request_is_read() {
    let input = b"GET /a?b=c HTTP/1.1\r\nHost: app.example\r\nX-Empty:\r\nx-Blanks: \t a b\t \r\nX-High: \xc3\xa9\xff\r\n\r\nrest";
    let (head, fields) = parse_with(Limits::REQUEST, input)
        .expect("accepted")
        .expect("complete");
    assert_eq!(&input[head.method.clone()], b"GET");
    assert_eq!(&input[head.target.clone()], b"/a?b=c");
    assert_eq!(head.form, TargetForm::Origin);
    assert_eq!(head.version, Version::Http11);
    assert_eq!(head.framing, Framing::Empty);
    assert!(head.keep_alive && !head.upgrade && !head.expects_continue);
    assert_eq!(&input[head.length..], b"rest");
    let read: Vec<_> = fields
        .iter()
        .map(|field| (&input[field.name()], &input[field.value()]))
        .collect();
    assert_eq!(
        read,
        [
            (&b"Host"[..], &b"app.example"[..]),
            (b"X-Empty", b""),
            (b"x-Blanks", b"a b"),
            (b"X-High", b"\xc3\xa9\xff"),
        ]
    );
}

#[test]
fn the_request_line_is_exact() {
    for good in [
        "GET / HTTP/1.1",
        "GET /%0d%0aSet-Cookie:x=1 HTTP/1.1",
        "GET //evil.example/..%2f HTTP/1.1",
        "M-SEARCH~!#$%&'*+.^_`| / HTTP/1.1",
        "get / HTTP/1.1",
        "GET /{}|\\^`\"<>[] HTTP/1.1",
    ] {
        accepted(&format!("{good}\r\nHost: a\r\n\r\n"));
    }
    for (bad, rule) in [
        (" GET / HTTP/1.1", Rule::RequestLine),
        ("GET  / HTTP/1.1", Rule::RequestLine),
        ("GET /  HTTP/1.1", Rule::Version),
        ("GET / HTTP/1.1 ", Rule::RequestLine),
        ("GET / x HTTP/1.1", Rule::Version),
        ("GET /", Rule::RequestLine),
        ("GET / ", Rule::Version),
        ("GET", Rule::RequestLine),
        ("GET\t/ HTTP/1.1", Rule::Method),
        ("G(T / HTTP/1.1", Rule::Method),
        ("G\u{e9}T / HTTP/1.1", Rule::Method),
        ("\u{16}\u{3}\u{1}", Rule::Method),
        ("GET /\t HTTP/1.1", Rule::Target),
        ("GET /a#b HTTP/1.1", Rule::Target),
        ("GET /\u{e9} HTTP/1.1", Rule::Target),
        ("GET /\u{7f} HTTP/1.1", Rule::Target),
        ("GET /\0 HTTP/1.1", Rule::Target),
        ("GET / http/1.1", Rule::Version),
        ("GET / Http/1.1", Rule::Version),
        ("GET / HTTP/1.10", Rule::RequestLine),
        ("GET / HTTP/1,1", Rule::Version),
        ("GET / HTTP/+1.1", Rule::Version),
        ("GET / HTTP/1.a", Rule::Version),
        ("GET / HTTP/01.1", Rule::VersionUnsupported),
        ("GET / HTTP/1.2", Rule::VersionUnsupported),
        ("GET / HTTP/1.9", Rule::VersionUnsupported),
        ("GET / HTTP/2.0", Rule::VersionUnsupported),
        ("GET / HTTP/0.9", Rule::VersionUnsupported),
        ("PRI * HTTP/2.0", Rule::TargetForm),
        ("GET / ICY/1.1", Rule::Version),
        ("GET / HTTPS/1.1", Rule::Version),
    ] {
        refused(&format!("{bad}\r\nHost: a\r\n\r\n"), rule);
    }
}

#[test]
fn each_form_of_target_goes_with_its_methods() {
    for (line, form) in [
        ("GET /", TargetForm::Origin),
        ("OPTIONS /", TargetForm::Origin),
        ("OPTIONS *", TargetForm::Asterisk),
        ("OPTIONS http://a", TargetForm::Absolute),
        ("GET http://a", TargetForm::Absolute),
        ("GET HTTPS://a:443/x?y", TargetForm::Absolute),
        ("GET http://a?x@y", TargetForm::Absolute),
        ("GET http://a/x@y", TargetForm::Absolute),
        ("GET http://[::1]:80/", TargetForm::Absolute),
        ("CONNECT a:443", TargetForm::Authority),
        ("CONNECT [::1]:1", TargetForm::Authority),
    ] {
        let head = accepted(&format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(head.form, form, "{line}");
    }
    for (line, rule) in [
        ("GET *", Rule::TargetForm),
        ("options *", Rule::TargetForm),
        ("OPTIONS **", Rule::TargetForm),
        ("GET a:443", Rule::TargetForm),
        ("GET a", Rule::TargetForm),
        ("GET ?x", Rule::TargetForm),
        ("GET ftp://a/", Rule::TargetForm),
        ("GET http:///x", Rule::TargetForm),
        ("GET http://", Rule::TargetForm),
        ("GET http://?x", Rule::TargetForm),
        ("GET http:/a", Rule::TargetForm),
        ("GET http://a\\@b/", Rule::TargetForm),
        ("GET http://user@a/", Rule::TargetUserinfo),
        ("GET http://user:word@a", Rule::TargetUserinfo),
        ("GET http://@a", Rule::TargetUserinfo),
        ("CONNECT /", Rule::TargetForm),
        ("CONNECT *", Rule::TargetForm),
        ("CONNECT a", Rule::TargetForm),
        ("CONNECT a:", Rule::TargetForm),
        ("CONNECT a:0", Rule::TargetForm),
        ("CONNECT a:+1", Rule::TargetForm),
        ("CONNECT a:65536", Rule::TargetForm),
        ("CONNECT :443", Rule::TargetForm),
        ("CONNECT ::1:443", Rule::TargetForm),
        ("CONNECT http://a:443/", Rule::TargetForm),
        ("CONNECT http://a:443", Rule::TargetForm),
        ("CONNECT u@a:443", Rule::TargetUserinfo),
    ] {
        refused(&format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"), rule);
    }
}

#[test]
fn one_empty_line_before_a_request_is_ignored_and_no_second() {
    let head = accepted("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head.method, 2..5);
    assert_eq!(head.length, 29);
    refused(
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        Rule::RequestLine,
    );
    refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Rule::BareLf);
    refused("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Rule::BareCr);

    let parser = RequestParser::new(Limits::REQUEST);
    for nothing in ["", "\r", "\r\n"] {
        assert!(!parser.has_begun(nothing.as_bytes()), "{nothing:?}");
        assert_eq!(parse_with(Limits::REQUEST, nothing.as_bytes()), Ok(None));
    }
    for something in ["G", "\r\nG", "\n", "\0"] {
        assert!(parser.has_begun(something.as_bytes()), "{something:?}");
    }
}

#[test]
fn lines_end_with_cr_lf_and_nothing_else() {
    refused("GET / HTTP/1.1\nHost: a\n\n", Rule::BareLf);
    refused("GET\n/ HTTP/1.1\r\n", Rule::BareLf);
    refused("GET /\n", Rule::BareLf);
    refused("GET / \n", Rule::BareLf);
    refused("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", Rule::BareLf);
    refused("GET / HTTP/1.1\r\nHost: a\r\n\n", Rule::BareLf);
    refused("GET / HTTP/1.1\r\nHost\n: a\r\n\r\n", Rule::BareLf);
    refused("GET / HTTP/1.1\rHost: a\r\n\r\n", Rule::BareCr);
    refused("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", Rule::BareCr);
    refused("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Rule::BareCr);
    refused("GET / HTTP/1.1\r\nHost: a\r\n\rGET", Rule::BareCr);
    refused(&with("X: X\nTransfer-Encoding: chunked\r\n"), Rule::BareLf);
}

#[test]
fn field_lines_are_a_token_a_colon_and_a_value() {
    for good in [
        "a:b",
        "A-1_.!#$%&'*+^`|~: b",
        "X: \u{80}\u{ff}",
        "X:\t\ty\t",
    ] {
        accepted(&with(&format!("{good}\r\n")));
    }
    for (bad, rule) in [
        (": b", Rule::FieldName),
        ("x", Rule::FieldName),
        ("x=y", Rule::FieldName),
        ("x@y: z", Rule::FieldName),
        ("x\"y\": z", Rule::FieldName),
        ("\u{e9}: z", Rule::FieldName),
        ("x\0: z", Rule::FieldName),
        ("x : y", Rule::FieldSpace),
        ("x\t: y", Rule::FieldSpace),
        ("x y: z", Rule::FieldSpace),
        ("Transfer-Encoding : chunked", Rule::FieldSpace),
        (" x: y", Rule::FieldFolded),
        ("\tx", Rule::FieldFolded),
        ("Transfer-Encoding:\r\n chunked", Rule::FieldFolded),
        ("x: a\0b", Rule::FieldValue),
        ("x: a\u{1}", Rule::FieldValue),
        ("x: a\u{b}", Rule::FieldValue),
        ("x: a\u{1b}[0m", Rule::FieldValue),
        ("x: a\u{7f}", Rule::FieldValue),
    ] {
        refused(&with(&format!("{bad}\r\n")), rule);
    }
    // White space directly after the request line hides a field too (RFC 9112 §2.2).
    refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Rule::FieldFolded);
}

#[test]
fn framing_has_one_reading_or_none() {
    for (fields, framing) in [
        ("", Framing::Empty),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("content-length:5\r\n", Framing::Length(5)),
        ("CONTENT-LENGTH:   5  \r\n", Framing::Length(5)),
        (
            "Content-Length: 9223372036854775807\r\n",
            Framing::Length(i64::MAX as u64),
        ),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("transfer-encoding:  CHUNKED \r\n", Framing::Chunked),
        // Other names: they do not frame here; who reads them otherwise must not get them.
        ("Transfer_Encoding: chunked\r\n", Framing::Empty),
        ("Content_Length: 5\r\n", Framing::Empty),
        ("X-Content-Length: 5\r\n", Framing::Empty),
    ] {
        assert_eq!(accepted(&with(fields)).framing, framing, "{fields:?}");
    }
    for (fields, rule) in [
        (
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            Rule::FramingBoth,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
            Rule::FramingBoth,
        ),
        (
            "Content-Length: 0\r\nX: y\r\nTransfer-Encoding: xchunked\r\n",
            Rule::FramingBoth,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: x\r\n",
            Rule::FramingBoth,
        ),
        (
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            Rule::LengthRepeated,
        ),
        (
            "Content-Length: 5\r\ncontent-length: 5\r\n",
            Rule::LengthRepeated,
        ),
        ("Content-Length: 5, 5\r\n", Rule::Length),
        ("Content-Length: 5\t\r\n", Rule::Length),
        ("Content-Length:\t5\r\n", Rule::Length),
        ("Content-Length: 5,\r\n", Rule::Length),
        ("Content-Length:\r\n", Rule::Length),
        ("Content-Length: +5\r\n", Rule::Length),
        ("Content-Length: -5\r\n", Rule::Length),
        ("Content-Length: 5 5\r\n", Rule::Length),
        ("Content-Length: 0x5\r\n", Rule::Length),
        ("Content-Length: 5.0\r\n", Rule::Length),
        ("Content-Length: 5e1\r\n", Rule::Length),
        ("Content-Length: \"5\"\r\n", Rule::Length),
        ("Content-Length: \u{0665}\r\n", Rule::Length),
        ("Content-Length: 05\r\n", Rule::Length),
        ("Content-Length: 00\r\n", Rule::Length),
        ("Content-Length: 9223372036854775808\r\n", Rule::Length),
        ("Content-Length: 18446744073709551616\r\n", Rule::Length),
        ("Content-Length: 99999999999999999999999\r\n", Rule::Length),
        ("Transfer-Encoding:\r\n", Rule::Coding),
        ("Transfer-Encoding: identity\r\n", Rule::Coding),
        ("Transfer-Encoding: xchunked\r\n", Rule::Coding),
        ("Transfer-Encoding: chunkedx\r\n", Rule::Coding),
        ("Transfer-Encoding: chunked, cow\r\n", Rule::Coding),
        ("Transfer-Encoding: identity, chunked\r\n", Rule::Coding),
        ("Transfer-Encoding: cow, chunked\r\n", Rule::Coding),
        ("Transfer-Encoding: chunked, chunked\r\n", Rule::Coding),
        ("Transfer-Encoding: chunked, gzip\r\n", Rule::Coding),
        ("Transfer-Encoding: gzip\r\n", Rule::Coding),
        ("Transfer-Encoding: , chunked\r\n", Rule::Coding),
        ("Transfer-Encoding: chunked,\r\n", Rule::Coding),
        ("Transfer-Encoding: chunked\t\r\n", Rule::Coding),
        ("Transfer-Encoding:\tchunked\r\n", Rule::Coding),
        ("Transfer-Encoding: \t chunked \t \r\n", Rule::Coding),
        ("Transfer-Encoding: \"chunked\"\r\n", Rule::Coding),
        ("Transfer-Encoding: chunked;q=1\r\n", Rule::Coding),
        (
            "Transfer-Encoding: gzip, chunked\r\n",
            Rule::CodingUnsupported,
        ),
        (
            "Transfer-Encoding: GZIP ,chunked\r\n",
            Rule::CodingUnsupported,
        ),
        (
            "Transfer-Encoding: deflate,x-gzip, chunked\r\n",
            Rule::CodingUnsupported,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Rule::CodingRepeated,
        ),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            Rule::CodingRepeated,
        ),
        // A later fault of syntax does not hide behind an earlier one of meaning.
        (
            "Content-Length: 5\r\nContent-Length: 6\r\nX : y\r\n",
            Rule::FieldSpace,
        ),
    ] {
        refused(&with(fields), rule);
    }
    refused(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        Rule::CodingHttp10,
    );
}

#[test]
fn the_host_stands_once() {
    accepted("GET / HTTP/1.1\r\nhOST:\r\n\r\n");
    accepted("GET / HTTP/1.0\r\n\r\n");
    accepted("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    refused("GET / HTTP/1.1\r\n\r\n", Rule::HostMissing);
    refused("GET http://a/ HTTP/1.1\r\n\r\n", Rule::HostMissing);
    refused("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", Rule::HostMissing);
    refused(&with("Host: a\r\n"), Rule::HostRepeated);
    refused(&with("HOST: b\r\n"), Rule::HostRepeated);
    refused(
        "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
        Rule::HostRepeated,
    );
    refused(&with("Host : b\r\n"), Rule::FieldSpace);
}

#[test]
fn the_connection_lives_as_the_version_and_its_options_say() {
    for (version, fields, keep_alive) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: CLOSE\r\n", false),
        ("1.1", "Connection: x , close\r\n", false),
        (
            "1.1",
            "Connection: keep-alive\r\nConnection: close\r\n",
            false,
        ),
        ("1.1", "Connection: close, keep-alive\r\n", false),
        ("1.1", "Connection: ,, keep-alive,\r\n", true),
        ("1.1", "Connection:\r\n", true),
        ("1.1", "Connection: closed\r\n", true),
        ("1.1", "Proxy-Connection: close\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: Keep-Alive, close\r\n", false),
    ] {
        let head = accepted(&format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(head.keep_alive, keep_alive, "HTTP/{version} {fields:?}");
    }
    for (fields, nominates) in [
        ("", false),
        ("Connection: Close, KEEP-alive,, upgrade\r\n", false),
        ("Connection: close\r\nConnection: close, te\r\n", true),
        ("Connection: x\r\nConnection: keep-alive\r\n", true),
    ] {
        assert_eq!(accepted(&with(fields)).nominates, nominates, "{fields:?}");
    }
    for bad in ["close;x", "\"close\"", "close x", "close\u{e9}", "a=b"] {
        refused(&with(&format!("Connection: {bad}\r\n")), Rule::Connection);
    }
}

#[test]
fn an_upgrade_is_asked_for_in_http_1_1_with_both_fields_and_no_body() {
    let both = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    for (fields, upgrade) in [
        (both, true),
        ("Connection: upgrade\r\nUpgrade: foo/2, bar\r\n", true),
        (
            "Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n",
            true,
        ),
        ("Upgrade: websocket\r\n", false),
        ("Connection: upgrade\r\n", false),
        ("Connection: upgrade\r\nUpgrade:\r\n", false),
        // Withdrawn: never switched to.
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\n",
            false,
        ),
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 5\r\n",
            false,
        ),
        // Not asked for, so the body is only a body.
        ("Upgrade: websocket\r\nContent-Length: 5\r\n", false),
    ] {
        assert_eq!(accepted(&with(fields)).upgrade, upgrade, "{fields:?}");
    }
    accepted(&with(&format!("{both}Content-Length: 0\r\n")));
    refused(
        &with(&format!("{both}Content-Length: 30\r\n")),
        Rule::UpgradeBody,
    );
    refused(
        &with(&format!("Transfer-Encoding: chunked\r\n{both}")),
        Rule::UpgradeBody,
    );
    let old = accepted(&format!(
        "POST / HTTP/1.0\r\nContent-Length: 5\r\n{both}\r\n"
    ));
    assert!(!old.upgrade, "HTTP/1.0 knows no Upgrade");
    for bad in ["web socket", "a/", "/a", "a/b/c", "\"websocket\"", "a;b"] {
        refused(&with(&format!("Upgrade: {bad}\r\n")), Rule::Upgrade);
    }
}

#[test]
fn connect_has_no_body() {
    let connect = |fields: &str| format!("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    accepted(&connect(""));
    accepted(&connect("Content-Length: 0\r\n"));
    refused(&connect("Content-Length: 5\r\n"), Rule::ConnectBody);
    refused(
        &connect("Transfer-Encoding: chunked\r\n"),
        Rule::ConnectBody,
    );
}

#[test]
fn the_only_expectation_is_100_continue() {
    assert!(accepted(&with("Expect: 100-continue\r\n")).expects_continue);
    assert!(accepted(&with("EXPECT: 100-Continue\r\n")).expects_continue);
    let old = "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n";
    assert!(!accepted(old).expects_continue, "HTTP/1.0 does not know it");
    accepted("POST / HTTP/1.0\r\nExpect: other\r\n\r\n");
    for bad in ["", "100", "200-ok", "100-continue, x", "100-continue;q=1"] {
        refused(&with(&format!("Expect: {bad}\r\n")), Rule::Expect);
    }
    refused(&with("Expect: 100-continue\r\nExpect: x\r\n"), Rule::Expect);
}

#[test]
fn what_is_as_large_as_a_limit_passes_and_one_more_is_refused() {
    let input = b"\r\nGET /abc HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    let line = "GET /abc HTTP/1.1\r\n".len();
    let limits = |start_line, head, fields| Limits {
        start_line,
        head,
        fields,
        ..Limits::REQUEST
    };
    let exact = limits(line, input.len(), 2);
    assert!(matches!(parse_with(exact, input), Ok(Some(_))));
    for (limits, rule) in [
        (limits(line - 1, input.len(), 2), Rule::RequestLineLong),
        (limits(line, input.len() - 1, 2), Rule::HeadLong),
        (limits(line, input.len(), 1), Rule::HeadFields),
        (limits(0, input.len(), 2), Rule::RequestLineLong),
        (limits(line, 0, 2), Rule::HeadLong),
        (limits(line, line, 2), Rule::HeadLong),
        (limits(line, input.len(), 0), Rule::HeadFields),
    ] {
        let result = parse_with(limits, input).map_err(|(rule, _)| rule);
        assert_eq!(result, Err(rule), "{limits:?}");
    }
    // An endless line is refused when the limit is full, not when it ends.
    let endless = [b"GET /".to_vec(), vec![b'a'; 16 * 1024 - 5]].concat();
    assert_eq!(
        parse_with(Limits::REQUEST, &endless),
        Err((Rule::RequestLineLong, 16 * 1024))
    );
    assert_eq!(parse_with(Limits::REQUEST, &endless[1..]).ok(), Some(None));
}

#[test]
fn a_refusal_does_not_wait_for_the_rest() {
    for (start, rule) in [
        ("\u{16}", Rule::Method),
        ("GET / HTTPS", Rule::Version),
        ("GET / HTTP/3", Rule::VersionUnsupported),
        ("GET x ", Rule::TargetForm),
        ("GET / HTTP/1.1\r\nHost: a\n", Rule::BareLf),
        ("GET / HTTP/1.1\r\nHost: a\rb", Rule::BareCr),
        ("GET / HTTP/1.1\r\nHost ", Rule::FieldSpace),
        ("GET / HTTP/1.1\r\nX: \0", Rule::FieldValue),
    ] {
        let bytes = start.as_bytes();
        refused(start, rule);
        let before = parse_with(Limits::REQUEST, &bytes[..bytes.len() - 1]);
        assert_eq!(before, Ok(None), "{start:?} without its last byte");
    }
}

#[test]
fn requests_follow_each_other_on_one_parser() {
    let input = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";
    let mut parser = RequestParser::new(Limits::REQUEST);
    let mut fields = Vec::new();
    let first = parser
        .parse(input, &mut fields)
        .expect("good")
        .expect("whole");
    assert_eq!(fields.len(), 1);
    let rest = &input[first.length..];
    assert_eq!(parser.parse(&rest[..20], &mut fields), Ok(None));
    assert!(fields.is_empty());
    let second = parser
        .parse(rest, &mut fields)
        .expect("good")
        .expect("whole");
    assert_eq!(&rest[second.target.clone()], b"/2");
    assert_eq!(second.length, rest.len());
    assert_eq!(fields.len(), 2);
}

#[test]
fn a_refusal_says_where() {
    for (input, at) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 26),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n", 28),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 25),
        ("GET / HTTP/1.1\r\n\r\n", 18),
        ("GET http://u@a/ HTTP/1.1\r\n", 4),
    ] {
        let result = parse_with(Limits::REQUEST, input.as_bytes());
        assert_eq!(result.map_err(|(_, at)| at), Err(at), "{input:?}");
    }
}
