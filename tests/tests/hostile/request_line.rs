//! The request line and the Host.

use crate::case::{Cases, Tail, Want, seen};
use crate::stage::{Listener, judge};

const LINE: &str = "RFC 9112 §3: request-line = method SP request-target SP HTTP-version";
const SPACES: &str = "RFC 9112 §3: … lenient parsing can result in request smuggling security vulnerabilities if there are multiple recipients of the message and each has its own unique interpretation of robustness.";
const NO_SPACE: &str = "RFC 9112 §3.2: No whitespace is allowed in the request-target.";
const VERSION: &str = "RFC 9112 §2.3: HTTP-version is case-sensitive. HTTP-version = HTTP-name \"/\" DIGIT \".\" DIGIT";
const MAJOR: &str = "RFC 9110 §2.5, §15.6.6: The 505 (HTTP Version Not Supported) status code indicates that the server does not support … the major version of HTTP that was used in the request message.";
const METHOD: &str = "RFC 9110 §9.1: The method token is case-sensitive …";
const TOKEN: &str = "RFC 9112 §3.1: method = token";
const EMPTY: &str = "RFC 9112 §2.2: … a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF) received prior to the request-line.";
const FORMS: &str =
    "RFC 9112 §3.2: request-target = origin-form / absolute-form / authority-form / asterisk-form";
const URI: &str = "RFC 3986 §2: … URI characters are … drawn from a limited set …";
const FRAGMENT: &str = "RFC 9112 §3.2.1: origin-form = absolute-path [ \"?\" query ]";
const ABSOLUTE: &str = "RFC 9112 §3.2.2: When an origin server receives a request with an absolute-form of request-target, the origin server MUST ignore the received Host header field (if any) and instead use the host information of the request-target.";
const CONNECT: &str = "RFC 9110 §9.3.6: CONNECT is intended for use in requests to a proxy. … an origin server MAY accept a CONNECT request, but most origin servers do not implement CONNECT.";
const ASTERISK: &str = "RFC 9112 §3.2.4: The asterisk-form of request-target is only used for a server-wide OPTIONS request.";
const TRACE: &str = "RFC 9110 §9.3.8: A client MUST NOT generate fields in a TRACE request containing sensitive data that might be disclosed by the response.";
const HOST: &str = "RFC 9112 §3.2: A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header field and to any request message that contains more than one Host header field line or a Host header field with an invalid field value.";
const USERINFO: &str =
    "RFC 9110 §4.2.4: … a recipient SHOULD parse for userinfo and treat its presence as an error …";
const MISDIRECTED: &str = "RFC 9110 §7.4: … a server MUST reject the request … if the request's target URI … does not match.";
const OLD: &str = "RFC 9112 §9.3: If the received protocol is HTTP/1.0, the \"keep-alive\" connection option is present, … the connection will persist …; otherwise, the connection will close after the current response.";

fn line(line: &str) -> String {
    format!("{line}⏎Host: HOST⏎⏎")
}

