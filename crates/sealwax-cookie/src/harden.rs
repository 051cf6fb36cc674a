//! Harden one cookie: raise, never lower, and touch nothing else.

use std::borrow::Cow;

use crate::attributes::Kind;
use crate::bytes::{concat, split_once, strip_prefix_ignore_case, trim_start};
use crate::change::{Change, Changes};
use crate::form::Form;
use crate::pairs::{name_flaw, quote_flaw};
use crate::prefix::Prefix;
use crate::same_site::{SameSite, SameSiteAttribute};
use crate::set_cookie::{MAX_NAME_AND_VALUE, SetCookie};

/// What the site demands of one cookie, already decided for its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Demand {
    /// Add `Secure`. Without it a cookie that lacks `Secure` is not renamed either, since the
    /// browser would refuse the prefix.
    pub secure: bool,
    /// Add `HttpOnly`.
    pub http_only: bool,
    /// The floor: an absent or invalid attribute becomes this one. `Strict` also raises an explicit
    /// `Lax` or `None`; `Lax` leaves an explicit `None` alone, which nobody writes by accident.
    /// No floor, no change.
    pub same_site: Option<SameSite>,
    /// Whether the name gets a prefix.
    pub rename: Rename,
    /// The client cannot read `SameSite=None` (see [`legacy`](crate::legacy)): where that would be
    /// sent, the attribute is left off.
    pub legacy_client: bool,
}

/// Which cookies get a name prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rename {
    /// The name stays.
    Never,
    /// A prefix, unless the cookie has a `Domain`.
    HostOnly,
    /// A prefix in every case; with a `Domain` it is `__Secure-`.
    EvenWithDomain,
}

/// A cookie as it leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hardened<'a> {
    /// The field value to send; borrowed when nothing changed.
    pub field: Cow<'a, [u8]>,
    /// The form in which it leaves, to be remembered for the way back.
    pub form: Form,
    /// What was done, and what kept more from being done.
    pub changes: Changes,
}

/// Gives `cookie`, set in answer to a request for `request_path`, what `demand` asks for.
///
/// Attributes are added and, for `SameSite`, replaced; every other byte stays. After an edit there
/// is at most one `Secure`, one `HttpOnly` and one `SameSite`. A cookie that already has everything
/// comes back as it is, whatever its spelling.
///
/// ```
/// use sealwax_cookie::{Demand, Form, Rename, SameSite, SetCookie, harden};
///
/// let cookie = SetCookie::parse(b"sid=1; path=/; Priority=High; samesite=bogus").unwrap();
/// let demand = Demand {
///     secure: true,
///     http_only: true,
///     same_site: Some(SameSite::Lax),
///     rename: Rename::HostOnly,
///     legacy_client: false,
/// };
/// let hardened = harden(&cookie, b"/login", &demand);
/// assert_eq!(
///     *hardened.field,
///     *b"__Host-sid=1; path=/; Priority=High; Secure; HttpOnly; SameSite=Lax"
/// );
/// assert_eq!(hardened.form, Form::Host);
/// let ids: Vec<_> = hardened.changes.iter().map(|change| change.id()).collect();
/// assert_eq!(ids, ["cookie.secure", "cookie.http-only", "cookie.same-site", "cookie.prefix"]);
/// ```
pub fn harden<'a>(cookie: &SetCookie<'a>, request_path: &[u8], demand: &Demand) -> Hardened<'a> {
    let plan = Plan::new(cookie, request_path, demand);
    let field = if plan.changes.any_edit() {
        Cow::Owned(plan.write(cookie))
    } else {
        Cow::Borrowed(cookie.as_bytes())
    };
    Hardened {
        field,
        form: plan.form,
        changes: plan.changes,
    }
}

