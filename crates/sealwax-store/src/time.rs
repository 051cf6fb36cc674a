//! Instants since the Unix epoch, as the homes keep them.

use std::time::Duration;

/// Cuts what is finer than a microsecond off: no database keeps it.
pub(crate) fn to_micros(instant: Duration) -> Duration {
    Duration::new(instant.as_secs(), instant.subsec_micros() * 1_000)
}

/// Django's text for an instant in an SQLite file: UTC, `YYYY-MM-DD HH:MM:SS`
/// with six digits of a fraction unless it is zero. Texts compare as instants do.
///
/// What lies after the year 9999 becomes the last instant of it: the format ends
/// there, in Django too.
#[cfg(feature = "sqlite")]
pub(crate) fn to_text(instant: Duration) -> String {
    const LAST: Duration = Duration::new(253_402_300_799, 999_999_000);
    let instant = instant.min(LAST);
    let (days, second) = (instant.as_secs() / 86_400, instant.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let whole = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    match instant.subsec_micros() {
        0 => whole,
        micros => format!("{whole}.{micros:06}"),
    }
}

/// The instant of Django's text; `None` for anything else, and for what is before 1970.
#[cfg(feature = "sqlite")]
pub(crate) fn from_text(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(' ')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let days = days(year, month, day);
    if civil(days) != (year, month, day) {
        return None;
    }
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Duration::new(seconds, micros * 1_000))
}

/// Three numbers of digits alone, which `str::parse` does not insist on.
#[cfg(feature = "sqlite")]
fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Year, month and day of a day since 1970 in the Gregorian calendar.
///
/// Counts from 1 March of the year 0, so that leap days end a year, and in eras
/// of 400 years, which all have 146,097 days.
#[cfg(feature = "sqlite")]
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// The day since 1970; the reverse of [`civil`] for what exists.
#[cfg(feature = "sqlite")]
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, micros: u32, text: &str) {
        let instant = Duration::new(seconds, micros * 1_000);
        assert_eq!(to_text(instant), text);
        assert_eq!(from_text(text), Some(instant));
    }

    #[test]
    fn instants_are_written_as_django_writes_them() {
        check(0, 0, "1970-01-01 00:00:00");
        check(1_709_164_800, 0, "2024-02-29 00:00:00");
        check(4_107_542_399, 1, "2100-02-28 23:59:59.000001");
        check(4_107_542_400, 0, "2100-03-01 00:00:00");
        check(1_796_083_199, 999_999, "2026-11-30 23:59:59.999999");
        check(253_402_300_799, 999_999, "9999-12-31 23:59:59.999999");
        assert_eq!(to_text(Duration::MAX), "9999-12-31 23:59:59.999999");
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..2_932_897 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(2_932_896), (9999, 12, 31));
    }

    #[test]
    fn shorter_fractions_are_read_and_other_texts_refused() {
        assert_eq!(
            from_text("2026-11-30 00:00:00.5"),
            Some(Duration::new(1_795_996_800, 500_000_000))
        );
        for bad in [
            "",
            "2026-11-30",
            "2026-11-30T00:00:00",
            "2026-11-30 00:00:00+00:00",
            "2026-02-29 00:00:00",
            "2026-11-31 00:00:00",
            "2026-13-01 00:00:00",
            "2026-11-30 24:00:00",
            "2026-11-30 00:00:60",
            "1969-12-31 23:59:59",
            "2026-11-30 00:00:00.1234567",
            "2026-11-30 00:00:00.-1",
            "+2026-11-30 00:00:00",
            "2026-11-30-1 00:00:00",
        ] {
            assert_eq!(from_text(bad), None, "{bad:?}");
        }
    }
}
