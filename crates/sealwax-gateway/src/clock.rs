//! The clocks, in one place.
//!
//! A request asks for the time about ten times, mostly to note that something has
//! moved. On a worker all that happens between two sleeps of its runtime
//! happens, as far as deadlines in seconds care, at the same time.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// How often one reading of the clocks is used, where the runtime does not get to
/// sleep.
const USES: u8 = 32;

thread_local! {
    /// What the clocks have said, if this thread is a worker.
    static TURN: Cell<Option<Turn>> = const { Cell::new(None) };
    /// The date as text, and the second for which it is right.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

#[derive(Clone, Copy)]
struct Turn {
    now: Instant,
    unix: u64,
    /// Uses that are left; none after a sleep.
    left: u8,
}

impl Turn {
    fn read() -> Self {
        Self {
            now: Instant::now(),
            unix: unix_now(),
            left: USES,
        }
    }
}

/// From now on this thread's time stands still between two calls of [`woke`], or
/// for some uses.
pub(crate) fn keep_turns() {
    TURN.set(Some(Turn::read()));
}

/// This thread has slept.
pub(crate) fn woke() {
    if let Some(turn) = TURN.get() {
        TURN.set(Some(Turn { left: 0, ..turn }));
    }
}

fn turn() -> Option<Turn> {
    let turn = match TURN.get()? {
        Turn { left: 0, .. } => Turn::read(),
        turn => Turn {
            left: turn.left - 1,
            ..turn
        },
    };
    TURN.set(Some(turn));
    Some(turn)
}

/// The time, good enough to note that something has moved: it may lie a little in
/// the past, so that a deadline counted from it comes early by as much.
pub(crate) fn now() -> Instant {
    turn().map_or_else(Instant::now, |turn| turn.now)
}

/// Seconds since 1970-01-01 UTC; 0 on a clock that is set before it. It may lie as
/// little in the past as [`now`].
pub(crate) fn unix() -> u64 {
    turn().map_or_else(unix_now, |turn| turn.unix)
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The same, signed, as certificates count.
pub(crate) fn unix_signed() -> i64 {
    i64::try_from(unix()).unwrap_or(i64::MAX)
}

/// The `Date` of a message made now (RFC 9110 §5.6.7), written once a second.
pub(crate) fn with_date<T>(use_it: impl FnOnce(&[u8]) -> T) -> T {
    let now = unix();
    DATE.with_borrow_mut(|(second, text)| {
        if *second != now || text.is_empty() {
            *second = now;
            *text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now));
        }
        use_it(text.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_between_two_sleeps_but_not_for_long() {
        // Each test has a thread of its own.
        let (first, second) = (now(), now());
        assert!(first < second, "no worker, no turns");
        keep_turns();
        let begin = now();
        assert_eq!(begin, now());
        woke();
        let later = now();
        assert!(later > begin);
        let uses = (0..1000).take_while(|_| now() == later).count();
        assert_eq!(uses, usize::from(USES));
    }
}
