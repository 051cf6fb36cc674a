//! The rules for a site's cookies.

use sealwax_cookie::{NameRule, NameRules, READABLE_BY_DEFAULT};
use sealwax_policy::SameSite;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::layer::SiteValues;
use crate::source::{Origin, Place};
use crate::view::View;

const HTTP_ONLY: &str = "site.cookies.names.*.http_only";
const PREFIX: &str = "site.cookies.names.*.prefix";

pub(crate) fn lower(site: &SiteValues, out: &mut Diagnostics) -> NameRules {
    let view = View(&site.values);
    check(site, out);
    let readable = view.texts("site.cookies.readable");
    let same_site = view.word("site.cookies.same_site");
    if same_site == Some("None") {
        out.push(
            Diagnostic::warning("cookies without `SameSite` will be sent with every cross-site request")
                .at_any(view.place("site.cookies.same_site"), "this counts for every cookie of the site")
                .mend("name the cookies that need it: names.sessionid = { same_site = \"None\" } in [site.cookies]"),
        );
    }
    let rules = site.cookies.iter().map(|(name, (_, values))| {
        let rules = View(values);
        NameRule {
            name: name.clone(),
            same_site: rules.word("site.cookies.names.*.same_site").and_then(floor),
            http_only: rules
                .written_flag(HTTP_ONLY)
                // Only its name was given, and the site says more about it.
                .filter(|_| !(is_bare_name(rules.place(HTTP_ONLY)) && readable.contains(name))),
            prefix: rules.written_flag(PREFIX),
        }
    });
    NameRules {
        harden_all: view.word("site.cookies.harden") == Some("all"),
        same_site: same_site.and_then(floor),
        prefix: view.flag("site.cookies.prefix"),
        rules: rules.collect(),
        readable,
        rename_domain: view.texts("site.cookies.rename_domain"),
        migrate: !view.duration("site.cookies.migrate").is_zero(),
    }
}

fn floor(word: &str) -> Option<SameSite> {
    SameSite::parse(word.as_bytes())
}

/// Whether the rule came from `SEALWAX_SESSION_COOKIE_NAME` or its like alone.
fn is_bare_name(place: Option<&Place>) -> bool {
    matches!(place.map(Place::origin), Some(Origin::Variable(name)) if name.ends_with("_COOKIE_NAME"))
}

/// What is said of one name must fit together.
fn check(site: &SiteValues, out: &mut Diagnostics) {
    let view = View(&site.values);
    let readable = view.items("site.cookies.readable");
    let renamed = view.items("site.cookies.rename_domain");
    let listed = |items: &'_ [(String, Place)], name: &str| {
        items
            .iter()
            .find(|(listed, _)| listed == name)
            .map(|(_, place)| place.clone())
    };
    for (name, place) in renamed {
        let by_default = READABLE_BY_DEFAULT.contains(&name.as_str());
        if let Some(other) = listed(readable, name) {
            out.push(
                Diagnostic::error(format!(
                    "the cookie `{name}` cannot both keep its name and be renamed"
                ))
                .at(place, "renamed here")
                .and(Some(&other), "kept as it is here")
                .mend(
                    "a cookie that scripts read keeps its name: leave it to one of the two lists",
                ),
            );
        } else if by_default && !site.cookies.contains_key(name) {
            out.push(
                Diagnostic::error(format!("the cookie `{name}` exists for scripts and keeps its name"))
                    .at(place, "cannot be renamed")
                    .mend(format!("leave it out; if no script reads it, write names.{name} = {{ prefix = true }} in [site.cookies]")),
            );
        }
    }
    check_sealed(view, out);
    for (name, (_, values)) in &site.cookies {
        let rules = View(values);
        if let Some(list) = listed(readable, name) {
            for (key, what) in [(HTTP_ONLY, "HttpOnly"), (PREFIX, "a prefix")] {
                if rules.written_flag(key) == Some(true) && !is_bare_name(rules.place(key)) {
                    out.push(
                        Diagnostic::error(format!(
                            "the cookie `{name}` cannot both be read by scripts and get {what}"
                        ))
                        .at_any(rules.place(key), "asked for here")
                        .and(Some(&list), "read by scripts")
                        .mend("leave out one of the two"),
                    );
                }
            }
        }
        if let (Some(list), Some(false)) = (listed(renamed, name), rules.written_flag(PREFIX)) {
            out.push(
                Diagnostic::error(format!(
                    "the cookie `{name}` cannot both keep its name and be renamed"
                ))
                .at(&list, "renamed here")
                .and(rules.place(PREFIX), "kept here")
                .mend("leave out one of the two"),
            );
        }
    }
}

/// What is sealed, no script can read.
fn check_sealed(view: View<'_>, out: &mut Diagnostics) {
    let readable = view.items("site.cookies.readable");
    let bound = view.items("site.bind.cookies");
    for (name, place) in view.items("site.cookies.seal").iter().chain(bound) {
        let listed = readable.iter().find(|(listed, _)| listed == name);
        let by_default = READABLE_BY_DEFAULT.contains(&name.as_str());
        if listed.is_none() && !by_default {
            continue;
        }
        out.push(
            Diagnostic::error(format!(
                "the cookie `{name}` cannot both be read by scripts and be sealed"
            ))
            .at(place, "sealed here")
            .and(listed.map(|(_, place)| place), "read by scripts")
            .mend(match listed {
                Some(_) => "leave it to one of the two lists",
                None => "leave it out: it exists for scripts",
            }),
        );
    }
}
