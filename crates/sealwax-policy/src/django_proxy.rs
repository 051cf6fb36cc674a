//! Django's way of learning scheme and host from a proxy: by the header alone,
//! whoever sent it.
//!
//! [`crate::TrustedProxies`] asks for the sender's address, and is what a site
//! should use. These are for an app that carries Django's settings over, behind
//! a proxy that always sets or removes the headers.

use std::fmt;

use http::header::{HeaderMap, HeaderName};

use crate::host::{AllowedHosts, Host};

/// `SECURE_PROXY_SSL_HEADER`: the header by which a proxy says that the client
/// came over HTTPS. Whoever can reach the app without the proxy can say so too.
///
/// ```
/// use http::HeaderMap;
/// use sealwax_policy::SecureProxySslHeader;
///
/// let setting = SecureProxySslHeader::from_django("HTTP_X_FORWARDED_PROTO", "https").unwrap();
/// let mut headers = HeaderMap::new();
/// assert!(setting.is_secure(&headers, true));
/// headers.insert("x-forwarded-proto", "http".parse().unwrap());
/// assert!(!setting.is_secure(&headers, true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureProxySslHeader {
    /// The header's name: `x-forwarded-proto`.
    pub name: HeaderName,
    /// The value that means HTTPS, compared with its case.
    pub value: Box<str>,
}

impl SecureProxySslHeader {
    /// Reads Django's setting, `("HTTP_X_FORWARDED_PROTO", "https")`: the
    /// header as CGI names it (RFC 3875 §4.1.18).
    ///
    /// # Errors
    /// The first part is no such name; Django would never find the header.
    pub fn from_django(meta: &str, value: &str) -> Result<Self, NotAMetaName> {
        let wrong = || NotAMetaName(meta.to_owned());
        let name = meta.strip_prefix("HTTP_").ok_or_else(wrong)?;
        let spelled = name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        let name = name.to_ascii_lowercase().replace('_', "-");
        match HeaderName::try_from(name) {
            Ok(name) if spelled => Ok(Self {
                name,
                value: value.into(),
            }),
            _ => Err(wrong()),
        }
    }

    /// Whether the request counts as secure. A header that says anything but
    /// the value means plain HTTP, even where `tls` says that the connection
    /// is not; without the header, `tls` decides. Several fields count as one
    /// list (RFC 9110 §5.2), of which the first entry is read.
    #[must_use]
    pub fn is_secure(&self, headers: &HeaderMap, tls: bool) -> bool {
        match headers.get(&self.name) {
            Some(sent) => self.says_https(sent.as_bytes()),
            None => tls,
        }
    }

    /// Whether this value of the header means HTTPS.
    #[must_use]
    pub fn says_https(&self, sent: &[u8]) -> bool {
        let first = sent.split(|byte| *byte == b',').next().unwrap_or_default();
        first.trim_ascii() == self.value.as_bytes()
    }
}

/// A header name that is not written as Django wants it. The text has the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAMetaName(String);

impl fmt::Display for NotAMetaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.to_ascii_uppercase().replace('-', "_");
        let name = name.strip_prefix("HTTP_").unwrap_or(&name);
        write!(
            f,
            "SECURE_PROXY_SSL_HEADER names the header `{}`, which Django never finds; write `HTTP_{name}`",
            self.0
        )
    }
}

impl std::error::Error for NotAMetaName {}

/// What a request says about its host, to Django.
///
/// ```
/// use sealwax_policy::{AllowedHosts, HostClaims};
///
/// let claims = HostClaims { host: Some("a.test:8000"), ..HostClaims::default() };
/// assert_eq!(claims.host(&AllowedHosts::new(["a.test"])).unwrap(), "a.test:8000");
/// assert!(claims.host(&AllowedHosts::new(["b.test"])).is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostClaims<'a> {
    /// `X-Forwarded-Host`; only where `USE_X_FORWARDED_HOST` is on.
    pub x_forwarded_host: Option<&'a str>,
    /// `Host`.
    pub host: Option<&'a str>,
    /// The name and port of the server itself, for HTTP/1.0 without `Host`.
    pub server: Option<(&'a str, &'a str)>,
    /// Whether the request is secure.
    pub secure: bool,
}

