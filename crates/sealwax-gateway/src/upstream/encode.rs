//! The head of a request, as it goes to the app.

use http::Method;
use http::header;
use http::request::Parts;
use sealwax_h1::write;
use sealwax_policy::RouteFields;

use crate::fields::Lines;

/// How the end of a request's body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    Chunked,
}

/// Appends the head to `out`, with the fields that are in no map: `lines`, and
/// what the policy says of the route. The framing is what `framing` says, whatever
/// the fields say: they came from somebody else.
pub(super) fn head(
    out: &mut Vec<u8>,
    head: &Parts,
    lines: &Lines,
    route: Option<&RouteFields<'_>>,
    framing: Framing,
) {
    let target = head.uri.path_and_query();
    let target = target.map_or("/", http::uri::PathAndQuery::as_str);
    write::request_line(out, head.method.as_str().as_bytes(), target.as_bytes());
    for (name, value) in &head.headers {
        if *name != header::CONTENT_LENGTH && *name != header::TRANSFER_ENCODING {
            write::field(out, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    out.extend_from_slice(lines.as_bytes());
    if let Some(route) = route {
        route.for_each(|name, value| write::field(out, name.as_str().as_bytes(), value));
    }
    match framing {
        Framing::Empty if says_empty(head) => write::field(out, b"content-length", b"0"),
        Framing::Empty => {}
        Framing::Length(length) => {
            write::field(out, b"content-length", length.to_string().as_bytes());
        }
        Framing::Chunked => write::field(out, b"transfer-encoding", b"chunked"),
    }
    write::end_of_head(out);
}

/// A method that usually has a body says that there is none (RFC 9110 §8.6).
fn says_empty(head: &Parts) -> bool {
    head.headers.contains_key(header::CONTENT_LENGTH)
        || matches!(head.method, Method::POST | Method::PUT | Method::PATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn encoded(method: Method, uri: &str, framing: Framing) -> String {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "a")
            .header("content-length", "7")
            .header("transfer-encoding", "gzip")
            .header("x-two", "1")
            .header("x-two", "2");
        let parts = request.body(()).unwrap().into_parts().0;
        let mut out = Vec::new();
        let mut lines = Lines::default();
        lines.push(b"Accept", b"*/*");
        head(&mut out, &parts, &lines, None, framing);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_framing_is_ours() {
        let start = "PUT /a?b=%20 HTTP/1.1\r\nhost: a\r\nx-two: 1\r\nx-two: 2\r\nAccept: */*\r\n";
        for (framing, field) in [
            (Framing::Empty, "content-length: 0\r\n\r\n"),
            (Framing::Length(12), "content-length: 12\r\n\r\n"),
            (Framing::Chunked, "transfer-encoding: chunked\r\n\r\n"),
        ] {
            let text = encoded(Method::PUT, "/a?b=%20", framing);
            assert_eq!(text, format!("{start}{field}"));
        }
    }

    #[test]
    fn every_target_has_its_form() {
        for (method, uri, line) in [
            (Method::OPTIONS, "*", "OPTIONS * HTTP/1.1\r\n"),
            (Method::GET, "/?", "GET /? HTTP/1.1\r\n"),
        ] {
            let text = encoded(method, uri, Framing::Empty);
            assert!(text.starts_with(line), "{text}");
        }
    }
}
