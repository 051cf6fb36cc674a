//! How many frames that carry nothing one connection may send.
//!
//! Each kind has a purse. It starts full, time fills it a little, and so does
//! useful work: responses and their content that went out. Who empties it makes
//! us work for nobody. Filling is put off until a purse is empty, so that a
//! frame costs one subtraction.

use std::fmt;
use std::time::Duration;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PING, also its acknowledgement (CVE-2019-9512).
    Ping,
    /// SETTINGS, also its acknowledgement (CVE-2019-9515).
    Settings,
    /// PRIORITY and PRIORITY_UPDATE (CVE-2019-9513).
    Priority,
    /// RST_STREAM from the client (CVE-2023-44487).
    Reset,
    /// RST_STREAM from us, for what the client did (CVE-2025-8671).
    CausedReset,
    /// WINDOW_UPDATE (CVE-2019-9511, CVE-2019-9517).
    WindowUpdate,
    /// GOAWAY.
    GoAway,
    /// Types that nobody knows.
    Unknown,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Ping => "too many PING frames",
            Kind::Settings => "too many SETTINGS frames",
            Kind::Priority => "too many PRIORITY frames",
            Kind::Reset => "too many requests given up",
            Kind::CausedReset => "too many streams that had to be reset",
            Kind::WindowUpdate => "too many WINDOW_UPDATE frames",
            Kind::GoAway => "too many GOAWAY frames",
            Kind::Unknown => "too many frames of unknown type",
        })
    }
}

/// One line of the table: what fills a purse, in frames.
struct Rate {
    burst: u32,
    per_second: u32,
    /// For each response whose head went out.
    per_answer: u32,
    /// For each DATA frame that went out.
    per_data: u32,
    /// For each 512 bytes of DATA that went out.
    per_half_kib: u32,
}

const fn rate(burst: u32, per_second: u32, per_answer: u32) -> Rate {
    Rate {
        burst,
        per_second,
        per_answer,
        per_data: 0,
        per_half_kib: 0,
    }
}

const KINDS: usize = 8;

/// In the order of [`Kind`]. What honest clients send was read from their
/// sources or seen on the wire; each burst is several times that, and what a
/// client can sustain costs well under a thousandth of a core.
const RATES: [Rate; KINDS] = [
    // Keep-alive: one in ten seconds or slower; gRPC measures the bandwidth with
    // one for each DATA that it reads while none is under way.
    Rate {
        per_data: 1,
        ..rate(500, 100, 1)
    },
    // One at the start; gRPC and clients with an adaptive window a dozen more as
    // the window grows. Each may touch every stream, so they are dear.
    rate(100, 2, 0),
    // Older Firefox: six at the start. Chromium and Safari: one or two for an
    // image that scrolls into view.
    rate(500, 50, 4),
    // A page that is left cancels up to all it may have open, a map that is
    // zoomed some dozens at each step, and all that again before the first is
    // answered. As many as are answered are free; beyond that a client cannot
    // do more harm than by ten requests a second that it waits for.
    rate(500, 10, 1),
    // None, but for races: uploads that were answered early, and the streams
    // above our limit that a client opens before it knows of it (most assume a
    // hundred until then, RFC 9113 §6.5.2).
    rate(200, 5, 1),
    // Go: two for each 4 KiB that are read. Firefox: one for each request.
    // Careless ones: two for each DATA frame, which time and burst allow for up
    // to a hundred small events a second. Counted by bytes, so that windows
    // opened a byte at a time do not pay for themselves.
    Rate {
        per_half_kib: 1,
        ..rate(1000, 200, 4)
    },
    // One or two, at the end. Each touches every stream.
    rate(10, 1, 0),
    // Chromium's grease: one for a request at most.
    rate(500, 50, 4),
];

/// Counted in thousandths of a frame, which makes a millisecond of a frame in a
/// second a whole number.
const FRAME: u32 = 1000;

/// The purses of one connection.
#[derive(Debug)]
pub(crate) struct Purses {
    levels: [u32; KINDS],
    /// Up to when time has been paid out, in milliseconds.
    paid: u64,
    /// Useful work that has not been paid out.
    answers: u32,
    data: u32,
    bytes: u32,
}

impl Purses {
    pub(crate) fn full() -> Self {
        Self {
            levels: RATES.map(|rate| rate.burst * FRAME),
            paid: 0,
            answers: 0,
            data: 0,
            bytes: 0,
        }
    }

