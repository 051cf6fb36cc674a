//! Cookies in both directions: one site's rules and memory put to work on the
//! headers of one exchange. What is done to a single cookie is the business of
//! `sealwax-cookie`.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use sealwax_cookie::{
    Demand, Form, Hardened, Known, NameRules, Refusal, Remembered, SameSite, SameSiteAttribute,
    SetCookie,
};

use crate::exchange::{Asked, State};
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::{Mode, Policy};

const SECONDS_PER_DAY: u64 = 86_400;

/// A cookie name that the app set, to be remembered
/// ([`sealwax_cookie::KnownNames::learn`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// The name as the app wrote it.
    pub name: Vec<u8>,
    /// The form in which it left.
    pub form: Form,
    /// Whether the `SameSite` floor was put under it.
    pub floored: bool,
    /// The day, in days since the Unix epoch.
    pub day: u32,
}

/// What the request's cookies mean for the response.
#[derive(Debug, Default)]
pub(crate) struct RequestCookies {
    /// Forms that the client holds and that are no longer accepted.
    stale: Vec<(Vec<u8>, Form)>,
    /// The CSRF cookie of a script's request that came without its header.
    script_wanted: Option<Vec<u8>>,
}

/// What the response rules need.
pub(crate) struct Context<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) asked: &'a Asked,
    pub(crate) secure: bool,
    pub(crate) status: StatusCode,
    pub(crate) state: State<'a>,
}

/// Rewrites the request's Cookie header, which it has, into the one the app may see.
pub(crate) fn request(
    policy: &Policy,
    request: &mut Parts,
    state: State<'_>,
    record: &mut Recorder,
) -> RequestCookies {
    let rules = effective_rules(policy);
    let stale = rewrite(&rules, &mut request.headers, state, record);
    RequestCookies {
        stale,
        script_wanted: script_wanted(&rules, request),
    }
}

