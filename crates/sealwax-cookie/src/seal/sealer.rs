//! Sealing and opening bytes for one purpose.

use std::fmt;
use std::sync::Arc;

use aes_gcm_siv::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::{KeyId, SealKey};

/// The first byte of every sealed value. Another layout gets another one.
const VERSION: u8 = 1;
/// HKDF's salt: keeps our keys apart from whatever else somebody derives from the same secret.
const SALT: &[u8] = b"sealwax seal v1";

const ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;
/// What stands before the ciphertext.
const HEAD_LENGTH: usize = 1 + ID_LENGTH + NONCE_LENGTH;

/// Seals and opens values for one purpose, under the keys of one ring. Cloning is cheap.
///
/// # Format, version 1
///
/// The text is base64url without padding (RFC 4648, Section 5) of:
///
/// | bytes | |
/// |---:|---|
/// | 1 | version: 1 |
/// | 4 | [`KeyId`] of the key |
/// | 12 | nonce |
/// | n | ciphertext of n bytes |
/// | 16 | tag |
///
/// so that n bytes become ⌈4(n + 33)/3⌉ characters. Sealed by AES-256-GCM-SIV (RFC 8452) with
/// version, key id and purpose as additional data. The key is HKDF-SHA256 (RFC 5869) of the ring's
/// key, with salt `sealwax seal v1` and the purpose as info. A nonce that comes twice tells no more
/// than that two values are equal; random ones do for 2³² values and far more for each key.
///
/// ```
/// use sealwax_cookie::{KeyAge, KeyRing, SealKey, Unopened};
///
/// let old = SealKey::new([1; 32]);
/// let sealer = KeyRing::new(old.clone(), []).unwrap().sealer("challenge");
/// let text = sealer.seal(b"hello", [0; 12]); // 12 random bytes
/// assert_eq!(sealer.open(text.as_bytes()).unwrap().plain, b"hello");
///
/// // After a rotation it still opens, and is known to be old.
/// let ring = KeyRing::new(SealKey::new([2; 32]), [old]).unwrap();
/// let opened = ring.sealer("challenge").open(text.as_bytes()).unwrap();
/// assert_eq!(opened.by, KeyAge::Older);
///
/// // For another purpose it does not.
/// assert_eq!(ring.sealer("session").open(text.as_bytes()), Err(Unopened::Forged));
/// ```
#[derive(Clone)]
pub struct Sealer(Arc<Inner>);

struct Inner {
    purpose: Box<str>,
    first: PurposeKey,
    older: Box<[PurposeKey]>,
}

struct PurposeKey {
    id: KeyId,
    cipher: Aes256GcmSiv,
    /// The additional data of every value: what must be as it was when the value was sealed.
    bound: Box<[u8]>,
}

/// What came out of a sealed value.
#[derive(Clone, Eq, PartialEq)]
pub struct Opened {
    /// The bytes that were sealed.
    pub plain: Vec<u8>,
    /// Whether the key still seals.
    pub by: KeyAge,
}

/// Which key opened a value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyAge {
    /// The one that seals.
    First,
    /// One that only opens: seal the value anew.
    Older,
}

/// Why a text does not open.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Unopened {
    /// It was changed, cut off or made up, or sealed for another purpose.
    Forged,
    /// It does not look like a sealed value: no base64url, too short or of another version.
    NotSealed,
    /// No key of the ring has this id.
    UnknownKey(KeyId),
}

impl Sealer {
    pub(super) fn new(keys: &[SealKey], purpose: &str) -> Self {
        let mut keys = keys.iter().map(|key| PurposeKey::new(key, purpose));
        #[expect(clippy::expect_used, reason = "a ring is made with its first key")]
        let first = keys.next().expect("a ring holds a key");
        Self(Arc::new(Inner {
            purpose: purpose.into(),
            first,
            older: keys.collect(),
        }))
    }

    /// Seals `plain`. The nonce must be random: 12 bytes from a cryptographic source.
    pub fn seal(&self, plain: &[u8], nonce: [u8; 12]) -> String {
        let mut open = Unsealed::with_capacity(plain.len());
        open.extend(plain);
        self.close(open, nonce)
    }

    /// How many characters `length` bytes become.
    pub const fn sealed_length(length: usize) -> usize {
        (4 * (HEAD_LENGTH + length + TAG_LENGTH)).div_ceil(3)
    }

    /// Opens what [`seal`](Self::seal) made, under whichever key of the ring.
    ///
    /// # Errors
    /// [`Unopened`]. How long it takes to refuse depends on the text alone, not on what is sealed
    /// in it nor on the key.
    pub fn open(&self, text: &[u8]) -> Result<Opened, Unopened> {
        let (raw, by) = self.open_raw(text)?;
        let plain = raw.get(HEAD_LENGTH..).unwrap_or_default().to_vec();
        Ok(Opened { plain, by })
    }

