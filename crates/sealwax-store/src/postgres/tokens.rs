//! The tokens of API clients in PostgreSQL.

use std::time::Duration;

use sqlx::SqlSafeStr;
use sqlx::postgres::PgRow;

use super::timestamp::Timestamp;
use super::{Postgres, bound};
use crate::token::{columns, join_scopes, split_scopes};
use crate::{BoxFuture, Inserted, StoreError, TokenHash, TokenRecord, TokenStore};

const CREATE: &[&str] = &[
    r#"CREATE TABLE IF NOT EXISTS "sealwax_token" (
        "token_hash" varchar(64) NOT NULL PRIMARY KEY,
        "subject" varchar(255) NOT NULL,
        "scopes" text NOT NULL,
        "label" varchar(255) NOT NULL,
        "created" timestamp with time zone NOT NULL,
        "expires" timestamp with time zone NULL,
        "last_used" timestamp with time zone NULL)"#,
    r#"CREATE INDEX IF NOT EXISTS "sealwax_token_subject" ON "sealwax_token" ("subject")"#,
    r#"CREATE INDEX IF NOT EXISTS "sealwax_token_expires" ON "sealwax_token" ("expires")"#,
];
const INSERT: &str = concat!(
    r#"INSERT INTO "sealwax_token" ("#,
    columns!(),
    r#") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("token_hash") DO NOTHING RETURNING 1"#
);
const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    r#" FROM "sealwax_token" WHERE "token_hash" = $1 AND ("expires" IS NULL OR "expires" > $2)"#
);
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    r#" FROM "sealwax_token" WHERE "subject" = $1 ORDER BY "created", "token_hash" COLLATE "C""#
);
const TOUCH: &str = r#"UPDATE "sealwax_token" SET "last_used" = $2 WHERE "token_hash" = $1"#;
const REVOKE: &str = r#"DELETE FROM "sealwax_token" WHERE "token_hash" = $1 RETURNING 1"#;
const REVOKE_ALL: &str = r#"DELETE FROM "sealwax_token" WHERE "subject" = $1 RETURNING 1"#;
const SWEEP: &str = r#"DELETE FROM "sealwax_token" WHERE "expires" <= $1 AND "token_hash" IN (
    SELECT "token_hash" FROM "sealwax_token" WHERE "expires" <= $1 LIMIT 1000) RETURNING 1"#;

/// The tokens in a PostgreSQL database.
pub(crate) struct Tokens {
    server: Postgres,
}

impl Tokens {
    pub(crate) async fn open(server: Postgres) -> Result<Self, StoreError> {
        let nobody = bound().text("").instant(Duration::ZERO);
        let table = server.expect_table("sealwax_token", CREATE, FIND, nobody);
        table.await?;
        Ok(Self { server })
    }

    fn token(&self, row: &PgRow) -> Result<TokenRecord, StoreError> {
        let text = |index| {
            let text: Option<&str> = self.server.column(Some(row), index)?;
            Ok::<_, StoreError>(text.unwrap_or_default())
        };
        let instant = |index| {
            let instant: Option<Option<Timestamp>> = self.server.column(Some(row), index)?;
            Ok::<_, StoreError>(instant.flatten().map(|Timestamp(instant)| instant))
        };
        let hash = TokenHash::from_hex(text(0)?).ok_or_else(|| {
            self.server
                .corrupt("token_hash is not 64 hexadecimal digits")
        })?;
        Ok(TokenRecord {
            hash,
            subject: text(1)?.to_owned(),
            scopes: split_scopes(text(2)?),
            label: text(3)?.to_owned(),
            created: instant(4)?.unwrap_or_default(),
            expires: instant(5)?,
            last_used: instant(6)?,
        })
    }
}

impl TokenStore for Tokens {
    fn insert<'a>(
        &'a self,
        record: &'a TokenRecord,
    ) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        Box::pin(async move {
            record.check(self.server.place())?;
            let arguments = bound()
                .text(&record.hash.to_hex())
                .text(&record.subject)
                .text(&join_scopes(&record.scopes))
                .text(&record.label)
                .instant(record.created)
                .maybe_instant(record.expires)
                .maybe_instant(record.last_used);
            let rows = self.server.fetch(INSERT.into_sql_str(), arguments).await?;
            Ok(if rows.is_empty() {
                Inserted::Taken
            } else {
                Inserted::Yes
            })
        })
    }

    fn find<'a>(
        &'a self,
        hash: &'a TokenHash,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<TokenRecord>, StoreError>> {
        Box::pin(async move {
            let arguments = bound().text(&hash.to_hex()).instant(now);
            let rows = self.server.fetch(FIND.into_sql_str(), arguments).await?;
            rows.first().map(|row| self.token(row)).transpose()
        })
    }

    fn touch<'a>(
        &'a self,
        hash: &'a TokenHash,
        used: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let arguments = bound().text(&hash.to_hex()).instant(used);
            let rows = self.server.fetch(TOUCH.into_sql_str(), arguments);
            rows.await.map(drop)
        })
    }

    fn revoke<'a>(&'a self, hash: &'a TokenHash) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let arguments = bound().text(&hash.to_hex());
            let rows = self.server.fetch(REVOKE.into_sql_str(), arguments);
            Ok(!rows.await?.is_empty())
        })
    }

    fn revoke_all<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            if subject.contains('\0') {
                return Ok(0);
            }
            let arguments = bound().text(subject);
            let rows = self.server.fetch(REVOKE_ALL.into_sql_str(), arguments);
            Ok(rows.await?.len() as u64)
        })
    }

    fn list<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Vec<TokenRecord>, StoreError>> {
        Box::pin(async move {
            if subject.contains('\0') {
                return Ok(Vec::new());
            }
            let arguments = bound().text(subject);
            let rows = self.server.fetch(LIST.into_sql_str(), arguments).await?;
            rows.iter().map(|row| self.token(row)).collect()
        })
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.server.sweep(SWEEP, now))
    }
}
