//! From the client to the app: the one Cookie header that the app gets to see.

use crate::form::{Form, Forms};
use crate::known::KnownNames;
use crate::look_alike::Fold;
use crate::pairs::{Dropped, Pair, Pairing, name_lead_flaw, parts, quote_flaw, read, value_flaw};
use crate::prefix::Prefix;
use crate::rules::{NameRules, Standing};
use crate::scratch::Scratch;
use crate::set_cookie::MAX_NAME_AND_VALUE;

/// How many dropped cookies and stale forms are listed. What comes from the network must not decide
/// how much is logged, or how many fields a response gets.
const MAX_LISTED: usize = 32;

/// A name in a list of dropped cookies is cut to this many bytes.
const MAX_LISTED_NAME: usize = 256;

/// The cookies of one request, translated for the app.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inbound {
    /// The value of the one `Cookie` field for the app; `None` when no cookie is left, and also
    /// when `unchanged` says that the field can stay as it is.
    pub header: Option<Vec<u8>>,
    /// The names of the first 32 cookies that the app does not get, as they came, cut to 256 bytes,
    /// and why. Never a value.
    pub dropped: Vec<(Vec<u8>, InboundDrop)>,
    /// How many cookies were dropped in all.
    pub dropped_total: usize,
    /// Other forms that the client holds of protected names, at most 32, for
    /// [`delete_stale`](crate::delete_stale); a response that sets the cookie in a form that
    /// [shares its name](Form::shares_name_with) must not delete it.
    pub stale: Vec<(Vec<u8>, Form)>,
    /// Whether the one field that came (or none) can go to the app as it is.
    pub unchanged: bool,
}

/// Why the app does not get a cookie that the client sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum InboundDrop {
    /// Not in the canonical reading.
    NotCanonical(Dropped),
    /// A prefix in another case than ours, before a protected name.
    CaseVariant,
    /// A prefix behind a prefix.
    DoublePrefix,
    /// Another of the same name and form came first, which is the one with the longer path.
    Duplicate,
    /// Some servers would read the name as that of a protected cookie.
    LookAlike,
    /// A prefix before a name that we never rename.
    NeverPrefixed,
    /// A protected name in a form in which it was not sent out.
    NotSentOut,
    /// A protected name came in a better form too.
    Outranked,
}

impl InboundDrop {
    /// A stable rule id for logs and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotCanonical(why) => why.id(),
            Self::CaseVariant => "cookie.inbound.case-variant",
            Self::DoublePrefix => "cookie.inbound.double-prefix",
            Self::Duplicate => "cookie.inbound.duplicate",
            Self::LookAlike => "cookie.inbound.look-alike",
            Self::NeverPrefixed => "cookie.inbound.never-prefixed",
            Self::NotSentOut => "cookie.inbound.not-sent-out",
            Self::Outranked => "cookie.inbound.outranked",
        }
    }

    /// One plain sentence: why.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotCanonical(why) => why.reason(),
            Self::CaseVariant => {
                "The name of a protected cookie came behind a prefix in another spelling than the \
                 one it is sent out with (RFC 6265bis §5.4)."
            }
            Self::DoublePrefix => {
                "A sibling host can set __Secure-__Host-name with a Domain, so a prefix behind a \
                 prefix proves nothing (RFC 6265bis §5.4)."
            }
            Self::Duplicate => {
                "A protected name reaches the app once; the first has the longest path \
                 (RFC 6265bis §5.8.3)."
            }
            Self::LookAlike => {
                "Some servers fold case, dots, brackets or percent signs, and would read this name \
                 as that of a protected cookie (RFC 6265bis §8.6)."
            }
            Self::NeverPrefixed => {
                "This cookie is never sent out with a prefix, so the prefixed one is an old form of \
                 it (RFC 6265bis §4.1.3)."
            }
            Self::NotSentOut => {
                "A protected cookie is accepted only in the form in which it was sent out; any \
                 sibling host can set the others (RFC 6265bis §8.6)."
            }
            Self::Outranked => {
                "The same cookie came in a form that is harder to forge: __Host- before __Secure- \
                 before the bare name (RFC 6265bis §4.1.3)."
            }
        }
    }
}

