//! The socket to an app, and what has been read from it and not yet used.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::budget::Slot;
use super::buffers::{self, Size};

pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection to an app. At rest it holds no buffer.
pub(crate) struct Wire {
    socket: Socket,
    buffer: BytesMut,
    size: Size,
    /// After the socket: given back once that is closed.
    _slot: Slot,
}

impl Wire {
    pub(super) fn new(socket: Socket, slot: Slot) -> Self {
        Self {
            socket,
            buffer: BytesMut::new(),
            size: Size::Head,
            _slot: slot,
        }
    }

    /// Whether a connection at rest can be used: the app has neither closed it
    /// nor sent a byte that nobody asked for, which would be taken for the next
    /// answer. Costs no system call where nothing has happened.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let read = match &self.socket {
            Socket::Tcp(socket) => socket.try_read(&mut byte),
            Socket::Unix(socket) => socket.try_read(&mut byte),
        };
        self.buffer.is_empty() && read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The same, asked of the system: the runtime may not have heard yet that the
    /// app has closed the connection.
    pub(super) fn is_surely_quiet(&self) -> bool {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let peeked = match &self.socket {
            Socket::Tcp(socket) => SockRef::from(socket).peek(&mut byte),
            Socket::Unix(socket) => SockRef::from(socket).peek(&mut byte),
        };
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// What has been read and not yet used.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Passes over the first bytes of what is unread.
    pub(super) fn skip(&mut self, count: usize) {
        // Asking for more would panic.
        let count = count.min(self.buffer.len());
        self.buffer.advance(count);
    }

    /// Takes the first bytes of what is unread, without copying them.
    pub(super) fn take(&mut self, count: usize) -> Bytes {
        let count = count.min(self.buffer.len());
        let taken = self.buffer.split_to(count).freeze();
        if count > 0 && self.buffer.is_empty() && self.size == Size::Body {
            // Whoever reads next has it while it is warm. Not by `rest`: there
            // may be no room left in it. A head's is asked for again too soon.
            buffers::give(std::mem::take(&mut self.buffer), self.size);
        }
        taken
    }

    /// Reads once. 0 is the end of what the app sends.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        size: Size,
    ) -> Poll<io::Result<usize>> {
        self.make_room(size);
        let read = match &mut self.socket {
            Socket::Tcp(socket) => pin!(socket.read_buf(&mut self.buffer)).poll(cx),
            Socket::Unix(socket) => pin!(socket.read_buf(&mut self.buffer)).poll(cx),
        };
        if read.is_pending() {
            self.rest();
        }
        read
    }

    /// Gives the buffer away if nothing is in it.
    pub(super) fn rest(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > 0 {
            buffers::give(std::mem::take(&mut self.buffer), self.size);
        }
    }

    fn make_room(&mut self, size: Size) {
        let room = self.buffer.capacity() - self.buffer.len();
        if room >= size.bytes() / 4 {
            return;
        }
        if self.buffer.is_empty() {
            self.rest();
            self.buffer = buffers::take(size);
            self.size = size;
        } else {
            self.buffer.reserve(size.bytes());
        }
    }

    /// Ends the connection so that the app cannot take what it has got for the
    /// whole. A Unix socket knows no such end, and is closed.
    pub(crate) fn reset(self) {
        self.reset_at_end(true);
    }

    /// Whether the connection, when it is dropped, ends as by [`Self::reset`].
    pub(crate) fn reset_at_end(&self, reset: bool) {
        if let Socket::Tcp(socket) = &self.socket {
            // If it cannot be reset it is closed.
            let _ = SockRef::from(socket).set_linger(reset.then_some(Duration::ZERO));
        }
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The plainer call costs the system less.
        if let [one, rest @ ..] = parts
            && rest.iter().all(|part| part.is_empty())
        {
            return match &mut self.socket {
                Socket::Tcp(socket) => Pin::new(socket).poll_write(cx, one),
                Socket::Unix(socket) => Pin::new(socket).poll_write(cx, one),
            };
        }
        match &mut self.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, parts),
            Socket::Unix(socket) => Pin::new(socket).poll_write_vectored(cx, parts),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.buffer.clear();
        self.rest();
    }
}

/// The app's side of a tunnel: first what came behind its 101, then the socket.
impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.buffer.is_empty() {
            let ready = this.take(buf.remaining());
            buf.put_slice(&ready);
            this.rest();
            return Poll::Ready(Ok(()));
        }
        match &mut this.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_read(cx, buf),
            Socket::Unix(socket) => Pin::new(socket).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Wire::poll_write(self.get_mut(), cx, &[IoSlice::new(buf)])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket holds nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Socket::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}
