//! Django's cache in a table of PostgreSQL.

use std::sync::Arc;

use super::{Postgres, bound, prepared};
use crate::cached_db::Cache;
use crate::user::quoted;
use crate::{BoxFuture, StoreError};

/// A table that `manage.py createcachetable` made.
pub(crate) struct CacheTable {
    server: Postgres,
    delete: Arc<str>,
}

impl CacheTable {
    pub(crate) async fn open(server: Postgres, table: &str) -> Result<Self, StoreError> {
        let table = quoted(table, server.place())?;
        let delete: Arc<str> = format!("DELETE FROM {table} WHERE \"cache_key\" = $1").into();
        // No key of Django's is empty.
        let rows = server.fetch_at_start(prepared(&delete), bound().text(""));
        rows.await?;
        Ok(Self { server, delete })
    }
}

impl Cache for CacheTable {
    fn forget<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let rows = self.server.fetch(prepared(&self.delete), bound().text(key));
            rows.await.map(drop)
        })
    }
}
