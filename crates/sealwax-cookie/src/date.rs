//! The cookie-date algorithm of RFC 6265bis, Section 5.1.1.
//!
//! It reads every date form that servers ever sent (RFC 1123, RFC 850, asctime and their
//! misspellings), because it looks for four tokens in any order instead of following a grammar.

/// Reads a cookie-date; the answer is in seconds since 1970-01-01T00:00:00Z, negative before it.
///
/// `None` where a user agent ignores the attribute: a missing token, a field out of range, a year
/// before 1601, or a day that does not exist (30 February).
///
/// ```
/// use sealwax_cookie::date;
/// assert_eq!(date::parse(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
/// assert_eq!(date::parse(b"Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(date::parse(b"Sun Nov  6 08:49:37 1994"), Some(784_111_777));
/// ```
pub fn parse(text: &[u8]) -> Option<i64> {
    let mut time = None;
    let mut day = None;
    let mut month = None;
    let mut year = None;

    // The order matters: a token counts for the first production that is still open.
    for token in text
        .split(|byte| is_delimiter(*byte))
        .filter(|token| !token.is_empty())
    {
        if time.is_none() {
            time = time_of(token);
            if time.is_some() {
                continue;
            }
        }
        if day.is_none() {
            day = number(token, 1, 2);
            if day.is_some() {
                continue;
            }
        }
        if month.is_none() {
            month = month_of(token);
            if month.is_some() {
                continue;
            }
        }
        if year.is_none() {
            year = number(token, 2, 4);
        }
    }

    let (hour, minute, second) = time?;
    let (day, month) = (day?, month?);
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        full => full,
    };
    if year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if day < 1 || day > days_in(month, year) {
        return None;
    }
    Some(days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E`
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `hms-time [ non-digit *OCTET ]`
fn time_of(token: &[u8]) -> Option<(i64, i64, i64)> {
    let mut fields = token.splitn(3, |byte| *byte == b':');
    let hour = whole_number(fields.next()?)?;
    let minute = whole_number(fields.next()?)?;
    // Only the last field may have a tail, and the tail may not begin with a digit.
    let second = number(fields.next()?, 1, 2)?;
    Some((hour, minute, second))
}

/// One or two digits and nothing else.
fn whole_number(token: &[u8]) -> Option<i64> {
    if token.iter().all(u8::is_ascii_digit) {
        number(token, 1, 2)
    } else {
        None
    }
}

/// `min*maxDIGIT [ non-digit *OCTET ]`
fn number(token: &[u8], min: usize, max: usize) -> Option<i64> {
    let digits = token.iter().take_while(|byte| byte.is_ascii_digit());
    let count = digits.clone().count();
    // At most four digits, so the sum cannot overflow.
    (min..=max)
        .contains(&count)
        .then(|| digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// The month (1 to 12) whose English name the token begins with; what follows is ignored.
fn month_of(token: &[u8]) -> Option<i64> {
    const NAMES: [&[u8; 3]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
        b"dec",
    ];
    let head = token.get(..3)?;
    (1..)
        .zip(NAMES)
        .find_map(|(month, name)| head.eq_ignore_ascii_case(name).then_some(month))
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March
/// so that the leap day is a year's last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719_468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_the_wild_is_read() {
        for (text, expected) in [
            // RFC 1123, RFC 850, asctime: the three of RFC 9110, Section 5.6.7.
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            // Netscape's own, and shuffles of it.
            ("Sun, 06-Nov-1994 08:49:37 GMT", 784_111_777),
            ("1994 Nov 6 8:49:37", 784_111_777),
            ("08:49:37 6 november 94 somewhere", 784_111_777),
            ("Sun,06;NOV/1994_08:49:37 GMT+0100", 784_111_777),
            ("6 Nov 1994 08:49:37junk GMT", 784_111_777),
            // Two-digit years turn at 69/70.
            ("01 Jan 69 00:00:00", 3_124_224_000),
            ("01 Jan 70 00:00:00", 0),
            ("31 Dec 99 23:59:59", 946_684_799),
            // Edges of the calendar.
            ("29 Feb 2000 00:00:00", 951_782_400),
            ("01 Jan 1601 00:00:00", -11_644_473_600),
            ("31 Dec 9999 23:59:59", 253_402_300_799),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "never",
            "Session",
            "0",
            "06 Nov 1994",
            "Nov 1994 08:49:37",
            "06 1994 08:49:37",
            "06 Nov 08:49:37",
            "30 Feb 2020 00:00:00",
            "29 Feb 1900 00:00:00",
            "31 Apr 2020 00:00:00",
            "00 Jan 2020 00:00:00",
            "32 Jan 2020 00:00:00",
            "01 Jan 1600 00:00:00",
            "01 Jan 20200 00:00:00",
            "01 Jan 2020 24:00:00",
            "01 Jan 2020 00:60:00",
            "01 Jan 2020 00:00:60",
            "01 Jan 2020 00:00",
            "01 Jan 2020 000:00:00",
            "01 Jan 2020 00:00:000",
            "01 Jan 2020 0x:00:00",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn days_agree_with_counting_them_one_by_one() {
        let mut expected = days_since_epoch(1601, 1, 1);
        assert_eq!(expected, -134_774);
        for year in 1601..2600 {
            for month in 1..=12 {
                for day in 1..=days_in(month, year) {
                    assert_eq!(days_since_epoch(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }
}
