//! Choosing a home by its URL.

use std::sync::Arc;

use crate::cached_db::Cache;
use crate::{Memory, SessionStore, StoreError, TokenStore, UserTable, Users};

/// An opened home for sessions, tokens and users.
///
/// | URL | home | Cargo feature |
/// |---|---|---|
/// | `memory:` | this process ([`Memory`]) | always there |
/// | `sqlite:PATH` | a file, relative to the working directory or absolute | `sqlite` |
/// | `postgres://USER:PASSWORD@HOST:PORT/DATABASE` | PostgreSQL 12 or later | `postgres` |
/// | `redis://USER:PASSWORD@HOST:PORT/NUMBER` | Redis 6.2 or later, Valkey | `redis` |
///
/// A clone is another handle to the same connections.
///
/// # SQLite
/// A file that does not exist is made, readable for its owner alone, with a
/// write-ahead log. A file that holds tables keeps its journal mode: it may be
/// that of a running Django (to read while another writes, run
/// `PRAGMA journal_mode = WAL` on it once, with any tool). Commits wait for the
/// disk, so that what was answered with success survives a loss of power.
/// Reading runs on the caller's thread and takes microseconds.
///
/// # PostgreSQL
/// The URL's options are those of libpq: `sslmode` (`prefer` when absent, which
/// does not protect against somebody between you and the server: use
/// `verify-full` on a network that is not yours alone), `sslrootcert`, `sslcert`,
/// `sslkey`; and `pool`, the number of connections at most (default 10).
/// `synchronous_commit` must not be off for what this crate promises.
///
/// # Redis
/// Keys begin with `sealwax:`; the server expires them. The promise that a
/// session answered with success is never lost is the server's to keep:
/// `appendonly yes` and `appendfsync always` (with `everysec` a crash can lose
/// the last seconds), and `maxmemory-policy noeviction` (any other may drop live
/// sessions). What is otherwise is logged as a warning when it is opened. There are no
/// users in Redis, TLS (`rediss:`) and Redis Cluster are not spoken.
///
/// # Example
/// ```
/// use sealwax_store::Backend;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let backend = Backend::open("memory:").await?; // or sqlite:…, postgres://…, redis://…
/// let (sessions, tokens) = (backend.sessions().await?, backend.tokens().await?);
/// # let _ = (sessions, tokens);
/// # Ok::<(), sealwax_store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Backend {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Memory(Memory),
    #[cfg(feature = "sqlite")]
    Sqlite(crate::sqlite::Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::Postgres),
    #[cfg(feature = "redis")]
    Redis(crate::redis::Redis),
}

/// Opens the home of sessions that a URL names: short for
/// [`Backend::open`] and [`Backend::sessions`].
///
/// # Errors
/// As those two.
///
/// ```
/// use sealwax_store::{StoreError, open};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let sessions = open("memory:").await?;
/// # let _ = sessions;
/// // What is wrong is told with its place, cause and mend.
/// let error = open("mysql://db/shop").await.err().unwrap();
/// assert!(matches!(error, StoreError::Misconfigured(_)));
/// # Ok::<(), StoreError>(())
/// # }).unwrap();
/// ```
pub async fn open(url: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
    Backend::open(url).await?.sessions().await
}

