//! What follows a 101: bytes both ways, until one side ends or both fall
//! silent. A reload does not touch it; the end of a drain does.

use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::upstream::Wire;
use crate::worker::Worker;

const BUFFER: usize = 16 * 1024;

/// Starts the tunnel to an app that has switched. It begins once the client has
/// its 101; not a byte of the client's reaches the app before.
pub(crate) fn tunnel(worker: &Rc<Worker>, client: OnUpgrade, app: Wire, idle: Duration) {
    let guard = worker.connection();
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        let _guard = guard;
        // The 101 must reach the client first, which can leave instead.
        match client.await {
            Ok(client) => {
                let ended = copy(&worker, client, app, idle).await;
                tracing::debug!(target: "sealwax", ?ended, "an upgraded connection ended");
            }
            Err(error) => {
                tracing::debug!(target: "sealwax", %error, "an upgrade did not come about");
            }
        }
    });
}

#[derive(Debug)]
enum Ended {
    Done,
    Broken(#[expect(dead_code, reason = "shown by Debug in the log")] io::ErrorKind),
    Idle,
    Drained,
}

async fn copy(worker: &Worker, client: Upgraded, app: Wire, idle: Duration) -> Ended {
    let seen = Rc::new(Cell::new(Instant::now()));
    let mut client = Watched {
        io: TokioIo::new(client),
        seen: Rc::clone(&seen),
    };
    let mut app = Watched {
        io: app,
        seen: Rc::clone(&seen),
    };
    let mut copied = pin!(tokio::io::copy_bidirectional_with_sizes(
        &mut client,
        &mut app,
        BUFFER,
        BUFFER
    ));
    let mut closing = pin!(worker.closing());
    let mut silence = pin!(tokio::time::sleep(idle));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(outcome) = copied.as_mut().poll(cx) {
            return Poll::Ready(
                outcome.map_or_else(|error| Ended::Broken(error.kind()), |_| Ended::Done),
            );
        }
        if closing.as_mut().poll(cx).is_ready() {
            worker.count_cut();
            return Poll::Ready(Ended::Drained);
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

/// Notes when something was last read.
struct Watched<S> {
    io: S,
    seen: Rc<Cell<Instant>>,
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
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
