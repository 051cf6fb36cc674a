//! Character classes of RFC 9110 §5.6.2 and RFC 9112 §3.2, and how to run over them fast.

/// Bit of [`CLASS`]: a character of a token.
const TOKEN: u8 = 1;
/// Bit of [`CLASS`]: a character of a request target.
const TARGET: u8 = 2;

/// The classes of each byte, one look-up.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0u8;
    loop {
        if byte.is_ascii_alphanumeric() || is_token_mark(byte) {
            table[byte as usize] |= TOKEN;
        }
        if byte.is_ascii_graphic() && byte != b'#' {
            table[byte as usize] |= TARGET;
        }
        if byte == 255 {
            return table;
        }
        byte += 1;
    }
}

const fn is_token_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
    )
}

#[inline]
pub(crate) fn is_token_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)] & TOKEN != 0
}

/// Whether all of it is one token (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

/// Whether a field's value may hold it: visible ASCII, space, tab, obs-text (RFC 9110 §5.5).
#[inline]
pub(crate) fn is_value_byte(byte: u8) -> bool {
    (byte >= 0x20 && byte != 0x7f) || byte == b'\t'
}

/// Where the run of token characters that begins at `at` ends.
#[inline]
pub(crate) fn token_end(input: &[u8], at: usize) -> usize {
    run_end(input, at, is_token_byte)
}

/// Where the run of target characters that begins at `at` ends.
#[inline]
pub(crate) fn target_end(input: &[u8], at: usize) -> usize {
    run_end(input, at, |byte| CLASS[usize::from(byte)] & TARGET != 0)
}

#[inline]
fn run_end(input: &[u8], mut at: usize, inside: impl Fn(u8) -> bool) -> usize {
    // Eight bytes under one bounds check.
    while let Some(bytes) = input.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        for (offset, &byte) in bytes.iter().enumerate() {
            if !inside(byte) {
                return at + offset;
            }
        }
        at += 8;
    }
    while let Some(&byte) = input.get(at) {
        if !inside(byte) {
            break;
        }
        at += 1;
    }
    at
}

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Where the run of value characters that begins at `at` ends, eight bytes at a time.
#[inline]
pub(crate) fn value_end(input: &[u8], mut at: usize) -> usize {
    while let Some(&bytes) = input.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(bytes);
        // The high bit of each byte below 0x20. A borrow may set it in the byte after one that
        // really is, never in the first.
        let low = word.wrapping_sub(ONES * 0x20) & !word;
        let delete = word ^ (ONES * 0x7f);
        let delete = delete.wrapping_sub(ONES) & !delete;
        let stop = (low | delete) & HIGHS;
        if stop == 0 {
            at += 8;
            continue;
        }
        at += (stop.trailing_zeros() / 8) as usize;
        if input.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
    run_end(input, at, is_value_byte)
}

#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The elements of a comma-separated list, without the white space around them. Empty elements
/// are skipped, as RFC 9110 §5.6.1.2 has it.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// Without spaces and tabs at both ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_value_bytes_ends_at_the_first_control_wherever_it_stands() {
        for length in 0..24 {
            for place in 0..length {
                for byte in 0..=255u8 {
                    let mut text = vec![b'a'; length];
                    text[place] = byte;
                    let end = if is_value_byte(byte) { length } else { place };
                    assert_eq!(value_end(&text, 0), end, "{byte:#x} at {place} of {length}");
                    // Neighbours that borrow from each other in the word.
                    text[length - 1] = 0x1f;
                    let end = end.min(length - 1);
                    assert_eq!(value_end(&text, 0), end, "{byte:#x} at {place} of {length}");
                    if place + 2 < length {
                        text[place + 1] = 0x20;
                        assert_eq!(value_end(&text, 0), end, "{byte:#x} at {place} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn classes_are_those_of_the_grammar() {
        for byte in 0..=255u8 {
            let separator = b"\"(),/:;<=>?@[\\]{}".contains(&byte);
            let token = byte.is_ascii_graphic() && !separator;
            assert_eq!(is_token_byte(byte), token, "{byte:#x}");
            let target = (0x21..=0x7e).contains(&byte) && byte != b'#';
            assert_eq!(target_end(&[byte], 0) == 1, target, "{byte:#x}");
        }
    }

    #[test]
    fn lists_lose_blanks_and_empty_elements() {
        let all: Vec<_> = list(b" ,a ,\tb c,, ").collect();
        assert_eq!(all, [&b"a"[..], b"b c"]);
    }
}
