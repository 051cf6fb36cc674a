//! Reading settled values: what was written, else the default of the table.

use std::time::Duration;

use crate::diagnostic::Diagnostics;
use crate::kind::{Form, Value, Written};
use crate::layer::Values;
use crate::settings::{Setting, Unset};
use crate::source::Place;

/// The settings of the gateway, of one site, or of one cookie.
#[derive(Clone, Copy)]
pub(crate) struct View<'a>(pub(crate) &'a Values);

impl<'a> View<'a> {
    /// Where `key` was written; `None` where its default holds.
    pub(crate) fn place(self, key: &str) -> Option<&'a Place> {
        self.0.get(key).map(|found| &found.place)
    }

    /// Whether `key` was written with a mistake that was told already.
    pub(crate) fn broken(self, key: &str) -> bool {
        self.0
            .get(key)
            .is_some_and(|found| found.value == Value::Broken)
    }

    pub(crate) fn flag(self, key: &str) -> bool {
        self.written_flag(key)
            .unwrap_or_else(|| matches!(default(key), Some(Value::Flag(true))))
    }

    /// Only what was written, for settings whose default is no value.
    pub(crate) fn written_flag(self, key: &str) -> Option<bool> {
        match self.0.get(key)?.value {
            Value::Flag(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn duration(self, key: &str) -> Duration {
        match self.value(key) {
            Some(Value::Duration(value)) => value,
            _ => Duration::ZERO,
        }
    }

    pub(crate) fn number(self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn size(self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Size(value) => value,
            _ => None,
        }
    }

    pub(crate) fn word(self, key: &str) -> Option<&'static str> {
        match self.value(key)? {
            Value::Word(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        match &self.0.get(key)?.value {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    /// The items of a list, each with its place. All lists are empty by
    /// default.
    pub(crate) fn items(self, key: &str) -> &'a [(String, Place)] {
        match self.0.get(key).map(|found| &found.value) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }

    /// The items' texts alone.
    pub(crate) fn texts(self, key: &str) -> Vec<String> {
        self.items(key)
            .iter()
            .map(|(text, _)| text.clone())
            .collect()
    }

    fn value(self, key: &str) -> Option<Value> {
        let written = self.0.get(key).map(|found| found.value.clone());
        written
            .filter(|value| *value != Value::Broken)
            .or_else(|| default(key))
    }
}

/// The default as the table has it, read as a variable would be. That every
/// default can be read is tested.
pub(crate) fn default(key: &str) -> Option<Value> {
    let setting = Setting::find(key);
    debug_assert!(setting.is_some(), "no row for {key}");
    let Unset::Is(text) = setting?.default else {
        return None;
    };
    let place = Place::variable(key, text);
    let written = Written {
        form: Form::Loose(text.to_owned()),
        place,
    };
    let value = setting?
        .kind
        .read(key, written, &mut Diagnostics::default());
    (value != Value::Broken).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SETTINGS;

    #[test]
    fn every_default_of_the_table_can_be_read() {
        for setting in SETTINGS {
            if let Unset::Is(text) = setting.default {
                assert!(default(setting.key).is_some(), "{} = {text:?}", setting.key);
            }
        }
    }
}
