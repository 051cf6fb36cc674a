//! The wall clock, in one place.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

thread_local! {
    /// The date as text, and the second for which it is right.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

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
