//! The bodies that the layers put around the app's.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// A response body: the app's, or one of our own.
    ///
    /// It passes on size and end of the app's body, so that a server frames it as before.
    ///
    /// ```
    /// use sealwax::{ResponseBody, SessionError};
    ///
    /// let refusal: http::Response<ResponseBody<String>> = SessionError::Interrupted.response();
    /// assert!(refusal.body().is_own());
    /// ```
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<B> {
        App { #[pin] body: B },
        Own { text: Bytes },
    }
}

impl<B> ResponseBody<B> {
    /// The app's.
    pub(crate) fn app(body: B) -> Self {
        let kind = Kind::App { body };
        Self { kind }
    }

    /// Ours.
    pub(crate) fn own(text: impl Into<Bytes>) -> Self {
        let kind = Kind::Own { text: text.into() };
        Self { kind }
    }

    /// Whether a layer made this body itself, instead of the app.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self.kind, Kind::Own { .. })
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::app(B::default())
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::App { body } => body.poll_frame(context),
            KindProjection::Own { text } => {
                let text = std::mem::take(text);
                Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::App { body } => body.is_end_stream(),
            Kind::Own { text } => text.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::App { body } => body.size_hint(),
            Kind::Own { text } => SizeHint::with_exact(text.len() as u64),
        }
    }
}

pin_project! {
    /// A request body of which a layer may have read the beginning, to look for a form's CSRF
    /// token. What was read comes first again, then the rest: the app sees every byte, and the
    /// trailers.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body::Body;
    /// use http_body_util::BodyExt as _;
    /// use sealwax::RequestBody;
    ///
    /// /// A handler without a framework reads it as any other body.
    /// async fn length<B: Body<Data = Bytes>>(body: RequestBody<B>) -> Result<usize, B::Error> {
    ///     Ok(body.collect().await?.to_bytes().len())
    /// }
    /// ```
    #[derive(Debug)]
    pub struct RequestBody<B> {
        // Frames that were read ahead.
        ahead: VecDeque<Frame<Bytes>>,
        #[pin]
        rest: B,
    }
}

impl<B> RequestBody<B> {
    /// A body that nobody has read.
    pub(crate) fn untouched(rest: B) -> Self {
        Self::after(VecDeque::new(), rest)
    }

    /// `ahead` is what was read of `rest`.
    pub(crate) fn after(ahead: VecDeque<Frame<Bytes>>, rest: B) -> Self {
        Self { ahead, rest }
    }
}

impl<B: Default> Default for RequestBody<B> {
    fn default() -> Self {
        Self::untouched(B::default())
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        match this.ahead.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => this.rest.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.ahead.iter().filter_map(Frame::data_ref);
        let ahead: u64 = data.map(|data| data.remaining() as u64).sum();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(ahead)) {
            hint.set_upper(upper);
        }
        // Below the upper bound, since the rest's own lower bound is.
        hint.set_lower(rest.lower().saturating_add(ahead));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full};

    #[tokio::test]
    async fn what_was_read_comes_first_and_nothing_twice() {
        let mut body = Full::new(Bytes::from_static(b"rest"));
        let ahead = VecDeque::from([
            Frame::data(Bytes::from_static(b"read ")),
            Frame::data(Bytes::from_static(b"ahead, ")),
        ]);
        let whole = RequestBody::after(ahead, &mut body);
        assert_eq!(whole.size_hint().exact(), Some(16));
        assert!(!whole.is_end_stream());
        let read = whole.collect().await.unwrap().to_bytes();
        assert_eq!(&read[..], b"read ahead, rest");
    }

    #[tokio::test]
    async fn an_own_body_knows_its_length_and_its_end() {
        let own: ResponseBody<Full<Bytes>> = ResponseBody::own("text");
        assert!(own.is_own() && !own.is_end_stream());
        assert_eq!(own.size_hint().exact(), Some(4));
        assert_eq!(&own.collect().await.unwrap().to_bytes()[..], b"text");
        let none: ResponseBody<Full<Bytes>> = ResponseBody::own("");
        assert!(none.is_end_stream());
        assert!(none.collect().await.unwrap().to_bytes().is_empty());
    }
}
