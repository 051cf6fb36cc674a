//! How long a proof lasts, and what follows from that.

/// How long a proof lasts: whoever copies the cookies of a bound session can use them for at most so
/// long. Whole seconds, from 5 s to a day; 10 minutes where nothing else is said.
///
/// ```
/// use sealwax_bind::Lifetime;
///
/// assert_eq!(Lifetime::default().seconds(), 600);
/// assert!(Lifetime::default().warning().is_none());
/// let short = Lifetime::from_seconds(60).unwrap();
/// assert!(short.warning().unwrap().contains("signatures"));
/// assert!(Lifetime::from_seconds(4).is_err());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Lifetime(u64);

/// The lifetime is under 5 seconds or over a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the lifetime of a proof is from 5 seconds to 1 day, not {0} s; 10 minutes suit most sites"
)]
pub struct LifetimeError(
    /// The seconds that were asked for.
    pub u64,
);

/// Browsers sign so often within [`QUOTA_WINDOW`] for one site (registrable domain), then they stop:
/// Chromium 145 to 156.
const QUOTA: u64 = 6;
/// In seconds.
const QUOTA_WINDOW: u64 = 9 * 60;
/// From so many seconds before a proof's end on, every request refreshes it ahead of time.
const PROACTIVE: u64 = 120;
/// How long a challenge for a refresh lasts at most, in seconds: the less often do browsers have to
/// sign, and the more may the clocks of nodes differ. It buys nobody time, since a proof counts from
/// its challenge.
const LONGEST_CHALLENGE: u64 = 120;
/// A margin that does for slow links, in seconds.
const LONGEST_MARGIN: u64 = 10;
/// Below this, in seconds, a page in use refreshes with almost every request, or signs too often.
const COMFORTABLE: u64 = 180;

impl Lifetime {
    const SHORTEST: u64 = 5;
    const LONGEST: u64 = 24 * 60 * 60;

    /// A lifetime.
    ///
    /// # Errors
    /// [`LifetimeError`] under 5 seconds and over a day.
    pub const fn from_seconds(seconds: u64) -> Result<Self, LifetimeError> {
        if seconds < Self::SHORTEST || seconds > Self::LONGEST {
            return Err(LifetimeError(seconds));
        }
        Ok(Self(seconds))
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// For how many seconds a browser may sign a challenge for a refresh, and the signed one be sent
    /// again: two minutes, or less where the lifetime is shorter, so that the oldest one still makes a
    /// proof of twice [the margin](Self::margin_seconds).
    #[must_use]
    pub const fn challenge_seconds(self) -> u64 {
        let longest = self.0 - 2 * self.margin_seconds();
        if longest < LONGEST_CHALLENGE {
            longest
        } else {
            LONGEST_CHALLENGE
        }
    }

    /// So many seconds before a proof is over, the browser is to forget it: what it sends has a way
    /// to go, and clocks here count whole seconds. Without it an honest request would come too late
    /// now and then, and its user be nobody.
    #[must_use]
    pub const fn margin_seconds(self) -> u64 {
        let fifth = self.0 / 5;
        if fifth < LONGEST_MARGIN {
            fifth
        } else {
            LONGEST_MARGIN
        }
    }

    /// How many signatures a page that never rests costs within the nine minutes in which browsers
    /// make six: one whenever the proof enters its last two minutes, but not more often than there
    /// are new challenges.
    #[must_use]
    pub const fn signatures_of_a_busy_page(self) -> u64 {
        let between = self.0.saturating_sub(PROACTIVE);
        let shortest = self.challenge_seconds();
        QUOTA_WINDOW.div_ceil(if between < shortest {
            shortest
        } else {
            between
        })
    }

    /// What to tell whoever set a lifetime that asks too much of browsers.
    #[must_use]
    pub fn warning(self) -> Option<String> {
        let Self(seconds) = self;
        let needed = self.signatures_of_a_busy_page();
        if needed > QUOTA {
            Some(format!(
                "with a lifetime of {seconds} s a page in steady use needs {needed} signatures in 9 \
                 minutes, and browsers make at most {QUOTA} for a site; then requests come without \
                 the proof, and the user seems to be logged out for minutes; set at least \
                 {COMFORTABLE} s (10 minutes suit most sites)"
            ))
        } else if seconds < COMFORTABLE {
            Some(format!(
                "with a lifetime of {seconds} s browsers refresh with almost every request, since \
                 they do so in the last {PROACTIVE} s of a proof; set at least {COMFORTABLE} s (10 \
                 minutes suit most sites)"
            ))
        } else {
            None
        }
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self(10 * 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(seconds: u64) -> Lifetime {
        Lifetime::from_seconds(seconds).unwrap()
    }

    #[test]
    fn warns_below_three_minutes_and_says_why() {
        for seconds in [5, 60, 109] {
            assert!(
                lifetime(seconds).warning().unwrap().contains("signatures"),
                "{seconds}"
            );
        }
        for seconds in [110, 120, 179] {
            assert!(
                lifetime(seconds)
                    .warning()
                    .unwrap()
                    .contains("every request"),
                "{seconds}"
            );
        }
        for seconds in [180, 300, 600, 86_400] {
            assert_eq!(lifetime(seconds).warning(), None, "{seconds}");
        }
    }

    #[test]
    fn counts_signatures_of_a_busy_page() {
        let count = |seconds| lifetime(seconds).signatures_of_a_busy_page();
        // Every request refreshes, and every challenge costs one.
        assert_eq!(count(5), 180);
        assert_eq!(count(180), 5);
        assert_eq!(count(600), 2);
    }

    #[test]
    fn has_bounds() {
        for seconds in [0, 4, 86_401, u64::MAX] {
            assert_eq!(Lifetime::from_seconds(seconds), Err(LifetimeError(seconds)));
        }
        assert_eq!(Lifetime::from_seconds(5).unwrap().challenge_seconds(), 3);
        assert_eq!(
            Lifetime::from_seconds(86_400).unwrap().challenge_seconds(),
            120
        );
    }
}
