//! What must hold for every input. The fuzz targets call these three functions, `tests/corpus.rs`
//! calls them for every file of the committed corpora, `tests/properties.rs` for generated input.

#![allow(
    dead_code,
    reason = "not every test that includes this file uses all of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use sealwax_h1::{
    Asked, Decoder, Field, Framing, Limits, Piece, Refusal, RequestHead, RequestParser,
    ResponseHead, ResponseParser, Rule, Trailers, Version, write,
};

/// Limits that short inputs reach.
const LOW: Limits = Limits {
    start_line: 40,
    head: 120,
    fields: 4,
    chunk_line: 12,
    chunk_overhead: 32,
    trailers: 24,
    trailer_fields: 2,
    interim: 2,
};

/// The heads and bodies of pipelined requests.
pub(crate) fn h1_request(input: &[u8]) {
    for limits in [Limits::REQUEST, LOW] {
        let mut rest = input;
        loop {
            let parse = |parser: &mut RequestParser, bytes: &[u8], fields: &mut Vec<Field>| {
                parser.parse(bytes, fields)
            };
            let new = || RequestParser::new(limits);
            let Ok(Some((head, fields))) = any_split(rest, new, parse) else {
                break;
            };
            check_fields(rest, &fields, head.length);
            check_request(rest, &head, &fields);
            let Some(end) = check_body(&rest[head.length..], head.framing, &limits) else {
                break;
            };
            rest = &rest[head.length + end..];
        }
    }
}

/// The responses to one request, and the body of the last.
pub(crate) fn h1_response(input: &[u8]) {
    let asked = [
        (false, None),
        (true, None),
        (false, Some(&b"websocket, h2c"[..])),
    ];
    for limits in [Limits::RESPONSE, LOW] {
        for (head, upgrade) in asked {
            responses(input, limits, &Asked { head, upgrade });
        }
    }
}

fn responses(input: &[u8], limits: Limits, asked: &Asked<'_>) {
    // One parser for all responses, which counts the interim ones.
    let mut parser = ResponseParser::new(limits);
    let (mut rest, mut interim) = (input, 0);
    loop {
        let alone = Limits {
            interim: u32::MAX,
            ..limits
        };
        let parse = |parser: &mut ResponseParser, bytes: &[u8], fields: &mut Vec<Field>| {
            parser.parse(bytes, asked, fields)
        };
        let result = any_split(rest, || ResponseParser::new(alone), parse);
        let counted = parser.parse(rest, asked, &mut Vec::new());
        let Ok(Some((head, fields))) = result else {
            assert_eq!(counted.err(), result.err());
            return;
        };
        interim += u32::from(head.is_interim());
        if interim > limits.interim {
            assert_eq!(counted.unwrap_err().rule, Rule::InterimFlood);
            return;
        }
        assert_eq!(counted, Ok(Some(head.clone())));
        check_fields(rest, &fields, head.length);
        check_response(rest, &head, &fields, asked);
        rest = &rest[head.length..];
        if !head.is_interim() {
            check_body(rest, head.framing, &limits);
            return;
        }
    }
}

/// One chunked body.
pub(crate) fn h1_chunked(input: &[u8]) {
    for limits in [Limits::REQUEST, LOW] {
        check_body(input, Framing::Chunked, &limits);
    }
}

/// The same head, or the same refusal, however the input is cut into calls.
fn any_split<P, H: Clone + PartialEq + std::fmt::Debug>(
    input: &[u8],
    new: impl Fn() -> P,
    parse: impl Fn(&mut P, &[u8], &mut Vec<Field>) -> Result<Option<H>, Refusal>,
) -> Result<Option<(H, Vec<Field>)>, Refusal> {
    let mut fields = vec![];
    let whole = parse(&mut new(), input, &mut fields);
    // Long inputs are cut at some places, short ones everywhere.
    let every = 1 + input.len() / 600;
    let mut random = Random::new(input);
    for way in 0..3 {
        let mut parser = new();
        let mut end = 0;
        loop {
            end = match way {
                0 => end + every,
                1 => end + 1 + random.below(2 + input.len() / 4),
                _ => end + 1 + random.below(3) * every,
            }
            .min(input.len());
            let mut own = vec![];
            match parse(&mut parser, &input[..end], &mut own) {
                Ok(None) if end < input.len() => assert!(own.is_empty(), "nothing half done"),
                result => {
                    assert_eq!(result, whole, "split way {way}, up to {end}");
                    if result.is_err() {
                        let again = parse(&mut parser, &input[..end], &mut own);
                        assert_eq!(again, whole, "refused once, refused again");
                    } else {
                        assert_eq!(own, fields);
                    }
                    break;
                }
            }
        }
    }
    whole.map(|head| head.map(|head| (head, fields)))
}

