//! One connection: connect, handshake, one GET, the answer read and compared.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, HandshakeKind};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The most a response head may have. Far more than any server measured sends.
const MAX_HEAD: usize = 16 * 1024;
/// A connection that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What every connection of a run shares.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) server_name: ServerName<'static>,
    /// The request, ready to be written.
    pub(crate) request: Vec<u8>,
    /// The body that the answer must have.
    pub(crate) body: Vec<u8>,
}

/// What was agreed on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) resumed: bool,
    pub(crate) suite: String,
    pub(crate) group: String,
}

/// What went wrong on a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection")]
    Connect(#[source] std::io::Error),
    #[error("the TLS handshake failed")]
    Handshake(#[source] std::io::Error),
    #[error("the request could not be written")]
    Write(#[source] std::io::Error),
    #[error("the answer could not be read")]
    Read(#[source] std::io::Error),
    #[error("the answer ended after {0} bytes")]
    Truncated(usize),
    #[error("the answer's head is malformed or over {MAX_HEAD} bytes")]
    Head,
    #[error("the answer's status line is {0:?}")]
    Status(String),
    #[error("the answer has no Content-Length")]
    NoLength,
    #[error("the answer's body has {got} bytes that are not the {expected} expected")]
    Body { got: usize, expected: usize },
    #[error("{PATIENCE:?} went by")]
    TimedOut,
    #[error("the handshake was {}, not {}", kind(!expected), kind(*expected))]
    Kind { expected: bool },
}

fn kind(resumed: bool) -> &'static str {
    if resumed { "resumed" } else { "full" }
}

/// A connection that has answered one request.
pub(crate) struct Open {
    stream: TlsStream<TcpStream>,
    pub(crate) agreed: Agreed,
}

impl Open {
    /// Closes as a browser does: close_notify (RFC 8446, 6.1), then FIN. The server may be gone
    /// already, and that is no failure of the exchange, which is over.
    pub(crate) async fn close(mut self) {
        drop(self.stream.shutdown().await);
    }
}

/// Connects, and reads one whole answer.
pub(crate) async fn exchange(config: &Arc<ClientConfig>, target: &Target) -> Result<Open, Failure> {
    tokio::time::timeout(PATIENCE, attempt(config, target))
        .await
        .map_err(|_| Failure::TimedOut)?
}

async fn attempt(config: &Arc<ClientConfig>, target: &Target) -> Result<Open, Failure> {
    let tcp = TcpStream::connect(target.addr)
        .await
        .map_err(Failure::Connect)?;
    tcp.set_nodelay(true).map_err(Failure::Connect)?;
    let mut stream = TlsConnector::from(Arc::clone(config))
        .connect(target.server_name.clone(), tcp)
        .await
        .map_err(Failure::Handshake)?;
    stream
        .write_all(&target.request)
        .await
        .map_err(Failure::Write)?;
    stream.flush().await.map_err(Failure::Write)?;

    let mut answer = Vec::with_capacity(4096);
    let head = loop {
        read_more(&mut stream, &mut answer).await?;
        if let Some(end) = find(&answer, b"\r\n\r\n") {
            break end;
        }
        if answer.len() > MAX_HEAD {
            return Err(Failure::Head);
        }
    };
    let length = content_length(answer.get(..head).unwrap_or_default())?;
    if length != target.body.len() {
        return Err(Failure::Body {
            got: length,
            expected: target.body.len(),
        });
    }
    let end = head + 4 + length;
    while answer.len() < end {
        read_more(&mut stream, &mut answer).await?;
    }
    // What stands beyond the announced length is counted as body: it is wrong as well.
    let body = answer.get(head + 4..).unwrap_or_default();
    if body != target.body {
        return Err(Failure::Body {
            got: body.len(),
            expected: target.body.len(),
        });
    }
    // Asked after the answer, since the tickets and the agreement stand by then in any case.
    let agreed = agreed(&stream);
    Ok(Open { stream, agreed })
}

async fn read_more(stream: &mut TlsStream<TcpStream>, answer: &mut Vec<u8>) -> Result<(), Failure> {
    match stream.read_buf(answer).await.map_err(Failure::Read)? {
        0 => Err(Failure::Truncated(answer.len())),
        _ => Ok(()),
    }
}

fn agreed(stream: &TlsStream<TcpStream>) -> Agreed {
    let (_, connection) = stream.get_ref();
    Agreed {
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        suite: connection
            .negotiated_cipher_suite()
            .map_or_else(|| "none".to_owned(), |suite| format!("{:?}", suite.suite())),
        group: connection
            .negotiated_key_exchange_group()
            .map_or_else(|| "none".to_owned(), |group| format!("{:?}", group.name())),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Content-Length (RFC 9110, 8.6) of a head with status 200.
fn content_length(head: &[u8]) -> Result<usize, Failure> {
    let head = std::str::from_utf8(head).map_err(|_| Failure::Head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !(status.starts_with("HTTP/1.1 200 ") || status == "HTTP/1.1 200") {
        return Err(Failure::Status(status.to_owned()));
    }
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or(Failure::NoLength)
}

#[cfg(test)]
mod tests;
