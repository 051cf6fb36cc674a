//! The port that the app is to listen on, and the wait for it.

use std::fmt;
use std::time::Duration;

use sealwax_config::{Config, Upstream};
use tokio::net::TcpStream;
use tokio::time;

use crate::exit::Failure;

/// Between two looks. Short, since a person waits; a refused connection costs
/// next to nothing.
const PAUSE: Duration = Duration::from_millis(50);

/// One look may not hang on a host that drops packets.
const PATIENCE: Duration = Duration::from_secs(2);

/// Host and port of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppPort {
    host: String,
    port: u16,
}

impl AppPort {
    /// Where the first site expects its app.
    pub(crate) fn of(config: &Config) -> Result<Self, Failure> {
        match config.sites.first().and_then(|site| site.upstreams.first()) {
            Some(Upstream::Tcp { host, port }) => Ok(Self {
                host: host.clone(),
                port: *port,
            }),
            _ => Err(Failure::usage(
                "--to",
                "`sealwax run` gives the app a port, and this site expects it on a socket file",
                "leave --to out, or start the app yourself and use `sealwax serve`",
            )),
        }
    }

    pub(crate) fn number(&self) -> u16 {
        self.port
    }

    /// Resolves when something accepts a connection.
    pub(crate) async fn answers(&self) {
        loop {
            let attempt = TcpStream::connect((self.host.as_str(), self.port));
            if matches!(time::timeout(PATIENCE, attempt).await, Ok(Ok(_))) {
                return;
            }
            time::sleep(PAUSE).await;
        }
    }
}

impl fmt::Display for AppPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
