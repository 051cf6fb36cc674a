//! The kinds of values a setting can have, and how each is read.
//!
//! A file gives typed values, flags and variables give text. Both end here, so
//! that a value means the same wherever it was written.

use std::time::Duration;

use crate::addresses;
use crate::diagnostic::{Diagnostic, Diagnostics, Fault};
use crate::hosts;
use crate::names;
use crate::notify;
use crate::source::Place;
use crate::units;

/// What a setting's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number between two bounds, both included.
    Count(u64, u64),
    /// A duration between two bounds, both included.
    Duration(Duration, Duration),
    /// The name of an environment.
    Environment,
    /// `true` or `false`.
    Flag,
    /// A list.
    List(Item),
    /// A path in the file system.
    Path,
    /// A number of bytes between two bounds, both included, or `unlimited`
    /// where that is allowed.
    Size {
        /// Least number of bytes.
        least: u64,
        /// Most bytes.
        most: u64,
        /// Whether the word `unlimited` may be written.
        unlimited: bool,
    },
    /// Where a webhook listens.
    Webhook,
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// `off`, or one or more of these words with commas between them.
    Words(&'static [&'static str]),
}

/// What the items of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// An IP address with a port to listen on.
    Address,
    /// A program, or one of its arguments.
    Argument,
    /// The name of a cookie.
    CookieName,
    /// The name of a header.
    HeaderName,
    /// A host pattern by Django's `ALLOWED_HOSTS` rules.
    Host,
    /// A regular expression over paths.
    Pattern,
    /// An IP address or a range of them.
    Range,
    /// Where an app listens.
    Upstream,
}

/// A value of the right kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A mistake that was told: the setting is written, but says nothing.
    Broken,
    Duration(Duration),
    Flag(bool),
    Items(Vec<(String, Place)>),
    Number(u64),
    Size(Option<u64>),
    Text(String),
    Word(&'static str),
}

/// A value as it was written.
pub(crate) struct Written {
    pub(crate) form: Form,
    pub(crate) place: Place,
}

/// The form of what was written.
pub(crate) enum Form {
    Flag(bool),
    /// `None` where the number does not fit.
    Integer(Option<i128>),
    List(Vec<Written>),
    /// From a flag or a variable, where everything is text.
    Loose(String),
    /// Nothing that any setting takes: the name of the type, with its article.
    Other(&'static str),
    Text(String),
}

impl Form {
    fn describe(&self) -> &'static str {
        match self {
            Self::Flag(_) => "`true` or `false`",
            Self::Integer(_) => "a number",
            Self::List(_) => "a list",
            Self::Loose(_) | Self::Text(_) => "text",
            Self::Other(name) => name,
        }
    }
}

