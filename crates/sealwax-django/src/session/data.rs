//! What a session holds, byte for byte.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::JsonError;
use crate::json::{self, Span};

/// Above this many names, doubles are looked for by hashing.
const FEW: usize = 24;
/// A login and something of the app's.
const USUAL: usize = 6;

/// The contents of a session: names in order, each with its value as raw JSON.
///
/// It is lossless: a value that nobody here touches is written back as it was read, be it a number
/// of a thousand digits, `NaN` or half a surrogate pair, all of which Python writes and few others
/// read. Reading finds the names only; a value is parsed when it is asked for.
///
/// Django's `session[...]`. Cloning copies the text; `Debug` shows the names, never the values.
///
/// ```
/// use sealwax_django::session::SessionData;
///
/// let mut data = SessionData::from_json(r#"{"cart":[1,2],"total":NaN}"#).unwrap();
/// assert_eq!(data.get::<Vec<u32>>("cart").unwrap().unwrap(), [1, 2]);
/// assert!(data.get::<String>("name").is_none());
///
/// data.insert("name", "Zo\u{eb}").unwrap();
/// data.remove("cart");
/// assert_eq!(data.to_json(), r#"{"total":NaN,"name":"Zo\u00eb"}"#);
/// ```
#[derive(Clone, Default)]
pub struct SessionData {
    /// What was read, whole.
    read: String,
    members: Vec<Member>,
    /// Whether `read` is no longer what would be written.
    changed: bool,
}

#[derive(Clone)]
struct Member {
    /// With its quotes.
    name: Text,
    /// Whether the name holds an escape.
    escaped: bool,
    value: Text,
}

/// A piece of JSON: where it stands in what was read, or what was written since.
#[derive(Clone)]
enum Text {
    Read(Span),
    Written(Box<str>),
}

impl Text {
    fn of<'d>(&'d self, read: &'d str) -> &'d str {
        match self {
            // Spans come from this very text.
            Self::Read((from, to)) => read.get(*from..*to).unwrap_or_default(),
            Self::Written(text) => text,
        }
    }
}

impl SessionData {
    /// No names at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a JSON object as Python's `json.loads` does. Of names that stand there twice the last
    /// value counts, in the place of the first.
    ///
    /// # Errors
    /// [`JsonError`] where the text is no JSON object.
    pub fn from_json(text: impl Into<String>) -> Result<Self, JsonError> {
        let read = text.into();
        let mut members = Vec::with_capacity(USUAL);
        json::members(&read, |name, value| {
            let escaped = read
                .get(name.0..name.1)
                .is_some_and(|name| name.contains('\\'));
            members.push(Member {
                name: Text::Read(name),
                escaped,
                value: Text::Read(value),
            });
        })?;
        let mut data = Self {
            read,
            members,
            changed: false,
        };
        data.drop_doubles();
        Ok(data)
    }

