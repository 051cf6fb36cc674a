//! The Referer check: what is left on HTTPS when a browser sent no `Origin`.

use super::Reason;
use super::origins::TrustedOrigins;
use crate::host::same_domain;
use crate::url::SplitUrl;

/// The host that the site's own pages have in their URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnHost<'a> {
    /// The host of the request with its port, as sent.
    Requested(&'a str),
    /// The domain of the CSRF cookie (Django: `CSRF_COOKIE_DOMAIN`, or
    /// `SESSION_COOKIE_DOMAIN` with `CSRF_USE_SESSIONS`): with a leading dot,
    /// everything below it too.
    CookieDomain {
        /// The setting's value.
        domain: &'a str,
        /// The port on which the request came.
        port: &'a str,
    },
    /// Nobody knows: the request names no host that is allowed.
    Unknown,
}

impl OwnHost<'_> {
    fn is(self, netloc: &str) -> bool {
        match self {
            Self::Requested(host) => same_domain(netloc, host),
            Self::CookieDomain {
                domain,
                port: "443" | "80",
            } => same_domain(netloc, domain),
            Self::CookieDomain { domain, port } => same_domain(netloc, &format!("{domain}:{port}")),
            Self::Unknown => false,
        }
    }
}

/// Judges the `Referer` of a request over HTTPS: an `https` URL of the site
/// itself or of a trusted origin's host.
///
/// ```
/// use sealwax_policy::{OwnHost, TrustedOrigins, referer_verified};
///
/// let (own, none) = (OwnHost::Requested("a.test"), TrustedOrigins::default());
/// assert!(referer_verified(Some("https://a.test/page"), own, &none).is_ok());
/// let reason = referer_verified(Some("https://b.test/"), own, &none).unwrap_err();
/// assert_eq!(
///     reason.to_string(),
///     "Referer checking failed - https://b.test/ does not match any trusted origins."
/// );
/// ```
///
/// # Errors
/// Why the request is refused.
pub fn referer_verified(
    referer: Option<&str>,
    own: OwnHost<'_>,
    trusted: &TrustedOrigins,
) -> Result<(), Reason> {
    let url = SplitUrl::of(referer.ok_or(Reason::NoReferer)?);
    let url = url.map_err(|_| Reason::MalformedReferer)?;
    if url.scheme.is_empty() || url.netloc.is_empty() {
        return Err(Reason::MalformedReferer);
    }
    if url.scheme != "https" {
        return Err(Reason::InsecureReferer);
    }
    match trusted.trust_host(&url.netloc) || own.is(&url.netloc) {
        true => Ok(()),
        false => Err(Reason::BadReferer(url.text())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(referer: &str, own: OwnHost<'_>) -> Result<(), String> {
        let trusted = TrustedOrigins::as_django(["http://dash.example", "https://*.wild.test"]);
        referer_verified(Some(referer), own, &trusted).map_err(|reason| reason.to_string())
    }

    #[test]
    fn only_an_https_page_of_the_site_or_a_trusted_host_passes() {
        let own = OwnHost::Requested("good:8443");
        for good in [
            "https://good:8443/page?x#y",
            "https://dash.example/",
            "https://x.wild.test",
            "https://wild.test/",
        ] {
            assert_eq!(judge(good, own), Ok(()), "{good}");
        }
        for (referer, reason) in [
            ("", "Referer is malformed."),
            ("good:8443", "Referer is malformed."),
            ("//good:8443/", "Referer is malformed."),
            ("https://[", "Referer is malformed."),
            (
                "http://good:8443/",
                "Referer is insecure while host is secure.",
            ),
            (
                "http://dash.example/",
                "Referer is insecure while host is secure.",
            ),
            (
                "https://good/x?",
                "https://good/x does not match any trusted origins.",
            ),
            (
                "https://good:8443@evil/",
                "https://good:8443@evil/ does not match any trusted origins.",
            ),
            (
                "https://evilgood:8443/",
                "https://evilgood:8443/ does not match any trusted origins.",
            ),
        ] {
            let expected = format!("Referer checking failed - {reason}");
            assert_eq!(judge(referer, own), Err(expected), "{referer}");
        }
        let none = referer_verified(None, own, &TrustedOrigins::default());
        assert_eq!(none, Err(Reason::NoReferer));
    }

    #[test]
    fn the_cookies_domain_widens_it() {
        let own = |port| OwnHost::CookieDomain {
            domain: ".example.com",
            port,
        };
        assert!(judge("https://www.example.com/", own("443")).is_ok());
        assert!(judge("https://example.com/", own("80")).is_ok());
        assert!(judge("https://www.example.com/", own("4443")).is_err());
        assert!(judge("https://www.example.com:4443/", own("4443")).is_ok());
        assert!(judge("https://example.com/", OwnHost::Unknown).is_err());
    }
}
