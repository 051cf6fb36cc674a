//! Maps of fields: made from the bytes of a head, written out, and used again.
//!
//! A map is two allocations, one of them large; a worker needs a few at a time,
//! thousands of times a second.

use std::cell::RefCell;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use sealwax_h1::{Field, Refusal, Rule, write};

/// Maps kept for the next head; what a burst has used beyond is freed.
const MAX_KEPT: usize = 32;

/// A map with room for more fields is not kept.
const MAX_ROOM: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
}

/// The fields that lie in `bytes`; the values are slices of it. There is room for
/// `room` more.
///
/// # Errors
/// Where a field is none by the rules of [`http`], which are no stricter than the
/// codec's.
pub(crate) fn map(bytes: &Bytes, fields: &[Field], room: usize) -> Result<HeaderMap, Refusal> {
    let mut map = POOL.with_borrow_mut(Vec::pop).unwrap_or_default();
    let refused = |rule, field: &Field| Refusal {
        rule,
        at: field.name().start,
    };
    // A map holds 32,768 fields; the codec's limits are far below.
    let _ = map.try_reserve(fields.len() + room);
    for field in fields {
        let name = bytes.get(field.name()).unwrap_or_default();
        let name = HeaderName::from_bytes(name).map_err(|_| refused(Rule::FieldName, field))?;
        let value = HeaderValue::from_maybe_shared(bytes.slice(field.value()))
            .map_err(|_| refused(Rule::FieldValue, field))?;
        map.try_append(name, value)
            .map_err(|_| refused(Rule::HeadFields, field))?;
    }
    Ok(map)
}

/// Appends the end of a chunked body that has trailers (RFC 9112 §7.1).
pub(crate) fn write_trailers(out: &mut Vec<u8>, trailers: &HeaderMap) {
    out.extend_from_slice(write::LAST_CHUNK_BEFORE_TRAILERS);
    for (name, value) in trailers {
        write::field(out, name.as_str().as_bytes(), value.as_bytes());
    }
    write::end_of_head(out);
}

/// Takes a map back that is not needed any more.
pub(crate) fn recycle(mut map: HeaderMap) {
    if !(1..=MAX_ROOM).contains(&map.capacity()) {
        return;
    }
    map.clear();
    // While the thread ends there may be no pool any more.
    let _ = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < MAX_KEPT
        {
            pool.push(map);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_is_used_again_has_nothing_of_before() {
        let mut map = HeaderMap::with_capacity(8);
        map.append("set-cookie", HeaderValue::from_static("a=b"));
        map.append("set-cookie", HeaderValue::from_static("c=d"));
        recycle(map);
        let again = super::map(&Bytes::new(), &[], 2).unwrap();
        assert!(again.is_empty() && again.capacity() >= 8);
        assert!(again.get("set-cookie").is_none());
    }

    #[test]
    fn large_maps_are_not_kept() {
        recycle(HeaderMap::with_capacity(1000));
        let fresh = super::map(&Bytes::new(), &[], 0).unwrap();
        assert!(fresh.capacity() <= MAX_ROOM);
    }
}
