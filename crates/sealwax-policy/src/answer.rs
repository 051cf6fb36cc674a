//! Answers that the policy gives instead of the app.

use http::{HeaderMap, StatusCode};

/// A response made here. Its body is left to the driver, which knows what the
/// client would like to read; [`Problem`] says what to tell it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers beside those of the body.
    pub headers: HeaderMap,
    /// What went wrong; `None` for a redirect, which needs no body.
    pub problem: Option<Problem>,
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            problem: None,
        }
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
            Problem::RedirectLoop => {
                "The app redirects this https URL to itself, most likely because it does not know that the client came over HTTPS. Tell it to believe X-Forwarded-Proto: Django SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\"); Rails config.assume_ssl = true; Express app.set('trust proxy', 1); or switch the app's own HTTPS redirect off."
            }
        }
    }
}
