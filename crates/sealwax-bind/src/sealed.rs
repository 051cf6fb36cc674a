//! What all of our sealed values have in common: a host, a time, and why one is not to be used.

use sealwax_cookie::{KeyAge, KeyId, Sealer, Unopened};

use crate::wire::Reader;

/// How far in the future a time may lie, in seconds: the clocks of two nodes differ.
pub const MAX_SKEW: u64 = 5 * 60;

/// The first byte inside every value. Another layout gets another one.
const LAYOUT: u8 = 1;

/// Why a sealed value (proof, challenge, mark or session) is not to be used.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// It does not look like a value of ours, or is longer than any.
    #[error("it is not a sealed value")]
    NotSealed,
    /// It was sealed under a key that is not in the ring (any more).
    #[error("it was sealed by key {0}, which is not in the key ring")]
    UnknownKey(KeyId),
    /// It was changed, cut off or made up, or it is a sealed value of another kind.
    #[error("it was changed or made up, or is a sealed value of another kind")]
    Forged,
    /// It is ours, and of a version that this one does not know.
    #[error("it was sealed by another version of this program")]
    Layout,
    /// It was sealed for another host.
    #[error("it was sealed for the host {sealed_for}")]
    OtherHost {
        /// The host that it is for.
        sealed_for: Box<str>,
    },
    /// A challenge for a registration where one for a refresh belongs, or the other way round.
    #[error("it is a challenge for another purpose")]
    OtherPurpose,
    /// It is for another key.
    #[error("it is for another key")]
    OtherKey,
    /// A challenge older than the wish for a fresh proof, or made for another one.
    #[error("it is older than the wish for a fresh proof")]
    OtherMark,
    /// Its time is over.
    #[error("it expired {seconds} s ago")]
    Expired {
        /// For how long already, in seconds.
        seconds: u64,
    },
    /// It was made more than [`MAX_SKEW`] seconds from now.
    #[error("it was made in the future; the clocks of the nodes differ")]
    FromTheFuture,
}

impl Unusable {
    /// A stable name for logs and reports.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::NotSealed => "not-sealed",
            Self::UnknownKey(_) => "unknown-key",
            Self::Forged => "forged",
            Self::Layout => "layout",
            Self::OtherHost { .. } => "other-host",
            Self::OtherPurpose => "other-purpose",
            Self::OtherKey => "other-key",
            Self::OtherMark => "other-mark",
            Self::Expired { .. } => "expired",
            Self::FromTheFuture => "from-the-future",
        }
    }
}

impl From<Unopened> for Unusable {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::NotSealed => Self::NotSealed,
            Unopened::UnknownKey(id) => Self::UnknownKey(id),
            Unopened::Forged => Self::Forged,
        }
    }
}

/// A value that is sealed for one host.
pub(crate) trait Sealable: Sized {
    /// The longest text of a value that is decrypted.
    const LONGEST: usize;

    fn write(&self, to: &mut Vec<u8>);
    fn read(from: &mut Reader<'_>) -> Option<Self>;

    fn seal(&self, sealer: &Sealer, host: &str, nonce: [u8; 12]) -> String {
        let mut plain = vec![LAYOUT];
        self.write(&mut plain);
        // Last, so that it needs no length.
        plain.extend_from_slice(host.as_bytes());
        sealer.seal(&plain, nonce)
    }

    fn open(sealer: &Sealer, text: &[u8], host: &str) -> Result<(Self, KeyAge), Unusable> {
        if text.len() > Self::LONGEST {
            return Err(Unusable::NotSealed);
        }
        let opened = sealer.open(text)?;
        let mut reader = Reader::new(&opened.plain);
        if reader.byte() != Some(LAYOUT) {
            return Err(Unusable::Layout);
        }
        let value = Self::read(&mut reader).ok_or(Unusable::Layout)?;
        let sealed_for = reader.rest();
        if sealed_for != host.as_bytes() {
            let sealed_for = String::from_utf8_lossy(sealed_for).into();
            return Err(Unusable::OtherHost { sealed_for });
        }
        Ok((value, opened.by))
    }
}

/// Checks that what was made at `made` and is good for `life` seconds is so at `now`.
pub(crate) fn check_time(made: u64, life: u64, now: u64) -> Result<(), Unusable> {
    if made > now.saturating_add(MAX_SKEW) {
        return Err(Unusable::FromTheFuture);
    }
    let end = made.saturating_add(life);
    match now.checked_sub(end) {
        Some(seconds) => Err(Unusable::Expired { seconds }),
        None => Ok(()),
    }
}