/// Everything that is to be done, decided before the first byte is written.
struct Plan {
    prefix: Option<Prefix>,
    add_path: bool,
    add_secure: bool,
    add_http_only: bool,
    same_site: SameSiteEdit,
    form: Form,
    changes: Changes,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum SameSiteEdit {
    /// The last one stays.
    Keep,
    Remove,
    Write(SameSite),
}

impl Plan {
    fn new(cookie: &SetCookie<'_>, request_path: &[u8], demand: &Demand) -> Self {
        let mut changes = Changes::default();
        let app_prefix = Prefix::split(cookie.name()).map(|(prefix, _)| prefix);

        let (same_site, is_none) = plan_same_site(cookie, demand, &mut changes);

        let secure_is_due =
            is_none || cookie.partitioned() || app_prefix.is_some() || demand.secure;
        let add_secure = secure_is_due && !cookie.secure();
        if add_secure {
            changes.insert(Change::Secure);
            changes.insert_if(is_none, Change::NoneNeedsSecure);
            changes.insert_if(cookie.partitioned(), Change::PartitionedNeedsSecure);
            changes.insert_if(app_prefix.is_some(), Change::AppPrefix);
        }

        let prefix_wants_http_only = app_prefix.is_some_and(Prefix::needs_http_only);
        let add_http_only = (demand.http_only || prefix_wants_http_only) && !cookie.http_only();
        if add_http_only {
            changes.insert(Change::HttpOnly);
            changes.insert_if(prefix_wants_http_only, Change::AppPrefix);
        }

        let mut plan = Self {
            prefix: None,
            add_path: false,
            add_secure,
            add_http_only,
            same_site,
            form: if cookie.mentions_domain() {
                Form::BareDomain
            } else {
                Form::Bare
            },
            changes,
        };
        let name_is_flawed = name_flaw(cookie.name()).is_some();
        let flawed = name_is_flawed || quote_flaw(cookie.value()).is_some();
        plan.changes.insert_if(flawed, Change::NotCanonical);
        match app_prefix {
            Some(prefix) => plan.complete_app_prefix(cookie, prefix),
            // A name that cannot come back needs no other name; nor may a nameless cookie get one.
            None if name_is_flawed => {}
            None => plan.choose_prefix(cookie, request_path, demand.rename),
        }
        plan
    }

    /// The app chose a prefix: give the cookie what the browser wants to see with it, as far as
    /// that takes nothing away.
    fn complete_app_prefix(&mut self, cookie: &SetCookie<'_>, prefix: Prefix) {
        self.form = Form::AppPrefixed;
        if !prefix.needs_host_only() || cookie.path() == Some(b"/") && !cookie.mentions_domain() {
            return;
        }
        if cookie.mentions_domain() || cookie.path().is_some() {
            self.changes.insert(Change::AppPrefixUnmet);
        } else {
            self.add_path = true;
            self.changes.insert(Change::AppPrefix);
        }
    }

    fn choose_prefix(&mut self, cookie: &SetCookie<'_>, request_path: &[u8], rename: Rename) {
        let secure = cookie.secure() || self.add_secure;
        if rename == Rename::Never || !secure {
            return;
        }
        let prefix = if cookie.mentions_domain() {
            if rename != Rename::EvenWithDomain {
                return self.changes.insert(Change::DomainKeepsName);
            }
            Prefix::Secure
        } else if cookie.effective_path(request_path) == b"/" {
            Prefix::Host
        } else {
            Prefix::Secure
        };
        if prefix == Prefix::Host && strip_prefix_ignore_case(cookie.name(), b"Http-").is_some() {
            return self.changes.insert(Change::PrefixAmbiguous);
        }
        let length = prefix.as_str().len() + cookie.name().len() + cookie.value().len();
        if length > MAX_NAME_AND_VALUE {
            self.form = Form::BareLong;
            return self.changes.insert(Change::TooLongToPrefix);
        }
        self.form = if prefix == Prefix::Host {
            Form::Host
        } else {
            Form::Secure
        };
        self.prefix = Some(prefix);
        self.changes.insert(Change::Prefix);
        if prefix == Prefix::Host && cookie.path().is_none() {
            self.add_path = true;
            self.changes.insert(Change::PrefixPath);
        }
    }

    /// Not inlined: the two halves of the work would fight for registers.
    #[inline(never)]
    fn write(&self, cookie: &SetCookie<'_>) -> Vec<u8> {
        let (lead, from_name) = cookie.split_lead();
        let prefix = self.prefix.map_or("", Prefix::as_str).as_bytes();
        let stays = match self.keeps_all_attributes(cookie) {
            true => Cow::Borrowed(from_name),
            false => Cow::Owned(self.what_stays(cookie, from_name)),
        };
        let (path, others) = self.added();
        // Bytes that the field ends with already are left off what comes first.
        let used_up = separator_bytes_in(&stays);
        let (path, others) = match (used_up, path) {
            (0, _) => (path, others),
            (_, "") => (path, others.get(used_up..).unwrap_or_default()),
            _ => (path.get(used_up..).unwrap_or_default(), others),
        };
        concat([lead, prefix, &stays, path.as_bytes(), others.as_bytes()])
    }

    /// The attributes to add: the path, and the others.
    fn added(&self) -> (&'static str, &'static str) {
        let same_site = match self.same_site {
            SameSiteEdit::Keep | SameSiteEdit::Remove => 0,
            SameSiteEdit::Write(SameSite::Lax) => 1,
            SameSiteEdit::Write(SameSite::None) => 2,
            SameSiteEdit::Write(SameSite::Strict) => 3,
        };
        // Every index is as large as it can be at most: nothing is out of bounds.
        let others =
            ADDED[usize::from(self.add_secure)][usize::from(self.add_http_only)][same_site];
        (if self.add_path { "; Path=/" } else { "" }, others)
    }

