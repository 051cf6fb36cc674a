//! Cookies that are bound to the browser's device.

use sealwax_bind::Lifetime;
use sealwax_policy::{Fallback, Mode, Paths};

use crate::config::Bind;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::layer::SiteEntry;
use crate::site::{Draft, patterns};
use crate::view::View;

const COOKIES: &str = "site.bind.cookies";
const LIFETIME: &str = "site.bind.lifetime";

/// The names of the cookies that are sealed: those that are bound have to be.
pub(crate) fn sealed(view: View<'_>) -> Vec<String> {
    let mut names = view.texts("site.cookies.seal");
    for name in view.texts(COOKIES) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub(crate) fn lower(draft: &Draft<'_>, entry: &SiteEntry, out: &mut Diagnostics) -> Option<Bind> {
    let view = draft.view;
    let cookies = view.texts(COOKIES);
    if cookies.is_empty() {
        check_unused(draft, entry, out);
        return None;
    }
    // The table has the same bounds.
    let lifetime = Lifetime::from_seconds(view.duration(LIFETIME).as_secs()).unwrap_or_default();
    if let Some(warning) = lifetime.warning() {
        out.push(
            Diagnostic::warning("proofs that last so short a time ask much of browsers")
                .at_any(view.place(LIFETIME), "the lifetime of a proof")
                .mend(warning),
        );
    }
    let fresh = entry
        .site
        .fresh
        .iter()
        .filter_map(|(pattern, (_, values))| {
            // The pattern compiled when it was read.
            let paths = Paths::new([pattern]).ok()?;
            Some((paths, View(values).duration("site.bind.fresh.*")))
        });
    Some(Bind {
        cookies,
        mode: match view.word("site.bind.mode") {
            Some("report") => Mode::Report,
            _ => Mode::Enforce,
        },
        lifetime,
        born_on: patterns("site.bind.born_on", draft, out),
        fresh: fresh.collect(),
        fallback: match view.word("site.bind.fallback") {
            Some("deny") => Fallback::Deny,
            _ => Fallback::Allow,
        },
    })
}

/// Without a cookie nothing of it counts, and whoever wrote it believes that it does.
fn check_unused(draft: &Draft<'_>, entry: &SiteEntry, out: &mut Diagnostics) {
    if draft.view.broken(COOKIES) {
        return;
    }
    let keys = ["mode", "lifetime", "born_on", "fallback"];
    let written = keys
        .iter()
        .find_map(|key| draft.view.place(&format!("site.bind.{key}")));
    let fresh = entry.site.fresh.values().map(|(place, _)| place).next();
    if let Some(place) = written.or(fresh) {
        out.push(
            Diagnostic::error("no cookie is bound")
                .at(place, "this counts for bound cookies only")
                .mend(
                    "name them: cookies = [\"sessionid\"] in [site.bind]; or leave the table out",
                ),
        );
    }
}
