//! What caches between us and the browser may keep.

use http::header::{self, HeaderMap, HeaderValue};

use crate::explain::{Action, Change, Recorder, Rule};

/// What is set for one browser is kept for no other, and asked for anew.
const FOR_ONE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Whether shared caches may keep the response (RFC 9111 §3): what one client
/// holds must not reach all others, nor cost them the cache.
pub(super) fn is_for_everybody(headers: &HeaderMap) -> bool {
    let says = |name: &[u8]| says(headers, name);
    let forbids = [&b"private"[..], b"no-store", b"no-cache"];
    let allows = [&b"public"[..], b"s-maxage", b"max-age", b"immutable"];
    allows.into_iter().any(says) && !forbids.into_iter().any(says)
}

/// Sees to it that what we have set here for one client reaches no other. What the app says stays,
/// as long as it does not say the contrary.
pub(super) fn keep_for_one(headers: &mut HeaderMap, record: &mut Recorder) {
    if says(headers, b"private") || says(headers, b"no-store") {
        return;
    }
    let everybody = is_for_everybody(headers);
    record.routine(|| {
        let lines = headers.get_all(header::CACHE_CONTROL).iter();
        let lines: Vec<&[u8]> = lines.map(HeaderValue::as_bytes).collect();
        let (action, subject) = (Action::Changed, "cache-control");
        let change = Change::new(Rule::CachePrivate, action, subject).after(FOR_ONE.as_bytes());
        match lines.is_empty() {
            true => change,
            false => change.before(&lines.join(&b", "[..])),
        }
    });
    match everybody {
        true => drop(headers.insert(header::CACHE_CONTROL, FOR_ONE)),
        false => drop(headers.append(header::CACHE_CONTROL, FOR_ONE)),
    }
}

/// Whether a directive stands there, and not for no time at all: that is what apps say of pages that
/// change.
fn says(headers: &HeaderMap, name: &[u8]) -> bool {
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let mut directives = lines.flat_map(|line| line.as_bytes().split(|b| *b == b','));
    directives.any(|directive| {
        let mut parts = directive.split(|b| *b == b'=').map(<[u8]>::trim_ascii);
        let own = parts.next().unwrap_or_default();
        own.eq_ignore_ascii_case(name) && parts.next().is_none_or(|value| value != b"0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_no_time_is_for_one_client() {
        let for_everybody = |value: &'static str| {
            let field = (header::CACHE_CONTROL, HeaderValue::from_static(value));
            is_for_everybody(&HeaderMap::from_iter([field]))
        };
        for value in ["max-age=60", "public", "Max-Age=0, public", "s-maxage=1"] {
            assert!(for_everybody(value), "{value}");
        }
        for value in [
            "max-age=0",
            "max-age=0, must-revalidate",
            "max-age=60, private",
            "public, no-cache",
        ] {
            assert!(!for_everybody(value), "{value}");
        }
    }
}
