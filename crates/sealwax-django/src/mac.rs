//! HMAC with the key hashed once: Django's `salted_hmac`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The hash under a signature: `algorithm` of Django's `Signer`. Django's own signatures all use
/// SHA-256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// `sha1`, the default before Django 3.1.
    Sha1,
    /// `sha224`.
    Sha224,
    /// `sha256`, Django's default.
    #[default]
    Sha256,
    /// `sha384`.
    Sha384,
    /// `sha512`.
    Sha512,
}

impl Algorithm {
    /// The algorithm that Python's `hashlib` knows by this name.
    ///
    /// # Errors
    /// [`UnknownAlgorithm`], Django's `InvalidAlgorithm`.
    pub fn from_name(name: &str) -> Result<Self, UnknownAlgorithm> {
        Ok(match name {
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return Err(UnknownAlgorithm(name.to_owned())),
        })
    }
}

/// A name that is no [`Algorithm`]; the text is Django's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an algorithm accepted by the hashlib module.")]
pub struct UnknownAlgorithm(pub String);

/// An HMAC that has taken its key in: cloned per message, so that no message pays for the key.
#[derive(Clone)]
pub(crate) enum KeyedMac {
    Sha1(Box<Hmac<Sha1>>),
    Sha224(Box<Hmac<Sha224>>),
    Sha256(Hmac<Sha256>),
    Sha384(Box<Hmac<Sha384>>),
    Sha512(Box<Hmac<Sha512>>),
}

/// The longest digest, of SHA-512.
const LONGEST: usize = 64;

/// A tag of at most [`LONGEST`] bytes.
pub(crate) struct Tag {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Tag {
    fn new(tag: &[u8]) -> Self {
        let len = tag.len().min(LONGEST);
        let mut bytes = [0; LONGEST];
        bytes[..len].copy_from_slice(&tag[..len]);
        Self { bytes, len }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// As text for `encode`d comparison or output, without an allocation.
    pub(crate) fn base64(&self) -> Signature {
        let mut text = [0; Signature::LONGEST];
        // It fits: 64 bytes are 86 characters.
        let len = URL_SAFE_NO_PAD
            .encode_slice(self.bytes(), &mut text)
            .unwrap_or(0);
        Signature { text, len }
    }
}

/// A tag as Django writes it: base64 for URLs, without padding.
pub(crate) struct Signature {
    text: [u8; Self::LONGEST],
    len: usize,
}

impl Signature {
    const LONGEST: usize = 88;

    pub(crate) fn as_str(&self) -> &str {
        // Base64 is ASCII.
        std::str::from_utf8(&self.text[..self.len]).unwrap_or_default()
    }

    /// Compared in constant time; only the length, which is no secret, is told apart early. An
    /// empty signature equals nothing.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.len > 0 && self.text[..self.len].ct_eq(other.as_bytes()).into()
    }
}

impl KeyedMac {
    /// Keyed with the digest of all `parts` in a row: how Django makes a key from salt and secret.
    pub(crate) fn derived(algorithm: Algorithm, parts: &[&[u8]]) -> Self {
        fn digest<D: Digest>(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
            let mut hash = D::new();
            for part in parts {
                hash.update(part);
            }
            let mut out = hash.finalize();
            let key = Zeroizing::new(out.to_vec());
            zeroize::Zeroize::zeroize(out.as_mut_slice());
            key
        }
        // HMAC takes keys of any length (RFC 2104, Section 2).
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(Box::new(keyed(&digest::<Sha1>(parts)))),
            Algorithm::Sha224 => Self::Sha224(Box::new(keyed(&digest::<Sha224>(parts)))),
            Algorithm::Sha256 => Self::Sha256(keyed(&digest::<Sha256>(parts))),
            Algorithm::Sha384 => Self::Sha384(Box::new(keyed(&digest::<Sha384>(parts)))),
            Algorithm::Sha512 => Self::Sha512(Box::new(keyed(&digest::<Sha512>(parts)))),
        }
    }

    /// The tag of all `parts` in a row.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Tag {
        macro_rules! finish {
            ($state:expr) => {{
                let mut mac = $state.clone();
                for part in parts {
                    mac.update(part);
                }
                Tag::new(&mac.finalize().into_bytes())
            }};
        }
        match self {
            Self::Sha1(state) => finish!(state.as_ref()),
            Self::Sha224(state) => finish!(state.as_ref()),
            Self::Sha256(state) => finish!(state),
            Self::Sha384(state) => finish!(state.as_ref()),
            Self::Sha512(state) => finish!(state.as_ref()),
        }
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("HMAC takes keys of any length")
}
