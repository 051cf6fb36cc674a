//! One key that seals, and the name by which a sealed value calls it.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Hashed before a key for its id, so that the id says nothing about any other use of the key.
const ID_DOMAIN: &[u8] = b"sealwax seal key id v1";

/// A key of 256 bits, from which the key of each purpose is derived.
///
/// It is wiped when it is dropped, and `Debug` shows its id only.
///
/// ```
/// use sealwax_cookie::SealKey;
///
/// let key = SealKey::new([7; 32]); // 32 random bytes
/// assert_eq!(format!("{key:?}"), format!("SealKey({})", key.id()));
/// ```
#[derive(Clone)]
pub struct SealKey {
    bytes: Zeroizing<[u8; 32]>,
    id: KeyId,
    made: Option<i64>,
}

impl SealKey {
    /// How many bytes a key has.
    pub const LENGTH: usize = 32;

    /// Takes a key over: 32 bytes from a cryptographic source of randomness.
    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let id = KeyId::of(&bytes);
        Self {
            bytes,
            id,
            made: None,
        }
    }

    /// The same key, with a note of when it was made, in seconds since the Unix epoch. The note is
    /// for people who rotate keys; no value is opened or refused by it. A time before the epoch is
    /// not noted.
    #[must_use]
    pub fn made_at(self, now: i64) -> Self {
        Self {
            made: (now >= 0).then_some(now),
            ..self
        }
    }

    /// What names the key in every value that it seals.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// When the key was made, in seconds since the Unix epoch, if somebody noted it.
    pub fn made(&self) -> Option<i64> {
        self.made
    }

    pub(super) fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.bytes
    }

    /// Appends the text form, `id:base64url` and `:made` where that is known.
    pub(super) fn write(&self, text: &mut Zeroizing<String>) {
        // Writing to a String cannot fail.
        let _ = write!(**text, "{}:", self.id);
        URL_SAFE_NO_PAD.encode_string(self.bytes.as_slice(), text);
        if let Some(made) = self.made {
            let _ = write!(**text, ":{made}");
        }
    }

    /// How long the text form is at most: the digits of the id, of the key and of the time.
    pub(super) const MAX_TEXT: usize = 8 + 1 + 43 + 1 + 19;
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.id)
    }
}

/// The name of a [`SealKey`]: the first four bytes of a hash of the key, shown as eight hexadecimal
/// digits. It stands in the clear in every sealed value and is no secret.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct KeyId([u8; 4]);

impl KeyId {
    fn of(key: &[u8; SealKey::LENGTH]) -> Self {
        let hash = Sha256::new_with_prefix(ID_DOMAIN)
            .chain_update(key)
            .finalize();
        let [a, b, c, d, ..] = hash.0;
        Self([a, b, c, d])
    }

    /// The id whose bytes these are.
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand in a sealed value.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// Reads eight hexadecimal digits, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let key = SealKey::new(*b"a secret of thirty-two bytes :-)").made_at(1_764_000_000);
        let text = format!("{key:?} {:?} {}", key.id(), key.id());
        assert_eq!(text, "SealKey(4e7bca82) 4e7bca82 4e7bca82");
        let mut whole = Zeroizing::default();
        key.write(&mut whole);
        assert_eq!(
            *whole,
            "4e7bca82:YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyA6LSk:1764000000"
        );
        assert!(whole.len() <= SealKey::MAX_TEXT);
    }

    #[test]
    fn ids_come_back_as_they_were_shown() {
        let id = SealKey::new([0; 32]).id();
        assert_eq!(KeyId::parse(&id.to_string()), Some(id));
        assert_eq!(KeyId::parse(&id.to_string().to_uppercase()), Some(id));
        assert_eq!(KeyId::from_bytes(*id.as_bytes()), id);
        for text in [
            "",
            "1234567",
            "123456789",
            "+1234567",
            "0x123456",
            "1234567g",
        ] {
            assert_eq!(KeyId::parse(text), None, "{text:?}");
        }
    }
}
