//! From the client to the app.

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use sealwax_cookie::{Form, NameRules};

use super::{RequestCookies, value};
use crate::exchange::State;
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::{Mode, Policy};

/// Rewrites the request's Cookie header, which it has, into the one the app may see.
pub(crate) fn request(
    policy: &Policy,
    request: &mut Parts,
    state: State<'_>,
    record: &mut Recorder,
) -> RequestCookies {
    match policy.mode {
        Mode::Enforce => translate(&policy.cookies, request, state, record),
        Mode::Report => {
            // Nothing is renamed, so bare names must be let in.
            let rules = NameRules {
                migrate: true,
                ..policy.cookies.clone()
            };
            translate(&rules, request, state, record)
        }
    }
}

fn translate(
    rules: &NameRules,
    request: &mut Parts,
    state: State<'_>,
    record: &mut Recorder,
) -> RequestCookies {
    RequestCookies {
        stale: rewrite(rules, &mut request.headers, state, record),
        script_wanted: script_wanted(rules, request),
    }
}

/// Returns the forms that the client holds and that are no longer accepted.
fn rewrite(
    rules: &NameRules,
    headers: &mut HeaderMap,
    state: State<'_>,
    record: &mut Recorder,
) -> Vec<(Vec<u8>, Form)> {
    let header::Entry::Occupied(mut fields) = headers.entry(header::COOKIE) else {
        return Vec::new();
    };
    let values = || fields.iter().map(HeaderValue::as_bytes);
    let inbound = sealwax_cookie::inbound_field_values(values(), rules, state.names);
    for (name, why) in &inbound.dropped {
        record.notable(|| Change::new(Rule::CookieDropped(*why), Action::Removed, printable(name)));
    }
    if inbound.unchanged {
        return inbound.stale;
    }
    let after = inbound.header.and_then(value);
    record.routine(|| {
        let before: Vec<&[u8]> = values().collect();
        let change = Change::new(Rule::CookieCanonical, Action::Changed, "cookie")
            .before(&before.join(&b"; "[..]));
        match &after {
            Some(value) => change.after(value.as_bytes()),
            None => change,
        }
    });
    match after {
        Some(value) => drop(fields.insert(value)),
        None => drop(fields.remove()),
    }
    inbound.stale
}

/// Lax, where the app said nothing, also ends Chrome's two minutes of grace for
/// cross-site POST. Whoever relies on it (SAML, `form_post`) should hear why
/// the session is gone.
pub(crate) fn report_cross_site_post(request: &Parts, state: State<'_>, record: &mut Recorder) {
    let says = |name: &str, value: &str| request.headers.get(name).is_some_and(|v| v == value);
    if !says("sec-fetch-site", "cross-site") || !says("sec-fetch-mode", "navigate") {
        return;
    }
    let sent = request
        .headers
        .get(header::COOKIE)
        .map(HeaderValue::as_bytes);
    let mut came: Vec<&[u8]> = sealwax_cookie::pairs(sent)
        .filter_map(sealwax_cookie::Pairing::good)
        .map(|pair| pair.name)
        .collect();
    // The client decides how many there are, so looking must be cheap.
    came.sort_unstable();
    for (name, known) in state.names.iter() {
        if known.floored && came.binary_search(&name).is_err() {
            record.notable(|| {
                Change::new(Rule::CookieCrossSitePost, Action::Reported, printable(name))
            });
        }
    }
}

/// The CSRF cookie, renamed or made HttpOnly by us, on a script's request that
/// lacks the header which scripts copy it into.
fn script_wanted(rules: &NameRules, request: &Parts) -> Option<Vec<u8>> {
    let headers = &request.headers;
    let unsafe_method = !matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|v| v == value);
    if !unsafe_method || !is("sec-fetch-site", "same-origin") || is("sec-fetch-mode", "navigate") {
        return None;
    }
    if ["x-csrftoken", "x-csrf-token", "x-xsrf-token"]
        .iter()
        .any(|name| headers.contains_key(*name))
    {
        return None;
    }
    let cookie = headers.get(header::COOKIE)?;
    sealwax_cookie::pairs([cookie.as_bytes()])
        .filter_map(sealwax_cookie::Pairing::good)
        .find(|pair| sealwax_cookie::is_csrf_name(pair.name) && !rules.is_readable(pair.name))
        .map(|pair| pair.name.to_vec())
}
