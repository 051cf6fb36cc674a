//! The authority on disk. What its certificates are worth to OpenSSL and webpki
//! is in `tests/local_ca.rs`.

use std::fs;
use std::path::PathBuf;
use std::thread;

use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;
use crate::when::DAY;

const NOW: i64 = 1_800_000_000;

struct Place {
    _home: tempfile::TempDir,
    dir: PathBuf,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("state/local-ca");
        Self { _home: home, dir }
    }

    fn key(&self) -> PathBuf {
        self.dir.join(KEY_FILE)
    }

    fn root(&self) -> PathBuf {
        self.dir.join(ROOT_FILE)
    }

    fn made() -> Self {
        let place = Self::new();
        LocalAuthority::open_or_create(&place.dir, NOW).unwrap();
        place
    }

    fn refusal(&self) -> LocalError {
        LocalAuthority::open_or_create(&self.dir, NOW).unwrap_err()
    }
}

#[test]
fn open_never_creates_and_the_second_open_finds_the_first() {
    let place = Place::new();
    assert!(LocalAuthority::open(&place.dir).unwrap().is_none());
    assert!(!place.dir.exists());

    let first = LocalAuthority::open_or_create(&place.dir, NOW).unwrap();
    let second = LocalAuthority::open_or_create(&place.dir, NOW + DAY).unwrap();
    let third = LocalAuthority::open(&place.dir).unwrap().unwrap();
    assert_eq!(first.root_der(), second.root_der());
    assert_eq!(first.root_der(), third.root_der());
    assert_eq!(first.root_path(), place.root());
    assert_eq!(first.root_pem(), fs::read_to_string(place.root()).unwrap());
    assert_eq!(first.fingerprint_sha256().len(), 64);
    assert_eq!(first.not_after(), NOW + 3649 * DAY);
    assert!(
        first
            .common_name()
            .starts_with("Sealwax local CA 2027-01-15 "),
        "{}",
        first.common_name()
    );
}

#[test]
fn the_roots_path_holds_in_any_working_directory() {
    let place = Place::made();
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(place.dir.strip_prefix("/").unwrap());
    assert!(relative.is_relative());
    let authority = LocalAuthority::open(&relative).unwrap().unwrap();
    assert!(authority.root_path().is_absolute());
    let root = crate::trust::Root::read(&relative.join(ROOT_FILE)).unwrap();
    assert!(root.path().is_absolute());
}

#[cfg(unix)]
#[test]
fn modes_are_0700_0600_and_0644() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::made();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&place.dir), 0o700);
    assert_eq!(mode(&place.key()), 0o600);
    assert_eq!(mode(&place.root()), 0o644);
}

#[test]
fn many_that_start_at_once_make_one_authority() {
    for _ in 0..10 {
        let place = Place::new();
        let found: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| LocalAuthority::open_or_create(&place.dir, NOW)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap().fingerprint_sha256())
                .collect()
        });
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    }
}

#[test]
fn a_creation_that_was_cut_short_is_completed_with_its_key() {
    let place = Place::made();
    let key = fs::read(place.key()).unwrap();
    fs::remove_file(place.root()).unwrap();
    assert!(LocalAuthority::open(&place.dir).unwrap().is_none());
    LocalAuthority::open_or_create(&place.dir, NOW).unwrap();
    assert_eq!(fs::read(place.key()).unwrap(), key);
}

