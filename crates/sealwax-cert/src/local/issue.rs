//! Leaf certificates.

use std::sync::Arc;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::LocalAuthority;
use super::error::LocalError;
use super::names::LocalName;
use crate::when::{DAY, moment};

/// The most that Mozilla's guideline 6.0 allows in its modern profile.
const LEAF_DAYS: i64 = 90;

/// An issued certificate with its life, seconds since 1970.
pub(crate) struct Leaf {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

impl Leaf {
    /// When two thirds of the life have passed, so that a failure to issue can
    /// be noticed long before a visitor does.
    pub(crate) fn renew_at(&self) -> i64 {
        let life = self.not_after.saturating_sub(self.not_before);
        self.not_before.saturating_add(life / 3 * 2)
    }
}

impl LocalAuthority {
    /// One certificate for all of `names`.
    pub(crate) fn issue_names(&self, names: &[LocalName], now: i64) -> Result<Leaf, LocalError> {
        self.check_alive(now)?;
        let failed = |why: String| LocalError::Crypto {
            path: self.root_path.clone(),
            why,
        };

        let not_before = now.saturating_sub(DAY).max(self.not_before);
        // Both ends count (RFC 5280 section 4.1.2.5), hence the second less.
        let not_after = now
            .saturating_sub(DAY)
            .saturating_add(LEAF_DAYS * DAY - 1)
            .min(self.not_after);

        let mut params = CertificateParams::default();
        params.not_before = moment(not_before).ok_or_else(|| failed("clock".to_owned()))?;
        params.not_after = moment(not_after).ok_or_else(|| failed("clock".to_owned()))?;
        params.subject_alt_names = names
            .iter()
            .map(alternative_name)
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        params.distinguished_name = subject();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;

        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map_err(|error| failed(error.to_string()))?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|error| failed(error.to_string()))?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = CertifiedKey::from_der(vec![certificate.into()], private, &default_provider())
            .map_err(|error| failed(error.to_string()))?;
        Ok(Leaf {
            key: Arc::new(key),
            not_before,
            not_after,
        })
    }
}

/// Clients look at `subjectAltName` alone (RFC 9525 section 6.3). A host as the
/// common name would even do harm: OpenSSL holds what looks like a DNS name,
/// `127.0.0.1` too, against the DNS constraints where no `dNSName` is present.
fn subject() -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Sealwax local certificate");
    name
}

fn alternative_name(name: &LocalName) -> Result<SanType, String> {
    match name {
        LocalName::Dns(name) => name
            .as_str()
            .try_into()
            .map(SanType::DnsName)
            .map_err(|error: rcgen::Error| error.to_string()),
        LocalName::Ip(address) => Ok(SanType::IpAddress(*address)),
    }
}
