//! Certificate and key files: read, checked against each other, and described.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

mod chain;
mod error;
mod pem;
mod public;

pub use error::{LoadError, LoadWarning};

use crate::disk;

/// The two files of a certificate. They may be one and the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain in PEM: the site's certificate first, then each issuer's
    /// (RFC 8446 section 4.4.2), without the root.
    pub cert: PathBuf,
    /// The private key in PEM: PKCS #8, SEC 1 or PKCS #1, not encrypted.
    pub key: PathBuf,
}

/// A certificate that can be served, and what is known about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// Chain and key for rustls.
    pub key: Arc<CertifiedKey>,
    /// The names in the first certificate's `subjectAltName`: DNS names in lower
    /// case, wildcards as `*.example.com`, and IP addresses.
    pub names: Vec<String>,
    /// The first certificate's first second, since 1970-01-01 UTC.
    pub not_before: i64,
    /// The earliest last second in the chain, since 1970-01-01 UTC.
    pub not_after: i64,
    /// Whether the chain leads to one of Mozilla's roots at the time of loading,
    /// for the certificate's own first name.
    pub publicly_trusted: bool,
    /// How many certificates the file holds.
    pub chain_len: usize,
    /// What is served all the same but should be mended.
    pub warnings: Vec<LoadWarning>,
}

impl Loaded {
    /// Whether the certificate names `host` (RFC 9525 section 6.3): the name
    /// itself, or a wildcard that stands for exactly one left-most label. An IPv6
    /// address may stand in brackets.
    pub fn names_host(&self, host: &str) -> bool {
        chain::names_host(&self.names, host)
    }
}

/// How often a file that changes while it is read, or a key that does not match,
/// is looked at again. Renewal tools exchange the two files one after the other.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// Reads and checks a certificate. Symlinks are followed, as renewal tools use
/// them.
///
/// Blocks for the reads, and for at most 150 ms more where certificate and key
/// do not match or change meanwhile: a renewal may be exchanging them just now.
///
/// `now` is in seconds since 1970-01-01 UTC. A certificate outside its life is
/// loaded with a warning: for the visitor an expired certificate and a site that
/// is down are both broken, but only one of them can be clicked through.
///
/// # Errors
/// See [`LoadError`]: the place, the cause and the mend.
pub fn load(files: &CertificateFiles, now: i64) -> Result<Loaded, LoadError> {
    let mut attempt = 1;
    loop {
        let outcome = load_once(files, now);
        let worth_another = matches!(
            outcome,
            Err(LoadError::KeyMismatch { .. } | LoadError::Changing { .. })
        );
        if !worth_another || attempt == ATTEMPTS {
            return outcome;
        }
        attempt += 1;
        thread::sleep(PAUSE);
    }
}

fn load_once(files: &CertificateFiles, now: i64) -> Result<Loaded, LoadError> {
    let cert_file = read(&files.cert)?;
    let key_file = read(&files.key)?;
    for (path, contents) in [(&files.cert, &cert_file), (&files.key, &key_file)] {
        refuse_changed(path, contents)?;
    }

    let chain = pem::certificates(&files.cert, &cert_file.bytes)?;
    let key = pem::private_key(&files.key, &key_file.bytes)?;
    let described = chain::describe(&files.cert, &chain)?;
    let certified = certify(files, chain, key)?;
    // After the match, since the key tells which certificate is the site's own.
    chain::check_order(&files.cert, &certified.cert)?;

    let mut warnings = error::life_warnings(&files.cert, &described, now);
    if let Some(mode) = disk::permission_bits(&key_file.metadata)
        && mode & 0o006 != 0
    {
        warnings.push(LoadWarning::KeyExposed {
            path: files.key.clone(),
            mode,
        });
    }
    Ok(Loaded {
        publicly_trusted: public::trusted(&certified.cert, &described.names, now),
        chain_len: certified.cert.len(),
        key: Arc::new(certified),
        names: described.names,
        not_before: described.not_before,
        not_after: described.not_after,
        warnings,
    })
}

fn read(path: &Path) -> Result<disk::Contents, LoadError> {
    disk::read(path, disk::MAX_FILE).map_err(|error| LoadError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// What was read must still be what the path leads to.
fn refuse_changed(path: &Path, contents: &disk::Contents) -> Result<(), LoadError> {
    let now = std::fs::metadata(path).map_err(|error| LoadError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    if disk::identity(&now) == disk::identity(&contents.metadata) {
        Ok(())
    } else {
        Err(LoadError::Changing {
            path: path.to_owned(),
        })
    }
}

fn certify(
    files: &CertificateFiles,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, LoadError> {
    let signing = default_provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| LoadError::UnusableKey {
            path: files.key.clone(),
            why: error.to_string(),
        })?;
    let certified = CertifiedKey::new(chain, signing);
    // rustls could compare as well, but parses the certificate as strictly as a
    // client does: what only some clients refuse should be served to the others.
    match chain::position_of_key(&certified) {
        Some(1) => Ok(certified),
        Some(position) => Err(LoadError::ChainOrder {
            path: files.cert.clone(),
            position,
            why: "the key belongs to this certificate, which must come first",
        }),
        None => Err(LoadError::KeyMismatch {
            key: files.key.clone(),
            cert: files.cert.clone(),
        }),
    }
}

#[cfg(test)]
mod tests;
