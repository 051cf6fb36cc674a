//! What an attacker would like to reach, and the pages from which it may be reached.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use futures_util::SinkExt as _;
use hyper_util::rt::TokioIo;
use sealwax::{CspNonce, CsrfToken, Session, SessionError};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// How often a request that changes something has come through.
static CHANGES: AtomicU32 = AtomicU32::new(0);

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(page).post(change))
        .route("/changes", get(changes))
        .route("/socket", get(socket))
        .fallback(change)
}

/// A page of the app's own: a form, and a script that sends without a token.
async fn page(
    session: Session,
    token: CsrfToken,
    nonce: CspNonce,
) -> Result<Html<String>, SessionError> {
    // A session, so that its cookie is there for an attacker to use.
    session.insert("here", &true).await?;
    let (input, nonce) = (token.input(), nonce.value()?.to_owned());
    Ok(Html(format!(
        "<!doctype html><title>app</title><form method=post action=/>{input}<button id=send>Send</button></form>
        <script nonce=\"{nonce}\">window.send = (method) => fetch('/x', {{method}}).then(r => r.status)</script>"
    )))
}

async fn change(method: Method, body: axum::body::Bytes) -> String {
    if !method.is_safe() {
        CHANGES.fetch_add(1, Ordering::SeqCst);
    }
    format!("reached by {method} with {} bytes", body.len())
}

async fn changes() -> String {
    CHANGES.load(Ordering::SeqCst).to_string()
}

/// A WebSocket that says `welcome` and closes.
async fn socket(headers: HeaderMap, mut request: Request) -> impl IntoResponse {
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else {
        return (StatusCode::BAD_REQUEST, "no WebSocket").into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        let stream = TokioIo::new(stream);
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let _ = socket.send("welcome".into()).await;
        let _ = socket.close(None).await;
    });
    let answer = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(Body::empty());
    answer.map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        IntoResponse::into_response,
    )
}
