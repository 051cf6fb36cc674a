//! What every home of sessions must do.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::{SessionKey, StoreError};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is stored under a session's key.
///
/// ```
/// use std::time::Duration;
/// use sealwax_store::Record;
///
/// let record = Record { data: "who knows".into(), expires: Duration::from_secs(1_800_000_000) };
/// assert!(!format!("{record:?}").contains("who knows"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The session's content, opaque to the store: Django's text in Django's table.
    pub data: Arc<str>,
    /// The instant from which the session no longer exists, since the Unix
    /// epoch. Kept to the microsecond, what is finer is cut off.
    pub expires: Duration,
}

impl fmt::Debug for Record {
    /// Shows how much data there is, not the data: it may name people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("expires", &self.expires)
            .finish()
    }
}

/// What became of a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Created {
    /// The key exists already and nothing was stored: draw another one.
    Taken,
    /// It is stored.
    Yes,
}

/// What became of a change to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Saved {
    /// There is no such session any more, most likely by a logout in another
    /// request. Nothing was stored.
    Gone,
    /// It is stored.
    Yes,
}

/// A home for sessions.
///
/// An `Ok` is a promise: what was created or saved is still there after the
/// process or the server is killed (but for [`Memory`](crate::Memory), which
/// ends with its process, and as far as Redis is set up to keep its promises). An
/// error promises nothing: the change may or may not have been made.
///
/// Every store is safe under concurrency without locks around it: each method is
/// one atomic step.
pub trait SessionStore: Send + Sync + 'static {
    /// Whether nobody but this process can read or write what is kept here, so that it needs no
    /// signature.
    fn is_own_memory(&self) -> bool {
        false
    }

    /// The session, unless there is none or it has expired: `expires > now` is
    /// there, `expires == now` is not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::Corrupt`] when the stored
    /// entry is not one of a session.
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Stores a new session, unless the key is [taken](Created::Taken).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>>;

    /// Changes a session that exists. One that was deleted is never brought
    /// back, however the two race.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>>;

    /// Removes a session. That there is none is no error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Removes sessions that have expired, and answers how many. Run it now and
    /// then (an hour apart will do); a store whose server removes them by itself
    /// answers 0.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>>;
}
