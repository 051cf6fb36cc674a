//! An SQLite file: the embedded default, and the file of a Django next door.
//!
//! ```text
//!   read ──▶ a connection at hand ──▶ answer       on the caller's thread, some µs
//!               │ locked by somebody's commit
//!               ▼
//!            patient thread ──▶ answer             waits for the lock
//!
//!   write ──▶ queue ──▶ writer thread: BEGIN, all that wait, COMMIT, answers
//! ```
//!
//! A read does not change threads: handing it over and back costs ten times what
//! SQLite needs for it. Writes do, since each ends with the disk saying that it
//! has the bytes; those that arrive meanwhile share the next commit.

mod cache;
mod file;
mod sessions;
mod table;
mod tokens;
mod users;
mod worker;

pub(crate) use cache::CacheTable;
pub(crate) use sessions::Sessions;
pub(crate) use tokens::Tokens;
pub(crate) use users::DjangoUsers;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::StoreError;
use file::Mode;
use worker::{Batching, Worker};

/// How long a statement waits for somebody else's lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections kept for reading; more are opened and closed under a burst.
const KEPT_READERS: usize = 8;

/// One file, opened; clones share it.
#[derive(Clone)]
pub(crate) struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    /// `sqlite:` and the path, for errors.
    place: String,
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    patient: Worker,
    writer: Worker,
}

impl Sqlite {
    /// Opens the file, and creates it when there is none.
    pub(crate) fn open(path: &str) -> Result<Self, StoreError> {
        let place = format!("sqlite:{path}");
        let path = Path::new(path);
        file::create(&place, path)?;
        let connect = |mode| file::connect(path, mode).map_err(|error| at_start(&place, &error));
        let writer = connect(Mode::Write)?;
        if writer.is_readonly(rusqlite::MAIN_DB).unwrap_or(true) {
            return Err(StoreError::misconfigured(
                &place,
                "the file cannot be written to",
                "give this user write access to the file and its directory",
            ));
        }
        file::choose_journal(&writer).map_err(|error| at_start(&place, &error))?;
        let thread = |error: std::io::Error| {
            StoreError::misconfigured(&place, error, "allow this process more threads")
        };
        let writer = Worker::start(writer, &place, Batching::OneCommit).map_err(thread)?;
        let patient =
            Worker::start(connect(Mode::Read)?, &place, Batching::None).map_err(thread)?;
        let readers = Mutex::new(vec![connect(Mode::Read)?]);
        Ok(Self {
            inner: Arc::new(Inner {
                place: place.clone(),
                path: path.to_owned(),
                readers,
                patient,
                writer,
            }),
        })
    }

    pub(crate) fn place(&self) -> &str {
        &self.inner.place
    }

    /// Runs a query: here and now, or on the patient thread when the file is locked.
    async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.read_now(&query) {
            Err(error) if is_locked(&error) => self.inner.patient.run(query).await,
            result => result.map_err(|error| self.failure(&error)),
        }
    }

    fn read_now<T>(
        &self,
        query: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let kept = self.readers(Vec::pop);
        let connection = match kept {
            Some(connection) => connection,
            None => file::connect(&self.inner.path, Mode::Read)?,
        };
        let result = query(&connection);
        self.readers(|readers| {
            if readers.len() < KEPT_READERS {
                readers.push(connection);
            }
        });
        result
    }

    fn readers<T>(&self, change: impl FnOnce(&mut Vec<Connection>) -> T) -> T {
        let mut readers = self.inner.readers.lock();
        change(readers.as_mut().unwrap_or_else(|poison| poison.get_mut()))
    }

    /// Runs a statement on the writer's thread and answers when it is on disk.
    async fn write<T: Send + 'static>(
        &self,
        statement: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.run(statement).await
    }

    fn failure(&self, error: &rusqlite::Error) -> StoreError {
        failure(&self.inner.place, error)
    }
}

/// What an error of SQLite means while requests are served.
fn failure(place: &str, error: &rusqlite::Error) -> StoreError {
    use ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => StoreError::corrupt(
            place,
            error,
            "restore it from a backup, or move it away and start with a new one",
        ),
        Some(DatabaseBusy | DatabaseLocked) => StoreError::unavailable(
            place,
            error,
            "another process holds its lock for seconds: look for a long transaction",
        ),
        Some(DiskFull) => StoreError::unavailable(place, error, "make room on its disk"),
        Some(_) => StoreError::unavailable(
            place,
            error,
            "see that the file, its tables and its directory are still there and writable",
        ),
        // Not SQLite but what was read: a column of a type that we did not write.
        None => StoreError::corrupt(
            place,
            error,
            "look for another program that writes into this table",
        ),
    }
}

/// What the same error means before any request: the operator's mistake.
fn at_start(place: &str, error: &rusqlite::Error) -> StoreError {
    let mend = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "name an SQLite file, or one that does not exist yet",
        Some(ErrorCode::DatabaseBusy) => "another process holds its lock: stop it first",
        _ => "check the path and its permissions",
    };
    StoreError::misconfigured(place, error, mend)
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
