//! What can go wrong with a login.

use http::{Response, StatusCode};
use sealwax_store::StoreError;

use crate::body::ResponseBody;
use crate::refusal::{self, NOT_NOW};
use crate::session::SessionError;

/// Why it could not be found out who a user is, or why nobody could be logged in. That a password
/// is wrong is no error.
///
/// ```
/// use sealwax::{AuthError, ResponseBody};
///
/// let answer: http::Response<ResponseBody<String>> = AuthError::GivenUp.response();
/// assert_eq!(answer.status(), 503);
/// assert_eq!(answer.headers()["retry-after"], "5");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// More passwords are being checked than this machine can check in some seconds: 503.
    #[error(
        "too many passwords wait to be checked; limit attempts by client and by name in front of authenticate"
    )]
    Busy,
    /// There is no [`AuthLayer`](crate::AuthLayer) in front of this handler: 500.
    #[error("no AuthLayer stands in front of this handler; add one to the router")]
    NoLayer,
    /// The password could not be checked in the background: the runtime is ending. 503.
    #[error("the check of a password was given up")]
    GivenUp,
    /// The session could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The users cannot be read: 503.
    #[error("the users cannot be read")]
    Users(#[source] StoreError),
}

impl AuthError {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Session(error) => error.status(),
            Self::Busy | Self::GivenUp | Self::Users(StoreError::Unavailable(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer, which gives nothing away; what is the operator's to mend goes to the log.
    pub fn response<B>(&self) -> Response<ResponseBody<B>> {
        match self {
            Self::Session(error) => return error.response(),
            // To the visitor it is as if the session's store were down.
            Self::Users(error) => return SessionError::Store(error.clone()).response(),
            _ => {}
        }
        let source = std::error::Error::source(self).map(ToString::to_string);
        tracing::error!(target: "sealwax", error = %self, source, "nobody could be logged in");
        let for_visitor = match self {
            Self::Busy => NOT_NOW,
            _ => "Something went wrong on the server.",
        };
        let mut response = refusal::page(self.status(), for_visitor, None);
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            refusal::retry_soon(response.headers_mut());
        }
        response
    }
}
