//! The beginning of a request body, read to find a form's token.

use std::collections::VecDeque;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt as _;

use super::form::Form;
use crate::body::RequestBody;

/// What came of reading.
pub(super) enum Read<A> {
    /// The token, empty if there is none, and a body with every byte still in it.
    Token(String, RequestBody<A>),
    /// The limit was reached first; the body is still whole.
    TooLarge(RequestBody<A>),
}

/// Reads until the token is found, the body is over, or more than `limit` bytes have come.
pub(super) async fn token<A>(mut form: Form, mut body: A, limit: usize) -> Read<A>
where
    A: Body<Data = Bytes> + Unpin,
{
    // What is announced need not be waited for. A form with files may bring its token first.
    let announced = body.size_hint().lower();
    if matches!(form, Form::UrlEncoded) && announced > limit as u64 {
        return Read::TooLarge(RequestBody::untouched(body));
    }
    let mut ahead = VecDeque::new();
    let mut text = Vec::new();
    loop {
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            // A body that breaks off has no token, as in Django; the app will not see it.
            Some(Err(_)) => return Read::Token(String::new(), RequestBody::after(ahead, body)),
            None => {
                let token = form.token(&text, true).unwrap_or_default();
                return Read::Token(token, RequestBody::after(ahead, body));
            }
        };
        let data = frame.data_ref().cloned().unwrap_or_default();
        ahead.push_back(frame);
        if text.len().saturating_add(data.len()) > limit {
            return Read::TooLarge(RequestBody::after(ahead, body));
        }
        text.extend_from_slice(&data);
        if let Some(token) = form.token(&text, false) {
            return Read::Token(token, RequestBody::after(ahead, body));
        }
    }
}
