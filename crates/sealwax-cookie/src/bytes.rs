//! The few byte-string helpers every module shares.
//!
//! Cookies are bytes, not text: RFC 6265bis never decodes them, so neither do we.

/// Removes leading and trailing WSP (SP and HTAB) and nothing else, as RFC 6265bis does.
///
/// Unicode white space stays: Chromium keeps U+2000 in front of a cookie name, and a reader that
/// trims it sees a different name than the browser enforced.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    // Nearly always there is nothing to remove, and one look at each end says so.
    if let [first, .., last] = bytes
        && *first > b' '
        && *last > b' '
    {
        return bytes;
    }
    let mut bytes = trim_start(bytes);
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Removes leading WSP.
pub(crate) fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Splits at the first `separator`; the tail is `None` when there is none.
#[inline]
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    let at = find(bytes, separator);
    match at.and_then(|at| bytes.split_at_checked(at)) {
        Some((head, tail)) => (head, tail.get(1..)),
        None => (bytes, None),
    }
}

/// What stands between the `separator`s: one piece more than there are separators.
pub(crate) fn split(bytes: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let (head, tail) = split_once(rest?, separator);
        rest = tail;
        Some(head)
    })
}

/// The place of the first `needle`. Many bytes at a time: fields are split at every `;` and `=`, and
/// going byte by byte is half the cost of reading a cookie.
#[inline]
pub(crate) fn find(bytes: &[u8], needle: u8) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let pattern = ONES * u64::from(needle);
    let marks = |word: &[u8; 8]| {
        let difference = u64::from_le_bytes(*word) ^ pattern;
        difference.wrapping_sub(ONES) & !difference & HIGHS
    };
    // The lowest marked byte is the first zero byte of the difference; marks above it may be
    // borrows and do not matter.
    let place = |marks: u64| marks.trailing_zeros() as usize / 8;
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().position(|byte| *byte == needle);
    };
    // Whether it is in a chunk takes the compiler three wide instructions; where comes after.
    let mut at = 0;
    for chunk in bytes.as_chunks::<16>().0 {
        if chunk
            .iter()
            .fold(false, |hit, byte| hit | (*byte == needle))
        {
            let low = marks(chunk.first_chunk()?);
            return Some(match low {
                0 => at + 8 + place(marks(chunk.last_chunk()?)),
                _ => at + place(low),
            });
        }
        at += 16;
    }
    let low = bytes.get(at..)?.first_chunk().map_or(0, marks);
    if low != 0 {
        return Some(at + place(low));
    }
    // The last word overlaps what comes before it, where nothing was found.
    let high = marks(last);
    (high != 0).then(|| bytes.len() - 8 + place(high))
}

/// The pieces in one allocation of exactly their length, which can then be shared as it is.
pub(crate) fn concat<const N: usize>(pieces: [&[u8]; N]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        // Copying nothing costs as much as copying a little.
        if !piece.is_empty() {
            out.extend_from_slice(piece);
        }
    }
    out
}

/// What follows `prefix`, matched ASCII case-insensitively.
pub(crate) fn strip_prefix_ignore_case<'a, const N: usize>(
    bytes: &'a [u8],
    prefix: &[u8; N],
) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    // Most often the case is the same too, or the last letter differs; both are cheaper to see.
    let may_be =
        || head.last().map(u8::to_ascii_lowercase) == prefix.last().map(u8::to_ascii_lowercase);
    (head == prefix || may_be() && head.eq_ignore_ascii_case(prefix)).then_some(rest)
}

/// Whether there is any of `%x00-08 / %x0A-1F / %x7F`, the control characters that make a user agent
/// ignore a whole cookie (RFC 6265bis, Section 5.6, step 1). HTAB is not among them.
pub(crate) fn has_forbidden_control(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().any(|byte| is_forbidden_control(*byte));
    };
    // No early exit, since in nearly every field there is nothing to find. The last chunk overlaps
    // the one before, so that no byte is left over.
    let mut found = [0; 16];
    for chunk in bytes.as_chunks().0 {
        mark_forbidden_controls(chunk, &mut found);
    }
    mark_forbidden_controls(last, &mut found);
    found != [0; 16]
}

/// By itself, and not in a loop, the compiler turns this into a few wide instructions.
#[inline(never)]
fn mark_forbidden_controls(chunk: &[u8; 16], found: &mut [u8; 16]) {
    for (lane, byte) in found.iter_mut().zip(chunk) {
        *lane |= u8::from(is_forbidden_control(*byte));
    }
}

fn is_forbidden_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' || byte == 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sp_and_htab_are_trimmed() {
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b"\r\na\x0b"), b"\r\na\x0b");
        assert_eq!(
            trim("\u{2000}a\u{a0}".as_bytes()),
            "\u{2000}a\u{a0}".as_bytes()
        );
        assert_eq!(trim(b" \t"), b"");
    }

    #[test]
    fn splitting_keeps_the_later_separators() {
        assert_eq!(split_once(b"a=b=c", b'='), (&b"a"[..], Some(&b"b=c"[..])));
        assert_eq!(split_once(b"abc", b'='), (&b"abc"[..], None));
        assert_eq!(split_once(b"", b'='), (&b""[..], None));
    }

    #[test]
    fn finding_agrees_with_going_byte_by_byte() {
        for length in 0..40 {
            for at in 0..=length {
                // Neighbours of the needle are where the arithmetic could go wrong.
                for filler in [b';' - 1, b';' + 1, b';' ^ 0x80, 0, 0xff] {
                    let mut bytes = vec![filler; length];
                    bytes
                        .iter_mut()
                        .skip(at)
                        .step_by(3)
                        .for_each(|byte| *byte = b';');
                    let expected = bytes.iter().position(|byte| *byte == b';');
                    assert_eq!(find(&bytes, b';'), expected, "{bytes:?}");
                    assert!(split(&bytes, b';').eq(bytes.split(|byte| *byte == b';')));
                }
            }
        }
    }

    #[test]
    fn exactly_the_control_characters_are_forbidden() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_control() && byte != b'\t';
            for length in 1..40 {
                for at in 0..length {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    assert_eq!(has_forbidden_control(&bytes), expected, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn prefixes_match_in_any_case_and_only_whole() {
        assert_eq!(
            strip_prefix_ignore_case(b"__hOst-x", b"__Host-"),
            Some(&b"x"[..])
        );
        assert_eq!(strip_prefix_ignore_case(b"__Host", b"__Host-"), None);
    }
}
