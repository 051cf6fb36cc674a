//! From bytes to DER, with a name for everything that people put into such
//! files by mistake.

use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::LoadError;

pub(super) fn certificates(
    path: &Path,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let labels = labels(bytes);
    if labels.is_empty() {
        return Err(not_pem(path, bytes, Wanted::Certificate));
    }
    let chain: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| broken(path, &error))?;
    if chain.is_empty() {
        return Err(LoadError::NoCertificate {
            path: path.to_owned(),
            found: labels,
        });
    }
    Ok(chain)
}

pub(super) fn private_key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, LoadError> {
    let labels = labels(bytes);
    if labels.is_empty() {
        return Err(not_pem(path, bytes, Wanted::Key));
    }
    // RFC 7468 section 11, and the older form that OpenSSL writes into the
    // headers of a section (RFC 1421 section 4.6.1.1).
    let encrypted = labels.iter().any(|label| label == "ENCRYPTED PRIVATE KEY")
        || String::from_utf8_lossy(bytes)
            .lines()
            .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"));
    if encrypted {
        return Err(LoadError::EncryptedKey {
            path: path.to_owned(),
        });
    }
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => Ok(key),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => Err(LoadError::NoKey {
            path: path.to_owned(),
            found: labels,
        }),
        Err(error) => Err(broken(path, &error)),
    }
}

/// The labels of all PEM sections (RFC 7468 section 2), in order.
fn labels(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter_map(|line| {
            let label = line.trim().strip_prefix("-----BEGIN ")?;
            // What is printed later must not carry terminal sequences.
            let label = label.strip_suffix("-----")?;
            Some(label.escape_debug().to_string())
        })
        .collect()
}

fn broken(path: &Path, error: &rustls_pki_types::pem::Error) -> LoadError {
    use rustls_pki_types::pem::Error;

    let why = match error {
        Error::MissingSectionEnd { end_marker } => format!(
            "the line -----END {}----- is missing",
            String::from_utf8_lossy(end_marker).trim_matches(['-', '\r', '\n'])
        ),
        Error::IllegalSectionStart { line } => format!(
            "this line is malformed: {}",
            String::from_utf8_lossy(line).trim().escape_debug()
        ),
        Error::Base64Decode(_) => "the text between the markers is not base64".to_owned(),
        other => other.to_string(),
    };
    LoadError::BrokenPem {
        path: path.to_owned(),
        why,
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    Certificate,
    Key,
}

fn not_pem(path: &Path, bytes: &[u8], wanted: Wanted) -> LoadError {
    let path = path.to_owned();
    if bytes.trim_ascii().is_empty() {
        return LoadError::Empty { path };
    }
    // All three begin with a DER SEQUENCE.
    if bytes.first() != Some(&0x30) {
        return LoadError::NotPem { path };
    }
    if is_pkcs12(bytes) {
        return LoadError::Pkcs12 { path };
    }
    match wanted {
        Wanted::Certificate if X509Certificate::from_der(bytes).is_ok() => LoadError::Der {
            path,
            command: "openssl x509 -inform DER",
        },
        Wanted::Key if PrivateKeyDer::try_from(bytes).is_ok() => LoadError::Der {
            path,
            command: "openssl pkey -inform DER",
        },
        _ => LoadError::NotPem { path },
    }
}

/// A SEQUENCE that begins with INTEGER 3 and a SEQUENCE (RFC 7292 section 4);
/// certificates and keys begin otherwise.
fn is_pkcs12(bytes: &[u8]) -> bool {
    let length_octets = match bytes.get(1) {
        Some(short) if *short < 0x80 => 0,
        Some(long) => usize::from(long & 0x7f),
        None => return false,
    };
    bytes
        .get(2 + length_octets..)
        .is_some_and(|body| body.starts_with(&[0x02, 0x01, 0x03, 0x30]))
}
