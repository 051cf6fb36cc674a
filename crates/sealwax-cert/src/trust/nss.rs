//! NSS databases: what Chromium and Firefox read on Linux.

use super::Root;
use super::check::Check;
use super::machine::{Machine, NssDatabase, Os};
use super::plan::{Action, Purpose, Step, StoreName};

const WHY: &str = "browsers read their own databases on Linux";

pub(super) fn steps(machine: &Machine, root: &Root, purpose: Purpose) -> Vec<Step> {
    let mut steps = Vec::new();
    // A database that does not exist holds nothing to look for or remove.
    let databases: Vec<_> = machine
        .nss
        .iter()
        .filter(|database| database.exists || purpose == Purpose::Install)
        .collect();
    match &machine.certutil {
        None if databases.is_empty() => {}
        None => steps.push(skip(
            "certutil, the tool for browsers' NSS databases, is not installed",
            certutil_mend(machine),
        )),
        Some(certutil) => {
            let certutil = certutil.to_string_lossy();
            for database in databases {
                steps.extend(database_steps(database, &certutil, root, purpose));
            }
        }
    }
    // Writing into another user's home as root would leave files there that the
    // user's browser cannot change any more.
    if let Some(user) = &machine.sudo_user {
        steps.push(skip(
            &format!("this runs as root, and the browsers of {user} have databases of their own"),
            format!("run the same command as {user}, without sudo"),
        ));
    }
    steps
}

fn skip(why: &str, mend: String) -> Step {
    Step {
        store: StoreName::AnyNss,
        action: Action::Skip {
            why: why.to_owned(),
            mend,
        },
        needs_root: false,
        why: WHY,
    }
}

fn certutil_mend(machine: &Machine) -> String {
    match (machine.os, machine.system_store) {
        (Os::MacOs, _) => "brew install nss".to_owned(),
        (_, Some(store)) => store.install_certutil().to_owned(),
        _ => "install certutil, mostly in a package named nss-tools or libnss3-tools".to_owned(),
    }
}

fn database_steps(
    database: &NssDatabase,
    certutil: &str,
    root: &Root,
    purpose: Purpose,
) -> Vec<Step> {
    let name = StoreName::Nss {
        dir: database.dir.clone(),
        used_by: database.used_by.clone(),
    };
    let step = |action, why| Step {
        store: name.clone(),
        action,
        needs_root: false,
        why,
    };
    let sql = format!("sql:{}", database.dir.display());
    let run = |arguments: &[&str]| {
        let words = std::iter::once(&certutil).chain(arguments);
        Action::Run {
            argv: words.map(|word| (*word).to_owned()).collect(),
        }
    };

    let mut steps = vec![step(
        Action::Verify(Check::Nss {
            certutil: certutil.to_owned(),
            dir: database.dir.clone(),
            nickname: root.nickname().to_owned(),
            fingerprint: root.fingerprint().to_owned(),
        }),
        WHY,
    )];
    match purpose {
        Purpose::Status => {}
        Purpose::Install => {
            if !database.exists {
                steps.push(step(
                    Action::MakeDir {
                        path: database.dir.clone(),
                    },
                    "the browser would make it at its first start",
                ));
                steps.push(step(
                    run(&["-N", "-d", &sql, "--empty-password"]),
                    "an empty database, as the browser would make it",
                ));
            }
            let path = root.path().to_string_lossy();
            // C: trusted to issue server certificates; nothing for mail and code.
            steps.push(step(
                run(&[
                    "-A",
                    "-d",
                    &sql,
                    "-f",
                    "/dev/null",
                    "-t",
                    "C,,",
                    "-n",
                    root.nickname(),
                    "-i",
                    &path,
                ]),
                "trusted for TLS servers only; -f keeps it from asking for a password",
            ));
        }
        Purpose::Uninstall => steps.push(step(
            run(&["-D", "-d", &sql, "-f", "/dev/null", "-n", root.nickname()]),
            "-f keeps it from asking for a password",
        )),
    }
    steps
}
