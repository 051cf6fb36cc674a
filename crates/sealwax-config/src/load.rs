//! From all sources to one configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{self, Document};
use crate::flags::{self, Flags};
use crate::kind::Value;
use crate::layer::{Found, Layer};
use crate::lower::{self, Context};
use crate::places::Places;
use crate::secret::{self, Secret};
use crate::source::{Place, Source};
use crate::suggest;
use crate::variables;
use crate::view::View;

/// The largest configuration file that is read, in bytes: 1 MiB.
pub const MAX_FILE: usize = 1 << 20;

/// Everything that can hold a setting, as text.
#[derive(Clone, Default)]
pub struct Sources {
    /// The configuration file: its path as it is to be shown, and its text.
    pub file: Option<(PathBuf, String)>,
    /// The environment's variables; those without `SEALWAX_` are passed over.
    pub variables: Vec<(String, String)>,
    /// The command line's flags.
    pub flags: Flags,
}

/// Without the values of the variables, one of which holds the keys.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .variables
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("Sources")
            .field("file", &self.file)
            .field("variables", &names)
            .field("flags", &self.flags)
            .finish()
    }
}

/// A configuration that can be served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What somebody should look at, although it works.
    pub warnings: Diagnostics,
    /// Where each setting was written.
    pub places: Places,
}

/// Makes a configuration from `sources`.
///
/// # Errors
/// All mistakes in all sources, and the warnings among them. Where the file is
/// not TOML, what depends on the whole of it is not checked.
pub fn load(sources: &Sources) -> Result<Loaded, Diagnostics> {
    let mut out = Diagnostics::default();
    let (document, whole) = match &sources.file {
        Some((path, text)) => read_file(path, text, &mut out),
        None => (Document::default(), true),
    };
    let variables = variables::read(&sources.variables, &mut out);
    let flags = flags::read(&sources.flags, &mut out);
    let uppers = [&variables, &flags];
    let has_file = sources.file.is_some();
    if !whole {
        return Err(sorted(out));
    }
    let environment = environment(&document, uppers, has_file, &mut out);
    let mut settled = settle(&document, &environment, uppers);
    // Without a file, flags and variables make one site; with one, they do
    // where they say what a site is.
    if !has_file || settled.every_site.values.get("site.to").is_some() {
        settled.make_site();
    }
    let config = lower::lower(
        &settled,
        &Context {
            environment: &environment,
            has_file,
            variables: &sources.variables,
        },
        &mut out,
    );
    let out = sorted(out);
    if out.errors() > 0 {
        return Err(out);
    }
    Ok(Loaded {
        config,
        warnings: out,
        places: Places::of(&settled),
    })
}

/// Where the keys that seal cookies come from, by `sources`, whatever else is
/// wrong with them: who rotates keys may be mending a site at the same time.
///
/// # Errors
/// What is wrong with the keys' own settings; the whole file where it is not
/// TOML.
pub fn load_secret(sources: &Sources) -> Result<Secret, Diagnostics> {
    let mut out = Diagnostics::default();
    let (document, whole) = match &sources.file {
        Some((path, text)) => read_file(path, text, &mut out),
        None => (Document::default(), true),
    };
    if !whole {
        return Err(sorted(out));
    }
    let variables = variables::read(&sources.variables, &mut out);
    let flags = flags::read(&sources.flags, &mut out);
    let uppers = [&variables, &flags];
    let environment = environment(&document, uppers, sources.file.is_some(), &mut out);
    let settled = settle(&document, &environment, uppers);
    let gateway = View(&settled.gateway);
    if gateway.broken("secret.file") {
        return Err(sorted(out));
    }
    let mut own = Diagnostics::default();
    let secret = secret::lower(gateway, &sources.variables, &mut own);
    match own.errors() {
        0 => Ok(secret),
        _ => Err(sorted(own)),
    }
}

/// The text of a configuration file: UTF-8, at most [`MAX_FILE`] bytes. A byte
/// order mark is allowed.
///
/// # Errors
/// One diagnostic that names the file at `path` and, where there is one, the
/// line of the first byte that is not text.
pub fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, Diagnostics> {
    too_large(path, bytes.len())?;
    let bad = match std::str::from_utf8(&bytes) {
        Ok(text) => text.find('\0').map(|at| (at, "a NUL byte")),
        Err(error) => Some((error.valid_up_to(), "bytes that are not UTF-8")),
    };
    let Some((at, what)) = bad else {
        return String::from_utf8(bytes).map_err(|_| not_text(path, "bytes that are not UTF-8", 1));
    };
    let line = bytes.iter().take(at).filter(|b| **b == b'\n').count() + 1;
    Err(not_text(path, what, line))
}

fn not_text(path: &Path, what: &str, line: usize) -> Diagnostics {
    let path = path.display();
    Diagnostics::from(Diagnostic::unplaced(
        format!("{path} has {what} on line {line}"),
        "save the file as UTF-8 text (some editors write UTF-16)",
    ))
}

fn too_large(path: &Path, length: usize) -> Result<(), Diagnostics> {
    if length <= MAX_FILE {
        return Ok(());
    }
    let path = path.display();
    Err(Diagnostics::from(Diagnostic::unplaced(
        format!("{path} has {length} bytes; a configuration has at most {MAX_FILE}"),
        "name a configuration file",
    )))
}

fn read_file(path: &Path, text: &str, out: &mut Diagnostics) -> (Document, bool) {
    if let Err(mistake) = too_large(path, text.len()) {
        out.extend(mistake);
        return (Document::default(), false);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Lines and columns stay; a lone carriage return stays a mistake.
    document::read(&Source::file(path, text.replace("\r\n", "\n")), out)
}

/// The name of the environment: the uppermost layer that has one, else
/// `production` with a file and `development` without.
fn environment(
    document: &Document,
    uppers: [&Layer; 2],
    has_file: bool,
    out: &mut Diagnostics,
) -> String {
    let written = std::iter::once(&document.base)
        .chain(uppers)
        .filter_map(environment_name)
        .next_back();
    let Some((name, place)) = written else {
        return if has_file {
            "production"
        } else {
            "development"
        }
        .to_owned();
    };
    let mut known: Vec<&str> = document.environments.keys().map(String::as_str).collect();
    known.extend(["production", "development"]);
    if !known.contains(&name.as_str()) {
        let label = match suggest::nearest(&name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "no such environment".to_owned(),
        };
        out.push(
            Diagnostic::error(format!("there is no environment `{name}`"))
                .at(&place, label)
                .mend(format!(
                    "write production or development, or add a table [env.{name}] to the file"
                )),
        );
    }
    name
}

fn environment_name(layer: &Layer) -> Option<(String, Place)> {
    match layer.gateway.get("environment")? {
        Found {
            value: Value::Text(name),
            place,
        } => Some((name.clone(), place.clone())),
        _ => None,
    }
}

fn settle(document: &Document, environment: &str, uppers: [&Layer; 2]) -> Layer {
    let mut settled = document.base.clone();
    for upper in document
        .environments
        .get(environment)
        .into_iter()
        .chain(uppers)
    {
        settled.lay_over(upper);
    }
    settled
}

fn sorted(mut out: Diagnostics) -> Diagnostics {
    out.sort();
    out
}