impl HostClaims<'_> {
    /// The host with its port, as sent, where it is an allowed one.
    ///
    /// # Errors
    /// The host is malformed or not allowed: the answer is 400.
    pub fn host(&self, allowed: &AllowedHosts) -> Result<String, DisallowedHost> {
        let claimed = self.x_forwarded_host.or(self.host).map(str::to_owned);
        let host = claimed.unwrap_or_else(|| self.server_host());
        match Host::parse(host.as_bytes()) {
            Ok(parsed) if allowed.allow(parsed.domain()) => Ok(host),
            parsed => {
                let domain = parsed.ok().map(|parsed| parsed.domain().to_owned());
                Err(DisallowedHost { domain, host })
            }
        }
    }

    fn server_host(&self) -> String {
        let (name, port) = self.server.unwrap_or_default();
        let own_port = if self.secure { "443" } else { "80" };
        match port == own_port {
            true => name.to_owned(),
            false => format!("{name}:{port}"),
        }
    }
}

/// A host that is malformed or not in `ALLOWED_HOSTS`. The text is Django's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisallowedHost {
    host: String,
    domain: Option<String>,
}

impl fmt::Display for DisallowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.escape_debug();
        write!(f, "Invalid HTTP_HOST header: '{host}'.")?;
        match &self.domain {
            Some(domain) => write!(f, " You may need to add '{domain}' to ALLOWED_HOSTS."),
            None => {
                f.write_str(" The domain name provided is not valid according to RFC 1034/1035.")
            }
        }
    }
}

impl std::error::Error for DisallowedHost {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_says_otherwise_beats_real_tls() {
        let setting = SecureProxySslHeader {
            name: HeaderName::from_static("x-forwarded-proto"),
            value: "https".into(),
        };
        for (sent, tls, secure) in [
            (None, true, true),
            (None, false, false),
            (Some("https"), false, true),
            (Some(" https , http"), false, true),
            (Some("http"), true, false),
            (Some("http,https"), true, false),
            (Some("HTTPS"), true, false),
            (Some(""), true, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert(&setting.name, sent.parse().unwrap());
            }
            assert_eq!(setting.is_secure(&headers, tls), secure, "{sent:?} {tls}");
        }
    }

    #[test]
    fn the_name_is_djangos() {
        let setting = SecureProxySslHeader::from_django("HTTP_X_FORWARDED_PROTO", "https");
        assert_eq!(setting.unwrap().name, "x-forwarded-proto");
        for (meta, mend) in [
            ("X-Forwarded-Proto", "`HTTP_X_FORWARDED_PROTO`"),
            ("HTTP_X-Forwarded-Proto", "`HTTP_X_FORWARDED_PROTO`"),
            ("x_forwarded_proto", "`HTTP_X_FORWARDED_PROTO`"),
        ] {
            let error = SecureProxySslHeader::from_django(meta, "https").unwrap_err();
            assert!(error.to_string().ends_with(mend), "{error}");
        }
    }

    #[test]
    fn the_host_is_the_claim_that_counts_and_must_be_allowed() {
        let allowed = AllowedHosts::new(["good.test", "[::1]"]);
        let claims = HostClaims {
            host: Some("Good.test:8000"),
            ..HostClaims::default()
        };
        assert_eq!(claims.host(&allowed).as_deref(), Ok("Good.test:8000"));
        let forwarded = HostClaims {
            x_forwarded_host: Some("evil.test"),
            ..claims
        };
        assert_eq!(
            forwarded.host(&allowed).unwrap_err().to_string(),
            "Invalid HTTP_HOST header: 'evil.test'. You may need to add 'evil.test' to ALLOWED_HOSTS."
        );
        let malformed = HostClaims {
            host: Some("a, b"),
            ..claims
        };
        assert_eq!(
            malformed.host(&allowed).unwrap_err().to_string(),
            "Invalid HTTP_HOST header: 'a, b'. The domain name provided is not valid according to RFC 1034/1035."
        );
        for (port, secure, host) in [
            ("443", true, "good.test"),
            ("80", false, "good.test"),
            ("80", true, "good.test:80"),
        ] {
            let claims = HostClaims {
                server: Some(("good.test", port)),
                secure,
                ..HostClaims::default()
            };
            assert_eq!(claims.host(&allowed).as_deref(), Ok(host));
        }
    }

    #[test]
    fn in_development_the_machine_itself_is_allowed() {
        let allowed = AllowedHosts::development();
        assert!(allowed.allow("app.localhost") && allowed.allow("[::1]"));
        assert!(!allowed.allow("example.com"));
    }
}
