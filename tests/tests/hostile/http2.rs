//! HTTP/2 requests that must not become HTTP/1.1 ones, in exact frames.

use sealwax_tests::frames::{Frames, block, flag, kind};
use sealwax_tests::{Recorder, run};

use crate::case::{HOST, seen};
use crate::stage::{Stage, host};
use crate::streams::{Cases, End, GET, Want, end, fields, judge};

const HOP: &str = "RFC 9113 §8.2.2: An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields. … Any message containing connection-specific header fields MUST be treated as malformed.";
const UPPER: &str = "RFC 9113 §8.2.1: A field name MUST NOT contain characters in the ranges 0x00-0x20, 0x41-0x5a, or 0x7f-0xff (all ranges inclusive).";
const VALUE: &str = "RFC 9113 §8.2.1: A field value MUST NOT contain the zero value (ASCII NUL, 0x00), line feed (ASCII LF, 0x0a), or carriage return (ASCII CR, 0x0d) at any position.";
const EDGE: &str = "RFC 9113 §8.2.1: A field value MUST NOT start or end with an ASCII whitespace character (ASCII SP or HTAB, 0x20 or 0x09).";
const COLON: &str = "RFC 9113 §8.2.1: With the exception of pseudo-header fields, which have a name that starts with a single colon, field names MUST NOT include a colon (ASCII COLON, 0x3a).";
const PSEUDO: &str = "RFC 9113 §8.3: All pseudo-header fields MUST appear in a field block before all regular field lines. … The same pseudo-header field name MUST NOT appear more than once in a field block. … Pseudo-header fields MUST NOT appear in a trailer section.";
const NEEDED: &str = "RFC 9113 §8.3.1: All HTTP/2 requests MUST include exactly one valid value for the \":method\", \":scheme\", and \":path\" pseudo-header fields, unless they are CONNECT requests.";
const PATH: &str = "RFC 9113 §8.3.1: This pseudo-header field MUST NOT be empty for \"http\" or \"https\" URIs …; values that do not contain a path component MUST include a value of '/'. The exceptions … are an OPTIONS request … \"*\" and CONNECT.";
const HOSTS: &str = "RFC 9113 §8.3.1: A server SHOULD treat a request as malformed if it contains a Host header field that identifies an entity that differs from the entity in the \":authority\" pseudo-header field.";
const USER: &str = "RFC 9113 §8.3.1: \":authority\" MUST NOT include the deprecated userinfo subcomponent for \"http\" or \"https\" schemed URIs.";
const LENGTH: &str = "RFC 9113 §8.1.1: A request or response that is defined as having content when it contains a Content-Length header field … is malformed if the value of the Content-Length header field does not equal the sum of the DATA frame payload lengths that form the content …";
const MISDIRECTED: &str = "RFC 9110 §15.5.20: The 421 (Misdirected Request) status code indicates that the request was directed at a server that is unable or unwilling to produce an authoritative response for the target URI.";
const SCHEME: &str = "RFC 9110 §7.4: … a server MUST reject the request if … the scheme … does not match how the connection is secured.";
const CONNECT: &str = "RFC 9113 §8.5: The \":scheme\" and \":path\" pseudo-header fields MUST be omitted. — and we tunnel for nobody (RFC 9110 §9.3.6).";
const CRUMBS: &str = "RFC 9113 §8.2.3: If there are multiple Cookie header fields after decompression, these MUST be concatenated into a single octet string using the two-octet delimiter of 0x3b, 0x20 …";
const TRAILERS: &str = "RFC 9110 §6.5.1: … a recipient MUST NOT merge a received trailer field into the header section …";

const POST: &str = ":method: POST⏎:scheme: https⏎:authority: HOST⏎:path: /";

fn with(field: &str) -> String {
    format!("{GET}⏎{field}")
}

