//! What follows a 101: bytes both ways, until one side ends or both fall
//! silent. A reload and a drain do not touch it; the end of the drain does.

use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Shared;
use crate::upstream::Wire;

const BUFFER: usize = 16 * 1024;

/// True when the client must not take what it has got for the whole; the app is
/// told of that here, the client by the caller.
pub(super) async fn run(inbound: &Shared, mut app: Box<Wire>, idle: Duration) -> bool {
    inbound.borrow_mut().stream.end_matters();
    app.reset_at_end(false);
    let whole = Whole::default();
    let ended = copy(inbound, &mut app, idle, &whole).await;
    tracing::debug!(target: "sealwax", ?ended, "an upgraded connection ended");
    let broken = matches!(ended, Ended::Broken(_));
    if broken && !whole.up.get() {
        app.reset();
    }
    broken && !whole.down.get()
}

/// Which side has been given all that the other had to say.
#[derive(Default)]
struct Whole {
    up: Rc<Cell<bool>>,
    down: Rc<Cell<bool>>,
}

#[derive(Debug)]
enum Ended {
    Done,
    Broken(#[expect(dead_code, reason = "shown by Debug in the log")] io::ErrorKind),
    Idle,
}

async fn copy(inbound: &Shared, app: &mut Wire, idle: Duration, whole: &Whole) -> Ended {
    let seen = Rc::new(Cell::new(Instant::now()));
    let mut client = Watched {
        io: ClientSide(Rc::clone(inbound)),
        seen: Rc::clone(&seen),
        whole: Rc::clone(&whole.down),
    };
    let mut app = Watched {
        io: app,
        seen: Rc::clone(&seen),
        whole: Rc::clone(&whole.up),
    };
    let mut copied = pin!(tokio::io::copy_bidirectional_with_sizes(
        &mut client,
        &mut app,
        BUFFER,
        BUFFER
    ));
    let mut silence = pin!(tokio::time::sleep(idle));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(outcome) = copied.as_mut().poll(cx) {
            return Poll::Ready(
                outcome.map_or_else(|error| Ended::Broken(error.kind()), |_| Ended::Done),
            );
        }
        while silence.as_mut().poll(cx).is_ready() {
            let due = seen.get() + idle;
            if due <= Instant::now() {
                return Poll::Ready(Ended::Idle);
            }
            silence.as_mut().reset(due);
        }
        Poll::Pending
    })
    .await
}

/// The client's connection, beginning with what came behind the request.
struct ClientSide(Shared);

impl AsyncRead for ClientSide {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inbound = self.0.borrow_mut();
        let input = ready!(inbound.poll_read(cx))?;
        let count = input.len().min(buf.remaining());
        buf.put_slice(input.filled().get(..count).unwrap_or_default());
        input.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientSide {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.borrow_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().stream).poll_shutdown(cx)
    }
}

/// Notes when something was last read, and whether the end has been written.
struct Watched<S> {
    io: S,
    seen: Rc<Cell<Instant>>,
    whole: Rc<Cell<bool>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_read(cx, buf);
        if outcome.is_ready() {
            this.seen.set(Instant::now());
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
        if let Poll::Ready(Ok(())) = &outcome {
            this.whole.set(true);
        }
        outcome
    }
}
