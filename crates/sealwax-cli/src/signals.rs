//! What the outside world asks of a running gateway.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// What a signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM.
    Terminate,
    /// SIGINT: somebody pressed Ctrl-C.
    Interrupt,
    /// SIGHUP, because the terminal has gone.
    HangUp,
}

/// The signals of this process, caught from now on.
#[derive(Debug)]
pub(crate) struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
    had_terminal: bool,
}

impl Signals {
    /// Call inside a runtime, before anything starts that a signal should end
    /// in order.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let catch =
            |kind| signal(kind).map_err(|error| Failure::unable("signals", error.to_string(), ""));
        Ok(Self {
            hang_up: catch(SignalKind::hangup())?,
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            had_terminal: io::stdin().is_terminal(),
        })
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.hang_up.recv() => self.hung_up(),
            _ = self.interrupt.recv() => Request::Interrupt,
            _ = self.terminate.recv() => Request::Terminate,
        }
    }

    /// The next request to end.
    pub(crate) async fn next_stop(&mut self) -> Request {
        loop {
            let request = self.next().await;
            if request != Request::Reload {
                return request;
            }
        }
    }

    /// A closed terminal window also says SIGHUP, and nobody would ever stop a
    /// gateway that took it for a reload.
    fn hung_up(&self) -> Request {
        if self.had_terminal && !io::stdin().is_terminal() {
            Request::HangUp
        } else {
            Request::Reload
        }
    }
}
