//! The Set-Cookie fields of one response, one by one.

use std::borrow::Cow;

use http::header::HeaderValue;
use sealwax_cookie::{
    Demand, Form, Hardened, Known, Refusal, Remembered, Rename, SameSite, SameSiteAttribute,
    SetCookie,
};

use super::{Context, Learned, sealed, value};
use crate::bind::Leaving;
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::Mode;
use crate::seal::Seal;

const SECONDS_PER_DAY: u64 = 86_400;

/// The Set-Cookie fields of one response on their way out.
pub(super) struct Outgoing<'a, 'r> {
    context: &'a Context<'a>,
    learned: &'r mut Vec<Learned>,
    record: &'r mut Recorder,
    /// Of the names that the client holds in a stale form: whether the response
    /// sets them, and as what.
    set: Vec<(Vec<u8>, Option<Form>)>,
    /// Fields of ours, each with the number of the app's field that it goes
    /// behind; `None` goes before all.
    pub(super) more: Vec<(Option<usize>, HeaderValue)>,
    /// The number of the app's field at hand.
    at: usize,
    /// Names of sealed cookies that the app sets or deletes.
    sealed: Vec<Vec<u8>>,
    /// Some cookie is meant for cross-site use.
    pub(super) saw_none: bool,
    /// What binding has to do.
    bind: &'r mut Option<Box<Leaving>>,
}

impl<'a, 'r> Outgoing<'a, 'r> {
    /// `stale`: the forms that the client holds and that are no longer accepted.
    pub(super) fn new(
        context: &'a Context<'a>,
        learned: &'r mut Vec<Learned>,
        record: &'r mut Recorder,
        stale: &[(Vec<u8>, Form)],
        bind: &'r mut Option<Box<Leaving>>,
    ) -> Self {
        Self {
            context,
            learned,
            record,
            set: stale.iter().map(|(name, _)| (name.clone(), None)).collect(),
            more: Vec::new(),
            at: 0,
            sealed: Vec::new(),
            saw_none: false,
            bind,
        }
    }

    /// Takes the next field of the app and makes of it what goes out.
    pub(super) fn take(&mut self, field: &mut HeaderValue) {
        if let Some(rewritten) = self.rewrite(field) {
            *field = rewritten;
        }
        self.at += 1;
    }

    fn applied(&self) -> bool {
        self.context.policy.mode == Mode::Enforce
    }

    /// What goes out instead of `field`, if anything does.
    fn rewrite(&mut self, field: &HeaderValue) -> Option<HeaderValue> {
        match &SetCookie::parse_field_value(field.as_bytes()) {
            Ok(cookie) => self.rewrite_valid(cookie),
            Err(refusal) => {
                self.report_invalid(field, *refusal);
                match refusal {
                    Refusal::DomainNotAscii => self.rewrite_foreign(field),
                    _ => None,
                }
            }
        }
    }

    /// Browsers ignore a cookie whose `Domain` is not ASCII (RFC 6265bis, Section 5.7). One that
    /// takes it shall not get it unprotected. The name stays, and nothing is learnt from it: that
    /// would open the name to every sibling host, for a cookie that hardly anybody has.
    fn rewrite_foreign(&mut self, field: &HeaderValue) -> Option<HeaderValue> {
        let cookie = SetCookie::parse_with_any_domain(field.as_bytes()).ok()?;
        let known = self.context.state.names.get(cookie.name());
        let demand = Demand {
            rename: Rename::Never,
            legacy_client: self.legacy_client(),
            ..self.context.policy.cookies.demand(&cookie, known)
        };
        self.saw_none |= is_for_other_sites(&cookie, &demand);
        let path = self.context.asked.path().as_bytes();
        let hardened = sealwax_cookie::harden(&cookie, path, &demand);
        self.report(&cookie, &hardened);
        match hardened.field {
            Cow::Owned(bytes) => value(bytes),
            Cow::Borrowed(_) => None,
        }
    }

