//! Extractors for axum, and answers for its handlers' errors.

use std::fmt;

use axum::body::Body;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use crate::arrival::{Arrival, asked_for};
use crate::auth::{Auth, AuthError, User};
use crate::bearer::{Bearer, BearerError};
use crate::body::ResponseBody;
use crate::csp::CspNonce;
use crate::csrf::Csrf;
use crate::messages::Messages;
use crate::refusal;
use crate::session::{Session, SessionError};
use crate::signed::SignedCookies;

/// A token for one page, and the field that carries it. To extract it is to use it: the response
/// renews the CSRF cookie.
///
/// ```
/// use sealwax::CsrfToken;
///
/// async fn form(token: CsrfToken) -> String {
///     format!("<form method=\"post\">{}<button>Send</button></form>", token.input())
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The token: 64 letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hidden field for a form: Django's `{% csrf_token %}`.
    #[must_use]
    pub fn input(&self) -> String {
        // Letters and digits need no escape.
        format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            sealwax_django::csrf::FORM_FIELD,
            self.0
        )
    }
}

impl fmt::Display for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(..)")
    }
}

/// A handler asks for what no layer has put there: 500, and the log says which layer is missing.
///
/// ```
/// use axum::extract::FromRequestParts as _;
/// use sealwax::Session;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut head, ()) = http::Request::new(()).into_parts();
/// let missing = Session::from_request_parts(&mut head, &()).await.unwrap_err();
/// assert_eq!(
///     missing.to_string(),
///     "no SessionLayer stands in front of this handler; add one to the router"
/// );
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no {0} stands in front of this handler; add one to the router")]
pub struct MissingLayer(&'static str);

impl IntoResponse for MissingLayer {
    fn into_response(self) -> Response {
        tracing::error!(target: "sealwax", "{self}");
        let response = refusal::page::<Body>(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on the server.",
            None,
        );
        own(response)
    }
}

/// The handles that layers leave in the extensions.
macro_rules! extractors {
    ($( $type:ident, $layer:literal; )+) => { $(
        impl<S: Sync> FromRequestParts<S> for $type {
            type Rejection = MissingLayer;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingLayer> {
                Self::of_extensions(&parts.extensions).ok_or(MissingLayer($layer))
            }
        }
    )+ };
}
extractors! {
    Arrival, "SealLayer";
    Auth, "AuthLayer";
    Csrf, "CsrfLayer";
    CspNonce, "CspLayer";
    Messages, "MessagesLayer";
    Session, "SessionLayer";
    SignedCookies, "SignedCookiesLayer";
}

impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let csrf = Csrf::of_extensions(&parts.extensions);
        let csrf = csrf.ok_or_else(|| MissingLayer("CsrfLayer").into_response())?;
        let token = csrf.token().await;
        token.map(Self).map_err(IntoResponse::into_response)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for User {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthError> {
        match Auth::of_extensions(&parts.extensions) {
            Some(auth) => auth.user().await,
            // A request with a token has no cookies, and so nobody who is logged in by one.
            None if parts.extensions.get::<Bearer>().is_some() => Ok(None),
            None => Err(AuthError::NoLayer),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let user = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await;
        match user {
            Ok(Some(user)) => Ok(user),
            Ok(None) => Err(stranger(parts)),
            Err(error) => Err(error.into_response()),
        }
    }
}

/// Who asks for a page is sent to log in first, where there is a page for that; the others are
/// told.
fn stranger(parts: &Parts) -> Response {
    let auth = Auth::of_extensions(&parts.extensions).filter(|_| parts.method == Method::GET);
    match auth.and_then(|auth| auth.login_page(asked_for(parts))) {
        Some(page) => Redirect::to(&page).into_response(),
        None => own(refusal::page::<Body>(
            StatusCode::FORBIDDEN,
            "You have to log in for this.",
            None,
        )),
    }
}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = BearerError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BearerError> {
        Self::of_extensions(&parts.extensions).ok_or(BearerError::Missing)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Bearer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, std::convert::Infallible> {
        Ok(Self::of_extensions(&parts.extensions))
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        own(self.response())
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        own(self.response())
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        own(self.response())
    }
}

/// An answer of ours as one of axum's.
fn own(response: Response<ResponseBody<Body>>) -> Response {
    response.map(|body| Body::new(body.map_err(axum::Error::new)))
}
