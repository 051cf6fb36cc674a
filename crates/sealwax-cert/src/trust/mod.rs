//! Making a machine trust the local authority: a plan, then its execution.
//!
//! ```text
//! Machine::detect() ──▶ plan_install(&machine, &root) ──▶ Display: commands to paste
//!   (looks, once)         (pure)                     └──▶ execute: a report per store
//! ```
//!
//! The plan is a pure function of what [`Machine`] saw, so plans for Fedora, Arch,
//! openSUSE, macOS and Windows can be read, and tested, on any machine. Each store
//! is handled on its own: a failure in one never stops the others, and nothing
//! ever waits for a terminal. What needs root and does not have it is reported
//! with the command to run, never attempted through `sudo`.
//!
//! Whether a store holds the root is decided by its SHA-256 fingerprint, not by
//! its name. (On Windows by the certificate's serial number, 128 random bits.)
//!
//! # What is covered
//!
//! | platform | store | for |
//! |---|---|---|
//! | Debian, Ubuntu, Alpine | `/usr/local/share/ca-certificates` | OpenSSL, curl, Python, Go |
//! | Fedora, RHEL | `/etc/pki/ca-trust/source/anchors` | the same |
//! | Arch | `/etc/ca-certificates/trust-source/anchors` | the same |
//! | openSUSE | `/etc/pki/trust/anchors`, else `/usr/share/pki/trust/anchors` | the same |
//! | Linux | NSS databases below the home directory | Chromium, Chrome, Firefox, also as snap and flatpak |
//! | macOS | login keychain, for TLS only | Safari, Chrome, curl |
//! | macOS | NSS databases of Firefox profiles | Firefox |
//! | Windows | the user's `Root` store | Edge, Chrome |
//!
//! # What is not
//!
//! * Java has a store of its own in every installation:
//!   `keytool -importcert -cacerts -noprompt -alias sealwax -file root.pem`, or start
//!   with `-Djavax.net.ssl.trustStoreType=KeychainStore` (macOS) or `Windows-ROOT`.
//! * Firefox on Windows and macOS takes the operating system's roots by itself
//!   (since version 120).
//! * Go reads the system store, or `SSL_CERT_FILE` on Linux: see
//!   [`trust_environment`].
//! * Phones and containers: copy the root there by hand.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::digest::{hex, sha256_hex};
use crate::{LocalAuthority, disk};

mod browsers;
mod check;
mod command;
mod environment;
mod execute;
mod linux;
mod machine;
mod nss;
mod others;
mod plan;
mod shell;

pub use check::Check;
pub use environment::{
    BundleError, additive_environment, system_bundle, trust_environment, write_bundle,
};
pub use execute::{Outcome, Report, execute};
pub use machine::{Machine, NssDatabase, Os, SystemStore};
pub use plan::{Action, Plan, Purpose, Step, StoreName};
pub(crate) use shell::quote;

/// The root certificate that is to be trusted. The key is not needed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    path: PathBuf,
    pem: String,
    fingerprint: String,
    serial: String,
    nickname: String,
}

impl Root {
    /// Reads `root.pem`, from the directory of a local authority, say.
    ///
    /// # Errors
    /// [`RootError`]: unreadable, or not one certificate in PEM.
    pub fn read(path: &Path) -> Result<Self, RootError> {
        // Plans are printed, and pasted in another directory.
        let absolute = std::path::absolute(path);
        let path = absolute.as_deref().unwrap_or(path);
        let contents = disk::read(path, disk::MAX_FILE).map_err(|error| RootError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let bad = |why: String| RootError::NotACertificate {
            path: path.to_owned(),
            why,
        };
        let pem = String::from_utf8(contents.bytes).map_err(|_| bad("it is not text".into()))?;
        let der = crate::local::single_certificate(&pem).map_err(bad)?;
        Self::describe(path, &pem, &der).map_err(bad)
    }

    /// The root of the local authority in `dir`, if one has been made. Unlike
    /// [`LocalAuthority::open`] it does not look at the key, so that a root whose
    /// key is lost or exposed can still be taken out of the trust stores.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn find(dir: &Path) -> Result<Option<Self>, RootError> {
        match Self::read(&dir.join(crate::local::ROOT_FILE)) {
            Ok(root) => Ok(Some(root)),
            Err(RootError::Unreadable { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn describe(path: &Path, pem: &str, der: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let nickname = parsed
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .unwrap_or("Sealwax local CA")
            .to_owned();
        Ok(Self {
            path: path.to_owned(),
            pem: pem.to_owned(),
            fingerprint: sha256_hex(der),
            serial: hex(parsed.raw_serial()),
            nickname,
        })
    }

    /// Where the certificate lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the certificate in DER, 64 lower-case hex digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The subject's common name, under which stores list it. It ends in a
    /// digest of the key, so that no two roots share one.
    pub fn nickname(&self) -> &str {
        &self.nickname
    }

    /// The serial number in hex.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// A file name that no other root has.
    fn file_name(&self) -> String {
        let (short, _) = self.fingerprint.split_at(16.min(self.fingerprint.len()));
        format!("sealwax-local-ca-{short}.crt")
    }
}

impl TryFrom<&LocalAuthority> for Root {
    type Error = RootError;

    fn try_from(authority: &LocalAuthority) -> Result<Self, RootError> {
        let path = authority.root_path();
        Self::describe(path, authority.root_pem(), authority.root_der()).map_err(|why| {
            RootError::NotACertificate {
                path: path.to_owned(),
                why,
            }
        })
    }
}

/// A root certificate cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// The operating system refused.
    #[error("{}: the root certificate cannot be read: {error}; {}", path.display(), mend_missing(error))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's own words and code.
        error: io::Error,
    },
    /// Something else is in the file.
    #[error("{}: this is not a root certificate: {why}; restore it from a backup or make a new authority", path.display())]
    NotACertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

fn mend_missing(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::NotFound {
        "a local authority is made the first time that `sealwax serve` or `sealwax trust install` needs one"
    } else {
        "run as the user it belongs to"
    }
}

/// The commands that make the machine trust `root`.
pub fn plan_install(machine: &Machine, root: &Root) -> Plan {
    plan(machine, root, Purpose::Install)
}

/// The commands that take `root` out of every store again.
pub fn plan_uninstall(machine: &Machine, root: &Root) -> Plan {
    plan(machine, root, Purpose::Uninstall)
}

/// The looks that tell where `root` is trusted. Changes nothing.
pub fn plan_status(machine: &Machine, root: &Root) -> Plan {
    plan(machine, root, Purpose::Status)
}

fn plan(machine: &Machine, root: &Root, purpose: Purpose) -> Plan {
    let mut steps = Vec::new();
    match machine.os {
        Os::Linux => {
            steps.extend(linux::steps(machine, root, purpose));
            steps.extend(nss::steps(machine, root, purpose));
            steps.extend(others::windows_from_wsl(machine, root, purpose));
        }
        Os::MacOs => {
            steps.extend(others::mac_steps(machine, root, purpose));
            steps.extend(nss::steps(machine, root, purpose));
        }
        Os::Windows => steps.extend(others::windows_steps(root, purpose)),
        Os::Other => steps.extend(nss::steps(machine, root, purpose)),
    }
    Plan {
        purpose,
        os: machine.os,
        steps,
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SHA-256 {})", self.nickname, self.fingerprint)
    }
}

#[cfg(test)]
mod tests;
