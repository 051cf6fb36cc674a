//! macOS and Windows.

use super::Root;
use super::check::Check;
use super::machine::Machine;
use super::plan::{Action, Purpose, Step, StoreName};

fn run(words: &[&str]) -> Action {
    Action::Run {
        argv: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// The login keychain needs no root; macOS asks the person once, in a window.
pub(super) fn mac_steps(machine: &Machine, root: &Root, purpose: Purpose) -> Vec<Step> {
    let step = |action, why| Step {
        store: StoreName::MacKeychain,
        action,
        needs_root: false,
        why,
    };
    let path = root.path().to_string_lossy();
    let keychain = machine
        .home
        .as_ref()
        .map(|home| home.join("Library/Keychains/login.keychain-db"));
    let Some(keychain) = keychain else {
        return vec![step(
            Action::Skip {
                why: "the home directory is not known".to_owned(),
                mend: "set HOME".to_owned(),
            },
            "Safari, Chrome and curl read the keychain",
        )];
    };
    let keychain = keychain.to_string_lossy();
    let mut steps = vec![step(
        Action::Verify(Check::Output {
            argv: [
                "security",
                "find-certificate",
                "-a",
                "-Z",
                "-c",
                root.nickname(),
                &keychain,
            ]
            .map(str::to_owned)
            .to_vec(),
            needle: root.fingerprint().to_owned(),
        }),
        "Safari, Chrome and curl read the keychain",
    )];
    match purpose {
        Purpose::Status => {}
        Purpose::Install => steps.push(step(
            run(&[
                "security",
                "add-trusted-cert",
                "-r",
                "trustRoot",
                "-p",
                "ssl",
                "-k",
                &keychain,
                &path,
            ]),
            "trusted for TLS only",
        )),
        Purpose::Uninstall => {
            steps.push(step(
                run(&["security", "remove-trusted-cert", &path]),
                "takes the trust away",
            ));
            steps.push(step(
                run(&[
                    "security",
                    "delete-certificate",
                    "-Z",
                    root.fingerprint(),
                    &keychain,
                ]),
                "takes the certificate away",
            ));
        }
    }
    steps
}

/// The user's own store needs no administrator; Windows asks the person once,
/// in a window.
pub(super) fn windows_steps(root: &Root, purpose: Purpose) -> Vec<Step> {
    let step = |action, why| Step {
        store: StoreName::WindowsRoot,
        action,
        needs_root: false,
        why,
    };
    let path = root.path().to_string_lossy();
    let why = "Edge, Chrome and most Windows programs read this store";
    let verify = Check::Succeeds {
        argv: ["certutil", "-user", "-store", "Root", root.serial()]
            .map(str::to_owned)
            .to_vec(),
    };
    let mut steps = vec![step(Action::Verify(verify), why)];
    match purpose {
        Purpose::Status => {}
        Purpose::Install => {
            steps.push(step(
                run(&["certutil", "-user", "-addstore", "Root", &path]),
                why,
            ));
        }
        Purpose::Uninstall => {
            steps.push(step(
                run(&["certutil", "-user", "-delstore", "Root", root.serial()]),
                why,
            ));
        }
    }
    steps
}

/// Inside WSL the browser is mostly the Windows one. Its store is not touched
/// from here, for Windows asks in a window that may belong to nobody; the
/// command is told.
pub(super) fn windows_from_wsl(machine: &Machine, root: &Root, purpose: Purpose) -> Option<Step> {
    let verb = match purpose {
        Purpose::Install => "-addstore",
        Purpose::Uninstall => "-delstore",
        Purpose::Status => return None,
    };
    let what = match purpose {
        Purpose::Uninstall => root.serial().to_owned(),
        _ => format!(
            "\"$(wslpath -w {})\"",
            super::shell::quote(&root.path().to_string_lossy())
        ),
    };
    machine.wsl.then(|| Step {
        store: StoreName::WindowsHost,
        action: Action::Skip {
            why: "the browsers of Windows have a store of their own".to_owned(),
            mend: format!("run: certutil.exe -user {verb} Root {what}"),
        },
        needs_root: false,
        why: "inside WSL the browser is mostly the Windows one",
    })
}
