//! The attributes of a `Set-Cookie` field as RFC 6265bis, Section 5.6 walks them.

use crate::bytes::{split, split_once, trim};

/// An attribute whose value is longer than this is ignored (RFC 6265bis, Section 5.6).
const MAX_ATTRIBUTE_VALUE: usize = 1024;

/// One `cookie-av`: what stands between two semicolons.
pub(crate) struct Attribute<'a> {
    /// Everything between the semicolons, white space included.
    pub(crate) raw: &'a [u8],
    pub(crate) kind: Kind,
    /// Trimmed; empty where there is no `=`.
    pub(crate) value: &'a [u8],
}

/// The attributes that change what a user agent does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Domain,
    Expires,
    HttpOnly,
    MaxAge,
    Other,
    Partitioned,
    Path,
    SameSite,
    Secure,
}

impl<'a> Attribute<'a> {
    pub(crate) fn read(raw: &'a [u8]) -> Self {
        let (name, value) = split_once(raw, b'=');
        Self {
            raw,
            kind: Kind::of(trim(name)),
            value: trim(value.unwrap_or_default()),
        }
    }

    /// Whether the user agent looks at it at all.
    pub(crate) fn counts(&self) -> bool {
        self.value.len() <= MAX_ATTRIBUTE_VALUE
    }
}

impl Kind {
    /// Whether it is one of those that we write ourselves.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::HttpOnly | Self::SameSite | Self::Secure)
    }

    fn of(name: &[u8]) -> Self {
        // In the usual spelling first: that is one comparison of a word, not one for each letter.
        let is =
            |known: &str| name == known.as_bytes() || name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("Path") => Self::Path,
            6 if is("Secure") => Self::Secure,
            6 if is("Domain") => Self::Domain,
            7 if is("Expires") => Self::Expires,
            7 if is("Max-Age") => Self::MaxAge,
            8 if is("HttpOnly") => Self::HttpOnly,
            8 if is("SameSite") => Self::SameSite,
            11 if is("Partitioned") => Self::Partitioned,
            _ => Self::Other,
        }
    }
}

/// The attributes of `unparsed`: what follows the first semicolon, `None` without one.
pub(crate) fn attributes(unparsed: Option<&[u8]>) -> impl Iterator<Item = Attribute<'_>> {
    unparsed
        .into_iter()
        .flat_map(|rest| split(rest, b';'))
        .map(Attribute::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_matched_in_any_case() {
        let kinds: Vec<_> = attributes(Some(b" SeCuRe\t; httpONLY =x;;Secured; path= /a=b "))
            .map(|a| (a.kind, a.value.to_vec()))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::Secure, b"".to_vec()),
                (Kind::HttpOnly, b"x".to_vec()),
                (Kind::Other, b"".to_vec()),
                (Kind::Other, b"".to_vec()),
                (Kind::Path, b"/a=b".to_vec()),
            ]
        );
    }

    #[test]
    fn values_of_more_than_1024_bytes_do_not_count() {
        for (len, counts) in [(1024, true), (1025, false)] {
            let field = format!("Path={}", "/".repeat(len));
            assert!(attributes(Some(field.as_bytes())).all(|a| a.counts() == counts));
        }
    }
}