fn heads(cases: &mut Cases) {
    cases.refused(
        HOP,
        &[
            ("connection", &with("connection: close")),
            (
                "connection that nominates",
                &with("connection: x-forwarded-for"),
            ),
            ("keep-alive", &with("keep-alive: timeout=5")),
            ("proxy-connection", &with("proxy-connection: keep-alive")),
            ("transfer-encoding", &with("transfer-encoding: chunked")),
            (
                "transfer-encoding: identity",
                &with("transfer-encoding: identity"),
            ),
            ("an empty transfer-encoding", &with("transfer-encoding:")),
            ("upgrade", &with("upgrade: websocket")),
            ("upgrade to h2c", &with("upgrade: h2c")),
            ("te: gzip", &with("te: gzip")),
            ("te: trailers, gzip", &with("te: trailers, gzip")),
        ],
    );
    cases.refused(
        UPPER,
        &[
            ("a name in capitals", &with("X-A: b")),
            ("one capital", &with("x-A: b")),
            ("an empty name", &with(": b")),
            ("a name with a space", &with("x a: b")),
            ("a name with a space at its end", &with("x-a : b")),
            ("a name with a tab", &with("x\ta: b")),
            ("a name with a CR", &with("x\ra: b")),
            ("a name with an LF", &with("x\na: b")),
            ("a name with a NUL", &with("x\0a: b")),
            ("a name above ASCII", &with("x\u{e9}: b")),
            ("a name with a slash", &with("x/a: b")),
            ("a name with a parenthesis", &with("x(a: b")),
            (
                "a name with line ends and a field",
                &with("x-a\r\nx-smuggled"),
            ),
        ],
    );
    cases.refused(
        VALUE,
        &[
            ("a value with a NUL", &with("x-a: b\0c")),
            ("a value with a CR", &with("x-a: b\rc")),
            ("a value with an LF", &with("x-a: b\nc")),
            (
                "a value with line ends and a field",
                &with("x-a: b\r\nx-smuggled: 1"),
            ),
            (
                "a value with line ends and a request",
                &with("x-a: b\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: HOST\r\n\r\n"),
            ),
            (
                "a cookie with line ends",
                &with("cookie: a=b\r\nx-smuggled: 1"),
            ),
            (
                "a length with line ends",
                &with("content-length: 0\r\ntransfer-encoding: chunked"),
            ),
        ],
    );
    cases.refused(
        EDGE,
        &[
            ("a value with a space before", &with("x-a:  b")),
            ("a value with a space after", &with("x-a: b ")),
            ("a value with a tab before", &with("x-a: \tb")),
            ("a value with a tab after", &with("x-a: b\t")),
        ],
    );
    cases.refused(
        COLON,
        &[
            ("an unknown pseudo-header", &with(":odd: b")),
            ("a pseudo-header of answers", &with(":status: 200")),
            (":protocol without CONNECT", &with(":protocol: websocket")),
        ],
    );
    cases.refused(
        PSEUDO,
        &[
            (
                "two methods",
                ":method: GET⏎:method: POST⏎:scheme: https⏎:authority: HOST⏎:path: /",
            ),
            (
                "two paths",
                ":method: GET⏎:scheme: https⏎:authority: HOST⏎:path: /⏎:path: /smuggled",
            ),
            (
                "two schemes",
                ":method: GET⏎:scheme: https⏎:scheme: http⏎:authority: HOST⏎:path: /",
            ),
            (
                "two authorities",
                ":method: GET⏎:scheme: https⏎:authority: HOST⏎:authority: evil.test⏎:path: /",
            ),
            (
                "a path after a field",
                ":method: GET⏎:scheme: https⏎:authority: HOST⏎x-a: b⏎:path: /",
            ),
            (
                "an authority after a field",
                ":method: GET⏎:scheme: https⏎:path: /⏎x-a: b⏎:authority: HOST",
            ),
            (
                "two hosts",
                ":method: GET⏎:scheme: https⏎:authority: HOST⏎:path: /⏎host: HOST⏎host: evil.test",
            ),
            (
                "two hosts and no authority",
                ":method: GET⏎:scheme: https⏎:path: /⏎host: HOST⏎host: evil.test",
            ),
        ],
    );
    cases.refused(
        NEEDED,
        &[
            ("no method", ":scheme: https⏎:authority: HOST⏎:path: /"),
            ("no scheme", ":method: GET⏎:authority: HOST⏎:path: /"),
            ("no path", ":method: GET⏎:scheme: https⏎:authority: HOST"),
            ("no authority and no host", ":method: GET⏎:scheme: https⏎:path: /"),
            ("an empty method", ":method:⏎:scheme: https⏎:authority: HOST⏎:path: /"),
            ("an empty scheme", ":method: GET⏎:scheme:⏎:authority: HOST⏎:path: /"),
            ("an empty authority", ":method: GET⏎:scheme: https⏎:authority:⏎:path: /"),
            ("a method with a space", ":method: GET /smuggled HTTP/1.1⏎:scheme: https⏎:authority: HOST⏎:path: /"),
            ("a method with line ends", ":method: GET / HTTP/1.1\r\nx-smuggled: 1\r\n\r\nGET⏎:scheme: https⏎:authority: HOST⏎:path: /"),
            ("a method that is no token", ":method: G@T⏎:scheme: https⏎:authority: HOST⏎:path: /"),
        ],
    );
}

