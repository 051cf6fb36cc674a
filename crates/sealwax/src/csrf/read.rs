//! The beginning of a request body, read to find a form's token.

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;

use super::form::Form;
use crate::body::RequestBody;

/// What came of reading.
pub(super) enum Read<A> {
    /// The token, empty if there is none, and a body with every byte still in it.
    Token(String, RequestBody<A>),
    /// The body broke off, and nobody can see its end.
    Broken,
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
    // Copied together: a form in many small frames must not cost more than its bytes.
    let mut text = Vec::new();
    let mut trailers = None;
    loop {
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Read::Broken,
            None => {
                let token = form.token(&text, true).unwrap_or_default();
                return Read::Token(token, again(text, trailers, body));
            }
        };
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = Some(frame);
                continue;
            }
        };
        let too_large = text.len().saturating_add(data.len()) > limit;
        text.extend_from_slice(&data);
        if too_large {
            return Read::TooLarge(again(text, trailers, body));
        }
        if let Some(token) = form.token(&text, false) {
            return Read::Token(token, again(text, trailers, body));
        }
    }
}

/// The body as it was before it was read.
fn again<A>(text: Vec<u8>, trailers: Option<Frame<Bytes>>, rest: A) -> RequestBody<A> {
    let data = (!text.is_empty()).then(|| Frame::data(Bytes::from(text)));
    RequestBody::after(data.into_iter().chain(trailers).collect(), rest)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderMap;
    use http_body_util::StreamBody;

    use super::*;

    #[tokio::test]
    async fn small_frames_are_kept_together() {
        let whole = "csrfmiddlewaretoken=abc&a=b";
        let data = whole
            .bytes()
            .map(|byte| Frame::data(Bytes::from(vec![byte])));
        let trailers = Frame::trailers(HeaderMap::from_iter([(
            http::header::ETAG,
            http::HeaderValue::from_static("x"),
        )]));
        let frames = data.chain([trailers]).map(Ok::<_, Infallible>);
        let body = StreamBody::new(futures_util::stream::iter(frames));
        let Read::Token(token, mut body) = token(Form::UrlEncoded, body, 100).await else {
            panic!("it is whole and short");
        };
        assert_eq!(token, "abc");
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), whole);
        let second = body.frame().await.unwrap().unwrap();
        assert_eq!(second.into_trailers().unwrap()["etag"], "x");
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn what_is_too_large_is_still_whole() {
        let frames =
            ["a=12", "345", "678"].map(|text| Ok::<_, Infallible>(Frame::data(text.into())));
        let body = StreamBody::new(futures_util::stream::iter(frames));
        let Read::TooLarge(body) = token(Form::UrlEncoded, body, 5).await else {
            panic!("six bytes and more are too many");
        };
        let all = body.collect().await.unwrap().to_bytes();
        assert_eq!(all, "a=12345678");
    }
}
