//! The keys that seal cookies, as they lie on disk.
//!
//! ```text
//!  SEALWAX_SECRET ────────────────────────────┐
//!  secret.file ───────▶ SecretFile::load ─────┼─▶ KeyRing ─▶ the snapshot that is served
//!  $SEALWAX_HOME/secret/keys ─▶ the same, or ─┘
//!                               SecretFile::create, in development
//! ```

mod error;
mod file;
mod retire;

use std::path::Path;
use std::sync::Arc;

use sealwax_config::{Config, Environment, Secret};
use sealwax_cookie::KeyRing;

use crate::error::StartError;

pub use error::SecretError;
pub use file::{LoadedSecret, SecretFile};
pub use retire::{Retire, Rotated};

/// What is done where there are no keys and none are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// In development they are made.
    Make,
    /// It is an error.
    Refuse,
}

/// The keys that `config` asks for; none where nothing is sealed and none are named.
///
/// # Errors
/// The setting that cannot be served: there are no keys in production, or they cannot be read.
pub(crate) fn open(
    config: &Config,
    home: &Path,
    missing: Missing,
) -> Result<Option<Arc<KeyRing>>, StartError> {
    let sealing = config.sites.iter().position(|site| !site.seal.is_empty());
    let ring = match (&config.secret, sealing) {
        (Secret::Keys(ring), _) => ring.clone(),
        (Secret::File(path), _) => {
            let file = SecretFile::new(path);
            let loaded = file.load().map_err(in_file)?;
            warned(loaded.ok_or_else(|| in_file(file.missing()))?)
        }
        (_, None) => return Ok(None),
        (_, Some(site)) => {
            let file = SecretFile::below(home);
            let bound = config
                .sites
                .get(site)
                .is_some_and(|site| site.bind.is_some());
            let list = if bound {
                "bind.cookies"
            } else {
                "cookies.seal"
            };
            let key = || format!("site.{site}.{list}");
            let of_site = |error: SecretError| placed(&key(), &error);
            match file.load().map_err(of_site)? {
                Some(loaded) => warned(loaded),
                None if config.environment == Environment::Development
                    && missing == Missing::Make =>
                {
                    warned(file.open_or_create().map_err(of_site)?)
                }
                None => return Err(placed(&key(), &file.missing())),
            }
        }
    };
    Ok(Some(Arc::new(ring)))
}

fn warned(loaded: LoadedSecret) -> KeyRing {
    for warning in &loaded.warnings {
        tracing::warn!(target: "sealwax", "{warning}");
    }
    loaded.ring
}

fn in_file(error: SecretError) -> StartError {
    placed("secret.file", &error)
}

fn placed(key: &str, error: &SecretError) -> StartError {
    let cause = format!("{}: {}", error.place(), error.cause());
    StartError::new(key, cause, error.mend())
}

#[cfg(test)]
mod tests;
