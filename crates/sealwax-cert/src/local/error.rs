//! What can be wrong with the local authority, one message each.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use super::names::NotLocal;
use crate::when::date;

/// The local authority cannot be used. `Display` is place, cause and mend in
/// one line; the parts are also available one by one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The operating system refused to read or write a file of the authority.
    #[error("{}", self.line())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done: "read", "write", "create" or "lock".
        action: &'static str,
        /// The operating system's own words and code.
        error: io::Error,
    },
    /// The authority's directory can be written by others, who could exchange
    /// the key.
    #[error("{}", self.line())]
    DirectoryWritable {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key can be read or written by other users: it may already be known.
    #[error("{}", self.line())]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A root certificate without its key.
    #[error("{}", self.line())]
    KeyMissing {
        /// Where the key should be.
        path: PathBuf,
    },
    /// A file that is not what was once written there.
    #[error("{}", self.line())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key is not the one that the root certificate names.
    #[error("{}", self.line())]
    KeyMismatch {
        /// The key file.
        path: PathBuf,
    },
    /// The certificate is a certificate authority without critical name
    /// constraints. Sealwax never issues from one: its key could impersonate
    /// any site to those who trust it.
    #[error("{}", self.line())]
    NotConstrained {
        /// The root certificate.
        path: PathBuf,
    },
    /// The root's life is over.
    #[error("{}", self.line())]
    Expired {
        /// The root certificate.
        path: PathBuf,
        /// Its last second, since 1970.
        not_after: i64,
    },
    /// The root's life has not begun: this clock, or the one it was made by, is
    /// wrong.
    #[error("{}", self.line())]
    NotYetValid {
        /// The root certificate.
        path: PathBuf,
        /// Its first second, since 1970.
        not_before: i64,
        /// The time that was given.
        now: i64,
    },
    /// The host is not one that the authority speaks for.
    #[error(transparent)]
    NotLocal(#[from] NotLocal),
    /// Key generation or signing failed, which points at the cryptographic
    /// library or its source of randomness.
    #[error("{}", self.line())]
    Crypto {
        /// The root certificate that was to be made or to issue.
        path: PathBuf,
        /// The library's words.
        why: String,
    },
}

impl LocalError {
    /// The file, directory or host that the error is about.
    pub fn place(&self) -> Cow<'_, str> {
        match self {
            Self::NotLocal(refused) => Cow::Borrowed(refused.place()),
            Self::Io { path, .. }
            | Self::DirectoryWritable { path, .. }
            | Self::KeyExposed { path, .. }
            | Self::KeyMissing { path }
            | Self::Damaged { path, .. }
            | Self::KeyMismatch { path }
            | Self::NotConstrained { path }
            | Self::Expired { path, .. }
            | Self::NotYetValid { path, .. }
            | Self::Crypto { path, .. } => path.to_string_lossy(),
        }
    }

    /// What is wrong.
    pub fn cause(&self) -> String {
        match self {
            Self::Io { action, error, .. } => format!("cannot {action} it: {error}"),
            Self::DirectoryWritable { mode, .. } => {
                format!("other users can write to this directory (mode {mode:04o})")
            }
            Self::KeyExposed { mode, .. } => {
                format!("other users can reach the local authority's key (mode {mode:04o})")
            }
            Self::KeyMissing { .. } => {
                "the root certificate is there but its key is gone".to_owned()
            }
            Self::Damaged { why, .. } => why.clone(),
            Self::KeyMismatch { .. } => {
                "the key does not belong to the root certificate beside it".to_owned()
            }
            Self::NotConstrained { .. } => {
                "this certificate authority is not limited to local names".to_owned()
            }
            Self::Expired { not_after, .. } => {
                format!("the local authority expired on {}", date(*not_after))
            }
            Self::NotYetValid {
                not_before, now, ..
            } => format!(
                "the local authority is valid from {} but the clock says {}",
                date(*not_before),
                date(*now)
            ),
            Self::NotLocal(refused) => refused.cause().to_owned(),
            Self::Crypto { why, .. } => format!("the certificate could not be made: {why}"),
        }
    }

    /// What to do about it.
    pub fn mend(&self) -> String {
        match self {
            Self::Io { action, error, .. } => mend_io(action, error),
            Self::DirectoryWritable { path, .. } => {
                format!("chmod 700 {}", quoted(path))
            }
            Self::KeyExposed { path, .. } => format!(
                "chmod 600 {}, and if another user may have read it, {}",
                quoted(path),
                make_anew(path)
            ),
            Self::KeyMissing { path }
            | Self::Damaged { path, .. }
            | Self::KeyMismatch { path }
            | Self::NotConstrained { path } => {
                format!("restore it from a backup, or {}", make_anew(path))
            }
            Self::Expired { path, .. } => make_anew(path),
            Self::NotYetValid { path, .. } => {
                format!("set the clock right, or {}", make_anew(path))
            }
            Self::NotLocal(refused) => refused.mend().to_owned(),
            Self::Crypto { .. } => "try again, and report this as a defect if it stays".to_owned(),
        }
    }

    fn line(&self) -> String {
        format!("{}: {}; {}", self.place(), self.cause(), self.mend())
    }
}

fn mend_io(action: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "run as the user it belongs to, or let this user {action} it, or set SEALWAX_HOME \
             to another directory"
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => {
            "set SEALWAX_HOME to a directory that can be written".to_owned()
        }
        io::ErrorKind::InvalidInput => {
            "put the regular file itself there, or remove what is there".to_owned()
        }
        _ => "check the path, or set SEALWAX_HOME to another directory".to_owned(),
    }
}

/// How to begin again. The old root is taken out of the trust stores first:
/// afterwards nothing knows its fingerprint any more.
fn make_anew(path: &Path) -> String {
    let dir = path.parent().unwrap_or(path);
    format!(
        "make a new authority: run `sealwax trust uninstall`, delete {} and {}, and run \
         `sealwax trust install`",
        quoted(&dir.join(super::ROOT_FILE)),
        quoted(&dir.join(super::KEY_FILE))
    )
}

fn quoted(path: &Path) -> String {
    crate::trust::quote(&path.to_string_lossy())
}