impl Backend {
    /// Opens the home that a URL names.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] for a URL that no home understands, for one
    /// whose Cargo feature is off, and for a server or file that cannot be used
    /// as it is; [`StoreError::Unavailable`] for a server that does not answer.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        // Never shown whole: it may hold a password.
        let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
        let kind = match scheme {
            "memory" if rest.is_empty() => Kind::Memory(Memory::new()),
            #[cfg(feature = "sqlite")]
            "sqlite" => Kind::Sqlite(crate::sqlite::Sqlite::open(sqlite_path(rest)?)?),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                Kind::Postgres(crate::postgres::Postgres::open(url).await?)
            }
            #[cfg(feature = "redis")]
            "redis" => Kind::Redis(crate::redis::Redis::open(url).await?),
            #[allow(unreachable_patterns, reason = "reached where a feature is off")]
            "sqlite" | "postgres" | "postgresql" | "redis" => {
                return Err(StoreError::misconfigured(
                    scheme,
                    "this program was built without this store",
                    "build it with the Cargo feature `sqlite`, `postgres` or `redis`",
                ));
            }
            "rediss" => {
                return Err(StoreError::misconfigured(
                    scheme,
                    "TLS to Redis is not supported",
                    "use redis: over a private network or through a TLS tunnel",
                ));
            }
            _ => {
                return Err(StoreError::misconfigured(
                    "the URL of the store",
                    "it begins with no scheme that is known here",
                    "use memory:, sqlite:PATH, postgres://… or redis://…",
                ));
            }
        };
        Ok(Self { kind })
    }

    /// The sessions in it. In SQLite and PostgreSQL Django's table
    /// `django_session` is made when there is none, as Django makes it (a Django
    /// that comes later needs `migrate --fake-initial`).
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] when the table is not one of sessions or
    /// cannot be made, [`StoreError::Unavailable`].
    pub async fn sessions(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(match &self.kind {
            Kind::Memory(memory) => Arc::new(memory.clone()),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => Arc::new(crate::sqlite::Sessions::open(file.clone()).await?),
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => {
                Arc::new(crate::postgres::Sessions::open(server.clone()).await?)
            }
            #[cfg(feature = "redis")]
            Kind::Redis(server) => Arc::new(server.clone()),
        })
    }

    /// The tokens in it, in SQLite and PostgreSQL in a table `sealwax_token`,
    /// which is made when there is none.
    ///
    /// # Errors
    /// As [`sessions`](Self::sessions).
    pub async fn tokens(&self) -> Result<Arc<dyn TokenStore>, StoreError> {
        Ok(match &self.kind {
            Kind::Memory(memory) => Arc::new(memory.clone()),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => Arc::new(crate::sqlite::Tokens::open(file.clone()).await?),
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => {
                Arc::new(crate::postgres::Tokens::open(server.clone()).await?)
            }
            #[cfg(feature = "redis")]
            Kind::Redis(server) => Arc::new(server.clone()),
        })
    }

    /// Deletes keys in the cache of a Django that uses its `cached_db` sessions:
    /// for [`with_cached_db`](crate::with_cached_db).
    pub(crate) async fn cache(&self, table: &str) -> Result<Arc<dyn Cache>, StoreError> {
        match &self.kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => Ok(Arc::new(
                crate::sqlite::CacheTable::open(file.clone(), table).await?,
            )),
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => Ok(Arc::new(
                crate::postgres::CacheTable::open(server.clone(), table).await?,
            )),
            #[cfg(feature = "redis")]
            Kind::Redis(server) => Ok(Arc::new(server.clone())),
            Kind::Memory(_) => {
                let _ = table;
                Err(StoreError::misconfigured(
                    "memory:",
                    "no Django has its cache here",
                    "open the Redis or the database that Django's CACHES setting names",
                ))
            }
        }
    }

    /// Django's users in it: SQLite and PostgreSQL only.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] for names that are none, for a table that is
    /// not there or lacks a column, and for a home without users;
    /// [`StoreError::Unavailable`].
    pub async fn users(&self, table: &UserTable) -> Result<Arc<dyn Users>, StoreError> {
        match &self.kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => Ok(Arc::new(
                crate::sqlite::DjangoUsers::open(file.clone(), table).await?,
            )),
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => Ok(Arc::new(
                crate::postgres::DjangoUsers::open(server.clone(), table).await?,
            )),
            Kind::Memory(_) => Err(without_users("memory:", table)),
            #[cfg(feature = "redis")]
            Kind::Redis(server) => Err(without_users(server.place(), table)),
        }
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = match &self.kind {
            Kind::Memory(_) => "memory:",
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => file.place(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => server.place(),
            #[cfg(feature = "redis")]
            Kind::Redis(server) => server.place(),
        };
        write!(f, "Backend({place})")
    }
}

fn without_users(place: &str, table: &UserTable) -> StoreError {
    let UserTable { table, .. } = table;
    StoreError::misconfigured(
        place,
        format_args!("there is no table {table} here"),
        "open the database of the Django app for its users: sqlite:PATH or postgres://…",
    )
}

/// `sqlite:PATH` and `sqlite://PATH`; the path is taken as it is.
#[cfg(feature = "sqlite")]
fn sqlite_path(rest: &str) -> Result<&str, StoreError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let (cause, mend) = match path {
        "" => ("it names no file", "write sqlite: and a path"),
        ":memory:" => ("it names no file", "use memory: instead"),
        _ if path.contains('?') => (
            "options behind ? are not known here",
            "write sqlite: and a path alone",
        ),
        _ => return Ok(path),
    };
    Err(StoreError::misconfigured(
        "the sqlite: URL of the store",
        cause,
        mend,
    ))
}
