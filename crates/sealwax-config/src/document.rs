//! A configuration file: TOML to layers, with every mistake on the way.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics, Fault};
use crate::kind::{Form, Value, Written, report};
use crate::layer::{Found, Layer, SiteEntry, SiteValues, Values};
use crate::names;
use crate::settings::{REFUSED_DJANGO, REFUSED_KEYS, SETTINGS, Setting};
use crate::source::{Origin, Place, Source};
use crate::suggest;
use crate::syntax;

/// What a file says: its own layer, and one for each `[env.NAME]`.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) base: Layer,
    pub(crate) environments: BTreeMap<String, Layer>,
}

/// Reads the whole file. The second part says whether its syntax is sound; if
/// not, what is missing in it may only have been lost.
pub(crate) fn read(source: &Arc<Source>, out: &mut Diagnostics) -> (Document, bool) {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let mut reader = Reader {
        source,
        found: Diagnostics::default(),
    };
    let document = reader.document(root.get_ref());
    let broken = syntax::explain(source, root.get_ref(), &errors, out);
    for diagnostic in &reader.found {
        // A value that was broken off says nothing about what was meant.
        let line = diagnostic.place.as_ref().map(|place| place.lines().start);
        let spoilt = line.is_some_and(|line| broken.contains(&line));
        if !spoilt {
            out.push(diagnostic.clone());
        }
    }
    (document, errors.is_empty())
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    found: Diagnostics,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.source, span)
    }

    fn document(&mut self, root: &DeTable<'_>) -> Document {
        let mut document = Document {
            base: self.layer(root, true),
            ..Document::default()
        };
        let Some((key, value)) = root.get_key_value("env") else {
            return document;
        };
        let Some(table) = value.get_ref().as_table() else {
            self.not_a_table("env", key.span(), "[env.development]");
            return document;
        };
        for (name, value) in table {
            let place = self.place(name.span());
            match (
                names::environment(name.get_ref()),
                value.get_ref().as_table(),
            ) {
                (Err(fault), _) => self.found.push(report("env", &place, fault)),
                (Ok(name), Some(table)) => {
                    let layer = self.layer(table, false);
                    document.environments.insert(name, layer);
                }
                (Ok(name), None) => {
                    let header = format!("[env.{name}]");
                    self.not_a_table(&format!("env.{name}"), place.span(), &header);
                }
            }
        }
        document
    }

    /// The top of a file, or the table of an environment, which may hold the
    /// same but for `environment` and `env`.
    fn layer(&mut self, table: &DeTable<'_>, top: bool) -> Layer {
        let mut layer = Layer::default();
        let mut top_level = SiteValues::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "env" if top => {}
                name @ ("env" | "environment") if !top => {
                    let place = self.place(key.span());
                    self.found.push(
                        Diagnostic::error(format!("`{name}` cannot stand in `[env.NAME]`"))
                            .at(&place, "the environment is chosen before its table is read")
                            .mend("move it to the top of the file"),
                    );
                }
                "site" => self.sites(key, value, top, &mut layer),
                _ => self.entry("", key, value, &mut top_level),
            }
        }
        layer.gateway = top_level.values;
        layer
    }

    fn sites(
        &mut self,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        top: bool,
        layer: &mut Layer,
    ) {
        match value.get_ref() {
            DeValue::Array(entries) => {
                for entry in entries {
                    let Some(table) = entry.get_ref().as_table() else {
                        self.not_a_table("site", entry.span(), "[[site]]");
                        continue;
                    };
                    let site = self.site(table);
                    layer.sites.push(SiteEntry {
                        place: Some(self.place(entry.span())),
                        site,
                    });
                }
            }
            DeValue::Table(table) if top => self.lone_site(key.span(), table, layer),
            DeValue::Table(table) => layer.every_site = self.site(table),
            _ => {
                layer.lost_site = true;
                self.not_a_table("site", key.span(), "[[site]]");
            }
        }
    }

    /// `[site]`: what one writes for the only site there is.
    fn lone_site(&mut self, span: Range<usize>, table: &DeTable<'_>, layer: &mut Layer) {
        let place = self.place(span);
        // After a mistake of syntax the parser may take `[[site]]` for this.
        let line = self.source.text.get(place.lines()).unwrap_or_default();
        if !line.trim_start().starts_with("[[") {
            self.found.push(
                Diagnostic::error("`site` is a list of tables")
                    .at(&place, "one pair of brackets makes one table")
                    .mend("write [[site]] to begin each site; its parts stay as they are: [site.hsts]"),
            );
        }
        let site = self.site(table);
        layer.sites.push(SiteEntry {
            place: Some(place),
            site,
        });
    }

    fn site(&mut self, table: &DeTable<'_>) -> SiteValues {
        let mut site = SiteValues::default();
        for (key, value) in table {
            self.entry("site", key, value, &mut site);
        }
        site
    }

    /// One key of the table `prefix`, of the gateway or of a site.
    fn entry(
        &mut self,
        prefix: &str,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        out: &mut SiteValues,
    ) {
        let name = key.get_ref().as_ref();
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        };
        let place = self.place(key.span());
        let table = value.get_ref().as_table();
        if let Some(refused) = REFUSED_KEYS.iter().find(|refused| refused.name == path) {
            let cause = format!("`{path}` {}", refused.why);
            self.found
                .push(Diagnostic::error(cause).at(&place, "").mend(refused.mend));
        } else if path == "site.cookies.names" {
            match table {
                Some(table) => self.cookies(table, &mut out.cookies),
                None => self.not_a_table(&path, key.span(), "[site.cookies.names.sessionid]"),
            }
        } else if path == "site.paths" {
            match table {
                Some(table) => self.named("site.paths", names::path, table, &mut out.paths),
                None => self.not_a_table(&path, key.span(), "[site.paths]"),
            }
        } else if path == "site.bind.fresh" {
            match table {
                Some(table) => self.named(&path, names::pattern, table, &mut out.fresh),
                None => self.not_a_table(&path, key.span(), "[site.bind.fresh]"),
            }
        } else if let (true, Some(table)) = (Setting::is_table(&path), table) {
            for (key, value) in table {
                self.entry(&path, key, value, out);
            }
        } else if let Some(setting) = Setting::find(&path) {
            self.setting(setting, &path, value, &mut out.values);
        } else if Setting::is_table(&path) {
            self.not_a_table(&path, key.span(), &header(&path));
        } else if path == "site.cookies.secure" {
            self.secure(&path, value);
        } else {
            self.unknown(prefix, name, &place);
        }
    }

    fn setting(
        &mut self,
        setting: &'static Setting,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        values: &mut Values,
    ) {
        let place = self.place(value.span());
        if path == "site.tls"
            && value
                .get_ref()
                .as_str()
                .is_some_and(|word| word.eq_ignore_ascii_case("acme"))
        {
            self.found.push(acme(&place));
            values.insert(
                setting.key,
                Found {
                    value: Value::Broken,
                    place,
                },
            );
            return;
        }
        let written = Written {
            form: self.form(value.get_ref()),
            place: place.clone(),
        };
        let value = setting.kind.read(path, written, &mut self.found);
        values.insert(setting.key, Found { value, place });
    }

    fn form(&self, value: &DeValue<'_>) -> Form {
        match value {
            DeValue::Array(items) => {
                let written = |item: &Spanned<DeValue<'_>>| Written {
                    form: self.form(item.get_ref()),
                    place: self.place(item.span()),
                };
                Form::List(items.iter().map(written).collect())
            }
            DeValue::Boolean(flag) => Form::Flag(*flag),
            DeValue::Datetime(_) => Form::Other("a date or time"),
            DeValue::Float(_) => Form::Other("a number with a fraction"),
            DeValue::Integer(number) => {
                Form::Integer(i128::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::String(text) => Form::Text(text.to_string()),
            DeValue::Table(_) => Form::Other("a table"),
        }
    }

    /// A table such as `[site.paths]`, whose keys are the operator's own: `read` knows them, and
    /// each has one value.
    fn named(
        &mut self,
        path: &str,
        read: fn(&str) -> Result<String, Fault>,
        table: &DeTable<'_>,
        out: &mut BTreeMap<String, (Place, Values)>,
    ) {
        let Some(setting) = Setting::find(&format!("{path}.*")) else {
            return;
        };
        for (key, value) in table {
            let place = self.place(key.span());
            let name = match read(key.get_ref()) {
                Ok(name) => name,
                Err(fault) => {
                    self.found.push(report(path, &place, fault));
                    continue;
                }
            };
            let mut values = Values::default();
            self.setting(setting, &format!("{path}.{name:?}"), value, &mut values);
            out.insert(name, (place, values));
        }
    }

    /// `[site.cookies.names]`: the names of cookies, each with its rules.
    fn cookies(&mut self, table: &DeTable<'_>, cookies: &mut BTreeMap<String, (Place, Values)>) {
        for (key, value) in table {
            let place = self.place(key.span());
            let name = match names::cookie(key.get_ref()) {
                Ok(name) => name,
                Err(fault) => {
                    self.found.push(report("site.cookies.names", &place, fault));
                    continue;
                }
            };
            let Some(rules) = value.get_ref().as_table() else {
                let header = format!("names.{name} = {{ same_site = \"None\" }}");
                self.not_a_table(&format!("site.cookies.names.{name}"), key.span(), &header);
                continue;
            };
            let mut values = Values::default();
            for (rule, value) in rules {
                self.rule(&name, rule, value, &mut values);
            }
            cookies.insert(name, (place, values));
        }
    }

    fn rule(
        &mut self,
        cookie: &str,
        rule: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        values: &mut Values,
    ) {
        let (name, place) = (rule.get_ref().as_ref(), self.place(rule.span()));
        let shown = format!("site.cookies.names.{cookie}.{name}");
        if let Some(setting) = Setting::find(&format!("site.cookies.names.*.{name}")) {
            self.setting(setting, &shown, value, values);
        } else if name == "secure" {
            self.secure(&shown, value);
        } else if value.get_ref().as_table().is_some() {
            self.found.push(
                Diagnostic::error(format!("`{name}` is no rule of the cookie `{cookie}`"))
                    .at(&place, "a dot begins a table of its own")
                    .mend(format!(
                        "a name with a dot in it needs quotes: names.\"{cookie}.{name}\""
                    )),
            );
        } else {
            self.unknown("site.cookies.names.*", name, &place);
        }
    }

    /// `secure = true` says what holds anyway; `false` is refused.
    fn secure(&mut self, path: &str, value: &Spanned<DeValue<'_>>) {
        if value.get_ref().as_bool() != Some(true) {
            let place = self.place(value.span());
            self.found.push(
                Diagnostic::error(format!("`{path}` cannot be switched off"))
                    .at(&place, "every cookie leaves with `Secure`")
                    .mend("leave it out; development has HTTPS too, with tls = \"local\""),
            );
        }
    }

    fn not_a_table(&mut self, path: &str, span: Range<usize>, header: &str) {
        let place = self.place(span);
        self.found.push(
            Diagnostic::error(format!("`{path}` is a table"))
                .at(&place, "here it has a value of another kind")
                .mend(format!("write {header}")),
        );
    }

    fn unknown(&mut self, prefix: &str, name: &str, place: &Place) {
        let within = match prefix {
            "" => "at the top of the file".to_owned(),
            "site" => "in `[[site]]`".to_owned(),
            "site.cookies.names.*" => "among the rules of a cookie".to_owned(),
            prefix => format!("in `[{prefix}]`"),
        };
        let diagnostic = Diagnostic::error(format!("there is no setting `{name}` {within}"));
        let mut siblings: Vec<&str> = Setting::children(prefix)
            .filter(|child| *child != "*")
            .collect();
        siblings.dedup();
        if prefix.is_empty() {
            siblings.push("env");
        }
        let (label, mend) = if let Some(meant) = suggest::nearest(name, siblings.iter().copied()) {
            (format!("did you mean `{meant}`?"), format!("write {meant}"))
        } else if let Some(setting) = by_django(name) {
            (
                "Django's name".to_owned(),
                format!("write {}", as_written(setting.key)),
            )
        } else if let Some(refused) = REFUSED_DJANGO.iter().find(|refused| refused.name == name) {
            (format!("it {}", refused.why), refused.mend.to_owned())
        } else if let Some(setting) = by_last_part(name) {
            (
                "it belongs elsewhere".to_owned(),
                format!("write {}", as_written(setting.key)),
            )
        } else {
            siblings.sort_unstable();
            (
                "not known here".to_owned(),
                format!("what can stand here: {}", siblings.join(", ")),
            )
        };
        self.found.push(diagnostic.at(place, label).mend(mend));
    }
}

