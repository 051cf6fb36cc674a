//! Django's table of sessions in an SQLite file.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use super::Sqlite;
use crate::time::{from_text, to_text};
use crate::{BoxFuture, Created, Record, Saved, SessionKey, SessionStore, StoreError};

/// What Django's first migration of its sessions app makes.
const CREATE: &str = r#"
CREATE TABLE IF NOT EXISTS "django_session" (
    "session_key" varchar(40) NOT NULL PRIMARY KEY,
    "session_data" text NOT NULL,
    "expire_date" datetime NOT NULL
);
CREATE INDEX IF NOT EXISTS "django_session_expire_date_a5c62663"
    ON "django_session" ("expire_date");
"#;
const LOAD: &str = r#"SELECT "session_data", "expire_date" FROM "django_session"
    WHERE "session_key" = ?1 AND "expire_date" > ?2"#;
const INSERT: &str = r#"INSERT INTO "django_session" ("session_key", "session_data", "expire_date")
    VALUES (?1, ?2, ?3) ON CONFLICT ("session_key") DO NOTHING"#;
const UPDATE: &str = r#"UPDATE "django_session" SET "session_data" = ?2, "expire_date" = ?3
    WHERE "session_key" = ?1"#;
const DELETE: &str = r#"DELETE FROM "django_session" WHERE "session_key" = ?1"#;
/// In portions, so that nobody waits long for a table full of expired sessions.
const SWEEP: &str = r#"DELETE FROM "django_session" WHERE "session_key" IN (
    SELECT "session_key" FROM "django_session" WHERE "expire_date" <= ?1 LIMIT 1000)"#;

/// The sessions in an SQLite file.
pub(crate) struct Sessions {
    file: Sqlite,
}

impl Sessions {
    /// Makes the table when there is none, and sees that it is one of sessions.
    pub(crate) async fn open(file: Sqlite) -> Result<Self, StoreError> {
        let present = file.has_table("django_session").await?;
        if !present {
            file.write(|connection| connection.execute_batch(CREATE))
                .await?;
        }
        file.expect_columns(LOAD).await?;
        Ok(Self { file })
    }
}

impl SessionStore for Sessions {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let (key, now) = (*key, to_text(now));
        Box::pin(self.file.read(move |connection| {
            let mut statement = connection.prepare_cached(LOAD)?;
            statement.query_row((key.as_str(), &now), record).optional()
        }))
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        let change = self.change(INSERT, *key, record);
        Box::pin(async {
            Ok(match change.await? {
                0 => Created::Taken,
                _ => Created::Yes,
            })
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>> {
        let change = self.change(UPDATE, *key, record);
        Box::pin(async {
            Ok(match change.await? {
                0 => Saved::Gone,
                _ => Saved::Yes,
            })
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let key = *key;
        Box::pin(self.file.write(move |connection| {
            let mut statement = connection.prepare_cached(DELETE)?;
            statement.execute([key.as_str()]).map(drop)
        }))
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.file.sweep(SWEEP, now))
    }
}

impl Sessions {
    fn change(
        &self,
        statement: &'static str,
        key: SessionKey,
        record: Record,
    ) -> impl Future<Output = Result<usize, StoreError>> {
        let expires = to_text(record.expires);
        self.file.write(move |connection: &Connection| {
            let mut statement = connection.prepare_cached(statement)?;
            statement.execute((key.as_str(), &*record.data, &expires))
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        data: Arc::from(row.get_ref(0)?.as_str()?),
        expires: instant(row, 1)?,
    })
}

/// The instant in a column, or an error that says which column holds something else.
pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Duration> {
    let text = row.get_ref(column)?.as_str()?;
    from_text(text).ok_or_else(|| {
        let cause = "not a date and time as Django writes it in UTC (YYYY-MM-DD HH:MM:SS.ffffff)";
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, cause.into())
    })
}
