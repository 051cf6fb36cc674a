//! Has the client left while we work for it?
//!
//! TCP tells a client that has closed its half, and waits for its answer, from
//! one that has gone only when we write. So it is given a while.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use super::Shared;
use super::inbound::Gone;

/// How long a client that has closed its half may wait for its answer.
const HALF_CLOSED: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Leaving(Option<Pin<Box<Sleep>>>);

impl Leaving {
    /// Ready when nobody is there any more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, inbound: &Shared) -> Poll<()> {
        if self.0.is_none() {
            match ready!(inbound.borrow_mut().poll_gone(cx)) {
                Gone::Reset => return Poll::Ready(()),
                Gone::Ended => {}
            }
        }
        let timer = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(HALF_CLOSED)));
        timer.as_mut().poll(cx)
    }

    /// It has taken a part of its answer: the time begins anew.
    pub(super) fn is_there(&mut self) {
        if let Some(timer) = &mut self.0 {
            timer
                .as_mut()
                .reset(tokio::time::Instant::now() + HALF_CLOSED);
        }
    }
}

#[cfg(test)]
mod tests;
