//! Writes JSON byte for byte as Python's `json.dumps(separators=(",", ":"))`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

/// A value as JSON in ASCII.
pub(crate) fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::with_capacity(64);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Python);
    value.serialize(&mut serializer)?;
    // All of it is ASCII, so it is UTF-8 too.
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// A text as a JSON string, quotes included.
pub(crate) fn escape(text: &str) -> String {
    // A string is never refused.
    to_string(text).unwrap_or_default()
}

/// Everything but printable ASCII is escaped, and floats are written as Python's `repr`.
struct Python;

impl Formatter for Python {
    fn write_f64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        let mut shortest = Vec::with_capacity(24);
        CompactFormatter.write_f64(&mut shortest, value)?;
        out.write_all(repr(&String::from_utf8_lossy(&shortest)).as_bytes())
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f32) -> io::Result<()> {
        let mut shortest = Vec::with_capacity(16);
        CompactFormatter.write_f32(&mut shortest, value)?;
        out.write_all(repr(&String::from_utf8_lossy(&shortest)).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |byte: u8| (b' '..=b'~').contains(&byte);
        if fragment.bytes().all(plain) {
            return CompactFormatter.write_string_fragment(out, fragment);
        }
        let mut escaped = String::with_capacity(fragment.len() * 2);
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                escaped.push(character);
            } else {
                escape_unicode(character, &mut escaped);
            }
        }
        out.write_all(escaped.as_bytes())
    }
}

/// One character as `\uXXXX`, or two of them past U+FFFF (RFC 8259, Section 7).
pub(crate) fn escape_unicode(character: char, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            out.push(char::from(HEX[usize::from(*unit >> shift & 15)]));
        }
    }
}

/// Python's `repr` of a float, from a text with the same digits: the fewest that read back as the
/// same number, and of two such the even one, as Python and `serde_json` choose but not `{:e}`.
fn repr(text: &str) -> String {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.bytes().take_while(|&byte| byte == b'0').count();
    let digits = all.trim_matches('0');
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    // Of the first digit: 1.5 has 0. An f64's has three digits and fits.
    let shift = i64::try_from(whole.len()).unwrap_or(0) - i64::try_from(leading).unwrap_or(0) - 1;
    let exponent = exponent.parse::<i64>().unwrap_or(0) + shift;

    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    if !(-4..16).contains(&exponent) {
        let point = if rest.is_empty() { "" } else { "." };
        let sign_of = if exponent < 0 { '-' } else { '+' };
        return format!(
            "{sign}{first}{point}{rest}e{sign_of}{:02}",
            exponent.unsigned_abs()
        );
    }
    // Below 17 from here on.
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", zeros(-exponent - 1));
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(1);
    match digits.split_at_checked(whole) {
        Some((whole, "")) => format!("{sign}{whole}.0"),
        Some((whole, rest)) => format!("{sign}{whole}.{rest}"),
        None => {
            let digits_there = i64::try_from(digits.len()).unwrap_or(0);
            format!("{sign}{digits}{}.0", zeros(exponent + 1 - digits_there))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_ascii() {
        assert_eq!(
            escape("é\u{2019}\u{1f600}"),
            r#""\u00e9\u2019\ud83d\ude00""#
        );
        assert_eq!(escape("\"\\\n\r\t\u{8}\u{c}/"), r#""\"\\\n\r\t\b\f/""#);
        assert_eq!(escape("\0\u{1f}\u{7f}~"), r#""\u0000\u001f\u007f~""#);
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.5, "1.5"),
            (100.0, "100.0"),
            (123.456, "123.456"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.00001, "1e-05"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.25e16, "1.25e+16"),
            (-1.5e-7, "-1.5e-07"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (1e22, "1e+22"),
            // Halfway between two shortest texts.
            (-1_327_418_954_992_801.0 / 8.0, "-165927369374100.12"),
            (1_327_418_954_992_803.0 / 8.0, "165927369374100.38"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(to_string(&value).unwrap(), text);
        }
        assert_eq!(to_string(&0.1_f32).unwrap(), "0.1");
    }

    #[test]
    fn it_is_compact_and_keeps_the_order() {
        let value = serde_json::json!({"b": [1, null, true], "a": {}});
        assert_eq!(
            to_string(&value).unwrap().replace(r#""a":{},"#, ""),
            r#"{"b":[1,null,true]}"#
        );
    }
}
