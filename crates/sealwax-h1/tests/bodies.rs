//! Bodies: what each framing yields, and which chunks are refused by which rule.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use sealwax_h1::{Decoder, Framing, Limits, Piece, Rule, Trailers};

/// Content, bytes consumed, trailers.
type Whole = (Vec<u8>, usize, Option<Trailers>);

/// All of a chunked body; `None` when it is not complete.
fn chunked_with(limits: &Limits, input: &[u8]) -> Result<Option<Whole>, Rule> {
    let mut decoder = Decoder::new(Framing::Chunked, limits);
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        match decoder
            .decode(&input[at..])
            .map_err(|refusal| refusal.rule)?
        {
            Piece::Data { skip, len } => {
                assert!(len > 0, "content is never empty");
                content.extend_from_slice(&input[at + skip..at + skip + len]);
                at += skip + len;
            }
            Piece::End { skip } => {
                assert!(decoder.is_done());
                assert_eq!(decoder.decode(b"next"), Ok(Piece::End { skip: 0 }));
                assert_eq!(decoder.end(), Ok(()));
                let trailers = decoder.trailers();
                assert_eq!(decoder.trailers(), None, "once");
                return Ok(Some((content, at + skip, trailers)));
            }
            Piece::More { skip } => {
                assert_eq!(at + skip, input.len());
                assert!(!decoder.is_done());
                assert_eq!(decoder.trailers(), None);
                let cut = decoder.end().expect_err("cut short");
                assert_eq!(cut.rule, Rule::CutShort);
                return Ok(None);
            }
        }
    }
}

fn chunked(input: &str) -> Result<Option<Whole>, Rule> {
    chunked_with(&Limits::REQUEST, input.as_bytes())
}

fn content(input: &str) -> String {
    match chunked(input) {
        Ok(Some((content, _, _))) => String::from_utf8(content).expect("text"),
        other => panic!("{input:?}: {other:?}"),
    }
}

fn refused(input: &str, rule: Rule) {
    assert_eq!(chunked(input), Err(rule), "{input:?}");
}

#[test]
fn bodies_with_a_length_end_there() {
    for (framing, done) in [
        (Framing::Empty, true),
        (Framing::Length(0), true),
        (Framing::Length(5), false),
    ] {
        let mut decoder = Decoder::new(framing, &Limits::REQUEST);
        assert_eq!(decoder.is_done(), done);
        assert_eq!(decoder.end().is_ok(), done);
    }
    let mut decoder = Decoder::new(Framing::Length(5), &Limits::REQUEST);
    assert_eq!(decoder.decode(b""), Ok(Piece::More { skip: 0 }));
    assert_eq!(decoder.decode(b"ab"), Ok(Piece::Data { skip: 0, len: 2 }));
    assert_eq!(decoder.remaining(), Some(3));
    assert_eq!(
        decoder.decode(b"cdeXY"),
        Ok(Piece::Data { skip: 0, len: 3 })
    );
    assert_eq!(decoder.remaining(), Some(0));
    assert!(decoder.is_done());
    assert_eq!(decoder.decode(b"XY"), Ok(Piece::End { skip: 0 }));
    assert_eq!(decoder.end(), Ok(()));
    assert_eq!(decoder.trailers(), None);
}

#[test]
fn bodies_until_close_end_when_the_connection_does() {
    for framing in [Framing::UntilClose, Framing::Tunnel] {
        let mut decoder = Decoder::new(framing, &Limits::RESPONSE);
        assert_eq!(decoder.decode(b"ab"), Ok(Piece::Data { skip: 0, len: 2 }));
        assert_eq!(decoder.decode(b""), Ok(Piece::More { skip: 0 }));
        assert!(!decoder.is_done());
        assert_eq!(decoder.remaining(), None);
        assert_eq!(decoder.end(), Ok(()));
        assert!(decoder.is_done());
        assert_eq!(decoder.decode(b""), Ok(Piece::End { skip: 0 }));
    }
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 64, "{}", size_of::<Decoder>());
}

