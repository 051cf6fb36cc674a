//! Where each setting of a loaded configuration was written, for mistakes that
//! only others can find: a key that cannot be read, an address in use.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::kind::Value;
use crate::layer::{Layer, Values};
use crate::source::Place;

/// The places of all settings that were written, by key: `listen.https`,
/// `site.0.tls.key`, and `site.0.to.1` for the second item of a list.
#[derive(Debug, Clone, Default)]
pub struct Places {
    places: BTreeMap<String, Place>,
}

impl Places {
    pub(crate) fn of(layer: &Layer) -> Self {
        let mut places = Self::default();
        places.add("", &layer.gateway);
        for (number, entry) in layer.sites.iter().enumerate() {
            let site = format!("site.{number}");
            if let Some(place) = &entry.place {
                places.places.insert(site.clone(), place.clone());
            }
            places.add(&site, &entry.site.values);
            for (name, (place, rules)) in &entry.site.cookies {
                let cookie = format!("{site}.cookies.names.{name}");
                places.places.insert(cookie.clone(), place.clone());
                places.add(&cookie, rules);
            }
        }
        places
    }

    fn add(&mut self, prefix: &str, values: &Values) {
        for (key, found) in values.iter() {
            let part = key
                .strip_prefix("site.cookies.names.*.")
                .or_else(|| key.strip_prefix("site."))
                .unwrap_or(key);
            let key = if prefix.is_empty() {
                part.to_owned()
            } else {
                format!("{prefix}.{part}")
            };
            if let Value::Items(items) = &found.value {
                for (number, (_, place)) in items.iter().enumerate() {
                    self.places.insert(format!("{key}.{number}"), place.clone());
                }
            }
            self.places.insert(key, found.place.clone());
        }
    }

    /// Where `key` was written, or else the nearest table around it; `None`
    /// where nothing of it was.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Place> {
        let mut key = key;
        loop {
            if let Some(place) = self.places.get(key) {
                return Some(place);
            }
            key = key.rsplit_once('.')?.0;
        }
    }

    /// An error at the place of `key`, to be shown like those of
    /// [`crate::load`]. `cause` is one sentence without a full stop, `mend`
    /// what to do about it.
    #[must_use]
    pub fn diagnostic(
        &self,
        key: &str,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(cause)
            .at_any(self.find(key), "")
            .mend(mend)
    }
}
