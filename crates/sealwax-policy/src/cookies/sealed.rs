//! Cookies that the browser holds sealed: opened for the app, sealed for the client.
//!
//! A value that does not open is as if it had not come. The app then sees a visitor without that
//! cookie, which it knows how to treat; nobody gets an error for it.

use std::borrow::Cow;

use http::HeaderValue;
use sealwax_cookie::{
    Attributes, Contents, CookieSeal, KeyAge, KnownNames, OpenedCookie, Pairing, Scope, SetCookie,
    TooLong, WhyNot,
};

use super::{Client, Context};
use crate::bind::{Bind, Came};
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::seal::Seal;

/// What a request's sealed cookies are opened for.
pub(super) struct Opening<'a> {
    pub(super) seal: &'a Seal,
    pub(super) bind: Option<&'a Bind>,
    pub(super) client: Client<'a>,
    /// What is known of the names that the app sets.
    pub(super) names: &'a KnownNames,
    /// Unix time in seconds.
    pub(super) now: u64,
    /// Values from before the sealing are let in.
    pub(super) plain_too: bool,
    /// Anything is withheld.
    pub(super) enforcing: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// The header for the app; `None` where it can stay as it is. Empty: no cookie is left.
    pub(super) header: Option<Vec<u8>>,
    /// Cookies that an older key opened, to be sealed anew.
    pub(super) aged: Vec<OpenedCookie>,
}

/// Opens the sealed values of a canonical Cookie header. `came` is what the bound ones are held
/// against.
pub(super) fn open(
    opening: &Opening<'_>,
    header: &[u8],
    came: &mut Option<Box<Came>>,
    record: &mut Recorder,
) -> Opened {
    let mut opened = Opened::default();
    let mut rest = Vec::new();
    let mut touched = false;
    for pair in sealwax_cookie::pairs([header]).filter_map(Pairing::good) {
        if Came::is_ours(pair.name) || opening.comes_twice(pair.name) {
            touched = true;
            continue;
        }
        let mut value = Cow::Borrowed(pair.value);
        if opening.seal.covers(pair.name) {
            touched = true;
            match opening.open(pair.name, pair.value, came, record) {
                Some(Come::Sealed(cookie)) => {
                    value = Cow::Owned(cookie.contents().value.to_vec());
                    if cookie.by() == KeyAge::Older {
                        opened.aged.push(cookie);
                    }
                }
                Some(Come::Plain) => {}
                None => continue,
            }
        }
        if !rest.is_empty() {
            rest.extend_from_slice(b"; ");
        }
        rest.extend_from_slice(pair.name);
        rest.push(b'=');
        rest.extend_from_slice(&value);
    }
    opened.header = touched.then_some(rest);
    opened
}

/// A value that the app may see.
enum Come {
    Sealed(OpenedCookie),
    /// It was never sealed.
    Plain,
}

impl Opening<'_> {
    /// Whether `name` is that of a sealed cookie with our prefix, which comes under the app's name,
    /// too. The app may have such a name itself.
    fn comes_twice(&self, name: &[u8]) -> bool {
        self.seal.covers_behind_a_prefix(name) && self.names.get(name).is_none()
    }

    fn open(
        &self,
        name: &[u8],
        value: &[u8],
        came: &mut Option<Box<Came>>,
        record: &mut Recorder,
    ) -> Option<Come> {
        // Unix time fits an i64 for the next 292 billion years.
        let now = i64::try_from(self.now).unwrap_or(i64::MAX);
        let (keys, host) = (self.seal.keys(), self.client.host);
        let bind = self.bind.filter(|bind| bind.covers(name));
        let why = match keys.open(value, name, host.as_bytes(), now) {
            Ok(cookie) => {
                record.routine(|| Change::new(Rule::SealOpened, Action::Changed, printable(name)));
                return self
                    .admits(bind, name, &cookie, came, record)
                    .then_some(Come::Sealed(cookie));
            }
            Err(WhyNot::NotSealed) if self.plain_too => return Some(Come::Plain),
            // What would have to be bound is nothing without.
            Err(WhyNot::NotSealed) if bind.is_none() && is_too_long_to_seal(name, value, host) => {
                return Some(Come::Plain);
            }
            Err(why) => why,
        };
        record.notable(|| {
            let change = Change::new(rule(&why), Action::Removed, printable(name));
            match &why {
                WhyNot::OtherHost { sealed_for } => change.before(sealed_for.as_bytes()),
                WhyNot::UnknownKey(id) => change.before(id.to_string().as_bytes()),
                _ => change,
            }
        });
        None
    }
}