#[test]
fn chunks_give_their_content() {
    assert_eq!(content("0\r\n\r\n"), "");
    assert_eq!(content("5\r\nhello\r\n0\r\n\r\n"), "hello");
    assert_eq!(
        content("1\r\na\r\nA\r\n0123456789\r\n00\r\n\r\n"),
        "a0123456789"
    );
    assert_eq!(content("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789");
    // Padding is in the grammar, and some servers pad.
    assert_eq!(content("00000000000000000001\r\na\r\n000\r\n\r\n"), "a");
    let (_, end, trailers) = chunked("1\r\na\r\n0\r\n\r\nGET /")
        .expect("good")
        .expect("whole");
    assert_eq!((end, trailers), (11, None), "what follows is not ours");
}

#[test]
fn one_call_takes_all_framing_up_to_the_content() {
    let mut decoder = Decoder::new(Framing::Chunked, &Limits::REQUEST);
    let input = b"3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
    assert_eq!(decoder.decode(input), Ok(Piece::Data { skip: 3, len: 3 }));
    assert_eq!(
        decoder.decode(&input[6..]),
        Ok(Piece::Data { skip: 7, len: 2 })
    );
    assert_eq!(decoder.decode(&input[15..]), Ok(Piece::End { skip: 7 }));
}

#[test]
fn chunk_sizes_are_hexadecimal_digits() {
    for (size, rule) in [
        ("", Rule::ChunkSize),
        ("0x5", Rule::ChunkSize),
        ("-1", Rule::ChunkSize),
        ("+1", Rule::ChunkSize),
        (" 5", Rule::ChunkSize),
        ("\t5", Rule::ChunkSize),
        ("5 ", Rule::ChunkSize),
        ("5\t", Rule::ChunkSize),
        ("5 5", Rule::ChunkSize),
        ("5g", Rule::ChunkSize),
        ("5,", Rule::ChunkSize),
        ("5.0", Rule::ChunkSize),
        ("5_0", Rule::ChunkSize),
        ("\u{0665}", Rule::ChunkSize),
        (";a", Rule::ChunkSize),
        ("5\0", Rule::ChunkSize),
        ("8000000000000000", Rule::ChunkOverflow),
        ("ffffffffffffffff", Rule::ChunkOverflow),
        ("ffffffffffffffff1", Rule::ChunkOverflow),
        ("10000000000000005", Rule::ChunkOverflow),
    ] {
        refused(&format!("{size}\r\nhello\r\n0\r\n\r\n"), rule);
    }
    assert_eq!(
        chunked("7fffffffffffffff\r\nx"),
        Ok(None),
        "large, but a number"
    );
    refused("5\nhello\r\n0\r\n\r\n", Rule::BareLf);
    refused("5\rhello\r\n0\r\n\r\n", Rule::BareCr);
    refused("5\r\r\nhello\r\n0\r\n\r\n", Rule::BareCr);
    refused("\r\n5\r\nhello\r\n0\r\n\r\n", Rule::ChunkSize);
}

#[test]
fn chunk_extensions_follow_the_grammar() {
    for good in [
        ";a",
        ";a=b",
        ";a=\"\"",
        ";a=\"b;c\\\"d\\\\ \t\u{e9}\"",
        ";a;b=c;d=\"e\";f",
        " ; a = b ; c",
        "\t;\ta\t=\t\"b\"\t;c",
        ";a ;b",
        ";!#$%&'*+-.^_`|~=1",
        ";chunk-signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(
            content(&format!("1{good}\r\na\r\n0{good}\r\n\r\n")),
            "a",
            "{good}"
        );
    }
    for bad in [
        ";",
        ";;a",
        ";a;",
        ";=b",
        ";a=",
        ";a=b=c",
        ";a b",
        ";a=b c",
        ";a=\"b",
        ";a=\"b\"c",
        ";a=\"\\\u{1}\"",
        ";a=\"\0\"",
        ";a=\"\u{7f}\"",
        ";a\0",
        ";a ",
        ";a=b ",
        ";a=\"b\" ",
        ";a@",
        "; ",
        ";a=(",
        ";\u{e9}",
    ] {
        refused(&format!("1{bad}\r\na\r\n0\r\n\r\n"), Rule::ChunkExtension);
    }
    refused("5;ext=\"\r\n\"\r\nhello\r\n0\r\n\r\n", Rule::ChunkExtension);
    refused("5;a\nhello\r\n0\r\n\r\n", Rule::BareLf);
    refused("5;a=\"\n\"\r\nhello\r\n", Rule::BareLf);
    refused("5;a\rX\nhello\r\n", Rule::BareCr);
}

