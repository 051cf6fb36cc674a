//! Collects what the configuration is made of (a file, the environment, flags)
//! and hands it to `sealwax-config`, which judges it.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sealwax_config::{Diagnostics, Flags, Loaded, Secret, Sources};

use crate::args;
use crate::exit::Failure;
use crate::terminal::{self, Paint};

/// Read at most this much of a file, a little over what `sealwax-config`
/// takes, so that the refusal is its own.
const READ_AT_MOST: u64 = 2 << 20;

/// Variables that are about the program and are no settings.
const NO_SETTINGS: [&str; 2] = ["SEALWAX_HOME", "SEALWAX_LOG"];

/// Where settings come from; read anew at each reload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) file: Option<PathBuf>,
    pub(crate) flags: Flags,
}

impl From<args::Gateway> for Settings {
    fn from(args: args::Gateway) -> Self {
        Self {
            file: args.config,
            flags: Flags {
                to: args.to,
                hosts: args.host,
                http: args.http,
                https: args.https,
                tls: args.tls,
                cert: args.cert,
                key: args.key,
                environment: args.env,
            },
        }
    }
}

impl Settings {
    /// Reads and judges everything. Warnings are printed, mistakes come back.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        let loaded = self.judge()?;
        if !loaded.warnings.is_empty() {
            let color = Paint::for_stderr().is_on();
            terminal::say(loaded.warnings.render(color).trim_end());
        }
        Ok(loaded)
    }

    /// The same, and keeps the warnings to itself.
    pub(crate) fn judge(&self) -> Result<Loaded, Failure> {
        sealwax_config::load(&self.sources()?).map_err(|mistakes| mistaken(&mistakes))
    }

    /// Reads where the keys that seal cookies come from.
    pub(crate) fn load_secret(&self) -> Result<Secret, Failure> {
        sealwax_config::load_secret(&self.sources()?).map_err(|mistakes| mistaken(&mistakes))
    }

    fn sources(&self) -> Result<Sources, Failure> {
        Ok(Sources {
            file: self.file.as_deref().map(read).transpose()?,
            variables: variables()?,
            flags: self.flags.clone(),
        })
    }
}

fn mistaken(mistakes: &Diagnostics) -> Failure {
    Failure::configuration(mistakes.render(Paint::for_stderr().is_on()))
}

fn read(path: &Path) -> Result<(PathBuf, String), Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(READ_AT_MOST).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(Failure::usage(
            path.display().to_string(),
            format!("the configuration file cannot be read: {error}"),
            "check the path and that this user may read the file",
        ));
    }
    let text = sealwax_config::decode(path, bytes).map_err(|mistakes| mistaken(&mistakes))?;
    Ok((path.to_owned(), text))
}

fn variables() -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    for (name, value) in env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("SEALWAX_")) else {
            continue;
        };
        if NO_SETTINGS.contains(&name) {
            continue;
        }
        let value = value.into_string().map_err(|_| {
            Failure::usage(
                format!("variable {name}"),
                "its value is not UTF-8",
                "write the value in UTF-8",
            )
        })?;
        found.push((name.to_owned(), value));
    }
    // The environment has no order of its own; mistakes should always come in
    // the same one.
    found.sort();
    Ok(found)
}
