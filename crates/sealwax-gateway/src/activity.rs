//! What a client connection is doing right now, shared between its socket, its
//! driver and its requests.
//!
//! Deadlines cost nothing on the hot path this way: a request only stores the
//! time, and one timer per connection, armed now and then, compares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The state of one connection. Atomic only because the socket must be `Send`
/// for hyper's upgrades; one thread touches it.
#[derive(Debug)]
pub(crate) struct Activity {
    epoch: Instant,
    /// Requests being answered.
    busy: AtomicU32,
    /// Bytes of the next head have come, but not all.
    in_head: AtomicBool,
    /// Milliseconds since `epoch` of the last change.
    since: AtomicU64,
    /// The client may still be sending a body that nobody reads: closing at
    /// once would reset the connection before it has read our answer.
    linger: AtomicBool,
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For a request to begin, for so long.
    Idle(Duration),
    /// For the rest of a request head, for so long.
    Head(Duration),
    /// For us.
    Busy,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: Instant::now(),
            busy: AtomicU32::new(0),
            // The first head is awaited from the start.
            in_head: AtomicBool::new(true),
            since: AtomicU64::new(0),
            linger: AtomicBool::new(false),
        })
    }

    pub(crate) fn waiting(&self) -> Waiting {
        if self.busy.load(Ordering::Relaxed) > 0 {
            return Waiting::Busy;
        }
        let now = Duration::from_millis(self.now());
        let since = now.saturating_sub(Duration::from_millis(self.since.load(Ordering::Relaxed)));
        if self.in_head.load(Ordering::Relaxed) {
            Waiting::Head(since)
        } else {
            Waiting::Idle(since)
        }
    }

    /// The socket has read something.
    pub(crate) fn read(&self) {
        if self.busy.load(Ordering::Relaxed) == 0 && !self.in_head.swap(true, Ordering::Relaxed) {
            self.touch();
        }
    }

    /// A request head is complete; the guard lives until its response is.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.in_head.store(false, Ordering::Relaxed);
        Busy {
            activity: Arc::clone(self),
        }
    }

    pub(crate) fn set_linger(&self) {
        self.linger.store(true, Ordering::Relaxed);
    }

    pub(crate) fn lingers(&self) -> bool {
        self.linger.load(Ordering::Relaxed)
    }

    /// The time of waiting begins anew.
    pub(crate) fn touch(&self) {
        self.since.store(self.now(), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// One request being answered.
#[derive(Debug)]
pub(crate) struct Busy {
    activity: Arc<Activity>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.activity.busy.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.activity.touch();
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
