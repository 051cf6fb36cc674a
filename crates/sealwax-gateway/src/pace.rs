//! How slow the other side may be.
//!
//! An idle timer alone lets a client keep a connection for ever with one byte
//! a minute. Here waiting uses up time that only bytes bring back: who is silent
//! is given up after `patience`, and who drips, after it has waited for as long
//! as `patience` and its bytes at the least rate together.

use std::time::{Duration, Instant};

/// The account of one direction of one message (or connection).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long the other side may be silent.
    patience: Duration,
    /// Bytes per second that it must manage on average; 0 asks for none.
    rate: u64,
    /// Time that it may still use up.
    left: Duration,
    /// Since when it is being waited for.
    since: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(patience: Duration, rate: u64) -> Self {
        Self {
            patience,
            rate,
            left: patience,
            since: None,
        }
    }

    /// It is the other side's turn, if it was not before.
    pub(crate) fn wait(&mut self) {
        // The clock is only asked where somebody has to wait.
        self.since.get_or_insert_with(Instant::now);
    }

    /// When it will have been too slow; `None` while it is not its turn.
    pub(crate) fn due(&self) -> Option<Instant> {
        Some(self.since? + self.left)
    }

    /// How long it has been silent; `None` while it is not its turn.
    pub(crate) fn silent_for(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.since?))
    }

    /// It has moved so many bytes, and is not waited for any more.
    pub(crate) fn moved(&mut self, bytes: u64) {
        if self.since.is_some() {
            self.moved_at(bytes, Instant::now());
        }
    }

    fn moved_at(&mut self, bytes: u64, now: Instant) {
        let Some(used) = self.silent_for(now) else {
            return;
        };
        self.since = None;
        self.left = match self.rate {
            0 => self.patience,
            rate => {
                let earned = Duration::from_millis(bytes.saturating_mul(1000) / rate);
                let left = self.left.saturating_sub(used).saturating_add(earned);
                left.min(self.patience)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Seconds until a sender of `bytes` every `pause` is given up.
    fn lasts(rate: u64, bytes: u64, pause: Duration) -> Option<u64> {
        let start = Instant::now();
        let mut pace = Pace::new(60 * SECOND, rate);
        let mut now = start;
        while now < start + 100_000 * SECOND {
            pace.since = Some(now);
            let due = pace.due().unwrap();
            now += pause;
            if due <= now {
                return Some((due - start).as_secs());
            }
            pace.moved_at(bytes, now);
        }
        None
    }

    #[test]
    fn silence_ends_after_patience_and_a_drip_soon_after() {
        assert_eq!(lasts(240, 0, 100 * SECOND), Some(60));
        assert_eq!(lasts(240, 1, SECOND), Some(60));
        assert_eq!(lasts(240, 120, SECOND), Some(119));
        assert_eq!(lasts(240, 240, SECOND), None);
        assert_eq!(lasts(240, 14_400, 59 * SECOND), None);
    }

    #[test]
    fn without_a_rate_only_silence_counts() {
        assert_eq!(lasts(0, 1, 59 * SECOND), None);
        assert_eq!(lasts(0, 1, 60 * SECOND), Some(60));
    }

    #[test]
    fn a_fast_start_is_no_credit_for_later() {
        let start = Instant::now();
        let mut pace = Pace::new(60 * SECOND, 240);
        pace.since = Some(start);
        pace.moved_at(1 << 40, start + SECOND);
        assert_eq!(pace.due(), None);
        pace.since = Some(start + SECOND);
        assert_eq!(pace.due(), Some(start + 61 * SECOND));
    }
}
