//! Settings from the environment: `SEALWAX_` and our key, or Django's name.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::acme;
use crate::kind::{Form, Kind, Value, Written, report};
use crate::layer::{Found, Layer, Values};
use crate::names;
use crate::secret;
use crate::settings::{REFUSED_DJANGO, SETTINGS, Scope, Setting};
use crate::source::Place;
use crate::suggest;

const PREFIX: &str = "SEALWAX_";

/// Variables that are read elsewhere; they are no rows of the table.
const RESERVED: [&str; 3] = ["SEALWAX_HOME", "SEALWAX_LOG", secret::VARIABLE];

/// Django's cookies: the beginning of their settings, and the default name.
const COOKIES: [(&str, &str); 3] = [
    ("SESSION", "sessionid"),
    ("CSRF", "csrftoken"),
    ("LANGUAGE", "django_language"),
];

/// Reads the variables; those without `SEALWAX_` in front are none of ours.
pub(crate) fn read(variables: &[(String, String)], out: &mut Diagnostics) -> Layer {
    let ours: BTreeMap<&str, &str> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !is_reserved(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut reader = Reader {
        ours: &ours,
        layer: Layer::default(),
        out,
    };
    for (name, value) in &ours {
        reader.variable(name, value);
    }
    reader.layer
}

/// Kubernetes gives every pod such variables for a service named `sealwax`.
fn is_reserved(name: &str) -> bool {
    let service_link = name == "SEALWAX_PORT"
        || name == "SEALWAX_SERVICE_HOST"
        || name.starts_with("SEALWAX_PORT_")
        || name.starts_with("SEALWAX_SERVICE_PORT");
    service_link || RESERVED.contains(&name)
}

struct Reader<'a> {
    ours: &'a BTreeMap<&'a str, &'a str>,
    layer: Layer,
    out: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn variable(&mut self, name: &str, value: &str) {
        let place = Place::variable(name, value);
        let rest = name.strip_prefix(PREFIX).unwrap_or(name);
        if let Some(setting) = SETTINGS
            .iter()
            .find(|s| s.variable().as_deref() == Some(name))
        {
            self.setting(setting, name, value, place);
        } else if let Some(setting) = SETTINGS.iter().find(|s| s.django.contains(&rest)) {
            match setting.scope() {
                Scope::Cookie => self.cookie(setting, name, rest, value, place),
                _ if rest == "SECURE_HSTS_SECONDS" => {
                    self.hsts_seconds(setting, name, value, place);
                }
                _ => self.setting(setting, name, value, place),
            }
        } else if let Some((cookie, _)) = COOKIES
            .iter()
            .find(|(c, _)| rest == format!("{c}_COOKIE_NAME"))
        {
            self.cookie_name(cookie, name, value, &place);
        } else if let Some((cookie, _)) = COOKIES
            .iter()
            .find(|(c, _)| rest == format!("{c}_COOKIE_SECURE"))
        {
            self.cookie_secure(cookie, name, value, place);
        } else if let Some(refused) = REFUSED_DJANGO.iter().find(|refused| refused.name == rest) {
            let cause = format!("`{name}` {}", refused.why);
            self.out
                .push(Diagnostic::error(cause).at(&place, "").mend(refused.mend));
        } else {
            // Somebody may have misspelt the variable that holds keys.
            let place = if rest.contains("SEC") || rest.contains("KEY") {
                secret::hidden(name)
            } else {
                place
            };
            self.unknown(name, rest, &place);
        }
    }

    fn setting(&mut self, setting: &'static Setting, name: &str, value: &str, place: Place) {
        if setting.key == "site.tls" && value.trim().eq_ignore_ascii_case("acme") {
            self.out.push(acme(&place));
            let found = Found {
                value: Value::Broken,
                place,
            };
            insert(
                &mut self.layer.every_site.values,
                setting.key,
                found,
                self.out,
            );
            return;
        }
        let written = Written {
            form: Form::Loose(value.to_owned()),
            place: place.clone(),
        };
        let value = setting.kind.read(name, written, self.out);
        let values = match setting.scope() {
            Scope::Gateway => &mut self.layer.gateway,
            Scope::Site | Scope::Cookie | Scope::Path | Scope::Fresh => {
                &mut self.layer.every_site.values
            }
        };
        insert(values, setting.key, Found { value, place }, self.out);
    }

    /// In Django, zero seconds mean no header; under our own name they mean
    /// `max-age=0`.
    fn hsts_seconds(&mut self, setting: &'static Setting, name: &str, value: &str, place: Place) {
        if value.trim() != "0" {
            return self.setting(setting, name, value, place);
        }
        let values = &mut self.layer.every_site.values;
        insert(
            values,
            "site.hsts.when",
            Found {
                value: Value::Word("never"),
                place,
            },
            self.out,
        );
    }

    fn cookie(
        &mut self,
        setting: &'static Setting,
        name: &str,
        rest: &str,
        value: &str,
        place: Place,
    ) {
        let written = Written {
            form: Form::Loose(value.to_owned()),
            place: place.clone(),
        };
        let value = setting.kind.read(name, written, self.out);
        let Some(cookie) = self.name_of(rest) else {
            return;
        };
        let (_, values) = self
            .layer
            .every_site
            .cookies
            .entry(cookie)
            .or_insert_with(|| (place.clone(), Values::default()));
        insert(values, setting.key, Found { value, place }, self.out);
    }

    /// The cookie that `SESSION_COOKIE_…` and its like speak of; `None` where
    /// its name is itself a mistake, which is told by its own variable.
    fn name_of(&self, rest: &str) -> Option<String> {
        let (cookie, default) = COOKIES.iter().find(|(c, _)| rest.starts_with(c))?;
        match self
            .ours
            .get(format!("{PREFIX}{cookie}_COOKIE_NAME").as_str())
        {
            Some(name) => names::cookie(name).ok(),
            None => Some((*default).to_owned()),
        }
    }

    fn cookie_name(&mut self, cookie: &str, name: &str, value: &str, place: &Place) {
        if let Err(fault) = names::cookie(value) {
            self.out.push(report(name, place, fault));
            return;
        }
        // The name alone says that this cookie is the app's session or CSRF cookie.
        if cookie != "LANGUAGE" {
            let entry = || (place.clone(), Values::default());
            let (_, values) = self
                .layer
                .every_site
                .cookies
                .entry(value.to_owned())
                .or_insert_with(entry);
            let found = Found {
                value: Value::Flag(true),
                place: place.clone(),
            };
            // An explicit SESSION_COOKIE_HTTPONLY, read before or after, counts.
            let http_only = format!("{PREFIX}{cookie}_COOKIE_HTTPONLY");
            if !self.ours.contains_key(http_only.as_str()) {
                values.insert("site.cookies.names.*.http_only", found);
            }
        }
    }

    fn cookie_secure(&mut self, cookie: &str, name: &str, value: &str, place: Place) {
        let written = Written {
            form: Form::Loose(value.to_owned()),
            place: place.clone(),
        };
        if Kind::Flag.read(name, written, self.out) != Value::Flag(false) {
            return;
        }
        let same_site = format!("{PREFIX}{cookie}_COOKIE_SAMESITE");
        let none = self
            .ours
            .get(same_site.as_str())
            .filter(|v| v.trim().eq_ignore_ascii_case("none"));
        let diagnostic = match none {
            Some(value) => Diagnostic::error("`SameSite=None` cannot work without `Secure`")
                .at(
                    &place,
                    "browsers refuse such a cookie (RFC 6265bis section 5.7)",
                )
                .and(Some(&Place::variable(&same_site, value)), "asked for here"),
            None => Diagnostic::error(format!("`{name}` cannot be switched off"))
                .at(&place, "every cookie leaves with `Secure`"),
        };
        self.out.push(diagnostic.mend(format!(
            "leave {name} out; development has HTTPS too, with tls = \"local\""
        )));
    }

    fn unknown(&mut self, name: &str, rest: &str, place: &Place) {
        let mut known: Vec<String> = SETTINGS.iter().filter_map(Setting::variable).collect();
        known.extend(
            SETTINGS
                .iter()
                .flat_map(|s| s.django)
                .map(|name| format!("{PREFIX}{name}")),
        );
        known.extend(RESERVED.iter().map(|name| (*name).to_owned()));
        let meant = suggest::nearest(
            rest,
            known.iter().filter_map(|name| name.strip_prefix(PREFIX)),
        )
        .or_else(|| (rest == "ENVIRONMENT").then_some("ENV"));
        // A misspelt setting must not be passed over; a variable of another
        // program must not stop this one.
        self.out.push(match meant {
            Some(meant) => Diagnostic::error(format!("there is no setting `{name}`"))
                .at(place, format!("did you mean `{PREFIX}{meant}`?"))
                .mend(format!("write {PREFIX}{meant}, or unset it")),
            None => Diagnostic::warning(format!("the variable `{name}` is not a setting"))
                .at(place, "it has no effect")
                .mend("unset it, or look its name up in the reference of settings"),
        });
    }
}

/// The same setting may have come under Django's name and under ours.
fn insert(values: &mut Values, key: &'static str, found: Found, out: &mut Diagnostics) {
    let place = found.place.clone();
    let value = found.value.clone();
    if let Some(before) = values.insert(key, found)
        && before.value != Value::Broken
        && value != Value::Broken
        && !same(&before.value, &value)
    {
        out.push(
            Diagnostic::error(format!("two variables say different things about `{key}`"))
                .at(&place, "")
                .and(Some(&before.place), "and this one")
                .mend("unset one of the two"),
        );
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Items(a), Value::Items(b)) => a
            .iter()
            .map(|(item, _)| item)
            .eq(b.iter().map(|(item, _)| item)),
        (a, b) => a == b,
    }
}
