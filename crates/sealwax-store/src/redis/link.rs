//! The connection: one, shared by all requests, made again when it breaks.
//!
//! The driver's own manager keeps an error for good when the server refuses a new
//! connection for another reason than the network, as it does while it loads its
//! data after a restart.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::StoreError;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(2);

pub(super) struct Link {
    place: String,
    client: Client,
    current: Mutex<Current>,
}

struct Current {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of an old one does not throw
    /// the new one away.
    number: u64,
}

impl Link {
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|error| {
            // What the driver says of a URL may quote it; its kind of error does not.
            let mend =
                "write redis://USER:PASSWORD@HOST:PORT/NUMBER, with %XX for special characters";
            StoreError::misconfigured("the redis: URL of the store", kind(&error), mend)
        })?;
        let info = client.get_connection_info();
        let user = info.redis_settings().username();
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let database = info.redis_settings().db();
        Ok(Self {
            place: format!("redis://{user}{}/{database}", info.addr()),
            client,
            current: Mutex::new(Current {
                connection: None,
                number: 0,
            }),
        })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Sends a command, and once more on a new connection when the old one turns
    /// out to be broken: every command of this crate may run twice.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        // While the server hangs, all that find no connection try to make one, in turn. The last
        // of them must not wait for all the others.
        let asked = timeout(PATIENCE + CONNECT, self.ask_patiently(command)).await;
        asked.unwrap_or_else(|_| Err((ErrorKind::Io, "no answer in time").into()))
    }

    async fn ask_patiently<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let (mut connection, number, fresh) = self.connection().await?;
        let error = match command.query_async(&mut connection).await {
            Ok(value) => return Ok(value),
            Err(error) if is_broken(&error) => error,
            Err(error) => return Err(error),
        };
        self.forget(number).await;
        if fresh || error.is_timeout() {
            return Err(error);
        }
        let (mut connection, number, _) = self.connection().await?;
        let again = command.query_async(&mut connection).await;
        if again.as_ref().is_err_and(is_broken) {
            self.forget(number).await;
        }
        again
    }

    /// The same, with the error for a request.
    pub(super) async fn serve<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.ask(command)
            .await
            .map_err(|error| self.while_serving(&error))
    }

    /// The connection, its number, and whether it was made just now.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64, bool), RedisError> {
        // Held while connecting: of all that find it broken, one connects.
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((connection.clone(), current.number, false));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(PATIENCE));
        let connect = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let connection = connect.await?;
        current.number += 1;
        current.connection = Some(connection.clone());
        Ok((connection, current.number, true))
    }

    async fn forget(&self, number: u64) {
        let mut current = self.current.lock().await;
        if current.number == number {
            current.connection = None;
        }
    }

    fn while_serving(&self, error: &RedisError) -> StoreError {
        match error.kind() {
            ErrorKind::UnexpectedReturnType | ErrorKind::Parse => StoreError::corrupt(
                &self.place,
                error,
                "look for another program that writes keys beginning with sealwax:",
            ),
            ErrorKind::Server(ServerErrorKind::ReadOnly) => StoreError::unavailable(
                &self.place,
                error,
                "name the primary: this server is a read-only replica",
            ),
            _ => StoreError::unavailable(
                &self.place,
                error,
                "see that the server runs and can be reached; it is tried again at the next request",
            ),
        }
    }

    pub(super) fn at_start(&self, error: &RedisError) -> StoreError {
        let mend = match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
                "check the user and the password"
            }
            (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => {
                "name the primary: this server is a read-only replica"
            }
            (ErrorKind::Server(ServerErrorKind::NoPerm), _) => {
                "grant this user the keys sealwax:* and the commands GET, SET, DEL, HGETALL and EVAL"
            }
            (ErrorKind::Server(ServerErrorKind::ResponseError), _) => {
                "use Redis 6.2 or later, or Valkey, and a database number that it has"
            }
            _ => return self.while_serving(error),
        };
        StoreError::misconfigured(&self.place, error, mend)
    }
}

/// Whether another connection may do better.
fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || matches!(
            error.kind(),
            // Behind a name that may lead to the new primary.
            ErrorKind::Server(ServerErrorKind::ReadOnly)
        )
}

fn kind(error: &RedisError) -> String {
    format!("{:?}", error.kind())
}
