//! From plain HTTP to HTTPS: redirect, refuse or exempt.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use regex::bytes::RegexSet;

use crate::answer::{Answer, Problem};
use crate::host::Host;

/// The site's redirect settings.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// Send plain HTTP to HTTPS (Django: `SECURE_SSL_REDIRECT`). Default: true.
    pub enabled: bool,
    /// Port of the `https` URL; 443 is left out.
    pub port: u16,
    /// Decoded paths without leading slashes that are served over plain HTTP
    /// (Django: `SECURE_REDIRECT_EXEMPT`).
    pub exempt: Paths,
    /// Paths that are refused with 403 instead of redirected.
    pub refuse: Paths,
    /// The redirect must not be remembered: 307 and `no-store`. True with the
    /// local certificate authority.
    pub temporary: bool,
}

impl Default for Redirect {
    fn default() -> Self {
        Self {
            enabled: true,
            port: 443,
            exempt: Paths::default(),
            refuse: Paths::default(),
            temporary: false,
        }
    }
}

/// A set of path patterns: regular expressions, searched anywhere in the
/// percent-decoded path without its leading slashes, as Django does.
#[derive(Debug, Clone)]
pub struct Paths(RegexSet);

impl Default for Paths {
    fn default() -> Self {
        Self(RegexSet::empty())
    }
}

impl Paths {
    /// Compiles `patterns`. They run in linear time, so look-around and
    /// back-references do not exist.
    ///
    /// # Errors
    /// The first pattern that does not compile.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, regex::Error> {
        RegexSet::new(patterns).map(Self)
    }

    /// Whether any pattern is found in `path` (still percent-encoded).
    #[must_use]
    pub fn find(&self, path: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let decoded = percent_decode(path.trim_start_matches('/'));
        let trimmed = decoded
            .iter()
            .position(|b| *b != b'/')
            .unwrap_or(decoded.len());
        self.0.is_match(decoded.get(trimmed..).unwrap_or_default())
    }

    /// The patterns as they were written.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        self.0.patterns()
    }
}

fn percent_decode(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1).zip(bytes.get(at + 2));
        match pair.and_then(|(high, low)| Some((hex(*high)? << 4) | hex(*low)?)) {
            Some(decoded) if *byte == b'%' => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    // A hex digit is below 16, so the cast keeps its value.
    (digit as char).to_digit(16).map(|d| d as u8)
}

/// What to do with a request that came over plain HTTP.
pub(crate) enum Verdict {
    Exempt,
    Refuse(Answer),
    Redirect(Answer),
}

impl Redirect {
    pub(crate) fn judge(&self, request: &Parts, host: &Host<'_>) -> Verdict {
        let path = request.uri.path();
        if self.exempt.find(path) {
            return Verdict::Exempt;
        }
        if self.refuse.find(path) {
            return Verdict::Refuse(Answer::problem(StatusCode::FORBIDDEN, Problem::HttpsOnly));
        }
        let Some(location) = self.location(request, host) else {
            return Verdict::Refuse(Answer::problem(StatusCode::BAD_REQUEST, Problem::BadHost));
        };
        let status = match request.method {
            _ if self.temporary => StatusCode::TEMPORARY_REDIRECT,
            Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
            _ => StatusCode::PERMANENT_REDIRECT,
        };
        let mut answer = Answer::empty(status);
        answer.headers.insert(header::LOCATION, location);
        if self.temporary {
            answer
                .headers
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        Verdict::Redirect(answer)
    }

    /// `https://`, the host exactly as sent, our port, then path and query byte
    /// for byte. The host is always there, so a path of `//evil` cannot become
    /// one.
    fn location(&self, request: &Parts, host: &Host<'_>) -> Option<HeaderValue> {
        let target = request.uri.path_and_query().map_or("/", |t| t.as_str());
        let slash = if target.starts_with('/') { "" } else { "/" };
        let name = host.name();
        let text = if self.port == 443 {
            format!("https://{name}{slash}{target}")
        } else {
            format!("https://{name}:{}{slash}{target}", self.port)
        };
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(redirect: &Redirect, method: &str, uri: &str, host: &str) -> (u16, String) {
        let parts = http::Request::builder()
            .method(method)
            .uri(uri)
            .body(())
            .unwrap()
            .into_parts()
            .0;
        match redirect.judge(&parts, &Host::parse(host.as_bytes()).unwrap()) {
            Verdict::Exempt => (0, String::new()),
            Verdict::Refuse(answer) => (answer.status.as_u16(), String::new()),
            Verdict::Redirect(answer) => {
                let location = answer.headers[header::LOCATION]
                    .to_str()
                    .unwrap()
                    .to_owned();
                (answer.status.as_u16(), location)
            }
        }
    }

    #[test]
    fn host_path_and_query_stay_byte_for_byte() {
        let redirect = Redirect::default();
        for (uri, location) in [
            ("/", "https://Good.example/"),
            ("/a%2Fb?x=%zz&y=1", "https://Good.example/a%2Fb?x=%zz&y=1"),
            ("//evil.com/..%2f", "https://Good.example//evil.com/..%2f"),
            (
                "/%0d%0aSet-Cookie:x=1",
                "https://Good.example/%0d%0aSet-Cookie:x=1",
            ),
            ("/?", "https://Good.example/?"),
        ] {
            assert_eq!(
                judge(&redirect, "GET", uri, "Good.example:80"),
                (301, location.into())
            );
        }
    }

    #[test]
    fn the_port_is_the_listeners_and_the_method_survives() {
        let redirect = Redirect {
            port: 8443,
            ..Redirect::default()
        };
        assert_eq!(
            judge(&redirect, "POST", "/x", "a:8080"),
            (308, "https://a:8443/x".into())
        );
        assert_eq!(
            judge(&redirect, "HEAD", "/x", "[::1]:8080"),
            (301, "https://[::1]:8443/x".into())
        );
        let local = Redirect {
            temporary: true,
            ..redirect
        };
        assert_eq!(judge(&local, "GET", "/x", "a").0, 307);
    }

    #[test]
    fn patterns_see_the_decoded_path_without_leading_slashes() {
        let redirect = Redirect {
            exempt: Paths::new(["^health$", "^caf\u{e9}$"]).unwrap(),
            refuse: Paths::new(["^api/"]).unwrap(),
            ..Redirect::default()
        };
        for (uri, status) in [
            ("/health", 0),
            ("//health?x", 0),
            ("/%68ealth", 0),
            ("/caf%C3%A9", 0),
            ("/health/x", 301),
            ("/health%2f..%2fadmin", 301),
            ("/api/users", 403),
            ("/x/api/", 301),
        ] {
            assert_eq!(judge(&redirect, "GET", uri, "a").0, status, "{uri}");
        }
    }
}