/// The fields against a second, slower reading of the same lines.
fn check_fields(input: &[u8], fields: &[Field], length: usize) {
    let head = &input[..length];
    assert!(head.ends_with(b"\r\n\r\n"));
    let head = head.strip_prefix(b"\r\n").unwrap_or(head);
    assert_eq!(count(head, b"\r\n\r\n"), 1, "one empty line, at the end");
    let lines = split_lines(&head[..head.len() - 4]);
    assert_eq!(lines.len(), fields.len() + 1);
    for (line, field) in lines[1..].iter().zip(fields) {
        let colon = line.iter().position(|&byte| byte == b':').unwrap();
        assert_eq!(&input[field.name()], &line[..colon]);
        assert!(!field.name().is_empty());
        let value = &line[colon + 1..];
        let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
        let start = value.iter().position(|byte| !blank(byte));
        let value = start.map_or(&b""[..], |start| {
            let end = value.iter().rposition(|byte| !blank(byte)).unwrap();
            &value[start..=end]
        });
        assert_eq!(&input[field.value()], value);
        assert!(
            line[..colon]
                .iter()
                .all(|&byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte))
        );
        assert!(
            value
                .iter()
                .all(|&byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f))
        );
    }
}

fn split_lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = vec![];
    let mut rest = text;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    lines.push(rest);
    for line in &lines {
        assert!(!line.iter().any(|byte| b"\r\n\0".contains(byte)));
    }
    lines
}

fn count(text: &[u8], what: &[u8]) -> usize {
    text.windows(what.len())
        .filter(|part| *part == what)
        .count()
}

/// The values of all fields of one name, in lower case.
fn values(input: &[u8], fields: &[Field], name: &str) -> Vec<String> {
    fields
        .iter()
        .filter(|field| input[field.name()].eq_ignore_ascii_case(name.as_bytes()))
        .map(|field| String::from_utf8_lossy(&input[field.value()]).to_lowercase())
        .collect()
}

/// The framing that the fields announce, which must be the only one they can.
fn announced(input: &[u8], fields: &[Field], version: Version) -> Option<Framing> {
    let lengths = values(input, fields, "content-length");
    let codings = values(input, fields, "transfer-encoding");
    assert!(
        lengths.len() + codings.len() <= 1,
        "one framing field at most"
    );
    if let [coding] = &codings[..] {
        assert_eq!((&coding[..], version), ("chunked", Version::Http11));
        return Some(Framing::Chunked);
    }
    lengths.first().map(|length| {
        assert!(length.bytes().all(|byte| byte.is_ascii_digit()));
        Framing::Length(length.parse::<i64>().unwrap() as u64)
    })
}

fn check_request(input: &[u8], head: &RequestHead, fields: &[Field]) {
    let framing = announced(input, fields, head.version);
    assert_eq!(framing.unwrap_or(Framing::Empty), head.framing);
    let hosts = values(input, fields, "host").len();
    assert!(hosts == 1 || (hosts == 0 && head.version == Version::Http10));
    if head.upgrade {
        assert!(matches!(head.framing, Framing::Empty | Framing::Length(0)));
        assert_eq!(head.version, Version::Http11);
    }
    let close = values(input, fields, "connection").iter().any(|value| {
        value
            .split(',')
            .any(|option| option.trim_matches([' ', '\t']) == "close")
    });
    assert!(!(close && head.keep_alive));

    // Written anew, it is read as the same.
    let (method, target) = (&input[head.method.clone()], &input[head.target.clone()]);
    let mut out = vec![];
    write::request_line(&mut out, method, target);
    let again = rewrite(&mut out, input, fields);
    let mut own = vec![];
    let result = RequestParser::new(wide()).parse(&out, &mut own);
    if head.version == Version::Http11 {
        let written = result.unwrap().unwrap();
        assert_eq!(&out[written.method.clone()], method);
        assert_eq!(&out[written.target.clone()], target);
        assert_eq!(written.framing, head.framing);
        assert_eq!(written.keep_alive, head.keep_alive);
        assert_eq!(written.length, out.len());
        assert_eq!(again, texts(&out, &own));
    }
}

fn check_response(input: &[u8], head: &ResponseHead, fields: &[Field], asked: &Asked<'_>) {
    let framing = announced(input, fields, head.version);
    let expected = match head.status {
        101 => Framing::Tunnel,
        100..=199 | 204 | 304 => Framing::Empty,
        _ if asked.head => Framing::Empty,
        _ => framing.unwrap_or(Framing::UntilClose),
    };
    assert_eq!(head.framing, expected);
    assert!((100..600).contains(&head.status));
    if matches!(head.framing, Framing::UntilClose | Framing::Tunnel) {
        assert!(!head.keep_alive);
    }
    assert!(head.status != 101 || asked.upgrade.is_some());

    let mut out = vec![];
    write::status_line(&mut out, head.status);
    let again = rewrite(&mut out, input, fields);
    let mut own = vec![];
    let written = ResponseParser::new(wide()).parse(&out, asked, &mut own);
    if head.version == Version::Http11 {
        let written = written.unwrap().unwrap();
        assert_eq!(written.status, head.status);
        assert_eq!(written.framing, head.framing);
        assert_eq!(written.keep_alive, head.keep_alive);
        assert_eq!(again, texts(&out, &own));
    }
}

