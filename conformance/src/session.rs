//! What a response does with its session.

use sealwax_django::session::{self, Action, CookieLife, Facts};
use serde_json::{Value, json};

use crate::wire::{Answer, Args, Failure};

pub(crate) fn decide(args: &Args<'_>) -> Answer {
    let facts = Facts {
        cookie_sent: args.flag("cookie_sent"),
        accessed: args.flag("accessed"),
        modified: args.flag("modified"),
        empty: args.flag("empty"),
        save_every_request: args.settings()?.flag("SESSION_SAVE_EVERY_REQUEST"),
        status: u16::try_from(args.number("status")?).map_err(Failure::bug)?,
        at_browser_close: args.flag("close"),
        // Only sent where a cookie may be set.
        age: args.get("age").as_i64().unwrap_or_default(),
    };
    let decision = session::decide(&facts, args.seconds("now")?);
    let (save, life) = match &decision.action {
        Action::Save(CookieLife::For { max_age, expires }) => (true, Some((max_age, expires))),
        Action::Save(CookieLife::Browser) => (true, None),
        Action::Delete | Action::Nothing => (false, None),
    };
    let (max_age, expires) = match life {
        Some((max_age, expires)) => (json!(max_age), json!(expires)),
        None => (Value::Null, Value::Null),
    };
    Ok(json!({
        "delete": decision.action == Action::Delete,
        "save": save,
        "vary": decision.vary,
        "max_age": max_age,
        "expires": expires,
    }))
}
