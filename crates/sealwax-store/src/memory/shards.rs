//! The map of sessions: in shards, so that threads seldom wait for each other.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::MemoryLimits;
use crate::{Created, Record, Saved, SessionKey};

const SHARDS: usize = 16;

/// There is no room.
#[derive(Debug)]
pub(super) struct Full;

#[derive(Debug)]
pub(super) struct Shards {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    limits: MemoryLimits,
    entries: AtomicUsize,
    bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    records: HashMap<SessionKey, Record>,
    /// No record expires before this: a sweep that comes earlier has nothing to
    /// look for, so a full store does not search itself for every visitor.
    earliest: Duration,
}

impl Shards {
    pub(super) fn new(limits: MemoryLimits) -> Self {
        Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    records: HashMap::new(),
                    earliest: Duration::MAX,
                })
            }),
            hasher: RandomState::new(),
            limits,
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    pub(super) fn load(&self, key: &SessionKey, now: Duration) -> Option<Record> {
        let shard = self.shard(key);
        let record = shard.records.get(key)?;
        (record.expires > now).then(|| record.clone())
    }

    pub(super) fn create(&self, key: &SessionKey, record: &Record) -> Result<Created, Full> {
        let mut shard = self.shard(key);
        let Shard { records, earliest } = &mut *shard;
        match records.entry(*key) {
            Entry::Occupied(_) => Ok(Created::Taken),
            Entry::Vacant(place) => {
                take(&self.entries, 1, self.limits.entries)?;
                if let Err(full) = take(&self.bytes, record.data.len(), self.limits.bytes) {
                    self.entries.fetch_sub(1, Ordering::Relaxed);
                    return Err(full);
                }
                place.insert(record.clone());
                *earliest = record.expires.min(*earliest);
                Ok(Created::Yes)
            }
        }
    }

    pub(super) fn save(&self, key: &SessionKey, record: &Record) -> Result<Saved, Full> {
        let mut shard = self.shard(key);
        let Shard { records, earliest } = &mut *shard;
        let Some(old) = records.get_mut(key) else {
            return Ok(Saved::Gone);
        };
        let (new, had) = (record.data.len(), old.data.len());
        if new > had {
            take(&self.bytes, new - had, self.limits.bytes)?;
        } else {
            self.bytes.fetch_sub(had - new, Ordering::Relaxed);
        }
        *old = record.clone();
        *earliest = record.expires.min(*earliest);
        Ok(Saved::Yes)
    }

    pub(super) fn delete(&self, key: &SessionKey) {
        let removed = self.shard(key).records.remove(key);
        if let Some(record) = removed {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(record.data.len(), Ordering::Relaxed);
        }
    }

    pub(super) fn sweep(&self, now: Duration) -> u64 {
        let mut swept = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            if shard.earliest > now {
                continue;
            }
            let mut earliest = Duration::MAX;
            let mut bytes = 0;
            let before = shard.records.len();
            shard.records.retain(|_, record| {
                let live = record.expires > now;
                if live {
                    earliest = earliest.min(record.expires);
                } else {
                    bytes += record.data.len();
                }
                live
            });
            let gone = before - shard.records.len();
            shard.earliest = earliest;
            self.entries.fetch_sub(gone, Ordering::Relaxed);
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            swept += gone as u64;
        }
        swept
    }

    /// Entries and bytes.
    #[cfg(test)]
    pub(super) fn used(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&self.entries), count(&self.bytes))
    }

    fn shard(&self, key: &SessionKey) -> MutexGuard<'_, Shard> {
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        // The remainder is below SHARDS, the length of the array.
        lock(&self.shards[place])
    }
}

/// Adds `amount` to the counter, unless that would pass `limit`.
fn take(counter: &AtomicUsize, amount: usize, limit: usize) -> Result<(), Full> {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            taken.checked_add(amount).filter(|sum| *sum <= limit)
        })
        .map(drop)
        .map_err(|_| Full)
}

/// A thread that panicked in here left the map whole: no step of ours panics
/// between two changes.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
