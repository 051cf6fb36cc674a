//! A socket on which things happen at chosen bytes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// Long enough for the other side to see what came before.
const SEEN: Duration = Duration::from_millis(1);
const DELAY: Duration = Duration::from_millis(4);
const PAUSE: Duration = Duration::from_millis(15);

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What follows is a segment of its own.
    Split,
    /// What follows comes a little later.
    Delay,
    /// Nobody reads, or writes, for a while.
    Pause,
    /// This side sends no more, and still reads.
    Fin,
    /// This side is gone, and says so.
    Reset,
    /// This side closes, whatever it has not read.
    Close,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Split,
        Self::Delay,
        Self::Pause,
        Self::Fin,
        Self::Reset,
        Self::Close,
    ];

    /// Whether it must not change anything.
    pub fn is_timing(self) -> bool {
        matches!(self, Kind::Split | Kind::Delay | Kind::Pause)
    }
}

/// One of the four streams of bytes, as the end that we play sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// As the client writes it.
    FromClient,
    /// As the client reads it.
    ToClient,
    /// As the app reads it.
    ToApp,
    /// As the app writes it.
    FromApp,
}

impl Stream {
    pub const ALL: [Self; 4] = [Self::FromClient, Self::ToClient, Self::ToApp, Self::FromApp];

    pub fn is_clients(self) -> bool {
        matches!(self, Stream::FromClient | Stream::ToClient)
    }
}

/// Something that happens when so many bytes have passed in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub stream: Stream,
    pub at: u64,
    pub kind: Kind,
}

/// One stream of a run: over all its connections, one after the other.
#[derive(Default)]
pub struct Way {
    pub passed: u64,
    to_come: VecDeque<Fault>,
    pub fired: Vec<Fault>,
}

pub type Shared = Rc<RefCell<Way>>;

impl Way {
    pub fn new(stream: Stream, faults: &[Fault]) -> Shared {
        let mut mine: Vec<Fault> = faults.to_vec();
        mine.retain(|fault| fault.stream == stream);
        mine.sort_by_key(|fault| fault.at);
        Rc::new(RefCell::new(Self {
            to_come: mine.into(),
            ..Self::default()
        }))
    }

    /// Bytes up to the next fault.
    fn room(&self) -> usize {
        let next = self.to_come.front();
        next.map_or(usize::MAX, |fault| {
            usize::try_from(fault.at.saturating_sub(self.passed)).unwrap_or(usize::MAX)
        })
    }

    /// The fault that is due.
    fn due(&mut self) -> Option<Kind> {
        if self.room() > 0 {
            return None;
        }
        let fault = self.to_come.pop_front()?;
        self.fired.push(fault);
        Some(fault.kind)
    }
}

#[derive(Default)]
struct Half {
    way: Shared,
    wait: Option<Pin<Box<Sleep>>>,
    asleep: Option<Waker>,
}

/// The socket. TLS, where there is any, is above it.
pub struct Line {
    tcp: Option<TcpStream>,
    half_closed: bool,
    /// The other side has reset the connection, and a write was told: the
    /// system tells but one.
    reset: bool,
    reading: Half,
    writing: Half,
}

impl Line {
    pub fn new(tcp: TcpStream, reading: &Shared, writing: &Shared) -> Self {
        // A split must be one.
        let _ = tcp.set_nodelay(true);
        let half = |way: &Shared| Half {
            way: Rc::clone(way),
            ..Half::default()
        };
        Self {
            tcp: Some(tcp),
            half_closed: false,
            reset: false,
            reading: half(reading),
            writing: half(writing),
        }
    }

    fn fire(&mut self, kind: Kind, reading: bool) {
        let half = if reading {
            &mut self.reading
        } else {
            &mut self.writing
        };
        let wait = match kind {
            Kind::Split => SEEN,
            Kind::Delay => DELAY,
            Kind::Pause => PAUSE,
            Kind::Fin => {
                self.half_closed = true;
                if let Some(tcp) = &self.tcp {
                    let _ = socket2::SockRef::from(tcp).shutdown(Shutdown::Write);
                }
                return;
            }
            Kind::Reset | Kind::Close => {
                if let Some(tcp) = self.tcp.take().filter(|_| kind == Kind::Reset) {
                    let _ = socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO));
                }
                for half in [&mut self.reading, &mut self.writing] {
                    if let Some(waker) = half.asleep.take() {
                        waker.wake();
                    }
                }
                return;
            }
        };
        half.wait = Some(Box::pin(tokio::time::sleep(wait)));
    }

    /// Fires what is due, and says how many bytes may pass after it.
    fn poll_room(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<io::Result<usize>> {
        loop {
            let half = if reading {
                &mut self.reading
            } else {
                &mut self.writing
            };
            if let Some(wait) = &mut half.wait {
                ready!(wait.as_mut().poll(cx));
                half.wait = None;
            }
            if self.tcp.is_none() || (self.half_closed && !reading) {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let mut way = half.way.borrow_mut();
            let Some(kind) = way.due() else {
                return Poll::Ready(Ok(way.room()));
            };
            drop(way);
            self.fire(kind, reading);
        }
    }

    /// So many bytes have passed. What ends the connection happens now, for
    /// there may be no next byte.
    fn pass(&mut self, count: usize, reading: bool) {
        let half = if reading {
            &mut self.reading
        } else {
            &mut self.writing
        };
        let mut way = half.way.borrow_mut();
        way.passed += count as u64;
        let kind = way.due();
        drop(way);
        if let Some(kind) = kind {
            self.fire(kind, reading);
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = ready!(this.poll_room(cx, true))?;
        let mut part = buf.take(room);
        let Some(tcp) = &mut this.tcp else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let Poll::Ready(outcome) = Pin::new(tcp).poll_read(cx, &mut part) else {
            this.reading.asleep = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let count = part.filled().len();
        // Safe Rust cannot tell `buf` that its spare part was initialised.
        let bytes = part.filled().to_vec();
        buf.put_slice(&bytes);
        if count > 0 {
            this.pass(count, true);
        } else if this.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let room = ready!(this.poll_room(cx, false))?;
        let part = buf.get(..room.min(buf.len())).unwrap_or(buf);
        let Some(tcp) = &mut this.tcp else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        match Pin::new(tcp).poll_write(cx, part) {
            Poll::Pending => {
                this.writing.asleep = Some(cx.waker().clone());
                Poll::Pending
            }
            Poll::Ready(Ok(count)) => {
                this.pass(count, false);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => {
                this.reset |= error.kind() == io::ErrorKind::ConnectionReset;
                Poll::Ready(Err(error))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().tcp {
            Some(tcp) => Pin::new(tcp).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
