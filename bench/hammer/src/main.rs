//! A load generator for what others do not ask: what does a TLS connection cost the server, and
//! does the server bear with clients that leave, stay, or dawdle?
//!
//! `wrk` and `h2load` open their connections once and reuse them, and expect that all goes well.
//!
//! ```text
//! sealwax-hammer full    …   TCP connect, full TLS 1.3 handshake, one GET, close; again
//! sealwax-hammer resumed …   the same with a session ticket (RFC 8446, 2.2) of the connection before
//! sealwax-hammer idle    …   opens N connections, one GET on each, and holds them open
//! sealwax-hammer load    …   GETs on N connections, one in so many given up by the client
//! sealwax-hammer slow    …   N connections that keep the server waiting
//! ```
//!
//! `full`, `resumed` and `idle` measure. Every answer is read to its end and compared with the
//! expected body, and every connection is checked to be of the asked kind. A server that answers
//! something else is not fast, it is wrong, and the process ends with an error.
//!
//! `load` and `slow` try the server. They compare as strictly, but count what goes wrong and go
//! on.
//!
//! Standard output and input keep time with the process that measures:
//!
//! ```text
//! hammer → "ready"     the tickets are there (resumed), the connections stand (others)
//! hammer ← a line      begin (full, resumed), ask on each (idle), end (load, slow)
//! hammer → "ready"     all have been answered (idle)
//! hammer ← a line      let go (idle); the end of input lets go and ends, too
//! hammer → a line      counts, as JSON; with load and slow every second, from the first on
//! ```
//!
//! It is not a general tool: it speaks to loopback addresses only, in bounded time and number,
//! and over HTTP/1.1 understands answers with a Content-Length only.

mod args;
mod connection;
mod failure;
mod measure;
mod multiplexed;
mod pipe;
mod slow;
mod target;
#[cfg(test)]
mod testing;
mod tls;
mod traffic;

use std::io::Write as _;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::task::LocalSet;

use args::{Args, Mode};
use failure::{Failure, whole};
use target::Target;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&whole(&error));
            ExitCode::FAILURE
        }
    }
}

/// A line on standard error. Nothing is left to do when that is gone.
fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "sealwax-hammer: {text}"));
}

fn run() -> Result<(), Error> {
    let args = Args::parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let outcome = runtime.block_on(LocalSet::new().run_until(act(args)));
    // A read of standard input may still be blocked; nobody waits for it.
    runtime.shutdown_background();
    outcome
}

async fn act(args: Args) -> Result<(), Error> {
    let ca = target::read(&args.ca)?;
    let target = Target::new(&args)?;
    match args.mode {
        Mode::Handshakes {
            resumed,
            groups,
            limit,
        } => measure::handshakes(&args, &ca, Rc::new(target), (resumed, groups, limit)).await,
        Mode::Idle { protocol } => measure::idle(&args, &ca, Rc::new(target), protocol).await,
        Mode::Load(load) => traffic::load(&args, &ca, target, load).await,
        Mode::Slow {
            drip,
            refill,
            sources,
        } => slow::slow(&args, &ca, target, (drip, refill, sources)).await,
    }
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
    Connection { number: u64, source: Failure },
    #[error("only {stand} of {wanted} connections stand")]
    NotStanding { stand: u64, wanted: u64 },
    #[error("standard input or output is gone")]
    Pipe(#[source] std::io::Error),
}