fn targets(cases: &mut Cases) {
    let path = |path: &str| format!(":method: GET⏎:scheme: https⏎:authority: HOST⏎:path: {path}");
    for (name, value) in [
        ("an empty path", ""),
        ("a path without a slash", "evil"),
        ("a path that is a query", "?x"),
        ("a path that is a URL", "http://evil.test/"),
        ("a path that is our URL", "https://HOST/"),
        ("a path that is an authority", "HOST:443"),
        ("an asterisk for a path", "*"),
        ("a path with a space", "/a b"),
        ("a path with a version", "/ HTTP/1.1"),
        ("a path with a tab", "/a\tb"),
        ("a path with a CR", "/a\rb"),
        ("a path with an LF", "/a\nb"),
        ("a path with a NUL", "/a\0b"),
        ("a path with a DEL", "/a\u{7f}b"),
        ("a path above ASCII", "/a\u{e9}"),
        (
            "a path with line ends and a field",
            "/ HTTP/1.1\r\nx-smuggled: 1\r\nx: ",
        ),
        (
            "a path with a request",
            "/ HTTP/1.1\r\nhost: HOST\r\n\r\nGET /smuggled",
        ),
        ("a path with a fragment", "/a#b"),
        ("a path that is a fragment", "#"),
        ("a path with an at first", "@evil.test/"),
    ] {
        cases.add(PATH, Want::Refused(&[400]), name, &path(value));
    }
    for (name, value) in [
        ("a path", "/a/b?c=d"),
        ("a path of two slashes", "//evil.test/"),
        ("a path with points", "/a/../b/./%2e%2e"),
        ("a path with codes of line ends", "/%0d%0ax-smuggled:%201"),
        ("a path with signs", "/a|b[c]~!$&'()*+,;=:@"),
    ] {
        let seen = seen("GET", value).with("host", HOST);
        cases.add(PATH, Want::Passed(seen), name, &path(value));
    }
    let options = ":method: OPTIONS⏎:scheme: https⏎:authority: HOST⏎:path: *";
    cases.add(
        PATH,
        Want::Either(seen("OPTIONS", "*")),
        "an asterisk in OPTIONS",
        options,
    );
    cases.refused(
        HOSTS,
        &[
            ("a host of another name", &with("host: evil.test")),
            ("a host of another port", &with("host: HOST:81")),
            ("a host of two names", &with("host: HOST, evil.test")),
            ("a host with a user", &with("host: user@HOST")),
            ("an empty host", &with("host:")),
            ("a host with a NUL", &with("host: HOST\0")),
        ],
    );
    cases.add(
        HOSTS,
        Want::Either(seen("GET", "/").with("host", HOST)),
        "the same host again",
        &with("host: HOST"),
    );
    let only = ":method: GET⏎:scheme: https⏎:path: /⏎host: HOST";
    cases.add(
        HOSTS,
        Want::Either(seen("GET", "/").with("host", HOST)),
        "a host and no authority",
        only,
    );
    let authority =
        |value: &str| format!(":method: GET⏎:scheme: https⏎:authority: {value}⏎:path: /");
    for (name, value) in [
        ("a user", "user@HOST"),
        ("a user and a password", "u:p@HOST"),
        ("our host as a user", "HOST@evil.test"),
        ("an authority with a path", "HOST/x"),
        ("an authority with a query", "HOST?x"),
        ("an authority with a fragment", "HOST#x"),
        ("an authority with a space", "HOST evil.test"),
        ("an authority with a comma", "HOST,evil.test"),
        ("an authority with a backslash", "HOST\\x"),
        ("an authority with a NUL", "HOST\0"),
        ("an authority with line ends", "HOST\r\nx-smuggled: 1"),
        ("an authority with a port that is none", "HOST:x"),
        ("an authority with a port beyond all", "HOST:65536"),
        ("an authority with a scheme", "https://HOST"),
        ("an authority above ASCII", "HOST\u{e9}"),
    ] {
        cases.add(USER, Want::Refused(&[400]), name, &authority(value));
    }
    for (name, value) in [
        ("another site's authority", "other.test"),
        ("an authority below ours", "x.HOST"),
        ("an address for an authority", "127.0.0.1"),
    ] {
        cases.add(
            MISDIRECTED,
            Want::Refused(&[400, 421]),
            name,
            &authority(value),
        );
    }
    for (name, scheme) in [
        ("the scheme http within TLS", "http"),
        ("the scheme ftp", "ftp"),
        ("a scheme with line ends", "https\r\nx-smuggled: 1"),
        ("a scheme with a URL", "https://evil.test/?"),
        ("a scheme in capitals", "HTTPS-x"),
    ] {
        let head = format!(":method: GET⏎:scheme: {scheme}⏎:authority: HOST⏎:path: /");
        cases.add(SCHEME, Want::Refused(&[400, 421]), name, &head);
    }
    for (name, head) in [
        ("CONNECT", ":method: CONNECT⏎:authority: internal:22"),
        ("CONNECT to us", ":method: CONNECT⏎:authority: HOST:443"),
        (
            "CONNECT with a path",
            ":method: CONNECT⏎:scheme: https⏎:authority: HOST⏎:path: /",
        ),
        (
            "CONNECT with a protocol",
            ":method: CONNECT⏎:protocol: websocket⏎:scheme: https⏎:authority: HOST⏎:path: /",
        ),
        (
            "TRACE",
            ":method: TRACE⏎:scheme: https⏎:authority: HOST⏎:path: /",
        ),
    ] {
        cases.add(CONNECT, Want::Refused(&[400, 405, 501]), name, head);
    }
}