#[test]
fn a_lost_key_is_told_and_nothing_is_overwritten() {
    let place = Place::made();
    let root = fs::read(place.root()).unwrap();
    fs::remove_file(place.key()).unwrap();
    let refusal = place.refusal();
    assert!(
        matches!(refusal, LocalError::KeyMissing { .. }),
        "{refusal}"
    );
    assert!(refusal.mend().contains("sealwax trust uninstall"));
    assert_eq!(fs::read(place.root()).unwrap(), root);
    assert!(!place.key().exists());
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_reach_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    for mode in [0o644, 0o640, 0o604, 0o602, 0o660] {
        let place = Place::made();
        fs::set_permissions(place.key(), fs::Permissions::from_mode(mode)).unwrap();
        let refusal = place.refusal();
        assert!(
            matches!(refusal, LocalError::KeyExposed { .. }),
            "{refusal}"
        );
        let text = refusal.to_string();
        let key = place.key().display().to_string();
        assert!(text.contains(&format!("chmod 600 {key}")), "{text}");
        assert!(text.contains(&format!("{mode:04o}")), "{text}");
        assert!(LocalAuthority::open(&place.dir).is_err());
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::made();
    fs::set_permissions(&place.dir, fs::Permissions::from_mode(0o777)).unwrap();
    let refusal = place.refusal();
    assert!(
        matches!(refusal, LocalError::DirectoryWritable { .. }),
        "{refusal}"
    );
    assert!(refusal.mend().starts_with("chmod 700 "));
}

#[cfg(unix)]
#[test]
fn a_symlink_in_place_of_the_key_is_refused() {
    let place = Place::made();
    let elsewhere = place.dir.join("elsewhere.pem");
    fs::rename(place.key(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.key()).unwrap();
    let refusal = place.refusal();
    assert!(refusal.to_string().contains("symbolic link"), "{refusal}");

    // A dangling one must not be written through either.
    fs::remove_file(place.root()).unwrap();
    fs::remove_file(&elsewhere).unwrap();
    let refusal = place.refusal();
    assert!(refusal.to_string().contains("symbolic link"), "{refusal}");
    assert!(!elsewhere.exists());
}

#[test]
fn damage_is_told_file_by_file() {
    for text in [
        "",
        "garbage",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ] {
        let place = Place::made();
        fs::write(place.root(), text).unwrap();
        let refusal = place.refusal();
        assert!(
            matches!(&refusal, LocalError::Damaged { path, .. } if *path == place.root()),
            "{refusal}"
        );

        let place = Place::made();
        fs::write(place.key(), text).unwrap();
        let refusal = place.refusal();
        assert!(
            matches!(&refusal, LocalError::Damaged { path, .. } if *path == place.key()),
            "{refusal}"
        );
    }
    let place = Place::made();
    let pem = fs::read(place.root()).unwrap();
    fs::write(place.root(), &pem[..pem.len() / 2]).unwrap();
    assert!(matches!(place.refusal(), LocalError::Damaged { .. }));
    fs::write(place.root(), [pem.clone(), pem].concat()).unwrap();
    assert!(place.refusal().cause().contains("more than one"));
    fs::write(place.root(), [0xff; 100]).unwrap();
    assert!(place.refusal().cause().contains("not PEM text"));
    fs::write(place.root(), vec![b'a'; 2_000_000]).unwrap();
    assert!(place.refusal().cause().contains("larger than"));
}

#[test]
fn another_authoritys_key_is_refused() {
    let place = Place::made();
    let other = Place::made();
    fs::copy(other.key(), place.key()).unwrap();
    let refusal = place.refusal();
    assert!(
        matches!(refusal, LocalError::KeyMismatch { .. }),
        "{refusal}"
    );
}

#[test]
fn an_unconstrained_authority_is_refused() {
    let place = Place::made();
    let key = KeyPair::from_pem(&fs::read_to_string(place.key()).unwrap()).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    fs::write(place.root(), params.self_signed(&key).unwrap().pem()).unwrap();
    let refusal = place.refusal();
    assert!(
        matches!(refusal, LocalError::NotConstrained { .. }),
        "{refusal}"
    );

    let plain = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    fs::write(place.root(), plain.pem()).unwrap();
    assert!(
        place
            .refusal()
            .cause()
            .contains("not a certificate authority")
    );
}

#[test]
fn the_roots_life_is_kept() {
    let place = Place::made();
    let authority = LocalAuthority::open(&place.dir).unwrap().unwrap();
    let end = authority.not_after();
    assert!(LocalAuthority::open_or_create(&place.dir, end).is_ok());
    let late = LocalAuthority::open_or_create(&place.dir, end + 1).unwrap_err();
    assert!(matches!(late, LocalError::Expired { .. }), "{late}");
    assert!(late.to_string().contains("expired on 2037-01-11"), "{late}");
    assert!(late.mend().contains("make a new authority"), "{late}");
    assert!(matches!(
        authority.issue("localhost", end + 1),
        Err(LocalError::Expired { .. })
    ));
    // For `trust uninstall`.
    assert!(LocalAuthority::open(&place.dir).unwrap().is_some());

    let early = LocalAuthority::open_or_create(&place.dir, NOW - 2 * DAY).unwrap_err();
    assert!(matches!(early, LocalError::NotYetValid { .. }), "{early}");
    for absurd in [i64::MIN, i64::MAX] {
        assert!(LocalAuthority::open_or_create(&place.dir, absurd).is_err());
        assert!(LocalAuthority::open_or_create(&Place::new().dir, absurd).is_err());
    }
}

#[test]
fn a_leaf_lives_ninety_days_at_most_and_never_longer_than_the_root() {
    let place = Place::made();
    let authority = LocalAuthority::open(&place.dir).unwrap().unwrap();
    let life = |now: i64| {
        let key = authority.issue("app.localhost", now).unwrap();
        let (_, leaf) = X509Certificate::from_der(&key.cert[0]).unwrap();
        (
            leaf.validity().not_before.timestamp(),
            leaf.validity().not_after.timestamp(),
        )
    };
    let (from, to) = life(NOW + 10 * DAY);
    assert_eq!(from, NOW + 9 * DAY);
    assert_eq!(to - from, 90 * DAY - 1);
    let (from, to) = life(NOW - DAY + 10);
    assert_eq!(from, NOW - DAY, "not before the root");
    assert!(to - from < 90 * DAY);
    let (_, to) = life(authority.not_after() - DAY);
    assert_eq!(to, authority.not_after());
}

#[test]
fn a_leaf_names_its_host_alone_and_has_a_key_of_its_own() {
    let place = Place::made();
    let authority = LocalAuthority::open(&place.dir).unwrap().unwrap();
    let first = authority.issue("App.Localhost.", NOW).unwrap();
    let second = authority.issue("app.localhost", NOW).unwrap();
    assert_eq!(first.cert.len(), 1);
    let (_, leaf) = X509Certificate::from_der(&first.cert[0]).unwrap();
    let (_, other) = X509Certificate::from_der(&second.cert[0]).unwrap();
    assert_ne!(leaf.public_key().raw, other.public_key().raw);
    assert_ne!(leaf.raw_serial(), other.raw_serial());
    assert!(!leaf.is_ca());

    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let names = &names.value.general_names;
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].to_string(), "DNSName(app.localhost)");
    assert!(leaf.subject().iter_common_name().next().is_none());
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
}

#[test]
fn the_key_is_in_no_debug_text() {
    let place = Place::made();
    let authority = LocalAuthority::open(&place.dir).unwrap().unwrap();
    let shown = format!("{authority:?}");
    let pem = fs::read_to_string(place.key()).unwrap();
    for line in pem.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!shown.contains(line));
    }
    assert!(!shown.contains("KeyPair"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_directory_is_told() {
    let place = Place::new();
    fs::create_dir_all(place.dir.parent().unwrap()).unwrap();
    fs::write(&place.dir, "a file").unwrap();
    let refusal = place.refusal();
    assert!(matches!(refusal, LocalError::Io { .. }), "{refusal}");
    assert!(refusal.place().contains("local-ca"), "{refusal}");
}
