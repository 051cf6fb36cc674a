//! The canonical reading of the `Cookie` header.
//!
//! Every server reads this header a little differently: some trim Unicode white space, some honour
//! the quoting and the `$Version` of RFC 2109, some accept pairs without a name. Each difference
//! lets someone smuggle a name past the browser's own checks. This reading passes only what all of
//! them read alike.

use crate::bytes::{has_forbidden_control, split, split_once, trim};

/// One cookie of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pair<'a> {
    /// Printable ASCII without space `" , ; = \`, not empty, not beginning with `$`.
    pub name: &'a [u8],
    /// Any bytes but `;` and control characters (HTAB may stand inside); either quoted on both ends
    /// or on neither.
    pub value: &'a [u8],
}

/// What one part of a `Cookie` header turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pairing<'a> {
    /// A cookie in the canonical reading.
    Good(Pair<'a>),
    /// Something that servers may read in different ways.
    Dropped {
        /// The part between two semicolons, trimmed. It may hold a secret: do not log it.
        bytes: &'a [u8],
        /// What is wrong with it.
        why: Dropped,
    },
}

impl<'a> Pairing<'a> {
    /// The cookie, if this is one.
    pub fn good(self) -> Option<Pair<'a>> {
        match self {
            Self::Good(pair) => Some(pair),
            Self::Dropped { .. } => None,
        }
    }
}

/// Why a part of a `Cookie` header is not in the canonical reading.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dropped {
    /// `%x00-08 / %x0A-1F / %x7F` in the value.
    ControlCharacter,
    /// The name begins with `$`, like the attributes of RFC 2109 (`$Version`).
    DollarName,
    /// The name holds a byte that is not printable ASCII, or a space, or one of `" , ; = \`.
    NameByte,
    /// There is no name.
    Nameless,
    /// The value begins or ends with `"`, but not both; a reader of quoted strings would swallow
    /// the cookies that follow ("cookie sandwich").
    UnbalancedQuote,
}

impl Dropped {
    /// A stable name for logs and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ControlCharacter => "cookie.inbound.control-character",
            Self::DollarName => "cookie.inbound.dollar-name",
            Self::NameByte => "cookie.inbound.name-byte",
            Self::Nameless => "cookie.inbound.nameless",
            Self::UnbalancedQuote => "cookie.inbound.unbalanced-quote",
        }
    }

    /// One plain sentence: why.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ControlCharacter => {
                "A control character in a cookie value is no browser's work (RFC 6265bis §5.6)."
            }
            Self::DollarName => {
                "Servers that still read RFC 2109 take names that begin with $ as instructions."
            }
            Self::NameByte => {
                "The name holds a byte that servers trim or decode in different ways (RFC 6265bis §4.1.1)."
            }
            Self::Nameless => {
                "A cookie without a name is read as a name by some servers (RFC 6265bis §5.8.3)."
            }
            Self::UnbalancedQuote => {
                "A quote on one side only makes some servers swallow the cookies that follow."
            }
        }
    }
}

/// Reads the `Cookie` fields of one request, in order, as if they were one joined with `; `
/// (RFC 9113, Section 8.2.3).
///
/// ```
/// use sealwax_cookie::{Dropped, Pair, Pairing, pairs};
///
/// let fields: [&[u8]; 2] = [b"a=1;  b=\"x y\" ; =nameless", b"$Version=1; c=\"open"];
/// let read: Vec<_> = pairs(fields).collect();
/// assert_eq!(
///     read,
///     [
///         Pairing::Good(Pair { name: b"a", value: b"1" }),
///         Pairing::Good(Pair { name: b"b", value: b"\"x y\"" }),
///         Pairing::Dropped { bytes: b"=nameless", why: Dropped::Nameless },
///         Pairing::Dropped { bytes: b"$Version=1", why: Dropped::DollarName },
///         Pairing::Dropped { bytes: b"c=\"open", why: Dropped::UnbalancedQuote },
///     ]
/// );
/// ```
pub fn pairs<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> impl Iterator<Item = Pairing<'a>> {
    fields
        .into_iter()
        .flat_map(parts)
        .filter_map(|part| read(part, value_flaw))
}

/// What stands between the semicolons of one field.
pub(crate) fn parts(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(field, b';')
}

/// Reads one part; `None` when there is nothing but white space.
#[inline(always)]
pub(crate) fn read(
    part: &[u8],
    value_flaw: impl Fn(&[u8]) -> Option<Dropped>,
) -> Option<Pairing<'_>> {
    let part = trim(part);
    if part.is_empty() {
        return None;
    }
    let (name, value) = match split_once(part, b'=') {
        (name, Some(value)) => (trim(name), trim(value)),
        (value, None) => (&[][..], value),
    };
    Some(match name_flaw(name).or_else(|| value_flaw(value)) {
        None => Pairing::Good(Pair { name, value }),
        Some(why) => Pairing::Dropped { bytes: part, why },
    })
}

