//! Django's users in an SQLite file.

use std::time::Duration;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use super::Sqlite;
use crate::time::to_text;
use crate::user::{CheckedTable, IdKind};
use crate::{BoxFuture, StoreError, UserRow, UserTable, Users};

/// The users in an SQLite file.
pub(crate) struct DjangoUsers {
    file: Sqlite,
    id: IdKind,
    by_id: String,
    by_username: String,
    set_last_login: Option<String>,
}

impl DjangoUsers {
    pub(crate) async fn open(file: Sqlite, table: &UserTable) -> Result<Self, StoreError> {
        let table = CheckedTable::new(table, file.place())?;
        let users = Self {
            by_id: table.select(&table.id, "?1"),
            by_username: table.select(&table.username, "?1"),
            set_last_login: table.update_last_login("?1", "?2"),
            id: id_kind(&file, &table).await?,
            file,
        };
        users.file.expect_columns(&users.by_id).await?;
        users.file.expect_columns(&users.by_username).await?;
        if let Some(update) = &users.set_last_login {
            users.file.expect_columns(update).await?;
        }
        Ok(users)
    }

    async fn find(&self, query: &str, value: Value) -> Result<Option<UserRow>, StoreError> {
        let (query, kind) = (query.to_owned(), self.id);
        let find = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&query)?;
            statement
                .query_row([&value], |row| user(row, kind))
                .optional()
        };
        self.file.read(find).await
    }

    /// The value of the key column for an id in a session.
    fn key(&self, id: &str) -> Option<Value> {
        let text = self.id.normal(id)?;
        Some(match self.id {
            IdKind::Integer => Value::Integer(text.parse().ok()?),
            // A UUIDField has no hyphens in SQLite.
            IdKind::Uuid => Value::Text(text.replace('-', "")),
            IdKind::Text => Value::Text(text),
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
        Box::pin(self.find(&self.by_username, Value::Text(username.to_owned())))
    }

    fn set_last_login<'a>(
        &'a self,
        id: &'a str,
        at: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let (Some(key), Some(update)) = (self.key(id), self.set_last_login.clone()) else {
                return Ok(());
            };
            let at = Value::Text(to_text(at));
            let write = move |connection: &Connection| {
                let mut statement = connection.prepare_cached(&update)?;
                statement.execute([&key, &at]).map(drop)
            };
            self.file.write(write).await
        })
    }
}

async fn id_kind(file: &Sqlite, table: &CheckedTable) -> Result<IdKind, StoreError> {
    let (name, column) = (table.bare_table().to_owned(), table.id.clone());
    let declared = file.read(move |connection| {
        let query = "SELECT lower(type) FROM pragma_table_info(?1) WHERE lower(name) = lower(?2)";
        let ask = connection.query_row(query, [&name, &column], |row| row.get::<_, String>(0));
        ask.optional()
    });
    Ok(match declared.await?.as_deref() {
        Some("char(32)") => IdKind::Uuid,
        Some(kind) if kind.contains("int") => IdKind::Integer,
        // An absent column is told of when the queries are prepared.
        _ => IdKind::Text,
    })
}

fn user(row: &Row<'_>, kind: IdKind) -> rusqlite::Result<UserRow> {
    let id = match (kind, row.get_ref(0)?) {
        (_, ValueRef::Integer(id)) => id.to_string(),
        (IdKind::Uuid, value) => {
            let text = value.as_str()?;
            kind.normal(text).unwrap_or_else(|| text.to_owned())
        }
        (_, value) => value.as_str()?.to_owned(),
    };
    Ok(UserRow {
        id,
        username: row.get(1)?,
        password: row.get(2)?,
        is_active: row.get(3)?,
        is_staff: row.get(4)?,
        is_superuser: row.get(5)?,
        email: row.get(6)?,
        first_name: row.get(7)?,
        last_name: row.get(8)?,
    })
}
