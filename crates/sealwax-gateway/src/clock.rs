//! The wall clock, in one place.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01 UTC; 0 on a clock that is set before it.
pub(crate) fn unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The same, signed, as certificates count.
pub(crate) fn unix_signed() -> i64 {
    i64::try_from(unix()).unwrap_or(i64::MAX)
}
