//! The local certificate authority: one root per state directory, made on first
//! use, name-constrained, its key never shown to anyone.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{Issuer, KeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

mod error;
mod issue;
mod names;
mod root;
mod state;

pub use error::LocalError;
pub use names::{NotLocal, PermittedNames};

pub(crate) use issue::Leaf;
pub(crate) use names::{LocalName, local_name};
pub(crate) use root::single_certificate;

/// The root certificate's file in the authority's directory, mode 0644.
pub(crate) const ROOT_FILE: &str = "root.pem";
/// The root's key, PKCS #8 in PEM, mode 0600.
pub(crate) const KEY_FILE: &str = "root-key.pem";

/// A certificate authority for development, limited to local names.
///
/// The root lives for ten years: it is limited to names that cannot be public,
/// its key stays on this machine, and each renewal would ask every browser to
/// trust anew. (The limits that browsers put on a certificate's life are about
/// leaves, and leaves here live for 90 days at most.) It carries, all critical,
/// `basicConstraints` CA with `pathLenConstraint` 0, `keyUsage` `keyCertSign`,
/// and `nameConstraints`; its `extKeyUsage` is `serverAuth`, which keeps it from
/// vouching for mail or code. Its subject is a date and a short key identifier,
/// nothing about the user or the machine.
pub struct LocalAuthority {
    root_path: PathBuf,
    root_pem: String,
    root_der: CertificateDer<'static>,
    common_name: String,
    not_before: i64,
    not_after: i64,
    issuer: Issuer<'static, KeyPair>,
}

impl LocalAuthority {
    /// Opens the authority in `dir`, or makes it: `dir` (mode 0700), `root.pem`
    /// (0644) and `root-key.pem` (0600).
    ///
    /// Two processes may start at once: one makes it, the other waits for a
    /// lock and opens it. A process that dies midway leaves nothing that the
    /// next one cannot complete.
    ///
    /// `now` is in seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// See [`LocalError`]. Nothing is ever overwritten: what is there and cannot
    /// be used is refused with the mend.
    pub fn open_or_create(dir: &Path, now: i64) -> Result<Self, LocalError> {
        let authority = match state::open(dir)? {
            Some(authority) => authority,
            None => state::create(dir, now)?,
        };
        authority.check_alive(now)?;
        Ok(authority)
    }

    /// Opens the authority in `dir`; `None` where none has been made yet.
    /// Writes nothing, and does not look at the root's life.
    ///
    /// # Errors
    /// See [`LocalError`].
    pub fn open(dir: &Path) -> Result<Option<Self>, LocalError> {
        state::open(dir)
    }

    /// Whether the authority may issue for `host`: `localhost`, `test`, `local`,
    /// `internal` and every name below them, loopback, private and link-local
    /// addresses. Case does not matter; an IPv6 address may stand in brackets; a
    /// port may not be there.
    ///
    /// # Errors
    /// [`NotLocal`], whose text says what to do instead.
    pub fn covers(host: &str) -> Result<(), NotLocal> {
        local_name(host).map(|_| ())
    }

    /// What the root's name constraints permit.
    pub fn names() -> PermittedNames {
        names::PERMITTED
    }

    /// Issues a certificate for one host: ECDSA P-256 with a new key,
    /// `subjectAltName` the host alone, `extKeyUsage` `serverAuth`, valid from a
    /// day ago (clocks differ) for 90 days in all (Mozilla's guideline 6.0), but
    /// not beyond the root.
    ///
    /// The chain is the leaf alone: a root is never worth sending, since who
    /// does not have it does not trust it.
    ///
    /// # Errors
    /// [`LocalError::NotLocal`], [`LocalError::Expired`],
    /// [`LocalError::NotYetValid`] or [`LocalError::Crypto`].
    pub fn issue(&self, host: &str, now: i64) -> Result<Arc<CertifiedKey>, LocalError> {
        let name = local_name(host)?;
        self.issue_names(&[name], now).map(|leaf| leaf.key)
    }

    /// The root certificate's file.
    pub fn root_path(&self) -> &Path {
        &self.root_path
    }

    /// The root certificate in PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The root certificate in DER.
    pub fn root_der(&self) -> &CertificateDer<'static> {
        &self.root_der
    }

    /// The root's subject common name, such as
    /// `Sealwax local CA 2026-11-23 1f2e3d4c`.
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// SHA-256 of the root in DER, 64 lower-case hex digits.
    pub fn fingerprint_sha256(&self) -> String {
        crate::digest::sha256_hex(&self.root_der)
    }

    /// The root's last second, since 1970-01-01 UTC.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    fn check_alive(&self, now: i64) -> Result<(), LocalError> {
        let path = || self.root_path.clone();
        if now > self.not_after {
            Err(LocalError::Expired {
                path: path(),
                not_after: self.not_after,
            })
        } else if now < self.not_before {
            Err(LocalError::NotYetValid {
                path: path(),
                not_before: self.not_before,
                now,
            })
        } else {
            Ok(())
        }
    }
}

/// Without the key.
impl fmt::Debug for LocalAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalAuthority")
            .field("root_path", &self.root_path)
            .field("common_name", &self.common_name)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
