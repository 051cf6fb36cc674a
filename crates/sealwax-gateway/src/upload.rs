//! A client's request body: where it comes from, how long it may be, and how
//! long the client may take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::activity::Activity;

/// How long we must have waited for a client before its rate says anything.
const RATE_AFTER: Duration = Duration::from_secs(5);

/// How a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client sent nothing for so long.
    Idle(Duration),
    /// The client sent fewer than so many bytes a second.
    Slow(u64),
    /// The client left, or its framing is broken.
    Broken,
    /// It is longer than so many bytes.
    TooLarge(u64),
}

/// What a client may do with its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadLimits {
    /// Longest time without a byte.
    pub(crate) idle: Duration,
    /// Fewest bytes a second over the time that we wait for the client; 0 sets
    /// no limit.
    pub(crate) rate: u64,
    /// Most bytes.
    pub(crate) length: Option<u64>,
}

/// Where the bytes come from.
pub(crate) enum Source {
    Empty,
    Hyper(Incoming),
}

impl Source {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ()>>> {
        match self {
            Source::Empty => Poll::Ready(None),
            Source::Hyper(incoming) => Pin::new(incoming)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(drop))),
        }
    }

    /// Whether nothing more comes, trailers included.
    fn is_end_stream(&self) -> bool {
        match self {
            Source::Empty => true,
            Source::Hyper(incoming) => incoming.is_end_stream(),
        }
    }

    /// Bytes that are still to come, where the client has said so.
    fn length(&self) -> Option<u64> {
        match self {
            Source::Empty => Some(0),
            Source::Hyper(incoming) => incoming.size_hint().exact(),
        }
    }
}

/// A client's request body on its way to the app. Dropped before its end, it
/// has the client's connection linger, for the client may be sending still.
pub(crate) struct RequestBody(Option<Box<Upload>>);

struct Upload {
    source: Source,
    activity: Arc<Activity>,
    limits: UploadLimits,
    expects: bool,
    seen: u64,
    /// Since when it is the client's turn.
    since: Option<Instant>,
    /// All earlier times in which it was.
    waited: Duration,
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
        activity: &Arc<Activity>,
    ) -> Self {
        if source.is_end_stream() {
            return Self::empty();
        }
        Self(Some(Box::new(Upload {
            source,
            activity: Arc::clone(activity),
            limits,
            expects,
            seen: 0,
            since: None,
            waited: Duration::ZERO,
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

    /// When the client will be too late with its next byte. `None` while it is
    /// not its turn.
    pub(crate) fn due(&self) -> Option<Instant> {
        let upload = self.0.as_deref()?;
        let since = upload.since?;
        let idle = since + upload.limits.idle;
        Some(
            upload
                .too_slow_after()
                .map_or(idle, |left| idle.min(since + left)),
        )
    }

    /// Whether the client is too late.
    pub(crate) fn overdue(&self, now: Instant) -> Option<Failure> {
        let upload = self.0.as_deref()?;
        let waited = now.saturating_duration_since(upload.since?);
        if waited >= upload.limits.idle {
            return Some(Failure::Idle(upload.limits.idle));
        }
        let slow = upload.too_slow_after().is_some_and(|left| waited >= left);
        slow.then_some(Failure::Slow(upload.limits.rate))
    }
}

impl Upload {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let Poll::Ready(frame) = self.source.poll_frame(cx) else {
            self.since.get_or_insert_with(Instant::now);
            return Poll::Pending;
        };
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        let frame = frame.map(|frame| frame.map_err(|()| Failure::Broken));
        if let Some(data) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            self.seen = self.seen.saturating_add(data.len() as u64);
            if let Some(limit) = self.limits.length.filter(|limit| self.seen > *limit) {
                return Poll::Ready(Some(Err(Failure::TooLarge(limit))));
            }
        }
        Poll::Ready(frame)
    }

    /// How much longer the client may take, from `since` on, for its average
    /// not to fall under the limit.
    fn too_slow_after(&self) -> Option<Duration> {
        let millis = self
            .seen
            .saturating_mul(1000)
            .checked_div(self.limits.rate)?;
        let allowed = Duration::from_millis(millis).max(RATE_AFTER);
        Some(allowed.saturating_sub(self.waited))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.source.is_end_stream() {
            self.activity.set_linger();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(seen: u64, waited: u64) -> RequestBody {
        RequestBody(Some(Box::new(Upload {
            source: Source::Empty,
            activity: Activity::new(),
            limits: UploadLimits {
                idle: Duration::from_secs(60),
                rate: 100,
                length: None,
            },
            expects: false,
            seen,
            since: Some(Instant::now()),
            waited: Duration::from_secs(waited),
        })))
    }

    fn late_after(seen: u64, waited: u64) -> (Duration, Option<Failure>) {
        let body = upload(seen, waited);
        let since = body.0.as_ref().unwrap().since.unwrap();
        let due = body.due().unwrap();
        assert_eq!(body.overdue(due - Duration::from_millis(1)), None);
        (due - since, body.overdue(due))
    }

    #[test]
    fn a_client_may_be_slow_for_a_while_but_not_on_average() {
        let slow = Some(Failure::Slow(100));
        assert_eq!(late_after(0, 0), (Duration::from_secs(5), slow));
        assert_eq!(late_after(0, 3), (Duration::from_secs(2), slow));
        // 1000 bytes pay for ten seconds.
        assert_eq!(late_after(1000, 4), (Duration::from_secs(6), slow));
        let idle = Some(Failure::Idle(Duration::from_secs(60)));
        assert_eq!(late_after(1_000_000, 4), (Duration::from_secs(60), idle));
    }

    #[test]
    fn no_rate_is_no_limit_and_our_own_time_does_not_count() {
        let mut body = upload(0, 1000);
        body.0.as_mut().unwrap().limits.rate = 0;
        let since = body.0.as_ref().unwrap().since.unwrap();
        assert_eq!(body.due(), Some(since + Duration::from_secs(60)));
        body.0.as_mut().unwrap().since = None;
        assert_eq!(body.due(), None);
        assert_eq!(body.overdue(since + Duration::from_secs(600)), None);
    }
}
