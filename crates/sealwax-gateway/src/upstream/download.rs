//! The app's response body, and what is left of the request.

use std::error::Error;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use sealwax_h1::{Decoder, Framing, Limits, Piece, Refusal};
use tokio::time::Instant;

use super::buffers::Size;
use super::exchange::Exchange;
use super::outgoing::{Outgoing, Stopped, Valve};
use super::pool::Lease;
use crate::body::Broken;
use crate::fields;
use crate::hop;

/// How long a client may go on with its body after the app has given its whole
/// answer.
const AFTER_ANSWER: Duration = Duration::from_secs(5);

pub(crate) struct Download {
    /// Until the response is over.
    lease: Option<Lease>,
    decoder: Decoder,
    /// Bytes of content that lie decoded at the start of what is unread.
    ready: usize,
    /// What the decoder refused behind them.
    refused: Option<Refusal>,
    /// Why the response ends here, for the next poll.
    broken: Option<Broken>,
    /// A frame of their own after the content.
    trailers: Option<Box<HeaderMap>>,
    /// The rest of the request, which goes on while the response comes.
    outgoing: Option<Box<Outgoing>>,
    /// The app has answered without the body that it was offered.
    held: bool,
    /// The app keeps the connection.
    keep_alive: bool,
    /// The app has reset it; a write was told, so no read will be.
    reset: bool,
    idle: Duration,
    /// Since when nothing has come or gone; `None` while something does.
    since: Option<Instant>,
}

impl Download {
    /// To be made by the task that will poll it.
    pub(super) fn new(
        exchange: Exchange,
        framing: Framing,
        keep_alive: bool,
        idle: Duration,
    ) -> Self {
        let Exchange {
            lease,
            outgoing,
            unsent,
            ..
        } = exchange;
        let mut download = Self {
            lease: Some(lease),
            decoder: Decoder::new(framing, &Limits::RESPONSE),
            ready: 0,
            refused: None,
            broken: None,
            trailers: None,
            held: outgoing.valve() == Valve::Held,
            keep_alive: keep_alive && !outgoing.is_lost(),
            reset: unsent.as_ref().is_some_and(is_reset),
            outgoing: (!outgoing.is_over()).then(|| Box::new(outgoing)),
            idle,
            since: None,
        };
        if download.decoder.is_done() {
            download.finish();
        }
        download
    }

