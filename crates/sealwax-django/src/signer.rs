//! Signed text, with and without a time.

use std::time::Duration;

use crate::base62;
use crate::error::BadSignature;
use crate::key::{KeyUsed, Keys};
use crate::mac::{Algorithm, KeyedMac};

/// Signs text and verifies it: Django's `Signer`.
///
/// The keys are taken in once, when the signer is made; signing and verifying hash nothing but the
/// text itself. So keep a signer, do not make one per request.
///
/// ```
/// use sealwax_django::{BadSignature, Keys, SecretKey, Signer};
///
/// let key = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// let keys = Keys::new(SecretKey::new(key).unwrap());
/// let signer = Signer::new(&keys, Signer::SALT);
/// assert_eq!(signer.sign("foo"), "foo:g4y2ZvvNxtxnECDdL-jBGPu6ypNJ7q7ssJJ5O1Kprjc");
/// assert_eq!(signer.unsign(&signer.sign("foo")), Ok("foo"));
/// assert_eq!(signer.unsign("foo:bar"), Err(BadSignature::Mismatch));
/// ```
#[derive(Clone)]
pub struct Signer {
    /// The current key, then the fallbacks; never empty.
    macs: Vec<KeyedMac>,
    separator: Box<str>,
}

impl Signer {
    /// The salt of Django's `Signer()` when none is given.
    pub const SALT: &'static str = "django.core.signing.Signer";

    /// A signer with `:` and SHA-256, Django's defaults. What is signed with one salt is refused
    /// with every other.
    #[must_use]
    pub fn new(keys: &Keys, salt: impl AsRef<[u8]>) -> Self {
        Self::with_algorithm(keys, salt, Algorithm::Sha256)
    }

    /// A signer with another hash: Django's `Signer(algorithm=...)`.
    #[must_use]
    pub fn with_algorithm(keys: &Keys, salt: impl AsRef<[u8]>, algorithm: Algorithm) -> Self {
        let salt = salt.as_ref();
        Self {
            macs: keys
                .iter()
                .map(|key| KeyedMac::derived(algorithm, &[salt, b"signer", key.bytes()]))
                .collect(),
            separator: ":".into(),
        }
    }

    /// With another separator: Django's `Signer(sep=...)`.
    ///
    /// # Errors
    /// [`UnsafeSeparator`] where it could be a part of what it separates.
    pub fn with_separator(mut self, separator: &str) -> Result<Self, UnsafeSeparator> {
        // Django's expression says `A-z`, which takes in the six characters between the cases.
        let unsafe_byte = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'z' | b'-' | b'=');
        let judged = separator.strip_suffix('\n').unwrap_or(separator);
        if judged.bytes().all(unsafe_byte) {
            return Err(UnsafeSeparator(separator.to_owned()));
        }
        self.separator = separator.into();
        Ok(self)
    }

    /// The signature of a text alone, with the current key: Django's `signature`.
    #[must_use]
    pub fn signature(&self, value: impl AsRef<[u8]>) -> String {
        match self.macs.first() {
            Some(mac) => mac.tag(&[value.as_ref()]).base64().as_str().to_owned(),
            // Never: there is a current key.
            None => String::new(),
        }
    }

    /// The signatures of a text with every key, the current one first.
    pub(crate) fn signatures(&self, value: &str) -> Vec<String> {
        let signatures = self
            .macs
            .iter()
            .map(|mac| mac.tag(&[value.as_bytes()]).base64());
        signatures
            .map(|signature| signature.as_str().to_owned())
            .collect()
    }

    /// The text with separator and signature.
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let mut text = String::with_capacity(value.len() + 64);
        text.push_str(value);
        self.seal(text)
    }

    /// Signs the whole of a text in place.
    fn seal(&self, mut text: String) -> String {
        let Some(mac) = self.macs.first() else {
            return text; // Never: there is a current key.
        };
        let signature = mac.tag(&[text.as_bytes()]).base64();
        text.push_str(&self.separator);
        text.push_str(signature.as_str());
        text
    }

    /// The text that was signed.
    ///
    /// # Errors
    /// [`BadSignature::MissingSeparator`] or [`BadSignature::Mismatch`].
    pub fn unsign<'v>(&self, text: &'v str) -> Result<&'v str, BadSignature> {
        self.unsign_with(text).map(|(value, _)| value)
    }

    /// The same, and which key had signed it.
    ///
    /// # Errors
    /// As [`unsign`](Self::unsign).
    pub fn unsign_with<'v>(&self, text: &'v str) -> Result<(&'v str, KeyUsed), BadSignature> {
        let (value, signature) = text
            .rsplit_once(&*self.separator)
            .ok_or(BadSignature::MissingSeparator)?;
        self.macs
            .iter()
            .position(|mac| mac.tag(&[value.as_bytes()]).base64().is(signature))
            .map(|position| (value, KeyUsed::at(position)))
            .ok_or(BadSignature::Mismatch)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("keys", &self.macs.len())
            .field("separator", &self.separator)
            .finish()
    }
}

