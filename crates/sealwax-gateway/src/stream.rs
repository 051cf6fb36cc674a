//! The client's side of a connection: plain or TLS, with a limit on how long a
//! client may refuse to read.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::activity::{Activity, Waiting};
use crate::buffer::Buffer;
use crate::pace::Pace;
use crate::tls::TlsStream;

/// How long, and for how many bytes, a closing connection still reads what the
/// client has on its way, so that our last words are not lost to a reset
/// (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1 << 20;

pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

/// A client's connection.
pub(crate) struct Stream {
    transport: Transport,
    activity: Rc<Activity>,
    /// How slowly the client may take what we send.
    pace: Pace,
    stalled: Option<Pin<Box<Sleep>>>,
    /// What TLS had sent when the account was last made up.
    sent: u64,
    closing: Option<Closing>,
}

struct Closing {
    deadline: Pin<Box<Sleep>>,
    left: usize,
}

impl Stream {
    pub(crate) fn new(transport: Transport, activity: Rc<Activity>, pace: Pace) -> Self {
        Self {
            transport,
            activity,
            pace,
            stalled: None,
            sent: 0,
            closing: None,
        }
    }

    /// Reads what the client has sent into `input`; 0 at its end. Where nothing
    /// has come, `input` takes no memory.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(input.space());
        let outcome = match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_read(cx, &mut space),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, &mut space),
        };
        let count = space.filled().len();
        input.fill(count);
        if count > 0 {
            self.activity.read();
        } else {
            input.release();
        }
        outcome.map_ok(|()| count)
    }

    /// Waits until the next write would be taken, so that nobody need hold what
    /// would be written.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = match &mut self.transport {
            // Only a write can tell.
            Transport::Plain(_) => return Poll::Ready(Ok(())),
            Transport::Tls(tls) => tls.poll_room(cx),
        };
        self.watched(cx, outcome, |()| 0)
    }

    /// The end of the connection will be that of a message.
    pub(crate) fn end_matters(&mut self) {
        if let Transport::Tls(tls) = &mut self.transport {
            tls.end_matters();
        }
    }

    /// Ends the connection so that the client cannot take what it has got for
    /// the whole, even where only the end of the connection would say so.
    pub(crate) fn reset(self) {
        let tcp = match &self.transport {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.tcp(),
        };
        // If it cannot be reset it is closed, and TLS at least says that it was
        // not meant to end (no close_notify).
        let _ = socket2::SockRef::from(tcp).set_linger(Some(Duration::ZERO));
    }

    /// Passes a write's outcome on; one that stays blocked for too long is an
    /// error. `moved`: bytes that the client has taken by it.
    fn watched<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        moved: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        // Nothing was held up, and nothing is.
        if self.stalled.is_none() && outcome.is_ready() {
            return outcome;
        }
        let all_sent = match &self.transport {
            Transport::Plain(_) => true,
            Transport::Tls(tls) => !tls.wants_send(),
        };
        let mut taken = match &outcome {
            Poll::Ready(Ok(done)) => moved(done) as u64,
            _ => 0,
        };
        if let Transport::Tls(tls) = &self.transport {
            // A write into TLS moves nothing by itself.
            taken = tls.sent().wrapping_sub(self.sent);
            self.sent = tls.sent();
        }
        if taken > 0 {
            self.pace.moved(taken);
        }
        if outcome.is_ready() {
            // What TLS has only put by does not show that the client reads.
            if taken > 0 || all_sent {
                self.pace.moved(0);
                self.stalled = None;
            }
            return outcome;
        }
        self.pace.wait();
        let Some(due) = self.pace.due().map(Instant::from_std) else {
            return Poll::Pending;
        };
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not read",
        )))
    }

    fn transport(&mut self) -> Pin<&mut Transport> {
        Pin::new(&mut self.transport)
    }

    /// Reads away what the client still sends.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let closing = self.closing.get_or_insert_with(|| Closing {
            deadline: Box::pin(tokio::time::sleep_until(Instant::now() + LINGER)),
            left: LINGER_BYTES,
        });
        let tcp = match &mut self.transport {
            Transport::Plain(tcp) => &*tcp,
            Transport::Tls(tls) => tls.tcp(),
        };
        let mut scratch = [0; 4096];
        loop {
            match tcp.try_read(&mut scratch) {
                Ok(0) => return Poll::Ready(()),
                Ok(count) => {
                    closing.left = closing.left.saturating_sub(count);
                    if closing.left == 0 {
                        return Poll::Ready(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match tcp.poll_read_ready(cx) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(_)) => return Poll::Ready(()),
                        Poll::Pending => break,
                    }
                }
                Err(_) => return Poll::Ready(()),
            }
        }
        closing.deadline.as_mut().poll(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let outcome = match &mut this.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, buf),
        };
        if buf.filled().len() > before {
            this.activity.read();
        }
        outcome
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.transport().poll_write(cx, buf);
        this.watched(cx, outcome, |count| *count)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.transport().poll_write_vectored(cx, bufs);
        this.watched(cx, outcome, |count| *count)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = this.transport().poll_flush(cx);
        this.watched(cx, outcome, |()| 0)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.closing.is_none() {
            let outcome = this.transport().poll_shutdown(cx);
            ready!(this.watched(cx, outcome, |()| 0))?;
            // A head that was refused in the middle leaves its rest unread.
            let in_head = matches!(this.activity.waiting(), Waiting::Head(_));
            if !in_head && !this.activity.lingers() {
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_linger(cx).map(Ok)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_write_vectored(cx, bufs),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}