/// Translates the `Cookie` fields of one request.
///
/// 1. The canonical reading comes first (see [`pairs`](crate::pairs)).
/// 2. One prefix is taken off, in our exact spelling, and only from a name that we prefix. A prefix
///    behind a prefix is dropped.
/// 3. A name that the app prefixed itself passes as it is. An unprotected prefixed name of which
///    nothing is known passes under both names.
/// 4. A protected name is accepted only in a form in which it was sent out, before anything is known
///    only as `__Host-`, and then under both names, since the app may have prefixed it itself; with [`NameRules::migrate`] also bare where nothing better came. Exactly
///    one reaches the app: `__Host-` before `__Secure-` before bare, the first among equals.
///    A name that nothing is known of and that some servers would read as a protected one
///    (`laravel.session`, `PHPSESSID[a]`, `session%69d`) is dropped.
/// 5. Names that we never rename pass bare, and in no other form.
/// 6. Every other name passes, in order, doubles included.
///
/// ```
/// use sealwax_cookie::{Form, KnownNames, NameRules, inbound};
///
/// let fields: [&[u8]; 2] = [b"__Host-sessionid=good; theme=dark", b"sessionid=evil"];
/// let mut known = KnownNames::default();
/// known.learn(b"sessionid", Form::Host, false, 20_780);
/// let inbound = inbound(fields, &NameRules::default(), &known);
/// assert_eq!(inbound.header.as_deref(), Some(&b"sessionid=good; theme=dark"[..]));
/// assert_eq!(inbound.dropped[0].0, b"sessionid");
/// ```
pub fn inbound<'a>(
    fields: impl IntoIterator<Item = &'a [u8]>,
    rules: &NameRules,
    known: &KnownNames,
) -> Inbound {
    translate(fields, rules, known, value_flaw)
}

/// [`inbound`] for what HTTP has let through as field values (`http::HeaderValue`s): they hold no
/// control character but HTAB (RFC 9110, Section 5.5), and are not searched for one again.
pub fn inbound_field_values<'a>(
    fields: impl IntoIterator<Item = &'a [u8]>,
    rules: &NameRules,
    known: &KnownNames,
) -> Inbound {
    translate(fields, rules, known, |value| {
        debug_assert!(
            value_flaw(value) == quote_flaw(value),
            "HTTP lets none through"
        );
        quote_flaw(value)
    })
}

fn translate<'a>(
    fields: impl IntoIterator<Item = &'a [u8]>,
    rules: &NameRules,
    known: &KnownNames,
    value_flaw: impl Fn(&[u8]) -> Option<Dropped>,
) -> Inbound {
    let mut reader = Reader {
        rules,
        known,
        items: Scratch::new(),
        rivals: 0,
        doubles: false,
        fields: 0,
        verbatim: true,
        out: Inbound::default(),
    };
    for field in fields {
        reader.field(field, &value_flaw);
    }
    reader.settle();
    reader.finish()
}

/// So many rivals are compared with each other.
const FEW: usize = 8;

/// One cookie that may reach the app.
struct Item<'a> {
    /// The name as it came, and whether the app gets the cookie under it.
    sent: &'a [u8],
    as_sent: bool,
    /// The name without the prefix, if the app gets the cookie under that.
    bare: Option<&'a [u8]>,
    value: &'a [u8],
    /// The form in which it competes for the protected name that `bare` is.
    rival: Option<Form>,
}

impl<'a> Item<'a> {
    /// The names under which it reaches the app.
    fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.as_sent
            .then_some(self.sent)
            .into_iter()
            .chain(self.bare)
    }

    /// The protected name that it competes for, and its form.
    fn rival(&self) -> Option<(&'a [u8], Form)> {
        self.bare.zip(self.rival)
    }

    fn written_length(&self) -> usize {
        let with = |name: &[u8]| name.len() + 1 + self.value.len() + SEPARATOR.len();
        let as_sent = if self.as_sent { with(self.sent) } else { 0 };
        as_sent + self.bare.map_or(0, with)
    }
}

struct Reader<'a, 'r> {
    rules: &'r NameRules,
    known: &'r KnownNames,
    items: Scratch<Item<'a>, 8>,
    /// How many compete for a protected name, and whether two do for the same one.
    rivals: usize,
    doubles: bool,
    fields: usize,
    /// Whether what was read so far is, byte for byte, what would be written.
    verbatim: bool,
    out: Inbound,
}

