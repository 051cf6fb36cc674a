//! Layers that give the request a handle, and ask it for cookies when the response leaves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http::header::HeaderMap;
use pin_project_lite::pin_project;

/// What a handler gets, and what is left of it in the response.
pub(crate) trait Handle {
    /// Adds to the response what came of it.
    fn finish(&self, headers: &mut HeaderMap);
}

pin_project! {
    /// The response of a service whose requests carry a handle.
    pub struct Attended<F, H> {
        #[pin]
        future: F,
        handle: H,
    }
}

impl<F, H> Attended<F, H> {
    pub(crate) fn new(future: F, handle: H) -> Self {
        Self { future, handle }
    }
}

impl<F, H, B, E> Future for Attended<F, H>
where
    F: Future<Output = Result<Response<B>, E>>,
    H: Handle,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(context))?;
        this.handle.finish(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}
