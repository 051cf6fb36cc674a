//! Cookies as Django writes and reads them.

use sealwax_django::cookie::{self, Attributes};
use serde_json::{Map, Value, json};

use crate::wire::{Answer, Args, Failure};

pub(crate) fn format(args: &Args<'_>) -> Answer {
    let given = Args::of(args.get("attrs"))?;
    let text = |name: &str| given.optional_text(name);
    let max_age = match given.get("max-age") {
        Value::Null => None,
        Value::String(seconds) if seconds.is_empty() => None,
        Value::String(seconds) => Some(seconds.parse().map_err(Failure::value)?),
        seconds => Some(seconds.as_i64().ok_or_else(|| Failure::value("no age"))?),
    };
    let attributes = Attributes {
        comment: text("comment"),
        domain: text("domain"),
        expires: text("expires"),
        http_only: given.flag("httponly"),
        max_age,
        partitioned: given.flag("partitioned"),
        path: text("path"),
        same_site: text("samesite"),
        secure: given.flag("secure"),
        version: text("version"),
    };
    let line = cookie::format(args.text("name")?, args.text("value")?, &attributes);
    line.map(|line| json!(line)).map_err(Failure::value)
}

pub(crate) fn parse(args: &Args<'_>) -> Answer {
    let cookies = cookie::parse(args.text("header")?);
    let cookies: Map<String, Value> = cookies
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    Ok(cookies.into())
}
