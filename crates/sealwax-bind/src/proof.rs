//! The cookie that says: the key was used a short while ago.

use crate::mark::MarkId;
use crate::sealed::{MAX_SKEW, Sealable, Unusable};
use crate::thumbprint::Thumbprint;
use crate::wire::Reader;

/// The cookie that carries a [`Proof`]: the credential that browsers refresh.
///
/// Not `__Host-Http-`, which Chromium does not take as a credential.
pub const PROOF_COOKIE: &str = "__Host-sealwax-proof";
/// The attributes of [`PROOF_COOKIE`], word for word as the instructions announce them: where they
/// differ, browsers refresh at every request.
pub const PROOF_ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Removes the cookie that carries a [`Proof`]: the value of a `Set-Cookie` field. Browsers that
/// have a session then refresh it before the next request.
pub const DELETE_PROOF: &str =
    "__Host-sealwax-proof=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";

/// That a browser used its key.
///
/// It counts from the moment of the challenge that was signed, not from when the signature came: the
/// same signature sent again buys no second more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The key.
    pub key: Thumbprint,
    /// When the challenge was given, in Unix seconds. The signature is younger.
    pub proven: u64,
    /// From when on the proof is over, in Unix seconds.
    pub expires: u64,
    /// The wish for a fresh proof that this one was made for.
    pub mark: Option<MarkId>,
}

impl Proof {
    /// How many seconds old it is.
    #[must_use]
    pub const fn age(&self, now: u64) -> u64 {
        now.saturating_sub(self.proven)
    }

    /// For how many more seconds it is good.
    #[must_use]
    pub const fn left(&self, now: u64) -> u64 {
        self.expires.saturating_sub(now)
    }

    pub(crate) fn check(&self, now: u64) -> Result<(), Unusable> {
        if self.proven > now.saturating_add(MAX_SKEW) {
            return Err(Unusable::FromTheFuture);
        }
        match now.checked_sub(self.expires) {
            Some(seconds) => Err(Unusable::Expired { seconds }),
            None => Ok(()),
        }
    }
}

const PLAIN: u8 = 0;
const WITH_MARK: u8 = 1;

impl Sealable for Proof {
    const LONGEST: usize = 1024;

    fn write(&self, to: &mut Vec<u8>) {
        match &self.mark {
            None => to.push(PLAIN),
            Some(mark) => {
                to.push(WITH_MARK);
                to.extend_from_slice(mark.as_bytes());
            }
        }
        to.extend_from_slice(self.key.as_bytes());
        to.extend_from_slice(&self.proven.to_be_bytes());
        to.extend_from_slice(&self.expires.to_be_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mark = match from.byte()? {
            PLAIN => None,
            WITH_MARK => Some(MarkId::from_bytes(*from.array()?)),
            _ => return None,
        };
        Some(Self {
            key: Thumbprint::from_bytes(*from.array()?),
            proven: from.time()?,
            expires: from.time()?,
            mark,
        })
    }
}

/// `Max-Age`, since the clocks of clients are wrong.
pub(crate) fn set_cookie(value: &str, seconds: u64) -> String {
    format!("{PROOF_COOKIE}={value}; Max-Age={seconds}; {PROOF_ATTRIBUTES}")
}
