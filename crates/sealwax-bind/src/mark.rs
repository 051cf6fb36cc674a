//! The wish for a fresh proof: what a sensitive path asks for.

use std::fmt;

use crate::sealed::{Sealable, Unusable, check_time};
use crate::thumbprint::Thumbprint;
use crate::wire::Reader;

/// The cookie that carries a [`Mark`].
pub const MARK_COOKIE: &str = "__Host-sealwax-fresh";
/// For how many seconds a mark is good: the browser is to refresh and repeat its request at once.
pub const MARK_LIFE: u64 = 60;

/// Removes the cookie that carries a [`Mark`]: the value of a `Set-Cookie` field.
pub const DELETE_MARK: &str =
    "__Host-sealwax-fresh=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";

/// Which wish for a fresh proof: 16 random bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct MarkId([u8; 16]);

impl MarkId {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The first 8 hexadecimal digits, to tell one wish from another.
    #[must_use]
    pub fn short(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for MarkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkId({}…)", self.short())
    }
}

/// Says that a proof for this key is wished for that is newer than the mark.
///
/// It is set with the 307 that repeats a request to a sensitive path. The challenge then given names
/// the mark, and so does the [`Proof`](crate::Proof) made from it: a proof with the mark's id was
/// signed after the mark was made, and in the browser that got it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    /// Which wish.
    pub id: MarkId,
    /// Whose proof is wished for.
    pub key: Thumbprint,
    /// When it was made, in Unix seconds.
    pub made: u64,
}

impl Mark {
    pub(crate) fn check(&self, now: u64) -> Result<(), Unusable> {
        check_time(self.made, MARK_LIFE, now)
    }
}

impl Sealable for Mark {
    const LONGEST: usize = 1024;

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.id.as_bytes());
        to.extend_from_slice(self.key.as_bytes());
        to.extend_from_slice(&self.made.to_be_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            id: MarkId::from_bytes(*from.array()?),
            key: Thumbprint::from_bytes(*from.array()?),
            made: from.time()?,
        })
    }
}

pub(crate) fn set_cookie(value: &str) -> String {
    format!("{MARK_COOKIE}={value}; Max-Age={MARK_LIFE}; Path=/; Secure; HttpOnly; SameSite=Lax")
}
