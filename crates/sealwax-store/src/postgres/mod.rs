//! PostgreSQL: a database of its own, or that of a Django next door.

mod cache;
mod pool;
mod sessions;
mod timestamp;
mod tokens;
mod users;

pub(crate) use cache::CacheTable;
pub(crate) use sessions::Sessions;
pub(crate) use tokens::Tokens;
pub(crate) use users::DjangoUsers;

use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Row, SqlSafeStr, SqlStr};

use crate::StoreError;
use pool::Pool;
use timestamp::Timestamp;

/// Connections at most, unless the URL says otherwise.
const CONNECTIONS: usize = 10;

/// One database; clones share its connections.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Arc<Pool>,
}

impl Postgres {
    /// Connects once, so that a wrong URL is found at start.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let (url, connections) = connections(url)?;
        let options = PgConnectOptions::from_str(&url).map_err(|error| {
            // The URL is not shown: it may hold a password.
            let mend = "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for special characters";
            StoreError::misconfigured("the postgres: URL of the store", error, mend)
        })?;
        let pool = Arc::new(Pool::new(options, connections));
        pool.fetch("SELECT 1".into_sql_str(), PgArguments::default())
            .await
            .map_err(|error| pool.at_start(error))?;
        Ok(Self { pool })
    }

    pub(crate) fn place(&self) -> &str {
        self.pool.place()
    }

    /// Runs one statement and answers its rows. Whoever asks may leave: it is
    /// brought to its end.
    async fn fetch(&self, sql: SqlStr, arguments: Bound) -> Result<Vec<PgRow>, StoreError> {
        let pool = Arc::clone(&self.pool);
        let arguments = arguments.0;
        let task = tokio::spawn(async move { pool.fetch(sql, arguments).await });
        let result = task.await.unwrap_or_else(|_| Err(pool::Failure::Ended));
        result.map_err(|error| self.pool.while_serving(error))
    }

    /// The same before any request: what fails is the operator's to mend.
    async fn fetch_at_start(
        &self,
        sql: SqlStr,
        arguments: Bound,
    ) -> Result<Vec<PgRow>, StoreError> {
        let result = self.pool.fetch(sql, arguments.0).await;
        result.map_err(|error| self.pool.at_start(error))
    }

    /// Makes a table unless it is there, and sees that a query on it can be run.
    async fn expect_table(
        &self,
        table: &'static str,
        create: &'static [&'static str],
        query: &'static str,
        arguments: Bound,
    ) -> Result<(), StoreError> {
        let found = self.fetch_at_start(
            // What the search path finds, as the queries do.
            "SELECT to_regclass($1) IS NOT NULL".into_sql_str(),
            bound().text(table),
        );
        let rows = found.await?;
        if !self.column::<bool>(rows.first(), 0)?.unwrap_or(false) {
            for statement in create {
                // Every statement says IF NOT EXISTS; two processes that start
                // together can collide in the catalogue all the same, and then the
                // second attempt finds what the other one made.
                let made = self.fetch_at_start(statement.into_sql_str(), bound());
                if made.await.is_err() {
                    self.fetch_at_start(statement.into_sql_str(), bound())
                        .await?;
                }
            }
        }
        self.fetch_at_start(query.into_sql_str(), arguments).await?;
        Ok(())
    }

    /// A column of a row; a value that cannot be read was not written by us.
    fn column<'r, T>(&self, row: Option<&'r PgRow>, index: usize) -> Result<Option<T>, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let value = row.map(|row| row.try_get(index)).transpose();
        value.map_err(|error| self.corrupt(error))
    }

    fn corrupt(&self, cause: impl std::fmt::Display) -> StoreError {
        let mend = "look for another program that writes into this table";
        StoreError::corrupt(self.place(), cause, mend)
    }

    /// Removes what has expired, portion by portion.
    async fn sweep(
        &self,
        portion: &'static str,
        now: std::time::Duration,
    ) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let rows = self
                .fetch(portion.into_sql_str(), bound().instant(now))
                .await?;
            if rows.is_empty() {
                return Ok(swept);
            }
            swept += rows.len() as u64;
        }
    }
}

/// The values for the placeholders of a statement, in order.
struct Bound(PgArguments);

fn bound() -> Bound {
    Bound(PgArguments::default())
}

impl Bound {
    fn text(self, text: &str) -> Self {
        self.add(text)
    }

    fn integer(self, number: i64) -> Self {
        self.add(number)
    }

    fn instant(self, instant: std::time::Duration) -> Self {
        self.add(Timestamp(instant))
    }

    fn maybe_instant(self, instant: Option<std::time::Duration>) -> Self {
        self.add(instant.map(Timestamp))
    }

    fn add<'q, T>(mut self, value: T) -> Self
    where
        T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        // Texts, integers and instants always encode; were one left out, the server
        // would refuse the statement for the missing value.
        let _ = self.0.add(value);
        self
    }
}

/// A statement made at start of names that were checked then.
fn prepared(statement: &Arc<str>) -> SqlStr {
    AssertSqlSafe(Arc::clone(statement)).into_sql_str()
}

/// Takes our own option, `pool`, out of a URL: the driver knows the others.
fn connections(url: &str) -> Result<(String, usize), StoreError> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), CONNECTIONS));
    };
    let own = |pair: &&str| pair.starts_with("pool=");
    let others: Vec<&str> = query.split('&').filter(|pair| !own(pair)).collect();
    let connections = match query.split('&').find(own) {
        None => CONNECTIONS,
        Some(pair) => {
            let number = pair.trim_start_matches("pool=").parse().unwrap_or(0);
            if !(1..=1_000).contains(&number) {
                return Err(StoreError::misconfigured(
                    "the postgres: URL of the store",
                    "pool is not a number from 1 to 1000",
                    "write ?pool=10, or leave it out",
                ));
            }
            number
        }
    };
    let joined = match others.join("&") {
        rest if rest.is_empty() => base.to_owned(),
        rest => format!("{base}?{rest}"),
    };
    Ok((joined, connections))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_option_is_taken_out_of_the_url() {
        let check = |url: &str, rest: &str, number: usize| {
            assert_eq!(connections(url).unwrap(), (rest.to_owned(), number));
        };
        check("postgres://h/d", "postgres://h/d", 10);
        check("postgres://h/d?pool=3", "postgres://h/d", 3);
        check(
            "postgres://h/d?sslmode=require&pool=3&options=a",
            "postgres://h/d?sslmode=require&options=a",
            3,
        );
        for bad in ["0", "", "x", "1001", "-1"] {
            assert!(connections(&format!("postgres://h/d?pool={bad}")).is_err());
        }
    }

    #[tokio::test]
    async fn a_bad_url_is_refused_without_showing_it() {
        for url in [
            "postgres://u:hun ter@h:port/d",
            "postgres://u:hunter@h/d?sslmode=hunter2x",
        ] {
            let error = Postgres::open(url).await.err().expect("refused");
            assert!(matches!(error, StoreError::Misconfigured(_)), "{error}");
        }
    }
}
