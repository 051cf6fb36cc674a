//! The head of a response, from the codec's view of it to what the policy
//! judges.

use bytes::Bytes;
use http::{Response, StatusCode, response};
use sealwax_h1::{Field, Framing, ResponseHead};
use sealwax_policy::is_unjudged_in_response;

use crate::fields::{self, Lines, Way};

/// Fields that the policy may add without the map growing.
const ROOM: usize = 8;

/// The parts of a response whose head is `bytes`, and beside them, if they may stay
/// `apart` from the map, the fields that nobody judges. `None` where a field is none
/// by the rules of [`http`], which are no stricter than the codec's.
///
/// The reason phrase stays behind: it means nothing (RFC 9112 §4).
pub(super) fn parts(
    head: &ResponseHead,
    bytes: &Bytes,
    fields: &[Field],
    apart: bool,
) -> Option<(response::Parts, Lines)> {
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = StatusCode::from_u16(head.status).ok()?;
    let lines;
    (parts.headers, lines) = match apart {
        true => fields::sort(bytes, fields, ROOM, |name| way(head, name)).ok()?,
        false => (fields::map(bytes, fields, ROOM).ok()?, Lines::default()),
    };
    Some((parts, lines))
}

/// The codec has understood `Connection`, and what frames the body, which is told
/// anew; but what `Connection` nominates has to be found.
fn way(head: &ResponseHead, name: &[u8]) -> Way {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    let framed = matches!(head.framing, Framing::Length(_));
    if head.nominates {
        Way::Judge
    } else if is_unjudged_in_response(name) {
        Way::Pass
    } else if is(b"connection") || (framed && is(b"content-length")) {
        Way::Drop
    } else {
        Way::Judge
    }
}
