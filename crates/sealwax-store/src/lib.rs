//! # Where sessions, API tokens and users live
//!
//! One small trait for each: [`SessionStore`], [`TokenStore`], [`Users`]. Four
//! homes: this process ([`Memory`]), an SQLite file, PostgreSQL, and Redis or
//! Valkey.
//!
//! ```text
//!   SessionKey ─▶ SessionStore ─▶ Record { data, expires }
//!                   │
//!                   ├─ Memory       sharded map, bounded, gone with the process
//!                   ├─ Sqlite     ┐ Django's own table django_session, row by row
//!                   ├─ Postgres   ┘ what Django writes and reads
//!                   └─ Redis        one key per session, expired by the server
//! ```
//!
//! The semantics are those of Django's sessions: a new session is **created**
//! under a key that nobody has, a known one is **saved as an update only**, so
//! that a request which was under way while its user logged out can never bring
//! the session back, and a session has expired at the very instant that its
//! expiry names.
//!
//! What this crate is not: it knows no HTTP, no cookies and no Django format.
//! The data of a session is opaque text (`sealwax-django` reads and writes it),
//! a token comes as its hash, a password column as its text. It takes no time
//! and no randomness of its own for any answer: both come in as arguments, time
//! as a [`Duration`](std::time::Duration) since the Unix epoch.
//!
//! ```
//! use std::time::Duration;
//! use sealwax_store::{Created, Memory, Record, Saved, SessionKey, SessionStore};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = Memory::new();
//! let now = Duration::from_secs(1_800_000_000);
//! // Thirty-two bytes of the operating system's randomness in real life.
//! let key = SessionKey::generate([7; 32]);
//!
//! let record = Record { data: "opaque".into(), expires: now + Duration::from_secs(60) };
//! assert_eq!(store.create(&key, record.clone()).await?, Created::Yes);
//! assert_eq!(store.load(&key, now).await?, Some(record.clone()));
//!
//! // Logged out in another request: what this one saves does not come back.
//! store.delete(&key).await?;
//! assert_eq!(store.save(&key, record).await?, Saved::Gone);
//! # Ok::<(), sealwax_store::StoreError>(())
//! # }).unwrap();
//! ```

mod backend;
mod cached_db;
mod error;
mod key;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
mod time;
mod token;
mod user;

pub use backend::{Backend, open};
pub use cached_db::{CachedDb, with_cached_db};
pub use error::{StoreError, Trouble};
pub use key::{InvalidKey, SessionKey};
pub use memory::{Memory, MemoryLimits};
pub use session::{BoxFuture, Created, Record, Saved, SessionStore};
pub use token::{Inserted, TokenHash, TokenRecord, TokenStore};
pub use user::{UserRow, UserTable, Users};
