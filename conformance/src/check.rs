//! `manage.py check --deploy`.

use sealwax_django::check::{Check, Settings};
use serde::Deserialize as _;
use serde_json::json;

use crate::wire::{Answer, Args, Failure};

/// The ids that one of Django's check functions reports: `W004`, or
/// `W025:SECRET_KEY_FALLBACKS[0]` where an id is for several settings.
pub(crate) fn run(args: &Args<'_>) -> Answer {
    let name = args.text("name")?;
    let check = Check::named(name).ok_or_else(|| Failure::bug(format!("no check {name}")))?;
    let settings = Settings::deserialize(args.get("s")).map_err(Failure::bug)?;
    let found = check.run(&settings).into_iter().map(|finding| {
        let id = finding.id.strip_prefix("security.").unwrap_or(finding.id);
        match finding.subject {
            Some(subject) => format!("{id}:{subject}"),
            None => id.to_owned(),
        }
    });
    Ok(json!(found.collect::<Vec<_>>()))
}
