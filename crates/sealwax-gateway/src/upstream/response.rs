//! The head of a response, from the codec's view of it to what the policy
//! judges.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, response};
use sealwax_h1::Field;

/// Fields that the policy may add without the map growing.
const ROOM: usize = 16;

/// The parts of a response whose head is `bytes`. `None` where a field is none
/// by the rules of [`http`], which are no stricter than the codec's.
///
/// The reason phrase stays behind: it means nothing (RFC 9112 §4).
pub(super) fn parts(status: u16, bytes: &Bytes, fields: &[Field]) -> Option<response::Parts> {
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = StatusCode::from_u16(status).ok()?;
    head.headers = map(bytes, fields, ROOM)?;
    Some(head)
}

/// Fields that lie in `bytes`; the values are slices of it.
pub(super) fn map(bytes: &Bytes, fields: &[Field], room: usize) -> Option<HeaderMap> {
    let mut map = HeaderMap::try_with_capacity(fields.len() + room).ok()?;
    for field in fields {
        let name = HeaderName::from_bytes(bytes.get(field.name())?).ok()?;
        let value = field.value();
        bytes.get(value.clone())?;
        let value = HeaderValue::from_maybe_shared(bytes.slice(value)).ok()?;
        map.try_append(name, value).ok()?;
    }
    Some(map)
}