/// `tls = "acme"`, wherever it was written.
pub(crate) fn acme(place: &Place) -> Diagnostic {
    let mend = if matches!(place.origin(), Origin::Flag(_)) {
        "name certificate files: --cert FILE --key FILE; for local names use --tls local"
    } else {
        "name certificate files: tls = { cert = \"…\", key = \"…\" }; for local names use tls = \"local\""
    };
    Diagnostic::error("`tls = \"acme\"` is not in this version")
        .at(
            place,
            "certificates from a public authority cannot be fetched yet",
        )
        .mend(mend)
}

fn by_django(name: &str) -> Option<&'static Setting> {
    SETTINGS
        .iter()
        .find(|setting| setting.django.contains(&name))
}

fn by_last_part(name: &str) -> Option<&'static Setting> {
    SETTINGS
        .iter()
        .find(|setting| setting.key.rsplit('.').next() == Some(name))
}

/// How a key is written in a file: its table, and the key in it.
fn as_written(key: &str) -> String {
    match key.rsplit_once('.') {
        None => format!("{key}, at the top of the file"),
        Some((table, last)) => format!("{last} in {}", header(table)),
    }
}

fn header(table: &str) -> String {
    match table {
        "site" => "[[site]]".to_owned(),
        _ => format!("[{table}]").replace(".*]", ".NAME]"),
    }
}
