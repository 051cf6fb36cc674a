//! Heads between the codec, which knows bytes, and the policy, which knows
//! fields.

use bytes::Bytes;
use http::uri::Uri;
use http::{Method, Request, Version, request};
use sealwax_h1::{Field, Refusal, RequestHead, Rule, TargetForm};
use sealwax_policy::is_unjudged_in_request;

use crate::fields::{self, Lines, Way};

/// Fields that the policy may add to a request: a map that grows is copied.
const ROOM: usize = 2;

/// A request's head from the bytes that the codec has accepted, and beside it the
/// fields that nobody judges.
pub(super) fn request(
    bytes: Bytes,
    head: &RequestHead,
    fields: &[Field],
) -> Result<(request::Parts, Lines), Refusal> {
    let refused = |rule, at| Refusal { rule, at };
    let method = bytes.get(head.method.clone()).unwrap_or_default();
    let target_at = head.target.start;
    let method = Method::from_bytes(method).map_err(|_| refused(Rule::Method, 0))?;
    if method == Method::OPTIONS && head.form == TargetForm::Absolute {
        // Without a path it means `*` (RFC 9112 §3.2.4), which the parts of a
        // URL cannot say.
        let target = bytes.get(head.target.clone()).unwrap_or_default();
        if !target
            .iter()
            .skip("https://".len())
            .any(|byte| *byte == b'/')
        {
            return Err(refused(Rule::TargetForm, target_at));
        }
    }
    let uri = Uri::from_maybe_shared(bytes.slice(head.target.clone()))
        .map_err(|_| refused(Rule::Target, target_at))?;
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = method;
    parts.uri = uri;
    parts.version = match head.version {
        sealwax_h1::Version::Http10 => Version::HTTP_10,
        sealwax_h1::Version::Http11 => Version::HTTP_11,
    };
    let (map, lines) = fields::sort(&bytes, fields, ROOM, |name| way(head, name))?;
    parts.headers = map;
    Ok((parts, lines))
}

/// The codec has understood `Connection`; but what it nominates has to be found.
fn way(head: &RequestHead, name: &[u8]) -> Way {
    if head.nominates {
        Way::Judge
    } else if is_unjudged_in_request(name) {
        Way::Pass
    } else if !head.upgrade && name.eq_ignore_ascii_case(b"connection") {
        Way::Drop
    } else {
        Way::Judge
    }
}
