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
    /// Requests that got a response head.
    answered: AtomicU32,
    /// Requests that the client gave up before that.
    abandoned: AtomicU32,
}

/// Requests that a client may give up beyond as many as it waits for. Leaving
/// a page cancels a few dozen; a flood of them makes the app work for nobody
/// (CVE-2023-44487).
const MAX_ABANDONED: u32 = 100;

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
            answered: AtomicU32::new(0),
            abandoned: AtomicU32::new(0),
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
            answered: false,
        }
    }

    /// Whether the client gives up more than it waits for.
    pub(crate) fn is_flood(&self) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        self.abandoned.load(Ordering::Relaxed) > answered.saturating_add(MAX_ABANDONED)
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
    answered: bool,
}

impl Busy {
    /// The response has a head.
    pub(crate) fn answered(mut self) -> Self {
        self.answered = true;
        self.activity.answered.fetch_add(1, Ordering::Relaxed);
        self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if !self.answered {
            self.activity.abandoned.fetch_add(1, Ordering::Relaxed);
        }
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

    #[test]
    fn a_client_that_only_gives_up_is_a_flood() {
        let activity = Activity::new();
        drop(activity.begin().answered());
        for _ in 0..=MAX_ABANDONED {
            drop(activity.begin());
        }
        assert!(!activity.is_flood());
        drop(activity.begin());
        assert!(activity.is_flood());
    }
}
