//! Variables that make a child process trust the local authority.
//!
//! Most of them *replace* the set of roots. They point at a bundle of the
//! system's roots and ours, so that the child still reaches the internet.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Root;
use crate::disk;

const BUNDLE_FILE: &str = "ca-bundle.pem";
const MAX_BUNDLE: u64 = 16 * 1024 * 1024;

/// Where systems keep the bundle of their roots.
const SYSTEM_BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The variables for a child process: those that add the root, and those that
/// replace the set of roots by the bundle of [`write_bundle`].
///
/// | variable | read by | meaning |
/// |---|---|---|
/// | `NODE_EXTRA_CA_CERTS` | Node.js, Bun | adds |
/// | `DENO_CERT` | Deno | adds |
/// | `SSL_CERT_FILE` | OpenSSL (Python's `ssl`, httpx, aiohttp, Ruby, PHP), Go on Linux, rustls-native-certs | replaces |
/// | `REQUESTS_CA_BUNDLE` | Python's requests, pip, botocore, which bring roots of their own | replaces |
/// | `CURL_CA_BUNDLE` | the curl command | replaces |
/// | `GIT_SSL_CAINFO` | git | replaces |
///
/// `PIP_CERT` and `AWS_CA_BUNDLE` are not set: pip and botocore read
/// `REQUESTS_CA_BUNDLE`, and a value that somebody has given them should stay.
/// Java reads none; see [`trust`](crate::trust).
pub fn trust_environment(root_path: &Path, bundle_path: &Path) -> Vec<(&'static str, String)> {
    let bundle = bundle_path.to_string_lossy();
    let mut variables = additive_environment(root_path);
    variables.extend(
        [
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "GIT_SSL_CAINFO",
        ]
        .map(|name| (name, bundle.clone().into_owned())),
    );
    variables
}

/// Only the variables that add the root. For where there is no system bundle to
/// build on, since replacing the roots by ours alone would cut the child off.
pub fn additive_environment(root_path: &Path) -> Vec<(&'static str, String)> {
    let root = root_path.to_string_lossy();
    vec![
        ("NODE_EXTRA_CA_CERTS", root.clone().into_owned()),
        ("DENO_CERT", root.into_owned()),
    ]
}

/// The bundle to build on: `SSL_CERT_FILE` where somebody has set it, for it may
/// hold a company's root, else the system's. `None` where there is neither, as
/// in a minimal container or on macOS and Windows with their own kinds of store.
pub fn system_bundle() -> Option<PathBuf> {
    env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .into_iter()
        .chain(SYSTEM_BUNDLES.map(PathBuf::from))
        .find(|path| path.is_file())
}

/// Writes `ca-bundle.pem` into `dir`: the certificates of `base`, then the root.
/// Returns its path. Written at once or not at all, and anew each time, so that
/// it follows the system's roots.
///
/// # Errors
/// [`BundleError`].
pub fn write_bundle(dir: &Path, base: &Path, root: &Root) -> Result<PathBuf, BundleError> {
    let unreadable = |error| BundleError::Unreadable {
        path: base.to_owned(),
        error,
    };
    let contents = disk::read(base, MAX_BUNDLE).map_err(unreadable)?;
    let any = CertificateDer::pem_slice_iter(&contents.bytes).any(|found| found.is_ok());
    if !any {
        return Err(BundleError::Empty {
            path: base.to_owned(),
        });
    }
    let mut bundle = contents.bytes;
    if !bundle.ends_with(b"\n") {
        bundle.push(b'\n');
    }
    bundle.extend_from_slice(root.pem().as_bytes());

    let path = dir.join(BUNDLE_FILE);
    disk::write_atomically(&path, &bundle, 0o644).map_err(|error| BundleError::Unwritable {
        path: path.clone(),
        error,
    })?;
    Ok(path)
}

/// The bundle cannot be made. The child can still be started with
/// [`additive_environment`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle to build on cannot be read.
    #[error("{}: the system's bundle of roots cannot be read: {error}; reinstall ca-certificates", path.display())]
    Unreadable {
        /// The bundle.
        path: PathBuf,
        /// The operating system's own words and code.
        error: io::Error,
    },
    /// There is no certificate in the bundle to build on.
    #[error("{}: there is no certificate in this bundle; unset SSL_CERT_FILE or reinstall ca-certificates", path.display())]
    Empty {
        /// The bundle.
        path: PathBuf,
    },
    /// The new bundle cannot be written.
    #[error("{}: the bundle of roots cannot be written: {error}; set SEALWAX_HOME to a directory that can be written", path.display())]
    Unwritable {
        /// The new bundle.
        path: PathBuf,
        /// The operating system's own words and code.
        error: io::Error,
    },
}
