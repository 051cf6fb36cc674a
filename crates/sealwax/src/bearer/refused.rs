//! The answers to a request without the token it needs (RFC 6750 §3).

use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use sealwax_store::StoreError;

use crate::body::ResponseBody;
use crate::refusal;
use crate::session::SessionError;

/// Why a request was refused for its token. With the feature `axum` it is `IntoResponse`.
///
/// ```
/// use sealwax::{BearerError, ResponseBody};
///
/// let error = BearerError::InsufficientScope("orders:write".into());
/// let answer: http::Response<ResponseBody<String>> = error.response();
/// assert_eq!(answer.status(), 403);
/// assert_eq!(
///     answer.headers()["www-authenticate"],
///     "Bearer error=\"insufficient_scope\", scope=\"orders:write\""
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BearerError {
    /// The token may not be used for this: 403 `insufficient_scope`.
    #[error("the token lacks the scope `{0}`")]
    InsufficientScope(String),
    /// The token is unknown, revoked or expired: 401 `invalid_token`.
    #[error("the token is unknown, revoked or expired")]
    InvalidToken,
    /// `Authorization` is there twice, or is no text: 400 `invalid_request`.
    #[error("the Authorization header cannot be read")]
    Malformed,
    /// There is no token: 401.
    #[error("there is no token")]
    Missing,
    /// The store of tokens does not answer: 503.
    #[error("the store of tokens does not answer")]
    Store(#[source] StoreError),
}

impl BearerError {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::InvalidToken | Self::Missing => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What `WWW-Authenticate` says.
    fn challenge(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Missing => "Bearer".to_owned(),
            Self::InvalidToken => "Bearer error=\"invalid_token\"".to_owned(),
            Self::Malformed => "Bearer error=\"invalid_request\"".to_owned(),
            Self::InsufficientScope(scope) => {
                format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")
            }
            Self::Store(_) => return None,
        };
        HeaderValue::try_from(text).ok()
    }

    /// The answer, with its challenge in `WWW-Authenticate`.
    pub fn response<B>(&self) -> Response<ResponseBody<B>> {
        let for_visitor = match self {
            Self::InsufficientScope(_) => "The token may not be used for this.",
            Self::InvalidToken => "The token is unknown, revoked or expired.",
            Self::Malformed => "The Authorization header cannot be read.",
            Self::Missing => "A token is needed: Authorization: Bearer …",
            Self::Store(error) => {
                return SessionError::Store(error.clone()).response();
            }
        };
        let mut response = refusal::page(self.status(), for_visitor, None);
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
