//! Bodies in both directions: streamed, never gathered, each with a deadline
//! for its silence. Back-pressure comes of itself: a part is only taken when
//! the other side has room for it.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use crate::activity::{Activity, Busy};
use crate::gate::{Failure, Gate, Valve};
use crate::hop;
use crate::log::Access;
use crate::unread::Watched;
use crate::upstream::{Interim, Lease};

/// How long a body waits for a 100 that does not come; the client would not
/// wait for ever either (RFC 9110 §10.1.1).
const AWAIT_CONTINUE: Duration = Duration::from_secs(1);

/// How long a client may go on with its body after the app has given its whole
/// answer.
const AFTER_ANSWER: Duration = Duration::from_secs(5);

/// Why a body stopped before its end. hyper answers it by breaking off the
/// message, so that nobody takes a part for the whole.
#[derive(Debug)]
pub(crate) enum Broken {
    Client,
    Upstream(hyper::Error),
    Idle,
    Unread,
    TooLarge,
    Aborted,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Client => "the client broke off its request",
            Broken::Upstream(_) => "the app broke off its response",
            Broken::Idle => "nothing came for too long",
            Broken::Unread => "the client did not read the response for too long",
            Broken::TooLarge => "the request body is too long",
            Broken::Aborted => "the app had answered already",
        })
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Broken::Upstream(error) => Some(error),
            _ => None,
        }
    }
}

/// A client's request body on its way to the app.
pub(crate) struct RequestBody(Option<Box<Upload>>);

struct Upload {
    incoming: Incoming,
    gate: Rc<Gate>,
    activity: Arc<Activity>,
    interim: Option<Arc<Interim>>,
    idle: Duration,
    limit: Option<u64>,
    seen: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self(None)
    }

    /// `expects`: the client waits for a 100 before it sends the body.
    pub(crate) fn new(
        incoming: Incoming,
        expects: bool,
        idle: Duration,
        limit: Option<u64>,
        activity: &Arc<Activity>,
    ) -> Self {
        let valve = if expects {
            Valve::AwaitContinue
        } else {
            Valve::Open
        };
        Self(Some(Box::new(Upload {
            incoming,
            gate: Gate::new(valve),
            activity: Arc::clone(activity),
            interim: None,
            idle,
            limit,
            seen: 0,
            timer: None,
        })))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn gate(&self) -> Option<Rc<Gate>> {
        self.0.as_ref().map(|upload| Rc::clone(&upload.gate))
    }

    /// Tells the body on which connection the 100 will come.
    pub(crate) fn listen_to(&mut self, interim: &Arc<Interim>) {
        if let Some(upload) = &mut self.0 {
            upload.interim = Some(Arc::clone(interim));
        }
    }
}

impl Upload {
    /// Whether the gate lets a part through now.
    fn poll_gate(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        match self.gate.valve() {
            Valve::Open => return Poll::Ready(Ok(())),
            Valve::Aborted => return Poll::Ready(Err(Broken::Aborted)),
            Valve::Held => {}
            Valve::AwaitContinue => {
                let told = self.interim.as_ref().is_some_and(|interim| interim.go_on());
                let timer = self
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(AWAIT_CONTINUE)));
                if told || timer.as_mut().poll(cx).is_ready() {
                    self.timer = None;
                    self.gate.set(Valve::Open);
                    self.gate.advance();
                    return Poll::Ready(Ok(()));
                }
            }
        }
        self.gate.watch(cx);
        Poll::Pending
    }

    fn fail(
        &mut self,
        failure: Failure,
        broken: Broken,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.gate.fail(failure);
        Poll::Ready(Some(Err(broken)))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Err(broken) = ready!(self.poll_gate(cx)) {
            return Poll::Ready(Some(Err(broken)));
        }
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.timer = None;
                self.gate.advance();
                if let Some(data) = frame.data_ref() {
                    self.seen = self.seen.saturating_add(data.len() as u64);
                    if let Some(limit) = self.limit.filter(|limit| self.seen > *limit) {
                        return self.fail(Failure::TooLarge(limit), Broken::TooLarge);
                    }
                }
                if self.incoming.is_end_stream() {
                    self.gate.finish();
                }
                Poll::Ready(Some(Ok(without_forgeries(frame))))
            }
            Poll::Ready(Some(Err(_))) => self.fail(Failure::Broken, Broken::Client),
            Poll::Ready(None) => {
                self.gate.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let idle = self.idle;
                let timer = self
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                if timer.as_mut().poll(cx).is_ready() {
                    return self.fail(Failure::Idle(idle), Broken::Idle);
                }
                self.gate.watch(cx);
                Poll::Pending
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.gate.is_done() {
            self.activity.set_linger();
        }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.get_mut().0 {
            Some(upload) => upload.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|upload| upload.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |upload| {
            upload.incoming.size_hint()
        })
    }
}