#[test]
fn methods_and_versions() {
    let mut cases = Cases::default();
    for (name, method) in [
        ("in lower case", "get"),
        ("unknown", "FOO"),
        ("with a hyphen", "M-SEARCH"),
        ("of WebDAV", "PROPFIND"),
        ("of the safe kind", "QUERY"),
        ("with every odd sign", "!#$%&'*+-.^_`|~"),
        ("of digits", "123"),
        ("one letter", "X"),
    ] {
        let input = line(&format!("{method} / HTTP/1.1"));
        cases.passed(
            METHOD,
            &seen(method, "/"),
            &[(&format!("a method {name}"), &input)],
        );
    }
    for (name, start) in [
        ("no method", " / HTTP/1.1"),
        ("a method in quotes", "\"GET\" / HTTP/1.1"),
        ("a method with a colon", "GET: / HTTP/1.1"),
        ("a method with an at", "G@T / HTTP/1.1"),
        ("a method with a slash", "GET/ / HTTP/1.1"),
        ("a method with a bracket", "G(T / HTTP/1.1"),
        ("a method with a comma", "GET,POST / HTTP/1.1"),
        ("a method with a NUL", "G\0T / HTTP/1.1"),
        ("a method with a byte above ASCII", "G\u{c9}T / HTTP/1.1"),
        ("a method with a BOM", "\u{ef}\u{bb}\u{bf}GET / HTTP/1.1"),
    ] {
        cases.refused(TOKEN, &[(name, &line(start))]);
    }
    for (name, version) in [
        ("lower case", "http/1.1"),
        ("mixed case", "Http/1.1"),
        ("no minor", "HTTP/1"),
        ("an empty minor", "HTTP/1."),
        ("an empty major", "HTTP/.1"),
        ("no point", "HTTP/11"),
        ("a comma", "HTTP/1,1"),
        ("two digits", "HTTP/1.10"),
        ("a leading nought", "HTTP/1.01"),
        ("a leading nought before", "HTTP/01.1"),
        ("three numbers", "HTTP/1.1.1"),
        ("a sign", "HTTP/+1.1"),
        ("another digit", "HTTP/1.\u{b9}"),
        ("something after", "HTTP/1.1x"),
        ("a space after", "HTTP/1.1 "),
        ("a tab after", "HTTP/1.1\t"),
        ("a NUL after", "HTTP/1.1\0"),
        ("a space in the name", "HTTP /1.1"),
        ("a space in the number", "HTTP/1. 1"),
        ("a backslash", "HTTP\\1.1"),
        ("no slash", "HTTP1.1"),
        ("another protocol", "RTSP/1.0"),
        ("a protocol that begins so", "HTTPS/1.1"),
        ("ICAP", "ICAP/1.0"),
        ("no name", "/1.1"),
        ("nothing", ""),
    ] {
        let input = line(&format!("GET / {version}"));
        let want = Want::Refused(&[400, 505]);
        cases.one(
            VERSION,
            want,
            Tail::Request,
            &format!("a version: {name}"),
            &input,
        );
    }
    for version in [
        "HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9", "HTTP/1.2", "HTTP/1.9", "HTTP/0.0",
    ] {
        let input = line(&format!("GET / {version}"));
        cases.one(
            MAJOR,
            Want::Refused(&[400, 505]),
            Tail::Request,
            version,
            &input,
        );
    }
    cases.one(
        MAJOR,
        Want::Refused(&[400, 505]),
        Tail::Request,
        "HTTP/0.9 without a version",
        "GET /⏎⏎",
    );
    cases.one(
        MAJOR,
        Want::Refused(&[400, 505]),
        Tail::End,
        "HTTP/0.9 to the letter",
        "GET /⏎",
    );
    cases.one(
        MAJOR,
        Want::Refused(&[400, 505]),
        Tail::Request,
        "HTTP/0.9 and fields",
        "GET /⏎Host: HOST⏎⏎",
    );
    cases.one(
        MAJOR,
        Want::Broken(&[400, 505]),
        Tail::End,
        "the preface of HTTP/2",
        "PRI * HTTP/2.0⏎⏎SM⏎⏎",
    );
    cases.one(
        OLD,
        Want::Passed(vec![seen("GET", "/")]),
        Tail::Unserved,
        "HTTP/1.0",
        &line("GET / HTTP/1.0"),
    );
    cases.one(
        OLD,
        Want::Passed(vec![seen("POST", "/").body("hello")]),
        Tail::Unserved,
        "HTTP/1.0 with a body",
        "POST / HTTP/1.0⏎Host: HOST⏎Content-Length: 5⏎⏎hello",
    );
    cases.one(
        OLD,
        Want::Passed(vec![seen("GET", "/")]),
        Tail::Unserved,
        "HTTP/1.0 that says close and keep-alive",
        "GET / HTTP/1.0⏎Host: HOST⏎Connection: keep-alive, close⏎⏎",
    );
    cases.one(
        HOST,
        Want::Refused(&[400]),
        Tail::Unserved,
        "HTTP/1.0 without a Host",
        "GET / HTTP/1.0⏎⏎",
    );
    judge("methods and versions", Listener::Https, "", cases);
}

