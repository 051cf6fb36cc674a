//! From the app to the client: the response as a whole.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use sealwax_cookie::SetCookie;

use super::outgoing::Outgoing;
use super::{Context, Learned, RequestCookies, value};
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::Mode;

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
    let mut out = Outgoing::new(context, learned, record, &request.stale);
    if context.secure {
        if let header::Entry::Occupied(mut fields) = headers.entry(header::SET_COOKIE) {
            for field in fields.iter_mut() {
                out.take(field);
            }
        }
        if !request.stale.is_empty() && !is_for_everybody(headers) {
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
    let Outgoing { more, saw_none, .. } = out;
    if !more.is_empty() {
        merge(headers, more);
    }
    if saw_none && context.policy.legacy_same_site {
        vary_by_user_agent(headers, context, record);
    }
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

/// Whether shared caches may keep the response (RFC 9111 §3): what one client
/// holds must not reach all others, nor cost them the cache.
fn is_for_everybody(headers: &HeaderMap) -> bool {
    let directives = || {
        headers
            .get_all(header::CACHE_CONTROL)
            .iter()
            .flat_map(|line| line.as_bytes().split(|b| *b == b','))
            .map(<[u8]>::trim_ascii)
    };
    let says = |name: &[u8]| {
        directives().any(|directive| {
            let own = directive.split(|b| *b == b'=').next().unwrap_or_default();
            own.trim_ascii().eq_ignore_ascii_case(name)
        })
    };
    let forbids = [&b"private"[..], b"no-store", b"no-cache"];
    let allows = [&b"public"[..], b"s-maxage", b"max-age", b"immutable"];
    allows.into_iter().any(says) && !forbids.into_iter().any(says)
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
