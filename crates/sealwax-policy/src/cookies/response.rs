//! From the app to the client: the response as a whole.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use sealwax_cookie::{OpenedCookie, SetCookie};

use super::caches::{is_for_everybody, keep_for_one};
use super::outgoing::Outgoing;
use super::{Context, Learned, RequestCookies, sealed, value};
use crate::bind::{Came, Leaving};
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::Mode;
use crate::seal::is_for_a_domain;

/// Hardens every cookie that the response sets, deletes in every form what it
/// deletes, and clears away stale forms. Adds the names to remember to `learned`.
pub(crate) fn response(
    context: &Context<'_>,
    request: &mut RequestCookies,
    headers: &mut HeaderMap,
    learned: &mut Vec<Learned>,
    record: &mut Recorder,
) {
    if context.status == StatusCode::FORBIDDEN {
        if let Some(name) = &request.script_wanted {
            record.notable(|| {
                Change::new(Rule::CookieScriptWanted, Action::Reported, printable(name))
            });
        } else if context.asked.from_own_page && context.secure {
            record.notable(|| Change::new(Rule::SchemeUnknown, Action::Reported, "response"));
        }
    }
    if context.policy.bind.is_some() {
        hold_back(context, request.bind.as_deref(), headers, record);
    }
    let ours = !request.stale.is_empty() || !request.again.is_empty() || request.bind.is_some();
    let mut everybody = context.secure && ours && is_for_everybody(headers);
    if everybody && let Some(leaving) = &mut request.bind {
        everybody = !leaving.is_for_one();
        if everybody {
            leaving.offer_nothing();
        }
    }
    let mut out = Outgoing::new(context, learned, record, &request.stale, &mut request.bind);
    if context.secure {
        if let header::Entry::Occupied(mut fields) = headers.entry(header::SET_COOKIE) {
            for field in fields.iter_mut() {
                out.take(field);
            }
        }
        if !everybody {
            for (name, form) in request.stale.drain(..) {
                out.delete_stale(&name, form);
            }
        }
    } else if let header::Entry::Occupied(fields) = headers.entry(header::SET_COOKIE) {
        for field in fields.iter() {
            out.withhold(field);
        }
        fields.remove();
    }
    let legacy_client = out.legacy_client();
    // What the app sets or deletes is not overtaken by what came.
    request
        .again
        .retain(|cookie| !out.sets(cookie.contents().name));
    let Outgoing { more, saw_none, .. } = out;
    if !more.is_empty() {
        merge(headers, more);
    }
    if saw_none && context.policy.legacy_same_site {
        vary_by_user_agent(headers, context, record);
    }
    // Most sites seal nothing.
    if !context.secure || request.again.is_empty() && request.bind.is_none() {
        return;
    }
    if let Some(leaving) = &mut request.bind {
        leaving.delete_mark(headers);
    }
    if everybody {
        return;
    }
    let mut for_one = false;
    for cookie in request.again.drain(..) {
        let again = send_again(
            context,
            &cookie,
            request.bind.as_deref_mut(),
            legacy_client,
            record,
        );
        for_one |= again.is_some();
        headers.extend(again.map(|field| (header::SET_COOKIE, field)));
    }
    if let (Some(leaving), Some(bind)) = (request.bind.take(), &context.policy.bind) {
        for_one |= leaving.finish(bind, context.host, headers, record);
    }
    if for_one {
        keep_for_one(headers, record);
    }
}