    /// A response's head went out.
    pub(crate) fn answered(&mut self) {
        self.answers = self.answers.saturating_add(1);
    }

    /// A DATA frame with `length` bytes went out.
    pub(crate) fn sent(&mut self, length: u32) {
        self.data = self.data.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length);
    }

    /// Pays for one frame; false when there is nothing left, also of what has
    /// been earned until `now`, the time since the connection began.
    pub(crate) fn pay(&mut self, kind: Kind, now: Duration) -> bool {
        if self.take(kind) {
            return true;
        }
        self.fill(now);
        self.take(kind)
    }

    fn take(&mut self, kind: Kind) -> bool {
        let level = self.levels.get_mut(kind as usize);
        let left = level.as_ref().and_then(|level| level.checked_sub(FRAME));
        if let (Some(level), Some(left)) = (level, left) {
            *level = left;
        }
        left.is_some()
    }

    fn fill(&mut self, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let elapsed = now.saturating_sub(self.paid);
        // Never back: a clock that jumps must not be paid twice.
        self.paid = self.paid.max(now);
        let [answers, data, halves] = [self.answers, self.data, self.bytes / 512].map(u64::from);
        (self.answers, self.data) = (0, 0);
        self.bytes %= 512;
        for (level, rate) in self.levels.iter_mut().zip(&RATES) {
            let work = answers * u64::from(rate.per_answer)
                + data * u64::from(rate.per_data)
                + halves * u64::from(rate.per_half_kib);
            let earned = elapsed
                .saturating_mul(u64::from(rate.per_second))
                .saturating_add(work * u64::from(FRAME));
            let full = rate.burst * FRAME;
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            *level = level.saturating_add(earned).min(full);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Kind; KINDS] = [
        Kind::Ping,
        Kind::Settings,
        Kind::Priority,
        Kind::Reset,
        Kind::CausedReset,
        Kind::WindowUpdate,
        Kind::GoAway,
        Kind::Unknown,
    ];

    /// How many are paid for at once.
    fn drain(purses: &mut Purses, kind: Kind, now: Duration) -> u32 {
        (0..).take_while(|_| purses.pay(kind, now)).count() as u32
    }

    #[test]
    fn a_burst_then_what_time_brings() {
        for (kind, rate) in ALL.into_iter().zip(&RATES) {
            let mut purses = Purses::full();
            let begin = Duration::from_secs(5);
            // What five seconds bring was full already, so it is lost or, at most, paid once.
            let first = drain(&mut purses, kind, begin);
            assert!((rate.burst..=rate.burst * 2).contains(&first), "{kind:?}");
            assert_eq!(drain(&mut purses, kind, begin), 0);
            for second in 1..4 {
                let now = begin + Duration::from_secs(second);
                assert_eq!(drain(&mut purses, kind, now), rate.per_second, "{kind:?}");
            }
            let hour = begin + Duration::from_secs(3600);
            assert_eq!(
                drain(&mut purses, kind, hour),
                rate.burst.min(rate.per_second * 3597)
            );
            // A clock that goes back brings nothing.
            assert_eq!(drain(&mut purses, kind, Duration::ZERO), 0);
            assert_eq!(drain(&mut purses, kind, hour), 0);
        }
    }

    #[test]
    fn useful_work_pays() {
        for (kind, rate) in ALL.into_iter().zip(&RATES) {
            let mut purses = Purses::full();
            drain(&mut purses, kind, Duration::ZERO);
            for _ in 0..10 {
                purses.answered();
            }
            assert_eq!(
                drain(&mut purses, kind, Duration::ZERO),
                10 * rate.per_answer
            );
            // Eight small ones that make 512 bytes together.
            for _ in 0..8 {
                purses.sent(64);
            }
            assert_eq!(
                drain(&mut purses, kind, Duration::ZERO),
                8 * rate.per_data + rate.per_half_kib
            );
        }
    }

    #[test]
    fn purses_are_apart() {
        let mut purses = Purses::full();
        drain(&mut purses, Kind::Ping, Duration::ZERO);
        assert!(purses.pay(Kind::Settings, Duration::ZERO));
        assert!(!purses.pay(Kind::Ping, Duration::ZERO));
    }

    #[test]
    fn long_lives_do_not_overflow() {
        let mut purses = Purses::full();
        for _ in 0..5 {
            purses.sent(u32::MAX);
        }
        drain(&mut purses, Kind::WindowUpdate, Duration::ZERO);
        assert!(purses.pay(Kind::WindowUpdate, Duration::MAX));
    }
}