/// Room for a head that grew a little by being written anew.
fn wide() -> Limits {
    Limits {
        start_line: 1 << 20,
        head: 1 << 20,
        ..Limits::RESPONSE
    }
}

fn rewrite(out: &mut Vec<u8>, input: &[u8], fields: &[Field]) -> Vec<(Vec<u8>, Vec<u8>)> {
    for field in fields {
        write::field(out, &input[field.name()], &input[field.value()]);
    }
    write::end_of_head(out);
    texts(input, fields)
}

fn texts(input: &[u8], fields: &[Field]) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields
        .iter()
        .map(|field| (input[field.name()].to_vec(), input[field.value()].to_vec()))
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Body {
    content: Vec<u8>,
    /// Where the message ends, `None` when it does not.
    end: Option<usize>,
    trailers: Option<Trailers>,
    refused: Option<Rule>,
}

/// The same body however the input is cut; where the message ends, if it does.
fn check_body(input: &[u8], framing: Framing, limits: &Limits) -> Option<usize> {
    let whole = decode(input, framing, limits, |_| usize::MAX);
    let mut random = Random::new(input);
    let every = 1 + input.len() / 2000;
    assert_eq!(decode(input, framing, limits, |_| every), whole);
    for _ in 0..3 {
        let split = decode(input, framing, limits, |left| {
            1 + random.below(1 + left / 3)
        });
        assert_eq!(split, whole);
    }
    if framing == Framing::Chunked && whole.end.is_some() {
        check_rewritten(&whole);
    }
    whole.end
}

fn decode(
    input: &[u8],
    framing: Framing,
    limits: &Limits,
    mut step: impl FnMut(usize) -> usize,
) -> Body {
    let mut decoder = Decoder::new(framing, limits);
    let mut body = Body {
        content: vec![],
        end: None,
        trailers: None,
        refused: None,
    };
    let (mut at, mut seen) = (0, 0);
    loop {
        // Content that is already there is taken before more comes.
        if at == seen {
            seen += step(input.len() - seen).min(input.len() - seen);
        }
        let given = &input[at..seen];
        match decoder.decode(given) {
            Err(refusal) => {
                assert!(refusal.at <= given.len());
                let again = decoder.decode(b"0\r\n\r\n").map_err(|again| again.rule);
                assert_eq!(again, Err(refusal.rule), "refused once, refused for good");
                assert!(!decoder.is_done() && decoder.end().is_err());
                assert_eq!(decoder.trailers(), None);
                body.refused = Some(refusal.rule);
                return body;
            }
            Ok(Piece::Data { skip, len }) => {
                assert!(len > 0);
                body.content.extend_from_slice(&given[skip..skip + len]);
                at += skip + len;
            }
            Ok(Piece::End { skip }) => {
                assert!(decoder.is_done() && skip <= given.len());
                assert_eq!(decoder.end(), Ok(()));
                body.end = Some(at + skip);
                body.trailers = decoder.trailers();
                return body;
            }
            Ok(Piece::More { skip }) => {
                assert_eq!(skip, given.len(), "all is taken");
                assert!(!decoder.is_done());
                at = seen;
                if seen == input.len() {
                    let until_close = matches!(framing, Framing::UntilClose | Framing::Tunnel);
                    assert_eq!(decoder.end().is_ok(), until_close);
                    return body;
                }
            }
        }
    }
}

/// A chunked body written anew is the same body.
fn check_rewritten(body: &Body) {
    let mut out = vec![];
    for chunk in body.content.chunks(7) {
        out.extend_from_slice(write::chunk_head(chunk.len()).as_ref());
        out.extend_from_slice(chunk);
        out.extend_from_slice(write::CHUNK_END);
    }
    out.extend_from_slice(write::LAST_CHUNK_BEFORE_TRAILERS);
    let mut trailers = vec![];
    if let Some(Trailers { bytes, fields }) = &body.trailers {
        assert!(!fields.is_empty());
        trailers = rewrite(&mut out, bytes, fields);
    } else {
        write::end_of_head(&mut out);
    }
    let again = decode(&out, Framing::Chunked, &wide(), |_| usize::MAX);
    assert_eq!(again.content, body.content);
    assert_eq!(again.end, Some(out.len()));
    let read = again
        .trailers
        .map_or(vec![], |again| texts(&again.bytes, &again.fields));
    assert_eq!(read, trailers);
}

/// Small numbers that depend on nothing but the input (splitmix64).
struct Random(u64);

impl Random {
    fn new(input: &[u8]) -> Self {
        // FNV-1a.
        Random(input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
