//! One HTTP/1.1 connection: connect, handshake, GETs whose answers are read to their ends.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, HandshakeKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::failure::{Failure, MAX_BODY, MAX_HEAD};
use crate::target::{SMALL, Target};

/// A connection, a request or an answer that takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What was agreed on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) resumed: bool,
    pub(crate) suite: String,
    pub(crate) group: String,
}

/// TCP and TLS, done; it must be the protocol that was offered.
pub(crate) async fn handshake(
    config: &Arc<ClientConfig>,
    target: &Target,
    source: Option<Ipv4Addr>,
) -> Result<TlsStream<TcpStream>, Failure> {
    let attempt = async {
        let tcp = target.tcp(source).await.map_err(Failure::Connect)?;
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(target.server_name.clone(), tcp)
            .await
            .map_err(Failure::Handshake)?;
        let agreed = stream.get_ref().1.alpn_protocol();
        if agreed == config.alpn_protocols.first().map(Vec::as_slice) {
            Ok(stream)
        } else {
            Err(Failure::Protocol)
        }
    };
    tokio::time::timeout(PATIENCE, attempt)
        .await
        .map_err(|_| Failure::TimedOut)?
}

/// An open connection, and the bytes of the answer read last.
pub(crate) struct Open {
    stream: TlsStream<TcpStream>,
    answer: Vec<u8>,
}

/// A whole answer; `Open::body` has its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The server closes the connection.
    pub(crate) last: bool,
    body: Range<usize>,
}

impl Open {
    pub(crate) async fn new(
        config: &Arc<ClientConfig>,
        target: &Target,
        source: Option<Ipv4Addr>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            stream: handshake(config, target, source).await?,
            answer: Vec::with_capacity(4096),
        })
    }

    /// One request, written, and its answer, read.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        tokio::time::timeout(PATIENCE, self.attempt(request))
            .await
            .map_err(|_| Failure::TimedOut)?
    }

    async fn attempt(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        self.write(request).await?;
        self.answer.clear();
        let end = loop {
            self.read_more().await?;
            if let Some(end) = find(&self.answer, b"\r\n\r\n") {
                break end;
            }
            if self.answer.len() > MAX_HEAD {
                return Err(Failure::Head);
            }
        };
        let head = Head::parse(self.answer.get(..end).unwrap_or_default())?;
        let start = end + 4;
        while self.answer.len() < start + head.length {
            self.read_more().await?;
        }
        Ok(Answer {
            status: head.status,
            last: head.last,
            // What stands beyond the announced length is counted as body: it is wrong as well.
            body: start..self.answer.len(),
        })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(bytes).await.map_err(Failure::Write)?;
        self.stream.flush().await.map_err(Failure::Write)
    }

    /// Some more bytes of an answer; an end before them is a failure.
    pub(crate) async fn read_more(&mut self) -> Result<(), Failure> {
        match self
            .stream
            .read_buf(&mut self.answer)
            .await
            .map_err(Failure::Read)?
        {
            0 => Err(Failure::Truncated(self.answer.len())),
            _ => Ok(()),
        }
    }

    pub(crate) fn body(&self, answer: &Answer) -> &[u8] {
        self.answer.get(answer.body.clone()).unwrap_or_default()
    }

    /// Asked after an answer, when the agreement stands in any case.
    pub(crate) fn agreed(&self) -> Agreed {
        agreed(&self.stream)
    }

    /// Closes as a browser does: close_notify (RFC 8446, 6.1), then FIN. The server may be gone
    /// already, and that is no failure of the exchange, which is over.
    pub(crate) async fn close(mut self) {
        drop(self.stream.shutdown().await);
    }
}

/// Connects, and reads one whole answer, which must be the right one.
pub(crate) async fn exchange(config: &Arc<ClientConfig>, target: &Target) -> Result<Open, Failure> {
    let mut open = Open::new(config, target, None).await?;
    let answer = open.ask(&target.http1(SMALL)).await?;
    Failure::unless_good(answer.status, open.body(&answer), target)?;
    Ok(open)
}

pub(crate) fn agreed(stream: &TlsStream<TcpStream>) -> Agreed {
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

/// What is needed of an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    last: bool,
}

impl Head {
    fn parse(head: &[u8]) -> Result<Self, Failure> {
        let head = std::str::from_utf8(head).map_err(|_| Failure::Head)?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(status).ok_or(Failure::Head)?;
        let (mut length, mut last) = (None, false);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                last = value.eq_ignore_ascii_case("close");
            }
        }
        let length = length.ok_or(Failure::NoLength)?;
        if length > MAX_BODY {
            return Err(Failure::Body { got: length });
        }
        Ok(Self {
            status,
            length,
            last,
        })
    }
}

/// The status of `HTTP/1.1 SP 3DIGIT [SP reason]` (RFC 9112, 4).
fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ")?;
    let (digits, reason) = rest.split_at_checked(3)?;
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (reason.is_empty() || reason.starts_with(' '));
    digits.parse().ok().filter(|_| whole)
}

#[cfg(test)]
mod tests;
