//! A client's request body: where it comes from, how long it may be, and how
//! long the client may take.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use sealwax_h1::Refusal;
use tokio::time::Instant;

use crate::activity::Activity;
use crate::h1::{self, BodyReader};
use crate::h2::Inbound;
use crate::pace::Pace;

/// How a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client sent nothing for so long.
    Idle(Duration),
    /// The client sent fewer than so many bytes a second.
    Slow(u64),
    /// It was not over when the request and its response should have been.
    Total(Duration),
    /// The client left.
    Broken,
    /// Its framing is broken.
    Malformed(Refusal),
    /// It is longer than so many bytes.
    TooLarge(u64),
}

impl From<h1::Broken> for Failure {
    fn from(broken: h1::Broken) -> Self {
        match broken {
            h1::Broken::Refused(refusal) => Failure::Malformed(refusal),
            h1::Broken::Gone => Failure::Broken,
        }
    }
}

/// What a client may do with its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadLimits {
    /// Longest time without a byte.
    pub(crate) idle: Duration,
    /// Fewest bytes a second over the time that the client is waited for; 0 sets
    /// no limit.
    pub(crate) rate: u64,
    /// Most bytes.
    pub(crate) length: Option<u64>,
}

/// Where the bytes come from.
pub(crate) enum Source {
    Empty,
    H1(BodyReader),
    H2(Inbound),
}

impl Source {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match self {
            Source::Empty => Poll::Ready(None),
            Source::H1(reader) => reader
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Failure::from))),
            Source::H2(inbound) => inbound.poll_frame(cx),
        }
    }

    /// Whether nothing more comes, trailers included.
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            Source::Empty => true,
            Source::H1(reader) => reader.is_end_stream(),
            Source::H2(inbound) => inbound.is_end_stream(),
        }
    }

    /// Bytes that are still to come, where the client has said so.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Source::Empty => Some(0),
            Source::H1(reader) => reader.length(),
            Source::H2(inbound) => inbound.length(),
        }
    }
}

/// A client's request body on its way to the app. Dropped before its end, it
/// has the client's connection linger, for the client may be sending still.
pub(crate) struct RequestBody(Option<Box<Upload>>);

struct Upload {
    source: Source,
    activity: Rc<Activity>,
    limits: UploadLimits,
    expects: bool,
    seen: u64,
    pace: Pace,
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self(None)
    }

    /// `expects`: the client waits for a 100 before it sends the body.
    pub(crate) fn new(
        source: Source,
        expects: bool,
        limits: UploadLimits,
        activity: &Rc<Activity>,
    ) -> Self {
        if source.is_end_stream() {
            return Self::empty();
        }
        Self(Some(Box::new(Upload {
            source,
            activity: Rc::clone(activity),
            expects,
            seen: 0,
            pace: Pace::new(limits.idle, limits.rate),
            limits,
        })))
    }

    /// Whether there is no body, or none left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the client waits for a 100.
    pub(crate) fn expects_continue(&self) -> bool {
        self.0.as_ref().is_some_and(|upload| upload.expects)
    }

    /// Bytes that are still to come, where the client has said so.
    pub(crate) fn length(&self) -> Option<u64> {
        self.0
            .as_ref()
            .map_or(Some(0), |upload| upload.source.length())
    }

    /// The next part; the source is let go with the last.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let Some(upload) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(upload.poll_frame(cx));
        let over = match &frame {
            None => true,
            Some(Ok(frame)) => frame.is_trailers() || upload.source.is_end_stream(),
            Some(Err(_)) => false,
        };
        if over {
            upload.source = Source::Empty;
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    /// When the client will have been too slow. `None` while it is not its turn.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.as_deref()?.pace.due().map(Instant::from_std)
    }

    /// Whether the client is too slow.
    pub(crate) fn overdue(&self, now: Instant) -> Option<Failure> {
        let upload = self.0.as_deref()?;
        let UploadLimits { idle, rate, .. } = upload.limits;
        let now = now.into_std();
        let silent = upload.pace.silent_for(now)?;
        if now < upload.pace.due()? {
            return None;
        }
        Some(if silent >= idle {
            Failure::Idle(idle)
        } else {
            Failure::Slow(rate)
        })
    }
}

impl Upload {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let Poll::Ready(frame) = self.source.poll_frame(cx) else {
            self.pace.wait();
            return Poll::Pending;
        };
        let data = match &frame {
            Some(Ok(frame)) => frame.data_ref(),
            _ => None,
        };
        let length = data.map_or(0, |data| data.len() as u64);
        self.pace.moved(length);
        self.seen = self.seen.saturating_add(length);
        if let Some(limit) = self.limits.length.filter(|limit| self.seen > *limit) {
            return Poll::Ready(Some(Err(Failure::TooLarge(limit))));
        }
        Poll::Ready(frame)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.source.is_end_stream() {
            self.activity.set_linger();
        }
    }
}
