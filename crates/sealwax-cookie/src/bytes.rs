//! The few byte-string helpers every module shares.
//!
//! Cookies are bytes, not text: RFC 6265bis never decodes them, so neither do we.

/// Removes leading and trailing WSP (SP and HTAB) and nothing else, as RFC 6265bis does.
///
/// Unicode white space stays: Chromium keeps U+2000 in front of a cookie name, and a reader that
/// trims it sees a different name than the browser enforced.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
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
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = bytes.splitn(2, |byte| *byte == separator);
    (parts.next().unwrap_or_default(), parts.next())
}

/// What follows `prefix`, matched ASCII case-insensitively.
pub(crate) fn strip_prefix_ignore_case<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `%x00-08 / %x0A-1F / %x7F`: the control characters that make a user agent ignore a whole cookie
/// (RFC 6265bis, Section 5.6, step 1). HTAB is not among them.
pub(crate) fn is_forbidden_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
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
    fn prefixes_match_in_any_case_and_only_whole() {
        assert_eq!(
            strip_prefix_ignore_case(b"__hOst-x", b"__Host-"),
            Some(&b"x"[..])
        );
        assert_eq!(strip_prefix_ignore_case(b"__Host", b"__Host-"), None);
    }
}