impl Kind {
    /// What the kind is called, with its bounds.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Count(least, most) => format!("number, {least} to {most}"),
            Self::Duration(..) => "duration".to_owned(),
            Self::Environment => "name".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::List(item) => format!("list of {}", item.describe()),
            Self::Path => "path".to_owned(),
            Self::Size {
                unlimited: false, ..
            } => "size".to_owned(),
            Self::Size {
                unlimited: true, ..
            } => "size or `unlimited`".to_owned(),
            Self::Webhook => "URL".to_owned(),
            Self::Word(words) => code(words, ", "),
            Self::Words(words) => format!("{}, or several of them with commas", code(words, ", ")),
        }
    }

    /// The unit of a bare number; empty where there is none.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Duration(..) => "s",
            Self::Size { .. } => "B",
            _ => "",
        }
    }

    /// Reads what was written; each mistake goes to `out`, named by `key`, and
    /// leaves [`Value::Broken`].
    pub(crate) fn read(self, key: &str, written: Written, out: &mut Diagnostics) -> Value {
        let place = written.place.clone();
        match (self, written.form) {
            (Self::List(item), form) => read_list(item, key, Written { form, place }, out),
            (kind, form) => kind.read_one(form).unwrap_or_else(|fault| {
                out.push(report(key, &place, fault));
                Value::Broken
            }),
        }
    }

    fn read_one(self, form: Form) -> Result<Value, Fault> {
        match (self, form) {
            (Self::Flag, Form::Flag(value)) => Ok(Value::Flag(value)),
            (Self::Flag, Form::Loose(text)) => flag(&text),
            (Self::Count(least, most), Form::Integer(number)) => count(number, least, most),
            (Self::Count(least, most), Form::Loose(text)) => match text.trim().parse() {
                Ok(number) => count(Some(number), least, most),
                Err(_) => Err(self.mismatch("text")),
            },
            (Self::Duration(least, most), Form::Integer(number)) => {
                let seconds = number.and_then(|n| u64::try_from(n).ok());
                duration(seconds.map(Duration::from_secs), least, most)
            }
            (Self::Duration(least, most), Form::Text(text) | Form::Loose(text)) => {
                duration(units::duration(&text), least, most)
            }
            (Self::Size { least, most, .. }, Form::Integer(number)) => {
                size(number.and_then(|n| u64::try_from(n).ok()), least, most)
            }
            (
                Self::Size {
                    least,
                    most,
                    unlimited,
                },
                Form::Text(text) | Form::Loose(text),
            ) => {
                if unlimited && text.trim().eq_ignore_ascii_case("unlimited") {
                    return Ok(Value::Size(None));
                }
                size(units::size(&text), least, most)
            }
            (Self::Word(words), Form::Text(text) | Form::Loose(text)) => word(text.trim(), words),
            (Self::Words(words), Form::Text(text) | Form::Loose(text)) => {
                list_of_words(&text, words)
            }
            (Self::Environment, Form::Text(text) | Form::Loose(text)) => {
                names::environment(&text).map(Value::Text)
            }
            (Self::Path, Form::Text(text) | Form::Loose(text)) => path(text),
            (Self::Webhook, Form::Text(text) | Form::Loose(text)) => {
                notify::webhook(&text).map(Value::Text)
            }
            (kind, form) => Err(kind.mismatch(form.describe())),
        }
    }

    fn mismatch(self, found: &str) -> Fault {
        let (wanted, mend) = match self {
            Self::Count(..) => (
                "a number",
                "write a whole number, without quotes".to_owned(),
            ),
            Self::Duration(..) => ("a duration", DURATION_MEND.to_owned()),
            Self::Environment => (
                "a name",
                r#"write "production" or "development""#.to_owned(),
            ),
            Self::Flag => (
                "`true` or `false`",
                "write true or false, without quotes".to_owned(),
            ),
            Self::List(_) => ("a list", r#"write a list of texts: ["…", "…"]"#.to_owned()),
            Self::Path => ("a path", "write the path in quotes".to_owned()),
            Self::Size { .. } => ("a size", SIZE_MEND.to_owned()),
            Self::Webhook => ("a URL", notify::MEND.to_owned()),
            Self::Word(words) | Self::Words(words) => ("a word", one_of(words)),
        };
        Fault::new(
            format!("must be {wanted}"),
            format!("this is {found}"),
            mend,
        )
    }
}

impl Item {
    fn describe(self) -> &'static str {
        match self {
            Self::Address => "addresses",
            Self::Argument => "texts",
            Self::CookieName => "cookie names",
            Self::HeaderName => "header names",
            Self::Host => "host patterns",
            Self::Pattern => "regular expressions",
            Self::Range => "address ranges",
            Self::Upstream => "upstreams",
        }
    }

    fn check(self, text: &str) -> Result<(), Fault> {
        match self {
            Self::Address => addresses::listen(text).map(drop),
            Self::Argument => names::argument(text),
            Self::CookieName => names::cookie(text).map(drop),
            Self::HeaderName => names::header(text).map(drop),
            Self::Host => hosts::check(text).map(drop),
            Self::Pattern => names::pattern(text).map(drop),
            Self::Range => addresses::range(text).map(drop),
            Self::Upstream => addresses::upstream(text).map(drop),
        }
    }
}

/// A mistake in one value, said of its setting.
pub(crate) fn report(key: &str, place: &Place, fault: Fault) -> Diagnostic {
    Diagnostic::error(format!("`{key}` {}", fault.cause))
        .at(place, fault.label)
        .mend(fault.mend)
}

/// A list, or one text that stands for a list of one. Text of a flag or a
/// variable is split at commas, unless it is itself a TOML array.
fn read_list(item: Item, key: &str, written: Written, out: &mut Diagnostics) -> Value {
    let place = written.place;
    let parts = match written.form {
        Form::List(parts) => parts,
        Form::Loose(text) => loose_parts(&text, &place),
        form @ Form::Text(_) => vec![Written {
            form,
            place: place.clone(),
        }],
        form => {
            out.push(report(
                key,
                &place,
                Kind::List(item).mismatch(form.describe()),
            ));
            return Value::Broken;
        }
    };
    let mut items = Vec::with_capacity(parts.len());
    let mut whole = true;
    for part in parts {
        let checked = match part.form {
            Form::Text(text) | Form::Loose(text) => item.check(&text).map(|()| text),
            form => Err(Fault::new(
                format!("is a list of {}", item.describe()),
                format!("this is {}", form.describe()),
                "write each item as text, in quotes",
            )),
        };
        match checked {
            Ok(text) => items.push((text, part.place)),
            Err(fault) => {
                out.push(report(key, &part.place, fault));
                whole = false;
            }
        }
    }
    if whole {
        Value::Items(items)
    } else {
        Value::Broken
    }
}

