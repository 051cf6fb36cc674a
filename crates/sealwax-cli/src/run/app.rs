//! The app as a child process.
//!
//! On a terminal it stays in our process group, so that it can read the
//! keyboard (a debugger wants that) and Ctrl-C reaches it directly. Without a
//! terminal it gets a group of its own, so that a signal reaches everything it
//! started, such as the second process of an auto-reloader.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};

use super::family;
use crate::exit::{Failure, UNABLE};
use crate::signals::Request;

/// A running app.
#[derive(Debug)]
pub(crate) struct App {
    child: Child,
    pid: Option<Pid>,
    own_group: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this exit code.
    Code(u8),
    /// By this signal.
    Signal(u8),
    /// Nobody can tell.
    Unknown,
}

impl App {
    /// Starts `command` with `PORT` and `variables` set and `{port}` replaced.
    pub(crate) fn start(
        command: &[OsString],
        port: u16,
        variables: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let mut words = command.iter().map(|word| with_port(word, port));
        let program = words.next().unwrap_or_default();
        let own_group = !io::stdin().is_terminal();
        let mut child = Command::new(&program);
        child
            .args(words)
            .env("PORT", port.to_string())
            // The keys of the gateway are none of the app's.
            .env_remove("SEALWAX_SECRET")
            .kill_on_drop(true);
        for (name, value) in variables {
            child.env(name, value);
        }
        if own_group {
            child.process_group(0);
        }
        let child = child
            .spawn()
            .map_err(|error| cannot_start(&program, &error))?;
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self {
            child,
            pid,
            own_group,
        })
    }

    /// Resolves when the app has ended. May be dropped and asked again.
    pub(crate) async fn ended(&mut self) -> Ended {
        self.child.wait().await.map_or(Ended::Unknown, Ended::from)
    }

    /// Hands on a request to end.
    pub(crate) fn pass_on(&self, request: Request) {
        match request {
            Request::Reload => {}
            // The terminal has told the app already; twice would mean
            // "at once" to many.
            Request::Interrupt | Request::HangUp if !self.own_group => {}
            Request::Interrupt => self.signal(Signal::INT),
            Request::Terminate | Request::HangUp => self.signal(Signal::TERM),
        }
    }

    /// Ends the app without asking.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let Some(pid) = self.pid else { return };
        // A process that has ended in the meantime needs no signal.
        if self.own_group {
            let _ = kill_process_group(pid, signal);
        } else {
            for descendant in family::below(pid) {
                let _ = kill_process(descendant, signal);
            }
            let _ = kill_process(pid, signal);
        }
    }
}

/// Whatever the app started must not outlive us, whichever way we leave.
impl Drop for App {
    fn drop(&mut self) {
        if self.own_group {
            self.signal(Signal::TERM);
        }
    }
}

fn with_port(word: &OsStr, port: u16) -> OsString {
    let (bytes, mark) = (word.as_bytes(), b"{port}");
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(mark) {
            Some(after) => {
                out.extend_from_slice(port.to_string().as_bytes());
                rest = after;
            }
            None => {
                out.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    OsString::from_vec(out)
}

fn cannot_start(program: &OsStr, error: &io::Error) -> Failure {
    let program = program.display();
    match error.kind() {
        ErrorKind::NotFound => Failure::unable(
            program.to_string(),
            format!("there is no program `{program}`"),
            "check its name and PATH; a shell's own commands need `sh -c '…'`",
        ),
        ErrorKind::PermissionDenied => Failure::unable(
            program.to_string(),
            format!("`{program}` may not be executed"),
            "make it executable (chmod +x), or name its interpreter first",
        ),
        _ => Failure::unable(
            program.to_string(),
            format!("`{program}` cannot be started: {error}"),
            "",
        ),
    }
}

impl Ended {
    /// Ours is the app's exit code, as a shell would give it.
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Ended::Code(code) => ExitCode::from(code),
            Ended::Signal(signal) => ExitCode::from(128_u8.saturating_add(signal)),
            Ended::Unknown => ExitCode::from(UNABLE),
        }
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        let byte = |number: Option<i32>| number.and_then(|number| u8::try_from(number).ok());
        match (byte(status.code()), byte(status.signal())) {
            (Some(code), _) => Ended::Code(code),
            (None, Some(signal)) => Ended::Signal(signal),
            (None, None) => Ended::Unknown,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Code(code) => write!(f, "exit code {code}"),
            Ended::Signal(signal) => write!(f, "signal {signal}"),
            Ended::Unknown => f.write_str("nobody knows how"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_put_into_every_argument() {
        for (word, expected) in [
            ("{port}", "8000"),
            ("127.0.0.1:{port}", "127.0.0.1:8000"),
            ("{port}{port}", "80008000"),
            ("{Port}", "{Port}"),
            ("", ""),
        ] {
            assert_eq!(with_port(OsStr::new(word), 8000), expected);
        }
        let odd = OsStr::from_bytes(b"\xff{port}");
        assert_eq!(with_port(odd, 1).as_bytes(), b"\xff1");
    }
}
