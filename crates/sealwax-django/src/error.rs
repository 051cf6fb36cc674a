//! Why a signed text was refused.

use std::time::Duration;

/// Why a signature does not hold. Django raises `BadSignature` for the first two,
/// `SignatureExpired` for the third and a `ValueError` for the last.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::{BadSignature, Keys, SecretKey, TimestampSigner};
///
/// let signer = TimestampSigner::new(&Keys::new(SecretKey::new("secret").unwrap()), "shop");
/// let (then, day) = (Duration::from_secs(1_764_000_000), Duration::from_secs(86_400));
/// let text = signer.sign("42", then);
/// assert_eq!(
///     signer.unsign(&text, Some(day), then + 2 * day),
///     Err(BadSignature::Expired { max_age: day })
/// );
/// assert_eq!(signer.unsign(&text.replace("42", "43"), None, then), Err(BadSignature::Mismatch));
/// assert_eq!(signer.unsign("42", None, then), Err(BadSignature::MissingSeparator));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// There is no separator, so nothing was signed.
    #[error("the text holds no separator, so it was never signed")]
    MissingSeparator,
    /// No key, current or fallback, makes this signature with this salt.
    #[error("the signature does not match: another key, another salt, or changed text")]
    Mismatch,
    /// The signature holds, but it is older than allowed.
    #[error("the signature is older than the {} seconds that are allowed", max_age.as_secs_f64())]
    Expired {
        /// How old it was allowed to be.
        max_age: Duration,
    },
    /// The signature holds, but what stands where the time should be is none.
    #[error("the signed text carries no readable time")]
    BadTimestamp,
}

impl BadSignature {
    /// Django's `SignatureExpired`: once it was good.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }
}

/// Why a payload could not be unpacked, although it may be well signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// It is not base64 for URLs.
    #[error("the payload is not base64")]
    Base64,
    /// Its leading dot promises zlib (RFC 1950), and it is not, or it ends early.
    #[error("the payload is not compressed with zlib as its leading dot says")]
    Zlib,
    /// It unpacks to more than is allowed: a bomb, or a limit set too low.
    #[error("the payload unpacks to more than {limit} bytes")]
    TooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
}

/// Where a text stops being JSON as Python reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON from byte {at} on: {expected}")]
pub struct JsonError {
    /// The offset of the first byte that does not fit.
    pub at: usize,
    /// What would have fitted.
    pub expected: &'static str,
}

impl JsonError {
    /// What is expected of text that nests too deep, although it may be JSON.
    pub(crate) const SHALLOWER: &'static str = "fewer than 960 levels";
}

/// Why a signed object could not be read: Django's `loads` raises `BadSignature` for the first
/// and a `ValueError` for the others.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The signature does not hold.
    #[error("the signed object is refused")]
    Signature(#[from] BadSignature),
    /// The payload is no base64 or no zlib.
    #[error("the signed object cannot be unpacked")]
    Payload(#[from] UnpackError),
    /// The payload is no JSON.
    #[error("the signed object is not JSON")]
    Json(#[from] JsonError),
    /// The payload is JSON, but not of the asked type.
    #[error("the signed object has another shape")]
    Shape(#[from] serde_json::Error),
}

impl LoadError {
    /// Whether the signature holds and only a limit of this crate stands in the way: more than
    /// [`UNPACKED_LIMIT`](crate::UNPACKED_LIMIT) bytes, or 960 levels of JSON and more. Django may
    /// well read such an object, so do not take it for an empty one and write over it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealwax_django::session::{Engine, SessionCodec, SessionData};
    /// use sealwax_django::{Keys, SecretKey};
    ///
    /// let keys = Keys::new(SecretKey::new("secret").unwrap());
    /// let codec = SessionCodec::new(&keys, &Engine::Db);
    /// let mut data = SessionData::new();
    /// data.insert("all", &"a".repeat(5 << 20)).unwrap();
    /// let text = codec.encode(&data, Duration::ZERO);
    /// let error = codec.decode(&text, None, Duration::ZERO).unwrap_err();
    /// assert!(error.is_limit());
    /// let error = codec.decode(&text[1..], None, Duration::ZERO).unwrap_err();
    /// assert!(!error.is_limit());
    /// ```
    #[must_use]
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Payload(error) => matches!(error, UnpackError::TooLarge { .. }),
            Self::Json(error) => error.expected == JsonError::SHALLOWER,
            Self::Signature(_) | Self::Shape(_) => false,
        }
    }
}
