use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use sealwax_config::{Sources, load};
use tempfile::TempDir;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn only_file_in(directory: &Path) {
    let names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

fn made() -> (TempDir, SecretFile, KeyRing) {
    let home = tempfile::tempdir().unwrap();
    let file = SecretFile::below(home.path());
    let ring = file.create().unwrap();
    (home, file, ring)
}

#[test]
fn a_new_file_is_for_its_owner_alone_and_never_replaces_one() {
    let (home, file, ring) = made();
    assert_eq!(file.path(), home.path().join("secret/keys"));
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(&home.path().join("secret")), 0o700);
    only_file_in(&home.path().join("secret"));

    let loaded = file.load().unwrap().unwrap();
    assert_eq!(*loaded.ring.to_text(), *ring.to_text());
    assert!(loaded.warnings.is_empty());
    assert!(ring.keys()[0].made().is_some());

    let error = file.create().unwrap_err();
    assert_eq!(error.cause(), "the file is there already");
    assert_eq!(
        *file.load().unwrap().unwrap().ring.to_text(),
        *ring.to_text()
    );
    only_file_in(&home.path().join("secret"));

    // Nor a link, wherever it leads.
    let link = home.path().join("link");
    symlink(home.path().join("nowhere"), &link).unwrap();
    let link = SecretFile::new(link);
    assert_eq!(
        link.create().unwrap_err().cause(),
        "the file is there already"
    );
    assert!(link.load().unwrap_err().cause().contains("cannot be read"));
}

#[test]
fn two_files_hold_two_keys() {
    let [(_, _, one), (_, _, two)] = [made(), made()];
    assert_ne!(one.ids().next(), two.ids().next());
}

#[test]
fn whoever_comes_second_gets_the_keys_of_the_first() {
    let home = tempfile::tempdir().unwrap();
    let file = SecretFile::below(home.path());
    let texts: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| file.open_or_create().unwrap().ring.to_text().to_string()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[test]
fn a_rotation_puts_a_new_key_first_and_keeps_the_others() {
    let (home, file, ring) = made();
    let rotated = file.rotate(Retire::Nothing).unwrap();
    assert!(rotated.dropped.is_empty());
    let loaded = file.load().unwrap().unwrap().ring;
    assert_eq!(*loaded.to_text(), *rotated.ring.to_text());
    let ids: Vec<_> = loaded.ids().collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(Some(ids[1]), ring.ids().next());
    only_file_in(&home.path().join("secret"));

    let rotated = file.rotate(Retire::AllBut(2)).unwrap();
    assert_eq!(rotated.dropped, [ids[1]]);
    assert_eq!(rotated.ring.ids().nth(1), Some(ids[0]));
    assert_eq!(mode(file.path()), 0o600);
}

#[test]
fn rotations_at_once_lose_no_key() {
    let (_home, file, _) = made();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            // Each thread has a temporary file of the same name: the lock keeps them apart.
            scope.spawn(|| file.rotate(Retire::Nothing).unwrap());
        }
    });
    assert_eq!(file.load().unwrap().unwrap().ring.ids().count(), 9);
}

#[test]
fn a_rotation_keeps_a_link_and_the_rights_of_the_group() {
    let (home, file, _) = made();
    chmod(file.path(), 0o644);
    let link = home.path().join("link");
    symlink("secret/keys", &link).unwrap();
    SecretFile::new(&link).rotate(Retire::Nothing).unwrap();
    assert!(link.is_symlink());
    assert_eq!(file.load().unwrap().unwrap().ring.ids().count(), 2);
    assert_eq!(
        mode(file.path()),
        0o640,
        "the group may still read, the rest not"
    );
}

#[test]
fn a_full_ring_says_what_to_drop_and_stays() {
    let (_home, file, _) = made();
    for _ in 0..15 {
        file.rotate(Retire::Nothing).unwrap();
    }
    let before = fs::read(file.path()).unwrap();
    let error = file.rotate(Retire::Nothing).unwrap_err();
    assert!(error.to_string().contains("16 are the most"), "{error}");
    assert!(error.mend().contains("--keep 15"), "{error}");
    assert_eq!(fs::read(file.path()).unwrap(), before);
    assert_eq!(file.rotate(Retire::AllBut(15)).unwrap().dropped.len(), 2);
}