    /// Whether all attributes stay as they are, as most often. Once the field is edited at all,
    /// doubles of the three that are ours go, and so do those that the user agent ignores for their
    /// length.
    fn keeps_all_attributes(&self, cookie: &SetCookie<'_>) -> bool {
        let same_site_stays = self.same_site == SameSiteEdit::Keep || cookie.same_site_count() == 0;
        same_site_stays && cookie.is_tidy()
    }

    /// The name-value pair at the begin of `from_name`, and the attributes that stay, each behind
    /// its semicolon.
    fn what_stays(&self, cookie: &SetCookie<'_>, from_name: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(from_name.len());
        out.extend_from_slice(split_once(from_name, b';').0);
        let same_site_stays = self.same_site == SameSiteEdit::Keep;
        let (mut secure_seen, mut http_only_seen, mut same_site_seen) = (false, false, 0);
        for attribute in cookie.attributes() {
            let stays = match attribute.kind {
                kind if kind.is_ours() && !attribute.counts() => false,
                Kind::Secure => !std::mem::replace(&mut secure_seen, true),
                Kind::HttpOnly => !std::mem::replace(&mut http_only_seen, true),
                Kind::SameSite => {
                    same_site_seen += 1;
                    same_site_stays && same_site_seen == cookie.same_site_count()
                }
                _ => true,
            };
            if stays {
                out.push(b';');
                out.extend_from_slice(attribute.raw);
            }
        }
        out
    }
}

/// What is added to a field: by `Secure`, by `HttpOnly`, and by `SameSite` (none, or in the order
/// of its declaration). All at once is one copy instead of three.
static ADDED: [[[&str; 4]; 2]; 2] = [
    [
        ["", "; SameSite=Lax", "; SameSite=None", "; SameSite=Strict"],
        [
            "; HttpOnly",
            "; HttpOnly; SameSite=Lax",
            "; HttpOnly; SameSite=None",
            "; HttpOnly; SameSite=Strict",
        ],
    ],
    [
        [
            "; Secure",
            "; Secure; SameSite=Lax",
            "; Secure; SameSite=None",
            "; Secure; SameSite=Strict",
        ],
        [
            "; Secure; HttpOnly",
            "; Secure; HttpOnly; SameSite=Lax",
            "; Secure; HttpOnly; SameSite=None",
            "; Secure; HttpOnly; SameSite=Strict",
        ],
    ],
];

/// What to do about `SameSite`, and whether the cookie then is a `None` one.
fn plan_same_site(
    cookie: &SetCookie<'_>,
    demand: &Demand,
    changes: &mut Changes,
) -> (SameSiteEdit, bool) {
    let present = cookie.same_site();
    let after = match (present, demand.same_site) {
        (SameSiteAttribute::Is(_), Some(SameSite::Strict)) => Some(SameSite::Strict),
        (SameSiteAttribute::Is(value), _) => Some(value),
        (SameSiteAttribute::Absent | SameSiteAttribute::Invalid, floor) => floor,
    };
    let is_none = after == Some(SameSite::None);
    if is_none && demand.legacy_client {
        if present == SameSiteAttribute::Absent {
            return (SameSiteEdit::Keep, is_none);
        }
        changes.insert(Change::LegacySameSite);
        return (SameSiteEdit::Remove, is_none);
    }
    match after {
        Some(value) if present == SameSiteAttribute::Is(value) => {
            changes.insert_if(cookie.same_site_count() > 1, Change::SameSiteDuplicate);
            (SameSiteEdit::Keep, is_none)
        }
        Some(value) => {
            changes.insert(Change::SameSite);
            (SameSiteEdit::Write(value), is_none)
        }
        None => (SameSiteEdit::Keep, is_none),
    }
}

/// How much of the `; ` before an added attribute `attributes` end with: an empty one at the end
/// (`a=b;`) is used up instead of doubling the semicolon.
fn separator_bytes_in(attributes: &[u8]) -> usize {
    // Nearly always the last attribute says something, and its last byte tells.
    if !matches!(attributes.last(), Some(b';' | b' ' | b'\t')) {
        return 0;
    }
    let last = attributes.iter().rposition(|byte| *byte == b';');
    match last.and_then(|at| attributes.get(at + 1..)) {
        Some([]) => 1,
        Some(tail) if trim_start(tail).is_empty() => 2,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "harden_tests.rs"]
mod tests;
