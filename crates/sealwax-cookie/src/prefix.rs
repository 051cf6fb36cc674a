//! Cookie name prefixes that user agents enforce.

use crate::bytes::strip_prefix_ignore_case;

/// A cookie name prefix that user agents enforce (RFC 6265bis, Section 5.4; `__Http-` and
/// `__Host-Http-` come from its successor, the layered-cookies draft).
///
/// | prefix | `Secure` | `HttpOnly` | `Path=/`, no `Domain` |
/// |---|---|---|---|
/// | `__Host-` | yes | | yes |
/// | `__Host-Http-` | yes | yes | yes |
/// | `__Http-` | yes | yes | |
/// | `__Secure-` | yes | | |
///
/// Sealwax itself writes only `__Host-` and `__Secure-`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Prefix {
    /// `__Host-`
    Host,
    /// `__Host-Http-`
    HostHttp,
    /// `__Http-`
    Http,
    /// `__Secure-`
    Secure,
}

impl Prefix {
    /// The prefix in the spelling of the specification.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "__Host-",
            Self::HostHttp => "__Host-Http-",
            Self::Http => "__Http-",
            Self::Secure => "__Secure-",
        }
    }

    /// The prefix of `name` and what follows it, matched as browsers match it: ASCII
    /// case-insensitively. `None` when the name has none.
    #[inline]
    pub fn split(name: &[u8]) -> Option<(Self, &[u8])> {
        // Nearly every name fails here, without a comparison.
        match name {
            [b'_', b'_', ..] => Self::split_underscored(name),
            _ => None,
        }
    }

    fn split_underscored(name: &[u8]) -> Option<(Self, &[u8])> {
        if let Some(rest) = strip_prefix_ignore_case(name, b"__Host-") {
            // The longest prefix counts: `__Host-Http-x` is not `__Host-` and `Http-x`.
            return Some(match strip_prefix_ignore_case(rest, b"Http-") {
                Some(rest) => (Self::HostHttp, rest),
                None => (Self::Host, rest),
            });
        }
        if let Some(rest) = strip_prefix_ignore_case(name, b"__Secure-") {
            return Some((Self::Secure, rest));
        }
        Some((Self::Http, strip_prefix_ignore_case(name, b"__Http-")?))
    }

    /// Whether `name` carries this prefix in the exact spelling of the specification.
    #[inline]
    pub fn is_exact(self, name: &[u8]) -> bool {
        // Each by itself, so that the compiler knows the length.
        match self {
            Self::Host => name.starts_with(b"__Host-"),
            Self::HostHttp => name.starts_with(b"__Host-Http-"),
            Self::Http => name.starts_with(b"__Http-"),
            Self::Secure => name.starts_with(b"__Secure-"),
        }
    }

    /// Whether the browser refuses the cookie without `HttpOnly`.
    pub const fn needs_http_only(self) -> bool {
        matches!(self, Self::HostHttp | Self::Http)
    }

    /// Whether the browser refuses the cookie without `Path=/` or with a `Domain`.
    pub const fn needs_host_only(self) -> bool {
        matches!(self, Self::Host | Self::HostHttp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_in_any_case() {
        let split = |name: &'static str| {
            Prefix::split(name.as_bytes()).map(|(p, rest)| (p, std::str::from_utf8(rest).unwrap()))
        };
        assert_eq!(split("__Host-sid"), Some((Prefix::Host, "sid")));
        assert_eq!(split("__HOST-sid"), Some((Prefix::Host, "sid")));
        assert_eq!(split("__Host-Http-sid"), Some((Prefix::HostHttp, "sid")));
        assert_eq!(split("__host-hTTp-sid"), Some((Prefix::HostHttp, "sid")));
        assert_eq!(split("__Http-sid"), Some((Prefix::Http, "sid")));
        assert_eq!(split("__secure-"), Some((Prefix::Secure, "")));
        assert_eq!(
            split("__Secure-__Host-sid"),
            Some((Prefix::Secure, "__Host-sid"))
        );
        assert_eq!(split("_Host-sid"), None);
        assert_eq!(split("__Host"), None);
        assert_eq!(split("__stripe_mid"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn exact_means_exact() {
        assert!(Prefix::Host.is_exact(b"__Host-a"));
        assert!(!Prefix::Host.is_exact(b"__HOST-a"));
        assert!(!Prefix::Secure.is_exact(b"__Host-a"));
    }
}
