//! Sessions and tokens in this process.

mod shards;
mod tokens;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{BoxFuture, Created, Record, Saved, SessionKey, SessionStore, StoreError};
use shards::{Full, Shards};
use tokens::Tokens;

/// How much a [`Memory`] holds. Both count at once.
///
/// ```
/// use sealwax_store::{Memory, MemoryLimits};
///
/// let small = Memory::with_limits(MemoryLimits { entries: 1000, ..MemoryLimits::default() });
/// # let _ = small;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Sessions; tokens have as much room again. Default 100,000.
    pub entries: usize,
    /// Bytes of their data. Default 256 MiB.
    pub bytes: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            entries: 100_000,
            bytes: 256 << 20,
        }
    }
}

/// Sessions and tokens that live as long as this process does.
///
/// For development, tests, and apps of one process that may log everybody out
/// when they restart.
///
/// It is bounded, and it never forgets a live session to make room for another:
/// when it is full of live sessions, a new one is
/// [unavailable](StoreError::Unavailable). Expired ones make room first, by the
/// system's clock.
///
/// A clone is another handle to the same memory.
///
/// ```
/// use std::sync::Arc;
/// use sealwax_store::{Memory, SessionStore, TokenStore};
///
/// let memory = Memory::new();
/// let sessions: Arc<dyn SessionStore> = Arc::new(memory.clone());
/// let tokens: Arc<dyn TokenStore> = Arc::new(memory);
/// # let _ = (sessions, tokens);
/// ```
#[derive(Clone, Debug)]
pub struct Memory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sessions: Shards,
    tokens: Tokens,
    clock: fn() -> Duration,
}

impl Memory {
    /// An empty store with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(MemoryLimits::default())
    }

    /// An empty store with these limits.
    #[must_use]
    pub fn with_limits(limits: MemoryLimits) -> Self {
        Self::with_clock(limits, since_epoch)
    }

    fn with_clock(limits: MemoryLimits, clock: fn() -> Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                sessions: Shards::new(limits),
                tokens: Tokens::new(limits.entries),
                clock,
            }),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionStore for Memory {
    fn is_own_memory(&self) -> bool {
        true
    }

    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let found = self.inner.sessions.load(key, now);
        Box::pin(std::future::ready(Ok(found)))
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        let Inner {
            sessions, clock, ..
        } = &*self.inner;
        let record = cut(record);
        let mut created = sessions.create(key, &record);
        if created.is_err() && sessions.sweep(clock()) > 0 {
            created = sessions.create(key, &record);
        }
        Box::pin(std::future::ready(created.map_err(|Full| full())))
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>> {
        let Inner {
            sessions, clock, ..
        } = &*self.inner;
        let record = cut(record);
        let mut saved = sessions.save(key, &record);
        if saved.is_err() && sessions.sweep(clock()) > 0 {
            saved = sessions.save(key, &record);
        }
        Box::pin(std::future::ready(saved.map_err(|Full| full())))
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.sessions.delete(key);
        Box::pin(std::future::ready(Ok(())))
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        let swept = self.inner.sessions.sweep(now);
        Box::pin(std::future::ready(Ok(swept)))
    }
}

/// Cuts the expiry to the microsecond, as the databases do.
fn cut(record: Record) -> Record {
    Record {
        expires: crate::time::to_micros(record.expires),
        ..record
    }
}

fn full() -> StoreError {
    StoreError::unavailable(
        "memory:",
        "full of live entries",
        "raise its limits, shorten the sessions' age, or keep them in a database",
    )
}

fn since_epoch() -> Duration {
    // A clock before 1970 sees everything as live: nothing is dropped wrongly.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
