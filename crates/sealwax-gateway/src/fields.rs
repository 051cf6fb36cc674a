//! Fields between the bytes of a head and the maps in which they are judged.
//!
//! ```text
//!            ┌─ somebody judges it ──▶ map ───▶ policy ─┐
//!  head ─▶ way                                          ├─▶ head
//!            └─ nobody does ─────────▶ Lines ───────────┘
//! ```
//!
//! From HTTP/1.1 to HTTP/1.1 most fields pass by the policy: to put them into a
//! map would cost more than all there is to judge. Maps and lines are used
//! again: a worker needs a few at a time, thousands of times a second.

use std::cell::RefCell;
use std::thread::LocalKey;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use sealwax_h1::{Field, Refusal, Rule, write};

/// Maps, and as many lines, kept for the next head; what a burst has used beyond
/// is freed.
const MAX_KEPT: usize = 32;

/// A map with room for more fields is not kept.
const MAX_ROOM: usize = 64;

/// Lines with room for more bytes are not kept.
const MAX_BYTES: usize = 16 * 1024;

thread_local! {
    static MAPS: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
    static LINES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Into the map: somebody here looks at it.
    Judge,
    /// On as it came.
    Pass,
    /// Nowhere: it has been understood, and concerns this connection only.
    Drop,
}

/// The fields that lie in `bytes`, sorted by `way`; the values in the map are
/// slices of `bytes`. The map has room for `room` more.
///
/// # Errors
/// Where a field is none by the rules of [`http`], which are no stricter than the
/// codec's.
pub(crate) fn sort(
    bytes: &Bytes,
    fields: &[Field],
    room: usize,
    way: impl Fn(&[u8]) -> Way,
) -> Result<(HeaderMap, Lines), Refusal> {
    let mut map = take_map();
    let mut lines = Lines::default();
    for field in fields {
        let name = bytes.get(field.name()).unwrap_or_default();
        match way(name) {
            Way::Judge => {
                if map.capacity() == 0 {
                    reserve(&mut map, fields.len() + room);
                }
                append(&mut map, bytes, field)?;
            }
            Way::Pass => lines.pass(bytes, field),
            Way::Drop => {}
        }
    }
    Ok((map, lines))
}

/// The fields that lie in `bytes`; the values are slices of it. There is room for
/// `room` more.
///
/// # Errors
/// As for [`sort`].
pub(crate) fn map(bytes: &Bytes, fields: &[Field], room: usize) -> Result<HeaderMap, Refusal> {
    let mut map = take_map();
    reserve(&mut map, fields.len() + room);
    for field in fields {
        append(&mut map, bytes, field)?;
    }
    Ok(map)
}

fn append(map: &mut HeaderMap, bytes: &Bytes, field: &Field) -> Result<(), Refusal> {
    let refused = |rule| Refusal {
        rule,
        at: field.name().start,
    };
    let name = bytes.get(field.name()).unwrap_or_default();
    let name = HeaderName::from_bytes(name).map_err(|_| refused(Rule::FieldName))?;
    let value = HeaderValue::from_maybe_shared(bytes.slice(field.value()))
        .map_err(|_| refused(Rule::FieldValue))?;
    map.try_append(name, value)
        .map_err(|_| refused(Rule::HeadFields))?;
    Ok(())
}

fn take_map() -> HeaderMap {
    MAPS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

fn reserve(map: &mut HeaderMap, room: usize) {
    // A map holds 32,768 fields; the codec's limits are far below.
    let _ = map.try_reserve(room);
}

/// Takes a map back that is not needed any more.
pub(crate) fn recycle(mut map: HeaderMap) {
    if !(1..=MAX_ROOM).contains(&map.capacity()) {
        return;
    }
    map.clear();
    keep(&MAPS, map);
}

/// Keeps what is empty now for the next who needs one.
fn keep<T>(pool: &'static LocalKey<RefCell<Vec<T>>>, spare: T) {
    // While the thread ends there may be no pool any more.
    let _ = pool.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < MAX_KEPT
        {
            pool.push(spare);
        }
    });
}

/// Field lines as HTTP/1.1 writes them (RFC 9112 §5).
#[derive(Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    /// There is a `Date`.
    dated: bool,
}

impl Lines {
    #[inline]
    pub(crate) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.note(name);
        write::field(&mut self.bytes, name, value);
    }

    /// Appends a field of the head `bytes`: in one piece, if it is written there as
    /// we would write it.
    fn pass(&mut self, bytes: &[u8], field: &Field) {
        let (name, value) = (field.name(), field.value());
        let line = name.start..value.end + 2;
        let colon = bytes.get(name.end..value.start);
        let name = bytes.get(name).unwrap_or_default();
        match bytes.get(line) {
            Some(line) if colon == Some(b": ") && line.ends_with(b"\r\n") => {
                self.note(name);
                self.bytes.extend_from_slice(line);
            }
            _ => self.push(name, bytes.get(value).unwrap_or_default()),
        }
    }

    fn note(&mut self, name: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes = LINES.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        self.dated |= name.eq_ignore_ascii_case(b"date");
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn has_date(&self) -> bool {
        self.dated
    }

    /// The value of the first field of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .find_map(|(this, value)| this.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Puts all fields into `map`, for a judge that looks at more than others.
    pub(crate) fn move_into(&mut self, map: &mut HeaderMap) {
        for (name, value) in self.iter() {
            // They came out of a head that the codec had accepted.
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
            {
                map.append(name, value);
            }
        }
        self.bytes.clear();
        self.dated = false;
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let lines = self.bytes.split(|byte| *byte == b'\n');
        lines.filter_map(|line| {
            let line = line.strip_suffix(b"\r")?;
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            Some((name, value.strip_prefix(b": ")?))
        })
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let mut spare = std::mem::take(&mut self.bytes);
        if !(1..=MAX_BYTES).contains(&spare.capacity()) {
            return;
        }
        spare.clear();
        keep(&LINES, spare);
    }
}

/// Appends the end of a chunked body that has trailers (RFC 9112 §7.1).
pub(crate) fn write_trailers(out: &mut Vec<u8>, trailers: &HeaderMap) {
    out.extend_from_slice(write::LAST_CHUNK_BEFORE_TRAILERS);
    for (name, value) in trailers {
        write::field(out, name.as_str().as_bytes(), value.as_bytes());
    }
    write::end_of_head(out);
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

    #[test]
    fn lines_that_are_used_again_have_nothing_of_before() {
        let mut lines = Lines::default();
        lines.push(b"Date", b"today");
        drop(lines);
        let mut again = Lines::default();
        again.push(b"a", b"");
        assert_eq!(again.as_bytes(), b"a: \r\n");
        assert!(!again.has_date());
    }

    #[test]
    fn lines_are_found_and_moved() {
        let mut lines = Lines::default();
        lines.push(b"Accept", b"text/html: x");
        lines.push(b"DATE", b"");
        lines.push(b"accept", b"second");
        assert_eq!(lines.find(b"accept"), Some(&b"text/html: x"[..]));
        assert_eq!(lines.find(b"date"), Some(&b""[..]));
        assert!(lines.has_date() && lines.find(b"text/html").is_none());
        let mut map = HeaderMap::new();
        lines.move_into(&mut map);
        assert!(lines.as_bytes().is_empty() && !lines.has_date());
        let all: Vec<_> = map.get_all("accept").iter().collect();
        assert_eq!(all, ["text/html: x", "second"]);
        assert_eq!(map["date"], "");
    }
}
