//! Files as people have them: made by OpenSSL where a tool's own form matters.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;
use crate::when::moment;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = crate::when::DAY;

struct Bench {
    dir: tempfile::TempDir,
    files: CertificateFiles,
    root: String,
    middle: String,
    leaf: String,
    key: String,
}

fn issuer_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Bench {
    fn new() -> Self {
        let root =
            CertifiedIssuer::self_signed(issuer_params("root"), KeyPair::generate().unwrap())
                .unwrap();
        let middle = CertifiedIssuer::signed_by(
            issuer_params("middle"),
            KeyPair::generate().unwrap(),
            &root,
        )
        .unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![
            "App.Example.com".to_owned(),
            "*.example.com".to_owned(),
            "192.0.2.1".to_owned(),
            "2001:db8::1".to_owned(),
        ])
        .unwrap();
        params.not_before = moment(NOW - DAY).unwrap();
        params.not_after = moment(NOW + DAY).unwrap();
        let leaf = params.signed_by(&key, &middle).unwrap();

        let dir = tempfile::tempdir().unwrap();
        let files = CertificateFiles {
            cert: dir.path().join("cert.pem"),
            key: dir.path().join("key.pem"),
        };
        let bench = Self {
            dir,
            files,
            root: root.pem(),
            middle: middle.pem(),
            leaf: leaf.pem(),
            key: key.serialize_pem(),
        };
        bench.write(&[&bench.leaf, &bench.middle], &bench.key);
        bench
    }

    fn write(&self, certs: &[&str], key: &str) {
        fs::write(&self.files.cert, certs.concat()).unwrap();
        fs::write(&self.files.key, key).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&self.files.key, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    fn load(&self) -> Result<Loaded, LoadError> {
        load(&self.files, NOW)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_good_chain_is_described() {
    let loaded = Bench::new().load().unwrap();
    assert_eq!(
        loaded.names,
        [
            "app.example.com",
            "*.example.com",
            "192.0.2.1",
            "2001:db8::1"
        ]
    );
    assert_eq!(
        (loaded.not_before, loaded.not_after),
        (NOW - DAY, NOW + DAY)
    );
    assert_eq!(loaded.chain_len, 2);
    assert_eq!(loaded.key.cert.len(), 2);
    assert!(!loaded.publicly_trusted);
    assert_eq!(loaded.warnings, []);

    for (host, named) in [
        ("app.example.com", true),
        ("APP.example.com.", true),
        ("www.example.com", true),
        ("a.b.example.com", false),
        (".example.com", false),
        ("example.com", false),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("[2001:db8::1]", true),
        ("2001:DB8:0::1", true),
        ("", false),
    ] {
        assert_eq!(loaded.names_host(host), named, "{host}");
    }
}

#[test]
fn every_form_of_key_that_openssl_writes_is_read() {
    let bench = Bench::new();
    for (make, rewrite) in [
        (
            "genrsa -out k.pem 2048",
            "rsa -traditional -in k.pem -out k2.pem",
        ),
        (
            "genrsa -out k.pem 3072",
            "pkcs8 -topk8 -nocrypt -in k.pem -out k2.pem",
        ),
        (
            "ecparam -name prime256v1 -genkey -out k.pem",
            "ec -in k.pem -out k2.pem",
        ),
        (
            "ecparam -name secp384r1 -genkey -noout -out k.pem",
            "ec -in k.pem -out k2.pem",
        ),
        (
            "genpkey -algorithm ed25519 -out k.pem",
            "pkey -in k.pem -out k2.pem",
        ),
    ] {
        bench.openssl(make);
        bench.openssl(rewrite);
        bench.openssl("req -x509 -new -key k2.pem -out c.pem -subj /CN=x -addext subjectAltName=DNS:a.test -days 1");
        let cert = fs::read_to_string(bench.path("c.pem")).unwrap();
        let key = fs::read_to_string(bench.path("k2.pem")).unwrap();
        // Text around the sections, CRLF, and one file for both.
        let both = format!("Bag Attributes\r\n{key}\nsubject=x\n{cert}").replace('\n', "\r\n");
        bench.write(&[&cert], &key);
        assert_eq!(bench.load().unwrap().names, ["a.test"], "{make}");
        bench.write(&[&both], &both);
        assert_eq!(bench.load().unwrap().names, ["a.test"], "{make}, combined");
    }
}

/// A table of mistakes: what is in the two files, what is said.
#[test]
fn every_mistake_has_its_message() {
    let bench = Bench::new();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let (leaf, middle, root, key) = (&bench.leaf, &bench.middle, &bench.root, &bench.key);
    let half = &leaf[..leaf.len() / 2];
    let not_base64 = "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n";
    let not_x509 = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    let table: &[(&[&str], &str, &str, &str)] = &[
        (&[""], key, "the file is empty", "-----BEGIN"),
        (&["  \n"], key, "the file is empty", "-----BEGIN"),
        (&["hello"], key, "not PEM", "-----BEGIN"),
        (
            &[key],
            leaf,
            "no certificate in this file, only PRIVATE KEY",
            "swapped",
        ),
        (
            &[request],
            key,
            "only CERTIFICATE REQUEST",
            "give the certificate",
        ),
        (&[half], key, "END CERTIFICATE", "copy the file again"),
        (&[not_base64], key, "not base64", "copy the file again"),
        (&[not_x509], key, "certificate 1", "copy the file again"),
        (
            &[leaf, not_x509],
            key,
            "certificate 2",
            "copy the file again",
        ),
        (&[leaf], "", "the file is empty", "-----BEGIN"),
        (
            &[leaf],
            leaf,
            "no private key in this file, only CERTIFICATE",
            "swapped",
        ),
        (
            &[leaf],
            &other,
            "does not belong to the certificate in",
            "was requested with",
        ),
        (
            &[middle, leaf],
            key,
            "certificate 2 in this file is out of order",
            "first",
        ),
        (
            &[leaf, root],
            key,
            "certificate 2 in this file is out of order",
            "fullchain",
        ),
        (&[leaf, root, middle], key, "out of order", "fullchain"),
        (&[leaf, middle, middle], key, "certificate 3", "fullchain"),
    ];
    for (certs, key, cause, mend) in table {
        bench.write(certs, key);
        let error = bench.load().unwrap_err();
        assert!(error.cause().contains(cause), "{cause}: {error}");
        assert!(error.mend().contains(mend), "{mend}: {error}");
        assert_eq!(
            error.to_string(),
            format!("{}: {}; {}", error.place(), error.cause(), error.mend())
        );
    }
    bench.write(&[leaf, middle, root], key);
    assert_eq!(
        bench.load().unwrap().chain_len,
        3,
        "a root at the end is fine"
    );
}

#[test]
fn binary_forms_are_named_with_the_command_that_reads_them() {
    let bench = Bench::new();
    bench.openssl("x509 -in cert.pem -outform DER -out cert.der");
    bench.openssl("pkey -in key.pem -outform DER -out key.der");
    bench.openssl("pkcs12 -export -in cert.pem -inkey key.pem -passout pass:x -out both.p12");
    let load_pair = |cert: &str, key: &str| {
        let files = CertificateFiles {
            cert: bench.path(cert),
            key: bench.path(key),
        };
        load(&files, NOW).unwrap_err()
    };

    let error = load_pair("cert.der", "key.pem");
    assert!(matches!(error, LoadError::Der { .. }), "{error}");
    let command = error.mend().replace("convert it: openssl ", "");
    bench.openssl(&command);
    let error = load_pair("cert.pem", "key.der");
    assert!(matches!(error, LoadError::Der { .. }), "{error}");
    // The command that is told works, but it must not overwrite our key.pem.
    assert!(
        error.mend().contains("openssl pkey -inform DER -in "),
        "{error}"
    );
    for (cert, key) in [("both.p12", "key.pem"), ("cert.pem", "both.p12")] {
        let error = load_pair(cert, key);
        assert!(matches!(error, LoadError::Pkcs12 { .. }), "{error}");
    }
}

#[test]
fn encrypted_keys_are_refused_in_both_forms() {
    let bench = Bench::new();
    bench.openssl("pkcs8 -topk8 -in key.pem -passout pass:secret -out new.pem");
    bench.openssl("genrsa -traditional -aes128 -passout pass:secret -out old.pem 2048");
    for name in ["new.pem", "old.pem"] {
        let files = CertificateFiles {
            cert: bench.files.cert.clone(),
            key: bench.path(name),
        };
        let error = load(&files, NOW).unwrap_err();
        assert!(
            matches!(error, LoadError::EncryptedKey { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn weak_and_unusable_keys_are_refused() {
    let bench = Bench::new();
    bench.openssl(
        "req -x509 -newkey rsa:1024 -nodes -keyout key.pem -out cert.pem -subj /CN=x -days 1",
    );
    let error = bench.load().unwrap_err();
    assert!(
        matches!(error, LoadError::WeakKey { bits: 1024, .. }),
        "{error}"
    );
    bench.openssl("ecparam -name secp256k1 -genkey -noout -out key.pem");
    bench.openssl("req -x509 -new -key key.pem -out cert.pem -subj /CN=x -days 1");
    let error = bench.load().unwrap_err();
    assert!(matches!(error, LoadError::UnusableKey { .. }), "{error}");
    assert!(error.mend().contains("P-256"), "{error}");
}

#[test]
fn what_cannot_be_read_says_why() {
    let bench = Bench::new();
    fs::remove_file(&bench.files.key).unwrap();
    let error = bench.load().unwrap_err();
    assert!(error.cause().contains("No such file"), "{error}");
    assert_eq!(error.path(), bench.files.key);
    fs::create_dir(&bench.files.key).unwrap();
    assert!(bench.load().unwrap_err().cause().contains("directory"));
    fs::remove_dir(&bench.files.key).unwrap();
    fs::write(&bench.files.key, vec![b'a'; 10 * 1024 * 1024]).unwrap();
    assert!(bench.load().unwrap_err().cause().contains("larger than"));
}

#[test]
fn life_names_and_signature_are_warnings() {
    let bench = Bench::new();
    let late = load(&bench.files, NOW + DAY + 1).unwrap();
    assert!(
        matches!(late.warnings[..], [LoadWarning::Expired { not_after, .. }] if not_after == NOW + DAY),
        "{:?}",
        late.warnings
    );
    assert!(
        late.warnings[0]
            .to_string()
            .contains("expired on 2027-01-16")
    );
    let early = load(&bench.files, NOW - DAY - 1).unwrap();
    assert!(matches!(
        early.warnings[..],
        [LoadWarning::NotYetValid { .. }]
    ));

    bench.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -subj /CN=ca -days 1",
    );
    bench.openssl("req -new -key key.pem -out r.pem -subj /CN=x");
    bench.openssl("x509 -req -sha1 -in r.pem -CA ca.pem -CAkey key.pem -CAcreateserial -out cert.pem -days 9999");
    // Without an extension it is of X.509 version 1, which is read as well.
    let loaded = load(&bench.files, NOW).unwrap();
    let kinds: Vec<_> = loaded.warnings.iter().map(LoadWarning::cause).collect();
    assert!(
        kinds.iter().any(|cause| cause.contains("subjectAltName")),
        "{kinds:?}"
    );
    assert!(
        kinds.iter().any(|cause| cause.contains("SHA-1")),
        "{kinds:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_key_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true), (0o606, true)] {
        fs::set_permissions(&bench.files.key, fs::Permissions::from_mode(mode)).unwrap();
        let warnings = bench.load().unwrap().warnings;
        assert_eq!(!warnings.is_empty(), warned, "{mode:o}: {warnings:?}");
        if warned {
            assert!(warnings[0].mend().starts_with("chmod 600 "));
        }
    }
}

/// A renewal exchanges the two symlinks one after the other, over and over. What
/// is loaded must always be a pair.
#[cfg(unix)]
#[test]
fn a_renewal_under_way_is_waited_for() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let first = Bench::new();
    let second = Bench::new();
    let live = tempfile::tempdir().unwrap();
    let files = CertificateFiles {
        cert: live.path().join("fullchain.pem"),
        key: live.path().join("privkey.pem"),
    };
    let point = |link: &Path, target: &Path| {
        let fresh = link.with_extension("tmp");
        std::os::unix::fs::symlink(target, &fresh).unwrap();
        fs::rename(&fresh, link).unwrap();
    };
    point(&files.cert, &first.files.cert);
    point(&files.key, &first.files.key);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for bench in [&second, &first] {
                    point(&files.cert, &bench.files.cert);
                    thread::sleep(Duration::from_millis(5));
                    point(&files.key, &bench.files.key);
                    thread::sleep(Duration::from_millis(60));
                }
            }
        });
        let outcomes: Vec<_> = (0..60).map(|_| load(&files, NOW)).collect();
        done.store(true, Ordering::Relaxed);
        for outcome in outcomes {
            assert!(outcome.unwrap().key.keys_match().is_ok());
        }
    });
}
