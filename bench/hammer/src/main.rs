//! A load generator for one question: what does a TLS connection cost the server?
//!
//! `wrk` and `h2load` open their connections once and reuse them. This one does the opposite:
//!
//! ```text
//! sealwax-hammer full    …   TCP connect, full TLS 1.3 handshake, one GET, close; again
//! sealwax-hammer resumed …   the same with a session ticket (RFC 8446, 2.2) of the connection before
//! sealwax-hammer idle    …   opens N connections, one GET on each, and holds them open
//! ```
//!
//! Every answer is read to its end and compared with the expected body, and every connection
//! is checked to be of the asked kind. A server that answers something else is not fast, it is
//! wrong, and the process ends with an error.
//!
//! Standard output and input keep time with the process that measures:
//!
//! ```text
//! hammer → "ready"     the tickets are there (resumed), the connections stand (idle)
//! hammer ← a line      begin (full, resumed) or let go (idle); the end of input lets go too
//! hammer → one line    counts, as JSON
//! ```
//!
//! It is not a general tool: it speaks to loopback addresses only, in bounded time and number,
//! and understands answers with a Content-Length only.

mod args;
mod connection;
mod load;
mod tls;

use std::io::Write as _;
use std::process::ExitCode;

use args::Args;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut line = format!("sealwax-hammer: {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                line.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            // Nothing is left to do when standard error is gone.
            drop(writeln!(std::io::stderr(), "{line}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let args = Args::parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let outcome = runtime.block_on(load::run(args));
    // A read of standard input may still be blocked; nobody waits for it.
    runtime.shutdown_background();
    outcome
}

/// Why the run is void.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("cannot read {path}")]
    File {
        path: String,
        source: std::io::Error,
    },
    #[error("the asynchronous runtime did not start")]
    Runtime(#[source] std::io::Error),
    #[error("the TLS client cannot be set up")]
    Tls(#[from] tls::SetupError),
    #[error("connection {number} failed")]
    Connection {
        number: u64,
        source: connection::Failure,
    },
    #[error("standard input or output is gone")]
    Pipe(#[source] std::io::Error),
}