impl Opening<'_> {
    fn admits(
        &self,
        bind: Option<&Bind>,
        name: &[u8],
        cookie: &OpenedCookie,
        came: &mut Option<Box<Came>>,
        record: &mut Recorder,
    ) -> bool {
        if let (Some(bind), Some(came)) = (bind, came.as_deref_mut()) {
            return came.admit(bind, name, cookie, record);
        }
        // Another site with the same keys has bound it, or this one did; here nobody could prove
        // anything.
        let withheld = self.enforcing && Came::is_bound(cookie.contents().note);
        if withheld {
            record.notable(|| Change::new(Rule::BindUnproven, Action::Removed, printable(name)));
        }
        !withheld
    }
}

fn rule(why: &WhyNot) -> Rule {
    match why {
        WhyNot::Expired => Rule::SealExpired,
        WhyNot::FromTheFuture => Rule::SealFromTheFuture,
        WhyNot::NotSealed => Rule::SealMissing,
        WhyNot::OtherHost { .. } => Rule::SealOtherHost,
        WhyNot::OtherName => Rule::SealOtherName,
        WhyNot::UnknownKey(_) => Rule::SealUnknownKey,
        // Of what is to come, the least that can be said.
        _ => Rule::SealForged,
    }
}

/// The app's `Set-Cookie` with its value sealed; `None` where it is left as it is.
pub(super) fn seal(
    seal: &Seal,
    cookie: &SetCookie<'_>,
    context: &Context<'_>,
    note: &[u8],
    record: &mut Recorder,
) -> Option<Vec<u8>> {
    let path = context.asked.path().as_bytes();
    let contents = Contents::of(cookie, context.host.as_bytes(), path, context.state.unix());
    let contents = Contents { note, ..contents };
    let subject = || printable(cookie.name());
    let sealed = close(seal, &contents).or_else(|_| close(seal, &least(contents)));
    match sealed {
        Ok(value) => {
            record.routine(|| Change::new(Rule::SealAdded, Action::Changed, subject()));
            Some(cookie.with_value(value.as_bytes()))
        }
        Err(too_long) => {
            record.notable(|| {
                Change::new(Rule::SealTooLong, Action::Reported, subject())
                    .before(too_long.to_string().as_bytes())
            });
            None
        }
    }
}

/// A `Set-Cookie` that gives the client the same cookie again, under the current key and with this
/// note.
pub(super) fn again(
    context: &Context<'_>,
    cookie: &OpenedCookie,
    note: Option<&[u8]>,
    legacy_client: bool,
    record: &mut Recorder,
) -> Option<HeaderValue> {
    let Context { policy, state, .. } = *context;
    let contents = cookie.contents();
    let note = note.unwrap_or(contents.note);
    let contents = Contents { note, ..contents };
    let value = close(policy.seal.as_ref()?, &contents).ok()?;
    let field = contents.set_cookie(contents.name, value.as_bytes(), state.unix())?;
    let set = SetCookie::parse_field_value(&field).ok()?;
    let mut demand = policy.cookies.demand(&set, state.names.get(contents.name));
    demand.legacy_client = legacy_client;
    let path = context.asked.path().as_bytes();
    let hardened = sealwax_cookie::harden(&set, path, &demand);
    if cookie.by() == KeyAge::Older {
        record
            .routine(|| Change::new(Rule::SealRenewed, Action::Changed, printable(contents.name)));
    }
    super::value(hardened.field.into_owned())
}

fn close(seal: &Seal, contents: &Contents<'_>) -> Result<String, TooLong> {
    seal.keys()
        .seal(contents, &sent_as(contents.name), seal.nonce())
}

/// A cookie that only the app can send again, in as few bytes as can be.
fn least(contents: Contents<'_>) -> Contents<'_> {
    Contents {
        attributes: Attributes::default(),
        ..contents
    }
}

/// Whether the app's value was left unsealed for its length.
fn is_too_long_to_seal(name: &[u8], value: &[u8], host: &str) -> bool {
    let contents = Contents {
        name,
        value,
        // A `Domain` is no longer than the host.
        scope: Scope::Host(host.as_bytes()),
        issued: 0,
        expires: 0,
        attributes: Attributes::default(),
        note: &[],
    };
    CookieSeal::fits(&contents, &sent_as(name)).is_err()
}

/// The name on the wire, with the longest prefix that it may get.
fn sent_as(name: &[u8]) -> Vec<u8> {
    [b"__Secure-", name].concat()
}
