//! What can be wrong with a file of keys.

use std::fmt;
use std::io;
use std::path::Path;

use sealwax_cookie::KeyRingError;

/// Why keys cannot be read or written: the place, the cause, the mend. Nothing of a key is in it.
#[derive(Debug)]
pub struct SecretError {
    place: String,
    cause: String,
    mend: String,
}

impl SecretError {
    pub(super) fn new(
        place: impl fmt::Display,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            place: place.to_string(),
            cause: cause.into(),
            mend: mend.into(),
        }
    }

    pub(super) fn reading(path: &Path, error: &io::Error) -> Self {
        let mend = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "let the user of the gateway read it, and nobody else (mode 0600)"
            }
            _ => "name a file of keys, such as `sealwax secret new` makes",
        };
        Self::new(path.display(), format!("it cannot be read: {error}"), mend)
    }

    pub(super) fn writing(path: &Path, error: &io::Error) -> Self {
        let mend = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "run this as a user who may write in its directory, or change the keys where the file comes from"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
            _ => "look at the directory and the disk",
        };
        let cause = format!("it cannot be written: {error}");
        Self::new(path.display(), cause, mend)
    }

    pub(super) fn text(path: &Path, error: KeyRingError) -> Self {
        let place = format!("{}:{}", path.display(), error.line);
        Self::new(place, error.cause.to_string(), error.cause.mend())
    }

    /// The file, and the line where there is one.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// What to do about it.
    #[must_use]
    pub fn mend(&self) -> &str {
        &self.mend
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.mend)
    }
}

impl std::error::Error for SecretError {}