    /// Whether the app has answered without the body that it was offered. The
    /// client may send it or not.
    pub(crate) fn leaves_request(&self) -> bool {
        self.held
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.lease.is_none() && self.decoder.is_done() && self.trailers.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match self.decoder.remaining() {
            Some(left) => SizeHint::with_exact(left.saturating_add(self.ready as u64)),
            None if self.is_end_stream() => SizeHint::with_exact(0),
            None => SizeHint::default(),
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(broken) = self.broken.take() {
            return Poll::Ready(Some(Err(broken)));
        }
        match ready!(self.poll_next(cx)) {
            Ok(frame) => {
                self.since = None;
                Poll::Ready(frame.map(Ok))
            }
            // The client gets what has come so far, its head at least, before it
            // is told that there will be no more.
            Err(broken) => {
                self.broken = Some(broken);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Broken>> {
        if let Err(broken) = self.upload(cx) {
            self.lease = None;
            return Poll::Ready(Err(broken));
        }
        loop {
            match self.next() {
                Ok(Next::Frame(frame)) => return Poll::Ready(Ok(Some(frame))),
                Ok(Next::End) => return Poll::Ready(Ok(None)),
                Ok(Next::Unread) => {}
                Err(refusal) => {
                    self.report("its body is malformed");
                    return Poll::Ready(Err(Broken::Upstream(refusal.into())));
                }
            }
            ready!(self.poll_fill(cx))?;
        }
    }

    /// The next frame of what has been read.
    fn next(&mut self) -> Result<Next, Refusal> {
        self.decode()?;
        if self.ready > 0 {
            let ready = std::mem::take(&mut self.ready);
            let Some(lease) = &mut self.lease else {
                return Ok(Next::End);
            };
            let data = lease.wire().take(ready);
            // The end may be here already; the client learns of it with the
            // data, and the connection is free.
            if let Err(refusal) = self.decode() {
                self.refused = Some(refusal);
            }
            return Ok(Next::Frame(Frame::data(data)));
        }
        if !self.decoder.is_done() {
            return Ok(Next::Unread);
        }
        let trailers = self.trailers.take();
        Ok(trailers.map_or(Next::End, |map| Next::Frame(Frame::trailers(*map))))
    }

    /// Decodes up to the next content or the end.
    fn decode(&mut self) -> Result<(), Refusal> {
        if let Some(refusal) = self.refused.take() {
            return Err(refusal);
        }
        let Some(lease) = &mut self.lease else {
            return Ok(());
        };
        let wire = lease.wire();
        while self.ready == 0 && !self.decoder.is_done() && !wire.unread().is_empty() {
            match self.decoder.decode(wire.unread())? {
                Piece::Data { skip, len } => {
                    wire.skip(skip);
                    self.ready = len;
                }
                Piece::More { skip } | Piece::End { skip } => wire.skip(skip),
            }
        }
        if self.ready == 0 && self.decoder.is_done() {
            self.trailers = self.decoder.trailers().and_then(trailer_map);
            self.finish();
        }
        Ok(())
    }

    /// Reads more of the response.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Some(lease) = &mut self.lease else {
            // It has broken off before.
            return Poll::Ready(Err(Broken::Client));
        };
        let size = match self.decoder.remaining() {
            Some(left) if left <= Size::Head.bytes() as u64 => Size::Head,
            _ => Size::Body,
        };
        match lease.wire().poll_fill(cx, size) {
            Poll::Ready(Ok(0)) => {
                self.keep_alive = false;
                let ended = self.decoder.end().map_err(Into::into);
                let ended = match ended {
                    Ok(()) if self.reset => {
                        Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
                    }
                    ended => ended,
                };
                Poll::Ready(ended.map_err(|error: Box<dyn Error + Send + Sync>| {
                    self.report("it broke off in the middle");
                    Broken::Upstream(error)
                }))
            }
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => {
                self.report("it broke off in the middle");
                Poll::Ready(Err(Broken::Upstream(error.into())))
            }
            Poll::Pending => {
                let since = *self.since.get_or_insert_with(Instant::now);
                ready!(lease.timer().poll(cx, since + self.idle));
                self.report("it fell silent in the middle");
                Poll::Ready(Err(Broken::Idle))
            }
        }
    }

    /// Goes on with the request. One that the client breaks off breaks the
    /// response; one that the app wants no more of does not.
    fn upload(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        let (Some(outgoing), Some(lease)) = (&mut self.outgoing, &mut self.lease) else {
            return Ok(());
        };
        let outcome = outgoing.poll(cx, lease.wire());
        if outgoing.take_moved() {
            self.since = None;
        }
        match outcome {
            Poll::Pending => {
                let Some(due) = outgoing.due() else {
                    return Ok(());
                };
                let late = lease.timer().poll(cx, due).is_ready();
                match outgoing.overdue(Instant::now()).filter(|_| late) {
                    Some(failure) => Err(failure.into()),
                    None => Ok(()),
                }
            }
            Poll::Ready(Ok(())) => {
                self.outgoing = None;
                Ok(())
            }
            Poll::Ready(Err(Stopped::Wire(error))) => {
                tracing::debug!(target: "sealwax", %error, "the app took no more of a request that it had answered");
                self.outgoing = None;
                self.keep_alive = false;
                self.reset = is_reset(&error);
                Ok(())
            }
            Poll::Ready(Err(Stopped::Client(failure))) => Err(failure.into()),
        }
    }

    /// The whole response has come: the connection is free again, or will be
    /// when the app has the whole request.
    fn finish(&mut self) {
        let Some(lease) = self.lease.take() else {
            return;
        };
        match self.outgoing.take() {
            None if self.keep_alive => lease.give_back(),
            None => {}
            // The client knows by now, and gets a little while to come to its
            // end.
            Some(outgoing) if outgoing.valve() == Valve::Open => {
                let rest = rest(lease, outgoing, self.keep_alive);
                drop(tokio::task::spawn_local(tokio::time::timeout(
                    AFTER_ANSWER,
                    rest,
                )));
            }
            // Nobody asked for the body.
            Some(_) => {}
        }
    }

    fn report(&mut self, how: &str) {
        if let Some(lease) = self.lease.take() {
            lease.peer().report_broken_response(how);
        }
    }
}

enum Next {
    Frame(Frame<Bytes>),
    End,
    /// Not without reading more.
    Unread,
}

fn trailer_map(trailers: sealwax_h1::Trailers) -> Option<Box<HeaderMap>> {
    let bytes = Bytes::from(trailers.bytes);
    let mut map = fields::map(&bytes, &trailers.fields, 0).ok()?;
    hop::strip_trailers(&mut map);
    (!map.is_empty()).then(|| Box::new(map))
}

/// Whether a write failed because the app had reset the connection. Only one
/// call is told so, and reading finds a clean end then, which could pass for
/// that of the response. A pipe that broke is another thing: the app had closed
/// its half before, in good order.
fn is_reset(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::BrokenPipe
}

/// Sends the rest of a request whose response is over.
async fn rest(mut lease: Lease, mut outgoing: Box<Outgoing>, keep_alive: bool) {
    let sent = std::future::poll_fn(|cx| outgoing.poll(cx, lease.wire())).await;
    if sent.is_ok() && keep_alive {
        lease.give_back();
    }
}
