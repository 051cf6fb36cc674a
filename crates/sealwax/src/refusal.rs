//! The answers that the layers give instead of the app.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};

use crate::body::ResponseBody;

/// A small plain page. `for_visitor` gives nothing away; `reason` is for development only.
pub(crate) fn page<B>(
    status: StatusCode,
    for_visitor: &'static str,
    reason: Option<&str>,
) -> Response<ResponseBody<B>> {
    let text = match reason {
        Some(reason) => Bytes::from(format!("{for_visitor}\n\n{reason}\n")),
        None => Bytes::from_static(for_visitor.as_bytes()),
    };
    let mut response = empty(status);
    *response.body_mut() = ResponseBody::own(text);
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a visitor is told of a 503.
pub(crate) const NOT_NOW: &str =
    "This is not available at the moment. Please try again in a few seconds.";

/// An answer without a body.
pub(crate) fn empty<B>(status: StatusCode) -> Response<ResponseBody<B>> {
    let mut response = Response::new(ResponseBody::own(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// An answer that no person reads.
pub(crate) fn made<B>(status: StatusCode, body: Bytes) -> Response<ResponseBody<B>> {
    let mut response = empty(status);
    *response.body_mut() = ResponseBody::own(body);
    response
}

/// What does not answer now may be back in five seconds (RFC 9110 §10.2.3).
pub(crate) fn retry_soon(headers: &mut HeaderMap) {
    headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
}
