use bytes::Bytes;
use http::Request;

use super::*;

fn asked(method: &str, version: Version, keep_alive: bool) -> Asked {
    let request = Request::builder().method(method).version(version).uri("/");
    Asked::of(&request.body(()).unwrap().into_parts().0, keep_alive)
}

fn get() -> Asked {
    asked("GET", Version::HTTP_11, true)
}

fn head(status: u16, fields: &[(&'static str, &'static str)]) -> response::Parts {
    let mut response = http::Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap().into_parts().0
}

fn written(
    asked: &Asked,
    head: &response::Parts,
    framing: Framing,
    body: &'static [u8],
    keep: bool,
) -> String {
    let mut out = Vec::new();
    let body = Body::own(Bytes::from_static(body));
    asked.write(&mut out, head, framing, &body, keep);
    String::from_utf8(out).unwrap()
}

/// All values of a field in a written head.
fn values<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let fields = text.lines().filter_map(|line| line.split_once(": "));
    let mine = fields.filter(|(field, _)| *field == name);
    mine.map(|(_, value)| value).collect()
}

#[test]
fn each_client_gets_a_framing_that_it_knows() {
    for (method, version, status, length, framing) in [
        ("GET", Version::HTTP_11, 200, Some(5), Framing::Length),
        ("GET", Version::HTTP_11, 200, Some(0), Framing::Length),
        ("GET", Version::HTTP_11, 200, None, Framing::Chunked),
        ("GET", Version::HTTP_10, 200, Some(5), Framing::Length),
        ("GET", Version::HTTP_10, 200, None, Framing::UntilClose),
        ("HEAD", Version::HTTP_11, 200, Some(5), Framing::Empty),
        ("HEAD", Version::HTTP_10, 200, None, Framing::Empty),
        ("GET", Version::HTTP_11, 101, Some(0), Framing::Empty),
        ("GET", Version::HTTP_11, 204, None, Framing::Empty),
        ("GET", Version::HTTP_10, 204, None, Framing::Empty),
        ("GET", Version::HTTP_11, 304, Some(5), Framing::Empty),
    ] {
        let asked = asked(method, version, true);
        let status = StatusCode::from_u16(status).unwrap();
        let found = asked.framing(status, length);
        assert_eq!(found, framing, "{method} {version:?} {status} {length:?}");
    }
}

#[test]
fn who_sent_what_cannot_be_read_is_taken_for_a_client_of_today() {
    let asked = Asked::unknown();
    assert!(!asked.keep_alive);
    assert_eq!(asked.framing(StatusCode::OK, None), Framing::Chunked);
}

#[test]
fn the_length_is_there_once_and_only_where_it_is_true() {
    // RFC 9110 §8.6: none with a 1xx or 204; RFC 9112 §6.2: none beside chunks.
    for (status, framing, sent, body, wanted) in [
        (200, Framing::Length, None, &b"hello"[..], &["5"][..]),
        (200, Framing::Length, Some("5"), b"hello", &["5"]),
        (200, Framing::Length, None, b"", &["0"]),
        (200, Framing::Chunked, Some("5"), b"", &[]),
        (200, Framing::Chunked, None, b"", &[]),
        (204, Framing::Empty, Some("0"), b"", &[]),
        (101, Framing::Empty, Some("0"), b"", &[]),
        // What a GET would have got.
        (304, Framing::Empty, Some("7"), b"", &["7"]),
        (200, Framing::Empty, Some("7"), b"", &["7"]),
        (200, Framing::Empty, None, b"", &[]),
        (200, Framing::UntilClose, None, b"", &[]),
    ] {
        let fields: Vec<_> = sent
            .map(|value| ("content-length", value))
            .into_iter()
            .collect();
        let text = written(&get(), &head(status, &fields), framing, body, true);
        assert_eq!(values(&text, "content-length"), wanted, "{text}");
        let chunked: &[&str] = match framing {
            Framing::Chunked => &["chunked"],
            _ => &[],
        };
        assert_eq!(values(&text, "transfer-encoding"), chunked, "{text}");
    }
}

#[test]
fn a_transfer_coding_is_never_somebody_elses() {
    let theirs = head(200, &[("transfer-encoding", "gzip, chunked")]);
    for framing in [Framing::Length, Framing::Empty, Framing::UntilClose] {
        let text = written(&get(), &theirs, framing, b"", true);
        assert!(values(&text, "transfer-encoding").is_empty(), "{text}");
    }
}

#[test]
fn a_date_is_added_where_there_is_none() {
    let text = written(&get(), &head(200, &[]), Framing::Length, b"", true);
    let dates = values(&text, "date");
    assert_eq!(dates.len(), 1, "{text}");
    assert!(httpdate::parse_http_date(dates[0]).is_ok(), "{text}");
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    let text = written(
        &get(),
        &head(200, &[("date", old)]),
        Framing::Length,
        b"",
        true,
    );
    assert_eq!(values(&text, "date"), [old]);
}

#[test]
fn the_connection_field_says_what_will_be() {
    let old = asked("GET", Version::HTTP_10, true);
    for (asked, keep, wanted) in [
        (&get(), true, &[][..]),
        (&get(), false, &["close"][..]),
        (&old, true, &["keep-alive"]),
        (&old, false, &["close"]),
    ] {
        // What the app said of its own connection does not count.
        let head = head(200, &[("connection", "x-hop")]);
        let text = written(asked, &head, Framing::Length, b"", keep);
        assert_eq!(values(&text, "connection"), wanted, "{text}");
    }
}

#[test]
fn an_upgrade_keeps_its_connection_field() {
    let fields = [("connection", "upgrade"), ("upgrade", "echo")];
    let text = written(&get(), &head(101, &fields), Framing::Empty, b"", false);
    assert_eq!(values(&text, "connection"), ["upgrade"], "{text}");
    assert_eq!(values(&text, "upgrade"), ["echo"], "{text}");
    let text = written(&get(), &head(426, &fields), Framing::Length, b"", false);
    assert_eq!(values(&text, "connection"), ["upgrade", "close"], "{text}");
}

#[test]
fn fields_keep_their_order_and_the_head_ends_once() {
    let head = head(
        200,
        &[("x-two", "1"), ("content-type", "a"), ("x-two", "2")],
    );
    let text = written(&get(), &head, Framing::Length, b"ab", true);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert_eq!(values(&text, "x-two"), ["1", "2"]);
    assert!(text.ends_with("\r\n\r\n") && text.matches("\r\n\r\n").count() == 1);
}