    fn rewrite_valid(&mut self, cookie: &SetCookie<'_>) -> Option<HeaderValue> {
        let remembered = self.context.state.names.look_up(cookie.name());
        let known = remembered.known();
        let mut demand = self.context.policy.cookies.demand(cookie, known);
        self.saw_none |= is_for_other_sites(cookie, &demand);
        demand.legacy_client = self.legacy_client();
        let seal = self.context.policy.seal.as_ref();
        if seal.is_some_and(|seal| seal.covers_behind_a_prefix(cookie.name())) {
            self.record.notable(|| {
                let name = printable(cookie.name());
                Change::new(Rule::SealOtherSpelling, Action::Reported, name)
            });
        }
        let seal = seal.filter(|seal| seal.covers(cookie.name()));
        if seal.is_some() {
            self.sealed.push(cookie.name().to_vec());
        }
        if cookie.is_deletion(self.context.state.unix()) {
            return self.delete(cookie, &demand, known);
        }
        let sealed = seal.and_then(|seal| self.seal(seal, cookie, &demand));
        // It is the same cookie with another value, which is a valid one.
        let sealed = sealed.as_deref().map(SetCookie::parse_field_value);
        let sealed = sealed.and_then(Result::ok);
        let leaving = sealed.as_ref().unwrap_or(cookie);
        let path = self.context.asked.path().as_bytes();
        let hardened = sealwax_cookie::harden(leaving, path, &demand);
        self.report(leaving, &hardened);
        self.learn(cookie, &hardened, remembered);
        self.make_way(cookie, hardened.form, known);
        match hardened.field {
            Cow::Owned(bytes) => value(bytes),
            Cow::Borrowed(bytes) if sealed.is_some() => value(bytes.to_vec()),
            Cow::Borrowed(_) => None,
        }
    }

    /// Whether the app sets or deletes the sealed cookie `name` in this response.
    pub(super) fn sets(&self, name: &[u8]) -> bool {
        self.sealed.iter().any(|set| set == name)
    }

    /// The field with its value sealed, if it can be done.
    fn seal(&mut self, seal: &Seal, cookie: &SetCookie<'_>, demand: &Demand) -> Option<Vec<u8>> {
        if !self.applied() {
            self.record.routine(|| {
                Change::new(Rule::SealAdded, Action::Changed, printable(cookie.name()))
                    .applied(false)
            });
            return None;
        }
        let name = cookie.name();
        let bound = self
            .context
            .policy
            .bind
            .as_ref()
            .is_some_and(|bind| bind.covers(name));
        // The proof is this host's alone.
        let elsewhere = cookie.domain().is_some();
        if bound && elsewhere {
            self.record
                .notable(|| Change::new(Rule::BindDomain, Action::Reported, printable(name)));
        }
        if bound && !elsewhere && is_for_other_sites(cookie, demand) {
            self.record
                .notable(|| Change::new(Rule::BindCrossSite, Action::Reported, printable(name)));
        }
        let note = match (bound && !elsewhere, self.bind.as_mut()) {
            (true, Some(leaving)) => leaving.note(name, None, self.record),
            _ => Vec::new(),
        };
        sealed::seal(seal, cookie, self.context, &note, self.record)
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
        if self.record.listens() || hardened.changes.any_note() || readable {
            self.put_into_words(cookie, hardened, readable);
        }
    }

    #[inline(never)]
    fn put_into_words(&mut self, cookie: &SetCookie<'_>, hardened: &Hardened<'_>, readable: bool) {
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

    pub(super) fn delete_stale(&mut self, name: &[u8], form: Form) {
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

    pub(super) fn withhold(&mut self, field: &HeaderValue) {
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

    pub(super) fn legacy_client(&self) -> bool {
        let agent = self.context.asked.user_agent.as_ref();
        self.context.policy.legacy_same_site
            && agent.is_some_and(|agent| sealwax_cookie::cannot_read_none(agent.as_bytes()))
    }
}

/// Whether the cookie is meant for cross-site use.
fn is_for_other_sites(cookie: &SetCookie<'_>, demand: &Demand) -> bool {
    cookie.same_site() == SameSiteAttribute::Is(SameSite::None)
        || demand.same_site == Some(SameSite::None)
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
