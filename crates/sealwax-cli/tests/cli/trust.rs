//! `sealwax trust`. What belongs to the whole system is only ever planned here.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::Home;

#[test]
fn path_makes_the_authority_and_prints_nothing_else() {
    let home = Home::new();
    let first = home.finish(&["trust", "path"]);
    assert_eq!((first.code, first.err.as_str()), (Some(0), ""));
    let path = first.out.strip_suffix('\n').unwrap();
    assert!(
        fs::read_to_string(path)
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    assert_eq!(home.finish(&["trust", "path"]).out, first.out);
    for entry in fs::read_dir(home.path().join("state/ca")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let name = entry.file_name().into_string().unwrap();
        assert!(
            !name.contains("key") || mode == 0o600,
            "{name} has mode {mode:o}"
        );
    }
}

#[test]
fn without_an_authority_nothing_is_trusted_and_nothing_to_undo() {
    let home = Home::new();
    let status = home.finish(&["trust", "status"]);
    assert_eq!(status.code, Some(1), "{status:?}");
    assert!(
        status.out.contains("`sealwax trust install` makes one"),
        "{status:?}"
    );
    assert_eq!(home.finish(&["trust", "uninstall"]).code, Some(0));
    assert!(
        !home.path().join("state").exists(),
        "looking changes nothing"
    );
}

#[test]
fn a_plan_is_printed_and_not_carried_out() {
    let home = Home::new();
    let plan = home.finish(&["trust", "install", "--print-plan"]);
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.out.contains(home.root().trim()), "{plan:?}");
    assert_eq!(home.finish(&["trust", "status"]).code, Some(1));
    let undo = home.finish(&["trust", "uninstall", "--print-plan"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
}

#[test]
fn status_names_the_root_and_every_store() {
    let home = Home::new();
    home.root();
    let status = home.finish(&["trust", "status"]);
    assert_eq!(status.code, Some(1), "{status:?}");
    assert!(status.out.contains("SHA-256"), "{status:?}");
    assert!(
        status.out.contains("not trusted") || status.out.contains("skipped"),
        "{status:?}"
    );
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_mend() {
    let home = Home::new();
    home.root();
    let key = fs::read_dir(home.path().join("state/ca"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("key"))
        .unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let finished = home.finish(&["trust", "path"]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.err.contains("chmod 600"), "{}", finished.err);
}

/// Without root, since root's installation would reach the machine's own store.
#[test]
fn a_browsers_store_takes_the_root_in_and_gives_it_back() {
    let home = Home::new();
    let database = home.path().join(".pki/nssdb");
    fs::create_dir_all(&database).unwrap();
    let database = format!("sql:{}", database.display());
    let certutil = |args: &[&str]| home.as_nobody("certutil", &[args, &["-d", &database]].concat());
    assert_eq!(certutil(&["-N", "--empty-password"]).code, Some(0));

    let binary = home.path().join("sealwax");
    fs::copy(env!("CARGO_BIN_EXE_sealwax"), &binary).unwrap();
    let trust = |action: &str| home.as_nobody(binary.to_str().unwrap(), &["trust", action]);
    let installed = trust("install");
    assert_eq!(installed.code, Some(0), "{installed:?}");
    assert!(installed.out.contains("  installed\n"), "{installed:?}");
    assert_eq!(trust("status").code, Some(0));
    let listed = certutil(&["-L"]).out;
    assert!(
        listed.contains("Sealwax local CA") && listed.contains(" C,,"),
        "{listed}"
    );

    let removed = trust("uninstall");
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert!(!certutil(&["-L"]).out.contains("Sealwax local CA"));
    assert_eq!(trust("status").code, Some(1));
}
