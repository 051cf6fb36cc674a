//! Signed values: Django's `signing.dumps` and `signing.loads`.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::LoadError;
use crate::json::{self, Latin1};
use crate::pack::{UNPACKED_LIMIT, pack_into, unpack};
use crate::signer::TimestampSigner;

/// The salt of Django's `signing.dumps` and `signing.loads` when none is given.
pub const DUMPS_SALT: &str = "django.core.signing";

/// A value as signed, URL-safe text: Django's `signing.dumps`, with [`DUMPS_SALT`] or the salt
/// that was given there.
///
/// # Errors
/// Where `serde_json` cannot write the value, such as a map whose keys are no strings.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::{DUMPS_SALT, Keys, SecretKey, TimestampSigner, dumps, loads};
///
/// let key = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// let keys = Keys::new(SecretKey::new(key).unwrap());
/// let signer = TimestampSigner::new(&keys, DUMPS_SALT);
/// let now = Duration::from_secs(1_764_000_000);
/// let text = dumps(&signer, "hello", false, now).unwrap();
/// assert_eq!(text, "ImhlbGxvIg:1vNYyu:fYmO05L0p3QSb4b8926vI8fJrJfz4AaF-_VKz6l4kKg");
/// assert_eq!(loads::<String>(&signer, &text, None, now).unwrap(), "hello");
/// ```
pub fn dumps<T: Serialize + ?Sized>(
    signer: &TimestampSigner,
    value: &T,
    compress: bool,
    now: Duration,
) -> Result<String, serde_json::Error> {
    let json = json::to_string(value)?;
    Ok(seal(signer, json.as_bytes(), compress, now))
}

/// The value of a text that [`dumps`] or Django made, if it is at most `max_age` old.
///
/// # Errors
/// [`LoadError`]: the signature, the payload, its JSON or its shape. A payload may unpack to
/// [`UNPACKED_LIMIT`].
pub fn loads<T: DeserializeOwned>(
    signer: &TimestampSigner,
    text: &str,
    max_age: Option<Duration>,
    now: Duration,
) -> Result<T, LoadError> {
    let json = open(signer, text, max_age, now)?;
    json::check(&json)?;
    Ok(serde_json::from_str(&json)?)
}

/// Packs, stamps and signs.
pub(crate) fn seal(
    signer: &TimestampSigner,
    payload: &[u8],
    compress: bool,
    now: Duration,
) -> String {
    let mut text = String::with_capacity(payload.len().div_ceil(3) * 4 + 64);
    pack_into(payload, compress, &mut text);
    signer.stamp(text, now)
}

/// Verifies and unpacks; the bytes are Latin-1, as Django reads them.
pub(crate) fn open(
    signer: &TimestampSigner,
    text: &str,
    max_age: Option<Duration>,
    now: Duration,
) -> Result<String, LoadError> {
    let payload = signer.unsign(text, max_age, now)?;
    Ok(Latin1::read(unpack(payload, UNPACKED_LIMIT)?))
}
