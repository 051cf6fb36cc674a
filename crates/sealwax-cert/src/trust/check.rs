//! Looking whether a store holds the root.

use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::command;
use super::machine::Os;
use super::shell;
use crate::digest::sha256_hex;
use crate::disk;

/// How to see whether a store holds the root. Fingerprints are SHA-256 in
/// lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// A file in the distribution's directory, and the bundle made from it.
    Files {
        /// The file.
        anchor: PathBuf,
        /// The bundle.
        bundle: PathBuf,
        /// The root's fingerprint.
        fingerprint: String,
    },
    /// An NSS database: the certificate, and trust to issue for servers.
    Nss {
        /// NSS's certutil.
        certutil: String,
        /// The database.
        dir: PathBuf,
        /// The name to look under.
        nickname: String,
        /// The root's fingerprint.
        fingerprint: String,
    },
    /// A command whose output has the fingerprint in it, in any case and with
    /// any separators.
    Output {
        /// The command.
        argv: Vec<String>,
        /// What to look for.
        needle: String,
    },
    /// A command that succeeds only where the root is there.
    Succeeds {
        /// The command.
        argv: Vec<String>,
    },
}

/// What a look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    /// Something of it is there, but it is not trusted.
    Partial,
    Present,
}

/// A bundle of all the world's roots is about 250 KB.
const MAX_BUNDLE: u64 = 16 * 1024 * 1024;

impl Check {
    /// Looks.
    ///
    /// # Errors
    /// One line, where a tool could not be run.
    pub(super) fn look(&self) -> Result<State, String> {
        match self {
            Self::Files {
                anchor,
                bundle,
                fingerprint,
            } => {
                let anchored = holds(anchor, fingerprint);
                let bundled = holds(bundle, fingerprint);
                Ok(match (anchored, bundled) {
                    (true, true) => State::Present,
                    (false, false) => State::Absent,
                    _ => State::Partial,
                })
            }
            Self::Nss {
                certutil,
                dir,
                nickname,
                fingerprint,
            } => look_nss(certutil, dir, nickname, fingerprint),
            Self::Output { argv, needle } => {
                let found = squeezed(&command::run(argv)?.stdout).contains(&squeezed(needle));
                Ok(if found { State::Present } else { State::Absent })
            }
            Self::Succeeds { argv } => Ok(if command::run(argv)?.success {
                State::Present
            } else {
                State::Absent
            }),
        }
    }

    /// The look as a command that a person could paste.
    pub(super) fn command(&self, os: Os) -> String {
        match self {
            Self::Files { anchor, .. } => {
                let anchor = anchor.to_string_lossy();
                shell::line(
                    os,
                    [
                        "openssl",
                        "x509",
                        "-noout",
                        "-fingerprint",
                        "-sha256",
                        "-in",
                        &anchor,
                    ],
                )
            }
            Self::Nss {
                certutil,
                dir,
                nickname,
                ..
            } => {
                let sql = format!("sql:{}", dir.display());
                shell::line(os, [certutil.as_str(), "-L", "-d", &sql, "-n", nickname])
            }
            Self::Output { argv, .. } | Self::Succeeds { argv } => {
                shell::line(os, argv.iter().map(String::as_str))
            }
        }
    }
}

/// Whether a PEM file holds the certificate. A file that cannot be read does
/// not, as far as anybody who reads it is concerned.
fn holds(path: &Path, fingerprint: &str) -> bool {
    disk::read(path, MAX_BUNDLE).is_ok_and(|contents| holds_pem(&contents.bytes, fingerprint))
}

fn holds_pem(pem: &[u8], fingerprint: &str) -> bool {
    CertificateDer::pem_slice_iter(pem)
        .any(|found| found.is_ok_and(|der| sha256_hex(&der) == fingerprint))
}

fn look_nss(
    certutil: &str,
    dir: &Path,
    nickname: &str,
    fingerprint: &str,
) -> Result<State, String> {
    if !dir.join("cert9.db").is_file() {
        return Ok(State::Absent);
    }
    let sql = format!("sql:{}", dir.display());
    let run = |arguments: &[&str]| {
        let argv: Vec<_> = [certutil]
            .iter()
            .chain(arguments)
            .map(|word| (*word).to_owned())
            .collect();
        command::run(&argv)
    };
    // A name that is not there and a database that cannot be opened both fail
    // here; the list below tells them apart.
    let found = run(&["-L", "-d", &sql, "-n", nickname, "-a"])?;
    let list = run(&["-L", "-d", &sql])?;
    if !list.success {
        return Err(format!("the database cannot be read: {}", list.complaint));
    }
    if !found.success || !holds_pem(found.stdout.as_bytes(), fingerprint) {
        return Ok(State::Absent);
    }
    let trusted = list
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix(nickname))
        .any(|rest| {
            rest.trim()
                .split(',')
                .next()
                .is_some_and(|ssl| ssl.contains('C'))
        });
    Ok(if trusted {
        State::Present
    } else {
        State::Partial
    })
}

fn squeezed(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
