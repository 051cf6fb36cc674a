//! Content-Security-Policy.

use sealwax_policy::{Csp, Disposition, Sources};
use serde_json::{Value, json};

use crate::wire::{Answer, Args, Failure};

pub(crate) fn build(args: &Args<'_>) -> Answer {
    let mut csp = Csp::new(Disposition::Enforce);
    for directive in args.list("config") {
        let [Value::String(name), values] = directive.as_array().map_or(&[][..], Vec::as_slice)
        else {
            return Err(Failure::bug("a directive is a name and its values"));
        };
        csp = csp.directive(name, sources(values)?);
    }
    Ok(json!(csp.text(args.optional_text("nonce"))))
}

fn sources(values: &Value) -> Result<Sources, Failure> {
    Ok(match values {
        Value::Null => Sources::Off,
        Value::Bool(on) => Sources::from(*on),
        Value::String(value) => Sources::from(value.as_str()),
        Value::Array(list) => Sources::List(texts(list)),
        Value::Object(set) => match set.get("set") {
            Some(Value::Array(set)) => Sources::Set(texts(set).into_iter().collect()),
            _ => return Err(Failure::bug("no set of sources")),
        },
        Value::Number(_) => return Err(Failure::bug("a number is no source")),
    })
}

fn texts(values: &[Value]) -> Vec<String> {
    let texts = values.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
