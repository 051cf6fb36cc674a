//! # Where sessions, API tokens and users live
//!
//! One small trait for each: [`SessionStore`], [`TokenStore`], [`Users`]. Four
//! homes: this process ([`Memory`]), an SQLite file, PostgreSQL, and Redis or
//! Valkey. [`Backend::open`] takes the URL of one.
//!
//! ```text
//!   URL ─▶ Backend ─┬─ memory:       sharded maps, bounded, gone with the process
//!                   ├─ sqlite:     ┐ Django's own tables, row by row what Django
//!                   ├─ postgres:   ┘ writes and reads
//!                   └─ redis:        one key per session, expired by the server
//!                   │
//!                   ├─▶ sessions   SessionKey ─▶ Record { data, expires }
//!                   ├─▶ tokens     TokenHash  ─▶ TokenRecord { subject, scopes, … }
//!                   └─▶ users      id or name ─▶ UserRow { password, is_active, … }
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
//! use sealwax_store::{Created, Record, Saved, SessionKey};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = sealwax_store::open("memory:").await?;
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
//!
//! # Errors
//! A [`StoreError`] says whose fault it is (the operator's at start, the server's
//! now, whoever wrote what cannot be read) and carries the place, the cause and
//! the mend. It never shows a password, a session's key or its data.
//!
//! # Features
//! None is on by default; [`Memory`] is always there.
//! - `sqlite`: SQLite, built in, nothing to install.
//! - `postgres`: PostgreSQL 12 or later, with TLS by rustls and aws-lc-rs.
//! - `redis`: Redis 6.2 or later, or Valkey, without TLS.
//!
//! PostgreSQL and Redis need a tokio runtime with its clock and I/O enabled;
//! memory and SQLite run on any executor.

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
