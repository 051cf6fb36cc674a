//! Standard output and error: writing to them, and colour.
//!
//! Results go to standard output, everything else to standard error. Colour
//! appears only on a terminal, and never when `NO_COLOR` is set
//! (<https://no-color.org>) or `TERM` is `dumb`.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::exit::Failure;

/// Writes `text` to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::ReaderGone),
        Err(error) => Err(Failure::unable("standard output", error.to_string(), "")),
    }
}

/// Writes `text` and a line break to standard error.
pub(crate) fn say(text: &str) {
    let mut err = io::stderr().lock();
    // When standard error is closed, there is nobody left to tell.
    let _ = err.write_all(format!("{text}\n").as_bytes());
}

/// Whether messages on standard error reach a person.
pub(crate) fn someone_reads_stderr() -> bool {
    io::stderr().is_terminal()
}

/// Paints text, or leaves it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn for_stdout() -> Self {
        Self {
            on: io::stdout().is_terminal() && wanted(),
        }
    }

    pub(crate) fn for_stderr() -> Self {
        Self {
            on: io::stderr().is_terminal() && wanted(),
        }
    }

    #[cfg(test)]
    pub(crate) fn off() -> Self {
        Self { on: false }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.with("2", text)
    }

    pub(crate) fn red(self, text: impl Display) -> String {
        self.with("31", text)
    }

    pub(crate) fn green(self, text: impl Display) -> String {
        self.with("32", text)
    }

    pub(crate) fn yellow(self, text: impl Display) -> String {
        self.with("33", text)
    }

    fn with(self, code: &str, text: impl Display) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}

fn wanted() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}
