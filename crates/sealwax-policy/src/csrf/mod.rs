//! Cross-site request forgery: who may send an unsafe request ([`Csrf`]).

mod origins;
mod reason;
mod referer;

use http::header::{self, HeaderMap, HeaderName};

pub use origins::{OriginMistake, TrustedOrigins};
pub use reason::Reason;
pub use referer::{OwnHost, referer_verified};

use crate::explain::{Action, Change, Rule};
use crate::paths::Paths;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may send unsafe requests. Default: only the site itself.
///
/// A browser attaches the site's cookies to requests that other sites make it
/// send. What tells those apart, without any state, is what the browser itself
/// says of the sender, which no page can forge:
///
/// 1. `Sec-Fetch-Site` (Fetch Metadata), where there is one: `same-origin` and
///    `none` pass, all else needs a trusted `Origin`;
/// 2. `Origin` (RFC 6454 §7): the site's own, to the letter, or a trusted one;
/// 3. on HTTPS, `Referer`: a page of the site's own or of a trusted host.
///
/// What says none of these over plain HTTP is [`Proof::Nothing`]: a token must
/// decide. A WebSocket, which is opened by GET, is judged by the first two.
///
/// Methods are compared exactly (`post` is an unsafe one), and nothing in a
/// form or a field (`_method`, `X-HTTP-Method-Override`) makes a method another
/// one here: an app that reads those must not do so on GET.
///
/// ```
/// use http::HeaderMap;
/// use sealwax_policy::{Csrf, Proof, Reason, Sent, TrustedOrigins};
///
/// let csrf = Csrf {
///     trusted_origins: TrustedOrigins::new(["https://*.example.com"]).unwrap(),
///     ..Csrf::default()
/// };
/// let judge = |origin: &str| {
///     let mut headers = HeaderMap::new();
///     headers.insert("origin", origin.parse().unwrap());
///     let (method, path, host) = ("POST", "/transfer", Some("bank.test"));
///     csrf.judge(&Sent { method, path, headers: &headers, secure: true, host })
/// };
/// assert_eq!(judge("https://bank.test"), Ok(Proof::OwnOrigin));
/// assert_eq!(judge("https://app.example.com"), Ok(Proof::TrustedOrigin));
/// assert_eq!(judge("https://evil.test"), Err(Reason::BadOrigin("https://evil.test".into())));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Csrf {
    /// Other origins that may (Django: `CSRF_TRUSTED_ORIGINS`).
    pub trusted_origins: TrustedOrigins,
    /// Paths on which anyone may, because they need no cookie: webhooks.
    /// Matched by [`Paths::find_unambiguous`].
    pub exempt: Paths,
    /// The domain of the CSRF cookie, which widens the Referer check (Django:
    /// `CSRF_COOKIE_DOMAIN`). Default: none.
    pub cookie_domain: Option<Box<str>>,
}

/// What the judgement is about.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The method, exactly as sent.
    pub method: &'a str,
    /// The path, still percent-encoded.
    pub path: &'a str,
    /// The header.
    pub headers: &'a HeaderMap,
    /// Whether the client's own connection is TLS.
    pub secure: bool,
    /// The host with its port, as sent, where it is an allowed one.
    pub host: Option<&'a str>,
}

/// What makes a request one of the site's own, or a harmless one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// GET, HEAD, OPTIONS or TRACE: must not change anything (RFC 9110 §9.2.1).
    SafeMethod,
    /// The path is exempt.
    Exempt,
    /// The browser says that the site itself (`same-origin`) or the user, by
    /// the address bar or a bookmark (`none`), sent it.
    FetchMetadata,
    /// The `Origin` is the site's own.
    OwnOrigin,
    /// The `Origin` is a trusted one.
    TrustedOrigin,
    /// The `Referer` is the site's own or of a trusted host.
    Referer,
    /// Nothing speaks against the request, and nothing for it: plain HTTP
    /// without `Origin`. Without a token it must be refused.
    Nothing,
}

