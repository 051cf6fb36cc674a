//! How many connections to apps one worker may hold, so that descriptors are
//! left for clients: one HTTP/2 connection alone can want 128.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

/// Shared by all upstreams of a worker.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    open: Cell<usize>,
    waiting: Cell<usize>,
    freed: Notify,
}

/// The right to one descriptor, held by the socket itself: a connection may
/// outlive the request that it was opened for (uploads, upgrades).
#[derive(Debug)]
pub(super) struct Slot(Rc<Budget>);

/// A request in the queue.
pub(super) struct Turn<'b>(&'b Budget);

impl Budget {
    pub(super) fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self {
            limit,
            open: Cell::new(0),
            waiting: Cell::new(0),
            freed: Notify::new(),
        })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn slot(self: &Rc<Self>) -> Option<Slot> {
        let open = self.open.get();
        (open < self.limit).then(|| {
            self.open.set(open + 1);
            Slot(Rc::clone(self))
        })
    }

    /// Whether somebody waits; who comes later must not overtake.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.get() > 0
    }

    pub(super) fn queue(&self) -> Turn<'_> {
        self.waiting.set(self.waiting.get() + 1);
        Turn(self)
    }

    /// A connection became idle or was closed.
    pub(super) fn note_freed(&self) {
        if self.is_crowded() {
            self.freed.notify_one();
        }
    }
}

impl Turn<'_> {
    /// Until a connection becomes idle or is closed. Turns come in the order
    /// in which they were waited for.
    pub(super) async fn freed(&self) {
        self.0.freed.notified().await;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get().saturating_sub(1));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
        self.0.note_freed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_limited_and_come_back() {
        let budget = Budget::new(2);
        let first = budget.slot();
        let second = budget.slot();
        assert!(first.is_some() && second.is_some() && budget.slot().is_none());
        drop(first);
        assert!(budget.slot().is_some());
    }

    #[test]
    fn who_waits_is_woken_in_turn() {
        use std::pin::pin;
        use std::task::{Context, Waker};
        let budget = Budget::new(1);
        let slot = budget.slot();
        let (one, two) = (budget.queue(), budget.queue());
        let (mut first, mut second) = (pin!(one.freed()), pin!(two.freed()));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
        drop(slot);
        assert!(second.as_mut().poll(cx).is_pending() && first.as_mut().poll(cx).is_ready());
    }
}
