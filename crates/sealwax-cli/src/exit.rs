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
    /// Wrong flags, or one mistake in what the user wrote; exit code 64.
    Usage(Complaint),
    /// Mistakes in the configuration, rendered with their places; exit code 64.
    Configuration(String),
    /// The machine would not let us; exit code 2.
    Unable(Complaint),
    /// Whoever read our standard output has gone (`sealwax explain … | head`).
    /// That is no error: the reader has what it wanted.
    ReaderGone,
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
        Failure::Usage(Complaint::new(place, cause, mend))
    }

    pub(crate) fn unable(
        place: impl Into<String>,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Failure::Unable(Complaint::new(place, cause, mend))
    }

    /// What is printed on standard error; `None` prints nothing.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Failure::Usage(complaint) | Failure::Unable(complaint) => Some(complaint.to_string()),
            Failure::Configuration(text) => Some(text.clone()),
            Failure::ReaderGone => None,
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) | Failure::Configuration(_) => ExitCode::from(USAGE),
            Failure::Unable(_) => ExitCode::from(UNABLE),
            Failure::ReaderGone => ExitCode::SUCCESS,
        }
    }
}
