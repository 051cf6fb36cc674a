//! The origins beside the site's own that may send it unsafe requests
//! (Django: `CSRF_TRUSTED_ORIGINS`).

use std::fmt;

use crate::host::same_domain;
use crate::url::SplitUrl;

/// Trusted origins, each `scheme://host[:port]`; a `*` in place of the leftmost
/// labels (`https://*.example.com`) stands for the host itself and everything
/// below it, on that scheme and port.
///
/// ```
/// use sealwax_policy::TrustedOrigins;
///
/// let origins = TrustedOrigins::new(["https://*.example.com"]).unwrap();
/// assert!(origins.trust("https://a.b.example.com") && origins.trust("https://example.com"));
/// assert!(!origins.trust("http://a.example.com") && !origins.trust("null"));
///
/// let mistakes = TrustedOrigins::new(["example.com", "https://example.com/"]).unwrap_err();
/// assert_eq!(mistakes.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedOrigins {
    exact: Vec<String>,
    /// Scheme, and `.host[:port]`.
    below: Vec<(String, String)>,
    /// Host and port of every entry, for the Referer check, which has its own
    /// idea of the scheme.
    hosts: Vec<String>,
}

impl TrustedOrigins {
    /// Takes the entries and refuses those that can never match.
    ///
    /// # Errors
    /// Every mistake, in the order of the entries.
    pub fn new<S: AsRef<str>>(
        entries: impl IntoIterator<Item = S>,
    ) -> Result<Self, Vec<OriginMistake>> {
        let entries: Vec<S> = entries.into_iter().collect();
        let mistakes: Vec<OriginMistake> = entries
            .iter()
            .filter_map(|entry| OriginMistake::of(entry.as_ref()))
            .collect();
        match mistakes.is_empty() {
            true => Ok(Self::as_django(entries)),
            false => Err(mistakes),
        }
    }

    /// Takes the entries as Django does: one that can never match, such as
    /// `https://a.example/` with its slash, is kept and never matches.
    pub fn as_django<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Self {
        let mut origins = Self::default();
        for entry in entries {
            let entry = entry.as_ref();
            let Ok(url) = SplitUrl::of(entry) else {
                continue;
            };
            let host = url.netloc.trim_start_matches('*').to_owned();
            if entry.contains('*') {
                origins.below.push((url.scheme, host.clone()));
            } else {
                origins.exact.push(entry.to_owned());
            }
            origins.hosts.push(host);
        }
        origins
    }

    /// Whether an `Origin` is among them. `null` never is.
    #[must_use]
    pub fn trust(&self, origin: &str) -> bool {
        if self.exact.iter().any(|exact| exact == origin) {
            return true;
        }
        if self.below.is_empty() {
            return false;
        }
        let Ok(url) = SplitUrl::of(origin) else {
            return false;
        };
        self.below
            .iter()
            .any(|(scheme, host)| *scheme == url.scheme && same_domain(&url.netloc, host))
    }

    /// Whether the host (with its port) of a Referer is among theirs.
    pub(super) fn trust_host(&self, netloc: &str) -> bool {
        self.hosts.iter().any(|host| same_domain(netloc, host))
    }
}

/// An entry that can never match. The text says which, why, and the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginMistake {
    /// No `scheme://` in front (Django's check `4_0.E001`), or something there
    /// that is no scheme (RFC 3986 §3.1).
    NoScheme(String),
    /// The text after the scheme is no host with an optional port, as browsers
    /// write it: in lower case, without the scheme's own port.
    NoHost(String),
    /// Something follows the host: a slash, a path, a query.
    MoreThanOrigin(String),
    /// A `*` elsewhere than in front of the first dot.
    InnerWildcard(String),
}