/// A separator that could stand in a signature or a time, or is empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsafe separator {0:?}: it must hold a character besides A-z, 0-9, - _ =")]
pub struct UnsafeSeparator(pub String);

/// Signs text with the time of signing: Django's `TimestampSigner`.
///
/// `now` is the time since the Unix epoch; the text carries whole seconds.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::{Keys, SecretKey, TimestampSigner};
///
/// let key = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// let keys = Keys::new(SecretKey::new(key).unwrap());
/// let signer = TimestampSigner::new(&keys, TimestampSigner::SALT);
/// let now = Duration::from_secs(1_764_000_000);
/// let text = signer.sign("foo", now);
/// assert_eq!(text, "foo:1vNYyu:S8-Cik8vh0qV8nVTWArPEqM4xk-yTBx8ytMZfmZR7jI");
///
/// let minute = Duration::from_secs(60);
/// assert_eq!(signer.unsign(&text, Some(minute), now + minute), Ok("foo"));
/// assert!(signer.unsign(&text, Some(minute), now + 2 * minute).unwrap_err().is_expired());
/// ```
#[derive(Debug, Clone)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// The salt of Django's `TimestampSigner()` when none is given.
    pub const SALT: &'static str = "django.core.signing.TimestampSigner";

    /// A signer with `:` and SHA-256, Django's defaults.
    #[must_use]
    pub fn new(keys: &Keys, salt: impl AsRef<[u8]>) -> Self {
        Self(Signer::new(keys, salt))
    }

    /// The signer of Django's `get_cookie_signer(salt)`: for texts that travel in cookies of their
    /// own. Its default salt there is `django.core.signing.get_cookie_signer`.
    #[must_use]
    pub fn for_cookies(keys: &Keys, salt: impl AsRef<[u8]>) -> Self {
        Self::new(&keys.for_cookies(), salt)
    }

    /// The text with the time and a signature over both.
    #[must_use]
    pub fn sign(&self, value: &str, now: Duration) -> String {
        let mut text = String::with_capacity(value.len() + 64);
        text.push_str(value);
        self.stamp(text, now)
    }

    /// The signatures of a text without time, with every key.
    pub(crate) fn signatures(&self, value: &str) -> Vec<String> {
        self.0.signatures(value)
    }

    /// Stamps and signs the whole of a text in place.
    pub(crate) fn stamp(&self, mut text: String, now: Duration) -> String {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        text.push_str(&self.0.separator);
        text.push_str(base62::encode_into(seconds, &mut base62::buffer()));
        self.0.seal(text)
    }

    /// The text that was signed, if that is at most `max_age` ago. A time in the future is
    /// accepted, as Django accepts it: the signature vouches for the clock that made it.
    ///
    /// # Errors
    /// [`BadSignature`] in all its forms.
    pub fn unsign<'v>(
        &self,
        text: &'v str,
        max_age: Option<Duration>,
        now: Duration,
    ) -> Result<&'v str, BadSignature> {
        let stamped = self.0.unsign(text)?;
        let (value, stamp) = stamped
            .rsplit_once(&*self.0.separator)
            .ok_or(BadSignature::BadTimestamp)?;
        let stamp = base62::decode(stamp).map_err(|_| BadSignature::BadTimestamp)?;
        if let Some(max_age) = max_age {
            let age = nanoseconds(now) - i128::from(stamp) * 1_000_000_000;
            if age > nanoseconds(max_age) {
                return Err(BadSignature::Expired { max_age });
            }
        }
        Ok(value)
    }
}

impl From<Signer> for TimestampSigner {
    /// Adds the time to a signer, whose salt, separator and algorithm it keeps.
    fn from(signer: Signer) -> Self {
        Self(signer)
    }
}

/// A duration has fewer than 95 bits of nanoseconds.
fn nanoseconds(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}
