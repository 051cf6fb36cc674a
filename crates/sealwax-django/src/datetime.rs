//! Dates as Python writes them: HTTP's, and ISO 8601.

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// 1970-01-01 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The ends of what Python can say: year 1 and year 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// Seconds since the epoch as an HTTP date (RFC 9110, Section 5.6.7), clamped to the years 1 to
/// 9999.
pub(crate) fn http_date(seconds: i64) -> String {
    let seconds = seconds.clamp(FIRST, LAST);
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    // Both remainders are within their tables.
    let weekday = WEEKDAYS[days.rem_euclid(7) as usize];
    let month = MONTHS[(month - 1) as usize];
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Microseconds since the epoch as Python's `isoformat` of a moment in UTC.
pub(crate) fn iso(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000).clamp(FIRST, LAST);
    let fraction = micros.rem_euclid(1_000_000);
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let fraction = match fraction {
        0 => String::new(),
        fraction => format!(".{fraction:06}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
}

/// Microseconds since the epoch of `YYYY-MM-DD[THH[:MM[:SS[.ffffff]]]][Z|±HH[:MM[:SS]]]`; what
/// carries no offset is taken as UTC.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, time) = match text.len() {
        10 => (text, ""),
        // Python takes any one character between date and time.
        11.. => (
            text.get(..10)?,
            text.get(11..).filter(|time| !time.is_empty())?,
        ),
        _ => return None,
    };
    let (year, month, day) = match date.as_bytes() {
        [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => {
            (number(y)?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
        }
        _ => return None,
    };
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight = days(year, month, day) * DAY * 1_000_000;
    if time.is_empty() {
        return Some(midnight);
    }
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(zone)?;
    let clock = clock_micros(clock)?;
    let offset = match zone.as_bytes() {
        [] | b"Z" => 0,
        [sign, ..] => {
            let offset = clock_micros(zone.get(1..)?)?;
            if *sign == b'-' { -offset } else { offset }
        }
    };
    Some(midnight + clock - offset)
}

/// `HH[:MM[:SS[.f…]]]` in microseconds; digits past the sixth are dropped, as Python does.
fn clock_micros(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut fields = [0; 3];
    let mut count = 0;
    for field in whole.split(':') {
        let slot = fields.get_mut(count)?;
        if field.len() != 2 {
            return None;
        }
        *slot = number(field.as_bytes())?;
        count += 1;
    }
    let [hour, minute, second] = fields;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match fraction {
        None => 0,
        Some(_) if count < 3 => return None,
        Some(digits) => {
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let six = &digits.as_bytes()[..digits.len().min(6)];
            number(six)? * 10_i64.pow(6 - u32::try_from(six.len()).ok()?)
        }
    };
    Some((hour * 3600 + minute * 60 + second) * 1_000_000 + fraction)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number: i64, &byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a date of the Gregorian calendar, counting years from March, so that
/// the leap day comes last.
fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since the epoch: the inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(1_765_209_600), "Mon, 08 Dec 2025 16:00:00 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(http_date(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(http_date(i64::MIN), "Mon, 01 Jan 0001 00:00:00 GMT");
    }

    #[test]
    fn iso_dates_are_read_and_written() {
        let base = 1_764_000_000_000_000;
        for (text, micros) in [
            ("2025-11-24T16:00:00+00:00", base),
            ("2025-11-24T16:00:00.000001+00:00", base + 1),
            ("1969-12-31T23:59:59.500000+00:00", -500_000),
        ] {
            assert_eq!(parse_iso(text), Some(micros), "{text}");
            assert_eq!(iso(micros), text);
        }
        for (text, micros) in [
            ("2025-11-24T16:00:00", base),
            ("2025-11-24 16:00:00Z", base),
            ("2025-11-24T16:00", base),
            ("2025-11-24T18:30:00+02:30", base),
            ("2025-11-24T08:00:00-08:00", base),
            ("2025-11-24T16:00:00.5+00:00", base + 500_000),
            ("2025-11-24T16:00:00.1234567", base + 123_456),
            ("2025-11-24", base - 16 * 3_600_000_000),
        ] {
            assert_eq!(parse_iso(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "soon",
            "2025-11-24T",
            "2025-13-01",
            "2025-02-29",
            "2025-00-01",
            "0000-01-01",
            "2025-11-24T24:00:00",
            "2025-11-24T16:60",
            "2025-11-24T16:00:00.",
            "2025-11-2é",
            "2025-11-24T16:00:00+",
            "2025-11-24T1:00:00",
            "2025-11-24T16:00:00:00",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
