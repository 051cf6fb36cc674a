//! TLS on the server side: the handshake, and a stream of plaintext over it.
//!
//! The general-purpose adapter sends session tickets in a segment of their own
//! and says goodbye to peers that have left; this one lets the tickets travel
//! with the first response. Measured: −5 % CPU per full handshake.

use std::io::{self, BufRead as _, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::server::{Accepted, AcceptedAlert, Acceptor};
use rustls::{ProtocolVersion, ServerConnection};
use sealwax_cert::TlsConfigs;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::buffer::Buffer;

/// Bytes that may wait for the socket before writes are held back. The last of
/// them may have come with more: a write is taken whole.
const WRITE_BUFFER: usize = 128 * 1024;

/// A TLS connection whose handshake is done.
pub(crate) struct TlsStream {
    tcp: TcpStream,
    tls: ServerConnection,
    /// What was read from the socket and not given to TLS yet.
    received: Buffer,
    peer_left: bool,
    /// What goes over it has no end but that of the connection.
    end_matters: bool,
    /// Bytes of ciphertext that the socket has taken.
    sent: u64,
    /// Bytes written since nothing has waited for the socket.
    gathered: usize,
}

/// Reads from a plain socket; 0 at its end. Where nothing has come, `buffer`
/// takes no memory.
pub(crate) fn poll_fill(
    tcp: &mut TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut Buffer,
) -> Poll<io::Result<usize>> {
    let mut space = ReadBuf::new(buffer.space());
    // `poll_read`, unlike `try_read`, learns from a short read that the socket
    // is empty: no second system call.
    let outcome = Pin::new(tcp).poll_read(cx, &mut space);
    let count = space.filled().len();
    buffer.fill(count);
    buffer.release();
    outcome.map_ok(|()| count)
}

/// Shakes hands. `received` is what has been read from `tcp` already. The caller
/// sets the deadline.
pub(crate) async fn accept(
    mut tcp: TcpStream,
    mut received: Buffer,
    configs: &TlsConfigs,
) -> io::Result<TlsStream> {
    let mut acceptor = Acceptor::default();
    let accepted =
        std::future::poll_fn(|cx| poll_client_hello(&mut acceptor, &mut tcp, &mut received, cx))
            .await?;
    let config = Arc::clone(configs.choose(&accepted.client_hello()));
    let mut tls = match accepted.into_connection(config) {
        Ok(tls) => tls,
        Err((error, alert)) => return Err(refused(&mut tcp, error, alert).await),
    };
    // A limit of rustls' own would end each send with a part of a record;
    // `poll_room` bounds what waits.
    tls.set_buffer_limit(None);
    let mut stream = TlsStream {
        tcp,
        tls,
        received,
        peer_left: false,
        end_matters: false,
        sent: 0,
        gathered: 0,
    };
    std::future::poll_fn(|cx| stream.poll_handshake(cx)).await?;
    Ok(stream)
}

fn poll_client_hello(
    acceptor: &mut Acceptor,
    tcp: &mut TcpStream,
    received: &mut Buffer,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Accepted>> {
    loop {
        if received.is_empty() && ready!(poll_fill(tcp, cx, received))? == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let taken = acceptor.read_tls(&mut received.filled())?;
        received.consume(taken);
        match acceptor.accept() {
            Ok(Some(accepted)) => return Poll::Ready(Ok(accepted)),
            Ok(None) => {}
            Err((error, alert)) => return Poll::Ready(Err(told(tcp, cx, error, alert))),
        }
    }
}

async fn refused(tcp: &mut TcpStream, error: rustls::Error, alert: AcceptedAlert) -> io::Error {
    let mut refusal = Some((error, alert));
    std::future::poll_fn(|cx| {
        Poll::Ready(match refusal.take() {
            Some((error, alert)) => told(tcp, cx, error, alert),
            None => io::ErrorKind::InvalidData.into(),
        })
    })
    .await
}

/// The alert tells the peer why; if it cannot take it, nothing is lost.
fn told(
    tcp: &mut TcpStream,
    cx: &mut Context<'_>,
    error: rustls::Error,
    mut alert: AcceptedAlert,
) -> io::Error {
    let _ = alert.write_all(&mut Socket { tcp, cx });
    invalid(error)
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl TlsStream {
    /// The host that the client asked for (RFC 6066 §3), in lower case.
    pub(crate) fn server_name(&self) -> Option<&str> {
        self.tls.server_name()
    }

    /// Whether ALPN chose HTTP/2 (RFC 7301, RFC 9113 §3.2).
    pub(crate) fn is_h2(&self) -> bool {
        self.tls.alpn_protocol() == Some(b"h2")
    }

    /// Changes when the socket takes something, even where a write is held back.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether ciphertext waits for the socket.
    pub(crate) fn wants_send(&self) -> bool {
        self.tls.wants_write()
    }

    /// From now on only a close_notify tells the whole from a part (RFC 8446
    /// §6.1): ours goes out also where the client has sent its own and reads
    /// on, and an end without the client's is an error.
    pub(crate) fn end_matters(&mut self) {
        self.end_matters = true;
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.is_handshaking() {
            if self.tls.wants_write() {
                ready!(self.poll_send(cx))?;
            } else if ready!(self.poll_receive(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        // In TLS 1.2 the server's Finished is still to go; in 1.3 only tickets
        // are, and they can wait for the first response.
        if self.tls.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            ready!(self.poll_send(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until the next write would be taken.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gathered < WRITE_BUFFER {
            return Poll::Ready(Ok(()));
        }
        self.poll_send(cx)
    }

    /// Sends everything that is encrypted and waiting.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Socket {
                tcp: &mut self.tcp,
                cx,
            }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => self.sent = self.sent.wrapping_add(count as u64),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.gathered = 0;
        Poll::Ready(Ok(()))
    }

    /// Takes ciphertext from the socket and decrypts it; 0 at its end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.received.is_empty()
            && ready!(poll_fill(&mut self.tcp, cx, &mut self.received))? == 0
        {
            self.peer_left = true;
        }
        // In a body's middle TLS takes a quarter of what one read can bring.
        let count = self.tls.read_tls(&mut self.received.filled())?;
        self.received.consume(count);
        if let Err(error) = self.tls.process_new_packets() {
            // The alert tells the peer why; if it cannot take it, nothing is lost.
            let _ = self.poll_send(cx);
            return Poll::Ready(Err(invalid(error)));
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            let mut reader = this.tls.reader();
            // The reader's own chunk spares clearing `buf` first.
            match reader.fill_buf() {
                Ok(chunk) => {
                    let count = chunk.len().min(buf.remaining());
                    buf.put_slice(chunk.get(..count).unwrap_or_default());
                    reader.consume(count);
                    // More records may be here already, and fill `buf`.
                    if count > 0 && buf.remaining() > 0 && !this.received.is_empty() {
                        continue;
                    }
                    if buf.filled().len() == before {
                        this.peer_left = true;
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // It will be told again.
                Err(_) if buf.filled().len() > before => return Poll::Ready(Ok(())),
                // No close_notify: HTTP's own framing tells a whole message
                // from a cut one.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !this.end_matters => {
                    this.peer_left = true;
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
            if buf.filled().len() > before && this.received.is_empty() {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_receive(cx))?;
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_room(cx))?;
        let count = this.tls.writer().write(buf)?;
        this.gathered += count;
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_room(cx))?;
        let count = this.tls.writer().write_vectored(bufs)?;
        this.gathered += count;
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.peer_left || this.end_matters {
            this.tls.send_close_notify();
            ready!(this.poll_send(cx))?;
        }
        Pin::new(&mut this.tcp).poll_shutdown(cx)
    }
}

/// The socket as rustls wants to write to it: calls that say `WouldBlock`.
struct Socket<'s, 'c, 'w> {
    tcp: &'s mut TcpStream,
    cx: &'c mut Context<'w>,
}

impl Write for Socket<'_, '_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        unblocked(Pin::new(&mut *self.tcp).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match bufs {
            // The plainer call costs the system less.
            [one] => self.write(one),
            _ => unblocked(Pin::new(&mut *self.tcp).poll_write_vectored(self.cx, bufs)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unblocked(poll: Poll<io::Result<usize>>) -> io::Result<usize> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
