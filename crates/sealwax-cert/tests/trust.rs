//! Trust stores for real: NSS databases below a temporary home, and Debian's
//! store below a temporary root directory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealwax_cert::LocalAuthority;
use sealwax_cert::trust::{
    Machine, Os, Outcome, Report, Root, StoreName, SystemStore, execute, plan_install, plan_status,
    plan_uninstall, system_bundle, write_bundle,
};

const NOW: i64 = 1_800_000_000;

struct Home {
    dir: tempfile::TempDir,
    root: Root,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A space, as people have them in paths.
        let state = dir.path().join("data dir/sealwax");
        let authority = LocalAuthority::open_or_create(&state, NOW).unwrap();
        let root = Root::try_from(&authority).unwrap();
        assert_eq!(root, Root::read(authority.root_path()).unwrap());
        Self { dir, root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn database(&self, name: &str) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir_all(&dir).unwrap();
        certutil(&["-N", "-d", &sql(&dir), "--empty-password"]);
        dir
    }

    /// A machine with this home, and with a browser or without.
    fn machine(&self, browser: bool) -> Machine {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        if browser {
            fs::write(bin.join("chromium"), "").unwrap();
        }
        let search = [bin, PathBuf::from("/usr/bin"), PathBuf::from("/usr/sbin")];
        // Whether this machine has a Chromium of its own must not matter.
        let search = if browser { &search[..] } else { &search[..1] };
        let mut machine = Machine::look_at(&self.path("system"), Some(self.dir.path()), search);
        machine.certutil = Some(PathBuf::from("certutil"));
        machine.system_tool = Some(PathBuf::from("/usr/sbin/update-ca-certificates"));
        assert_eq!(machine.os, Os::Linux);
        machine
    }

    fn install(&self, machine: &Machine) -> Report {
        execute(&plan_install(machine, &self.root), machine)
    }

    fn uninstall(&self, machine: &Machine) -> Report {
        execute(&plan_uninstall(machine, &self.root), machine)
    }

    fn status(&self, machine: &Machine) -> Report {
        execute(&plan_status(machine, &self.root), machine)
    }
}

fn sql(dir: &Path) -> String {
    format!("sql:{}", dir.display())
}

fn certutil(arguments: &[&str]) -> String {
    let output = Command::new("certutil").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "certutil {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The outcomes of the NSS databases, by the last part of their directory.
fn nss(report: &Report) -> Vec<(String, Outcome)> {
    report
        .stores
        .iter()
        .filter_map(|(store, outcome)| match store {
            StoreName::Nss { dir, .. } => {
                let name = dir.file_name().unwrap().to_string_lossy().into_owned();
                Some((name, outcome.clone()))
            }
            _ => None,
        })
        .collect()
}

fn all(outcome: &Outcome, names: &[&str]) -> Vec<(String, Outcome)> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), outcome.clone()))
        .collect()
}

#[test]
fn every_browsers_database_is_found_filled_and_emptied() {
    let home = Home::new();
    let dirs = [
        ".pki/nssdb",
        "snap/chromium/current/.pki/nssdb",
        ".var/app/com.google.Chrome/.pki/nssdb",
        ".mozilla/firefox/abcd.default",
        ".config/mozilla/firefox/wxyz.default-release",
        "snap/firefox/common/.mozilla/firefox/snap.default",
        ".var/app/org.mozilla.firefox/.mozilla/firefox/flat.default",
    ];
    for dir in dirs {
        home.database(dir);
    }
    // Not databases.
    fs::create_dir_all(home.path(".mozilla/firefox/Crash Reports")).unwrap();
    let machine = home.machine(false);
    let names = [
        "nssdb",
        "nssdb",
        "nssdb",
        "abcd.default",
        "wxyz.default-release",
        "snap.default",
        "flat.default",
    ];
    assert_eq!(nss(&home.status(&machine)), all(&Outcome::NotThere, &names));
    assert_eq!(
        nss(&home.uninstall(&machine)),
        all(&Outcome::NotThere, &names)
    );
    assert_eq!(
        nss(&home.install(&machine)),
        all(&Outcome::Installed, &names)
    );
    assert_eq!(
        nss(&home.install(&machine)),
        all(&Outcome::AlreadyThere, &names)
    );
    assert_eq!(
        nss(&home.status(&machine)),
        all(&Outcome::AlreadyThere, &names)
    );
    for dir in dirs {
        let listed = certutil(&["-L", "-d", &sql(&home.path(dir))]);
        let line = listed
            .lines()
            .find(|line| line.starts_with(home.root.nickname()))
            .unwrap();
        assert!(
            line.trim_end().ends_with("C,,"),
            "trusted for more than TLS: {line}"
        );
        // NSS itself agrees that it may issue for servers.
        certutil(&[
            "-V",
            "-d",
            &sql(&home.path(dir)),
            "-u",
            "L",
            "-n",
            home.root.nickname(),
            "-b",
            "270115120000Z",
        ]);
    }
    assert_eq!(
        nss(&home.uninstall(&machine)),
        all(&Outcome::Removed, &names)
    );
    assert_eq!(nss(&home.status(&machine)), all(&Outcome::NotThere, &names));
}

