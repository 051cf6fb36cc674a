//! The TLS client: TLS 1.3, one root, suites in the order that browsers offer them.

use std::sync::Arc;

use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Which key agreements the client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Groups {
    /// X25519 only: what every server measured knows.
    X25519,
    /// X25519MLKEM768 with an X25519 share beside it, as browsers do.
    Hybrid,
}

/// The one protocol that the client offers by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    pub(crate) fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("the certificate authority is not readable PEM: {0}")]
    Pem(rustls_pki_types::pem::Error),
    #[error("rustls refused the settings")]
    Rustls(#[from] rustls::Error),
}

/// A configuration that never resumes, or one with a ticket store of its own, so that each
/// worker resumes its own sessions.
pub(crate) fn config(
    ca: &[u8],
    groups: Groups,
    protocol: Protocol,
    resume: bool,
) -> Result<Arc<ClientConfig>, SetupError> {
    let mut provider = default_provider();
    // AES-128 first, as Chromium and Firefox offer it; a server that follows the client and one
    // that follows its own taste then do the same work.
    provider.cipher_suites = vec![
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    provider.kx_groups = match groups {
        Groups::X25519 => vec![kx_group::X25519],
        Groups::Hybrid => vec![kx_group::X25519MLKEM768, kx_group::X25519],
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        roots.add(certificate.map_err(SetupError::Pem)?)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.alpn().to_vec()];
    config.resumption = if resume {
        Resumption::store(Arc::new(ClientSessionMemoryCache::new(8)))
    } else {
        Resumption::disabled()
    };
    Ok(Arc::new(config))
}