    /// [`seal`](Self::seal) without a copy.
    pub(super) fn close(&self, open: Unsealed, nonce: [u8; 12]) -> String {
        let key = &self.0.first;
        let mut raw = open.0;
        let [id, nonce_place] = [1..1 + ID_LENGTH, 1 + ID_LENGTH..HEAD_LENGTH];
        for (place, bytes) in [
            (0..1, &[VERSION][..]),
            (id, key.id.as_bytes()),
            (nonce_place, &nonce),
        ] {
            if let Some(place) = raw.get_mut(place) {
                place.copy_from_slice(bytes);
            }
        }
        let plain = raw.get_mut(HEAD_LENGTH..).unwrap_or_default();
        let sealed =
            key.cipher
                .encrypt_inout_detached(&Nonce::from(nonce), &key.bound, plain.into());
        #[expect(clippy::expect_used, reason = "refuses 64 GiB and more, nothing else")]
        let tag = sealed.expect("a value fits into memory many times");
        raw.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(raw)
    }

    /// [`open`](Self::open), with what stood before the plain bytes still there.
    pub(super) fn open_raw(&self, text: &[u8]) -> Result<(Vec<u8>, KeyAge), Unopened> {
        let mut raw = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| Unopened::NotSealed)?;
        let Some((head, rest)) = raw.split_first_chunk_mut::<HEAD_LENGTH>() else {
            return Err(Unopened::NotSealed);
        };
        let Some((sealed, tag)) = rest.split_last_chunk_mut::<TAG_LENGTH>() else {
            return Err(Unopened::NotSealed);
        };
        let [version, a, b, c, d, nonce @ ..] = *head;
        if version != VERSION {
            return Err(Unopened::NotSealed);
        }
        let id = KeyId::from_bytes([a, b, c, d]);
        let (key, by) = self.0.key(id).ok_or(Unopened::UnknownKey(id))?;
        key.cipher
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                &key.bound,
                sealed.into(),
                &Tag::from(*tag),
            )
            .map_err(|_| Unopened::Forged)?;
        raw.truncate(raw.len() - TAG_LENGTH);
        Ok((raw, by))
    }
}

impl Inner {
    fn key(&self, id: KeyId) -> Option<(&PurposeKey, KeyAge)> {
        if self.first.id == id {
            return Some((&self.first, KeyAge::First));
        }
        let older = self.older.iter().find(|key| key.id == id)?;
        Some((older, KeyAge::Older))
    }
}

impl PurposeKey {
    fn new(key: &SealKey, purpose: &str) -> Self {
        let mut derived = Zeroizing::new([0; SealKey::LENGTH]);
        let hkdf = Hkdf::<Sha256>::new(Some(SALT), key.bytes());
        #[expect(
            clippy::expect_used,
            reason = "HKDF gives up to 255 blocks; this is one"
        )]
        hkdf.expand(purpose.as_bytes(), derived.as_mut_slice())
            .expect("32 bytes are within HKDF's bounds");
        Self {
            id: key.id(),
            cipher: Aes256GcmSiv::new((&*derived).into()),
            bound: [&[VERSION], &key.id().as_bytes()[..], purpose.as_bytes()]
                .concat()
                .into(),
        }
    }
}

/// Plain bytes with room for what a sealed value has around them.
pub(super) struct Unsealed(Vec<u8>);

impl Unsealed {
    pub(super) fn with_capacity(length: usize) -> Self {
        let mut raw = Vec::with_capacity(HEAD_LENGTH + length + TAG_LENGTH);
        raw.resize(HEAD_LENGTH, 0);
        Self(raw)
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.0.push(byte);
    }

    #[cfg(test)]
    pub(super) fn plain(&self) -> &[u8] {
        &self.0[HEAD_LENGTH..]
    }
}

/// Where the plain bytes begin in what [`Sealer::open_raw`] returns.
pub(super) const PLAIN_START: usize = HEAD_LENGTH;

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<KeyId> = std::iter::once(&self.0.first)
            .chain(&self.0.older)
            .map(|key| key.id)
            .collect();
        f.debug_tuple("Sealer")
            .field(&self.0.purpose)
            .field(&ids)
            .finish()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} bytes, {:?})", self.plain.len(), self.by)
    }
}

impl Unopened {
    /// A stable name for logs and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Forged => "seal.forged",
            Self::NotSealed => "seal.not-sealed",
            Self::UnknownKey(_) => "seal.unknown-key",
        }
    }
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forged => f.write_str(
                "the sealed value was changed, cut off or made up, or is for another purpose",
            ),
            Self::NotSealed => f.write_str("the value is not a sealed one"),
            Self::UnknownKey(id) => write!(
                f,
                "the value was sealed by key {id}, which is not in the key ring; \
                 put the key back if it was removed too early"
            ),
        }
    }
}