fn bodies(cases: &mut Cases) {
    for (name, lengths, data) in [
        ("a length too long", "content-length: 6", &["hello"][..]),
        ("a length and no data", "content-length: 5", &[]),
        (
            "two lengths that differ",
            "content-length: 5⏎content-length: 6",
            &["hello"],
        ),
        (
            "a length in a list that differs",
            "content-length: 5, 6",
            &["hello"],
        ),
        ("a length with a plus", "content-length: +5", &["hello"]),
        ("a length with a minus", "content-length: -5", &["hello"]),
        (
            "a length in base sixteen",
            "content-length: 0x5",
            &["hello"],
        ),
        ("an empty length", "content-length:", &["hello"]),
        ("a length that is none", "content-length: five", &["hello"]),
        (
            "a length beyond 2^64",
            "content-length: 18446744073709551621",
            &["hello"],
        ),
    ] {
        let head = format!("{POST}⏎{lengths}");
        cases.add(LENGTH, Want::Refused(&[400]), name, &head).data = data;
    }
    for (name, length, body, data) in [
        ("a length too short", "5", "hello", &["hello!"][..]),
        (
            "a length too short in two pieces",
            "5",
            "hello",
            &["hello", "!"],
        ),
        (
            "a length too short by far",
            "0",
            "",
            &["GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"],
        ),
    ] {
        let want = Want::Announced(seen("POST", "/").body(body));
        let head = format!("{POST}⏎content-length: {length}");
        cases.add(LENGTH, want, name, &head).data = data;
    }
    for (name, lengths) in [
        (
            "two lengths that are the same",
            "content-length: 5⏎content-length: 5",
        ),
        ("a length in a list of the same", "content-length: 5, 5"),
        ("noughts before a length", "content-length: 005"),
    ] {
        let seen = seen("POST", "/").body("hello");
        let head = format!("{POST}⏎{lengths}");
        cases.add(LENGTH, Want::Either(seen), name, &head).data = &["hello"];
    }
    let hello = seen("POST", "/").body("hello");
    for (name, head, data) in [
        (
            "a length",
            format!("{POST}⏎content-length: 5"),
            &["hello"][..],
        ),
        (
            "a length in pieces",
            format!("{POST}⏎content-length: 5"),
            &["h", "", "ello"],
        ),
        ("no length", POST.to_owned(), &["hel", "lo"]),
    ] {
        cases
            .add(LENGTH, Want::Passed(hello.clone()), name, &head)
            .data = data;
    }
    let chunks = seen("POST", "/").body("5\r\nhello\r\n0\r\n\r\n");
    cases
        .add(
            LENGTH,
            Want::Passed(chunks),
            "data that looks like chunks",
            POST,
        )
        .data = &["5\r\nhello\r\n0\r\n\r\n"];
    for (name, trailers) in [
        ("a trailer that is a pseudo-header", ":path: /smuggled"),
        ("a trailer in capitals", "X-A: b"),
        ("a trailer with a CR", "x-a: b\rc"),
        ("a trailer with line ends", "x-a: b\r\nx-smuggled: 1"),
        ("a trailer named with a space", "x a: b"),
        (
            "transfer-encoding as a trailer",
            "transfer-encoding: chunked",
        ),
        ("connection as a trailer", "connection: close"),
    ] {
        let case = cases.add(PSEUDO, Want::Refused(&[400]), name, POST);
        case.data = &["hello"];
        case.trailers = Some(trailers);
    }
    for (name, trailers, gone) in [
        (
            "content-length as a trailer",
            "content-length: 9",
            "content-length",
        ),
        ("host as a trailer", "host: evil.test", "host"),
        ("cookie as a trailer", "cookie: sessionid=evil", "cookie"),
        (
            "authorization as a trailer",
            "authorization: Basic x",
            "authorization",
        ),
        (
            "x-forwarded-for as a trailer",
            "x-forwarded-for: 6.6.6.6",
            "x-forwarded-for",
        ),
        (
            "x_forwarded_for as a trailer",
            "x_forwarded_for: 6.6.6.6",
            "x_forwarded_for",
        ),
    ] {
        let want = Want::Either(hello.clone().without_trailer(gone));
        let case = cases.add(TRAILERS, want, name, POST);
        case.data = &["hello"];
        case.trailers = Some(trailers);
    }
}

