//! Signed cookies: Django's `set_signed_cookie` and `get_signed_cookie`.

use std::time::Duration;

use crate::error::BadSignature;
use crate::key::Keys;
use crate::signer::TimestampSigner;

/// What to do about the salt that Django used for signed cookies until June 2026, in which cookie
/// name and salt could be confused (CVE-2026-6873): name and salt simply put together.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::{Keys, LegacySalt, SecretKey, SignedCookie};
///
/// let keys = Keys::new(SecretKey::new("secret").unwrap());
/// let now = Duration::from_secs(1_764_000_000);
/// let old = SignedCookie::new(&keys, "plan", "", LegacySalt::Write).sign("basic", now);
/// let read = |legacy| SignedCookie::new(&keys, "plan", "", legacy).unsign(&old, None, now).is_ok();
/// assert!(read(LegacySalt::Read) && !read(LegacySalt::Off));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LegacySalt {
    /// Refused: Django 6.1's default, `SIGNED_COOKIE_LEGACY_SALT_FALLBACK = False`.
    #[default]
    Off,
    /// Read where the new salt does not hold: the default of Django 5.2.15 and 6.0.6,
    /// `SIGNED_COOKIE_LEGACY_SALT_FALLBACK = True`.
    Read,
    /// Written, and both are read: beside a Django that knows no other, up to 5.1, 5.2.14 and
    /// 6.0.5.
    Write,
}

/// The salt under which Django signs the cookie `name` with the caller's `salt` since 6.0.6 and
/// 5.2.15.
///
/// ```
/// use sealwax_django::signed_cookie_salt;
///
/// assert_eq!(signed_cookie_salt("c", "\u{fc}"), "django.http.cookies.v2:1:\u{fc}c");
/// ```
#[must_use]
pub fn signed_cookie_salt(name: &str, salt: &str) -> String {
    format!(
        "django.http.cookies.v2:{}:{salt}{name}",
        salt.chars().count()
    )
}

/// Signs and reads one signed cookie: Django's `set_signed_cookie` and `get_signed_cookie`.
///
/// Name and salt are a part of the key, so keep one of these for each cookie.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::{Keys, LegacySalt, SecretKey, SignedCookie};
///
/// let key = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// let keys = Keys::new(SecretKey::new(key).unwrap());
/// let cookie = SignedCookie::new(&keys, "c", "", LegacySalt::Off);
/// let now = Duration::from_secs(1_764_000_000);
/// let value = cookie.sign("hello", now);
/// assert_eq!(value, "hello:1vNYyu:659kLcpzNAqTHxPXECHy_fcbMAD00B32q9vz2Jo3MO0");
/// assert_eq!(cookie.unsign(&value, None, now), Ok("hello"));
/// ```
#[derive(Debug, Clone)]
pub struct SignedCookie {
    writer: TimestampSigner,
    /// What is tried when the writer's signature does not hold.
    second: Option<TimestampSigner>,
}

impl SignedCookie {
    /// For the cookie of this name. `salt` is the one given to Django's methods, usually empty.
    #[must_use]
    pub fn new(keys: &Keys, name: &str, salt: &str, legacy: LegacySalt) -> Self {
        let keys = keys.for_cookies();
        let current = TimestampSigner::new(&keys, signed_cookie_salt(name, salt));
        let old = || TimestampSigner::new(&keys, format!("{name}{salt}"));
        match legacy {
            LegacySalt::Off => Self {
                writer: current,
                second: None,
            },
            LegacySalt::Read => Self {
                writer: current,
                second: Some(old()),
            },
            LegacySalt::Write => Self {
                writer: old(),
                second: Some(current),
            },
        }
    }

    /// The value to be set.
    #[must_use]
    pub fn sign(&self, value: &str, now: Duration) -> String {
        self.writer.sign(value, now)
    }

    /// The value that was set, if at most `max_age` ago. The age that counts is the reader's, not
    /// the `Max-Age` with which the cookie was sent.
    ///
    /// # Errors
    /// [`BadSignature`]. What has expired under one salt is not tried under the other.
    pub fn unsign<'v>(
        &self,
        text: &'v str,
        max_age: Option<Duration>,
        now: Duration,
    ) -> Result<&'v str, BadSignature> {
        match (self.writer.unsign(text, max_age, now), &self.second) {
            (Err(BadSignature::Mismatch | BadSignature::MissingSeparator), Some(second)) => {
                second.unsign(text, max_age, now)
            }
            (result, _) => result,
        }
    }
}
