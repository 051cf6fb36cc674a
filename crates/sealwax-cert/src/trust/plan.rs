//! What a plan is made of.

use std::fmt;
use std::path::PathBuf;

use super::check::Check;
use super::machine::{Os, SystemStore};
use super::shell;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To have the root trusted.
    Install,
    /// To have it trusted nowhere.
    Uninstall,
    /// To know where it is trusted.
    Status,
}

/// Steps in order, those of one store together. `Display` prints commands that a
/// person could paste.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose shell it is printed for.
    pub os: Os,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The store.
    pub store: StoreName,
    /// What is done.
    pub action: Action,
    /// Only root may do it.
    pub needs_root: bool,
    /// Why it is done.
    pub why: &'static str,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Look whether the root is there: before, to leave alone what is done
    /// already, and after, to believe nobody's exit code.
    Verify(Check),
    /// Make a directory, mode 0700, and those above it.
    MakeDir {
        /// The directory.
        path: PathBuf,
    },
    /// Write a file, mode 0644, at once or not at all.
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Its contents.
        contents: String,
        /// Where the same contents lie already.
        source: PathBuf,
    },
    /// Remove a file; one that is not there is fine.
    RemoveFile {
        /// The file.
        path: PathBuf,
    },
    /// Run a command, without a shell and without a terminal.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
    },
    /// Nothing can be done here.
    Skip {
        /// Why not.
        why: String,
        /// What would help.
        mend: String,
    },
}

/// A trust store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreName {
    /// The Linux distribution's store.
    System(SystemStore),
    /// A Linux without a store that is known here.
    UnknownSystem,
    /// An NSS database.
    Nss {
        /// Its directory.
        dir: PathBuf,
        /// Who reads it.
        used_by: String,
    },
    /// All NSS databases, where there is none or no tool for them.
    AnyNss,
    /// The macOS login keychain.
    MacKeychain,
    /// The Windows user's root store.
    WindowsRoot,
    /// The same, of the Windows that hosts this Linux (WSL).
    WindowsHost,
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(store) => write!(f, "{store}"),
            Self::UnknownSystem => f.write_str("system store"),
            Self::Nss { dir, used_by } => write!(f, "NSS: {} ({used_by})", dir.display()),
            Self::AnyNss => f.write_str("NSS (Chromium, Firefox)"),
            Self::MacKeychain => f.write_str("macOS login keychain"),
            Self::WindowsRoot => f.write_str("Windows root store of this user"),
            Self::WindowsHost => f.write_str("Windows root store outside WSL"),
        }
    }
}

impl Step {
    /// The step as a command line; `None` for what only looks.
    pub fn command(&self, os: Os) -> Option<String> {
        let sudo = self.needs_root.then_some("sudo");
        let words = |words: &[&str]| {
            Some(shell::line(
                os,
                sudo.into_iter().chain(words.iter().copied()),
            ))
        };
        match &self.action {
            Action::Verify(_) | Action::Skip { .. } => None,
            Action::MakeDir { path } => {
                words(&["mkdir", "-p", "-m", "700", &path.to_string_lossy()])
            }
            Action::WriteFile { path, source, .. } => words(&[
                "install",
                "-m",
                "644",
                &source.to_string_lossy(),
                &path.to_string_lossy(),
            ]),
            Action::RemoveFile { path } => words(&["rm", "-f", &path.to_string_lossy()]),
            Action::Run { argv } => {
                let argv: Vec<_> = argv.iter().map(String::as_str).collect();
                words(&argv)
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comment = if self.os == Os::Windows { "REM" } else { "#" };
        let mut store = None;
        for step in &self.steps {
            if store != Some(&step.store) {
                if store.is_some() {
                    writeln!(f)?;
                }
                writeln!(f, "{comment} {}", step.store)?;
                store = Some(&step.store);
            }
            match &step.action {
                Action::Skip { why, mend } => writeln!(f, "{comment} skipped: {why}; {mend}")?,
                Action::Verify(check) if self.purpose == Purpose::Status => {
                    writeln!(f, "{}", check.command(self.os))?;
                }
                _ => {
                    if let Some(command) = step.command(self.os) {
                        writeln!(f, "{command}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
