//! Which cookies are sealed towards the browser, and with what.

use std::fmt;

use sealwax_cookie::{CookieSeal, KeyRing, OpenedCookie, Prefix, Scope};

/// Fills a buffer with random bytes from a cryptographic source. The policy has none of its own.
pub type Random = fn(&mut [u8]);

/// The cookies whose values the browser holds sealed: encrypted and authenticated, for one name on
/// one host. The app sets and gets them plain.
#[derive(Clone)]
pub struct Seal {
    names: Box<[Box<str>]>,
    keys: CookieSeal,
    random: Random,
}

impl Seal {
    /// Seals the cookies `names`, as the app spells them, with the first key of `ring`, and opens
    /// them with all.
    #[must_use]
    pub fn new<S: AsRef<str>>(
        ring: &KeyRing,
        names: impl IntoIterator<Item = S>,
        random: Random,
    ) -> Self {
        let names = names.into_iter().map(|name| Box::from(name.as_ref()));
        Self {
            names: names.collect(),
            keys: CookieSeal::new(ring),
            random,
        }
    }

    /// The cookies, as the app spells them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// Whether the cookie `name` is sealed.
    #[must_use]
    pub fn covers(&self, name: &[u8]) -> bool {
        self.names().any(|sealed| sealed.as_bytes() == name)
    }

    /// Whether `name` is that of a sealed cookie with a prefix that the app did not write.
    pub(crate) fn covers_behind_a_prefix(&self, name: &[u8]) -> bool {
        Prefix::split(name).is_some_and(|(_, rest)| self.covers(rest)) && !self.covers(name)
    }

    pub(crate) fn keys(&self) -> &CookieSeal {
        &self.keys
    }

    pub(crate) fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        (self.random)(&mut nonce);
        nonce
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// Whether other hosts get the cookie, too.
pub(crate) fn is_for_a_domain(cookie: &OpenedCookie) -> bool {
    matches!(cookie.contents().scope, Scope::Domain(_))
}
