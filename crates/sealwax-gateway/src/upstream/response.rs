//! The head of a response, from the codec's view of it to what the policy
//! judges.

use bytes::Bytes;
use http::{Response, StatusCode, response};
use sealwax_h1::Field;

use crate::fields;

/// Fields that the policy may add without the map growing.
const ROOM: usize = 8;

/// The parts of a response whose head is `bytes`. `None` where a field is none
/// by the rules of [`http`], which are no stricter than the codec's.
///
/// The reason phrase stays behind: it means nothing (RFC 9112 §4).
pub(super) fn parts(status: u16, bytes: &Bytes, fields: &[Field]) -> Option<response::Parts> {
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = StatusCode::from_u16(status).ok()?;
    head.headers = fields::map(bytes, fields, ROOM).ok()?;
    Some(head)
}
