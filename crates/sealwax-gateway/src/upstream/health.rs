//! Passive health: an upstream that refuses or resets connections is left
//! alone for a while that doubles with each failure.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: Cell<u32>,
    failed_at: Cell<Option<Instant>>,
}

impl Health {
    pub(crate) fn succeed(&self) {
        if self.failures.get() != 0 {
            self.failures.set(0);
            self.failed_at.set(None);
        }
    }

    pub(crate) fn fail(&self, now: Instant) {
        // Failures of requests that were under way together count once.
        if self.available(now) {
            self.failures.set(self.failures.get().saturating_add(1));
        }
        self.failed_at.set(Some(now));
    }

    pub(crate) fn available(&self, now: Instant) -> bool {
        self.failed_at
            .get()
            .is_none_or(|at| now.saturating_duration_since(at) >= self.pause())
    }

    /// For choosing the least bad of those that are all down.
    pub(crate) fn failed_at(&self) -> Option<Instant> {
        self.failed_at.get()
    }

    fn pause(&self) -> Duration {
        let doublings = self.failures.get().saturating_sub(1).min(5);
        FIRST_PAUSE
            .saturating_mul(1 << doublings)
            .min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_to_thirty_seconds_and_success_ends_it() {
        let health = Health::default();
        let mut now = Instant::now();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert!(health.available(now));
            health.fail(now);
            health.fail(now);
            now += Duration::from_secs(seconds) - Duration::from_millis(1);
            assert!(!health.available(now), "after {seconds}");
            now += Duration::from_millis(1);
        }
        health.fail(now);
        health.succeed();
        assert!(health.available(now));
        health.fail(now);
        assert!(health.available(now + Duration::from_secs(1)));
    }
}
