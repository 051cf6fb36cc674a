//! Answers that the policy gives instead of the app.

use std::fmt;

use http::StatusCode;
use http::header::HeaderMap;

/// A response made here. What a person reads of it is left to the driver, which
/// knows what the client would like; [`Problem`] says what to tell.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers beside those of the body.
    pub headers: HeaderMap,
    /// What went wrong; `None` for a redirect, and for what has a body.
    pub problem: Option<Problem>,
    /// The body of an answer that browsers ask for by themselves, with its `Content-Type` in
    /// `headers`; empty for all others.
    pub body: Box<[u8]>,
}

/// Without the values of its headers and its body: what browsers ask for by themselves holds
/// credentials.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("problem", &self.problem)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            problem: None,
            body: Box::default(),
        }
    }

    #[cfg(feature = "bind")]
    pub(crate) fn with_body(mut self, media_type: &'static str, body: String) -> Self {
        let media_type = http::HeaderValue::from_static(media_type);
        self.headers.insert(http::header::CONTENT_TYPE, media_type);
        self.body = body.into_bytes().into();
        self
    }

    pub(crate) fn problem(status: StatusCode, problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::empty(status)
        }
    }
}

/// Why a request was refused, and what each side should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// 400: no usable `Host`.
    BadHost,
    /// 421: no site for this host.
    UnknownHost,
    /// 405: CONNECT or TRACE.
    BadMethod,
    /// 403: this path is served over HTTPS only.
    HttpsOnly,
    /// 508: the app redirects to itself.
    RedirectLoop,
    /// 403: the browser did not prove its key for this very request.
    NoFreshProof,
}

impl Problem {
    /// One sentence for the visitor; it gives nothing away.
    #[must_use]
    pub fn for_visitor(self) -> &'static str {
        match self {
            Problem::BadHost => "The request does not name one valid host.",
            Problem::UnknownHost => "This server does not answer for the host in the request.",
            Problem::BadMethod => "This method is not available here.",
            Problem::HttpsOnly => "This address is available over HTTPS only.",
            Problem::NoFreshProof => {
                "Your browser could not confirm that it is still you. Please try again, or log in again."
            }
            Problem::RedirectLoop => "The site keeps redirecting this address to itself.",
        }
    }

    /// What whoever runs the site should look at.
    #[must_use]
    pub fn for_operator(self) -> &'static str {
        match self {
            Problem::BadHost => {
                "The client sent no Host, several, or one that is no host name; nothing to do here."
            }
            Problem::UnknownHost => {
                "Add the host to `hosts` of its site if it is yours; otherwise nothing to do."
            }
            Problem::BadMethod => "CONNECT and TRACE are never forwarded.",
            Problem::HttpsOnly => {
                "The path matches redirect.refuse; the client should use the https:// URL from the start."
            }
            Problem::NoFreshProof => {
                "The path matches bind.fresh, and the browser brought no proof of its key that is young enough. A script may send its request again; where browsers make too many signatures (six in nine minutes), name fewer paths or a longer age."
            }
            Problem::RedirectLoop => {
                "The app redirects this https URL to itself, most likely because it does not know that the client came over HTTPS. Tell it to believe X-Forwarded-Proto: Django SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\"); Rails config.assume_ssl = true; Express app.set('trust proxy', 1); or switch the app's own HTTPS redirect off."
            }
        }
    }
}
