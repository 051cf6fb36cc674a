//! One request through a service, without sockets.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::body::{Body, Bytes};
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Service, ServiceExt as _};

/// Whatever runs the futures of a service.
pub(crate) enum Runner {
    /// Nobody: what the service waits for is there already.
    Poll,
    /// A runtime, for what comes from another thread.
    #[cfg(feature = "sqlite")]
    Tokio(tokio::runtime::Runtime),
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Runner {
    /// Sends the request as a server does, through a clone of its service, and reads the answer.
    pub(crate) fn send<S, B>(&self, service: &S, request: Request<Body>) -> Result<Answer, String>
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
        B: http_body::Body<Data = Bytes>,
    {
        let exchange = async {
            let Ok(response) = service.clone().oneshot(request).await;
            let (head, body) = response.into_parts();
            let mut body = pin!(body);
            // The pages are of one frame.
            let mut read = Bytes::new();
            while let Some(Ok(frame)) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
                read = frame.into_data().unwrap_or_default();
            }
            Answer {
                status: head.status,
                headers: head.headers,
                body: read,
            }
        };
        match self {
            Self::Poll => now(pin!(exchange)),
            #[cfg(feature = "sqlite")]
            Self::Tokio(runtime) => Ok(runtime.block_on(exchange)),
        }
    }
}

/// The result of what waits for nothing.
fn now<F: Future>(future: Pin<&mut F>) -> Result<F::Output, String> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("the service waits for something".to_owned()),
    }
}