#[test]
fn white_space_and_targets() {
    let mut cases = Cases::default();
    for (why, name, start) in [
        (SPACES, "two spaces after the method", "GET  / HTTP/1.1"),
        (SPACES, "two spaces before the version", "GET /  HTTP/1.1"),
        (SPACES, "a space before the method", " GET / HTTP/1.1"),
        (SPACES, "tabs for spaces", "GET\t/\tHTTP/1.1"),
        (SPACES, "a tab and a space", "GET \t/ HTTP/1.1"),
        (
            SPACES,
            "a vertical tab for a space",
            "GET\u{b}/\u{b}HTTP/1.1",
        ),
        (SPACES, "a form feed for a space", "GET\u{c}/ HTTP/1.1"),
        (SPACES, "a CR for a space", "GET\r/ HTTP/1.1"),
        (
            SPACES,
            "a no-break space for a space",
            "GET\u{a0}/ HTTP/1.1",
        ),
        (SPACES, "no space after the method", "GET/ HTTP/1.1"),
        (SPACES, "no space before the version", "GET /HTTP/1.1"),
        (LINE, "a method alone", "GET"),
        (LINE, "a field for a request line", "X-A: b"),
        (NO_SPACE, "a space in the target", "GET /a b HTTP/1.1"),
        (
            NO_SPACE,
            "what looks like a version in the target",
            "GET /a HTTP/1.1 HTTP/1.1",
        ),
        (NO_SPACE, "a tab in the target", "GET /a\tb HTTP/1.1"),
        (NO_SPACE, "a CR in the target", "GET /a\rb HTTP/1.1"),
        (NO_SPACE, "an LF in the target", "GET /a\nb HTTP/1.1"),
        (NO_SPACE, "a NUL in the target", "GET /a\0b HTTP/1.1"),
    ] {
        cases.refused(why, &[(name, &line(start))]);
    }
    // Three words, but the second is no target: its end is clear.
    for (why, name, start) in [
        (FRAGMENT, "a fragment", "GET /a#b HTTP/1.1"),
        (FRAGMENT, "an empty fragment", "GET /a# HTTP/1.1"),
        (FRAGMENT, "a fragment after a query", "GET /a?b#c HTTP/1.1"),
        (FRAGMENT, "a fragment alone", "GET # HTTP/1.1"),
        (FORMS, "no slash", "GET evil HTTP/1.1"),
        (FORMS, "a query alone", "GET ?x HTTP/1.1"),
        (FORMS, "a relative path", "GET ../x HTTP/1.1"),
        (FORMS, "the host without a scheme", "GET HOST HTTP/1.1"),
        (
            FORMS,
            "the host and a path without a scheme",
            "GET HOST/x HTTP/1.1",
        ),
        (
            FORMS,
            "the authority form in a GET",
            "GET HOST:443 HTTP/1.1",
        ),
        (FORMS, "a backslash first", "GET \\x HTTP/1.1"),
        (FORMS, "an at first", "GET @evil.test/ HTTP/1.1"),
        (FORMS, "a point first", "GET .evil.test/ HTTP/1.1"),
        (ASTERISK, "an asterisk in a GET", "GET * HTTP/1.1"),
        (ASTERISK, "an asterisk in a POST", "POST * HTTP/1.1"),
        (ASTERISK, "an asterisk and more", "OPTIONS *x HTTP/1.1"),
        (ASTERISK, "an asterisk and a path", "OPTIONS */x HTTP/1.1"),
        (ASTERISK, "two asterisks", "OPTIONS ** HTTP/1.1"),
        (URI, "a mail address", "GET mailto:a@HOST HTTP/1.1"),
        (URI, "a script", "GET javascript:alert(1) HTTP/1.1"),
        (URI, "a file", "GET file:///etc/passwd HTTP/1.1"),
        (URI, "FTP", "GET ftp://HOST/ HTTP/1.1"),
        (URI, "a scheme and one slash", "GET http:/HOST/ HTTP/1.1"),
        (URI, "a scheme and no slash", "GET http:HOST/ HTTP/1.1"),
        (URI, "a scheme and three slashes", "GET http:///x HTTP/1.1"),
        (URI, "a scheme alone", "GET http:// HTTP/1.1"),
        (URI, "a scheme and a query", "GET http://?x HTTP/1.1"),
        (URI, "a port and no host", "GET http://:80/ HTTP/1.1"),
        (URI, "a port that is none", "GET http://HOST:x/ HTTP/1.1"),
        (URI, "a port beyond all", "GET http://HOST:99999/ HTTP/1.1"),
        (
            URI,
            "a backslash after the host",
            "GET http://HOST\\evil.test/ HTTP/1.1",
        ),
        (
            FRAGMENT,
            "a fragment after the host",
            "GET http://HOST#/x HTTP/1.1",
        ),
        (USERINFO, "a user", "GET http://user@HOST/ HTTP/1.1"),
        (
            USERINFO,
            "a user and a password",
            "GET http://u:p@HOST/ HTTP/1.1",
        ),
        (
            USERINFO,
            "our host as a user",
            "GET http://HOST@evil.test/ HTTP/1.1",
        ),
        (USERINFO, "an empty user", "GET http://@HOST/ HTTP/1.1"),
    ] {
        cases.denied(why, &[(name, &line(start))]);
    }
    for (name, target) in [
        ("two slashes first", "//evil.test/x"),
        ("three slashes first", "///evil.test"),
        ("points", "/a/../b/./c"),
        ("points in code", "/%2e%2e/%2E%2E/x"),
        ("a slash in code", "/a%2fb%2Fc"),
        ("line ends in code", "/%0d%0aSet-Cookie:%20x=1"),
        ("a NUL in code", "/%00"),
        ("a semicolon", "/..;/x;y=z"),
        ("a colon", "/http://evil.test/"),
        ("an at", "/@evil.test"),
        ("a query of nothing", "/?"),
        ("two questions", "/a?b?c"),
        ("a URL in the query", "/?u=http://evil.test/&v=//x"),
        (
            "every sign that a browser leaves alone",
            "/a|b^{c}[d]'~!$&()*+,;=:@-._?a|b^{c}`[d]'",
        ),
        ("a double slash inside", "/a//b"),
    ] {
        cases.passed(
            FORMS,
            &seen("GET", target),
            &[(name, &line(&format!("GET {target} HTTP/1.1")))],
        );
    }
    // A URI has none of them, and yet some clients send them: never in another form.
    for (name, target) in [
        ("a backslash", "/a\\b"),
        ("a quote", "/a\"b"),
        ("angle brackets", "/<a>"),
        ("a percent sign alone", "/100%"),
        ("a percent sign and no hex", "/%zz"),
        ("a code of three", "/%u0041"),
        ("a backslash in the query", "/?a\\b"),
    ] {
        let want = Want::Optional(&[400], seen("GET", target));
        cases.one(
            URI,
            want,
            Tail::Request,
            name,
            &line(&format!("GET {target} HTTP/1.1")),
        );
    }
    for (name, start, method, target) in [
        (
            "an absolute target with the same host",
            "GET http://HOST/x HTTP/1.1",
            "GET",
            "/x",
        ),
        (
            "an absolute target with https",
            "GET https://HOST/x HTTP/1.1",
            "GET",
            "/x",
        ),
        (
            "an absolute target in capitals",
            "GET HTTP://HOST/x HTTP/1.1",
            "GET",
            "/x",
        ),
        (
            "an absolute target without a path",
            "GET http://HOST HTTP/1.1",
            "GET",
            "/",
        ),
        (
            "an absolute target with a query only",
            "GET http://HOST?x=1 HTTP/1.1",
            "GET",
            "/?x=1",
        ),
        (
            "an absolute OPTIONS without a path",
            "OPTIONS http://HOST HTTP/1.1",
            "OPTIONS",
            "*",
        ),
        (
            "an asterisk in OPTIONS",
            "OPTIONS * HTTP/1.1",
            "OPTIONS",
            "*",
        ),
    ] {
        // A refusal is as safe: no browser and no HTTP/1.1 client sends any of them here.
        let want = Want::Optional(&[400], seen(method, target).with("host", "HOST"));
        cases.one(ABSOLUTE, want, Tail::Request, name, &line(start));
    }
    for (name, input) in [
        (
            "an absolute target elsewhere",
            "GET http://evil.test/ HTTP/1.1⏎Host: HOST⏎⏎",
        ),
        (
            "an absolute target here, a Host elsewhere",
            "GET http://HOST/ HTTP/1.1⏎Host: evil.test⏎⏎",
        ),
        (
            "an absolute target on another port",
            "GET http://HOST:81/ HTTP/1.1⏎Host: HOST⏎⏎",
        ),
        (
            "an absolute target and no Host",
            "GET http://HOST/ HTTP/1.1⏎⏎",
        ),
        (
            "an absolute target and an empty Host",
            "GET http://HOST/ HTTP/1.1⏎Host:⏎⏎",
        ),
    ] {
        cases.one(
            ABSOLUTE,
            Want::Denied(&[400, 421]),
            Tail::Request,
            name,
            input,
        );
    }
    for (name, input) in [
        (
            "CONNECT to elsewhere",
            "CONNECT internal:22 HTTP/1.1⏎Host: HOST⏎⏎",
        ),
        (
            "CONNECT to us",
            "CONNECT HOST:443 HTTP/1.1⏎Host: HOST:443⏎⏎",
        ),
        (
            "CONNECT without a port",
            "CONNECT HOST HTTP/1.1⏎Host: HOST⏎⏎",
        ),
        ("CONNECT with a path", "CONNECT / HTTP/1.1⏎Host: HOST⏎⏎"),
        (
            "CONNECT with a URL",
            "CONNECT http://HOST/ HTTP/1.1⏎Host: HOST⏎⏎",
        ),
        (
            "CONNECT with a length",
            "CONNECT HOST:443 HTTP/1.1⏎Host: HOST:443⏎Content-Length: 5⏎⏎hello",
        ),
        (
            "CONNECT with chunks",
            "CONNECT HOST:443 HTTP/1.1⏎Host: HOST:443⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        ),
    ] {
        // What follows a CONNECT is the tunnel's to the one and a request to the other.
        cases.one(
            CONNECT,
            Want::Refused(&[400, 405, 501]),
            Tail::Request,
            name,
            input,
        );
    }
    cases.one(
        TRACE,
        Want::Denied(&[405, 501]),
        Tail::Request,
        "TRACE",
        &line("TRACE / HTTP/1.1"),
    );
    let want = Want::Denied(&[400, 405, 501]);
    let input = "TRACE / HTTP/1.1⏎Host: HOST⏎Content-Length: 5⏎⏎hello";
    cases.one(TRACE, want, Tail::Request, "TRACE with a body", input);
    let plain = seen("GET", "/");
    cases.passed(
        EMPTY,
        &plain,
        &[("one empty line first", "⏎GET / HTTP/1.1⏎Host: HOST⏎⏎")],
    );
    let many = format!("{}GET / HTTP/1.1⏎Host: HOST⏎⏎", "⏎".repeat(100_000));
    for (name, input) in [
        ("two empty lines first", "⏎⏎GET / HTTP/1.1⏎Host: HOST⏎⏎"),
        ("a hundred thousand empty lines first", many.as_str()),
    ] {
        cases.one(
            EMPTY,
            Want::Either(&[400, 431], plain.clone()),
            Tail::Request,
            name,
            input,
        );
    }
    cases.refused(
        EMPTY,
        &[
            ("an LF first", "\nGET / HTTP/1.1⏎Host: HOST⏎⏎"),
            ("a CR first", "\rGET / HTTP/1.1⏎Host: HOST⏎⏎"),
            (
                "a space and a line end first",
                " ⏎GET / HTTP/1.1⏎Host: HOST⏎⏎",
            ),
        ],
    );
    judge("white space and targets", Listener::Https, "", cases);
}

/// Every byte there is, in a method and in a target.
#[test]
fn each_byte_has_its_place_or_none() {
    for (family, in_method) in [("bytes in a method", true), ("bytes in a target", false)] {
        let mut cases = Cases::default();
        for byte in 0..=255_u8 {
            let character = char::from(byte);
            let (start, seen, passes, either) = if in_method {
                let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                let method = format!("G{character}T");
                (
                    format!("{method} / HTTP/1.1"),
                    seen(&method, "/"),
                    token,
                    false,
                )
            } else {
                let target = format!("/a{character}b");
                let sent = byte.is_ascii_graphic() && byte != b'#';
                let either = b"\"<>\\%`".contains(&byte);
                (
                    format!("GET {target} HTTP/1.1"),
                    seen("GET", &target),
                    sent,
                    either,
                )
            };
            let (want, why) = match (passes, either) {
                (_, true) => (Want::Optional(&[400], seen), URI),
                (true, false) => (Want::Passed(vec![seen]), METHOD),
                (false, false) => (Want::Refused(&[400]), LINE),
            };
            cases.one(
                why,
                want,
                Tail::Request,
                &format!("{byte:#04x}"),
                &line(&start),
            );
        }
        judge(family, Listener::Http, "", cases);
    }
}

#[test]
fn a_request_has_one_host() {
    let mut cases = Cases::default();
    for (name, fields) in [
        ("none", "X-A: b"),
        ("two", "Host: HOST⏎Host: evil.test"),
        ("two the other way round", "Host: evil.test⏎Host: HOST"),
        ("two that are the same", "Host: HOST⏎Host: HOST"),
        ("two in two cases", "Host: HOST⏎hOST: evil.test"),
        ("two, apart", "Host: HOST⏎X-A: b⏎Host: evil.test"),
        ("two, one of them empty", "Host: HOST⏎Host:"),
        ("an empty one", "Host:"),
        ("a space for one", "Host:  "),
        ("a list", "Host: HOST,evil.test"),
        ("a list with a space", "Host: HOST, evil.test"),
        ("two words", "Host: HOST evil.test"),
        ("a space before the colon", "Host: HOST⏎Host : evil.test"),
        ("a space before the name", "Host: HOST⏎ Host: evil.test"),
        ("folded", "Host:⏎ HOST"),
        ("folded behind", "Host: HOST⏎ evil.test"),
        ("a user", "Host: user@HOST"),
        ("our host as a user", "Host: HOST@evil.test"),
        ("a URL", "Host: http://HOST"),
        ("a path", "Host: HOST/x"),
        ("a query", "Host: HOST?x"),
        ("a fragment", "Host: HOST#x"),
        ("a backslash", "Host: HOST\\x"),
        ("a port that is none", "Host: HOST:x"),
        ("a port below nought", "Host: HOST:-1"),
        ("a port with a plus", "Host: HOST:+1"),
        ("a port beyond all", "Host: HOST:65536"),
        ("two ports", "Host: HOST:80:80"),
        ("a port and a user", "Host: HOST:80@evil.test"),
        ("an address in brackets that never end", "Host: [::1"),
        ("something after the brackets", "Host: [::1]x"),
        ("an address of IPv6 without brackets", "Host: ::1"),
        ("an address of IPv6 with a zone", "Host: [fe80::1%25eth0]"),
        ("brackets and nothing", "Host: []"),
        ("quotes", "Host: \"HOST\""),
        ("a code", "Host: %61HOST"),
        ("a NUL", "Host: HOST\0"),
        ("a NUL and more", "Host: HOST\0.evil.test"),
        ("a tab inside", "Host: HOST\tevil.test"),
        ("a byte above ASCII", "Host: HOST\u{e9}"),
        (
            "a full stop of another script",
            "Host: HOST\u{e3}\u{80}\u{82}",
        ),
        ("a point alone", "Host: ."),
        ("an asterisk", "Host: *"),
        (
            "an underscore for the hyphen of another",
            "X-A: b⏎Ho_st: HOST",
        ),
    ] {
        let input = format!("GET / HTTP/1.1⏎{fields}⏎⏎");
        cases.one(HOST, Want::Denied(&[400]), Tail::Request, name, &input);
    }
    for (name, host) in [
        ("elsewhere", "evil.test"),
        ("an address", "127.0.0.1"),
        ("an address of IPv6", "[::1]"),
        ("an address in one number", "2130706433"),
        ("localhost", "localhost"),
        ("ours with two points at the end", "HOST.."),
        ("ours with something before", "x.HOST"),
        ("ours with something after", "HOST.evil.test"),
        ("ours without a point", "xHOST"),
        ("another alphabet", "xn--hst-sna.test"),
        ("300 letters", &"a".repeat(300)),
    ] {
        let input = format!("GET / HTTP/1.1⏎Host: {host}⏎⏎");
        cases.one(
            MISDIRECTED,
            Want::Denied(&[400, 421]),
            Tail::Request,
            name,
            &input,
        );
    }
    for (name, host) in [
        ("ours", "HOST"),
        ("ours with a port", "HOST:8443"),
        ("ours with the port of https", "HOST:443"),
    ] {
        let seen = seen("GET", "/")
            .with("host", host)
            .with("x-forwarded-host", host);
        let input = format!("GET / HTTP/1.1⏎Host: {host}⏎⏎");
        cases.passed(HOST, &seen, &[(name, &input)]);
    }
    for (name, fields) in [
        ("ours in another case of the name", "hOsT: HOST"),
        ("ours without a space", "Host:HOST"),
        ("ours with tabs around", "Host:\tHOST\t"),
        ("ours last", "X-A: b⏎Host: HOST"),
    ] {
        let seen = seen("GET", "/").with("host", "HOST");
        cases.passed(
            HOST,
            &seen,
            &[(name, &format!("GET / HTTP/1.1⏎{fields}⏎⏎"))],
        );
    }
    for (name, host) in [
        ("ours with a point at the end", "HOST."),
        ("ours with an empty port", "HOST:"),
        ("ours with noughts before the port", "HOST:0443"),
    ] {
        let want = Want::Optional(&[400, 421], seen("GET", "/").with("host", host));
        cases.one(
            HOST,
            want,
            Tail::Request,
            name,
            &format!("GET / HTTP/1.1⏎Host: {host}⏎⏎"),
        );
    }
    judge("hosts", Listener::Https, "", cases);
}
