//! Connections to one server: bounded, lent for one statement each.
//!
//! sqlx's own pool asks the server for a sign of life at every return of a
//! connection, which doubles the round trips of statements as small as ours. Here
//! a connection that turns out to be broken is thrown away, with all that rest
//! beside it, and the statement is sent once more on a new one. That is safe
//! because every statement of this crate can run twice: a second `INSERT` finds
//! its key taken, and the caller draws another.

use std::sync::Mutex;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{Connection, PgConnection, SqlStr};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::StoreError;

/// How long one statement may take, with the wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    place: String,
    options: PgConnectOptions,
    /// The last one used is the next one used: those not needed grow old together.
    idle: Mutex<Vec<PgConnection>>,
    permits: Semaphore,
}

/// Why a statement has no answer.
pub(super) enum Failure {
    /// The task that ran it is gone: the process ends.
    Ended,
    Server(sqlx::Error),
    /// Not within [`PATIENCE`].
    TimedOut,
}

impl Pool {
    pub(super) fn new(options: PgConnectOptions, connections: usize) -> Self {
        Self {
            place: place(&options),
            options,
            idle: Mutex::default(),
            permits: Semaphore::new(connections),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) async fn fetch(
        &self,
        sql: SqlStr,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, Failure> {
        let fetch = self.fetch_patiently(sql, arguments);
        timeout(PATIENCE, fetch)
            .await
            .unwrap_or(Err(Failure::TimedOut))
    }

    async fn fetch_patiently(
        &self,
        sql: SqlStr,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, Failure> {
        // Nobody closes the semaphore.
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Ended)?;
        if let Some(connection) = self.idle(Vec::pop) {
            match self
                .fetch_on(connection, sql.clone(), arguments.clone())
                .await
            {
                Err(error) if is_broken(&error) => self.idle(Vec::clear),
                result => return result.map_err(Failure::Server),
            }
        }
        let connection = PgConnection::connect_with(&self.options)
            .await
            .map_err(Failure::Server)?;
        let result = self.fetch_on(connection, sql, arguments).await;
        result.map_err(Failure::Server)
    }

    /// Keeps the connection unless it is broken, or this future is dropped halfway.
    async fn fetch_on(
        &self,
        mut connection: PgConnection,
        sql: SqlStr,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(sql, arguments);
        let result = query.fetch_all(&mut connection).await;
        if !result.as_ref().is_err_and(is_broken) {
            self.idle(|idle| idle.push(connection));
        }
        result
    }

    fn idle<T>(&self, change: impl FnOnce(&mut Vec<PgConnection>) -> T) -> T {
        let mut idle = self.idle.lock();
        change(idle.as_mut().unwrap_or_else(|poison| poison.get_mut()))
    }

    pub(super) fn while_serving(&self, failure: Failure) -> StoreError {
        match failure {
            // Class 22: what is stored does not fit the statement that reads it.
            Failure::Server(error) if code(&error).is_some_and(|code| code.starts_with("22")) => {
                StoreError::corrupt(
                    &self.place,
                    error,
                    "look for another program that writes into this table",
                )
            }
            other => self.unavailable(other),
        }
    }

    pub(super) fn at_start(&self, failure: Failure) -> StoreError {
        let Failure::Server(error) = failure else {
            return self.unavailable(failure);
        };
        let mend = match code(&error).as_deref() {
            Some("3D000") => "create the database, or name another",
            Some("28000" | "28P01") => {
                "check the user and the password, and the server's pg_hba.conf"
            }
            Some("42501") => {
                "grant this user SELECT, INSERT, UPDATE and DELETE, and CREATE for tables that are not there"
            }
            Some("42P01" | "42703" | "42883" | "42804") => {
                "name a table with these columns, or run the migrations of the app that owns it"
            }
            Some("25006") => "name the primary: this server is a read-only replica",
            Some(_) => "see the server's log",
            None if matches!(error, sqlx::Error::Tls(_) | sqlx::Error::Configuration(_)) => {
                "check sslmode and sslrootcert in the URL, and the server's certificate"
            }
            None => return self.unavailable(Failure::Server(error)),
        };
        StoreError::misconfigured(&self.place, error, mend)
    }

    fn unavailable(&self, failure: Failure) -> StoreError {
        let place = &self.place;
        match failure {
            Failure::Ended => StoreError::unavailable(
                place,
                "the statement was given up",
                "nothing: the process is ending",
            ),
            Failure::Server(error) => StoreError::unavailable(
                place,
                error,
                "see that the server runs and can be reached; it is tried again at the next request",
            ),
            Failure::TimedOut => StoreError::unavailable(
                place,
                format_args!("no answer within {} s", PATIENCE.as_secs()),
                "see whether the server is overloaded or unreachable, or raise ?pool= in the URL",
            ),
        }
    }
}

/// Whether the connection is of no use any more, and another one may be.
fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => code(error).is_some_and(|code| {
            // Connection exceptions; the server shuts down or starts up; a prepared
            // statement that is no longer there or no longer fits; a server that has
            // become a replica, behind a name that may lead to the new primary.
            code.starts_with("08")
                || [
                    "57P01", "57P02", "57P03", "26000", "42P05", "0A000", "25006",
                ]
                .contains(&code.as_str())
        }),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => false,
        _ => true,
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// The server as it is named in errors: without the password, made of the parts
/// that the driver read and not of the URL.
fn place(options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    match options.get_socket() {
        Some(socket) => format!("postgres://{user}@{}/{database}", socket.display()),
        None => {
            let (host, port) = (options.get_host(), options.get_port());
            format!("postgres://{user}@{host}:{port}/{database}")
        }
    }
}
