//! Cookies that are bound to a key in the browser's device (Device Bound Session Credentials).
//!
//! ```text
//!  request ─▶ Came: proof, mark, what the browser says ─▶ bonds: each cookie by its proof
//!                                                            │
//!                     endpoints (register, refresh) ◀────────┼──▶ judge: reload, 307, refusal
//!                                                            │
//!  response ◀── offer of a session, cookies bound or offered anew ◀── what is left to do
//! ```
//!
//! What is bound is withheld from the app where its proof is missing. Nobody gets an error for it:
//! the app sees a visitor who is not logged in.

mod answers;
mod came;
mod endpoints;
mod judge;
mod leaving;

use std::fmt;

use sealwax_bind::{Binder, Lifetime};
use sealwax_cookie::KeyRing;

use crate::paths::Paths;
use crate::policy::Mode;
use crate::seal::Random;

pub(crate) use came::{Came, Fetch};
pub(crate) use endpoints::answer;
pub(crate) use judge::judge;
pub(crate) use leaving::Leaving;

/// What becomes of a cookie that is not bound, where the browser says that its key fails
/// (`Secure-Session-Skipped`). A bound cookie never goes without its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fallback {
    /// The app gets it.
    #[default]
    Allow,
    /// It is withheld.
    Deny,
}

/// Which cookies are bound, and how.
#[derive(Clone)]
pub struct Bind {
    names: Box<[Box<str>]>,
    binder: Binder,
    random: Random,
    mode: Mode,
    born_on: Paths,
    fresh: Vec<(Paths, u64)>,
    fallback: Fallback,
}

impl Bind {
    /// Binds the cookies `names`, as the app spells them, which must be sealed with the same `ring`
    /// ([`crate::Policy::set_seal`]).
    #[must_use]
    pub fn new<S: AsRef<str>>(
        ring: &KeyRing,
        names: impl IntoIterator<Item = S>,
        lifetime: Lifetime,
        random: Random,
    ) -> Self {
        let names = names.into_iter().map(|name| name.as_ref().into());
        Self {
            names: names.collect(),
            binder: Binder::new(ring, lifetime),
            random,
            mode: Mode::Enforce,
            born_on: Paths::default(),
            fresh: Vec::new(),
            fallback: Fallback::Allow,
        }
    }

    /// With pages on which a session is offered before anybody logs in, so that the cookie of the
    /// login is bound from its first byte. Default: none.
    #[must_use]
    pub fn born_on(mut self, paths: Paths) -> Self {
        self.born_on = paths;
        self
    }

    /// With paths that want a proof of at most so many seconds; 0 wants one that was made for this
    /// very request. Where several match, the shortest counts. Default: none.
    #[must_use]
    pub fn fresh(mut self, paths: Paths, seconds: u64) -> Self {
        self.fresh.push((paths, seconds));
        self
    }

    /// With a fallback. Default: [`Fallback::Allow`].
    #[must_use]
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// In report mode cookies are bound and proofs asked for, but nothing is withheld, reloaded or
    /// refused. Default: [`Mode::Enforce`].
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether the cookie `name` is bound.
    #[must_use]
    pub fn covers(&self, name: &[u8]) -> bool {
        self.names.iter().any(|bound| bound.as_bytes() == name)
    }

    /// Whether it is known on which pages people log in.
    fn tells_logins(&self) -> bool {
        !self.born_on.is_empty()
    }

    /// The age in seconds that a proof may have on `path`, if that matters.
    fn age_on(&self, path: &str) -> Option<u64> {
        let ages = self.fresh.iter();
        let ages = ages.filter(|(paths, _)| paths.find_in_any_reading(path));
        ages.map(|(_, seconds)| *seconds).min()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind")
            .field("names", &self.names)
            .field("lifetime", &self.binder.lifetime())
            .field("mode", &self.mode)
            .field("born_on", &self.born_on)
            .field("fresh", &self.fresh)
            .field("fallback", &self.fallback)
            .finish_non_exhaustive()
    }
}
