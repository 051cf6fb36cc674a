//! Numbers as Django's timestamps write them: base 62, digits before upper before lower case,
//! big-endian, without padding, `-` before negatives.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The characters of the longest number, `i64::MIN`, with its sign.
const LONGEST: usize = 12;

/// A number as text: Django's `b62_encode`.
///
/// ```
/// use sealwax_django::base62;
///
/// assert_eq!(base62::encode(1_764_000_000), "1vNYyu");
/// assert_eq!(base62::encode(0), "0");
/// assert_eq!(base62::encode(-62), "-10");
/// ```
#[must_use]
pub fn encode(number: i64) -> String {
    let mut buffer = [0; LONGEST];
    encode_into(number, &mut buffer).to_owned()
}

/// The same without an allocation.
pub(crate) fn encode_into(number: i64, buffer: &mut [u8; LONGEST]) -> &str {
    let mut rest = number.unsigned_abs();
    let mut at = LONGEST;
    loop {
        at -= 1;
        buffer[at] = ALPHABET[(rest % 62) as usize];
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    // The alphabet is ASCII.
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

/// Space for [`encode_into`].
pub(crate) fn buffer() -> [u8; LONGEST] {
    [0; LONGEST]
}

/// A text as number: Django's `b62_decode`. A lone `-` is 0, as there.
///
/// # Errors
/// [`NotBase62`] for an empty text, another character, or a number past 64 bits (Python's numbers
/// have no end).
///
/// ```
/// use sealwax_django::base62;
///
/// assert_eq!(base62::decode("1vNYyu"), Ok(1_764_000_000));
/// assert!(base62::decode("1vN Yu").is_err());
/// ```
pub fn decode(text: &str) -> Result<i64, NotBase62> {
    let (negative, digits) = match text.as_bytes() {
        [] => return Err(NotBase62),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut number: i64 = 0;
    for &byte in digits {
        let digit = i64::from(value(byte).ok_or(NotBase62)?);
        let digit = if negative { -digit } else { digit };
        number = number
            .checked_mul(62)
            .and_then(|number| number.checked_add(digit))
            .ok_or(NotBase62)?;
    }
    Ok(number)
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        _ => None,
    }
}

/// A text that is no number in base 62.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number in base 62 (0-9, A-Z, a-z) of at most 64 bits")]
pub struct NotBase62;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_and_the_ends() {
        for (number, text) in [
            (0, "0"),
            (9, "9"),
            (10, "A"),
            (35, "Z"),
            (36, "a"),
            (61, "z"),
            (62, "10"),
            (-1, "-1"),
            (1_764_000_000, "1vNYyu"),
            (i64::MAX, "AzL8n0Y58m7"),
            (i64::MIN, "-AzL8n0Y58m8"),
        ] {
            assert_eq!(encode(number), text);
            assert_eq!(decode(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn leading_zeros_and_a_lone_sign_are_read_as_python_reads_them() {
        assert_eq!(decode("001"), Ok(1));
        assert_eq!(decode("-"), Ok(0));
        assert_eq!(decode("-0"), Ok(0));
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "",
            "--1",
            " 1",
            "1 ",
            "+1",
            "é",
            "AzL8n0Y58m8",
            "zzzzzzzzzzzzzzz",
        ] {
            assert_eq!(decode(text), Err(NotBase62), "{text}");
        }
    }
}
