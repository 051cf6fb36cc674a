//! A certificate authority of the tests' own, for servers that are not behind the gateway.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use tempfile::TempDir;

/// A root that signs certificates for any host, kept in a temporary directory.
pub struct Authority {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new root.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names to refuse");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Sealwax tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).expect("a root");
        let dir = TempDir::new().expect("a temporary directory");
        std::fs::write(dir.path().join("root.pem"), certificate.pem()).expect("a root on disk");
        Self {
            dir,
            issuer: Issuer::new(params, key),
        }
    }

    /// The root's file.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root.pem")
    }

    /// A certificate for `names` and its key, as PEM files in a directory of the caller's:
    /// `NAME.pem` (leaf first, then the root) and `NAME-key.pem` (mode 0600).
    #[must_use]
    pub fn files(&self, dir: &Path, names: &[&str]) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.issue(names);
        let stem = names.first().expect("a name");
        let paths = (
            dir.join(format!("{stem}.pem")),
            dir.join(format!("{stem}-key.pem")),
        );
        let root = std::fs::read_to_string(self.root()).expect("the root");
        std::fs::write(&paths.0, format!("{}{root}", certificate.pem()))
            .expect("a certificate on disk");
        std::fs::write(&paths.1, key.serialize_pem()).expect("a key on disk");
        private(&paths.1);
        paths
    }

    /// A server's TLS settings with a certificate for `names`; HTTP/1.1 only.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(names);
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a key that fits");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    fn issue(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let params = CertificateParams::new(names).expect("names that fit a certificate");
        (
            params.signed_by(&key, &self.issuer).expect("a certificate"),
            key,
        )
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the key away from everyone but its owner.
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
}
