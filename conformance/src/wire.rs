//! The JSON on the wire, as arguments and results.

use std::fmt::Display;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What an operation answers.
pub(crate) type Answer = Result<Value, Failure>;

const BUG: &str = "EngineBug";

/// An exception to be raised on the other side.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(kind: &'static str, message: impl Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    /// Python's `ValueError`.
    pub(crate) fn value(message: impl Display) -> Self {
        Self::new("ValueError", message)
    }

    /// The request itself makes no sense: nothing that a test expects.
    pub(crate) fn bug(message: impl Display) -> Self {
        Self::new(BUG, message)
    }

    pub(crate) fn is_bug(&self) -> bool {
        self.kind == BUG
    }
}

/// The arguments of one operation.
pub(crate) struct Args<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Args<'a> {
    pub(crate) fn of(value: &'a Value) -> Result<Self, Failure> {
        let map = value.as_object();
        map.map(Self)
            .ok_or_else(|| Failure::bug("the arguments are no object"))
    }

    /// The argument; `null` where it is missing.
    pub(crate) fn get(&self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// The settings that came with the call, under `s`.
    pub(crate) fn settings(&self) -> Result<Args<'a>, Failure> {
        Args::of(self.get("s"))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Failure> {
        self.optional_text(name)
            .ok_or_else(|| Failure::bug(format!("`{name}` is no text")))
    }

    pub(crate) fn optional_text(&self, name: &str) -> Option<&'a str> {
        self.get(name).as_str()
    }

    pub(crate) fn number(&self, name: &str) -> Result<i64, Failure> {
        let number = self.get(name).as_i64();
        number.ok_or_else(|| Failure::bug(format!("`{name}` is no whole number")))
    }

    pub(crate) fn seconds(&self, name: &str) -> Result<Duration, Failure> {
        self.optional_seconds(name)
            .ok_or_else(|| Failure::bug(format!("`{name}` is no time")))
    }

    pub(crate) fn optional_seconds(&self, name: &str) -> Option<Duration> {
        Duration::try_from_secs_f64(self.get(name).as_f64()?.max(0.0)).ok()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        is_true(self.get(name))
    }

    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.get(name).as_array().into_iter().flatten()
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<&'a str> {
        self.list(name).filter_map(Value::as_str).collect()
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, Failure> {
        bytes(self.get(name))
    }
}

/// Text, or bytes as `{"b64": …}`.
pub(crate) fn bytes(value: &Value) -> Result<Vec<u8>, Failure> {
    match (value.as_str(), value.get("b64").and_then(Value::as_str)) {
        (Some(text), _) => Ok(text.into()),
        (None, Some(text)) => STANDARD.decode(text).map_err(Failure::bug),
        _ => Err(Failure::bug("neither text nor bytes")),
    }
}

pub(crate) fn from_bytes(bytes: &[u8]) -> Value {
    json!({ "b64": STANDARD.encode(bytes) })
}

/// What Python takes for true.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
