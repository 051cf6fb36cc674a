//! The root certificate: how it is made, and what is demanded of one that is
//! read back.

use std::path::Path;

use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::LocalAuthority;
use super::error::LocalError;
use super::names::PERMITTED;
use crate::digest::sha256_hex;
use crate::when::{DAY, date, moment};

const ROOT_DAYS: i64 = 3650;

/// A self-signed root for `key`, in PEM.
pub(super) fn certificate(key: &KeyPair, now: i64, path: &Path) -> Result<String, LocalError> {
    let failed = |why: String| LocalError::Crypto {
        path: path.to_owned(),
        why,
    };
    let instant = |seconds: i64| {
        moment(seconds).ok_or_else(|| failed(format!("the clock says {}", date(seconds))))
    };

    let mut params = CertificateParams::default();
    // A day back, as in the leaves, for clocks that are a little behind.
    params.not_before = instant(now.saturating_sub(DAY))?;
    params.not_after = instant(now.saturating_add((ROOT_DAYS - 1) * DAY))?;
    params.serial_number = Some(random_serial().map_err(failed)?);
    params.distinguished_name = subject(key, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(constraints());
    let certificate = params
        .self_signed(key)
        .map_err(|error| failed(error.to_string()))?;
    Ok(certificate.pem())
}

/// Random, not derived from the key: NSS refuses two certificates with the same
/// issuer and serial, and a root may be made anew for the same key.
fn random_serial() -> Result<SerialNumber, String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| "the system's randomness failed".to_owned())?;
    // Positive and of full length (RFC 5280 section 4.1.2.2).
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// The date tells a person which one it is; the key's digest keeps two roots of
/// one day apart, in the lists of trust stores and when chains are built.
fn subject(key: &KeyPair, now: i64) -> DistinguishedName {
    let digest = sha256_hex(key.public_key_raw());
    let (short, _) = digest.split_at(8);
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CommonName,
        format!("Sealwax local CA {} {short}", date(now)),
    );
    name
}

fn constraints() -> NameConstraints {
    let dns = PERMITTED
        .dns
        .iter()
        .map(|name| GeneralSubtree::DnsName((*name).to_owned()));
    let networks = PERMITTED.networks.iter().map(|&(address, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
    });
    NameConstraints {
        permitted_subtrees: dns.chain(networks).collect(),
        excluded_subtrees: Vec::new(),
    }
}

/// An authority from its two files' contents, checked.
pub(super) fn authority(
    root_path: &Path,
    root_pem: String,
    key_path: &Path,
    key_pem: &str,
) -> Result<LocalAuthority, LocalError> {
    let damaged = |path: &Path, why: String| LocalError::Damaged {
        path: path.to_owned(),
        why,
    };
    let bad_root = |why: String| damaged(root_path, why);

    let root_der = single_certificate(&root_pem).map_err(bad_root)?;
    let key = KeyPair::from_pem(key_pem)
        .map_err(|error| damaged(key_path, format!("this is not a usable key: {error}")))?;

    let (_, parsed) = X509Certificate::from_der(&root_der)
        .map_err(|error| bad_root(format!("this is not a certificate: {error}")))?;
    if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
        return Err(LocalError::KeyMismatch {
            path: key_path.to_owned(),
        });
    }
    if !parsed.is_ca() {
        return Err(bad_root(
            "this certificate is not a certificate authority".to_owned(),
        ));
    }
    let constrained = parsed
        .get_extension_unique(&OID_X509_EXT_NAME_CONSTRAINTS)
        .ok()
        .flatten()
        .is_some_and(|extension| extension.critical);
    if !constrained {
        return Err(LocalError::NotConstrained {
            path: root_path.to_owned(),
        });
    }

    let common_name = parsed
        .subject()
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .unwrap_or("Sealwax local CA")
        .to_owned();
    let not_before = parsed.validity().not_before.timestamp();
    let not_after = parsed.validity().not_after.timestamp();
    let issuer = Issuer::from_ca_cert_der(&root_der, key)
        .map_err(|error| bad_root(format!("this certificate cannot issue: {error}")))?;
    Ok(LocalAuthority {
        root_path: root_path.to_owned(),
        root_pem,
        root_der,
        common_name,
        not_before,
        not_after,
        issuer,
    })
}

/// The one certificate in a PEM text.
pub(crate) fn single_certificate(pem: &str) -> Result<CertificateDer<'static>, String> {
    use rustls_pki_types::pem::PemObject;

    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found.as_deref() {
        Ok([one]) => Ok(one.clone().into_owned()),
        Ok([]) => Err("there is no certificate in it".to_owned()),
        Ok(_) => Err("there is more than one certificate in it".to_owned()),
        Err(error) => Err(format!("it is not PEM: {error}")),
    }
}
