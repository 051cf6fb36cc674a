//! What the local authority's certificates are worth to those who verify them:
//! OpenSSL and rustls's webpki. Above all that the name constraints hold.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sealwax_cert::LocalAuthority;

/// OpenSSL verifies at the machine's own time.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .cast_signed()
}

struct Ca {
    dir: tempfile::TempDir,
    authority: LocalAuthority,
}

impl Ca {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open_or_create(&dir.path().join("ca"), now()).unwrap();
        Self { dir, authority }
    }

    fn webpki(&self, leaf: &CertificateDer<'_>, host: &str) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.root_der().clone()).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(default_provider()),
        )
        .build()
        .unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(now().cast_unsigned()));
        verifier
            .verify_server_cert(leaf, &[], &name, &[], at)
            .map(|_| ())
    }

    fn openssl(&self, leaf: &CertificateDer<'_>, host: &str) -> Output {
        let der = self.dir.path().join("leaf.der");
        let pem = self.dir.path().join("leaf.pem");
        std::fs::write(&der, leaf).unwrap();
        run(
            "openssl",
            &[
                "x509",
                "-inform",
                "DER",
                "-in",
                text(&der),
                "-out",
                text(&pem),
            ],
        );
        let check = if host.parse::<IpAddr>().is_ok() {
            "-verify_ip"
        } else {
            "-verify_hostname"
        };
        Command::new("openssl")
            .args(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile"])
            .arg(self.authority.root_path())
            .args(["-no-CApath", "-no-CAstore", check, host])
            .arg(&pem)
            .output()
            .unwrap()
    }

    /// What a thief of the key could make.
    fn forge(&self, host: &str) -> CertificateDer<'static> {
        let key = std::fs::read_to_string(self.dir.path().join("ca/root-key.pem")).unwrap();
        let issuer =
            Issuer::from_ca_cert_der(self.authority.root_der(), KeyPair::from_pem(&key).unwrap())
                .unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.use_authority_key_identifier_extension = true;
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params
            .signed_by(&KeyPair::generate().unwrap(), &issuer)
            .unwrap();
        leaf.into()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn openssl_and_webpki_accept_what_is_issued() {
    let ca = Ca::new();
    for host in [
        "localhost",
        "app.localhost",
        "a.b.c.localhost",
        "test",
        "app.test",
        "printer.local",
        "db.corp.internal",
        "127.0.0.1",
        "127.9.9.9",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "169.254.7.7",
        "::1",
        "fd00::1",
        "fe80::1",
    ] {
        let key = ca.authority.issue(host, now()).unwrap();
        ca.webpki(&key.cert[0], host).unwrap();
        let output = ca.openssl(&key.cert[0], host);
        assert!(output.status.success(), "{host}: {output:?}");
        // And for no other host.
        let other = if host == "app.test" {
            "localhost"
        } else {
            "app.test"
        };
        assert!(ca.webpki(&key.cert[0], other).is_err());
        assert!(!ca.openssl(&key.cert[0], other).status.success());
    }
}

#[test]
fn a_stolen_key_is_worth_nothing_for_public_names() {
    let ca = Ca::new();
    for host in [
        "example.com",
        "localhost.example.com",
        "notlocalhost",
        "evil-test",
        "com",
        "8.8.8.8",
        "126.0.0.1",
        "172.32.0.1",
        "2001:db8::1",
        "::2",
        "fec0::1",
    ] {
        let leaf = ca.forge(host);
        let refused = ca.webpki(&leaf, host).unwrap_err();
        assert!(
            format!("{refused:?}").contains("NameConstraintViolation"),
            "{host}: {refused:?}"
        );
        let output = ca.openssl(&leaf, host);
        assert!(!output.status.success(), "{host}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.contains("permitted subtree violation"),
            "{host}: {told}"
        );
    }
    // The forgery itself is sound: a permitted name made in the same way passes.
    let leaf = ca.forge("app.localhost");
    ca.webpki(&leaf, "app.localhost").unwrap();
    assert!(ca.openssl(&leaf, "app.localhost").status.success());
}

#[test]
fn the_root_cannot_vouch_for_another_authority_nor_for_clients_or_mail() {
    let ca = Ca::new();
    let leaf = ca.authority.issue("app.localhost", now()).unwrap();
    ca.openssl(&leaf.cert[0], "app.localhost");
    let pem = ca.dir.path().join("leaf.pem");
    for purpose in ["sslclient", "smimesign", "any"] {
        let output = Command::new("openssl")
            .args(["verify", "-purpose", purpose, "-CAfile"])
            .arg(ca.authority.root_path())
            .arg(&pem)
            .output()
            .unwrap();
        assert_eq!(
            output.status.success(),
            purpose == "any",
            "{purpose}: {output:?}"
        );
    }
    let shown = run(
        "openssl",
        &[
            "x509",
            "-noout",
            "-text",
            "-in",
            text(ca.authority.root_path()),
        ],
    );
    for line in [
        "CA:TRUE, pathlen:0",
        "X509v3 Name Constraints: critical",
        "X509v3 Basic Constraints: critical",
        "X509v3 Key Usage: critical",
        "Certificate Sign",
        "TLS Web Server Authentication",
        "DNS:localhost",
        "IP:10.0.0.0/255.0.0.0",
        "ecdsa-with-SHA256",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("CRL Sign"));
}

#[test]
fn the_fingerprint_is_what_openssl_says() {
    let ca = Ca::new();
    let shown = run(
        "openssl",
        &[
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            text(ca.authority.root_path()),
        ],
    );
    let hex: String = shown
        .trim()
        .rsplit('=')
        .next()
        .unwrap()
        .replace(':', "")
        .to_ascii_lowercase();
    assert_eq!(ca.authority.fingerprint_sha256(), hex);
}

/// The code's own rule and the constraints in the certificate must be one: a
/// host that `covers` accepts verifies, one that it refuses does not.
#[test]
fn covers_agrees_with_the_constraints() {
    let ca = Ca::new();
    let names =
        "[a-z]{1,4}(\\.[a-z]{1,4})?(\\.(localhost|test|local|internal|com|x-test|localhosts))?";
    let v4 = any::<[u8; 4]>().prop_map(|octets| IpAddr::from(octets).to_string());
    let near_v4 = (
        prop_oneof![
            Just(9_u8),
            Just(10),
            Just(126),
            Just(127),
            Just(169),
            Just(172),
            Just(192)
        ],
        prop_oneof![
            Just(15_u8),
            Just(16),
            Just(31),
            Just(32),
            Just(168),
            Just(254),
            any::<u8>()
        ],
        any::<[u8; 2]>(),
    )
        .prop_map(|(a, b, [c, d])| format!("{a}.{b}.{c}.{d}"));
    let v6 = (any::<u8>(), any::<[u8; 15]>()).prop_map(|(first, rest)| {
        let mut octets = [0_u8; 16];
        octets[0] = first | 0xf0;
        octets[1..].copy_from_slice(&rest);
        IpAddr::from(octets).to_string()
    });
    let host = prop_oneof![names, v4, near_v4, v6];
    let config = ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..Default::default()
    };
    proptest!(config, |(host in host)| {
        let leaf = ca.forge(&host);
        let verifies = ca.webpki(&leaf, &host).is_ok();
        prop_assert_eq!(LocalAuthority::covers(&host).is_ok(), verifies, "{}", host);
        prop_assert_eq!(ca.authority.issue(&host, now()).is_ok(), verifies);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn covers_never_panics_and_ignores_case(host in ".{0,300}") {
        let plain = LocalAuthority::covers(&host).is_ok();
        prop_assert_eq!(plain, LocalAuthority::covers(&host.to_ascii_uppercase()).is_ok());
    }
}