#[test]
fn what_is_damaged_is_told_with_its_line_and_nothing_of_a_key() {
    let (_home, file, _) = made();
    let text = fs::read_to_string(file.path()).unwrap();
    let key = text.split(':').nth(1).unwrap().to_owned();
    for (damaged, place) in [
        (String::new(), ":1"),
        (text[..20].to_owned(), ":1"),
        (format!("{text}{}", &text[..30]), ":2"),
        (format!("# keys\n{}", text.replace(&key[..1], "-")), ":2"),
    ] {
        fs::write(file.path(), &damaged).unwrap();
        for error in [
            file.load().unwrap_err(),
            file.open_or_create().unwrap_err(),
            file.rotate(Retire::Nothing).unwrap_err(),
        ] {
            assert!(error.place().ends_with(place), "{error}");
            assert!(!error.to_string().contains(&key[..6]), "{error}");
        }
        assert_eq!(fs::read_to_string(file.path()).unwrap(), damaged);
    }
    fs::write(file.path(), b"\xff\xfe").unwrap();
    assert!(file.load().unwrap_err().cause().contains("UTF-8"));
    fs::write(file.path(), vec![b'#'; 70_000]).unwrap();
    assert!(file.load().unwrap_err().cause().contains("64 KiB"));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let directory = SecretFile::new(home.path());
    assert!(
        directory
            .load()
            .unwrap_err()
            .cause()
            .contains("is a directory")
    );
    let fifo = home.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let error = SecretFile::new(fifo).load().unwrap_err();
    assert!(error.cause().contains("not a regular file"), "{error}");
}

#[test]
fn keys_that_others_can_reach_are_warned_of() {
    let (_home, file, _) = made();
    for (mode, warned) in [
        (0o600, None),
        (0o400, None),
        (0o640, None),
        (0o644, Some("everybody on this machine can read")),
        (0o660, Some("others than their owner can replace")),
        (0o666, Some("others than their owner can replace")),
    ] {
        chmod(file.path(), mode);
        let warnings = file.load().unwrap().unwrap().warnings;
        assert_eq!(
            warnings.len(),
            usize::from(warned.is_some()),
            "{warnings:?}"
        );
        if let (Some(part), [warning]) = (warned, &warnings[..]) {
            assert!(
                warning.contains(part) && warning.contains("chmod 600"),
                "{warning}"
            );
        }
    }
}

fn config(head: &str, site: &str, variables: &[(&str, &str)]) -> Config {
    let text = format!("{head}\n[[site]]\nhosts = [\"app.test\"]\nto = \"127.0.0.1:8000\"\n{site}");
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let sources = Sources {
        file: Some(("sealwax.toml".into(), text)),
        variables: variables.iter().map(owned).collect(),
        ..Sources::default()
    };
    load(&sources).unwrap().config
}

const SEAL: &str = "cookies.seal = [\"sessionid\"]";
const DEVELOPMENT: &str = "environment = \"development\"";

#[test]
fn development_makes_its_key_and_production_refuses() {
    let home = tempfile::tempdir().unwrap();
    // Nothing is sealed: nothing is touched.
    assert!(
        open(&config(DEVELOPMENT, "", &[]), home.path(), Missing::Make)
            .unwrap()
            .is_none()
    );
    assert!(!home.path().join("secret").exists());

    let error = open(&config("", SEAL, &[]), home.path(), Missing::Make).unwrap_err();
    assert_eq!(error.key(), "site.0.cookies.seal");
    assert!(error.cause().contains("there are no keys"), "{error}");
    assert!(error.mend().contains("`sealwax secret new`"), "{error}");
    assert!(!home.path().join("secret").exists());

    let refused = open(
        &config(DEVELOPMENT, SEAL, &[]),
        home.path(),
        Missing::Refuse,
    );
    assert!(refused.is_err() && !home.path().join("secret").exists());
    let made = open(&config(DEVELOPMENT, SEAL, &[]), home.path(), Missing::Make)
        .unwrap()
        .unwrap();
    assert_eq!(mode(&home.path().join("secret/keys")), 0o600);
    // With a key, production is served too.
    let found = open(&config("", SEAL, &[]), home.path(), Missing::Make)
        .unwrap()
        .unwrap();
    assert!(found.ids().eq(made.ids()));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let (home, file, ring) = made();
    let named = format!("secret.file = {:?}", file.path());
    let found = open(&config(&named, "", &[]), home.path(), Missing::Make)
        .unwrap()
        .unwrap();
    assert!(found.ids().eq(ring.ids()));
    let missing = format!("{DEVELOPMENT}\nsecret.file = {:?}", home.path().join("no"));
    let error = open(&config(&missing, SEAL, &[]), home.path(), Missing::Make).unwrap_err();
    assert_eq!(error.key(), "secret.file");
    assert!(!home.path().join("no").exists());
}

#[test]
fn the_environment_may_hold_the_keys() {
    let (home, _, ring) = made();
    let text = ring.to_text();
    let config = config("", SEAL, &[("SEALWAX_SECRET", &text)]);
    let elsewhere = home.path().join("other");
    let found = open(&config, &elsewhere, Missing::Make).unwrap().unwrap();
    assert!(found.ids().eq(ring.ids()));
    assert!(!elsewhere.exists());
}
