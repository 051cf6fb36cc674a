//! What must hold for every request that comes over HTTP/2: one that the mapping
//! lets through means the same when HTTP/1.1 says it. The fuzz target calls
//! [`h2_mapping`]; `tests/h2_corpus.rs` calls it for every file of the committed
//! corpus and for variations of them. Who includes this has a `crate::error`
//! (`refusal.rs`).

#![allow(
    dead_code,
    reason = "not everything that is included here is used here"
)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use sealwax_h1::{Framing, Limits, RequestParser, Rule, write};
use sealwax_policy::Target;

#[path = "../../src/h2/mapping.rs"]
pub(crate) mod mapping;

/// Takes the lines of `input` for `:method`, `:scheme`, `:authority` and `:path`,
/// each empty if it is missing, and then for fields. Whether the request was one
/// that reaches an app.
pub(crate) fn h2_mapping(input: &[u8]) -> bool {
    let Some(head) = received(input) else {
        return false;
    };
    if mapping::check(&head).is_err() {
        return false;
    }
    let Ok(target) = Target::read(&head) else {
        return false;
    };
    assert_means_the_same(&head, &target);
    true
}

/// The head as the library gives it to us; `None` where it refuses the request
/// itself.
fn received(input: &[u8]) -> Option<Parts> {
    let mut lines = input.split(|byte| *byte == b'\n');
    let method = Method::from_bytes(lines.next()?).ok()?;
    let mut uri = http::uri::Parts::default();
    let (scheme, authority, path) = (lines.next()?, lines.next()?, lines.next()?);
    if !authority.is_empty() {
        uri.authority = Some(Authority::try_from(authority).ok()?);
        // Without an authority the library does not keep the scheme.
        uri.scheme = Some(Scheme::try_from(scheme).ok()?);
    }
    if !path.is_empty() {
        uri.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    }
    let mut head = Request::new(()).into_parts().0;
    head.method = method;
    head.uri = Uri::from_parts(uri).ok()?;
    head.version = Version::HTTP_2;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        if name.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(&value[1..]).ok()?;
        let connection_specific = matches!(
            name.as_str(),
            "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade"
        );
        if connection_specific || (name == header::TE && value != "trailers") {
            return None;
        }
        head.headers.append(name, value);
    }
    Some(head)
}

/// Says it in HTTP/1.1, as the app would get it, and reads that.
fn assert_means_the_same(head: &Parts, target: &Target) {
    let path = head.uri.path_and_query().unwrap().as_str();
    let mut bytes = Vec::new();
    write::request_line(&mut bytes, head.method.as_str().as_bytes(), path.as_bytes());
    write::field(&mut bytes, b"host", target.authority().as_bytes());
    let mut count = 1;
    for (name, value) in &head.headers {
        if *name != header::HOST {
            write::field(&mut bytes, name.as_str().as_bytes(), value.as_bytes());
            count += 1;
        }
    }
    write::end_of_head(&mut bytes);
    let mut fields = Vec::new();
    let limits = Limits {
        fields: 10_000,
        ..Limits::REQUEST
    };
    let read = match RequestParser::new(limits).parse(&bytes, &mut fields) {
        Ok(read) => read.unwrap(),
        // An expectation is the app's to refuse, and a number of 20 digits is
        // refused by what counts the body.
        Err(refusal) if matches!(refusal.rule, Rule::Expect | Rule::Length) => return,
        Err(refusal) => panic!("{refusal:?} in {:?}", String::from_utf8_lossy(&bytes)),
    };
    assert_eq!(read.length, bytes.len());
    assert_eq!(&bytes[read.method], head.method.as_str().as_bytes());
    assert_eq!(&bytes[read.target], path.as_bytes());
    assert_eq!(fields.len(), count);
    let mut sent = head
        .headers
        .iter()
        .filter(|(name, _)| *name != header::HOST);
    for field in fields.iter().skip(1) {
        let (name, value) = sent.next().unwrap();
        assert_eq!(&bytes[field.name()], name.as_str().as_bytes());
        assert_eq!(&bytes[field.value()], value.as_bytes());
    }
    let length = head.headers.get(header::CONTENT_LENGTH);
    let framing = match length.map(|length| length.to_str().unwrap().parse().unwrap()) {
        Some(length) => Framing::Length(length),
        None => Framing::Empty,
    };
    assert_eq!(read.framing, framing);
    assert!(!read.upgrade && !read.nominates);
}
