//! The `SameSite` attribute.

/// A valid `SameSite` value (RFC 6265bis, Section 5.6.7). `Strict` protects more than `Lax`, `Lax`
/// more than `None`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SameSite {
    /// Sent on same-site requests and on cross-site top-level navigations with a safe method.
    Lax,
    /// Sent on every request; browsers demand `Secure` with it.
    None,
    /// Sent on same-site requests only.
    Strict,
}

impl SameSite {
    /// The value as it is written in `Set-Cookie`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Strict => "Strict",
        }
    }

    /// Reads an attribute value, ASCII case-insensitively; `None` for anything else.
    pub fn parse(value: &[u8]) -> Option<Self> {
        [Self::Lax, Self::None, Self::Strict]
            .into_iter()
            .find(|candidate| value.eq_ignore_ascii_case(candidate.as_str().as_bytes()))
    }
}

/// What a cookie says about `SameSite`; the last attribute counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SameSiteAttribute {
    /// There is no such attribute. Chromium then treats the cookie as Lax, after two minutes in
    /// which cross-site POST navigations still carry it; Firefox and Safari send it everywhere.
    Absent,
    /// The last one has a value that is not in the specification, which reads as absent.
    Invalid,
    /// A valid value.
    Is(SameSite),
}