fn without_forgeries(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            hop::strip_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(data) => data,
    }
}

/// A response body on its way to the client, and what lives as long as it.
pub(crate) struct Body {
    kind: Kind,
    /// Keeps the connection from counting as idle.
    busy: Option<Busy>,
    /// The access record, written when the response is over.
    access: Option<Box<Access>>,
}

enum Kind {
    Own(Option<Bytes>),
    App(Download),
    /// On HTTP/2, where nobody may poll it for long.
    Watched(Rc<Watched>),
}

/// The app's response body.
pub(crate) struct Download {
    incoming: Incoming,
    lease: Option<Lease>,
    gate: Option<Rc<Gate>>,
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Download {
    pub(crate) fn new(
        incoming: Incoming,
        lease: Lease,
        gate: Option<Rc<Gate>>,
        idle: Duration,
    ) -> Self {
        let mut download = Self {
            incoming,
            lease: Some(lease),
            gate,
            idle,
            timer: None,
        };
        if download.incoming.is_end_stream() {
            download.finish();
        }
        download
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.timer = None;
                if self.incoming.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(without_forgeries(frame))))
            }
            Poll::Ready(Some(Err(error))) => {
                self.broken("it broke off in the middle");
                Poll::Ready(Some(Err(Broken::Upstream(error))))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let idle = self.idle;
                let timer = self
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                if timer.as_mut().poll(cx).is_ready() {
                    self.broken("it fell silent in the middle");
                    return Poll::Ready(Some(Err(Broken::Idle)));
                }
                Poll::Pending
            }
        }
    }

    /// The whole response has come: the connection is free again, unless the
    /// request body is still on its way.
    fn finish(&mut self) {
        let Some(lease) = self.lease.take() else {
            return;
        };
        match self.gate.take() {
            Some(gate) if !gate.is_done() => cut_short(gate),
            _ => lease.give_back(),
        }
    }

    fn broken(&mut self, how: &str) {
        if let Some(lease) = self.lease.take() {
            lease.peer().report_broken_response(how);
        }
    }
}

/// A request body that the app did not wait for: one that was never asked for
/// ends at once, one that is on its way gets a little while.
fn cut_short(gate: Rc<Gate>) {
    if gate.valve() == Valve::Open {
        tokio::task::spawn_local(async move {
            tokio::time::sleep(AFTER_ANSWER).await;
            if !gate.is_done() {
                gate.set(Valve::Aborted);
            }
        });
    } else {
        gate.set(Valve::Aborted);
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // The client left early, or the body broke: the app need not go on.
        if let Some(gate) = self.gate.take().filter(|gate| !gate.is_done()) {
            gate.set(Valve::Aborted);
        }
    }
}

impl Body {
    pub(crate) fn own(bytes: Bytes) -> Self {
        let bytes = (!bytes.is_empty()).then_some(bytes);
        Self {
            kind: Kind::Own(bytes),
            busy: None,
            access: None,
        }
    }

    pub(crate) fn app(download: Download) -> Self {
        Self {
            kind: Kind::App(download),
            busy: None,
            access: None,
        }
    }

    pub(crate) fn watched(download: Rc<Watched>) -> Self {
        Self {
            kind: Kind::Watched(download),
            busy: None,
            access: None,
        }
    }

    /// Ties the end of the request to the end of this body.
    pub(crate) fn carrying(mut self, busy: Busy, mut access: Option<Box<Access>>) -> Self {
        if let Some(access) = &mut access {
            // A body of the app's counts as whole when its end has been seen, and
            // not when the client has gone before.
            let own = matches!(self.kind, Kind::Own(_));
            access.set_whole(own || http_body::Body::is_end_stream(&self));
            if let Kind::Own(Some(bytes)) = &self.kind {
                access.count(bytes.len());
            }
        }
        self.busy = Some(busy);
        self.access = access;
        self
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        let frame = match &mut this.kind {
            Kind::Own(bytes) => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            Kind::App(download) => ready!(download.poll_frame(cx)),
            Kind::Watched(download) => ready!(download.poll_frame(cx)),
        };
        if let Some(mut access) = this.access.take() {
            match &frame {
                Some(Ok(frame)) => {
                    access.count(frame.data_ref().map_or(0, Bytes::len));
                    access.set_whole(frame.is_trailers() || this.is_end_stream());
                }
                Some(Err(_)) => access.set_whole(false),
                None => access.set_whole(true),
            }
            this.access = Some(access);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(bytes) => bytes.is_none(),
            Kind::App(download) => download.is_end_stream(),
            Kind::Watched(download) => download.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::App(download) => download.size_hint(),
            Kind::Watched(download) => download.size_hint(),
        }
    }
}