/// Takes out what the app may not set: cookies of ours, and what would take the place of a bound one
/// that it did not get to see.
fn hold_back(
    context: &Context<'_>,
    leaving: Option<&Leaving>,
    headers: &mut HeaderMap,
    record: &mut Recorder,
) {
    let rule = |field: &HeaderValue| {
        let name = SetCookie::parse_field_value(field.as_bytes()).ok()?.name();
        if Came::is_ours(name) {
            return Some((Rule::BindOurName, printable(name)));
        }
        let kept = leaving.is_some_and(|leaving| leaving.keeps(name));
        kept.then(|| (Rule::BindKept, printable(name)))
    };
    let fields = headers.get_all(header::SET_COOKIE);
    if !fields.iter().any(|field| rule(field).is_some()) {
        return;
    }
    let mut stay = Vec::new();
    for field in fields {
        match rule(field) {
            None => stay.push(field.clone()),
            Some((rule, name)) => record.notable(|| {
                let applied = context.policy.mode == Mode::Enforce;
                Change::new(rule, Action::Removed, name).applied(applied)
            }),
        }
    }
    headers.remove(header::SET_COOKIE);
    headers.extend(stay.into_iter().map(|field| (header::SET_COOKIE, field)));
}

/// A sealed cookie that came, on its way back.
pub(crate) fn send_again(
    context: &Context<'_>,
    cookie: &OpenedCookie,
    leaving: Option<&mut Leaving>,
    legacy_client: bool,
    record: &mut Recorder,
) -> Option<HeaderValue> {
    let contents = cookie.contents();
    let bind = context.policy.bind.as_ref();
    let bound = bind.is_some_and(|bind| bind.covers(contents.name));
    let leaving = leaving.filter(|_| bound && !is_for_a_domain(cookie));
    let note = leaving.map(|leaving| leaving.note(contents.name, Some(contents.note), record));
    sealed::again(context, cookie, note.as_deref(), legacy_client, record)
}

/// The one thing that report mode does to a response: what this gateway sent out
/// under a prefix before would beat the cookie that the app sets or deletes now,
/// and nobody could log in or out.
pub(crate) fn take_back(context: &Context<'_>, headers: &mut HeaderMap, record: &mut Recorder) {
    if !context.secure {
        return;
    }
    let mut more = Vec::new();
    for field in headers.get_all(header::SET_COOKIE) {
        let Ok(cookie) = SetCookie::parse(field.as_bytes()) else {
            continue;
        };
        let Some(known) = context.state.names.get(cookie.name()) else {
            continue;
        };
        let path = cookie.effective_path(context.asked.path().as_bytes());
        for form in known.forms.iter().filter(|form| form.is_renamed()) {
            record.routine(|| {
                Change::new(Rule::CookieStale, Action::Removed, printable(cookie.name()))
            });
            more.extend(value(sealwax_cookie::delete_stale_at(
                cookie.name(),
                form,
                path,
            )));
        }
    }
    for field in more {
        headers.append(header::SET_COOKIE, field);
    }
}

/// Puts our fields between the app's, whose order stays.
fn merge(headers: &mut HeaderMap, mut more: Vec<(Option<usize>, HeaderValue)>) {
    // Stable, so that ours stay in their order too; `None` comes first.
    more.sort_by_key(|(behind, _)| *behind);
    let mut more = more.into_iter().peekable();
    let theirs: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    headers.remove(header::SET_COOKIE);
    while let Some((_, field)) = more.next_if(|(behind, _)| behind.is_none()) {
        headers.append(header::SET_COOKIE, field);
    }
    for (at, field) in theirs.into_iter().enumerate() {
        headers.append(header::SET_COOKIE, field);
        while let Some((_, field)) = more.next_if(|(behind, _)| *behind == Some(at)) {
            headers.append(header::SET_COOKIE, field);
        }
    }
}

fn vary_by_user_agent(headers: &mut HeaderMap, context: &Context<'_>, record: &mut Recorder) {
    let names_it = |line: &HeaderValue| {
        line.as_bytes()
            .split(|b| *b == b',')
            .map(<[u8]>::trim_ascii)
            .any(|name| name == b"*" || name.eq_ignore_ascii_case(b"user-agent"))
    };
    if !headers.get_all(header::VARY).iter().any(names_it) {
        let applied = context.policy.mode == Mode::Enforce;
        record.routine(|| {
            Change::new(Rule::VaryUserAgent, Action::Added, "vary")
                .after(b"User-Agent")
                .applied(applied)
        });
        headers.append(header::VARY, HeaderValue::from_static("User-Agent"));
    }
}
