//! What a client connection is doing right now, shared between its socket, its
//! driver and its requests.
//!
//! Deadlines cost nothing on the hot path this way: a request only stores the
//! time, and one timer per connection, armed now and then, compares.

use std::cell::Cell;
use std::rc::Rc;

use tokio::time::Instant;

use crate::clock;

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Requests being answered.
    busy: Cell<u32>,
    /// Bytes of the next head have come, but not all.
    in_head: Cell<bool>,
    /// The last change.
    since: Cell<Instant>,
    /// The client may still be sending a body that nobody reads: closing at
    /// once would reset the connection before it has read our answer.
    linger: Cell<bool>,
}

/// What a connection waits for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For a request to begin.
    Idle(Instant),
    /// For the rest of a request head.
    Head(Instant),
    /// For us.
    Busy,
}

impl Activity {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            busy: Cell::new(0),
            // The first head is awaited from the start.
            in_head: Cell::new(true),
            since: Cell::new(clock::now()),
            linger: Cell::new(false),
        })
    }

    pub(crate) fn waiting(&self) -> Waiting {
        if self.busy.get() > 0 {
            Waiting::Busy
        } else if self.in_head.get() {
            Waiting::Head(self.since.get())
        } else {
            Waiting::Idle(self.since.get())
        }
    }

    /// The socket has read something.
    pub(crate) fn read(&self) {
        if self.busy.get() == 0 && !self.in_head.replace(true) {
            self.touch();
        }
    }

    /// A request head is complete; the guard lives until its response is.
    pub(crate) fn begin(self: &Rc<Self>) -> Busy {
        self.busy.set(self.busy.get() + 1);
        self.in_head.set(false);
        Busy(Rc::clone(self))
    }

    pub(crate) fn set_linger(&self) {
        self.linger.set(true);
    }

    pub(crate) fn lingers(&self) -> bool {
        self.linger.get()
    }

    /// The time of waiting begins anew.
    pub(crate) fn touch(&self) {
        self.since.set(clock::now());
    }
}

/// One request being answered.
#[derive(Debug)]
pub(crate) struct Busy(Rc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        let left = self.0.busy.get().saturating_sub(1);
        self.0.busy.set(left);
        if left == 0 {
            self.0.touch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_waits_for_a_head_then_for_us_then_for_the_next() {
        let activity = Activity::new();
        assert!(matches!(activity.waiting(), Waiting::Head(_)));
        let first = activity.begin();
        let second = activity.begin();
        activity.read();
        assert_eq!(activity.waiting(), Waiting::Busy);
        drop(first);
        assert_eq!(activity.waiting(), Waiting::Busy);
        drop(second);
        assert!(matches!(activity.waiting(), Waiting::Idle(_)));
        activity.read();
        assert!(matches!(activity.waiting(), Waiting::Head(_)));
    }
}
