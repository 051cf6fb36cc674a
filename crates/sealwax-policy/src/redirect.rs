//! From plain HTTP to HTTPS: redirect, refuse or exempt.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};

use crate::answer::{Answer, Problem};
use crate::host::Host;
use crate::paths::Paths;

/// The site's redirect settings.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// Send plain HTTP to HTTPS (Django: `SECURE_SSL_REDIRECT`). Default: true.
    pub enabled: bool,
    /// The host of the `https` URL. Default: the one that was asked for.
    pub host: RedirectHost,
    /// Port of the `https` URL; 443 is left out. Only for
    /// [`RedirectHost::Requested`]. Default: 443.
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
            host: RedirectHost::default(),
            port: 443,
            exempt: Paths::default(),
            refuse: Paths::default(),
            temporary: false,
        }
    }
}

/// Where the redirect leads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RedirectHost {
    /// To the name that was asked for, on [`Redirect::port`]: plain HTTP and
    /// HTTPS have different ports.
    #[default]
    Requested,
    /// To the `Host` exactly as it was sent, port included: what Django does
    /// without `SECURE_SSL_HOST`.
    RequestedWithPort,
    /// To this host, which may name a port (Django: `SECURE_SSL_HOST`).
    Fixed(Box<str>),
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
        let text = match &self.host {
            RedirectHost::Requested if self.port != 443 => {
                format!("https://{}:{}{slash}{target}", host.name(), self.port)
            }
            RedirectHost::Requested => format!("https://{}{slash}{target}", host.name()),
            RedirectHost::RequestedWithPort => format!("https://{}{slash}{target}", host.as_str()),
            RedirectHost::Fixed(fixed) => format!("https://{fixed}{slash}{target}"),
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
    fn the_host_may_be_djangos() {
        let with_port = Redirect {
            host: RedirectHost::RequestedWithPort,
            port: 8443,
            ..Redirect::default()
        };
        assert_eq!(
            judge(&with_port, "GET", "/x", "localhost:8000").1,
            "https://localhost:8000/x"
        );
        let fixed = Redirect {
            host: RedirectHost::Fixed("secure.example.com:444".into()),
            ..Redirect::default()
        };
        assert_eq!(
            judge(&fixed, "GET", "//x?y", "a:80").1,
            "https://secure.example.com:444//x?y"
        );
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
