//! A request on its way to the app: its head, then its body as it comes.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use sealwax_h1::write;
use sealwax_policy::RouteFields;
use tokio::time::Instant;

use super::encode::{self, Framing};
use super::wire::Wire;
use crate::fields::{self, Lines};
use crate::hop;
use crate::upload::{Failure, RequestBody};

/// Heads are written from one buffer per worker; one that has grown beyond this
/// is not kept.
const KEPT: usize = 16 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What the body may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Valve {
    Open,
    /// Wait for the app's 100, for a while (RFC 9110 §10.1.1).
    AwaitContinue,
    /// Wait for good: the app has answered without it.
    Held,
}

/// Why a request did not get to the app.
pub(super) enum Stopped {
    Client(Failure),
    Wire(io::Error),
}

pub(super) struct Outgoing {
    // What is being written: framing, content, framing. `written` counts from
    // the first byte of `before`.
    before: Vec<u8>,
    content: Bytes,
    after: &'static [u8],
    written: usize,

    body: RequestBody,
    /// How the rest of the body is told; `Empty` when all has been taken from
    /// it.
    framing: Framing,
    valve: Valve,
    /// A byte has left us, so the app may know of the request.
    begun: bool,
    /// Something has left since it was last asked.
    moved: bool,
    /// The app takes no more.
    lost: bool,
}

impl Outgoing {
    pub(super) fn new(
        head: &Parts,
        lines: &Lines,
        route: Option<&RouteFields<'_>>,
        body: RequestBody,
    ) -> Self {
        let framing = match body.length() {
            _ if body.is_empty() => Framing::Empty,
            Some(length) => Framing::Length(length),
            None => Framing::Chunked,
        };
        let mut before = SCRATCH.take();
        before.clear();
        encode::head(&mut before, head, lines, route, framing);
        let valve = if body.expects_continue() {
            Valve::AwaitContinue
        } else {
            Valve::Open
        };
        Self {
            before,
            content: Bytes::new(),
            after: b"",
            written: 0,
            body,
            framing,
            valve,
            begun: false,
            moved: false,
            lost: false,
        }
    }

    /// Whether the app has the whole request.
    fn is_done(&self) -> bool {
        !self.lost && self.framing == Framing::Empty && !self.has_something()
    }

    /// Whether the app took no more before the end.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether nothing more will be written.
    pub(super) fn is_over(&self) -> bool {
        self.lost || self.is_done()
    }