#[test]
fn a_database_is_made_only_for_a_browser_that_will_read_it() {
    let home = Home::new();
    assert_eq!(nss(&home.install(&home.machine(false))), []);
    assert!(!home.path(".pki").exists());

    let machine = home.machine(true);
    assert_eq!(nss(&home.status(&machine)), [], "a look makes nothing");
    assert!(!home.path(".pki").exists());
    assert_eq!(
        nss(&home.install(&machine)),
        all(&Outcome::Installed, &["nssdb"])
    );
    assert_eq!(
        nss(&home.uninstall(&home.machine(true))),
        all(&Outcome::Removed, &["nssdb"])
    );
}

/// Chromium stops looking at the new place once the old one exists, so the old
/// one must not be made beside it.
#[test]
fn the_newer_shared_database_is_used_where_it_exists() {
    let home = Home::new();
    home.database(".local/share/pki/nssdb");
    let machine = home.machine(true);
    assert_eq!(
        nss(&home.install(&machine)),
        all(&Outcome::Installed, &["nssdb"])
    );
    assert!(!home.path(".pki").exists());
}

#[test]
fn the_fingerprint_decides_not_the_name() {
    let home = Home::new();
    let dir = home.database(".pki/nssdb");
    let other = Home::new();
    let impostor = other.root.path().to_str().unwrap();
    certutil(&[
        "-A",
        "-d",
        &sql(&dir),
        "-t",
        "C,,",
        "-n",
        home.root.nickname(),
        "-i",
        impostor,
    ]);
    let machine = home.machine(false);
    assert_eq!(
        nss(&home.status(&machine)),
        all(&Outcome::NotThere, &["nssdb"])
    );
}

#[test]
fn a_root_without_trust_is_no_trusted_root_and_is_mended() {
    let home = Home::new();
    let dir = home.database(".pki/nssdb");
    let machine = home.machine(false);
    home.install(&machine);
    certutil(&[
        "-M",
        "-d",
        &sql(&dir),
        "-t",
        ",,",
        "-n",
        home.root.nickname(),
    ]);
    let report = home.status(&machine);
    assert!(
        matches!(nss(&report)[0].1, Outcome::Failed { .. }),
        "{report}"
    );
    assert_eq!(
        nss(&home.install(&machine)),
        all(&Outcome::Installed, &["nssdb"])
    );
}

