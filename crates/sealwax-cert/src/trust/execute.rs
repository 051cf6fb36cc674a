//! Carrying a plan out.

use std::fmt;
use std::fs;
use std::io;

use super::check::{Check, State};
use super::command;
use super::machine::{Machine, Os};
use super::plan::{Action, Plan, Purpose, Step, StoreName};
use crate::disk;

/// What came of it, store by store, in the plan's order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What it was for.
    pub purpose: Purpose,
    /// Each store with its outcome.
    pub stores: Vec<(StoreName, Outcome)>,
}

/// What became of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The root is trusted now.
    Installed,
    /// The root was trusted already, or, asked for the status, is trusted.
    AlreadyThere,
    /// The root is gone now.
    Removed,
    /// The root was not there, or, asked for the status, is not.
    NotThere,
    /// It was tried in vain.
    Failed {
        /// What went wrong.
        cause: String,
        /// What would help.
        mend: String,
    },
    /// It was not tried.
    Skipped {
        /// Why not.
        why: String,
        /// What would help.
        mend: String,
    },
}

impl Report {
    /// Whether any store failed.
    pub fn failed(&self) -> bool {
        self.stores
            .iter()
            .any(|(_, outcome)| matches!(outcome, Outcome::Failed { .. }))
    }

    /// Whether the root is trusted, so far as was seen, in one store at least.
    pub fn trusted_somewhere(&self) -> bool {
        self.stores
            .iter()
            .any(|(_, outcome)| matches!(outcome, Outcome::Installed | Outcome::AlreadyThere))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stores.is_empty() {
            return writeln!(f, "no trust store was found");
        }
        for (store, outcome) in &self.stores {
            writeln!(f, "{store}: {}", outcome.text(self.purpose))?;
        }
        Ok(())
    }
}

impl Outcome {
    fn text(&self, purpose: Purpose) -> String {
        match self {
            Self::Installed => "installed".to_owned(),
            Self::AlreadyThere if purpose == Purpose::Status => "trusted".to_owned(),
            Self::AlreadyThere => "already trusted".to_owned(),
            Self::Removed => "removed".to_owned(),
            Self::NotThere if purpose == Purpose::Status => "not trusted".to_owned(),
            Self::NotThere => "was not there".to_owned(),
            Self::Failed { cause, mend } => format!("failed: {cause}; {mend}"),
            Self::Skipped { why, mend } => format!("skipped: {why}; {mend}"),
        }
    }
}

/// Carries `plan` out, store by store. A failure in one does not stop the
/// others; nothing asks for a password or waits for a terminal; a command that
/// does not end is killed after two minutes. Steps that need root, on a machine
/// without it, are skipped with the commands to run.
pub fn execute(plan: &Plan, machine: &Machine) -> Report {
    let stores = plan
        .steps
        .chunk_by(|a, b| a.store == b.store)
        .filter_map(|steps| {
            let store = steps.first()?.store.clone();
            Some((store, one_store(plan, machine, steps)))
        })
        .collect();
    Report {
        purpose: plan.purpose,
        stores,
    }
}

fn one_store(plan: &Plan, machine: &Machine, steps: &[Step]) -> Outcome {
    let os = plan.os;
    let check = steps.iter().find_map(|step| match &step.action {
        Action::Verify(check) => Some(check),
        _ => None,
    });
    if let Some(check) = check {
        match (plan.purpose, check.look()) {
            (_, Err(cause)) => {
                return Outcome::Failed {
                    cause,
                    mend: look_mend(check, os),
                };
            }
            (Purpose::Install | Purpose::Status, Ok(State::Present)) => {
                return Outcome::AlreadyThere;
            }
            (Purpose::Uninstall | Purpose::Status, Ok(State::Absent)) => {
                return Outcome::NotThere;
            }
            (Purpose::Status, Ok(State::Partial)) => {
                return Outcome::Failed {
                    cause: "the root is there but not trusted".to_owned(),
                    mend: "run `sealwax trust install` again".to_owned(),
                };
            }
            _ => {}
        }
    }
    if !machine.is_root && steps.iter().any(|step| step.needs_root) {
        let commands: Vec<_> = steps
            .iter()
            .filter_map(|step| step.command(plan.os))
            .collect();
        return Outcome::Skipped {
            why: "this store needs root".to_owned(),
            mend: format!("run: {}", commands.join(" && ")),
        };
    }
    for step in steps {
        match act(&step.action) {
            Ok(()) => {}
            Err(Hitch::Skip { why, mend }) => return Outcome::Skipped { why, mend },
            Err(Hitch::Failed(cause)) => {
                let mend = match step.command(plan.os) {
                    Some(command) => format!("run it by hand to see more: {command}"),
                    None => "run `sealwax trust status`".to_owned(),
                };
                return Outcome::Failed { cause, mend };
            }
        }
    }
    confirm(plan, check)
}

enum Hitch {
    Skip { why: String, mend: String },
    Failed(String),
}

fn act(action: &Action) -> Result<(), Hitch> {
    let told = |what: &str, path: &std::path::Path, error: &io::Error| {
        Hitch::Failed(format!("{} cannot be {what}: {error}", path.display()))
    };
    match action {
        // Done before and after all others.
        Action::Verify(_) => Ok(()),
        Action::MakeDir { path } => {
            disk::create_private_dir(path).map_err(|error| told("made", path, &error))
        }
        Action::WriteFile { path, contents, .. } => {
            disk::write_atomically(path, contents.as_bytes(), 0o644)
                .map_err(|error| told("written", path, &error))
        }
        Action::RemoveFile { path } => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(told("removed", path, &error))
            }
            _ => Ok(()),
        },
        Action::Run { argv } => match command::run(argv) {
            Ok(finished) if finished.success => Ok(()),
            Ok(finished) => Err(Hitch::Failed(finished.complaint)),
            Err(cause) => Err(Hitch::Failed(cause)),
        },
        Action::Skip { why, mend } => Err(Hitch::Skip {
            why: why.clone(),
            mend: mend.clone(),
        }),
    }
}

/// Tools that fail and exit with 0 exist, so the store is asked once more.
fn confirm(plan: &Plan, check: Option<&Check>) -> Outcome {
    let (purpose, os) = (plan.purpose, plan.os);
    let wanted = match purpose {
        Purpose::Uninstall => State::Absent,
        _ => State::Present,
    };
    let done = match purpose {
        Purpose::Uninstall => Outcome::Removed,
        _ => Outcome::Installed,
    };
    let Some(check) = check else {
        return done;
    };
    match check.look() {
        Ok(state) if state == wanted => done,
        Ok(_) => Outcome::Failed {
            cause: "every command succeeded, but the store shows no change".to_owned(),
            mend: look_mend(check, os),
        },
        Err(cause) => Outcome::Failed {
            cause,
            mend: look_mend(check, os),
        },
    }
}

fn look_mend(check: &Check, os: Os) -> String {
    format!("look into it: {}", check.command(os))
}