fn loose_parts(text: &str, place: &Place) -> Vec<Written> {
    if let Some(array) = toml_array(text) {
        let written = |text| Written {
            form: Form::Loose(text),
            place: place.clone(),
        };
        return array.into_iter().map(written).collect();
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for part in text.split(',') {
        let trimmed = part.trim();
        if !trimmed.is_empty() {
            let from = start + (part.len() - part.trim_start().len());
            let place = place.within(from..from + trimmed.len());
            parts.push(Written {
                form: Form::Loose(trimmed.to_owned()),
                place,
            });
        }
        start += part.len() + 1;
    }
    parts
}

/// `["a", "b"]`, the way to write an item with a comma in it. An IPv6 address
/// in brackets is no array.
fn toml_array(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') {
        return None;
    }
    let value = toml::de::DeValue::parse(text).ok()?;
    let items = value.get_ref().as_array()?;
    items
        .iter()
        .map(|item| item.get_ref().as_str().map(str::to_owned))
        .collect()
}

const DURATION_MEND: &str =
    r#"write a whole number of seconds, or a number with ms, s, m, h or d, such as "30d""#;
const SIZE_MEND: &str = r#"write a whole number of bytes, or a number with KiB, MiB, GiB, kB, MB or GB, such as "64KiB""#;

/// Python's and the shell's ways to say yes and no.
fn flag(text: &str) -> Result<Value, Fault> {
    let is = |words: [&str; 4]| {
        words
            .iter()
            .any(|word| text.trim().eq_ignore_ascii_case(word))
    };
    if is(["true", "1", "yes", "on"]) {
        Ok(Value::Flag(true))
    } else if is(["false", "0", "no", "off"]) {
        Ok(Value::Flag(false))
    } else {
        Err(Fault::new(
            "must be `true` or `false`",
            "neither of the two",
            "write true or false",
        ))
    }
}

fn count(number: Option<i128>, least: u64, most: u64) -> Result<Value, Fault> {
    number
        .and_then(|n| u64::try_from(n).ok())
        .filter(|n| (least..=most).contains(n))
        .map(Value::Number)
        .ok_or_else(|| {
            Fault::new(
                "is out of range",
                "outside what is possible",
                format!("write a number from {least} to {most}"),
            )
        })
}

fn duration(read: Option<Duration>, least: Duration, most: Duration) -> Result<Value, Fault> {
    let Some(value) = read else {
        return Err(Fault::new(
            "must be a duration",
            "not a whole number with a unit",
            DURATION_MEND,
        ));
    };
    if (least..=most).contains(&value) {
        return Ok(Value::Duration(value));
    }
    let (least, most) = (units::duration_text(least), units::duration_text(most));
    Err(Fault::new(
        "is out of range",
        "outside what is possible",
        format!("write a duration from {least} to {most}"),
    ))
}

fn size(read: Option<u64>, least: u64, most: u64) -> Result<Value, Fault> {
    let Some(value) = read else {
        return Err(Fault::new(
            "must be a size",
            "not a whole number with a unit",
            SIZE_MEND,
        ));
    };
    if (least..=most).contains(&value) {
        return Ok(Value::Size(Some(value)));
    }
    let (least, most) = (units::size_text(least), units::size_text(most));
    Err(Fault::new(
        "is out of range",
        "outside what is possible",
        format!("write a size from {least} to {most}"),
    ))
}

fn path(text: String) -> Result<Value, Fault> {
    if text.is_empty() || text.contains('\0') {
        return Err(Fault::new(
            "must be a path",
            "no file has this name",
            "write the path of the file",
        ));
    }
    Ok(Value::Text(text))
}

fn word(text: &str, words: &'static [&'static str]) -> Result<Value, Fault> {
    find(text, words)
        .map(Value::Word)
        .ok_or_else(|| unknown_word(text, words))
}

fn list_of_words(text: &str, words: &'static [&'static str]) -> Result<Value, Fault> {
    if text.trim().is_empty() || text.trim().eq_ignore_ascii_case("off") {
        return Ok(Value::Text(String::new()));
    }
    let mut out = String::new();
    for part in text.split(',').map(str::trim) {
        let word = find(part, words)
            .filter(|word| *word != "off")
            .ok_or_else(|| unknown_word(part, words))?;
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(word);
    }
    Ok(Value::Text(out))
}

fn find(text: &str, words: &'static [&'static str]) -> Option<&'static str> {
    words
        .iter()
        .copied()
        .find(|word| word.eq_ignore_ascii_case(text))
}

fn unknown_word(text: &str, words: &'static [&'static str]) -> Fault {
    let label = match crate::suggest::nearest(text, words.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => "not one of the words it takes".to_owned(),
    };
    Fault::new("has an unknown value", label, one_of(words))
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.as_slice() {
        [only] => format!("write {only}"),
        [init @ .., last] => format!("write {} or {last}", init.join(", ")),
        [] => String::new(),
    }
}

fn code(words: &[&str], between: &str) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(between)
}