impl OriginMistake {
    fn of(entry: &str) -> Option<Self> {
        let mistake = |make: fn(String) -> Self| Some(make(entry.to_owned()));
        let Some((scheme, host)) = entry.split_once("://") else {
            return mistake(Self::NoScheme);
        };
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            || !scheme.bytes().all(letters)
        {
            return mistake(Self::NoScheme);
        }
        if host.contains(['/', '?', '#', '@']) {
            return mistake(Self::MoreThanOrigin);
        }
        let name = match host.strip_prefix("*.") {
            Some(parent) => parent,
            None => host,
        };
        if name.contains('*') {
            return mistake(Self::InnerWildcard);
        }
        // Browsers write an origin in lower case and without the scheme's own port (RFC 6454 §6.2),
        // and it is compared byte for byte.
        let as_browsers_do = crate::Host::parse(name.as_bytes()).is_ok_and(|host| {
            let own_port = [("https", Some("443")), ("http", Some("80"))];
            !own_port.contains(&(scheme, host.port()))
                && !entry.bytes().any(|byte| byte.is_ascii_uppercase())
        });
        // Django's grammar of a host takes any text in brackets; only an IPv6 address can match.
        if as_browsers_do && SplitUrl::of(entry).is_ok() {
            return None;
        }
        mistake(Self::NoHost)
    }
}

impl fmt::Display for OriginMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScheme(entry) => write!(
                f,
                "the trusted origin `{entry}` has no scheme; write `https://{}`",
                entry.rsplit("://").next().unwrap_or_default()
            ),
            Self::NoHost(entry) => write!(
                f,
                "the trusted origin `{entry}` does not name a host as browsers write it; \
                 write it in lower case, with a port only if it is not the scheme's own: \
                 `https://app.example.com`"
            ),
            Self::MoreThanOrigin(entry) => write!(
                f,
                "the trusted origin `{entry}` goes on after the host, which no Origin does; \
                 leave out the slash and what follows it"
            ),
            Self::InnerWildcard(entry) => write!(
                f,
                "the trusted origin `{entry}` has a `*` that never matches; \
                 it may only be the first label: `https://*.example.com`"
            ),
        }
    }
}

impl std::error::Error for OriginMistake {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_the_host_and_all_below_it() {
        let origins = TrustedOrigins::new([
            "https://*.example.com",
            "https://a.test:8443",
            "http://*.plain.test:8080",
        ])
        .unwrap();
        for (origin, trusted) in [
            ("https://x.example.com", true),
            ("https://a.b.example.com", true),
            ("https://example.com", true),
            ("https://evilexample.com", false),
            ("https://example.com.evil.test", false),
            ("http://x.example.com", false),
            ("https://x.example.com:8443", false),
            ("https://a.test:8443", true),
            ("https://a.test", false),
            ("http://x.plain.test:8080", true),
            ("http://x.plain.test", false),
            ("null", false),
            ("", false),
            ("https://[", false),
            ("https://good.evil@example.com", false),
        ] {
            assert_eq!(origins.trust(origin), trusted, "{origin}");
        }
    }

    #[test]
    fn what_can_never_match_is_refused_and_in_django_never_matches() {
        for (entry, word) in [
            ("example.com", "no scheme"),
            ("://example.com", "no scheme; write `https://example.com`"),
            (
                "*https://example.com",
                "no scheme; write `https://example.com`",
            ),
            ("1s://example.com", "no scheme"),
            ("https://example.com/", "goes on"),
            ("https://u@example.com", "goes on"),
            ("https://a.*.example.com", "never matches"),
            ("https://*", "never matches"),
            ("https://*example.com", "never matches"),
            ("https://", "does not name"),
            ("https://Example.com", "does not name"),
            ("https://example.com:443", "does not name"),
            ("http://*.example.com:80", "does not name"),
            ("https://a b", "does not name"),
            ("https://[:443]", "does not name"),
        ] {
            let mistakes = TrustedOrigins::new([entry, "https://good.example"]).unwrap_err();
            assert_eq!(mistakes.len(), 1, "{entry}");
            assert!(mistakes[0].to_string().contains(word), "{}", mistakes[0]);
        }
        let lenient = TrustedOrigins::as_django(["https://a.example/", "https://*", "https://["]);
        assert!(!lenient.trust("https://a.example") && !lenient.trust("https://b.example"));
        assert!(TrustedOrigins::as_django(["https://*example.com"]).trust("https://example.com"));
    }
}