#[test]
fn one_broken_store_does_not_stop_the_others_and_no_password_is_asked_for() {
    let home = Home::new();
    let broken = home.path(".mozilla/firefox/a-broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("cert9.db"), "this is no database").unwrap();
    let locked = home.path(".mozilla/firefox/b-locked");
    fs::create_dir_all(&locked).unwrap();
    let password = home.path("password");
    fs::write(&password, "hunter2\n").unwrap();
    certutil(&["-N", "-d", &sql(&locked), "-f", password.to_str().unwrap()]);
    home.database(".mozilla/firefox/c-good");

    let report = home.install(&home.machine(false));
    let outcomes = nss(&report);
    assert!(matches!(outcomes[0].1, Outcome::Failed { .. }), "{report}");
    match &outcomes[1].1 {
        Outcome::Failed { cause, mend } => {
            assert!(cause.contains("SEC_ERROR_BAD_PASSWORD"), "{cause}");
            assert!(mend.contains("certutil -A -d "), "{mend}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(outcomes[2].1, Outcome::Installed, "{report}");
    assert!(report.failed() && report.trusted_somewhere());
}

/// A root directory with Debian's store, as an image that is being built has it.
fn debian(home: &Home) -> PathBuf {
    let system = home.path("system");
    for dir in [
        "usr/local/share/ca-certificates",
        "usr/share/ca-certificates/mozilla",
        "etc/ssl/certs",
        "etc/ca-certificates/update.d",
    ] {
        fs::create_dir_all(system.join(dir)).unwrap();
    }
    // One of the machine's own roots, to see that it stays.
    let first = fs::read_dir("/usr/share/ca-certificates/mozilla")
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let name = first.file_name().into_string().unwrap();
    fs::copy(
        first.path(),
        system.join("usr/share/ca-certificates/mozilla").join(&name),
    )
    .unwrap();
    fs::write(
        system.join("etc/ca-certificates.conf"),
        format!("mozilla/{name}\n"),
    )
    .unwrap();
    system
}

fn system_outcome(report: &Report) -> Outcome {
    let (_, outcome) = report
        .stores
        .iter()
        .find(|(store, _)| *store == StoreName::System(SystemStore::Debian))
        .unwrap();
    outcome.clone()
}

#[test]
fn debians_store_with_debians_own_command() {
    let home = Home::new();
    let system = debian(&home);
    let mut machine = home.machine(false);
    assert_eq!(machine.system_store, Some(SystemStore::Debian));
    let anchors = system.join("usr/local/share/ca-certificates");

    // Without root nothing is touched, and the commands are told.
    let report = home.install(&machine);
    match system_outcome(&report) {
        Outcome::Skipped { why, mend } => {
            assert!(why.contains("needs root"), "{why}");
            assert!(
                mend.contains("sudo install -m 644 ") && mend.contains("update-ca-certificates"),
                "{mend}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_dir(&anchors).unwrap().count(), 0);

    machine.is_root = true;
    assert_eq!(system_outcome(&home.status(&machine)), Outcome::NotThere);
    assert_eq!(system_outcome(&home.install(&machine)), Outcome::Installed);
    assert_eq!(
        system_outcome(&home.install(&machine)),
        Outcome::AlreadyThere
    );
    let bundle = system.join("etc/ssl/certs/ca-certificates.crt");
    let certificates = |path: &Path| {
        fs::read_to_string(path)
            .unwrap()
            .matches("BEGIN CERTIFICATE")
            .count()
    };
    assert_eq!(certificates(&bundle), 2);

    // The file alone is not enough: programs read the bundle.
    let whole = fs::read(&bundle).unwrap();
    fs::write(&bundle, "").unwrap();
    assert!(matches!(
        system_outcome(&home.status(&machine)),
        Outcome::Failed { .. }
    ));
    fs::write(&bundle, whole).unwrap();

    // Without root a look still works.
    machine.is_root = false;
    assert_eq!(
        system_outcome(&home.status(&machine)),
        Outcome::AlreadyThere
    );
    machine.is_root = true;
    assert_eq!(system_outcome(&home.uninstall(&machine)), Outcome::Removed);
    assert_eq!(certificates(&bundle), 1);
    assert_eq!(fs::read_dir(&anchors).unwrap().count(), 0);
}

#[test]
fn a_tool_that_does_nothing_is_not_believed() {
    let home = Home::new();
    debian(&home);
    let mut machine = home.machine(false);
    machine.is_root = true;
    machine.system_tool = Some(PathBuf::from("/bin/true"));
    match system_outcome(&home.install(&machine)) {
        Outcome::Failed { cause, .. } => assert!(cause.contains("no change"), "{cause}"),
        other => panic!("{other:?}"),
    }
    machine.system_tool = Some(PathBuf::from("/bin/false"));
    assert!(matches!(
        system_outcome(&home.install(&machine)),
        Outcome::Failed { .. }
    ));
}

#[test]
fn the_bundle_is_the_systems_roots_and_ours() {
    let home = Home::new();
    let base = system_bundle().unwrap();
    let path = write_bundle(home.dir.path(), &base, &home.root).unwrap();
    // Again, over the old one.
    assert_eq!(
        path,
        write_bundle(home.dir.path(), &base, &home.root).unwrap()
    );
    let before = fs::read_to_string(&base).unwrap();
    let after = fs::read_to_string(&path).unwrap();
    let count = |text: &str| text.matches("BEGIN CERTIFICATE").count();
    assert_eq!(count(&after), count(&before) + 1);

    // A program that is pointed at it trusts our root.
    let output = Command::new("openssl")
        .args(["verify", "-no_check_time", "-no-CApath", "-CAfile"])
        .arg(&path)
        .arg(home.root.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");

    let empty = home.path("empty.pem");
    fs::write(&empty, "").unwrap();
    let error = write_bundle(home.dir.path(), &empty, &home.root).unwrap_err();
    assert!(error.to_string().contains("no certificate"), "{error}");
    assert!(write_bundle(home.dir.path(), &home.path("absent"), &home.root).is_err());
}

/// The advice for a lost key begins with `trust uninstall`, which must then work.
#[test]
fn a_root_is_found_and_removed_without_its_key() {
    let home = Home::new();
    home.database(".pki/nssdb");
    let machine = home.machine(false);
    home.install(&machine);
    let dir = home.root.path().parent().unwrap();
    fs::remove_file(dir.join("root-key.pem")).unwrap();
    assert!(LocalAuthority::open(dir).is_err());
    let root = Root::find(dir).unwrap().unwrap();
    assert_eq!(root, home.root);
    let report = execute(&plan_uninstall(&machine, &root), &machine);
    assert_eq!(nss(&report), all(&Outcome::Removed, &["nssdb"]));
    assert_eq!(Root::find(&home.path("absent")).unwrap(), None);
}

#[test]
fn a_root_that_is_not_one_is_told() {
    let home = Home::new();
    let error = Root::read(&home.path("absent.pem")).unwrap_err();
    assert!(
        error.to_string().contains("sealwax trust install"),
        "{error}"
    );
    let garbage = home.path("garbage.pem");
    fs::write(&garbage, "garbage").unwrap();
    let error = Root::read(&garbage).unwrap_err();
    assert!(
        error.to_string().contains("not a root certificate"),
        "{error}"
    );
}

#[test]
fn detection_changes_nothing_and_finds_this_machine() {
    let machine = Machine::detect();
    assert_eq!(machine.os, Os::Linux);
    assert_eq!(machine.system_root, Path::new("/"));
}