impl std::error::Error for Unopened {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::KeyRing;

    fn ring(keys: &[u8]) -> KeyRing {
        let mut keys = keys.iter().map(|n| SealKey::new([*n; 32]));
        KeyRing::new(keys.next().unwrap(), keys).unwrap()
    }

    /// The format is a promise: values outlive the program that made them. Computed independently
    /// with Python's `cryptography` (HKDF, AESGCMSIV) from the table above.
    #[test]
    fn the_format_stays_as_it_is() {
        let nonce = *b"twelve bytes";
        let text = ring(&[7]).sealer("cookie").seal(b"sealed", nonce);
        assert_eq!(text, "AfDFCRN0d2VsdmUgYnl0ZXP0dQa7JYZT1t-4svxlLpeUwMtxGl5x");
    }

    #[test]
    fn lengths_are_as_documented() {
        let sealer = ring(&[1]).sealer("cookie");
        for length in 0..70 {
            let text = sealer.seal(&vec![b'x'; length], [9; 12]);
            assert_eq!(text.len(), Sealer::sealed_length(length));
            assert_eq!(sealer.open(text.as_bytes()).unwrap().plain.len(), length);
        }
    }

    #[test]
    fn no_byte_can_be_changed_and_none_be_cut_off_or_put_on() {
        let sealer = ring(&[1]).sealer("cookie");
        // All three lengths modulo 3, so that the last character carries 6, 4 and 2 bits.
        for plain in [&b"abc"[..], b"abcd", b"abcde"] {
            let text = sealer.seal(plain, [3; 12]).into_bytes();
            for at in 0..text.len() {
                for other in (0..=255).filter(|byte| *byte != text[at]) {
                    let mut text = text.clone();
                    text[at] = other;
                    assert!(sealer.open(&text).is_err(), "{at} {other}");
                }
                assert!(sealer.open(&text[..at]).is_err(), "cut to {at}");
                assert!(sealer.open(&text[at + 1..]).is_err(), "from {at}");
            }
            for more in [&b"A"[..], b"AA", b"AAA", b"AAAA", b"=", b"==", b" ", b"\n"] {
                assert!(sealer.open(&[&text, more].concat()).is_err());
            }
        }
    }

    #[test]
    fn what_it_is_that_does_not_open() {
        let (one, two) = (ring(&[1]), ring(&[2]));
        let sealer = one.sealer("cookie");
        let text = sealer.seal(b"x", [0; 12]);
        let id = one.ids().next().unwrap();
        let cases: [(&[u8], Unopened); 6] = [
            (b"", Unopened::NotSealed),
            (b"kq3vzn0mk3zsh8r9t7c1k2m4x5b6n7v8", Unopened::NotSealed),
            (b"not base64url at all, no", Unopened::NotSealed),
            (b"\xff\xfe", Unopened::NotSealed),
            (&text.as_bytes()[..40], Unopened::NotSealed),
            // The next version.
            (
                &[b"AgAA", &text.as_bytes()[4..]].concat(),
                Unopened::NotSealed,
            ),
        ];
        for (text, why) in cases {
            assert_eq!(sealer.open(text), Err(why), "{text:?}");
        }
        let open = |ring: &KeyRing, purpose| ring.sealer(purpose).open(text.as_bytes());
        assert_eq!(open(&two, "cookie"), Err(Unopened::UnknownKey(id)));
        assert_eq!(open(&one, "challenge"), Err(Unopened::Forged));
        assert_eq!(open(&one, "cookie "), Err(Unopened::Forged));
        assert_eq!(open(&ring(&[2, 1]), "challenge"), Err(Unopened::Forged));
    }

    #[test]
    fn an_older_key_opens_and_says_so() {
        let text = ring(&[1]).sealer("cookie").seal(b"x", [0; 12]);
        let by = |keys: &[u8]| {
            ring(keys)
                .sealer("cookie")
                .open(text.as_bytes())
                .map(|o| o.by)
        };
        assert_eq!(by(&[1]), Ok(KeyAge::First));
        assert_eq!(by(&[1, 2]), Ok(KeyAge::First));
        assert_eq!(by(&[2, 3, 1]), Ok(KeyAge::Older));
        assert!(by(&[2, 3]).is_err());
    }

    #[test]
    fn debug_shows_no_plain_text() {
        let sealer = ring(&[1]).sealer("cookie");
        let opened = sealer.open(sealer.seal(b"secret", [0; 12]).as_bytes());
        assert_eq!(format!("{:?}", opened.unwrap()), "Opened(6 bytes, First)");
    }
}
