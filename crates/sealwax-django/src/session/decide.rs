//! What happens to a session and its cookie when the response leaves.

use std::time::Duration;

use crate::datetime;

/// What `SessionMiddleware` looks at, all of it at the moment of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The request carried a session cookie, whatever its value.
    pub cookie_sent: bool,
    /// The session was read or written: Django's `session.accessed`.
    pub accessed: bool,
    /// The session was written: Django's `session.modified`.
    pub modified: bool,
    /// It has neither a key nor data: Django's `session.is_empty()`.
    pub empty: bool,
    /// The setting `SESSION_SAVE_EVERY_REQUEST`.
    pub save_every_request: bool,
    /// The status of the response.
    pub status: u16,
    /// Whether the cookie ends with the browser: [`Expiry::at_browser_close`].
    ///
    /// [`Expiry::at_browser_close`]: super::Expiry::at_browser_close
    pub at_browser_close: bool,
    /// The lifetime in seconds, possibly past: [`Expiry::age`].
    ///
    /// [`Expiry::age`]: super::Expiry::age
    pub age: i64,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// With the session and its cookie.
    pub action: Action,
    /// Whether the response names `Cookie` in its `Vary`.
    pub vary: bool,
}

/// What happens to the session and its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// The cookie is deleted.
    Delete,
    /// The session is saved; if that succeeds, the cookie is set. (If the row is gone, Django
    /// answers 400: someone logged out meanwhile.)
    Save(CookieLife),
}

/// How long a cookie lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieLife {
    /// Until the browser closes: neither `Max-Age` nor `Expires`.
    Browser,
    /// For a time.
    For {
        /// The value of `Max-Age`, in seconds.
        max_age: i64,
        /// The value of `Expires`, an HTTP date (RFC 9110, Section 5.6.7).
        expires: String,
    },
}

/// The response side of Django's `SessionMiddleware`.
///
/// A cookie for an empty session is deleted. Otherwise a session that was modified, or any under
/// `SESSION_SAVE_EVERY_REQUEST`, is saved and its cookie set, unless the response is a server error
/// (500 and above): then nothing is kept of what the request did.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::session::{Action, CookieLife, Facts, decide};
///
/// let facts = Facts {
///     cookie_sent: true,
///     accessed: true,
///     modified: true,
///     empty: false,
///     save_every_request: false,
///     status: 200,
///     at_browser_close: false,
///     age: 1_209_600,
/// };
/// let now = Duration::from_secs(1_764_000_000);
/// let decision = decide(&facts, now);
/// assert!(decision.vary);
/// assert_eq!(
///     decision.action,
///     Action::Save(CookieLife::For {
///         max_age: 1_209_600,
///         expires: "Mon, 08 Dec 2025 16:00:00 GMT".into(),
///     })
/// );
/// assert_eq!(decide(&Facts { status: 500, ..facts }, now).action, Action::Nothing);
/// ```
#[must_use]
pub fn decide(facts: &Facts, now: Duration) -> Decision {
    if facts.cookie_sent && facts.empty {
        return Decision {
            action: Action::Delete,
            vary: true,
        };
    }
    let wanted = (facts.modified || facts.save_every_request) && !facts.empty;
    if !wanted || facts.status >= 500 {
        return Decision {
            action: Action::Nothing,
            vary: facts.accessed,
        };
    }
    Decision {
        action: Action::Save(CookieLife::of(facts, now)),
        vary: true,
    }
}

impl CookieLife {
    fn of(facts: &Facts, now: Duration) -> Self {
        if facts.at_browser_close {
            return Self::Browser;
        }
        Self::lasting(facts.age, now)
    }

    /// So many seconds from `now` on, as Django's `set_cookie(max_age=...)` writes it.
    #[must_use]
    pub fn lasting(max_age: i64, now: Duration) -> Self {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Self::For {
            max_age,
            expires: datetime::http_date(seconds.saturating_add(max_age)),
        }
    }
}
