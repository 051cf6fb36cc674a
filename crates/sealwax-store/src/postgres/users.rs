//! Django's users in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlSafeStr;

use super::{Bound, Postgres, bound, prepared};
use crate::user::{CheckedTable, IdKind};
use crate::{BoxFuture, StoreError, UserRow, UserTable, Users};

/// The declared type of a column.
const TYPE_OF: &str = r#"SELECT "atttypid"::regtype::text FROM "pg_attribute"
    WHERE "attrelid" = to_regclass($1) AND "attname" = $2 AND NOT "attisdropped""#;

/// The users in a PostgreSQL database.
pub(crate) struct DjangoUsers {
    server: Postgres,
    id: IdKind,
    by_id: Arc<str>,
    by_username: Arc<str>,
    set_last_login: Option<Arc<str>>,
}

impl DjangoUsers {
    pub(crate) async fn open(server: Postgres, table: &UserTable) -> Result<Self, StoreError> {
        let table = CheckedTable::new(table, server.place())?;
        let kind = id_kind(&server, &table).await?;
        // The index of the key is used for bigint against integer as well.
        let key = match kind {
            IdKind::Integer => "$1",
            IdKind::Text => "$1",
            IdKind::Uuid => "$1::uuid",
        };
        let id = format!("\"{}\"::text", table.id);
        let users = Self {
            by_id: table.select_with(&id, &table.id, key).into(),
            by_username: table.select_with(&id, &table.username, "$1").into(),
            set_last_login: table.update_last_login(key, "$2").map(Into::into),
            id: kind,
            server,
        };
        // Each statement runs once, for nobody, so that a wrong name is found now.
        let nobody = match kind {
            IdKind::Integer => "-1",
            IdKind::Text => "",
            IdKind::Uuid => "00000000-0000-0000-0000-000000000000",
        };
        let key = || users.key(nobody).unwrap_or_else(bound);
        let check = async |statement, arguments| {
            let rows = users.server.fetch_at_start(prepared(statement), arguments);
            rows.await
        };
        check(&users.by_id, key()).await?;
        check(&users.by_username, bound().text("")).await?;
        if let Some(update) = &users.set_last_login {
            // As a plan alone: not even nobody is changed.
            let explain: Arc<str> = format!("EXPLAIN {update}").into();
            check(&explain, key().instant(Duration::ZERO)).await?;
        }
        Ok(users)
    }

    async fn find(&self, query: &Arc<str>, value: Bound) -> Result<Option<UserRow>, StoreError> {
        let rows = self.server.fetch(prepared(query), value).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let text = |index| {
            let text: Option<&str> = self.server.column(Some(row), index)?;
            Ok::<_, StoreError>(text.unwrap_or_default().to_owned())
        };
        let flag = |index| {
            let flag: Option<bool> = self.server.column(Some(row), index)?;
            Ok::<_, StoreError>(flag.unwrap_or(false))
        };
        Ok(Some(UserRow {
            id: text(0)?,
            username: text(1)?,
            password: text(2)?,
            is_active: flag(3)?,
            is_staff: flag(4)?,
            is_superuser: flag(5)?,
            email: text(6)?,
            first_name: text(7)?,
            last_name: text(8)?,
        }))
    }

    /// The value of the key column for an id in a session.
    fn key(&self, id: &str) -> Option<Bound> {
        let text = self.id.normal(id)?;
        Some(match self.id {
            IdKind::Integer => bound().integer(text.parse().ok()?),
            IdKind::Text | IdKind::Uuid => bound().text(&text),
        })
    }
}

impl Users for DjangoUsers {
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
        Box::pin(async move {
            match self.key(id) {
                Some(key) => self.find(&self.by_id, key).await,
                None => Ok(None),
            }
        })
    }

    fn by_username<'a>(
        &'a self,
        username: &'a str,
    ) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
        Box::pin(async move {
            // No text in PostgreSQL holds NUL.
            if username.contains('\0') {
                return Ok(None);
            }
            self.find(&self.by_username, bound().text(username)).await
        })
    }

    fn set_last_login<'a>(
        &'a self,
        id: &'a str,
        at: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let (Some(key), Some(update)) = (self.key(id), &self.set_last_login) else {
                return Ok(());
            };
            let rows = self.server.fetch(prepared(update), key.instant(at));
            rows.await.map(drop)
        })
    }
}

async fn id_kind(server: &Postgres, table: &CheckedTable) -> Result<IdKind, StoreError> {
    let arguments = bound().text(table.quoted_table()).text(&table.id);
    let rows = server.fetch_at_start(TYPE_OF.into_sql_str(), arguments);
    let rows = rows.await?;
    let name: Option<&str> = server.column(rows.first(), 0)?;
    Ok(match name {
        Some("smallint" | "integer" | "bigint") => IdKind::Integer,
        Some("uuid") => IdKind::Uuid,
        // An absent column is told of when the statements run for the first time.
        _ => IdKind::Text,
    })
}