/// What keeps a name out of the canonical reading.
pub(crate) fn name_flaw(name: &[u8]) -> Option<Dropped> {
    // No early exit: most names are good to the end, and without one the loop is tighter.
    let good = name
        .iter()
        .fold(true, |good, byte| good & is_name_byte(*byte));
    name_lead_flaw(name).or((!good).then_some(Dropped::NameByte))
}

/// What keeps the end of a name that is in the canonical reading from being one itself.
pub(crate) fn name_lead_flaw(rest: &[u8]) -> Option<Dropped> {
    match rest {
        [] => Some(Dropped::Nameless),
        [b'$', ..] => Some(Dropped::DollarName),
        _ => None,
    }
}

/// What keeps a value out of the canonical reading.
pub(crate) fn value_flaw(value: &[u8]) -> Option<Dropped> {
    quote_flaw(value).or_else(|| has_forbidden_control(value).then_some(Dropped::ControlCharacter))
}

/// Whether a quote stands on one side of the value only.
pub(crate) fn quote_flaw(value: &[u8]) -> Option<Dropped> {
    match value {
        [b'"'] => Some(Dropped::UnbalancedQuote),
        [b'"', .., b'"'] => None,
        [b'"', ..] | [.., b'"'] => Some(Dropped::UnbalancedQuote),
        _ => None,
    }
}

/// Whether a byte may stand in a name, by its value.
const NAME_BYTES: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        allowed[byte as usize] = !matches!(byte, b'"' | b',' | b';' | b'=' | b'\\');
        byte += 1;
    }
    allowed
};

fn is_name_byte(byte: u8) -> bool {
    // 256 places: no byte is out of bounds.
    NAME_BYTES[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(part: &str) -> Option<Result<(&str, &str), Dropped>> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        read(part.as_bytes(), value_flaw).map(|pairing| match pairing {
            Pairing::Good(pair) => Ok((text(pair.name), text(pair.value))),
            Pairing::Dropped { why, .. } => Err(why),
        })
    }

    #[test]
    fn what_apps_use_passes() {
        for (part, name, value) in [
            ("a=1", "a", "1"),
            ("\t a =\t1 ", "a", "1"),
            ("a=", "a", ""),
            ("a=b=c", "a", "b=c"),
            ("arr[0]=x", "arr[0]", "x"),
            ("express:sess=x", "express:sess", "x"),
            (r#"j={"a": [1, "b"]}"#, "j", r#"{"a": [1, "b"]}"#),
            (r#"q="x""#, "q", r#""x""#),
            (r#"q="""#, "q", r#""""#),
            (r#"q=a"b"#, "q", r#"a"b"#),
            ("u=caf\u{e9}", "u", "caf\u{e9}"),
            ("t=a\tb", "t", "a\tb"),
            ("d$=1", "d$", "1"),
        ] {
            assert_eq!(one(part), Some(Ok((name, value))), "{part}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_dropped() {
        for (part, why) in [
            ("a", Dropped::Nameless),
            ("=a", Dropped::Nameless),
            (" = ", Dropped::Nameless),
            ("$Version=1", Dropped::DollarName),
            ("$Version=1,__Host-sessionid=evil", Dropped::DollarName),
            ("\u{2000}__Host-sessionid=evil", Dropped::NameByte),
            ("\u{85}__Host-sessionid=evil", Dropped::NameByte),
            ("\u{a0}sessionid=evil", Dropped::NameByte),
            ("sessionid\u{3000}=evil", Dropped::NameByte),
            ("a b=1", Dropped::NameByte),
            ("a\tb=1", Dropped::NameByte),
            ("a,b=1", Dropped::NameByte),
            ("\"a\"=1", Dropped::NameByte),
            ("a\\b=1", Dropped::NameByte),
            ("\x01a=1", Dropped::NameByte),
            ("a=\"x", Dropped::UnbalancedQuote),
            ("a=x\"", Dropped::UnbalancedQuote),
            ("a=\"", Dropped::UnbalancedQuote),
            ("a=x\0y", Dropped::ControlCharacter),
            ("a=x\x7fy", Dropped::ControlCharacter),
            ("a=x\x0by", Dropped::ControlCharacter),
        ] {
            assert_eq!(one(part), Some(Err(why)), "{part:?}");
        }
    }

    #[test]
    fn empty_parts_are_nothing() {
        let fields: [&[u8]; 3] = [b"", b" ;; \t;", b";a=1;"];
        assert_eq!(pairs(fields).count(), 1);
    }

    #[test]
    fn a_cookie_sandwich_falls_apart() {
        let header: &[u8] = b"$Version=1; show=\"x; sessionid=secret; end=y\"";
        let good: Vec<_> = pairs([header])
            .filter_map(Pairing::good)
            .map(|p| p.name)
            .collect();
        assert_eq!(good, [b"sessionid"]);
    }
}
