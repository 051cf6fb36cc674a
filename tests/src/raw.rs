//! Exact bytes out, exact bytes back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Answer, Tls, connect_tls};

/// How long silence lasts before the answer counts as complete.
const SILENCE: Duration = Duration::from_millis(1500);

/// Sends `bytes` over plain TCP and answers all that comes back until the peer closes or
/// is silent for a second and a half.
pub async fn exchange_tcp(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    exchange(&mut stream, bytes).await
}

/// The same within TLS, with `host` as server name and HTTP/1.1 by ALPN.
pub async fn exchange_tls(address: SocketAddr, tls: &Tls, host: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect_tls(address, tls, host, &[b"http/1.1"])
        .await
        .expect("a TLS connection");
    exchange(&mut stream, bytes).await
}

async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> Vec<u8> {
    // A peer that refuses early may close before all is written; what it said still counts.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match tokio::time::timeout(SILENCE, stream.read(&mut piece)).await {
            Ok(Ok(0) | Err(_)) | Err(_) => return answer,
            Ok(Ok(length)) => answer.extend_from_slice(&piece[..length]),
        }
    }
}

/// Reads the head of the first HTTP/1.1 answer in `bytes`; the rest is the body as it came.
/// `None` when there is no complete head.
#[must_use]
pub fn parse_answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = http::HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(
            http::HeaderName::from_bytes(name.as_bytes()).ok()?,
            http::HeaderValue::from_bytes(value.trim().as_bytes()).ok()?,
        );
    }
    Some(Answer {
        status,
        version: http::Version::HTTP_11,
        headers,
        body: bytes[end + 4..].to_vec().into(),
        trailers: None,
    })
}
