//! Cookies in both directions: one site's rules and memory put to work on the
//! headers of one exchange. What is done to a single cookie is the business of
//! `sealwax-cookie`.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use sealwax_cookie::{Form, Hardened, Known, NameRules, SetCookie};

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

/// Rewrites the request's Cookie header into the one the app may see.
pub(crate) fn request(
    policy: &Policy,
    request: &mut Parts,
    state: State<'_>,
    record: &mut Recorder,
) -> RequestCookies {
    let rules = effective_rules(policy);
    let mut cookies = RequestCookies::default();
    if request.headers.contains_key(header::COOKIE) {
        read(&rules, request, state, &mut cookies, record);
    }
    if request.method == Method::POST {
        report_cross_site_post(request, state, record);
    }
    cookies
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

fn read(
    rules: &NameRules,
    request: &mut Parts,
    state: State<'_>,
    cookies: &mut RequestCookies,
    record: &mut Recorder,
) {
    let fields = request.headers.get_all(header::COOKIE);
    let inbound =
        sealwax_cookie::inbound(fields.iter().map(HeaderValue::as_bytes), rules, state.names);
    for (name, why) in &inbound.dropped {
        record.notable(|| Change::new(Rule::CookieDropped(*why), Action::Removed, printable(name)));
    }
    cookies.stale = inbound.stale;
    if inbound.unchanged {
        cookies.script_wanted = script_wanted(rules, request);
        return;
    }
    let before: Vec<&[u8]> = fields.iter().map(HeaderValue::as_bytes).collect();
    let before = before.join(&b"; "[..]);
    let after = inbound
        .header
        .and_then(|bytes| HeaderValue::from_maybe_shared(bytes::Bytes::from(bytes)).ok());
    record.routine(|| {
        let change = Change::new(Rule::CookieCanonical, Action::Changed, "cookie").before(&before);
        match &after {
            Some(value) => change.after(value.as_bytes()),
            None => change,
        }
    });
    match after {
        Some(value) => {
            request.headers.insert(header::COOKIE, value);
            cookies.script_wanted = script_wanted(rules, request);
        }
        None => {
            request.headers.remove(header::COOKIE);
        }
    }
}

/// Lax, where the app said nothing, also ends Chrome's two minutes of grace for
/// cross-site POST. Whoever relies on it (SAML, `form_post`) should hear why
/// the session is gone.
fn report_cross_site_post(request: &Parts, state: State<'_>, record: &mut Recorder) {
    let says = |name: &str, value: &str| request.headers.get(name).is_some_and(|v| v == value);
    if !says("sec-fetch-site", "cross-site") || !says("sec-fetch-mode", "navigate") {
        return;
    }
    let sent = request
        .headers
        .get(header::COOKIE)
        .map(HeaderValue::as_bytes);
    for (name, known) in state.names.iter() {
        let came =
            sealwax_cookie::pairs(sent).any(|pair| pair.good().is_some_and(|p| p.name == name));
        if known.floored && !came {
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
    if context.status == StatusCode::FORBIDDEN
        && let Some(name) = &request.script_wanted
    {
        record.notable(|| Change::new(Rule::CookieScriptWanted, Action::Reported, printable(name)));
    }
    let mut out = Outgoing {
        context,
        record,
        learned: Vec::new(),
        set: Vec::new(),
        more: Vec::new(),
        saw_none: false,
    };
    out.watch(&request.stale);
    if context.secure {
        if let header::Entry::Occupied(mut fields) = headers.entry(header::SET_COOKIE) {
            for field in fields.iter_mut() {
                out.rewrite(field);
            }
        }
        for (name, form) in request.stale.drain(..) {
            out.delete_stale(&name, form);
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
    for field in more {
        headers.append(header::SET_COOKIE, field);
    }
    if saw_none && context.policy.legacy_same_site {
        vary_by_user_agent(headers, context, record);
    }
    learned
}

/// The Set-Cookie fields of one response on their way out.
struct Outgoing<'a, 'r> {
    context: &'a Context<'a>,
    record: &'r mut Recorder,
    learned: Vec<Learned>,
    /// Of the names that the client holds in a stale form: whether the response
    /// sets them, and as what.
    set: Vec<(Vec<u8>, Option<Form>)>,
    /// Fields to append behind the app's own.
    more: Vec<HeaderValue>,
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

    fn rewrite(&mut self, field: &mut HeaderValue) {
        let applied = self.applied();
        let original = field.clone();
        let cookie = match SetCookie::parse(original.as_bytes()) {
            Ok(cookie) => cookie,
            Err(refusal) => {
                self.record.notable(|| {
                    Change::new(
                        Rule::CookieInvalid,
                        Action::Reported,
                        printable(name_like(original.as_bytes())),
                    )
                    .after(refusal.to_string().as_bytes())
                    .applied(applied)
                });
                return;
            }
        };
        let rules = &self.context.policy.cookies;
        let known = self.context.state.names.get(cookie.name());
        let mut demand = rules.demand(&cookie, known);
        self.saw_none |= cookie.same_site()
            == sealwax_cookie::SameSiteAttribute::Is(sealwax_cookie::SameSite::None)
            || demand.same_site == Some(sealwax_cookie::SameSite::None);
        demand.legacy_client = self.legacy_client();
        let path = self.context.asked.path().as_bytes();
        // Unix time fits an i64 for the next 292 billion years.
        let now = i64::try_from(self.context.state.now).unwrap_or(i64::MAX);
        if cookie.is_deletion(now) {
            let mut fields = sealwax_cookie::deletions(&cookie, path, &demand, known)
                .into_iter()
                .filter_map(value);
            if let Some(first) = fields.next() {
                *field = first;
            }
            self.more.extend(fields);
            let more = &self.more;
            self.record.routine(|| {
                let all: Vec<&[u8]> = std::iter::once(&*field)
                    .chain(more)
                    .map(HeaderValue::as_bytes)
                    .collect();
                Change::new(
                    Rule::CookieDeleted,
                    Action::Changed,
                    printable(cookie.name()),
                )
                .before(original.as_bytes())
                .after(&all.join(&b"\n"[..]))
                .applied(applied)
            });
            return;
        }
        let hardened = sealwax_cookie::harden(&cookie, path, &demand);
        self.report(&cookie, &hardened);
        self.learn(&cookie, &hardened);
        self.make_way(&cookie, hardened.form, known);
        if let Cow::Owned(bytes) = hardened.field
            && let Some(hardened) = value(bytes)
        {
            *field = hardened;
        }
    }

    fn report(&mut self, cookie: &SetCookie<'_>, hardened: &Hardened<'_>) {
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
            // What cannot be protected is told once, when the name is new.
            if change.is_note() && self.context.state.names.get(cookie.name()).is_none() {
                self.record.notable(make);
            } else {
                self.record.routine(make);
            }
        }
        let readable =
            !cookie.http_only() && !hardened.changes.has(sealwax_cookie::Change::HttpOnly);
        if readable && !self.context.policy.cookies.is_readable(cookie.name()) {
            let make =
                || Change::new(Rule::CookieReadable, Action::Reported, subject()).applied(applied);
            if self.context.state.names.get(cookie.name()).is_none() {
                self.record.notable(make);
            } else {
                self.record.routine(make);
            }
        }
    }

    fn learn(&mut self, cookie: &SetCookie<'_>, hardened: &Hardened<'_>) {
        let form = match hardened.form {
            // In report mode it leaves under its own name.
            Form::Host | Form::Secure if !self.applied() => Form::Bare,
            form => form,
        };
        let floored = hardened.changes.has(sealwax_cookie::Change::SameSite);
        let day = u32::try_from(self.context.state.now / SECONDS_PER_DAY).unwrap_or(u32::MAX);
        if self
            .context
            .state
            .names
            .would_learn(cookie.name(), form, floored, day)
        {
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
            self.more
                .extend(value(sealwax_cookie::delete_stale(cookie.name(), old)));
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
        self.more
            .extend(value(sealwax_cookie::delete_stale(name, form)));
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