#[test]
fn content_is_as_long_as_announced_and_then_cr_lf() {
    refused("5\r\nhelloo\r\n0\r\n\r\n", Rule::ChunkEnd);
    refused("5\r\nhello0\r\n\r\n", Rule::ChunkEnd);
    refused("5\r\nhello\n0\r\n\r\n", Rule::ChunkEnd);
    refused("5\r\nhello\r0\r\n\r\n", Rule::ChunkEnd);
    refused("5\r\nhell\r\n0\r\n\r\n", Rule::ChunkEnd);
    refused("5\r\nhello\r\n\r\n0\r\n\r\n", Rule::ChunkSize);
    refused("0\r\n\r0\r\n\r\n", Rule::BareCr);
}

#[test]
fn a_body_that_is_cut_is_not_complete() {
    let whole = "5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n";
    assert!(matches!(chunked(whole), Ok(Some(_))));
    for end in 0..whole.len() {
        assert_eq!(chunked(&whole[..end]), Ok(None), "{:?}", &whole[..end]);
    }
}

#[test]
fn trailers_are_fields() {
    let input = "1\r\na\r\n0\r\nX-Sum: 1 \r\nContent-Length: 5\r\nX:\r\n\r\nGET /";
    let (content, end, trailers) = chunked(input).expect("good").expect("whole");
    let trailers = trailers.expect("trailers");
    assert_eq!((&content[..], &input[end..]), (&b"a"[..], "GET /"));
    let read: Vec<_> = trailers
        .fields
        .iter()
        .map(|field| {
            (
                &trailers.bytes[field.name()],
                &trailers.bytes[field.value()],
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            (&b"X-Sum"[..], &b"1"[..]),
            (b"Content-Length", b"5"),
            (b"X", b""),
        ]
    );
    assert_eq!(trailers.bytes, &input.as_bytes()[9..end]);
    for (bad, rule) in [
        ("X : y\r\n", Rule::FieldSpace),
        (" X: y\r\n", Rule::FieldFolded),
        ("X\r\n", Rule::FieldName),
        (": y\r\n", Rule::FieldName),
        ("X: \0\r\n", Rule::FieldValue),
        ("X: y\n", Rule::BareLf),
        ("X: y\rz\r\n", Rule::BareCr),
        ("\n", Rule::BareLf),
    ] {
        refused(&format!("0\r\n{bad}\r\n"), rule);
    }
}

#[test]
fn what_is_as_large_as_a_limit_passes_and_one_more_is_refused() {
    let input = b"00001;a=b\r\nx\r\n0\r\nX: y\r\nZ: a\r\n\r\n";
    let parse = |chunk_line, trailers, trailer_fields| {
        let limits = Limits {
            chunk_line,
            trailers,
            trailer_fields,
            ..Limits::REQUEST
        };
        chunked_with(&limits, input).map(|whole| whole.is_some())
    };
    assert_eq!(parse(9, 14, 2), Ok(true));
    assert_eq!(parse(8, 14, 2), Err(Rule::ChunkLineLong));
    assert_eq!(parse(9, 13, 2), Err(Rule::TrailersLong));
    assert_eq!(parse(9, 14, 1), Err(Rule::TrailersFields));
    assert_eq!(parse(9, 0, 2), Err(Rule::TrailersLong));
}

#[test]
fn floods_of_framing_are_refused_and_small_chunks_are_not() {
    // Each of these honest senders pays for its framing with content, however long it goes on.
    for chunk in ["1\r\na\r\n", "0001\r\na\r\n", "1;a=b\r\na\r\n"] {
        let body = format!("{}0\r\n\r\n", chunk.repeat(50_000));
        assert_eq!(content(&body).len(), 50_000, "{chunk:?}");
    }
    let signed = format!(
        "64;chunk-signature={}\r\n{}\r\n",
        "f".repeat(64),
        "x".repeat(100)
    );
    assert_eq!(
        content(&format!("{}0\r\n\r\n", signed.repeat(1000))).len(),
        100_000
    );

    // 64 bytes of extension for each byte of content.
    let flood = |count| {
        format!(
            "{}0\r\n\r\n",
            format!("1;{}\r\na\r\n", "e".repeat(62)).repeat(count)
        )
    };
    // Each costs 68 bytes of framing, of which the content pays for 16.
    let most = Limits::REQUEST.chunk_overhead / (68 - 16);
    assert_eq!(content(&flood(most)).len(), most);
    refused(&flood(most + 1), Rule::ChunkFlood);

    // Content before the flood does not excuse it.
    let late = format!("186a0\r\n{}\r\n{}", "x".repeat(100_000), flood(most + 1));
    refused(&late, Rule::ChunkFlood);
}
