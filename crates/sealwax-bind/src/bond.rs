//! What a sealed cookie says about the key that it belongs to.

use crate::proof::Proof;
use crate::thumbprint::Thumbprint;
use crate::wire::Reader;

/// Whether a cookie belongs to a key: the note inside the sealed cookie of an app.
///
/// ```
/// use sealwax_bind::{Bond, Proof, Standing, Thumbprint};
///
/// let key = Thumbprint::from_bytes([7; 32]);
/// let bond = Bond::Bound(key);
/// assert_eq!(Bond::from_bytes(&bond.to_bytes()), Some(bond));
///
/// let proof = Proof { key, proven: 1_764_000_000, expires: 1_764_000_600, mark: None };
/// assert_eq!(bond.standing(Some(&proof)), Standing::Proven);
/// assert_eq!(bond.standing(None), Standing::Unproven);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bond {
    /// To none: whoever has the cookie can use it.
    Unbound {
        /// When the browser was last offered a session, in Unix seconds; 0 for never.
        offered: u64,
    },
    /// To this one: without a proof by it the cookie is worth nothing.
    Bound(Thumbprint),
}

/// What becomes of a cookie, given the live proof that came along.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Standing {
    /// It is bound to no key.
    Unbound,
    /// The proof is by its key: the app may see it.
    Proven,
    /// It is bound, and no live proof came: to be withheld.
    Unproven,
    /// It is bound, and the live proof is by another key: to be withheld. A browser sends this only
    /// between two registrations; somebody who mixes cookies sends it, too.
    OtherKey,
}

const UNBOUND: u8 = 0;
const BOUND: u8 = 1;

impl Bond {
    /// The note for the sealed cookie.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Unbound { offered } => [&[UNBOUND][..], &offered.to_be_bytes()].concat(),
            Self::Bound(key) => [&[BOUND][..], key.as_bytes()].concat(),
        }
    }

    /// Reads a note. An empty one, as a cookie has that was sealed before binding was switched on,
    /// is unbound and was never offered.
    ///
    /// `None` for a note of another version: such a cookie is to be withheld, since it may be bound.
    #[must_use]
    pub fn from_bytes(note: &[u8]) -> Option<Self> {
        if note.is_empty() {
            return Some(Self::Unbound { offered: 0 });
        }
        let mut reader = Reader::new(note);
        let bond = match reader.byte()? {
            UNBOUND => Self::Unbound {
                offered: reader.time()?,
            },
            BOUND => Self::Bound(Thumbprint::from_bytes(*reader.array()?)),
            _ => return None,
        };
        reader.rest().is_empty().then_some(bond)
    }

    /// Judges the cookie by the proof that came with it, which must be live:
    /// [`Binder::proof`](crate::Binder::proof) gives no other.
    #[must_use]
    pub fn standing(&self, proof: Option<&Proof>) -> Standing {
        match (self, proof) {
            (Self::Unbound { .. }, _) => Standing::Unbound,
            (Self::Bound(_), None) => Standing::Unproven,
            (Self::Bound(key), Some(proof)) if *key == proof.key => Standing::Proven,
            (Self::Bound(_), Some(_)) => Standing::OtherKey,
        }
    }
}
