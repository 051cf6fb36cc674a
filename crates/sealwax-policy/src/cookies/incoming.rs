//! From the client to the app.

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use sealwax_cookie::NameRules;

use super::sealed::{self, Opening};
use super::{RequestCookies, value};
use crate::bind::{Bind, Came};
use crate::exchange::State;
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::{Mode, Policy};

/// How the client came.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    /// The host that it asks for, without a port.
    pub(crate) host: &'a str,
    /// Over HTTPS.
    pub(crate) secure: bool,
}

/// Rewrites the request's Cookie header, which it has, into the one the app may see. `bind` is what
/// cookies are bound by, if they are.
pub(crate) fn request(
    policy: &Policy,
    bind: Option<&Bind>,
    client: Client<'_>,
    request: &mut Parts,
    state: State<'_>,
    record: &mut Recorder,
) -> (RequestCookies, Option<Box<Came>>) {
    let opening = |plain_too| {
        policy.seal.as_ref().map(|seal| Opening {
            seal,
            bind,
            client,
            names: state.names,
            now: state.now,
            plain_too,
            enforcing: policy.mode == Mode::Enforce,
        })
    };
    let (mut cookies, came) = match policy.mode {
        Mode::Enforce => {
            let rules = &policy.cookies;
            translate(rules, opening(rules.migrate), request, state, record)
        }
        Mode::Report => {
            // Nothing is renamed nor sealed, so bare names and plain values must be let in.
            let rules = NameRules {
                migrate: true,
                ..policy.cookies.clone()
            };
            translate(&rules, opening(true), request, state, record)
        }
    };
    // A page is rarely loaded beside another request that sets the cookie, whose value must not be
    // overtaken by an older one.
    if !cookies.again.is_empty() && (policy.mode == Mode::Report || !is_navigation(request)) {
        cookies.again.clear();
    }
    (cookies, came)
}

fn translate(
    rules: &NameRules,
    opening: Option<Opening<'_>>,
    request: &mut Parts,
    state: State<'_>,
    record: &mut Recorder,
) -> (RequestCookies, Option<Box<Came>>) {
    let mut cookies = RequestCookies::default();
    let headers = &mut request.headers;
    let came = rewrite(rules, opening, headers, state, &mut cookies, record);
    cookies.script_wanted = script_wanted(rules, request);
    (cookies, came)
}

/// Writes the header anew, and notes down what of it the response must know. What came of binding is
/// boxed, for it is large, and `None` where nothing is bound.
fn rewrite(
    rules: &NameRules,
    opening: Option<Opening<'_>>,
    headers: &mut HeaderMap,
    state: State<'_>,
    cookies: &mut RequestCookies,
    record: &mut Recorder,
) -> Option<Box<Came>> {
    let bound = opening
        .as_ref()
        .is_some_and(|opening| opening.bind.is_some());
    let skipped = bound && Came::is_skipped(headers);
    let mut came = None;
    let header::Entry::Occupied(mut fields) = headers.entry(header::COOKIE) else {
        return came;
    };
    let values = || fields.iter().map(HeaderValue::as_bytes);
    let inbound = sealwax_cookie::inbound_field_values(values(), rules, state.names);
    for (name, why) in &inbound.dropped {
        record.notable(|| Change::new(Rule::CookieDropped(*why), Action::Removed, printable(name)));
    }
    cookies.stale = inbound.stale;
    let mut header = None;
    if let Some(opening) = opening {
        let canonical = match inbound.unchanged {
            true => fields.get().as_bytes(),
            false => inbound.header.as_deref().unwrap_or_default(),
        };
        if let Some(bind) = opening.bind {
            // No browser sends a proof over plain HTTP. They are read as they came: what the names
            // of the app's cookies become has nothing to do with ours.
            let ours = opening.client.secure.then(values).into_iter().flatten();
            let (host, now) = (opening.client.host, opening.now);
            came = Some(Box::new(Came::read(bind, ours, skipped, host, now, record)));
        }
        let opened = sealed::open(&opening, canonical, &mut came, record);
        cookies.again = opened.aged;
        header = opened.header;
    }
    if inbound.unchanged && header.is_none() {
        return came;
    }
    let after = header
        .or(inbound.header)
        .filter(|header| !header.is_empty());
    let after = after.and_then(value);
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
    came
}

/// A page that is being loaded into a window or frame.
fn is_navigation(request: &Parts) -> bool {
    let mode = request.headers.get("sec-fetch-mode");
    request.method == Method::GET && mode.is_some_and(|mode| mode == "navigate")
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