fn passing(cases: &mut Cases) {
    let told = seen("GET", "/")
        .with("host", HOST)
        .with("x-forwarded-for", "127.0.0.1")
        .with("x-real-ip", "127.0.0.1")
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", HOST);
    for (name, field) in [
        ("x-forwarded-for that lies", "x-forwarded-for: 6.6.6.6"),
        ("x-forwarded-proto that lies", "x-forwarded-proto: http"),
        ("x-forwarded-host that lies", "x-forwarded-host: evil.test"),
        ("x-real-ip that lies", "x-real-ip: 6.6.6.6"),
        ("x_forwarded_for", "x_forwarded_for: 6.6.6.6"),
        ("x.forwarded.for", "x.forwarded.for: 6.6.6.6"),
        ("http2-settings", "http2-settings: AAMAAABkAAQAAP__"),
        ("expect", "expect: 100-continue"),
    ] {
        let seen = told.clone().without("http2-settings");
        cases.add(HOP, Want::Passed(seen), name, &with(field));
    }
    let te = told.clone().with("te", "trailers");
    cases.add(HOP, Want::Either(te), "te: trailers", &with("te: trailers"));
    for (name, crumbs, cookie) in [
        ("two crumbs", "cookie: a=1⏎cookie: b=2", "a=1; b=2"),
        (
            "three crumbs, apart",
            "cookie: a=1⏎x-a: b⏎cookie: b=2⏎cookie: c=3",
            "a=1; b=2; c=3",
        ),
        (
            "a crumb of two",
            "cookie: a=1; b=2⏎cookie: c=3",
            "a=1; b=2; c=3",
        ),
        ("an empty crumb", "cookie:⏎cookie: a=1", "a=1"),
        (
            "a crumb with a semicolon at its end",
            "cookie: a=1;⏎cookie: b=2",
            "a=1; b=2",
        ),
        ("a crumb without a name", "cookie: =1⏎cookie: b=2", "b=2"),
        (
            "a protected name in crumbs",
            "cookie: a=1⏎cookie: sessionid=evil",
            "a=1",
        ),
    ] {
        let seen = seen("GET", "/").with("cookie", cookie);
        cases.add(CRUMBS, Want::Passed(seen), name, &with(crumbs));
    }
}

#[test]
fn requests_in_frames() {
    let mut cases = Cases::default();
    heads(&mut cases);
    targets(&mut cases);
    bodies(&mut cases);
    passing(&mut cases);
    judge("frames", cases);
}

/// A connection made for one host carries requests for that site only.
#[test]
fn an_authority_of_another_site_is_421() {
    run(30, async {
        let stage = Stage::new(2, "", async |_| Recorder::echo().await).await;
        let mut frames = Frames::connect(stage.gateway.https, &stage.tls, &host(0))
            .await
            .unwrap();
        let flags = flag::END_HEADERS | flag::END_STREAM;
        for (stream, number, status) in [(1, 0, 200), (3, 1, 421), (5, 0, 200)] {
            let head = block(&fields(GET, &host(number)));
            frames.send(kind::HEADERS, flags, stream, &head).await;
            assert_eq!(end(&mut frames, stream).await, End::Answered(status));
        }
        drop(frames);
        let records = stage.finish().await;
        assert_eq!(records[0].requests.len(), 2);
        assert!(records[1].is_empty(), "{records:?}");
    });
}
