//! A Django next door that keeps its sessions in the database and in a cache.

use std::sync::Arc;
use std::time::Duration;

use crate::{Backend, BoxFuture, Created, Record, Saved, SessionKey, SessionStore, StoreError};

/// The cache of a Django whose `SESSION_ENGINE` is `cached_db`, by the names of
/// its `CACHES` setting.
///
/// ```
/// use sealwax_store::CachedDb;
///
/// // CACHES = {"default": {…, "KEY_PREFIX": "shop"}}
/// let names = CachedDb { key_prefix: "shop".into(), ..CachedDb::default() };
/// assert_eq!(names.version, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedDb {
    /// `KEY_PREFIX`. Default: empty.
    pub key_prefix: String,
    /// `VERSION`. Default: 1.
    pub version: u32,
    /// `LOCATION` of a cache in the database: its table. Redis does not look at
    /// it. Default: `django_cache`.
    pub table: String,
}

impl Default for CachedDb {
    fn default() -> Self {
        Self {
            key_prefix: String::new(),
            version: 1,
            table: "django_cache".to_owned(),
        }
    }
}

/// Keeps Django's cache of sessions true: what is saved or deleted in `store` is
/// deleted from the cache too, so that Django reads it from the database again.
///
/// `cache` is the Redis or the database that Django's `CACHES["default"]` (or
/// `SESSION_CACHE_ALIAS`) names; caches in files and in memcached cannot be
/// reached from here, so a Django that uses one must take the `db` engine.
///
/// # Errors
/// [`StoreError::Misconfigured`] when the cache is not of such a kind, or its
/// table is not there; [`StoreError::Unavailable`]. Of the store that comes out,
/// `save` and `delete` fail when the cache cannot be told, though the database has
/// been changed by then: Django would go on with what it has cached, for a logout
/// with somebody who is gone. Both may be done again.
///
/// # Races
/// A Django that read the database before a save and writes its cache after it
/// caches what was there before: the engine has this gap between its own
/// processes as well. A cached session of Django's lives as long as the session.
///
/// # Example
/// ```no_run
/// use sealwax_store::{Backend, CachedDb, with_cached_db};
///
/// # async fn open() -> Result<(), sealwax_store::StoreError> {
/// let database = Backend::open("postgres://app@db.internal/shop").await?;
/// let cache = Backend::open("redis://cache.internal/1").await?;
/// let sessions = with_cached_db(database.sessions().await?, &cache, CachedDb::default()).await?;
/// # let _ = sessions; Ok(()) }
/// ```
pub async fn with_cached_db(
    store: Arc<dyn SessionStore>,
    cache: &Backend,
    names: CachedDb,
) -> Result<Arc<dyn SessionStore>, StoreError> {
    let cache = cache.cache(&names.table).await?;
    let CachedDb {
        key_prefix,
        version,
        ..
    } = names;
    // A colon on either side of the version, as Django's own function of keys has.
    let prefix = format!("{key_prefix}:{version}:django.contrib.sessions.cached_db");
    Ok(Arc::new(Both {
        store,
        cache,
        prefix,
    }))
}

/// A cache in which keys can be deleted.
pub(crate) trait Cache: Send + Sync + 'static {
    fn forget<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

struct Both {
    store: Arc<dyn SessionStore>,
    cache: Arc<dyn Cache>,
    prefix: String,
}

impl Both {
    async fn forget(&self, key: &SessionKey) -> Result<(), StoreError> {
        let key = format!("{}{}", self.prefix, key.as_str());
        self.cache.forget(&key).await
    }
}

impl SessionStore for Both {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.store.load(key, now)
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        // Nobody has cached a key that did not exist.
        self.store.create(key, record)
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>> {
        Box::pin(async move {
            let saved = self.store.save(key, record).await?;
            // Also when it is gone: whoever deleted it may not have known of the cache.
            self.forget(key).await?;
            Ok(saved)
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.store.delete(key).await?;
            self.forget(key).await
        })
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        // Django's cache expires its entries by itself.
        self.store.sweep(now)
    }
}
