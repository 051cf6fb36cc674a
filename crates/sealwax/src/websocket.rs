//! A WebSocket over HTTP/2 or HTTP/3: a CONNECT that says `:protocol` (RFC 8441 §4, RFC 9220).
//!
//! It is what GET with `Upgrade` is in HTTP/1.1, and is judged as that. The request that the app
//! gets stays what it was.

use http::header::{HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Method, Version};

/// Whether the request opens one. A CONNECT for a tunnel has neither scheme nor path (RFC 9113
/// §8.5), and framers let none pass that has; one with `:protocol` has both.
pub(crate) fn is_extended_connect(head: &Parts) -> bool {
    head.method == Method::CONNECT
        && head.version >= Version::HTTP_2
        && head.uri.scheme().is_some()
        && head.uri.path().starts_with('/')
}

/// The request as HTTP/1.1 says it, to be judged by; `None` for any other.
pub(crate) fn as_upgrade(head: &Parts) -> Option<Parts> {
    is_extended_connect(head).then(|| {
        let mut head = head.clone();
        head.method = Method::GET;
        let websocket = HeaderValue::from_static("websocket");
        head.headers.insert(UPGRADE, websocket);
        head
    })
}
