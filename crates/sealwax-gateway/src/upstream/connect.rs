//! Opening a connection to an upstream, and the wire under it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use sealwax_config::Upstream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::budget::Slot;
use crate::body::RequestBody;

/// Interim responses (1xx) that one request may be given. Real ones are one
/// 100, perhaps a few 103 or 102; a flood of them is an attack on the waiter.
const MAX_INTERIM: u32 = 8;

/// Head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// What the connection has heard since the last request. Shared with hyper's
/// callback, hence the atomics; one thread touches it.
#[derive(Debug, Default)]
pub(crate) struct Interim {
    count: AtomicU32,
    go_on: AtomicBool,
    heard: AtomicBool,
}

impl Interim {
    /// A request begins.
    pub(crate) fn reset(&self) {
        self.count.store(0, Ordering::Relaxed);
        self.go_on.store(false, Ordering::Relaxed);
        self.heard.store(false, Ordering::Relaxed);
    }

    /// An interim response came.
    pub(crate) fn note(&self, status: http::StatusCode) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if status == http::StatusCode::CONTINUE {
            self.go_on.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the app asked for the body.
    pub(crate) fn go_on(&self) -> bool {
        self.go_on.load(Ordering::Relaxed)
    }

    /// Whether any byte has come since the request went out.
    pub(crate) fn heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    pub(crate) fn is_flood(&self) -> bool {
        self.count.load(Ordering::Relaxed) > MAX_INTERIM
    }
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The socket with an ear on it.
struct Wire {
    socket: Socket,
    interim: Arc<Interim>,
    /// After the socket: given back once that is closed.
    _slot: Slot,
}

/// Connects and starts the task that speaks HTTP/1.1 on the connection.
pub(crate) async fn connect(
    upstream: &Upstream,
    slot: Slot,
) -> io::Result<(SendRequest<RequestBody>, Arc<Interim>)> {
    let socket = match upstream {
        Upstream::Tcp { host, port } => {
            let stream = connect_tcp(host, *port).await?;
            // A request head and its body may be two writes; neither may wait
            // for the other's acknowledgement.
            stream.set_nodelay(true)?;
            Socket::Tcp(stream)
        }
        Upstream::Unix(path) => Socket::Unix(UnixStream::connect(path).await?),
    };
    let interim = Arc::new(Interim::default());
    let wire = Wire {
        socket,
        interim: Arc::clone(&interim),
        _slot: slot,
    };
    let (sender, connection) = http1::Builder::new()
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD + 8192)
        .max_headers(256)
        .handshake(TokioIo::new(wire))
        .await
        .map_err(io::Error::other)?;
    tokio::task::spawn_local(async move {
        // Its failure reaches the request that is on it; between requests it
        // only means that the app closed an idle connection.
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(target: "sealwax", %error, "a connection to the app ended");
        }
    });
    Ok((sender, interim))
}

async fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let bare = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return TcpStream::connect(SocketAddr::new(address, port)).await;
    }
    TcpStream::connect((bare, port)).await
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.interim.is_flood() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "too many interim responses",
            )));
        }
        let before = buf.filled().len();
        let outcome = match &mut this.socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        if buf.filled().len() > before {
            this.interim.heard.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Socket::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
