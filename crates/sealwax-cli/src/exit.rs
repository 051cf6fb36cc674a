//! How the program ends: exit codes, and the one shape of an error message.

use std::fmt;
use std::process::ExitCode;

/// Exit code when the work could not be done: a port that is taken, a file
/// that cannot be written.
pub(crate) const UNABLE: u8 = 2;

/// Exit code for bad usage or configuration (`EX_USAGE` of sysexits.h).
pub(crate) const USAGE: u8 = 64;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong flags or mistakes in the configuration; exit code 64.
    Usage(Message),
    /// The machine would not let us; exit code 2.
    Unable(Message),
    /// Whoever read our standard output has gone (`sealwax explain … | head`).
    /// That is no error: the reader has what it wanted.
    ReaderGone,
}

/// What is printed on standard error.
#[derive(Debug)]
pub(crate) enum Message {
    /// One error of our own.
    Complaint(Complaint),
    /// Mistakes that `sealwax-config` has put into words, with their places.
    Rendered(String),
}

/// One error: the place, the cause, the mend.
#[derive(Debug)]
pub(crate) struct Complaint {
    /// A file, flag or variable; empty when the cause names it.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) cause: String,
    /// What to do about it; empty when there is nothing to add.
    pub(crate) mend: String,
}

impl Complaint {
    pub(crate) fn new(
        place: impl Into<String>,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            cause: cause.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.cause)?;
        if !self.place.is_empty() {
            write!(f, "\n --> {}", self.place)?;
        }
        if !self.mend.is_empty() {
            write!(f, "\n  = help: {}", self.mend)?;
        }
        Ok(())
    }
}

impl Failure {
    pub(crate) fn usage(
        place: impl Into<String>,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Failure::Usage(Message::Complaint(Complaint::new(place, cause, mend)))
    }

    pub(crate) fn unable(
        place: impl Into<String>,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Failure::Unable(Message::Complaint(Complaint::new(place, cause, mend)))
    }

    /// Mistakes in the configuration.
    pub(crate) fn configuration(rendered: String) -> Self {
        Failure::Usage(Message::Rendered(rendered))
    }

    /// What is printed on standard error; `None` prints nothing.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Failure::Usage(message) | Failure::Unable(message) => Some(match message {
                Message::Complaint(complaint) => complaint.to_string(),
                Message::Rendered(text) => text.trim_end().to_owned(),
            }),
            Failure::ReaderGone => None,
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(USAGE),
            Failure::Unable(_) => ExitCode::from(UNABLE),
            Failure::ReaderGone => ExitCode::SUCCESS,
        }
    }
}
