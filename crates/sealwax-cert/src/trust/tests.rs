//! Plans, as text: one per platform, all on this machine.

use std::path::PathBuf;

use super::*;

fn root() -> Root {
    Root {
        path: PathBuf::from("/home/ann/.local/share/sealwax/local-ca/root.pem"),
        pem: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        fingerprint: "0123456789abcdef".repeat(4),
        serial: "4f00".to_owned(),
        nickname: "Sealwax local CA 2026-11-23 1f2e3d4c".to_owned(),
    }
}

fn machine(os: Os) -> Machine {
    Machine {
        os,
        is_root: false,
        home: Some(PathBuf::from("/home/ann")),
        system_root: PathBuf::from("/"),
        system_store: None,
        system_tool: None,
        certutil: None,
        nss: Vec::new(),
        wsl: false,
        sudo_user: None,
    }
}

fn linux(store: SystemStore, tool: &str) -> Machine {
    Machine {
        system_store: Some(store),
        system_tool: Some(PathBuf::from(tool)),
        ..machine(Os::Linux)
    }
}

fn nss(dir: &str, used_by: &str, exists: bool) -> NssDatabase {
    NssDatabase {
        dir: PathBuf::from(dir),
        used_by: used_by.to_owned(),
        exists,
    }
}

const PEM: &str = "/home/ann/.local/share/sealwax/local-ca/root.pem";

#[test]
fn debian_with_chromium_and_a_firefox_profile() {
    let machine = Machine {
        certutil: Some(PathBuf::from("/usr/bin/certutil")),
        nss: vec![
            nss("/home/ann/.pki/nssdb", "Chromium, Chrome", false),
            nss(
                "/home/ann/.mozilla/firefox/ab cd.default",
                "Firefox profile ab cd.default",
                true,
            ),
        ],
        ..linux(SystemStore::Debian, "/usr/sbin/update-ca-certificates")
    };
    assert_eq!(
        plan_install(&machine, &root()).to_string(),
        format!(
            "\
# Debian/Ubuntu system store
sudo install -m 644 {PEM} /usr/local/share/ca-certificates/sealwax-local-ca-0123456789abcdef.crt
sudo /usr/sbin/update-ca-certificates

# NSS: /home/ann/.pki/nssdb (Chromium, Chrome)
mkdir -p -m 700 /home/ann/.pki/nssdb
/usr/bin/certutil -N -d sql:/home/ann/.pki/nssdb --empty-password
/usr/bin/certutil -A -d sql:/home/ann/.pki/nssdb -f /dev/null -t C,, -n 'Sealwax local CA 2026-11-23 1f2e3d4c' -i {PEM}

# NSS: /home/ann/.mozilla/firefox/ab cd.default (Firefox profile ab cd.default)
/usr/bin/certutil -A -d 'sql:/home/ann/.mozilla/firefox/ab cd.default' -f /dev/null -t C,, -n 'Sealwax local CA 2026-11-23 1f2e3d4c' -i {PEM}
"
        )
    );
    assert_eq!(
        plan_uninstall(&machine, &root()).to_string(),
        "\
# Debian/Ubuntu system store
sudo rm -f /usr/local/share/ca-certificates/sealwax-local-ca-0123456789abcdef.crt
sudo /usr/sbin/update-ca-certificates

# NSS: /home/ann/.mozilla/firefox/ab cd.default (Firefox profile ab cd.default)
/usr/bin/certutil -D -d 'sql:/home/ann/.mozilla/firefox/ab cd.default' -f /dev/null -n 'Sealwax local CA 2026-11-23 1f2e3d4c'
"
    );
    let status = plan_status(&machine, &root());
    assert!(
        status
            .steps
            .iter()
            .all(|step| matches!(step.action, Action::Verify(_)) && !step.needs_root),
        "status changes nothing"
    );
}

#[test]
fn the_other_distributions() {
    for (store, tool, file, command) in [
        (
            SystemStore::Fedora,
            "/usr/bin/update-ca-trust",
            "/etc/pki/ca-trust/source/anchors",
            "sudo /usr/bin/update-ca-trust extract",
        ),
        (
            SystemStore::Arch,
            "/usr/bin/trust",
            "/etc/ca-certificates/trust-source/anchors",
            "sudo /usr/bin/trust extract-compat",
        ),
        (
            SystemStore::Suse,
            "/usr/sbin/update-ca-certificates",
            "/etc/pki/trust/anchors",
            "sudo /usr/sbin/update-ca-certificates",
        ),
        (
            SystemStore::SuseUsr,
            "/usr/sbin/update-ca-certificates",
            "/usr/share/pki/trust/anchors",
            "sudo /usr/sbin/update-ca-certificates",
        ),
    ] {
        let plan = plan_install(&linux(store, tool), &root());
        assert_eq!(
            plan.to_string(),
            format!(
                "# {store}\nsudo install -m 644 {PEM} \
                 {file}/sealwax-local-ca-0123456789abcdef.crt\n{command}\n"
            )
        );
    }
}

