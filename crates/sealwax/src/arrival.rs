//! How a request came: what the transport knows, and what is made of it.

use std::net::IpAddr;

use http::header::HeaderValue;
use http::request::Parts;
use http::{Extensions, Request, Uri};
use sealwax_policy::{Connection, Target};

use crate::settings::Checked;

/// What whoever accepts connections knows of the one that carried a request. Put it into the
/// extensions of every request.
///
/// Without it, the peer's address is taken from axum's `ConnectInfo<SocketAddr>`
/// (`into_make_service_with_connect_info`), and the connection counts as plain HTTP.
///
/// ```
/// use sealwax::Transport;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Transport::tls("192.0.2.7".parse().ok()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Transport {
    /// The peer's address; `None` for a unix socket, or where nobody knows.
    pub peer: Option<IpAddr>,
    /// Whether the connection is TLS.
    pub tls: bool,
    /// Whether the certificate served on it chains to a publicly trusted root and is valid now.
    /// Without an explicit `secure_hsts_seconds`, HSTS waits for that.
    pub publicly_trusted: bool,
}

impl Transport {
    /// A connection without TLS.
    #[must_use]
    pub fn plain(peer: Option<IpAddr>) -> Self {
        Self {
            peer,
            ..Self::default()
        }
    }

    /// A TLS connection.
    #[must_use]
    pub fn tls(peer: Option<IpAddr>) -> Self {
        Self {
            peer,
            tls: true,
            publicly_trusted: false,
        }
    }

    /// The same, with a certificate that browsers trust without being told.
    #[must_use]
    pub fn publicly_trusted(self) -> Self {
        Self {
            publicly_trusted: true,
            ..self
        }
    }

    /// What is known of a request's connection.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        if let Some(known) = extensions.get::<Self>() {
            return *known;
        }
        Self::plain(peer(extensions))
    }

    /// The connection as the policy sees it: with `secure_proxy_ssl_header` taken for the
    /// transport's own word, as Django does.
    pub(crate) fn connection(self, checked: &Checked, head: &Parts) -> Connection {
        Connection {
            peer: self.peer,
            tls: match &checked.proxy_header {
                Some(header) => header.is_secure(&head.headers, self.tls),
                None => self.tls,
            },
            // Whoever names a number of seconds vouches for the certificate.
            publicly_trusted: self.publicly_trusted
                || checked.settings.secure_hsts_seconds.is_some(),
        }
    }
}

#[cfg(feature = "axum")]
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    use axum::extract::ConnectInfo;
    use std::net::SocketAddr;

    let info = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(info.0.ip())
}

#[cfg(not(feature = "axum"))]
fn peer(_: &Extensions) -> Option<IpAddr> {
    None
}

/// The URL that the client asked for. A router that is nested in another one sees but the end of
/// its path, by which no pattern should be matched and no redirect made.
#[cfg(feature = "axum")]
pub(crate) fn asked_for(head: &Parts) -> &Uri {
    let whole = head.extensions.get::<axum::extract::OriginalUri>();
    whole.map_or(&head.uri, |whole| &whole.0)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn asked_for(head: &Parts) -> &Uri {
    &head.uri
}

/// How a request came, once the policy has looked at it: in the extensions of every request that
/// passed [`SealLayer`](crate::SealLayer).
///
/// With the feature `axum` it is an extractor.
///
/// Headers in which proxies say such things (`X-Forwarded-For` and its kin) do not reach the app;
/// what a trusted proxy said in them is here.
///
/// ```
/// # async fn handler(request: http::Request<()>) {
/// if let Some(arrival) = sealwax::Arrival::of(&request) {
///     println!("{:?} over {}", arrival.client(), if arrival.is_secure() { "TLS" } else { "HTTP" });
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Arrival {
    client: Option<IpAddr>,
    secure: bool,
    authority: HeaderValue,
}

impl Arrival {
    pub(crate) fn new(client: Option<IpAddr>, secure: bool, target: &Target) -> Self {
        Self {
            client,
            secure,
            authority: target.authority().clone(),
        }
    }

    /// What [`SealLayer`](crate::SealLayer) found out, or, where none stands in front, the same
    /// by the same settings. `None`: the request names no host that is allowed.
    pub(crate) fn find(checked: &Checked, head: &Parts) -> Option<Self> {
        if let Some(known) = head.extensions.get::<Self>() {
            return Some(known.clone());
        }
        let target = Target::read(head).ok()?;
        let allowed = checked.policy.hosts.allow(target.domain());
        let connection = Transport::of(&head.extensions).connection(checked, head);
        let route = checked
            .policy
            .proxies
            .route(connection.peer, connection.tls, &head.headers);
        allowed.then(|| Self::new(route.client, route.secure, &target))
    }

    #[cfg(feature = "axum")]
    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// How `request` came; `None` where no [`SealLayer`](crate::SealLayer) has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get()
    }

    /// The client's address: the peer's, or what a trusted proxy says.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Whether the client's own connection is TLS, as far as is known.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// `url`, if a redirect to it stays on this site: for the `next` of a login page, which whoever
    /// made the link has written. Django's `url_has_allowed_host_and_scheme` with the host that was
    /// asked for, and HTTPS where this request has it; the few things in which
    /// [it is stricter](sealwax_django::url_has_allowed_host_and_scheme) are read in two ways by
    /// somebody.
    ///
    /// ```
    /// use sealwax::Arrival;
    ///
    /// fn after_login<'n>(arrival: &Arrival, next: Option<&'n str>) -> &'n str {
    ///     next.and_then(|next| arrival.safe_redirect(next)).unwrap_or("/")
    /// }
    /// ```
    #[must_use]
    pub fn safe_redirect<'u>(&self, url: &'u str) -> Option<&'u str> {
        let hosts = [self.host()];
        sealwax_django::url_has_allowed_host_and_scheme(url, &hosts, self.secure).then_some(url)
    }

    /// The host that was asked for, with its port, as the client sent it.
    #[must_use]
    pub fn host(&self) -> &str {
        // A host that was read is ASCII.
        self.authority.to_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_on_the_host_and_the_scheme_that_were_asked_for() {
        let arrival = |host: &str, secure| {
            let request = Request::get("/").header("host", host).body(()).unwrap();
            let target = Target::read(&request.into_parts().0).unwrap();
            Arrival::new(None, secure, &target)
        };
        let (plain, tls) = (arrival("a.example:8000", false), arrival("a.example", true));
        for (url, at_plain, at_tls) in [
            ("/orders?page=2", true, true),
            ("https://a.example/x", false, true),
            ("http://a.example/x", false, false),
            ("http://a.example:8000/x", true, false),
            ("//a.example:8000/x", true, false),
            ("//evil.example", false, false),
            ("/\\evil.example", false, false),
            ("https:evil.example", false, false),
        ] {
            assert_eq!(plain.safe_redirect(url), at_plain.then_some(url), "{url}");
            assert_eq!(tls.safe_redirect(url), at_tls.then_some(url), "{url}");
        }
    }
}
