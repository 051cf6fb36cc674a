//! What can go wrong, by whose fault it is.

use std::fmt;

/// A store could not do what it was asked.
///
/// The variant says who can mend it, and so what an HTTP layer answers; the
/// [`Trouble`] inside says where, why and how. No variant ever carries the
/// password of a URL, nor a session's key or data.
///
/// ```
/// use sealwax_store::StoreError;
///
/// fn status(error: &StoreError) -> u16 {
///     match error {
///         StoreError::Unavailable(_) => 503,
///         _ => 500,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What is stored cannot be read: somebody else wrote into it. The entry
    /// counts as absent for the visitor; the operator must look.
    #[error("{0}")]
    Corrupt(Trouble),
    /// The store was set up wrongly: found at start, before any request.
    #[error("{0}")]
    Misconfigured(Trouble),
    /// The store cannot answer now: down, overloaded, or full. 503 to the
    /// visitor; the same request may succeed later.
    #[error("{0}")]
    Unavailable(Trouble),
}

impl StoreError {
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
    pub(crate) fn corrupt(place: &str, cause: impl fmt::Display, mend: &'static str) -> Self {
        Self::Corrupt(Trouble::new(place, cause, mend))
    }

    pub(crate) fn misconfigured(place: &str, cause: impl fmt::Display, mend: &'static str) -> Self {
        Self::Misconfigured(Trouble::new(place, cause, mend))
    }

    pub(crate) fn unavailable(place: &str, cause: impl fmt::Display, mend: &'static str) -> Self {
        Self::Unavailable(Trouble::new(place, cause, mend))
    }

    /// Where, why and how to mend it, whatever the variant.
    #[must_use]
    pub fn trouble(&self) -> &Trouble {
        match self {
            Self::Corrupt(trouble) | Self::Misconfigured(trouble) | Self::Unavailable(trouble) => {
                trouble
            }
        }
    }
}

/// The place, the cause and the mend of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trouble {
    /// The store, such as `postgres://app@db.internal/shop` (never with its
    /// password) or `sqlite:/var/lib/shop/db.sqlite3`.
    pub place: String,
    /// What happened there.
    pub cause: String,
    /// What the operator can do about it.
    pub mend: &'static str,
}

impl Trouble {
    pub(crate) fn new(place: &str, cause: impl fmt::Display, mend: &'static str) -> Self {
        Self {
            place: place.to_owned(),
            cause: cause.to_string(),
            mend,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, cause, mend } = self;
        write!(f, "{place}: {cause}; {mend}")
    }
}
