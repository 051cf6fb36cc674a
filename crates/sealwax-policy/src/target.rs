//! What a request is for: one host, decided once, before any rule runs.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Version};

use crate::explain::Rule;
use crate::host::{Cut, Host};

/// The host of a request, taken from the URL's authority, the `Host` field, or
/// both when they agree (RFC 9110 §7.2; RFC 9112 §3.2; RFC 9113 §8.3.1).
#[derive(Debug, Clone)]
pub struct Target {
    authority: HeaderValue,
    /// How much of the authority is the domain.
    domain_length: usize,
    /// The domain in lower case, where it did not come so: it seldom does not.
    lowered: Option<Box<str>>,
    port_digits: usize,
}

impl Target {
    /// Reads and checks the target of `request`.
    ///
    /// # Errors
    /// The rule that refuses the request: [`Rule::HostMalformed`] when there is
    /// no host, more than one, or one outside the grammar;
    /// [`Rule::HostMismatch`] when URL and field disagree;
    /// [`Rule::MethodRefused`] for CONNECT and TRACE.
    pub fn read(request: &Parts) -> Result<Self, Rule> {
        if request.method == Method::CONNECT || request.method == Method::TRACE {
            return Err(Rule::MethodRefused);
        }
        // The authority form is for CONNECT, `*` for OPTIONS (RFC 9112 §3.2.3, §3.2.4).
        let authority_form = request.uri.authority().is_some() && request.uri.scheme().is_none();
        let asterisk = request.uri.path() == "*" && request.method != Method::OPTIONS;
        if authority_form || asterisk {
            return Err(Rule::HostMalformed);
        }
        let mut fields = request.headers.get_all(header::HOST).iter();
        let field = fields.next();
        if fields.next().is_some() {
            return Err(Rule::HostMalformed);
        }
        let authority = match (request.uri.authority(), field) {
            (Some(url), Some(field)) => {
                let (url, sent) = (url.as_str().as_bytes(), field.as_bytes());
                // Equal to the letter, but for malice and curiosity; that is cheaper to see.
                if url != sent && !url.eq_ignore_ascii_case(sent) {
                    return Err(Rule::HostMismatch);
                }
                field.clone()
            }
            (None, Some(field)) => field.clone(),
            // In HTTP/1.1 the field is required, even beside an absolute URL
            // (RFC 9112 §3.2).
            (Some(url), None) if request.version >= Version::HTTP_2 => {
                HeaderValue::from_str(url.as_str()).map_err(|_| Rule::HostMalformed)?
            }
            _ => return Err(Rule::HostMalformed),
        };
        let cut = Cut::of(authority.as_bytes()).map_err(|_| Rule::HostMalformed)?;
        let mut target = Self {
            authority,
            domain_length: cut.domain,
            lowered: None,
            port_digits: cut.port,
        };
        if !cut.lower_case {
            target.lowered = Some(target.domain().to_ascii_lowercase().into());
        }
        // Apps parse the port, and a number beyond 16 bits breaks them.
        let fits = |port: &[u8]| {
            let port = std::str::from_utf8(port).ok();
            port.is_some_and(|port| port.parse::<u16>().is_ok())
        };
        if cut.port >= 5 && !fits(target.port()) {
            return Err(Rule::HostMalformed);
        }
        Ok(target)
    }

    /// Host and port as the client sent them.
    #[must_use]
    pub fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// The name, lower-cased, without port and trailing dot.
    #[must_use]
    pub fn domain(&self) -> &str {
        match &self.lowered {
            Some(domain) => domain,
            None => {
                let sent = self.authority.as_bytes().get(..self.domain_length);
                // `read` has found nothing but ASCII in it.
                std::str::from_utf8(sent.unwrap_or_default()).unwrap_or_default()
            }
        }
    }

    /// The port's digits; empty where there is none.
    pub(crate) fn port(&self) -> &[u8] {
        let authority = self.authority.as_bytes();
        authority
            .len()
            .checked_sub(self.port_digits)
            .and_then(|at| authority.get(at..))
            .unwrap_or_default()
    }

    /// Name and port, split.
    #[must_use]
    pub fn host(&self) -> Host<'_> {
        // `read` has found nothing but ASCII in it.
        let sent = self.authority.to_str().unwrap_or_default();
        Host::from_parts(sent, self.domain(), self.port_digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(version: Version, uri: &str, hosts: &[&str]) -> Result<String, &'static str> {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        Target::read(&parts)
            .map(|t| {
                assert_eq!(Host::parse(t.authority().as_bytes()), Ok(t.host()));
                assert_eq!(t.host().port().unwrap_or_default().as_bytes(), t.port());
                t.domain().to_owned()
            })
            .map_err(Rule::id)
    }

    #[test]
    fn exactly_one_host_counts() {
        let h1 = Version::HTTP_11;
        assert_eq!(read(h1, "/", &["A.example:1"]), Ok("a.example".into()));
        assert_eq!(read(h1, "/", &[]), Err("host.malformed"));
        assert_eq!(read(h1, "/", &["a", "b"]), Err("host.malformed"));
        assert_eq!(read(h1, "/", &["a", "a"]), Err("host.malformed"));
        assert_eq!(read(h1, "/", &["a,b"]), Err("host.malformed"));
        assert_eq!(read(h1, "http://a/", &["a"]), Ok("a".into()));
        assert_eq!(read(h1, "http://evil/", &["good"]), Err("host.mismatch"));
        assert_eq!(read(h1, "http://a/", &[]), Err("host.malformed"));
        assert_eq!(read(h1, "/", &["a:65536"]), Err("host.malformed"));
        assert_eq!(read(h1, "/", &["a:065535"]), Ok("a".into()));
        assert_eq!(read(h1, "a:80", &["a:80"]), Err("host.malformed"));
        assert_eq!(read(h1, "*", &["a"]), Err("host.malformed"));
        assert_eq!(read(h1, "http://u@a/", &["u@a"]), Err("host.malformed"));
        let h2 = Version::HTTP_2;
        assert_eq!(read(h2, "https://a:8443/x", &[]), Ok("a".into()));
        assert_eq!(read(h2, "https://good/", &["evil"]), Err("host.mismatch"));
        assert_eq!(read(h2, "https://u@a/", &[]), Err("host.malformed"));
    }

    #[test]
    fn tunnels_and_traces_are_refused() {
        for method in [Method::CONNECT, Method::TRACE] {
            let request = Request::builder()
                .method(method)
                .uri("a:22")
                .header("host", "a:22");
            let parts = request.body(()).unwrap().into_parts().0;
            assert_eq!(Target::read(&parts).unwrap_err(), Rule::MethodRefused);
        }
    }
}
