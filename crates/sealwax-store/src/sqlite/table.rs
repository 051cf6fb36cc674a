//! What all tables in a file have in common.

use std::time::Duration;

use super::Sqlite;
use crate::StoreError;
use crate::time::to_text;

impl Sqlite {
    pub(super) async fn has_table(&self, name: &'static str) -> Result<bool, StoreError> {
        self.read(move |connection| connection.table_exists(None, name))
            .await
    }

    /// Sees that a query can be run: that its table and columns are there.
    pub(super) async fn expect_columns(&self, query: impl Into<String>) -> Result<(), StoreError> {
        let query = query.into();
        let prepared = self.read(move |connection| {
            Ok(connection
                .prepare(&query)
                .map(drop)
                .map_err(|error| error.to_string()))
        });
        prepared.await?.map_err(|cause| {
            StoreError::misconfigured(
                self.place(),
                cause,
                "name a table with these columns, or run the migrations of the app that owns it",
            )
        })
    }

    /// Removes what has expired, portion by portion, each in a commit of its own.
    pub(super) async fn sweep(
        &self,
        portion: &'static str,
        now: Duration,
    ) -> Result<u64, StoreError> {
        let now = to_text(now);
        let mut swept = 0;
        loop {
            let now = now.clone();
            let rows = self
                .write(move |connection| connection.prepare_cached(portion)?.execute([&now]))
                .await?;
            if rows == 0 {
                return Ok(swept);
            }
            swept += rows as u64;
        }
    }
}
