//! Django's cache in a table of an SQLite file.

use std::sync::Arc;

use super::Sqlite;
use crate::cached_db::Cache;
use crate::user::quoted;
use crate::{BoxFuture, StoreError};

/// A table that `manage.py createcachetable` made.
pub(crate) struct CacheTable {
    file: Sqlite,
    delete: Arc<str>,
}

impl CacheTable {
    pub(crate) async fn open(file: Sqlite, table: &str) -> Result<Self, StoreError> {
        let table = quoted(table, file.place())?;
        let delete: Arc<str> = format!("DELETE FROM {table} WHERE \"cache_key\" = ?1").into();
        file.expect_columns(&*delete).await?;
        Ok(Self { file, delete })
    }
}

impl Cache for CacheTable {
    fn forget<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let (key, delete) = (key.to_owned(), Arc::clone(&self.delete));
        Box::pin(self.file.write(move |connection| {
            let mut statement = connection.prepare_cached(&delete)?;
            statement.execute([&key]).map(drop)
        }))
    }
}
