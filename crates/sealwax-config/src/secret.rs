//! Where the keys come from that seal cookies.

use std::path::PathBuf;

use sealwax_cookie::KeyRing;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Place;
use crate::view::View;

/// Holds the keys themselves. It is no row of the table: its value is never shown, not even where it
/// is wrong.
pub(crate) const VARIABLE: &str = "SEALWAX_SECRET";

const FILE: &str = "secret.file";

/// Where the keys come from that seal cookies.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Secret {
    /// `secret/keys` below the gateway's home directory.
    #[default]
    Home,
    /// This file, which must be there.
    File(PathBuf),
    /// The variable `SEALWAX_SECRET`, which holds them.
    Keys(KeyRing),
}

pub(crate) fn lower(
    gateway: View<'_>,
    variables: &[(String, String)],
    out: &mut Diagnostics,
) -> Secret {
    let file = gateway.text(FILE).map(PathBuf::from);
    let variable = variables.iter().find(|(name, _)| name == VARIABLE);
    let Some((_, value)) = variable else {
        return file.map_or(Secret::Home, Secret::File);
    };
    let place = hidden(VARIABLE);
    if let Some(file) = gateway.place(FILE) {
        out.push(
            Diagnostic::error("the keys that seal cookies are said to come from two places")
                .at(file, "from a file")
                .and(Some(&place), "and from the environment")
                .mend("keep one of the two"),
        );
        return Secret::Home;
    }
    match KeyRing::parse(value) {
        Ok(ring) => Secret::Keys(ring),
        Err(error) => {
            out.push(
                Diagnostic::error(format!("`{VARIABLE}` holds no key ring"))
                    .at(&place, format!("line {}: {}", error.line, error.cause))
                    .mend(error.cause.mend()),
            );
            Secret::Home
        }
    }
}

/// The place of a variable whose value nobody should see.
pub(crate) fn hidden(name: &str) -> Place {
    Place::variable(name, "(not shown)")
}
