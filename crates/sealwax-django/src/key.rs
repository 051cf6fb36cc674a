//! The secrets behind every signature.

use std::fmt;

use zeroize::Zeroizing;

/// One secret: the bytes of Django's `SECRET_KEY` (UTF-8 where Django has a `str`).
///
/// The bytes are wiped when it is dropped, and `Debug` does not show them.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    /// Takes a secret over.
    ///
    /// # Errors
    /// [`EmptyKey`] for no bytes at all; Django refuses an empty `SECRET_KEY` as well. Whether a
    /// key is *good* is asked by [`check`](crate::check).
    ///
    /// ```
    /// use sealwax_django::SecretKey;
    ///
    /// let key = SecretKey::new("at least fifty characters in production").unwrap();
    /// assert_eq!(format!("{key:?}"), "SecretKey(..)");
    /// assert!(SecretKey::new("").is_err());
    /// ```
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, EmptyKey> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() {
            return Err(EmptyKey);
        }
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key that Django uses for cookies: a fixed text before the secret.
    fn for_cookies(&self) -> Self {
        let prefix = b"django.http.cookies";
        let mut bytes = Zeroizing::new(Vec::with_capacity(prefix.len() + self.0.len()));
        bytes.extend_from_slice(prefix);
        bytes.extend_from_slice(&self.0);
        Self(bytes)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A secret key without a single byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret key is empty; set SECRET_KEY to at least 50 random characters")]
pub struct EmptyKey;

/// The key that signs, and the keys that only verify: Django's `SECRET_KEY` and
/// `SECRET_KEY_FALLBACKS`.
///
/// Verification tries the current key first and then the fallbacks in order, as Django does.
///
/// ```
/// use sealwax_django::{Keys, SecretKey, Signer};
///
/// let old = Keys::new(SecretKey::new("the key of last year").unwrap());
/// let new = Keys::new(SecretKey::new("the key of this year").unwrap())
///     .with_fallbacks([SecretKey::new("the key of last year").unwrap()]);
///
/// let text = Signer::new(&old, "shop").sign("42");
/// assert_eq!(Signer::new(&new, "shop").unsign(&text), Ok("42"));
/// ```
#[derive(Debug, Clone)]
pub struct Keys {
    current: SecretKey,
    fallbacks: Vec<SecretKey>,
}

impl Keys {
    /// One key and no fallbacks.
    #[must_use]
    pub fn new(current: SecretKey) -> Self {
        Self {
            current,
            fallbacks: Vec::new(),
        }
    }

    /// With the retired keys that still verify.
    #[must_use]
    pub fn with_fallbacks(mut self, fallbacks: impl IntoIterator<Item = SecretKey>) -> Self {
        self.fallbacks = fallbacks.into_iter().collect();
        self
    }

    /// The key that signs: `SECRET_KEY`.
    #[must_use]
    pub fn current(&self) -> &SecretKey {
        &self.current
    }

    /// The keys that only verify: `SECRET_KEY_FALLBACKS`.
    #[must_use]
    pub fn fallbacks(&self) -> &[SecretKey] {
        &self.fallbacks
    }

    /// The same keys as Django's `get_cookie_signer` uses them, for whatever travels in a cookie
    /// of its own: signed cookies and messages.
    #[must_use]
    pub fn for_cookies(&self) -> Self {
        Self {
            current: self.current.for_cookies(),
            fallbacks: self.fallbacks.iter().map(SecretKey::for_cookies).collect(),
        }
    }

    /// The current key, then the fallbacks.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.current).chain(&self.fallbacks)
    }
}

/// Which of the [`Keys`] something was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUsed {
    /// `SECRET_KEY`.
    Current,
    /// The fallback at this index of `SECRET_KEY_FALLBACKS`: what it made should be made anew.
    Fallback(usize),
}

impl KeyUsed {
    pub(crate) fn at(position: usize) -> Self {
        match position.checked_sub(1) {
            None => Self::Current,
            Some(index) => Self::Fallback(index),
        }
    }
}
