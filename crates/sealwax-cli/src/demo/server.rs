//! Serves a careless app over plain HTTP/1.1 on the loopback address.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// An app that answers out of its memory.
pub(crate) trait App: Send + Sync + 'static {
    /// Answers a request; `form` is its body.
    fn answer(&self, request: &request::Parts, form: &str) -> Response<String>;
}

/// A name to sign in with is all that anybody sends.
const LONGEST_FORM: usize = 16 * 1024;

/// Accepts connections for ever.
pub(crate) async fn serve(listener: TcpListener, app: Arc<impl App>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            continue;
        };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&app), request));
            // A client that breaks off is its own business.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

async fn answer(
    app: Arc<impl App>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let response = match Limited::new(body, LONGEST_FORM).collect().await {
        Ok(body) => app.answer(&head, &String::from_utf8_lossy(&body.to_bytes())),
        Err(_) => {
            let mut refusal = Response::new("That is too long.\n".to_owned());
            *refusal.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            refusal
        }
    };
    Ok(response.map(|body| Full::new(Bytes::from(body))))
}
