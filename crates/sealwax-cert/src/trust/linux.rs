//! Linux distributions' stores: a file in a directory, and a command that makes
//! the bundle anew.

use std::path::Path;

use super::Root;
use super::check::Check;
use super::machine::{Machine, SystemStore};
use super::plan::{Action, Purpose, Step, StoreName};

pub(super) fn steps(machine: &Machine, root: &Root, purpose: Purpose) -> Vec<Step> {
    let Some(store) = machine.system_store else {
        return vec![Step {
            store: StoreName::UnknownSystem,
            action: Action::Skip {
                why: "no directory for local certificates was found".to_owned(),
                mend: format!(
                    "install your distribution's ca-certificates package, or give tools the \
                     root themselves: {}",
                    root.path().display()
                ),
            },
            needs_root: false,
            why: "programs other than browsers read the system store",
        }];
    };
    let file = machine
        .system_root
        .join(store.anchors())
        .join(root.file_name());
    let name = StoreName::System(store);
    let step = |action, needs_root, why| Step {
        store: name.clone(),
        action,
        needs_root,
        why,
    };

    let check = Check::Files {
        anchor: file.clone(),
        bundle: machine.system_root.join(store.bundle()),
        fingerprint: root.fingerprint().to_owned(),
    };
    let mut steps = vec![step(
        Action::Verify(check),
        false,
        "curl, OpenSSL, Python, Go and most other programs read the system store",
    )];
    if purpose == Purpose::Status {
        return steps;
    }
    let Some(tool) = &machine.system_tool else {
        return vec![step(
            Action::Skip {
                why: format!("the command {} was not found", store.tool().0),
                mend: store.install_tool().to_owned(),
            },
            false,
            "the bundle that programs read is made by this command",
        )];
    };
    steps.push(step(
        match purpose {
            Purpose::Uninstall => Action::RemoveFile { path: file },
            _ => Action::WriteFile {
                path: file,
                contents: root.pem().to_owned(),
                source: root.path().to_owned(),
            },
        },
        true,
        "the directory for certificates that the administrator adds",
    ));
    steps.push(step(
        Action::Run {
            argv: update(machine, store, tool),
        },
        true,
        "makes the bundle that programs read",
    ));
    steps
}

fn update(machine: &Machine, store: SystemStore, tool: &Path) -> Vec<String> {
    let mut argv = vec![tool.to_string_lossy().into_owned()];
    argv.extend(store.tool().1.iter().map(|argument| (*argument).to_owned()));
    // Debian's command can be pointed at another root; the others cannot.
    if store == SystemStore::Debian && machine.system_root != Path::new("/") {
        for (flag, dir) in [
            ("--certsconf", "etc/ca-certificates.conf"),
            ("--certsdir", "usr/share/ca-certificates"),
            ("--localcertsdir", store.anchors()),
            ("--etccertsdir", "etc/ssl/certs"),
            ("--hooksdir", "etc/ca-certificates/update.d"),
        ] {
            argv.push(flag.to_owned());
            argv.push(machine.system_root.join(dir).to_string_lossy().into_owned());
        }
    }
    argv
}
