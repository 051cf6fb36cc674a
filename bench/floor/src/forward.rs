//! One request to the upstream and one answer back, both streamed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    CONNECTION, COOKIE, HOST, HeaderName, PROXY_AUTHENTICATE, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::pool::{self, Failure, Sender};

/// What belongs to one hop only (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The service: whatever fails is a 502 without a body.
pub(crate) async fn forward(
    request: Request<Incoming>,
    upstream: SocketAddr,
) -> Result<Response<Answer>, Infallible> {
    Ok(exchange(request, upstream).await.unwrap_or_else(|_| {
        let mut response = Response::new(Answer { body: None });
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

async fn exchange(
    mut request: Request<Incoming>,
    upstream: SocketAddr,
) -> Result<Response<Answer>, Failure> {
    to_http1(&mut request);
    let mut sender = pool::take(upstream).await?;
    let mut response = sender.send_request(request).await?;
    strip(response.headers_mut());
    Ok(response.map(|body| Answer {
        body: Some((body, Some(sender))),
    }))
}

/// The head as an HTTP/1.1 server expects it, whatever protocol it came by.
fn to_http1(request: &mut Request<Incoming>) {
    let target = std::mem::take(request.uri_mut());
    let headers = request.headers_mut();
    strip(headers);
    if let Some(authority) = target.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        headers.insert(HOST, host);
    }
    join_cookies(headers);
    *request.uri_mut() = target
        .path_and_query()
        .cloned()
        .map_or_else(Uri::default, Uri::from);
    *request.version_mut() = Version::HTTP_11;
}

fn strip(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// HTTP/2 may split the cookies, HTTP/1.1 may not (RFC 9113, 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_some() {
        let all: Vec<&[u8]> = headers
            .get_all(COOKIE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
            headers.insert(COOKIE, joined);
        }
    }
}

/// The upstream's body, which takes the connection along and gives it back at its end.
pub(crate) struct Answer {
    body: Option<(Incoming, Option<Sender>)>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some((body, sender)) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if frame.is_none() || body.is_end_stream() {
            // The server may not ask again once the announced length is there.
            sender.take().into_iter().for_each(pool::put_back);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body
            .as_ref()
            .is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), |(body, _)| body.size_hint())
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // An answer without a body is never polled.
        if let Some((body, sender)) = &mut self.body
            && body.is_end_stream()
        {
            sender.take().into_iter().for_each(pool::put_back);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what they expect")]

    use super::*;

    #[test]
    fn hop_by_hop_headers_stay_behind() {
        let mut headers = HeaderMap::new();
        for name in ["connection", "keep-alive", "te", "upgrade", "accept"] {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        strip(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn split_cookies_become_one() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        join_cookies(&mut headers);
        let all: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(all, ["a=1; b=2"]);
    }
}
