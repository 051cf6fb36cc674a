//! What can be wrong with certificate files, one message each.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use super::chain::Described;
use crate::trust::quote;
use crate::when::date_time;

/// A certificate cannot be served. `Display` is place, cause and mend in one
/// line; the parts are also available one by one.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}; {}", self.place(), self.cause(), self.mend())]
#[non_exhaustive]
pub enum LoadError {
    /// A certificate in the file cannot be parsed (RFC 5280 section 4.1).
    BadCertificate {
        /// The certificate file.
        path: PathBuf,
        /// Which certificate, from 1.
        position: usize,
        /// The parser's words.
        why: String,
    },
    /// A PEM section (RFC 7468) is damaged.
    BrokenPem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The certificates are not in order: the site's first, each followed by its
    /// issuer.
    ChainOrder {
        /// The certificate file.
        path: PathBuf,
        /// Which certificate, from 1.
        position: usize,
        /// What is wrong with its position.
        why: &'static str,
    },
    /// The file was exchanged each time it was read.
    Changing {
        /// The file.
        path: PathBuf,
    },
    /// DER where PEM is wanted.
    Der {
        /// The file.
        path: PathBuf,
        /// The command that reads it.
        command: &'static str,
    },
    /// The file has no contents.
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The key needs a passphrase, which a server has nobody to ask for.
    EncryptedKey {
        /// The key file.
        path: PathBuf,
    },
    /// Certificate and key do not belong together.
    KeyMismatch {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        cert: PathBuf,
    },
    /// PEM, but without a certificate.
    NoCertificate {
        /// The certificate file.
        path: PathBuf,
        /// The labels of the sections that it holds.
        found: Vec<String>,
    },
    /// PEM, but without a private key.
    NoKey {
        /// The key file.
        path: PathBuf,
        /// The labels of the sections that it holds.
        found: Vec<String>,
    },
    /// Neither PEM nor anything else that was recognised.
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// A PKCS #12 archive (RFC 7292), as Windows exports it.
    Pkcs12 {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused to read the file.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's own words and code.
        error: io::Error,
    },
    /// The key is of a kind that TLS servers do not use.
    UnusableKey {
        /// The key file.
        path: PathBuf,
        /// The library's words.
        why: String,
    },
    /// An RSA key under 2048 bits.
    WeakKey {
        /// The certificate file.
        path: PathBuf,
        /// The key's length.
        bits: usize,
    },
}

impl LoadError {
    /// The file that the error is about.
    pub fn place(&self) -> Cow<'_, str> {
        self.path().to_string_lossy()
    }

    /// The file that the error is about, as a path.
    pub fn path(&self) -> &Path {
        match self {
            Self::BadCertificate { path, .. }
            | Self::BrokenPem { path, .. }
            | Self::ChainOrder { path, .. }
            | Self::Changing { path }
            | Self::Der { path, .. }
            | Self::Empty { path }
            | Self::EncryptedKey { path }
            | Self::KeyMismatch { key: path, .. }
            | Self::NoCertificate { path, .. }
            | Self::NoKey { path, .. }
            | Self::NotPem { path }
            | Self::Pkcs12 { path }
            | Self::Unreadable { path, .. }
            | Self::UnusableKey { path, .. }
            | Self::WeakKey { path, .. } => path,
        }
    }

    /// What is wrong.
    pub fn cause(&self) -> String {
        match self {
            Self::BadCertificate { position, why, .. } => {
                format!("certificate {position} in this file cannot be read: {why}")
            }
            Self::BrokenPem { why, .. } => format!("the PEM text is damaged: {why}"),
            Self::ChainOrder { position, why, .. } => {
                format!("certificate {position} in this file is out of order: {why}")
            }
            Self::Changing { .. } => "the file keeps changing while it is read".to_owned(),
            Self::Der { .. } => "this is DER (binary), not PEM".to_owned(),
            Self::Empty { .. } => "the file is empty".to_owned(),
            Self::EncryptedKey { .. } => {
                "the key is encrypted, and a server cannot ask for its passphrase".to_owned()
            }
            Self::KeyMismatch { cert, .. } => {
                format!(
                    "this key does not belong to the certificate in {}",
                    cert.display()
                )
            }
            Self::NoCertificate { found, .. } => {
                format!(
                    "there is no certificate in this file, only {}",
                    found.join(", ")
                )
            }
            Self::NoKey { found, .. } => {
                format!(
                    "there is no private key in this file, only {}",
                    found.join(", ")
                )
            }
            Self::NotPem { .. } => "this is not PEM text".to_owned(),
            Self::Pkcs12 { .. } => "this is a PKCS #12 archive, not PEM".to_owned(),
            Self::Unreadable { error, .. } => format!("the file cannot be read: {error}"),
            Self::UnusableKey { why, .. } => format!("the key cannot be used for TLS: {why}"),
            Self::WeakKey { bits, .. } => {
                format!("the certificate's RSA key has {bits} bits, too few to be safe")
            }
        }
    }

    /// What to do about it.
    pub fn mend(&self) -> String {
        let path = quote(&self.place());
        match self {
            Self::BadCertificate { .. } | Self::BrokenPem { .. } => {
                "copy the file again from where it was issued".to_owned()
            }
            Self::ChainOrder { .. } => {
                "put the site's certificate first and each issuer's after it, without the root \
                 (certbot's fullchain.pem has this order)"
                    .to_owned()
            }
            Self::Changing { .. } => {
                "replace the file at once, by a rename, instead of rewriting it".to_owned()
            }
            Self::Der { command, .. } => {
                format!(
                    "convert it: {command} -in {path} -out {}",
                    quote(&pem_name(self.path()))
                )
            }
            Self::Empty { .. } | Self::NotPem { .. } => {
                "give a file with -----BEGIN and -----END lines".to_owned()
            }
            Self::EncryptedKey { .. } => format!(
                "write it without the passphrase and readable by the server alone: \
                 openssl pkey -in {path} -out {}, then chmod 600",
                quote(&pem_name(self.path()))
            ),
            Self::KeyMismatch { .. } => {
                "give the key that the certificate was requested with; if a renewal is under \
                 way, reload when it is done"
                    .to_owned()
            }
            Self::NoCertificate { found, .. } => {
                mend_missing(found, "PRIVATE KEY", "give the certificate (chain) in PEM")
            }
            Self::NoKey { found, .. } => {
                mend_missing(found, "CERTIFICATE", "give the private key in PEM")
            }
            Self::Pkcs12 { .. } => format!(
                "take it apart: openssl pkcs12 -in {path} -nodes -out {}, and give that file as \
                 both cert and key",
                quote(&pem_name(self.path()))
            ),
            Self::Unreadable { error, .. } => mend_unreadable(error),
            Self::UnusableKey { .. } | Self::WeakKey { .. } => {
                "have a new certificate issued for an ECDSA P-256 key, or for RSA with 2048 bits \
                 or more"
                    .to_owned()
            }
        }
    }
}

