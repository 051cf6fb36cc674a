//! A session's own lifetime: Django's `_session_expiry`.

use std::time::Duration;

use crate::datetime;
use crate::session::{SessionData, keys};

/// How long a session lives, as it says itself: what `set_expiry` wrote under `_session_expiry`.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::session::{Expiry, SessionData};
///
/// let now = Duration::from_secs(1_764_000_000);
/// let two_weeks = Duration::from_secs(1_209_600);
///
/// let data = SessionData::from_json(r#"{"_session_expiry":300}"#).unwrap();
/// let expiry = Expiry::of(&data).unwrap();
/// assert_eq!(expiry, Expiry::Seconds(300));
/// assert_eq!(expiry.age(two_weeks, now), 300);
///
/// let data = SessionData::from_json(r#"{"_session_expiry":"2025-11-24T16:10:00+00:00"}"#).unwrap();
/// assert_eq!(Expiry::of(&data).unwrap().age(two_weeks, now), 600);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Nothing is said: the settings count.
    Default,
    /// 0: the cookie ends with the browser; what is stored lives for `SESSION_COOKIE_AGE`.
    BrowserClose,
    /// So many seconds after each save; negative is past.
    Seconds(i64),
    /// A moment: microseconds since the Unix epoch, negative before it.
    At(i64),
}

/// `_session_expiry` is neither a number nor a date; Django answers 500 there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("_session_expiry is neither null, a number of seconds nor a date and time of ISO 8601")]
pub struct BadExpiry;

impl Expiry {
    /// What a session says.
    ///
    /// A date without an offset, which Django writes under `USE_TZ = False`, is taken as UTC. A
    /// fraction of a second in a number is dropped.
    ///
    /// # Errors
    /// [`BadExpiry`] for anything but `null`, a number or a date and time.
    pub fn of(data: &SessionData) -> Result<Self, BadExpiry> {
        let Some(raw) = data.raw(keys::SESSION_EXPIRY) else {
            return Ok(Self::Default);
        };
        match raw.as_bytes().first() {
            Some(b'n') => Ok(Self::Default),
            Some(b'"') => {
                let text: String = serde_json::from_str(raw).map_err(|_| BadExpiry)?;
                if text.is_empty() {
                    return Err(BadExpiry);
                }
                datetime::parse_iso(&text).map(Self::At).ok_or(BadExpiry)
            }
            _ => Self::of_number(raw),
        }
    }

    fn of_number(raw: &str) -> Result<Self, BadExpiry> {
        let number = match raw.parse::<i64>() {
            Ok(number) => number,
            // Past 64 bits, or a float: Rust's cast saturates.
            Err(_) => match raw.parse::<f64>() {
                Ok(number) if number.is_finite() => number as i64,
                _ => return Err(BadExpiry),
            },
        };
        Ok(match number {
            0 => Self::BrowserClose,
            number => Self::Seconds(number),
        })
    }

    /// Writes it: Django's `set_expiry`.
    pub fn write(self, data: &mut SessionData) {
        let json = match self {
            Self::Default => {
                data.remove(keys::SESSION_EXPIRY);
                return;
            }
            Self::BrowserClose => "0".to_owned(),
            Self::Seconds(seconds) => seconds.to_string(),
            Self::At(micros) => format!("\"{}\"", datetime::iso(micros)),
        };
        // A number, or a date in quotes: always JSON.
        let written = data.insert_raw(keys::SESSION_EXPIRY, json);
        debug_assert!(written.is_ok());
    }

    /// The lifetime from `now` on, in whole seconds rounded down, negative when past: Django's
    /// `get_expiry_age`. `cookie_age` is `SESSION_COOKIE_AGE`.
    #[must_use]
    pub fn age(self, cookie_age: Duration, now: Duration) -> i64 {
        match self {
            Self::Default | Self::BrowserClose => {
                i64::try_from(cookie_age.as_secs()).unwrap_or(i64::MAX)
            }
            Self::Seconds(seconds) => seconds,
            Self::At(at) => at.saturating_sub(micros(now)).div_euclid(1_000_000),
        }
    }

    /// When what is stored ends, since the Unix epoch, to the microsecond and not before the epoch:
    /// Django's `get_expiry_date`, the column `expire_date`.
    #[must_use]
    pub fn date(self, cookie_age: Duration, now: Duration) -> Duration {
        let at = match self {
            Self::At(at) => at,
            Self::Default | Self::BrowserClose | Self::Seconds(_) => {
                micros(now).saturating_add(self.age(cookie_age, now).saturating_mul(1_000_000))
            }
        };
        Duration::from_micros(u64::try_from(at).unwrap_or(0))
    }

    /// Whether the cookie ends with the browser: Django's `get_expire_at_browser_close`. `default`
    /// is `SESSION_EXPIRE_AT_BROWSER_CLOSE`.
    #[must_use]
    pub fn at_browser_close(self, default: bool) -> bool {
        match self {
            Self::Default => default,
            Self::BrowserClose => true,
            Self::Seconds(_) | Self::At(_) => false,
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
