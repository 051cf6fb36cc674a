//! The variables that make the app trust the local authority, so that its own
//! requests to local sites succeed. Without them the app still runs.

use std::env;
use std::path::Path;

use sealwax_cert::LocalAuthority;
use sealwax_cert::trust::{self, Root};

use crate::trust::authority_directory;

/// The variables to set. What the user set stays, but for the bundle that ours
/// is built on, since ours holds all of it.
pub(crate) fn variables(home: &Path) -> Vec<(&'static str, String)> {
    let base = trust::system_bundle();
    let all = match all(home, base.as_deref()) {
        Ok(all) => all,
        Err(error) => {
            tracing::warn!(target: "sealwax", "the app will not trust local certificates: {error}");
            return Vec::new();
        }
    };
    all.into_iter()
        .filter(|(name, _)| match env::var_os(name) {
            None => true,
            Some(own) => own.is_empty() || base.as_deref() == Some(Path::new(&own)),
        })
        .collect()
}

fn all(home: &Path, base: Option<&Path>) -> Result<Vec<(&'static str, String)>, String> {
    let directory = authority_directory(home);
    let Some(authority) = LocalAuthority::open(&directory).map_err(|error| error.to_string())?
    else {
        return Ok(Vec::new());
    };
    let only_ours = || trust::additive_environment(authority.root_path());
    let Some(base) = base else {
        return Ok(only_ours());
    };
    let root = Root::try_from(&authority).map_err(|error| error.to_string())?;
    match trust::write_bundle(&directory, base, &root) {
        Ok(bundle) => Ok(trust::trust_environment(authority.root_path(), &bundle)),
        Err(error) => {
            tracing::warn!(target: "sealwax",
                "only apps that take additional roots will trust local certificates: {error}"
            );
            Ok(only_ours())
        }
    }
}