#[test]
fn macos_and_windows_need_no_administrator() {
    assert_eq!(
        plan_install(&machine(Os::MacOs), &root()).to_string(),
        format!(
            "# macOS login keychain\nsecurity add-trusted-cert -r trustRoot -p ssl -k \
             /home/ann/Library/Keychains/login.keychain-db {PEM}\n"
        )
    );
    assert_eq!(
        plan_uninstall(&machine(Os::MacOs), &root()).to_string(),
        format!(
            "# macOS login keychain\nsecurity remove-trusted-cert {PEM}\n\
             security delete-certificate -Z {} /home/ann/Library/Keychains/login.keychain-db\n",
            root().fingerprint
        )
    );
    let spaced = Root {
        path: PathBuf::from(r"C:\Users\Ann B\root.pem"),
        ..root()
    };
    assert_eq!(
        plan_install(&machine(Os::Windows), &spaced).to_string(),
        "REM Windows root store of this user\n\
         certutil -user -addstore Root \"C:\\Users\\Ann B\\root.pem\"\n"
    );
    assert_eq!(
        plan_uninstall(&machine(Os::Windows), &root()).to_string(),
        "REM Windows root store of this user\ncertutil -user -delstore Root 4f00\n"
    );
    for os in [Os::MacOs, Os::Windows] {
        let plan = plan_install(&machine(os), &root());
        assert!(plan.steps.iter().all(|step| !step.needs_root));
    }
}

#[test]
fn what_is_missing_is_skipped_with_the_mend() {
    let mends = |machine: &Machine| {
        let report = execute(&plan_install(machine, &root()), machine);
        assert!(!report.failed(), "{report}");
        report.to_string()
    };
    let bare = Machine {
        nss: vec![nss("/home/ann/.pki/nssdb", "Chromium, Chrome", false)],
        system_tool: None,
        ..linux(SystemStore::Debian, "")
    };
    let told = mends(&bare);
    assert!(told.contains("apt install ca-certificates"), "{told}");
    assert!(told.contains("apt install libnss3-tools"), "{told}");
    let fedora = Machine {
        system_store: Some(SystemStore::Fedora),
        ..bare.clone()
    };
    assert!(mends(&fedora).contains("dnf install nss-tools"));
    let arch = Machine {
        system_store: Some(SystemStore::Arch),
        ..bare.clone()
    };
    assert!(mends(&arch).contains("pacman -S nss"));
    let unknown = Machine {
        system_store: None,
        nss: Vec::new(),
        ..bare
    };
    assert!(mends(&unknown).contains("ca-certificates package"));
}

#[test]
fn sudo_and_wsl_are_told_about_the_other_stores() {
    let sudo = Machine {
        is_root: true,
        sudo_user: Some("ann".to_owned()),
        ..machine(Os::Linux)
    };
    let plan = plan_install(&sudo, &root()).to_string();
    assert!(
        plan.contains("run the same command as ann, without sudo"),
        "{plan}"
    );

    let wsl = Machine {
        wsl: true,
        ..machine(Os::Linux)
    };
    let plan = plan_install(&wsl, &root()).to_string();
    assert!(
        plan.contains(&format!(
            "certutil.exe -user -addstore Root \"$(wslpath -w {PEM})\""
        )),
        "{plan}"
    );
    let plan = plan_uninstall(&wsl, &root()).to_string();
    assert!(
        plan.contains("certutil.exe -user -delstore Root 4f00"),
        "{plan}"
    );
}

#[test]
fn the_environment_adds_where_it_can_and_replaces_by_a_bundle() {
    let variables = trust_environment(Path::new("/r.pem"), Path::new("/b.pem"));
    let value = |name: &str| {
        variables
            .iter()
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| value.as_str())
    };
    for name in ["NODE_EXTRA_CA_CERTS", "DENO_CERT"] {
        assert_eq!(value(name), Some("/r.pem"), "{name}");
    }
    for name in [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
    ] {
        assert_eq!(value(name), Some("/b.pem"), "{name}");
    }
    assert_eq!(variables.len(), 6);
    assert!(
        additive_environment(Path::new("/r.pem"))
            .iter()
            .all(|(_, value)| value == "/r.pem")
    );
}
