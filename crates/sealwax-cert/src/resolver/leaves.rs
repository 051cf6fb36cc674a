//! The certificates of one local site: issued on demand, kept, renewed, bounded.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustls::sign::CertifiedKey;

use super::pattern::Pattern;
use crate::local::{Leaf, LocalAuthority, LocalError, LocalName, local_name};

/// How many names that come from patterns have a certificate at a time. At
/// about 2 KiB each the memory is small; the bound is about made-up names.
pub(super) const MAX_NAMES: usize = 1000;

/// Seconds after which a certificate that nobody asked for may make room. With
/// [`MAX_NAMES`] it bounds what a flood of made-up names can cost: 1,000
/// signatures, about a fifth of a second of one core, in ten minutes.
pub(super) const IDLE: i64 = 600;

pub(super) struct Leaves {
    authority: Arc<LocalAuthority>,
    /// The hosts that the site names exactly. Each keeps its certificate.
    exact: Vec<String>,
    /// What the certificate for no server name stands for.
    default_names: Vec<LocalName>,
    default: RwLock<Slot>,
    named: RwLock<HashMap<String, Slot>>,
}

/// A certificate in use.
struct Slot {
    key: Arc<CertifiedKey>,
    not_after: i64,
    renew_at: i64,
    last_used: AtomicI64,
}

impl Leaves {
    /// Checks the hosts and issues the first certificate: for the first host
    /// named exactly, else `localhost`, and for `addresses`.
    pub(super) fn new(
        authority: Arc<LocalAuthority>,
        hosts: &[Pattern],
        addresses: &[LocalName],
        now: i64,
    ) -> Result<Self, LocalError> {
        let mut exact = Vec::new();
        for pattern in hosts {
            match pattern {
                Pattern::Exact(name) => {
                    local_name(name)?;
                    exact.push(name.clone());
                }
                // A pattern is as local as the name it hangs below.
                Pattern::Tree(name) | Pattern::Below(name) => {
                    local_name(name)?;
                }
                // The names are checked when they come.
                Pattern::Any => {}
            }
        }
        let first = exact
            .iter()
            .filter_map(|name| local_name(name).ok())
            .find(|name| matches!(name, LocalName::Dns(_)))
            .unwrap_or_else(|| LocalName::Dns("localhost".to_owned()));
        let mut default_names = vec![first];
        default_names.extend_from_slice(addresses);
        let default = Slot::new(authority.issue_names(&default_names, now)?, now);
        Ok(Self {
            authority,
            exact,
            default_names,
            default: RwLock::new(default),
            named: RwLock::default(),
        })
    }

    /// The certificate for a name that one of the site's patterns matches.
    /// `None` where it has none and gets none: the name is not local, or the
    /// bound is reached.
    pub(super) fn named(&self, name: &str, now: i64) -> Option<Arc<CertifiedKey>> {
        match self.lookup(name, now) {
            Lookup::Fresh(key) => Some(key),
            // An older certificate is better than none: it has a third of its
            // life left.
            Lookup::Due(key) => Some(self.issue(name, now).unwrap_or(key)),
            Lookup::Absent => self.issue(name, now),
        }
    }

    /// The certificate that answers without a server name.
    pub(super) fn default_leaf(&self, now: i64) -> Arc<CertifiedKey> {
        let (key, due) = {
            let slot = read(&self.default);
            (Arc::clone(&slot.key), now >= slot.renew_at)
        };
        if !due {
            return key;
        }
        match self.authority.issue_names(&self.default_names, now) {
            Ok(leaf) => {
                let slot = Slot::new(leaf, now);
                let key = Arc::clone(&slot.key);
                *write(&self.default) = slot;
                key
            }
            Err(_) => key,
        }
    }

    pub(super) fn not_after(&self, name: Option<&str>) -> i64 {
        name.and_then(|name| read(&self.named).get(name).map(|slot| slot.not_after))
            .unwrap_or_else(|| read(&self.default).not_after)
    }

    fn lookup(&self, name: &str, now: i64) -> Lookup {
        match read(&self.named).get(name) {
            Some(slot) => {
                slot.last_used.store(now, Ordering::Relaxed);
                let key = Arc::clone(&slot.key);
                if now < slot.renew_at {
                    Lookup::Fresh(key)
                } else {
                    Lookup::Due(key)
                }
            }
            None => Lookup::Absent,
        }
    }

    /// Signing happens outside the lock. Two workers may sign for one name at
    /// once; the first to be stored is served by both.
    fn issue(&self, name: &str, now: i64) -> Option<Arc<CertifiedKey>> {
        let bounded = !self.exact.iter().any(|host| host == name);
        if bounded && !self.has_room(name, now) {
            return None;
        }
        let checked = local_name(name).ok()?;
        let leaf = self.authority.issue_names(&[checked], now).ok()?;
        let slot = Slot::new(leaf, now);

        let mut named = write(&self.named);
        if let Some(other) = named.get(name).filter(|other| now < other.renew_at) {
            return Some(Arc::clone(&other.key));
        }
        let key = Arc::clone(&slot.key);
        named.insert(name.to_owned(), slot);
        Some(key)
    }

    /// Whether one more name fits, after dropping what has lain idle.
    fn has_room(&self, name: &str, now: i64) -> bool {
        let fits = |named: &HashMap<String, Slot>| {
            named.contains_key(name) || named.len() < MAX_NAMES + self.exact.len()
        };
        if fits(&read(&self.named)) {
            return true;
        }
        let longest_idle = |named: &HashMap<String, Slot>| {
            named
                .values()
                .map(|slot| slot.last_used.load(Ordering::Relaxed))
                .min()
        };
        // The common case under a flood: full, and nothing idle. Readers only.
        if longest_idle(&read(&self.named)).is_some_and(|used| now.saturating_sub(used) < IDLE) {
            return false;
        }
        let mut named = write(&self.named);
        named.retain(|_, slot| now.saturating_sub(slot.last_used.load(Ordering::Relaxed)) < IDLE);
        fits(&named)
    }
}

enum Lookup {
    Fresh(Arc<CertifiedKey>),
    Due(Arc<CertifiedKey>),
    Absent,
}

impl Slot {
    fn new(leaf: Leaf, now: i64) -> Self {
        Self {
            not_after: leaf.not_after,
            renew_at: leaf.renew_at(),
            key: leaf.key,
            last_used: AtomicI64::new(now),
        }
    }
}

// A poisoned lock means that a thread died while it held one; every state that
// the maps can be in is whole, so there is nothing to refuse.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves")
            .field("authority", &self.authority)
            .field("exact", &self.exact)
            .finish_non_exhaustive()
    }
}
