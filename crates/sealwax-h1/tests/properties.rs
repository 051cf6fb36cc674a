//! Generated messages and random bytes: nothing panics, no split of the input changes what is
//! read, and httparse agrees wherever we accept.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sealwax_h1::{Asked, Limits, RequestParser, ResponseParser};

#[path = "support/fuzzing.rs"]
mod fuzzing;

/// Pieces that parsers stumble over, and plain ones between which they stand.
const PIECES: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    ":",
    ": ",
    ",",
    ";",
    "=",
    "\"",
    "\\",
    "\0",
    "\u{7f}",
    "\u{e9}",
    "0",
    "1",
    "5",
    "a",
    "ff",
    "0\r\n",
    "1\r\na\r\n",
    "GET",
    "POST",
    "OPTIONS",
    "CONNECT",
    "HEAD",
    "/",
    "/a?b",
    "*",
    "http://a/",
    "a:1",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    "HTTP/1.1 ",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 204\r\n",
    "HTTP/1.1 100 \r\n",
    "HTTP/1.1 101 x\r\n",
    "HTTP/1.0 200 OK\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.0\r\n",
    "Host: a\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "Upgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
    "X: y\r\n",
    "X : y\r\n",
    " x\r\n",
    "hello",
    ";a=\"b\"",
];

/// Anything, half of it behind a start line that is right.
fn composed() -> impl Strategy<Value = Vec<u8>> {
    let start = select(
        &[
            "",
            "POST / HTTP/1.1
Host: a
",
            "HTTP/1.1 200 OK
",
            "1
a
",
        ][..],
    );
    (start, vec(select(PIECES), 0..24))
        .prop_map(|(start, pieces)| [start, &pieces.concat()].concat().into_bytes())
}

fn random() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..200)
}

/// A request that is right in every way, with fields in random order.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let line = select(
        &[
            "GET / HTTP/1.1",
            "POST /a?b=%20 HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "HEAD http://a/ HTTP/1.1",
            "CONNECT a:443 HTTP/1.1",
            "\r\nPUT /x HTTP/1.1",
            "GET / HTTP/1.0",
        ][..],
    );
    let framing = select(
        &[
            ("", ""),
            ("Content-Length: 5", "hello"),
            ("transfer-encoding:  chunked ", "5\r\nhello\r\n0\r\n\r\n"),
            ("Content-Length: 0", ""),
            ("Transfer-Encoding: Chunked", "0\r\nX: y\r\n\r\n"),
        ][..],
    );
    let name = "[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,20}";
    let value = "[ -~\t\u{80}-\u{ff}]{0,40}";
    (
        line,
        framing,
        vec((name, value), 0..12),
        any::<prop::sample::Index>(),
    )
        .prop_filter_map(
            "no second framing",
            |(line, (framing, body), fields, place)| {
                let known = [
                    "host",
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "upgrade",
                    "expect",
                ];
                let old = line.ends_with('0') && framing.to_lowercase().starts_with('t');
                if old || (line.starts_with("CONNECT") && !body.is_empty()) {
                    return None;
                }
                let mut lines: Vec<String> = fields
                    .into_iter()
                    .filter(|(name, _)| !known.contains(&name.to_lowercase().as_str()))
                    .map(|(name, value)| format!("{name}:{value}"))
                    .collect();
                lines.insert(place.index(lines.len() + 1), "Host: a".into());
                if !framing.is_empty() {
                    lines.insert(place.index(lines.len() + 1), framing.into());
                }
                Some(format!("{line}\r\n{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes())
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_split_changes_what_is_read_of_composed_bytes(input in composed()) {
        fuzzing::h1_request(&input);
        fuzzing::h1_response(&input);
        fuzzing::h1_chunked(&input);
    }

    #[test]
    fn no_split_changes_what_is_read_of_random_bytes(input in random()) {
        fuzzing::h1_request(&input);
        fuzzing::h1_response(&input);
        fuzzing::h1_chunked(&input);
    }

    #[test]
    fn a_request_is_complete_with_its_last_byte_and_not_before(input in request()) {
        fuzzing::h1_request(&input);
        let mut fields = vec![];
        let head = RequestParser::new(Limits::REQUEST).parse(&input, &mut fields).unwrap().unwrap();
        for end in 0..head.length {
            let part = RequestParser::new(Limits::REQUEST).parse(&input[..end], &mut fields);
            prop_assert_eq!(part, Ok(None));
        }
    }

    #[test]
    fn httparse_agrees_on_requests(input in prop_oneof![composed(), request()]) {
        let mut fields = vec![];
        let Ok(Some(head)) = RequestParser::new(Limits::REQUEST).parse(&input, &mut fields) else {
            return Ok(());
        };
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut theirs = httparse::Request::new(&mut headers);
        prop_assert_eq!(theirs.parse(&input), Ok(httparse::Status::Complete(head.length)));
        prop_assert_eq!(theirs.method.unwrap().as_bytes(), &input[head.method]);
        prop_assert_eq!(theirs.path.unwrap().as_bytes(), &input[head.target]);
        prop_assert_eq!(theirs.version, Some(head.version as u8));
        same_fields(&input, &fields, theirs.headers)?;
    }

    #[test]
    fn httparse_agrees_on_responses(input in composed()) {
        let mut fields = vec![];
        let asked = Asked { head: false, upgrade: Some(b"websocket") };
        let Ok(Some(head)) = ResponseParser::new(Limits::RESPONSE).parse(&input, &asked, &mut fields) else {
            return Ok(());
        };
        let mut headers = [httparse::EMPTY_HEADER; 256];
        let mut theirs = httparse::Response::new(&mut headers);
        prop_assert_eq!(theirs.parse(&input), Ok(httparse::Status::Complete(head.length)));
        prop_assert_eq!(theirs.code, Some(head.status));
        prop_assert_eq!(theirs.version, Some(head.version as u8));
        same_fields(&input, &fields, theirs.headers)?;
    }

    #[test]
    fn httparse_agrees_on_chunk_sizes(line in "[0-9a-fA-F]{1,16}(;[a-z]{0,3}(=[a-z]{1,3})?)?\r\n") {
        use sealwax_h1::{Decoder, Framing, Piece};
        let mut decoder = Decoder::new(Framing::Chunked, &Limits::REQUEST);
        let content = [line.as_bytes(), b"x"].concat();
        if let Ok(Piece::Data { skip, .. }) = decoder.decode(&content) {
            let theirs = httparse::parse_chunk_size(line.as_bytes()).unwrap();
            let size = u64::from_str_radix(line.split([';', '\r']).next().unwrap(), 16).unwrap();
            prop_assert_eq!(theirs, httparse::Status::Complete((skip, size)));
        }
    }
}

fn same_fields(
    input: &[u8],
    ours: &[sealwax_h1::Field],
    theirs: &[httparse::Header<'_>],
) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        prop_assert_eq!(theirs.name.as_bytes(), &input[ours.name()]);
        prop_assert_eq!(theirs.value, &input[ours.value()]);
    }
    Ok(())
}