    /// Whether the app may know of the request.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn valve(&self) -> Valve {
        self.valve
    }

    /// The app wants the body, or has had the time to say otherwise.
    pub(super) fn open(&mut self) {
        if self.valve == Valve::AwaitContinue {
            self.valve = Valve::Open;
        }
    }

    /// The app has answered: a body that it did not ask for stays here.
    pub(super) fn hold(&mut self) {
        if self.valve == Valve::AwaitContinue {
            self.valve = Valve::Held;
        }
    }

    /// Whether something has left since this was last asked.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// When the client will be too late with its body.
    pub(super) fn due(&self) -> Option<Instant> {
        self.body.due()
    }

    pub(super) fn overdue(&self, now: Instant) -> Option<Failure> {
        self.body.overdue(now)
    }

    /// Writes what can be written now. Ready when the app has the whole
    /// request. After an error there is nothing more to write, unless nothing
    /// had been: then the whole request can go to another `wire`.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wire: &mut Wire,
    ) -> Poll<Result<(), Stopped>> {
        loop {
            if self.is_over() {
                self.let_go();
                return Poll::Ready(Ok(()));
            }
            // The first part of the body leaves together with the head.
            if self.wants_content()
                && let Poll::Ready(Err(failure)) = self.poll_body(cx)
            {
                self.lose();
                return Poll::Ready(Err(Stopped::Client(failure)));
            }
            if !self.has_something() {
                if self.framing == Framing::Empty {
                    continue;
                }
                return Poll::Pending;
            }
            if let Err(error) = ready!(self.poll_write(cx, wire)) {
                // What has not begun can begin again, on another connection.
                if self.begun {
                    self.lose();
                }
                return Poll::Ready(Err(Stopped::Wire(error)));
            }
        }
    }

    fn has_something(&self) -> bool {
        self.written < self.before.len() + self.content.len() + self.after.len()
    }

    fn wants_content(&self) -> bool {
        self.framing != Framing::Empty
            && self.valve == Valve::Open
            && self.written == 0
            && self.content.is_empty()
            && self.after.is_empty()
    }

    /// Takes the next part of the body, framed.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        loop {
            let frame = match ready!(self.body.poll_frame(cx)) {
                Some(frame) => frame?,
                None => return Poll::Ready(self.end(None)),
            };
            let data = match frame.into_data() {
                Ok(data) => data,
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    return Poll::Ready(self.end(trailers));
                }
            };
            if data.is_empty() {
                continue;
            }
            match self.framing {
                Framing::Empty => return Poll::Ready(Err(Failure::Broken)),
                Framing::Length(left) => {
                    // More than was said would be taken for the next request.
                    let left = left.checked_sub(data.len() as u64);
                    let left = left.ok_or(Failure::Broken)?;
                    self.framing = Framing::Length(left);
                    if left == 0 {
                        self.framing = Framing::Empty;
                    }
                }
                Framing::Chunked => {
                    let line = write::chunk_head(data.len());
                    self.before.extend_from_slice(line.as_ref());
                    self.after = write::CHUNK_END;
                    if self.body.is_empty() {
                        self.after = b"\r\n0\r\n\r\n";
                        self.framing = Framing::Empty;
                    }
                }
            }
            self.content = data;
            return Poll::Ready(Ok(()));
        }
    }

    /// The body has ended.
    fn end(&mut self, trailers: Option<http::HeaderMap>) -> Result<(), Failure> {
        match (self.framing, trailers) {
            (Framing::Length(left), _) if left > 0 => return Err(Failure::Broken),
            (Framing::Chunked, Some(mut trailers)) => {
                hop::strip_trailers(&mut trailers);
                fields::write_trailers(&mut self.before, &trailers);
            }
            (Framing::Chunked, None) => self.before.extend_from_slice(write::LAST_CHUNK),
            _ => {}
        }
        self.framing = Framing::Empty;
        Ok(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, wire: &mut Wire) -> Poll<io::Result<()>> {
        let mut skip = self.written;
        let mut part = |bytes| {
            let rest = rest_of(bytes, skip);
            skip = skip.saturating_sub(bytes.len());
            IoSlice::new(rest)
        };
        let parts = [part(&self.before), part(&self.content), part(self.after)];
        let count = ready!(wire.poll_write(cx, &parts))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.written += count;
        self.begun = true;
        self.moved = true;
        if !self.has_something() {
            self.before.clear();
            self.content = Bytes::new();
            self.after = b"";
            self.written = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// The app takes no more; the client need not send it.
    fn lose(&mut self) {
        self.lost = true;
        self.let_go();
    }

    fn let_go(&mut self) {
        self.body = RequestBody::empty();
        let mut scratch = std::mem::take(&mut self.before);
        if scratch.capacity() > 0 && scratch.capacity() <= KEPT {
            scratch.clear();
            SCRATCH.set(scratch);
        }
    }
}

/// `bytes` without the first `skip`.
fn rest_of(bytes: &[u8], skip: usize) -> &[u8] {
    bytes.get(skip..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;
    use std::task::Waker;

    use super::*;
    use crate::upstream::budget::Budget;
    use crate::upstream::wire::Socket;

    fn pair() -> (Wire, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let socket = tokio::net::UnixStream::from_std(ours).unwrap();
        let slot = Budget::new(1).slot().unwrap();
        (Wire::new(Socket::Unix(socket), slot), theirs)
    }

    #[test]
    fn what_has_not_begun_begins_again_elsewhere() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let _entered = runtime.enter();
        let request = http::Request::get("/a").header("host", "b");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut outgoing = Outgoing::new(&head, &Lines::default(), None, RequestBody::empty());
        let (mut closed, theirs) = pair();
        drop(theirs);
        let (mut open, mut theirs) = pair();
        // Readiness is only told of while the runtime runs.
        runtime.block_on(async {
            let stopped = std::future::poll_fn(|cx| outgoing.poll(cx, &mut closed)).await;
            assert!(matches!(stopped, Err(Stopped::Wire(_))));
            assert!(!outgoing.has_begun() && !outgoing.is_over());
            let sent = std::future::poll_fn(|cx| outgoing.poll(cx, &mut open)).await;
            assert!(sent.is_ok() && outgoing.has_begun() && outgoing.is_over());
        });
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(outgoing.poll(cx, &mut closed).is_ready());
        drop(open);
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        assert_eq!(text, "GET /a HTTP/1.1\r\nhost: b\r\n\r\n");
    }
}
