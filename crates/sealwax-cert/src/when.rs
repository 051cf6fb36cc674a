//! Seconds since 1970 as the calendar shows them, for messages and for X.509.

use time::OffsetDateTime;

/// Seconds in a day.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// The moment as X.509 libraries want it. Years beyond 9999 have no ASN.1 form
/// and are refused.
pub(crate) fn moment(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// `2026-11-23`, or the bare number where the calendar ends.
pub(crate) fn date(seconds: i64) -> String {
    match moment(seconds) {
        Some(at) => format!(
            "{:04}-{:02}-{:02}",
            at.year(),
            u8::from(at.month()),
            at.day()
        ),
        None => format!("{seconds} s after 1970"),
    }
}

/// `2026-11-23 08:28:19 UTC`.
pub(crate) fn date_time(seconds: i64) -> String {
    match moment(seconds) {
        Some(at) => format!(
            "{} {:02}:{:02}:{:02} UTC",
            date(seconds),
            at.hour(),
            at.minute(),
            at.second()
        ),
        None => date(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_calendar_and_survives_its_ends() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date_time(1_795_422_499), "2026-11-23 08:28:19 UTC");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(i64::MAX), format!("{} s after 1970", i64::MAX));
    }
}
