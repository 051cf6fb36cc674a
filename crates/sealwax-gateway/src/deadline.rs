//! When a connection between two requests has waited for long enough.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::activity::Waiting;
use crate::live::Live;
use crate::pace::Pace;

/// How much later than asked a deadline may be noticed.
const SLACK: Duration = Duration::from_millis(50);

/// The limits of a connection, as they were when it began.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) head_bytes: usize,
    pub(crate) head_fields: usize,
    pub(crate) head_time: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) response_idle: Duration,
    pub(crate) response_rate: u64,
    pub(crate) upgraded_idle: Duration,
    pub(crate) total: Duration,
}

/// When a request must be over, response and all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Total {
    pub(crate) limit: Duration,
    pub(crate) due: Instant,
}

impl Total {
    /// `began`: when the first byte of the request came.
    pub(crate) fn new(limit: Duration, began: Instant) -> Self {
        let due = began + limit;
        Self { limit, due }
    }
}

impl Limits {
    pub(crate) fn of(live: &Live) -> Self {
        Self {
            head_bytes: live.limits.request_head,
            head_fields: live.limits.request_headers,
            head_time: live.timeouts.request_head,
            keep_alive: live.timeouts.keep_alive,
            response_idle: live.timeouts.response_idle,
            response_rate: live.limits.response_rate,
            upgraded_idle: live.timeouts.upgraded_idle,
            total: live.timeouts.total,
        }
    }

    /// How slowly the client may take responses.
    pub(crate) fn response_pace(&self) -> Pace {
        Pace::new(self.response_idle, self.response_rate)
    }

    /// As the HTTP/1.1 codec counts.
    pub(crate) fn codec(&self) -> sealwax_h1::Limits {
        sealwax_h1::Limits {
            head: self.head_bytes,
            start_line: self.head_bytes,
            fields: self.head_fields,
            ..sealwax_h1::Limits::REQUEST
        }
    }
}

pub(crate) enum Overdue {
    Idle,
    Head,
}

/// One timer for all that a connection may be late with. It is armed for the
/// earliest time at which something could be due, and looks again then.
#[derive(Default)]
pub(crate) struct Deadline(Option<Pin<Box<Sleep>>>);

impl Deadline {
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        waiting: Waiting,
        limits: Limits,
    ) -> Poll<Overdue> {
        let (overdue, limit, since) = match waiting {
            Waiting::Busy => return Poll::Pending,
            Waiting::Idle(since) => (Overdue::Idle, limits.keep_alive, since),
            Waiting::Head(since) => (Overdue::Head, limits.head_time, since),
        };
        let due = since + limit;
        let timer = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        // Armed too late, or gone off without anything being due yet. The
        // slack spares arming it anew for every turn of a millisecond.
        if timer.deadline() > due + SLACK || timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(due);
            return timer.as_mut().poll(cx).map(|()| overdue);
        }
        Poll::Pending
    }

    /// Ready when `due` has passed. All polls of one deadline are one task's, so
    /// a timer that has not gone off yet will wake it without being asked.
    pub(crate) fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let timer = match &mut self.0 {
            Some(timer) if timer.deadline() <= due && !timer.is_elapsed() => return Poll::Pending,
            timer => timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due))),
        };
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx)
    }
}