impl Csrf {
    /// Judges one request, before anything of its body is read.
    ///
    /// # Errors
    /// Why the request is to be refused with 403.
    pub fn judge(&self, sent: &Sent<'_>) -> Result<Proof, Reason> {
        let safe = matches!(sent.method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        // A WebSocket is opened by GET, with cookies and from any site (RFC 6455 §10.2).
        let upgrade = safe && sent.headers.contains_key(header::UPGRADE);
        if safe && !upgrade {
            return Ok(Proof::SafeMethod);
        }
        if self.exempt.find_unambiguous(sent.path) {
            return Ok(Proof::Exempt);
        }
        let origin = Field::of(sent.headers, &header::ORIGIN);
        match Field::of(sent.headers, &SEC_FETCH_SITE) {
            Field::Absent => {}
            Field::One("same-origin" | "none") => return Ok(Proof::FetchMetadata),
            site => return self.other_site(origin, site),
        }
        match origin {
            Field::One(origin) => self.origin(origin, sent),
            Field::Odd => Err(Reason::BadOrigin(origin.shown())),
            // Browsers open no WebSocket without an Origin, so this is none.
            Field::Absent if upgrade => Ok(Proof::SafeMethod),
            Field::Absent if sent.secure => self.referer(sent).map(|()| Proof::Referer),
            Field::Absent => Ok(Proof::Nothing),
        }
    }

    fn other_site(&self, origin: Field<'_>, site: Field<'_>) -> Result<Proof, Reason> {
        match origin {
            Field::One(origin) if self.trusted_origins.trust(origin) => Ok(Proof::TrustedOrigin),
            Field::Absent => Err(Reason::OtherSite(site.shown())),
            _ => Err(Reason::BadOrigin(origin.shown())),
        }
    }

    fn origin(&self, origin: &str, sent: &Sent<'_>) -> Result<Proof, Reason> {
        if is_own_origin(origin, sent.host, sent.secure) {
            return Ok(Proof::OwnOrigin);
        }
        match self.trusted_origins.trust(origin) {
            true => Ok(Proof::TrustedOrigin),
            false => Err(Reason::BadOrigin(origin.to_owned())),
        }
    }

    fn referer(&self, sent: &Sent<'_>) -> Result<(), Reason> {
        let own = match (&self.cookie_domain, sent.host) {
            (Some(domain), host) => OwnHost::CookieDomain {
                domain,
                port: host.and_then(port).unwrap_or("443"),
            },
            (None, Some(host)) => OwnHost::Requested(host),
            (None, None) => OwnHost::Unknown,
        };
        let referer = match Field::of(sent.headers, &header::REFERER) {
            Field::One(referer) => Some(referer),
            Field::Absent => None,
            Field::Odd => return Err(Reason::MalformedReferer),
        };
        referer_verified(referer, own, &self.trusted_origins)
    }
}

/// Whether an `Origin` is the site's own: scheme, host and port, to the letter.
/// `host` is that of the request, with its port, where it is an allowed one.
fn is_own_origin(origin: &str, host: Option<&str>, secure: bool) -> bool {
    let scheme = if secure { "https://" } else { "http://" };
    host.is_some_and(|host| origin.strip_prefix(scheme) == Some(host))
}

/// Whether an `Origin` is the site's own or a trusted one, by Django's rule.
///
/// ```
/// use sealwax_policy::{TrustedOrigins, origin_verified};
///
/// let none = TrustedOrigins::default();
/// assert!(origin_verified("https://a.test", Some("a.test"), true, &none));
/// assert!(!origin_verified("http://a.test", Some("a.test"), true, &none));
/// ```
#[must_use]
pub fn origin_verified(
    origin: &str,
    host: Option<&str>,
    secure: bool,
    trusted: &TrustedOrigins,
) -> bool {
    is_own_origin(origin, host, secure) || trusted.trust(origin)
}

fn port(host: &str) -> Option<&str> {
    crate::Host::parse(host.as_bytes()).ok()?.port()
}

/// A field that a browser sends once, as text.
#[derive(Clone, Copy)]
enum Field<'a> {
    Absent,
    One(&'a str),
    /// More than one, or not text: no browser sent it.
    Odd,
}

impl<'a> Field<'a> {
    fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Field::Absent,
            (Some(value), None) => value.to_str().map_or(Field::Odd, Field::One),
            _ => Field::Odd,
        }
    }

    fn shown(self) -> String {
        match self {
            Field::One(text) => text.to_owned(),
            Field::Odd => "(not one text)".to_owned(),
            Field::Absent => String::new(),
        }
    }
}

impl Reason {
    /// The rule that refuses.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::BadOrigin(_) => Rule::CsrfOrigin,
            Self::OtherSite(_) => Rule::CsrfFetchMetadata,
            _ => Rule::CsrfReferer,
        }
    }

    /// The refusal for the record; `applied` is false where it is only reported.
    #[must_use]
    pub fn change(&self, applied: bool) -> Change {
        Change::new(self.rule(), Action::Refused, "request")
            .before(self.to_string().as_bytes())
            .applied(applied)
            .notable()
    }
}

#[cfg(test)]
mod tests;
