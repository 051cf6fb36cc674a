//! The keys of a site's nodes: one that seals, and older ones that still open.

use std::fmt;

use zeroize::Zeroizing;

use super::key::{KeyId, SealKey};
use super::ring_text::{self, KeyRingCause, KeyRingError};
use super::sealer::Sealer;

/// The keys that seal cookies: the first seals, all of them open. There is at least one, and at
/// most [`KeyRing::MAX_KEYS`].
///
/// To rotate, put a new key first and keep the others until nothing is about any more that they
/// have sealed. Several nodes share one ring.
///
/// # Text form
///
/// One key a line (or separated by commas): `id:key`, or `id:key:made`. `id` is eight hexadecimal
/// digits, `key` 32 bytes in base64url without padding, `made` the second at which the key was made,
/// counted from the Unix epoch. Empty lines and lines that begin with `#` are skipped.
///
/// ```
/// use sealwax_cookie::{KeyRing, SealKey};
///
/// let ring = KeyRing::new(SealKey::new([2; 32]), [SealKey::new([1; 32])]).unwrap();
/// let again = KeyRing::parse(&ring.to_text()).unwrap();
/// assert!(again.ids().eq(ring.ids()));
///
/// let mistake = KeyRing::parse("# keys\n12345678:oops").unwrap_err();
/// assert_eq!(
///     mistake.to_string(),
///     "line 2: the key is not 32 bytes in base64url without padding; \
///      restore the line from a copy, or remove it"
/// );
/// ```
#[derive(Clone)]
pub struct KeyRing {
    /// Never empty.
    keys: Vec<SealKey>,
}

/// A ring of one key.
impl From<SealKey> for KeyRing {
    fn from(key: SealKey) -> Self {
        Self { keys: vec![key] }
    }
}

impl KeyRing {
    /// The most keys that a ring takes.
    pub const MAX_KEYS: usize = 16;

    /// A ring in which `first` seals, and `first` and `others` open.
    ///
    /// # Errors
    /// [`KeyRingCause::TooMany`] or [`KeyRingCause::Duplicate`], for which
    /// [`line`](KeyRingError::line) is the key's place in the ring, counted from 1.
    pub fn new(
        first: SealKey,
        others: impl IntoIterator<Item = SealKey>,
    ) -> Result<Self, KeyRingError> {
        let mut ring = Self { keys: vec![first] };
        for key in others {
            let line = ring.keys.len() + 1;
            ring.push(key)
                .map_err(|cause| KeyRingError { line, cause })?;
        }
        Ok(ring)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// The first line that is wrong, and how. No error shows anything of a key.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut ring: Option<Self> = None;
        for (line, entry) in ring_text::entries(text) {
            let at = |cause| KeyRingError { line, cause };
            let key = ring_text::key(entry).map_err(at)?;
            match &mut ring {
                Some(ring) => ring.push(key).map_err(at)?,
                None => ring = Some(Self { keys: vec![key] }),
            }
        }
        ring.ok_or(KeyRingError {
            line: text.lines().count().max(1),
            cause: KeyRingCause::Empty,
        })
    }

    /// The text form: one key a line, the one that seals first.
    pub fn to_text(&self) -> Zeroizing<String> {
        // Large enough from the start: a text that grows leaves copies of keys behind.
        let capacity = self.keys.len() * (SealKey::MAX_TEXT + 1);
        let mut text = Zeroizing::new(String::with_capacity(capacity));
        for key in &self.keys {
            key.write(&mut text);
            text.push('\n');
        }
        text
    }

    /// The ids of the keys, that of the key that seals first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(SealKey::id)
    }

    /// The keys, the one that seals first.
    pub fn keys(&self) -> &[SealKey] {
        &self.keys
    }

    /// What seals and opens for one purpose. A value that was sealed for one purpose opens for no
    /// other: the key is derived from it. Deriving costs microseconds, so keep the sealer.
    pub fn sealer(&self, purpose: &str) -> Sealer {
        Sealer::new(&self.keys, purpose)
    }

    fn push(&mut self, key: SealKey) -> Result<(), KeyRingCause> {
        if self.ids().any(|id| id == key.id()) {
            return Err(KeyRingCause::Duplicate);
        }
        if self.keys.len() >= Self::MAX_KEYS {
            return Err(KeyRingCause::TooMany);
        }
        self.keys.push(key);
        Ok(())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SealKey {
        SealKey::new([n; 32])
    }

    #[test]
    fn a_ring_is_bounded_and_holds_each_key_once() {
        let full = KeyRing::new(key(0), (1..16).map(key)).unwrap();
        assert_eq!(full.ids().count(), 16);
        let error = KeyRing::new(key(0), (1..17).map(key)).unwrap_err();
        assert_eq!((error.line, error.cause), (17, KeyRingCause::TooMany));
        let error = KeyRing::new(key(0), [key(1), key(0)]).unwrap_err();
        assert_eq!((error.line, error.cause), (3, KeyRingCause::Duplicate));
    }

    #[test]
    fn debug_shows_ids_only() {
        let ring = KeyRing::new(key(1), [key(2)]).unwrap();
        let ids: Vec<_> = ring.ids().collect();
        let shown = format!("KeyRing([SealKey({}), SealKey({})])", ids[0], ids[1]);
        assert_eq!(format!("{ring:?}"), shown);
        let sealer = format!("Sealer(\"cookie\", [{}, {}])", ids[0], ids[1]);
        assert_eq!(format!("{:?}", ring.sealer("cookie")), sealer);
    }

    #[test]
    fn text_comes_back_as_it_went() {
        let ring = KeyRing::new(key(1).made_at(1_764_000_000), [key(2), key(3)]).unwrap();
        let text = ring.to_text();
        assert_eq!(text.lines().count(), 3);
        let back = KeyRing::parse(&text).unwrap();
        assert_eq!(*back.to_text(), *text);
        assert_eq!(back.keys()[0].made(), Some(1_764_000_000));
        assert_eq!(back.keys()[1].made(), None);

        // As a variable of the environment, and as people write files.
        let commas = text.trim_end().replace('\n', ",");
        assert_eq!(*KeyRing::parse(&commas).unwrap().to_text(), *text);
        let spaced = format!(
            "# made by hand\r\n\r\n  {}\r\n",
            text.replace('\n', " , \r\n")
        );
        assert_eq!(*KeyRing::parse(&spaced).unwrap().to_text(), *text);
    }
}
