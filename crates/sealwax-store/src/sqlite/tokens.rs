//! The tokens of API clients in an SQLite file.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row};

use super::Sqlite;
use super::sessions::instant;
use crate::time::to_text;
use crate::token::{columns, join_scopes, split_scopes};
use crate::{BoxFuture, Inserted, StoreError, TokenHash, TokenRecord, TokenStore};

const CREATE: &str = r#"
CREATE TABLE IF NOT EXISTS "sealwax_token" (
    "token_hash" char(64) NOT NULL PRIMARY KEY,
    "subject" varchar(255) NOT NULL,
    "scopes" text NOT NULL,
    "label" varchar(255) NOT NULL,
    "created" datetime NOT NULL,
    "expires" datetime NULL,
    "last_used" datetime NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "sealwax_token_subject" ON "sealwax_token" ("subject");
CREATE INDEX IF NOT EXISTS "sealwax_token_expires" ON "sealwax_token" ("expires");
"#;
const INSERT: &str = concat!(
    r#"INSERT INTO "sealwax_token" ("#,
    columns!(),
    r#") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT ("token_hash") DO NOTHING"#
);
const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    r#" FROM "sealwax_token" WHERE "token_hash" = ?1 AND ("expires" IS NULL OR "expires" > ?2)"#
);
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    r#" FROM "sealwax_token" WHERE "subject" = ?1 ORDER BY "created", "token_hash""#
);
const TOUCH: &str = r#"UPDATE "sealwax_token" SET "last_used" = ?2 WHERE "token_hash" = ?1"#;
const REVOKE: &str = r#"DELETE FROM "sealwax_token" WHERE "token_hash" = ?1"#;
const REVOKE_ALL: &str = r#"DELETE FROM "sealwax_token" WHERE "subject" = ?1"#;
const SWEEP: &str = r#"DELETE FROM "sealwax_token" WHERE "token_hash" IN (
    SELECT "token_hash" FROM "sealwax_token" WHERE "expires" <= ?1 LIMIT 1000)"#;

/// The tokens in an SQLite file.
pub(crate) struct Tokens {
    file: Sqlite,
}

impl Tokens {
    pub(crate) async fn open(file: Sqlite) -> Result<Self, StoreError> {
        if !file.has_table("sealwax_token").await? {
            file.write(|connection| connection.execute_batch(CREATE))
                .await?;
        }
        file.expect_columns(FIND).await?;
        Ok(Self { file })
    }
}

impl TokenStore for Tokens {
    fn insert<'a>(
        &'a self,
        record: &'a TokenRecord,
    ) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        Box::pin(async move {
            record.check(self.file.place())?;
            let record = record.clone();
            let insert = self.file.write(move |connection| {
                connection.prepare_cached(INSERT)?.execute((
                    record.hash.to_hex(),
                    &record.subject,
                    join_scopes(&record.scopes),
                    &record.label,
                    to_text(record.created),
                    record.expires.map(to_text),
                    record.last_used.map(to_text),
                ))
            });
            Ok(match insert.await? {
                0 => Inserted::Taken,
                _ => Inserted::Yes,
            })
        })
    }

    fn find<'a>(
        &'a self,
        hash: &'a TokenHash,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<TokenRecord>, StoreError>> {
        let (hex, now) = (hash.to_hex(), to_text(now));
        Box::pin(self.file.read(move |connection| {
            let mut statement = connection.prepare_cached(FIND)?;
            statement.query_row((&hex, &now), token).optional()
        }))
    }

    fn touch<'a>(
        &'a self,
        hash: &'a TokenHash,
        used: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (hex, used) = (hash.to_hex(), to_text(used));
        Box::pin(self.file.write(move |connection| {
            let mut statement = connection.prepare_cached(TOUCH)?;
            statement.execute((&hex, &used)).map(drop)
        }))
    }

    fn revoke<'a>(&'a self, hash: &'a TokenHash) -> BoxFuture<'a, Result<bool, StoreError>> {
        let hex = hash.to_hex();
        Box::pin(self.file.write(move |connection| {
            let mut statement = connection.prepare_cached(REVOKE)?;
            statement.execute([&hex]).map(|rows| rows > 0)
        }))
    }

    fn revoke_all<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        let subject = subject.to_owned();
        Box::pin(self.file.write(move |connection| {
            let mut statement = connection.prepare_cached(REVOKE_ALL)?;
            statement.execute([&subject]).map(|rows| rows as u64)
        }))
    }

    fn list<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Vec<TokenRecord>, StoreError>> {
        let subject = subject.to_owned();
        Box::pin(self.file.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            statement.query_map([&subject], token)?.collect()
        }))
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.file.sweep(SWEEP, now))
    }
}

fn token(row: &Row<'_>) -> rusqlite::Result<TokenRecord> {
    let optional = |column| match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => instant(row, column).map(Some),
    };
    let hex = row.get_ref(0)?.as_str()?;
    let hash = TokenHash::from_hex(hex).ok_or_else(|| {
        let cause = "not 64 hexadecimal digits".into();
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, cause)
    })?;
    Ok(TokenRecord {
        hash,
        subject: row.get(1)?,
        scopes: split_scopes(row.get_ref(2)?.as_str()?),
        label: row.get(3)?,
        created: instant(row, 4)?,
        expires: optional(5)?,
        last_used: optional(6)?,
    })
}