    /// The JSON object: what was read, where nothing has changed.
    #[must_use]
    pub fn to_json(&self) -> Cow<'_, str> {
        if !self.changed && !self.read.is_empty() {
            return Cow::Borrowed(&self.read);
        }
        let mut text = String::with_capacity(self.read.len() + 64);
        text.push('{');
        for (index, member) in self.members.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(member.name.of(&self.read));
            text.push(':');
            text.push_str(member.value.of(&self.read));
        }
        text.push('}');
        Cow::Owned(text)
    }

    /// A value, parsed, or `None` where the name is absent: Django's `session.get(name)`.
    ///
    /// The inner error is that of `serde_json`: another type, or one of the few texts that Python
    /// writes and `serde_json` does not read (`NaN`, half a surrogate pair, nesting past 128
    /// levels). [`raw`](Self::raw) gives those.
    pub fn get<'d, T: Deserialize<'d>>(&'d self, name: &str) -> Option<serde_json::Result<T>> {
        self.raw(name).map(serde_json::from_str)
    }

    /// A value as JSON.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        let member = self.members.get(self.position(name)?)?;
        Some(member.value.of(&self.read))
    }

    /// Whether the name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets a value, in the name's place if it has one: Django's `session[name] = value`.
    ///
    /// A float that is not finite is written as `null`, as `serde_json` does.
    ///
    /// # Errors
    /// Where `serde_json` cannot write the value; then nothing has changed.
    pub fn insert<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        let value = json::to_string(value)?;
        self.put(name, value);
        Ok(())
    }

    /// Sets a value that is JSON already.
    ///
    /// # Errors
    /// [`JsonError`] where it is not; then nothing has changed.
    pub fn insert_raw(&mut self, name: &str, json: impl Into<String>) -> Result<(), JsonError> {
        let json = json.into();
        json::check(&json)?;
        self.put(name, json);
        Ok(())
    }

    fn put(&mut self, name: &str, value: String) {
        self.changed = true;
        let value = Text::Written(value.into());
        match self.position(name) {
            Some(position) => {
                if let Some(member) = self.members.get_mut(position) {
                    member.value = value;
                }
            }
            None => {
                let name = json::escape(name);
                self.members.push(Member {
                    escaped: name.contains('\\'),
                    name: Text::Written(name.into()),
                    value,
                });
            }
        }
    }

    /// Removes a name and says whether it was there: Django's `session.pop(name, None)`.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(position) = self.position(name) else {
            return false;
        };
        self.members.remove(position);
        self.changed = true;
        true
    }

    /// Removes every name: Django's `session.clear()`.
    pub fn clear(&mut self) {
        *self = Self {
            changed: true,
            ..Self::default()
        };
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Names and raw values, in order. A name that is no Unicode, having half a surrogate pair,
    /// comes as its JSON between the quotes.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        self.members
            .iter()
            .map(|member| (member.name(&self.read), member.value.of(&self.read)))
    }

    /// The names, in order, as [`iter`](Self::iter) gives them.
    pub fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.iter().map(|(name, _)| name)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| {
            if member.escaped {
                member.name(&self.read) == name
            } else {
                member.bare(&self.read) == name
            }
        })
    }

    fn drop_doubles(&mut self) {
        let count = self.members.len();
        if count < 2 {
            return;
        }
        // Hardly ever is there one, so room is made for the first.
        let mut last = Vec::new();
        {
            let mut note = |first: usize, again: usize| {
                last.resize(count, None);
                if let Some(slot) = last.get_mut(first) {
                    *slot = Some(again);
                }
            };
            if count <= FEW && self.members.iter().all(|member| !member.escaped) {
                for (again, member) in self.members.iter().enumerate() {
                    let name = member.bare(&self.read);
                    let mut before = self.members.iter().take(again);
                    if let Some(first) = before.position(|other| other.bare(&self.read) == name) {
                        note(first, again);
                    }
                }
            } else {
                let mut seen: HashMap<Cow<'_, str>, usize> = HashMap::with_capacity(count);
                for (again, member) in self.members.iter().enumerate() {
                    match seen.entry(member.name(&self.read)) {
                        std::collections::hash_map::Entry::Occupied(first) => {
                            note(*first.get(), again);
                        }
                        std::collections::hash_map::Entry::Vacant(slot) => {
                            slot.insert(again);
                        }
                    }
                }
            }
        }
        if !last.is_empty() {
            self.merge(&last);
        }
    }

    /// Gives each name the value at its last place and drops the later places.
    fn merge(&mut self, last: &[Option<usize>]) {
        let values: Vec<Text> = self.members.iter().map(|m| m.value.clone()).collect();
        let mut later = vec![false; self.members.len()];
        for (first, again) in last.iter().enumerate() {
            let Some(again) = *again else { continue };
            if let (Some(member), Some(value)) = (self.members.get_mut(first), values.get(again)) {
                member.value = value.clone();
            }
        }
        let mut seen: HashMap<String, ()> = HashMap::new();
        for (slot, member) in later.iter_mut().zip(&self.members) {
            *slot = seen
                .insert(member.name(&self.read).into_owned(), ())
                .is_some();
        }
        let mut later = later.into_iter();
        self.members.retain(|_| !later.next().unwrap_or(false));
        self.changed = true;
    }
}

impl Member {
    /// Between the quotes.
    fn bare<'d>(&'d self, read: &'d str) -> &'d str {
        let name = self.name.of(read);
        name.get(1..name.len().saturating_sub(1))
            .unwrap_or_default()
    }

    fn name<'d>(&'d self, read: &'d str) -> Cow<'d, str> {
        if self.escaped
            && let Ok(name) = serde_json::from_str::<String>(self.name.of(read))
        {
            return Cow::Owned(name);
        }
        Cow::Borrowed(self.bare(read))
    }
}

impl PartialEq for SessionData {
    /// The same names with the same raw values, in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionData ")?;
        f.debug_set().entries(self.names()).finish()
    }
}
