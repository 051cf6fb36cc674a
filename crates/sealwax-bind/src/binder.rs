//! One site's side of the protocol: its keys and settings.

use sealwax_cookie::{KeyRing, Sealer};

use crate::challenge::{Challenge, Purpose};
use crate::fields;
use crate::instructions::{self, Excluded};
use crate::lifetime::Lifetime;
use crate::mark::{self, Mark, MarkId};
use crate::proof::Proof;
use crate::sealed::{Sealable, Unusable};
use crate::session::Edition;
use crate::thumbprint::Thumbprint;

/// Where browsers register: the path of the offer.
pub const REGISTER_PATH: &str = "/.sealwax/bind/register";
/// Where browsers refresh: the path in the instructions, which has a query, too.
pub const REFRESH_PATH: &str = "/.sealwax/bind/refresh";

/// Answers for every bound session of a site, without remembering any of them.
///
/// Hosts are those of the request as they are compared everywhere: lower case, and the same for all
/// requests to one site. Times are Unix seconds. Random bytes must come from a cryptographic source,
/// new for every call. Cloning is cheap but for the list of excluded paths.
#[derive(Clone, Debug)]
pub struct Binder {
    pub(crate) session: Sealer,
    pub(crate) challenge: Sealer,
    pub(crate) proof: Sealer,
    pub(crate) mark: Sealer,
    pub(crate) lifetime: Lifetime,
    pub(crate) excluded: Vec<Excluded>,
    pub(crate) edition: Edition,
}

impl Binder {
    /// With the keys of a ring. Every node with the same ring can answer for every other.
    #[must_use]
    pub fn new(ring: &KeyRing, lifetime: Lifetime) -> Self {
        Self {
            // One key for each kind of value: none can stand for another.
            session: ring.sealer("bind session"),
            challenge: ring.sealer("bind challenge"),
            proof: ring.sealer("bind proof"),
            mark: ring.sealer("bind fresh"),
            lifetime,
            excluded: Vec::new(),
            edition: instructions::edition(&[]),
        }
    }

    /// With parts of the site for which no request waits. Browsers that have a session get to know
    /// with their next refresh.
    #[must_use]
    pub fn excluding(mut self, excluded: Vec<Excluded>) -> Self {
        self.edition = instructions::edition(&excluded);
        self.excluded = excluded;
        self
    }

    /// How long a proof lasts.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Offers a session: the value of a field [`REGISTRATION`](crate::REGISTRATION). A browser that
    /// knows the protocol makes a key and registers it within milliseconds; others ignore the field.
    ///
    /// The response must not be stored by caches: the challenge is good for five minutes.
    #[must_use]
    pub fn offer(&self, host: &str, now: u64, random: [u8; 12]) -> String {
        let challenge = self.seal_challenge(Purpose::Register, host, now, random);
        fields::registration(REGISTER_PATH, &challenge)
    }

    /// Opens the value of the cookie [`PROOF_COOKIE`](crate::PROOF_COOKIE). What comes out is live:
    /// made for this host, and not over.
    ///
    /// # Errors
    /// [`Unusable`]. Browsers delete a cookie that is over, so one that is [`Unusable::Expired`] for
    /// longer than a request is under way was kept by somebody else.
    pub fn proof(&self, value: &[u8], host: &str, now: u64) -> Result<Proof, Unusable> {
        let (proof, _) = Proof::open(&self.proof, value, host)?;
        proof.check(now)?;
        Ok(proof)
    }

    /// Makes a [`Mark`]: to be set with every 307 that asks for a fresh proof, beside
    /// [`DELETE_PROOF`](crate::DELETE_PROOF). Without it, a browser may send the same signature
    /// again. Where a live mark came along, it is to be kept, since a refresh may be under way that
    /// names it. Returns the mark and the value of its `Set-Cookie` field.
    #[must_use]
    pub fn make_mark(
        &self,
        host: &str,
        key: Thumbprint,
        now: u64,
        random: [u8; 28],
    ) -> (Mark, String) {
        let (id, nonce) = split(random);
        let mark = Mark {
            id: MarkId::from_bytes(id),
            key,
            made: now,
        };
        let value = mark.seal(&self.mark, host, nonce);
        (mark, mark::set_cookie(&value))
    }

    /// Opens the value of the cookie [`MARK_COOKIE`](crate::MARK_COOKIE). A proof is fresh where its
    /// [`mark`](Proof::mark) is this one's [`id`](Mark::id).
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn mark(&self, value: &[u8], host: &str, now: u64) -> Result<Mark, Unusable> {
        let (mark, _) = Mark::open(&self.mark, value, host)?;
        mark.check(now)?;
        Ok(mark)
    }

    pub(crate) fn seal_challenge(
        &self,
        purpose: Purpose,
        host: &str,
        now: u64,
        nonce: [u8; 12],
    ) -> String {
        let issued = now;
        Challenge { issued, purpose }.seal(&self.challenge, host, nonce)
    }
}

/// Cuts random bytes into two parts that have nothing to do with each other. `A + B` is `N`.
pub(crate) fn split<const N: usize, const A: usize, const B: usize>(
    random: [u8; N],
) -> ([u8; A], [u8; B]) {
    const { assert!(A + B == N) };
    (
        std::array::from_fn(|at| random.get(at).copied().unwrap_or_default()),
        std::array::from_fn(|at| random.get(A + at).copied().unwrap_or_default()),
    )
}
