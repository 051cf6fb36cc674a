//! What a certificate chain says about itself.

use std::net::IpAddr;
use std::path::Path;

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::error::LoadError;

/// RFC 9155 and every browser: SHA-1 signatures are refused.
const SHA1_SIGNATURES: [&str; 3] = [
    "1.2.840.113549.1.1.5", // sha1WithRSAEncryption, RFC 8017
    "1.2.840.10045.4.1",    // ecdsa-with-SHA1, RFC 3279
    "1.3.14.3.2.29",        // sha1WithRSASignature, an older name
];

/// The least that CAs may certify and aws-lc will sign with, in bits.
const MIN_RSA_BITS: usize = 2048;

pub(super) struct Described {
    pub(super) names: Vec<String>,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) sha1: bool,
}

/// Reads the whole chain, so that what cannot be parsed is told by position.
pub(super) fn describe(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Described, LoadError> {
    let mut described = Described {
        names: Vec::new(),
        not_before: i64::MIN,
        not_after: i64::MAX,
        sha1: false,
    };
    for (index, der) in chain.iter().enumerate() {
        let parsed = parse(path, index, der)?;
        if index == 0 {
            refuse_weak_key(path, &parsed)?;
            described.names = names(&parsed);
            described.not_before = parsed.validity().not_before.timestamp();
        }
        // Clients check the whole chain.
        let ends = parsed.validity().not_after.timestamp();
        described.not_after = described.not_after.min(ends);
        // A root's own signature is never verified.
        if parsed.subject().as_raw() != parsed.issuer().as_raw() {
            let algorithm = parsed.signature_algorithm.algorithm.to_id_string();
            described.sha1 |= SHA1_SIGNATURES.contains(&algorithm.as_str());
        }
    }
    Ok(described)
}

/// Each certificate must be issued by the next. TLS 1.3 clients forgive another
/// order (RFC 8446 section 4.4.2); TLS 1.2 clients need not.
pub(super) fn check_order(path: &Path, chain: &[CertificateDer<'_>]) -> Result<(), LoadError> {
    let parsed = chain
        .iter()
        .enumerate()
        .map(|(index, der)| parse(path, index, der))
        .collect::<Result<Vec<_>, _>>()?;
    for (index, (certificate, issuer)) in parsed.iter().zip(parsed.iter().skip(1)).enumerate() {
        if certificate.issuer().as_raw() != issuer.subject().as_raw() {
            return Err(LoadError::ChainOrder {
                path: path.to_owned(),
                position: index + 2,
                why: "it is not the issuer of the certificate before it",
            });
        }
    }
    Ok(())
}

/// The position, from 1, of the certificate that the key belongs to.
pub(super) fn position_of_key(certified: &CertifiedKey) -> Option<usize> {
    let spki = certified.key.public_key()?;
    certified
        .cert
        .iter()
        .position(|der| {
            X509Certificate::from_der(der)
                .is_ok_and(|(_, parsed)| parsed.public_key().raw == spki.as_ref())
        })
        .map(|index| index + 1)
}

fn parse<'a>(path: &Path, index: usize, der: &'a [u8]) -> Result<X509Certificate<'a>, LoadError> {
    let bad = |why: String| LoadError::BadCertificate {
        path: path.to_owned(),
        position: index + 1,
        why,
    };
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| bad(error.to_string()))?;
    if rest.is_empty() {
        Ok(parsed)
    } else {
        Err(bad(format!("{} bytes follow the certificate", rest.len())))
    }
}

fn refuse_weak_key(path: &Path, leaf: &X509Certificate<'_>) -> Result<(), LoadError> {
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() < MIN_RSA_BITS => Err(LoadError::WeakKey {
            path: path.to_owned(),
            bits: rsa.key_size(),
        }),
        _ => Ok(()),
    }
}

fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            GeneralName::IPAddress(octets) => ip(octets).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        Some(IpAddr::from(v4))
    } else {
        <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
    }
}

pub(super) fn names_host(names: &[String], host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return names
            .iter()
            .any(|name| name.parse::<IpAddr>().is_ok_and(|named| named == address));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    names.iter().any(|name| match name.strip_prefix("*.") {
        None => name.eq_ignore_ascii_case(host),
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
    })
}
