//! Tokens: one map. They are few, and they are looked up far more often than changed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::{Memory, full};
use crate::time::to_micros;
use crate::{BoxFuture, Inserted, StoreError, TokenHash, TokenRecord, TokenStore};

#[derive(Debug)]
pub(super) struct Tokens {
    records: RwLock<HashMap<TokenHash, TokenRecord>>,
    limit: usize,
}

impl Tokens {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            records: RwLock::default(),
            limit,
        }
    }

    fn read<T>(&self, read: impl FnOnce(&HashMap<TokenHash, TokenRecord>) -> T) -> T {
        read(&self.records.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut HashMap<TokenHash, TokenRecord>) -> T) -> T {
        write(&mut self.records.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn insert(&self, record: TokenRecord, now: Duration) -> Result<Inserted, StoreError> {
        self.write(|records| {
            if records.len() >= self.limit {
                records.retain(|_, record| live(record, now));
            }
            let free = records.len() < self.limit;
            match records.entry(record.hash) {
                Entry::Occupied(_) => Ok(Inserted::Taken),
                Entry::Vacant(place) if free => {
                    place.insert(record);
                    Ok(Inserted::Yes)
                }
                Entry::Vacant(_) => Err(full()),
            }
        })
    }
}

impl TokenStore for Memory {
    fn insert<'a>(
        &'a self,
        record: &'a TokenRecord,
    ) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        let inserted = record.check("memory:").and_then(|()| {
            let record = TokenRecord {
                created: to_micros(record.created),
                expires: record.expires.map(to_micros),
                last_used: record.last_used.map(to_micros),
                ..record.clone()
            };
            self.inner.tokens.insert(record, (self.inner.clock)())
        });
        Box::pin(std::future::ready(inserted))
    }

    fn find<'a>(
        &'a self,
        hash: &'a TokenHash,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<TokenRecord>, StoreError>> {
        let found = self.inner.tokens.read(|records| {
            let record = records.get(hash)?;
            live(record, now).then(|| record.clone())
        });
        Box::pin(std::future::ready(Ok(found)))
    }

    fn touch<'a>(
        &'a self,
        hash: &'a TokenHash,
        used: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.tokens.write(|records| {
            if let Some(record) = records.get_mut(hash) {
                record.last_used = Some(to_micros(used));
            }
        });
        Box::pin(std::future::ready(Ok(())))
    }

    fn revoke<'a>(&'a self, hash: &'a TokenHash) -> BoxFuture<'a, Result<bool, StoreError>> {
        let revoked = self.inner.tokens.write(|records| records.remove(hash));
        Box::pin(std::future::ready(Ok(revoked.is_some())))
    }

    fn revoke_all<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        let revoked = self.inner.tokens.write(|records| {
            let before = records.len();
            records.retain(|_, record| record.subject != subject);
            before - records.len()
        });
        Box::pin(std::future::ready(Ok(revoked as u64)))
    }

    fn list<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Vec<TokenRecord>, StoreError>> {
        let mut found: Vec<TokenRecord> = self.inner.tokens.read(|records| {
            let own = records.values().filter(|record| record.subject == subject);
            own.cloned().collect()
        });
        found.sort_unstable_by_key(|record| (record.created, record.hash.0));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        let swept = self.inner.tokens.write(|records| {
            let before = records.len();
            records.retain(|_, record| live(record, now));
            before - records.len()
        });
        Box::pin(std::future::ready(Ok(swept as u64)))
    }
}

fn live(record: &TokenRecord, now: Duration) -> bool {
    record.expires.is_none_or(|expires| expires > now)
}