impl<'a> Reader<'a, '_> {
    #[inline(always)]
    fn field(&mut self, field: &'a [u8], value_flaw: impl Fn(&[u8]) -> Option<Dropped>) {
        self.fields += 1;
        for (at, part) in parts(field).enumerate() {
            match read(part, &value_flaw) {
                None => self.verbatim = false,
                Some(Pairing::Dropped { bytes, why }) => {
                    // Without a `=` all of it may be a secret.
                    let name = if why == Dropped::Nameless {
                        &[][..]
                    } else {
                        name_like(bytes)
                    };
                    self.reject(name, InboundDrop::NotCanonical(why));
                }
                Some(Pairing::Good(pair)) => {
                    let written = pair.name.len() + 1 + pair.value.len();
                    self.verbatim &= match at {
                        0 => part.len() == written,
                        _ => part.len() == written + 1 && part.starts_with(b" "),
                    };
                    self.judge(pair);
                }
            }
        }
    }

    fn judge(&mut self, pair: Pair<'a>) {
        match Prefix::split(pair.name) {
            Some((prefix, rest)) => self.judge_prefixed(pair, prefix, rest),
            None => self.judge_bare(pair),
        }
    }

    fn judge_prefixed(&mut self, pair: Pair<'a>, prefix: Prefix, rest: &'a [u8]) {
        // The memory holds names as the app spells them, so this one is the app's own.
        if self.known.has_prefixed() && self.known.get(pair.name).is_some() {
            return self.pass(pair);
        }
        if Prefix::split(rest).is_some() {
            return self.reject(pair.name, InboundDrop::DoublePrefix);
        }
        // A remainder such as `$Version` is no name that the app may see.
        if let Some(flaw) = name_lead_flaw(rest) {
            return self.reject(pair.name, InboundDrop::NotCanonical(flaw));
        }
        let known = self.known.get(rest);
        let standing = self.rules.standing(rest, known);
        let form = match prefix {
            Prefix::Host if prefix.is_exact(pair.name) => Form::Host,
            Prefix::Secure if prefix.is_exact(pair.name) => Form::Secure,
            // A prefix that we do not write is nothing that we could take off.
            Prefix::HostHttp | Prefix::Http if prefix.is_exact(pair.name) => {
                return self.pass(pair);
            }
            _ if standing == Standing::Protected => {
                return self.reject(pair.name, InboundDrop::CaseVariant);
            }
            _ => return self.pass(pair),
        };
        let forms = Forms::from(known);
        if standing == Standing::Free && forms.is_empty() && self.is_look_alike(rest) {
            return self.reject(pair.name, InboundDrop::LookAlike);
        }
        match standing {
            Standing::Free if forms.is_empty() => self.pass_both(pair, rest),
            // Known, and never renamed: whoever set the prefixed one means that name.
            Standing::Free => self.pass(pair),
            Standing::Kept => {
                self.reject(pair.name, InboundDrop::NeverPrefixed);
                self.stale(rest, form);
            }
            Standing::Protected => {
                let accepted = if forms.is_empty() {
                    form == Form::Host
                } else {
                    forms.contains(form)
                };
                // The app's own prefix, perhaps.
                let unknown = form == Form::Host && known.is_none();
                self.judge_protected(pair, rest, form, accepted, unknown);
            }
        }
    }

    fn judge_bare(&mut self, pair: Pair<'a>) {
        let known = self.known.get(pair.name);
        let standing = self.rules.standing(pair.name, known);
        if standing != Standing::Protected {
            // A name that the app sets itself is what it is.
            if standing == Standing::Free && known.is_none() && self.is_look_alike(pair.name) {
                return self.reject(pair.name, InboundDrop::LookAlike);
            }
            return self.pass(pair);
        }
        let forms = Forms::from(known);
        let accepted = self.rules.migrate
            || forms.contains(Form::Bare)
            || forms.contains(Form::BareDomain)
            || forms.contains(Form::BareLong) && is_too_long_to_prefix(pair);
        self.judge_protected(pair, pair.name, Form::Bare, accepted, false);
    }

    fn is_look_alike(&self, name: &[u8]) -> bool {
        let Some(fold) = Fold::of(name) else {
            return false;
        };
        fold.has_prefix() || self.known.reads_like(&fold) || self.rules.protect_like(&fold)
    }

    #[inline(always)]
    fn judge_protected(
        &mut self,
        pair: Pair<'a>,
        name: &'a [u8],
        form: Form,
        accepted: bool,
        unknown: bool,
    ) {
        if accepted {
            self.verbatim &= form == Form::Bare;
            // Where looking would cost more than sorting, there may well be two.
            self.doubles |= self.rivals >= FEW || self.is_rivalled(name);
            self.rivals += 1;
            self.items.push(Item {
                sent: pair.name,
                as_sent: unknown,
                bare: Some(name),
                value: pair.value,
                rival: Some(form),
            });
        } else {
            self.reject(pair.name, InboundDrop::NotSentOut);
            self.stale(name, form);
        }
    }

    fn is_rivalled(&self, name: &[u8]) -> bool {
        let mut rivals = self.items.iter().filter_map(Item::rival);
        rivals.any(|(rivalled, _)| rivalled == name)
    }

    fn pass(&mut self, pair: Pair<'a>) {
        self.items.push(Item {
            sent: pair.name,
            as_sent: true,
            bare: None,
            value: pair.value,
            rival: None,
        });
    }

    fn pass_both(&mut self, pair: Pair<'a>, bare: &'a [u8]) {
        self.verbatim = false;
        self.items.push(Item {
            sent: pair.name,
            as_sent: true,
            bare: Some(bare),
            value: pair.value,
            rival: None,
        });
    }

    /// Among rivals of one name one stays: the best form, then the first.
    fn settle(&mut self) {
        if !self.doubles {
            return;
        }
        // `Form` is declared best first; sorting keeps thousands of tossed cookies cheap.
        let mut rivals: Vec<_> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| item.rival().map(|(name, form)| (name, form, at)))
            .collect();
        rivals.sort_unstable();
        let mut winner: Option<(&[u8], Form)> = None;
        for (name, form, at) in rivals {
            match winner {
                Some((winning_name, winning_form)) if winning_name == name => {
                    let loser = self.items.get_mut(at);
                    let sent_as = loser.map(|item| {
                        (item.as_sent, item.bare) = (false, None);
                        item.sent
                    });
                    let outranked = form != winning_form;
                    let why = if outranked {
                        InboundDrop::Outranked
                    } else {
                        InboundDrop::Duplicate
                    };
                    self.reject(sent_as.unwrap_or(name), why);
                    if outranked {
                        self.stale(name, form);
                    }
                }
                _ => winner = Some((name, form)),
            }
        }
    }

    fn finish(&mut self) -> Inbound {
        let mut out = std::mem::take(&mut self.out);
        out.unchanged =
            self.fields == 0 || self.fields == 1 && self.verbatim && out.dropped_total == 0;
        if out.unchanged {
            return out;
        }
        // Exactly as long as it must be, so that it can be shared as it is.
        let length: usize = self.items.iter().map(Item::written_length).sum();
        let mut header = Vec::with_capacity(length.saturating_sub(SEPARATOR.len()));
        self.items.iter().for_each(|item| {
            item.names()
                .for_each(|name| write(&mut header, name, item.value));
        });
        out.header = Some(header).filter(|header| !header.is_empty());
        out
    }

    #[cold]
    fn reject(&mut self, name: &[u8], why: InboundDrop) {
        self.out.dropped_total += 1;
        if self.out.dropped.len() < MAX_LISTED {
            self.out
                .dropped
                .push((name.get(..MAX_LISTED_NAME).unwrap_or(name).to_vec(), why));
        }
    }

    #[cold]
    fn stale(&mut self, name: &[u8], form: Form) {
        let listed = &mut self.out.stale;
        if listed.len() < MAX_LISTED && !listed.iter().any(|(n, f)| n == name && *f == form) {
            listed.push((name.to_vec(), form));
        }
    }
}

/// Between two cookies (RFC 6265bis, Section 4.2.1).
const SEPARATOR: &[u8] = b"; ";

fn write(header: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if !header.is_empty() {
        header.extend_from_slice(SEPARATOR);
    }
    header.extend_from_slice(name);
    header.push(b'=');
    header.extend_from_slice(value);
}

/// Whether the cookie could have left bare for its length. The path that chose between the two
/// prefixes is unknown here, so the longer one is assumed.
fn is_too_long_to_prefix(pair: Pair<'_>) -> bool {
    Prefix::Secure.as_str().len() + pair.name.len() + pair.value.len() > MAX_NAME_AND_VALUE
}

/// What stands before the `=` of a part that is no cookie.
fn name_like(part: &[u8]) -> &[u8] {
    part.split(|byte| *byte == b'=').next().unwrap_or_default()
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
