//! What any proxy does with a head, policy or not: read it into a map, and write the map out. A
//! driver that keeps fields apart passes those by the map that no rule looks at.

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use http::{request, response};

/// How many more fields than came the map has room for, as in the gateway. What the policy adds
/// then fits in, and no map has to grow.
const ROOM: usize = 16;

/// Fields as they came, one line after the other.
pub(crate) type Lines = Vec<u8>;

/// Reads a request head. Names become `http`'s, values share the head's memory. Fields for which
/// `passes` says so stay lines.
pub(crate) fn read_request(
    head: &[u8],
    passes: fn(&[u8]) -> bool,
) -> Option<(request::Parts, Lines)> {
    let mut rest = Bytes::copy_from_slice(head);
    let line = take_line(&mut rest)?;
    let mut words = line.split(|byte| *byte == b' ');
    let (method, url) = (words.next()?, words.next()?);
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = Method::from_bytes(method).ok()?;
    parts.uri = Uri::from_maybe_shared(line.slice_ref(url)).ok()?;
    parts.version = Version::HTTP_11;
    let lines;
    (parts.headers, lines) = read_fields(rest, passes)?;
    Some((parts, lines))
}

/// Reads a response head, likewise.
pub(crate) fn read_response(
    head: &[u8],
    passes: fn(&[u8]) -> bool,
) -> Option<(response::Parts, Lines)> {
    let mut rest = Bytes::copy_from_slice(head);
    let line = take_line(&mut rest)?;
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = StatusCode::from_bytes(line.get(9..12)?).ok()?;
    let lines;
    (parts.headers, lines) = read_fields(rest, passes)?;
    Some((parts, lines))
}

/// Writes a request head behind what is in `out`; `more` writes further fields.
pub(crate) fn write_request(
    (parts, lines): &(request::Parts, Lines),
    out: &mut Vec<u8>,
    more: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b' ');
    let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
    out.extend_from_slice(url.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    write_fields(&parts.headers, out);
    out.extend_from_slice(lines);
    more(out);
    out.extend_from_slice(b"\r\n");
}

/// Writes a response head behind what is in `out`; `more` writes further fields.
pub(crate) fn write_response(
    (parts, lines): &(response::Parts, Lines),
    out: &mut Vec<u8>,
    more: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(parts.status.as_str().as_bytes());
    out.extend_from_slice(b" \r\n");
    write_fields(&parts.headers, out);
    out.extend_from_slice(lines);
    more(out);
    out.extend_from_slice(b"\r\n");
}

fn read_fields(mut rest: Bytes, passes: fn(&[u8]) -> bool) -> Option<(HeaderMap, Lines)> {
    let count = rest.iter().filter(|byte| **byte == b'\n').count();
    let mut headers = HeaderMap::with_capacity(count + ROOM);
    let mut lines = Lines::with_capacity(rest.len());
    loop {
        let line = take_line(&mut rest)?;
        if line.is_empty() {
            return Some((headers, lines));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        if passes(line.get(..colon)?) {
            lines.extend_from_slice(&line);
            lines.extend_from_slice(b"\r\n");
            continue;
        }
        let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
        // One space follows every colon of these heads.
        let value = line.slice_ref(line.get(colon + 2..)?);
        let value = HeaderValue::from_maybe_shared(value).ok()?;
        headers.append(name, value);
    }
}

/// Cuts the next line off, without its end.
fn take_line(rest: &mut Bytes) -> Option<Bytes> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let mut line = rest.split_to(end);
    rest.advance(1);
    line.truncate(line.strip_suffix(b"\r")?.len());
    Some(line)
}

fn write_fields(headers: &HeaderMap, out: &mut Vec<u8>) {
    for (name, value) in headers {
        write_field(name, value.as_bytes(), out);
    }
}

/// Writes one field.
pub(crate) fn write_field(name: &HeaderName, value: &[u8], out: &mut Vec<u8>) {
    let name = name.as_str().as_bytes();
    // Room for all of it at once, instead of a look before each of the four pieces.
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs;

    #[test]
    fn what_was_read_is_written_as_it_was() {
        for pair in pairs::all() {
            let mut out = Vec::new();
            let request = read_request(&pair.request, |_| false).unwrap();
            write_request(&request, &mut out, |_| ());
            assert_eq!(out, pair.request);
            out.clear();
            let response = read_response(&pair.response, |_| false).unwrap();
            write_response(&response, &mut out, |_| ());
            assert_eq!(out, pair.response);
        }
    }

    #[test]
    fn a_head_that_is_cut_short_is_none() {
        for pair in pairs::all() {
            for (length, _) in pair.request.iter().enumerate() {
                assert!(read_request(&pair.request[..length], |_| true).is_none());
            }
        }
    }
}
