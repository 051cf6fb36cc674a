//! Django's table of sessions in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlSafeStr;

use super::timestamp::Timestamp;
use super::{Postgres, bound};
use crate::{BoxFuture, Created, Record, Saved, SessionKey, SessionStore, StoreError};

/// What Django's first migration of its sessions app makes.
const CREATE: &[&str] = &[
    r#"CREATE TABLE IF NOT EXISTS "django_session" (
        "session_key" varchar(40) NOT NULL PRIMARY KEY,
        "session_data" text NOT NULL,
        "expire_date" timestamp with time zone NOT NULL)"#,
    r#"CREATE INDEX IF NOT EXISTS "django_session_session_key_c0390e0f_like"
        ON "django_session" ("session_key" varchar_pattern_ops)"#,
    r#"CREATE INDEX IF NOT EXISTS "django_session_expire_date_a5c62663"
        ON "django_session" ("expire_date")"#,
];
const LOAD: &str = r#"SELECT "session_data", "expire_date" FROM "django_session"
    WHERE "session_key" = $1 AND "expire_date" > $2"#;
const INSERT: &str = r#"INSERT INTO "django_session" ("session_key", "session_data", "expire_date")
    VALUES ($1, $2, $3) ON CONFLICT ("session_key") DO NOTHING RETURNING 1"#;
const UPDATE: &str = r#"UPDATE "django_session" SET "session_data" = $2, "expire_date" = $3
    WHERE "session_key" = $1 RETURNING 1"#;
const DELETE: &str = r#"DELETE FROM "django_session" WHERE "session_key" = $1"#;
/// In portions, so that nobody waits long for a table full of expired sessions.
/// The expiry is asked twice: a row that was prolonged while this statement
/// waited for it is checked against the outer condition alone.
const SWEEP: &str = r#"DELETE FROM "django_session" WHERE "expire_date" <= $1 AND "session_key" IN (
    SELECT "session_key" FROM "django_session" WHERE "expire_date" <= $1 LIMIT 1000) RETURNING 1"#;

/// The sessions in a PostgreSQL database.
pub(crate) struct Sessions {
    server: Postgres,
}

impl Sessions {
    /// Makes the table when there is none, and sees that it is one of sessions.
    pub(crate) async fn open(server: Postgres) -> Result<Self, StoreError> {
        let nobody = bound().text("").instant(Duration::ZERO);
        let table = server.expect_table("django_session", CREATE, LOAD, nobody);
        table.await?;
        Ok(Self { server })
    }

    async fn change(
        &self,
        statement: &'static str,
        key: &SessionKey,
        record: Record,
    ) -> Result<bool, StoreError> {
        let arguments = bound()
            .text(key.as_str())
            .text(&record.data)
            .instant(record.expires);
        let rows = self.server.fetch(statement.into_sql_str(), arguments);
        Ok(!rows.await?.is_empty())
    }
}

impl SessionStore for Sessions {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let arguments = bound().text(key.as_str()).instant(now);
            let rows = self.server.fetch(LOAD.into_sql_str(), arguments).await?;
            let row = rows.first();
            let data: Option<&str> = self.server.column(row, 0)?;
            let expires: Option<Timestamp> = self.server.column(row, 1)?;
            Ok(data.zip(expires).map(|(data, Timestamp(expires))| Record {
                data: Arc::from(data),
                expires,
            }))
        })
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move {
            Ok(match self.change(INSERT, key, record).await? {
                true => Created::Yes,
                false => Created::Taken,
            })
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>> {
        Box::pin(async move {
            Ok(match self.change(UPDATE, key, record).await? {
                true => Saved::Yes,
                false => Saved::Gone,
            })
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let arguments = bound().text(key.as_str());
            let rows = self.server.fetch(DELETE.into_sql_str(), arguments);
            rows.await.map(drop)
        })
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.server.sweep(SWEEP, now))
    }
}