fn mend_missing(found: &[String], swapped: &str, otherwise: &str) -> String {
    if found.iter().any(|label| label.ends_with(swapped)) {
        "cert and key look swapped: exchange the two paths".to_owned()
    } else {
        otherwise.to_owned()
    }
}

fn mend_unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => {
            "let the server's user read the file and enter the directories above it"
        }
        io::ErrorKind::FileTooLarge => "give a file that holds only the certificate or key",
        _ => "give the path of a regular file",
    }
    .to_owned()
}

/// The same name with the extension .pem; where it has that already, .new.pem,
/// so that no command overwrites its own input.
fn pem_name(path: &Path) -> String {
    let renamed = path.with_extension("pem");
    let target = if renamed == path {
        path.with_extension("new.pem")
    } else {
        renamed
    };
    target.to_string_lossy().into_owned()
}

/// A certificate is served although something should be mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}; {}", self.place(), self.cause(), self.mend())]
#[non_exhaustive]
pub enum LoadWarning {
    /// A certificate in the chain has expired: browsers refuse it.
    Expired {
        /// The certificate file.
        path: PathBuf,
        /// The last second, since 1970-01-01 UTC.
        not_after: i64,
    },
    /// Every user of the machine can read or write the key.
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Without `subjectAltName`: browsers do not look at the common name.
    NoNames {
        /// The certificate file.
        path: PathBuf,
    },
    /// The certificate's life has not begun: browsers refuse it.
    NotYetValid {
        /// The certificate file.
        path: PathBuf,
        /// The first second, since 1970-01-01 UTC.
        not_before: i64,
    },
    /// Signed with SHA-1: browsers refuse it.
    Sha1 {
        /// The certificate file.
        path: PathBuf,
    },
}

impl LoadWarning {
    /// The file that the warning is about.
    pub fn place(&self) -> Cow<'_, str> {
        match self {
            Self::Expired { path, .. }
            | Self::KeyExposed { path, .. }
            | Self::NoNames { path }
            | Self::NotYetValid { path, .. }
            | Self::Sha1 { path } => path.to_string_lossy(),
        }
    }

    /// What is wrong.
    pub fn cause(&self) -> String {
        match self {
            Self::Expired { not_after, .. } => {
                format!("the certificate expired on {}", date_time(*not_after))
            }
            Self::KeyExposed { mode, .. } => {
                format!("every user of this machine can reach the key (mode {mode:04o})")
            }
            Self::NoNames { .. } => {
                "the certificate has no subjectAltName, the only names browsers read".to_owned()
            }
            Self::NotYetValid { not_before, .. } => {
                format!(
                    "the certificate is not valid before {}",
                    date_time(*not_before)
                )
            }
            Self::Sha1 { .. } => "the certificate is signed with SHA-1".to_owned(),
        }
    }

    /// What to do about it.
    pub fn mend(&self) -> String {
        match self {
            Self::Expired { .. } => "renew it, then reload".to_owned(),
            Self::KeyExposed { .. } => format!("chmod 600 {}", quote(&self.place())),
            Self::NoNames { .. } | Self::Sha1 { .. } => "have it issued anew".to_owned(),
            Self::NotYetValid { .. } => "check this machine's clock, or wait until then".to_owned(),
        }
    }
}

/// What the certificate itself should be warned of.
pub(super) fn life_warnings(path: &Path, described: &Described, now: i64) -> Vec<LoadWarning> {
    let path = || path.to_owned();
    let mut warnings = Vec::new();
    if now > described.not_after {
        warnings.push(LoadWarning::Expired {
            path: path(),
            not_after: described.not_after,
        });
    }
    if now < described.not_before {
        warnings.push(LoadWarning::NotYetValid {
            path: path(),
            not_before: described.not_before,
        });
    }
    if described.names.is_empty() {
        warnings.push(LoadWarning::NoNames { path: path() });
    }
    if described.sha1 {
        warnings.push(LoadWarning::Sha1 { path: path() });
    }
    warnings
}
