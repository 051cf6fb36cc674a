//! What can go wrong with a session, by whose fault it is.

use std::error::Error as _;

use http::{Response, StatusCode};
use sealwax_django::LoadError;
use sealwax_store::StoreError;

use crate::body::ResponseBody;
use crate::refusal::{self, NOT_NOW};
use crate::world::NoRandomness;

/// Why a session could not be read or written.
///
/// It is an answer as well: [`status`](Self::status) says which, and with the feature `axum` it
/// is `IntoResponse`, so that a handler may end with `?`.
///
/// ```
/// use sealwax::{Session, SessionError};
///
/// async fn count(session: &Session) -> String {
///     match session.get::<u32>("visits").await {
///         Ok(visits) => format!("{} visits", visits.unwrap_or(0)),
///         // The page can do without.
///         Err(SessionError::Store(_)) => "many visits".into(),
///         Err(error) => error.to_string(),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session was deleted while this request was under way, most likely by a logout in
    /// another one. It is not brought back: 400, as in Django.
    #[error("the session was deleted before the request was over")]
    Interrupted,
    /// The session is larger than can be read: 4 MiB of JSON, or 960 levels of it. It is neither
    /// read nor saved, and what the store has stays as it is: 500. A logout still ends it.
    #[error(
        "session store: a session passes the limit of what is read and saved; keep large values elsewhere and only their keys in the session, or flush it"
    )]
    Limit(#[source] LoadError),
    /// There is no [`SessionLayer`](crate::SessionLayer) in front of this handler: 500.
    #[error("no SessionLayer stands in front of this handler; add one to the router")]
    NoLayer,
    /// No key could be made: 500.
    #[error("a new session needs a key")]
    Random(#[from] NoRandomness),
    /// The store does not answer: 503.
    #[error("the session store does not answer")]
    Store(#[from] StoreError),
    /// A value has another type than was asked for, or cannot be written as JSON: 500.
    #[error("the value `{name}` of the session does not fit its type")]
    Value {
        /// The name in the session.
        name: String,
        /// What `serde_json` says.
        source: serde_json::Error,
    },
}

impl SessionError {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Interrupted => StatusCode::BAD_REQUEST,
            Self::Store(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer, which gives nothing away; what is the operator's to mend goes to the log.
    ///
    /// ```
    /// use sealwax::{ResponseBody, SessionError};
    ///
    /// let answer: http::Response<ResponseBody<String>> = SessionError::Interrupted.response();
    /// assert_eq!(answer.status(), 400);
    /// ```
    pub fn response<B>(&self) -> Response<ResponseBody<B>> {
        self.tell();
        let status = self.status();
        let for_visitor = match status {
            StatusCode::BAD_REQUEST => {
                "Your session has ended, perhaps because you logged out in another window."
            }
            StatusCode::SERVICE_UNAVAILABLE => NOT_NOW,
            _ => "Something went wrong on the server.",
        };
        let mut response = refusal::page(status, for_visitor, None);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            refusal::retry_soon(response.headers_mut());
        }
        response
    }

    fn tell(&self) {
        match self {
            Self::Interrupted => {
                tracing::info!(target: "sealwax", "a session was deleted while a request with it was under way");
            }
            error => {
                let causes = std::iter::successors(error.source(), |&cause| cause.source());
                let causes: Vec<String> = causes.map(ToString::to_string).collect();
                let source = (!causes.is_empty()).then(|| causes.join(": "));
                tracing::error!(target: "sealwax", %error, source, "a session could not be read or written");
            }
        }
    }
}