/// In report mode nothing is renamed, so bare names must be let in.
fn effective_rules(policy: &Policy) -> Cow<'_, NameRules> {
    match policy.mode {
        Mode::Enforce => Cow::Borrowed(&policy.cookies),
        Mode::Report => Cow::Owned(NameRules {
            migrate: true,
            ..policy.cookies.clone()
        }),
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
    let inbound = sealwax_cookie::inbound(values(), rules, state.names);
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

/// Hardens every cookie that the response sets, deletes in every form what it
/// deletes, and clears away stale forms. Returns the names to remember.
pub(crate) fn response(
    context: &Context<'_>,
    request: &mut RequestCookies,
    headers: &mut HeaderMap,
    record: &mut Recorder,
) -> Vec<Learned> {
    if context.status == StatusCode::FORBIDDEN {
        if let Some(name) = &request.script_wanted {
            record.notable(|| {
                Change::new(Rule::CookieScriptWanted, Action::Reported, printable(name))
            });
        } else if context.asked.from_own_page && context.secure {
            record.notable(|| Change::new(Rule::SchemeUnknown, Action::Reported, "response"));
        }
    }
    let mut out = Outgoing {
        context,
        record,
        learned: Vec::new(),
        set: Vec::new(),
        more: Vec::new(),
        at: 0,
        saw_none: false,
    };
    out.watch(&request.stale);
    if context.secure {
        if let header::Entry::Occupied(mut fields) = headers.entry(header::SET_COOKIE) {
            for field in fields.iter_mut() {
                if let Some(rewritten) = out.rewrite(field) {
                    *field = rewritten;
                }
                out.at += 1;
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
    let Outgoing {
        learned,
        more,
        saw_none,
        ..
    } = out;
    if !more.is_empty() {
        merge(headers, more);
    }
    if saw_none && context.policy.legacy_same_site {
        vary_by_user_agent(headers, context, record);
    }
    learned
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

/// The Set-Cookie fields of one response on their way out.
struct Outgoing<'a, 'r> {
    context: &'a Context<'a>,
    record: &'r mut Recorder,
    learned: Vec<Learned>,
    /// Of the names that the client holds in a stale form: whether the response
    /// sets them, and as what.
    set: Vec<(Vec<u8>, Option<Form>)>,
    /// Fields of ours, each with the number of the app's field that it goes
    /// behind; `None` goes before all.
    more: Vec<(Option<usize>, HeaderValue)>,
    /// The number of the app's field at hand.
    at: usize,
    /// Some cookie is meant for cross-site use.
    saw_none: bool,
}

impl Outgoing<'_, '_> {
    fn applied(&self) -> bool {
        self.context.policy.mode == Mode::Enforce
    }

    fn watch(&mut self, stale: &[(Vec<u8>, Form)]) {
        self.set
            .extend(stale.iter().map(|(name, _)| (name.clone(), None)));
    }

    /// What goes out instead of `field`, if anything does.
    fn rewrite(&mut self, field: &HeaderValue) -> Option<HeaderValue> {
        match &SetCookie::parse(field.as_bytes()) {
            Ok(cookie) => self.rewrite_valid(cookie),
            Err(refusal) => {
                self.report_invalid(field, *refusal);
                None
            }
        }
    }

    fn rewrite_valid(&mut self, cookie: &SetCookie<'_>) -> Option<HeaderValue> {
        let remembered = self.context.state.names.look_up(cookie.name());
        let known = remembered.known();
        let mut demand = self.context.policy.cookies.demand(cookie, known);
        self.saw_none |= cookie.same_site() == SameSiteAttribute::Is(SameSite::None)
            || demand.same_site == Some(SameSite::None);
        demand.legacy_client = self.legacy_client();
        // Unix time fits an i64 for the next 292 billion years.
        let now = i64::try_from(self.context.state.now).unwrap_or(i64::MAX);
        if cookie.is_deletion(now) {
            return self.delete(cookie, &demand, known);
        }
        let path = self.context.asked.path().as_bytes();
        let hardened = sealwax_cookie::harden(cookie, path, &demand);
        self.report(cookie, &hardened);
        self.learn(cookie, &hardened, remembered);
        self.make_way(cookie, hardened.form, known);
        match hardened.field {
            Cow::Owned(bytes) => value(bytes),
            Cow::Borrowed(_) => None,
        }
    }

    fn report_invalid(&mut self, field: &HeaderValue, refusal: Refusal) {
        let applied = self.applied();
        self.record.notable(|| {
            Change::new(
                Rule::CookieInvalid,
                Action::Reported,
                printable(name_like(field.as_bytes())),
            )
            .after(refusal.to_string().as_bytes())
            .applied(applied)
        });
    }

    /// The first field of a deletion; the others go right behind it.
    fn delete(
        &mut self,
        cookie: &SetCookie<'_>,
        demand: &Demand,
        known: Option<Known>,
    ) -> Option<HeaderValue> {
        let applied = self.applied();
        let path = self.context.asked.path().as_bytes();
        let mut fields = sealwax_cookie::deletions(cookie, path, demand, known)
            .into_iter()
            .filter_map(value);
        let first = fields.next();
        let begin = self.more.len();
        self.more.extend(fields.map(|field| (Some(self.at), field)));
        let more = self.more.get(begin..).unwrap_or_default();
        self.record.routine(|| {
            let first = first
                .as_ref()
                .map_or(cookie.as_bytes(), HeaderValue::as_bytes);
            let all: Vec<&[u8]> = std::iter::once(first)
                .chain(more.iter().map(|(_, field)| field.as_bytes()))
                .collect();
            Change::new(
                Rule::CookieDeleted,
                Action::Changed,
                printable(cookie.name()),
            )
            .before(cookie.as_bytes())
            .after(&all.join(&b"\n"[..]))
            .applied(applied)
        });
        first
    }

    fn report(&mut self, cookie: &SetCookie<'_>, hardened: &Hardened<'_>) {
        let readable =
            !cookie.http_only() && !hardened.changes.has(sealwax_cookie::Change::HttpOnly);
        if !self.record.listens() && !hardened.changes.any_note() && !readable {
            return;
        }
        let applied = self.applied();
        let subject = || printable(cookie.name());
        for change in hardened.changes.iter() {
            let make = || {
                let action = if change.is_note() {
                    Action::Reported
                } else {
                    Action::Changed
                };
                Change::new(Rule::Cookie(change), action, subject())
                    .before(cookie.as_bytes())
                    .after(&hardened.field)
                    .applied(applied)
            };
            // What cannot be protected somebody should know; the driver tells it once.
            if change.is_note() {
                self.record.notable(make);
            } else {
                self.record.routine(make);
            }
        }
        if readable && !self.context.policy.cookies.is_readable(cookie.name()) {
            self.record.notable(|| {
                Change::new(Rule::CookieReadable, Action::Reported, subject()).applied(applied)
            });
        }
    }

    fn learn(
        &mut self,
        cookie: &SetCookie<'_>,
        hardened: &Hardened<'_>,
        remembered: Remembered<'_>,
    ) {
        let form = match hardened.form {
            // In report mode it leaves under its own name.
            Form::Host | Form::Secure if !self.applied() => Form::Bare,
            form => form,
        };
        let floored = hardened.changes.has(sealwax_cookie::Change::SameSite);
        let day = u32::try_from(self.context.state.now / SECONDS_PER_DAY).unwrap_or(u32::MAX);
        if remembered.would_learn(form, floored, day) {
            self.learned.push(Learned {
                name: cookie.name().to_vec(),
                form,
                floored,
                day,
            });
        }
    }

    /// A cookie that leaves under its own name would lose to an older prefixed
    /// one on its way back.
    fn make_way(&mut self, cookie: &SetCookie<'_>, form: Form, known: Option<Known>) {
        for (name, set) in &mut self.set {
            if name == cookie.name() {
                *set = Some(form);
            }
        }
        for old in sealwax_cookie::superseded(form, known.into()).iter() {
            let applied = self.applied();
            self.record.routine(|| {
                Change::new(Rule::CookieStale, Action::Removed, printable(cookie.name()))
                    .applied(applied)
            });
            self.delete_before_all(cookie.name(), old);
        }
    }

    fn delete_stale(&mut self, name: &[u8], form: Form) {
        // The app may just have set it under that very name.
        let set = self
            .set
            .iter()
            .find(|(watched, _)| watched == name)
            .and_then(|(_, set)| *set);
        if set.is_some_and(|set| set.shares_name_with(form)) {
            return;
        }
        let applied = self.applied();
        self.record.notable(|| {
            Change::new(Rule::CookieStale, Action::Removed, printable(name)).applied(applied)
        });
        self.delete_before_all(name, form);
    }

    /// Browsers go through the fields in order, so whatever the app sets in
    /// this response wins.
    fn delete_before_all(&mut self, name: &[u8], form: Form) {
        let deletion = value(sealwax_cookie::delete_stale(name, form));
        self.more.extend(deletion.map(|field| (None, field)));
    }

    fn withhold(&mut self, field: &HeaderValue) {
        let applied = self.applied();
        self.record.notable(|| {
            Change::new(
                Rule::CookieWithheld,
                Action::Removed,
                printable(name_like(field.as_bytes())),
            )
            .applied(applied)
        });
    }

    fn legacy_client(&self) -> bool {
        let agent = self.context.asked.user_agent.as_ref();
        self.context.policy.legacy_same_site
            && agent.is_some_and(|agent| sealwax_cookie::cannot_read_none(agent.as_bytes()))
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

fn value(bytes: Vec<u8>) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(bytes::Bytes::from(bytes)).ok()
}

/// What stands before the first `=` or `;`: enough to name a cookie that cannot
/// be parsed, and never its value.
fn name_like(field: &[u8]) -> &[u8] {
    let end = field
        .iter()
        .position(|b| matches!(b, b'=' | b';'))
        .unwrap_or(0);
    field.get(..end).unwrap_or_default().trim_ascii()
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
