//! Settings from the command line.

use crate::diagnostic::Diagnostics;
use crate::document::acme;
use crate::kind::{Form, Value, Written};
use crate::layer::{Found, Layer};
use crate::settings::{SETTINGS, Scope};
use crate::source::Place;

/// The flags that are settings, as they were typed. Each is described by the
/// row of [`crate::SETTINGS`] that names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--to`, each time it was given.
    pub to: Vec<String>,
    /// `--host`, each time it was given.
    pub hosts: Vec<String>,
    /// `--http`: one address, or several with commas.
    pub http: Option<String>,
    /// `--https`: one address, or several with commas.
    pub https: Option<String>,
    /// `--tls`.
    pub tls: Option<String>,
    /// `--cert`.
    pub cert: Option<String>,
    /// `--key`.
    pub key: Option<String>,
    /// `--env`.
    pub environment: Option<String>,
}

impl Flags {
    /// The values of the flag `name`.
    fn given(&self, name: &str) -> Vec<&str> {
        let once = match name {
            "--cert" => &self.cert,
            "--env" => &self.environment,
            "--http" => &self.http,
            "--https" => &self.https,
            "--key" => &self.key,
            "--tls" => &self.tls,
            "--host" => return self.hosts.iter().map(String::as_str).collect(),
            "--to" => return self.to.iter().map(String::as_str).collect(),
            _ => return Vec::new(),
        };
        once.as_deref().into_iter().collect()
    }
}

pub(crate) fn read(flags: &Flags, out: &mut Diagnostics) -> Layer {
    let mut layer = Layer::default();
    for setting in SETTINGS {
        let Some(name) = setting.flag else { continue };
        let mut found: Option<Found> = None;
        for text in flags.given(name) {
            let place = Place::flag(name, text);
            if setting.key == "site.tls" && text.trim().eq_ignore_ascii_case("acme") {
                out.push(acme(&place));
                found = Some(Found {
                    value: Value::Broken,
                    place,
                });
                continue;
            }
            let written = Written {
                form: Form::Loose(text.to_owned()),
                place: place.clone(),
            };
            let value = setting.kind.read(name, written, out);
            match (&mut found, value) {
                (
                    Some(Found {
                        value: Value::Broken,
                        ..
                    }),
                    _,
                ) => {}
                (
                    Some(Found {
                        value: Value::Items(all),
                        ..
                    }),
                    Value::Items(more),
                ) => all.extend(more),
                (found, value) => *found = Some(Found { value, place }),
            }
        }
        if let Some(found) = found {
            let values = match setting.scope() {
                Scope::Gateway => &mut layer.gateway,
                Scope::Site | Scope::Cookie | Scope::Path | Scope::Fresh => {
                    &mut layer.every_site.values
                }
            };
            values.insert(setting.key, found);
        }
    }
    layer
}
