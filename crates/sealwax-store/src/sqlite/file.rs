//! Opening the file.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::PATIENCE;
use crate::StoreError;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reading, without patience for locks.
    Read,
    Write,
}

/// Makes an empty file for its owner alone, unless there is one: what is in it
/// lets its reader take over every session.
pub(super) fn create(place: &str, path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::misconfigured(
            place,
            error,
            "create the directory, or name a file in one that this user can write to",
        )),
    }
}

pub(super) fn connect(path: &Path, mode: Mode) -> rusqlite::Result<Connection> {
    // A path and nothing else: names such as `file:x?mode=memory` are files here.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let patience = match mode {
        Mode::Read => Duration::ZERO,
        Mode::Write => PATIENCE,
    };
    connection.busy_timeout(patience)?;
    // A quoted name is a name: by default SQLite takes one that it does not know
    // for a text, and a wrong column for its own name in every row.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // What is answered with success must survive a loss of power. EXTRA is FULL
    // (the log or journal is on disk before a commit returns) and, with a
    // rollback journal, its directory too: else a deleted journal could come back
    // and undo what was committed.
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    if mode == Mode::Read {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

/// A file without tables gets a write-ahead log, in which readers and the writer
/// do not wait for each other. One that holds tables keeps the journal that it
/// has: it may be a running Django's, whose operator did not ask for two more
/// files beside it, nor to lose it on a network drive.
pub(super) fn choose_journal(connection: &Connection) -> rusqlite::Result<()> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        // Answers with the mode it has then; a file system without shared memory
        // keeps the rollback journal, which is as safe.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    Ok(())
}
