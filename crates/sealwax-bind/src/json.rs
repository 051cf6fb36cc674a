//! JSON objects as signed messages need them: each member once.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

/// More members than any proof has.
const MAX_MEMBERS: usize = 32;

/// What is taken from an object. Members that nobody asks for are checked to be JSON and dropped.
pub(crate) trait Members<'de>: Default {
    /// Reads the value of the member `name`, or says by `false` that it is of no interest; then
    /// nothing has been read.
    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// One object, in which no name stands twice: two readers would otherwise see two messages
/// (RFC 7515, Section 4; RFC 8725, Section 2.4).
pub(crate) struct Unique<M>(pub(crate) M);

/// The whole of `text` as one object.
pub(crate) fn object<'de, M: Members<'de>>(text: &'de [u8]) -> Option<M> {
    let Unique(members) = serde_json::from_slice(text).ok()?;
    Some(members)
}

impl<'de, M: Members<'de>> Deserialize<'de> for Unique<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(UniqueVisitor(PhantomData))
            .map(Self)
    }
}

struct UniqueVisitor<M>(PhantomData<M>);

impl<'de, M: Members<'de>> Visitor<'de> for UniqueVisitor<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with each member once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut members = M::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if seen.len() == MAX_MEMBERS || seen.contains(&name) {
                return Err(A::Error::custom("a member twice, or too many"));
            }
            if !members.take(&name, &mut map)? {
                // Read, not skipped: what is skipped may be no UTF-8, and another reader refuse it.
                map.next_value::<Value>()?;
            }
            seen.push(name);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Name(Option<String>);

    impl<'de> Members<'de> for Name {
        fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
            if name != "name" {
                return Ok(false);
            }
            self.0 = Some(map.next_value()?);
            Ok(true)
        }
    }

    fn name(text: &str) -> Option<Option<String>> {
        object::<Name>(text.as_bytes()).map(|name| name.0)
    }

    #[test]
    fn takes_what_is_asked_for_and_drops_the_rest() {
        let text = r#" {"a": {"name": 1, "b": [null]}, "name": "x", "c": 1e3} "#;
        assert_eq!(name(text), Some(Some("x".into())));
        assert_eq!(name("{}"), Some(None));
    }

    #[test]
    fn whatever_is_not_one_object_with_each_member_once_is_refused() {
        let many: Vec<String> = (0..=MAX_MEMBERS).map(|n| format!(r#""{n}":0"#)).collect();
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(4000), "]".repeat(4000));
        for text in [
            r#"{"name":"x","name":"x"}"#,
            // The same name, written in another way.
            r#"{"name":"x","n\u0061me":"y"}"#,
            // Of no interest, and twice all the same.
            r#"{"a":1,"name":"x","a":1}"#,
            r#"{"name":"x"} {}"#,
            r#"{"name":"x",}"#,
            r#"{"name":1}"#,
            r#"{"name":null}"#,
            r#"{'name':"x"}"#,
            "[\"name\",\"x\"]",
            "\u{feff}{}",
            // Of no interest, and not what another reader would take.
            r#"{"a":"\ud800"}"#,
            r#"{"a":1e999}"#,
            &deep,
            "null",
            "",
            "{",
            &format!("{{{}}}", many.join(",")),
        ] {
            assert_eq!(name(text), None, "{}", &text[..text.len().min(60)]);
        }
        for text in [&b"{\"name\":\"\xff\"}"[..], b"{\"a\":\"\xff\"}"] {
            assert!(object::<Name>(text).is_none());
        }
    }
}
