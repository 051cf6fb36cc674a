//! `sealwax trust`: the local CA in the places where browsers and programs look for it.

use std::path::Path;
use std::process::Command;

use sealwax_tests::{Chromium, Gateway, Step, Upstream, binary, run, sealwax, skip};
use tempfile::TempDir;

/// A home with an NSS database, as Chromium leaves one.
fn home_with_nss() -> TempDir {
    let home = TempDir::new().unwrap();
    let database = home.path().join(".pki/nssdb");
    std::fs::create_dir_all(&database).unwrap();
    let made = Command::new("certutil")
        .args(["-N", "--empty-password", "-d"])
        .arg(format!("sql:{}", database.display()))
        .status()
        .unwrap();
    assert!(made.success());
    home
}

fn listed(home: &Path) -> String {
    let output = Command::new("certutil")
        .args(["-L", "-d"])
        .arg(format!("sql:{}", home.join(".pki/nssdb").display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).to_lowercase()
}

/// Runs `sealwax trust …` where the system's store is a copy that ends with the command:
/// the tests must not make the machine trust anything.
fn trust(home: &Path, script: &str) -> std::process::Output {
    let mounts = "set -e; mount --make-rprivate / 2>/dev/null || true
        for dir in /usr/local/share/ca-certificates /etc/ssl/certs; do
          copy=$(mktemp -d); cp -a $dir/. $copy/; mount -t tmpfs tmpfs $dir; cp -a $copy/. $dir/; rm -rf $copy
        done; set +e";
    Command::new("unshare")
        .args(["--mount", "sh", "-c", &format!("{mounts}; {script}")])
        .env("HOME", home)
        .env("SEALWAX_HOME", home.join("sealwax"))
        .env_remove("XDG_DATA_HOME")
        .env("SEALWAX", binary())
        .output()
        .unwrap()
}

fn can_unshare() -> bool {
    Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs tmpfs /usr/local/share/ca-certificates",
        ])
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn path_prints_the_root_and_nothing_else() {
    let home = TempDir::new().unwrap();
    let finished = sealwax(home.path(), &["trust", "path"], &[]);
    assert_eq!(finished.code, 0, "{finished:?}");
    let path = Path::new(finished.out.trim());
    assert_eq!(finished.out.lines().count(), 1);
    assert!(
        path.is_absolute() && path.starts_with(home.path()),
        "{path:?}"
    );
    assert!(
        std::fs::read_to_string(path)
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
}

#[test]
fn install_status_and_uninstall_tell_the_truth() {
    if !can_unshare() {
        skip(
            "install_status_and_uninstall_tell_the_truth",
            "no mount namespace of our own can be made here",
        );
        return;
    }
    let home = home_with_nss();
    let output = trust(
        home.path(),
        "echo before; \"$SEALWAX\" trust status; echo code=$?
         \"$SEALWAX\" trust install; echo install=$?
         \"$SEALWAX\" trust status; echo status=$?
         root=$(\"$SEALWAX\" trust path); openssl verify -CApath /etc/ssl/certs \"$root\"; grep -rlF \"$(sed -n 2p \"$root\")\" /etc/ssl/certs/ca-certificates.crt
         \"$SEALWAX\" trust install; echo again=$?",
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("install=0") && said.contains("again=0"),
        "{said}"
    );
    assert!(
        said.contains("root.pem: OK") && said.contains("/etc/ssl/certs/ca-certificates.crt"),
        "the system does not trust it:\n{said}"
    );
    assert!(
        listed(home.path()).contains("sealwax"),
        "{}",
        listed(home.path())
    );
    let output = trust(
        home.path(),
        "\"$SEALWAX\" trust uninstall; echo uninstall=$?",
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("uninstall=0"), "{said}");
    assert!(
        !listed(home.path()).contains("sealwax"),
        "{}",
        listed(home.path())
    );
}

#[test]
fn a_failure_to_install_never_stops_the_server() {
    run(60, async {
        let app = Upstream::with(|_| Step::response(200, &[], "ok")).await;
        let gateway = Gateway::to(&app.url()).start().await;
        assert_eq!(gateway.get("localhost", "/").await.status, 200);
    });
}

#[test]
fn a_browser_that_was_not_told_refuses_us() {
    run(60, async {
        let app = Upstream::with(|_| Step::response(200, &[], "ok")).await;
        let gateway = Gateway::to(&app.url()).start().await;
        let browser = Chromium::start(&[], "").await;
        let page = browser.page().await;
        let error = page
            .try_goto(&gateway.url("localhost", "/"))
            .await
            .unwrap_err();
        assert_eq!(error, "net::ERR_CERT_AUTHORITY_INVALID");
    });
}
