//! The memory of one site: which names the app sets, and in which form each leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::form::{Form, Forms};
use crate::look_alike::Fold;
use crate::prefix::Prefix;
use crate::well_known::well_known;

/// The most names that are remembered.
pub(crate) const MAX_NAMES: usize = 1024;

/// The longest name that is remembered, in bytes.
pub(crate) const MAX_NAME: usize = 256;

/// A form that was not sent for this long is forgotten: no browser keeps a cookie longer
/// (RFC 6265bis, Section 5.5).
const FORGOTTEN_AFTER_DAYS: u32 = 400;

/// What is known of one name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// The forms in which the cookie was sent to browsers within the last 400 days.
    pub forms: Forms,
    /// Whether its `SameSite` was put there by the floor: the app had not given a valid one.
    pub floored: bool,
    /// The last day on which the app set it, in days since 1970-01-01.
    pub seen_day: u32,
    /// Whether the name is one of [`WELL_KNOWN`](crate::WELL_KNOWN): found out once for each name.
    pub(crate) well_known: bool,
}

/// What is remembered of one name, looked up once for several questions
/// ([`KnownNames::look_up`]).
#[derive(Clone, Copy, Debug)]
pub struct Remembered<'a> {
    learnable: bool,
    entry: Option<&'a Entry>,
}

impl Remembered<'_> {
    /// What is known of the name ([`KnownNames::get`]).
    pub fn known(self) -> Option<Known> {
        self.entry.map(Entry::known)
    }

    /// Whether this sight of the name is news ([`KnownNames::would_learn`]).
    pub fn would_learn(self, form: Form, floored: bool, day: u32) -> bool {
        let Some(entry) = self.entry else {
            return self.learnable;
        };
        let is_news = |seen: Option<u32>| seen.is_none_or(|seen| seen < day);
        is_news(entry.day_of(form))
            || floored && is_news(entry.floored_day)
            || form.is_renamed() && entry.day_of(Form::Bare).is_some()
    }
}

impl From<Option<Known>> for Forms {
    fn from(known: Option<Known>) -> Self {
        known.map_or(Self::EMPTY, |known| known.forms)
    }
}

/// The names that one site's app sets, as the app spells them, with the forms in which they leave.
///
/// A plain value: clone it, [`learn`](Self::learn), and swap the new snapshot in. It holds at most
/// 1024 names of at most 256 bytes. When it is full, a name that was set on one day only makes
/// room first (apps that put random numbers into names must not push `sessionid` out), the longest
/// unseen of them, the newest among equals; then the longest unseen of all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KnownNames {
    // A tree, not a hash map: no random state, and one order for everybody.
    pub(crate) names: BTreeMap<Box<[u8]>, Entry>,
    /// How the names that leave with a prefix read to the most forgiving server.
    folds: BTreeSet<Box<[u8]>>,
    /// Whether the app itself sets a name with a prefix, which few do.
    has_prefixed: bool,
    next_order: u64,
    swept_day: u32,
}

/// What is remembered of one name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// Counts up with every new name.
    pub(crate) order: u64,
    pub(crate) first_day: u32,
    /// The last day of each form, at its place in `Form::ALL`.
    form_days: [Option<u32>; Form::ALL.len()],
    /// What `form_days` comes to, since every cookie of every request asks for it.
    forms: Forms,
    last_day: Option<u32>,
    pub(crate) floored_day: Option<u32>,
    well_known: bool,
}

impl KnownNames {
    /// What is known of `name`, spelled as the app spells it.
    pub fn get(&self, name: &[u8]) -> Option<Known> {
        self.look_up(name).known()
    }

    /// Looks `name`, spelled as the app spells it, up for [`Remembered::known`] and
    /// [`Remembered::would_learn`].
    pub fn look_up(&self, name: &[u8]) -> Remembered<'_> {
        Remembered {
            learnable: is_learnable(name),
            entry: self.names.get(name),
        }
    }

    /// Whether [`learn`](Self::learn) with the same arguments would change anything: a new name,
    /// form or flag, or the first sight of it on this day. Cheap enough to ask for every
    /// `Set-Cookie`.
    pub fn would_learn(&self, name: &[u8], form: Form, floored: bool, day: u32) -> bool {
        self.look_up(name).would_learn(form, floored, day)
    }

    /// Remembers that the app set `name` and that it left in `form` on `day` (days since
    /// 1970-01-01), `floored` if its `SameSite` came from the floor.
    ///
    /// Once a name leaves with a prefix, its plain bare form counts no longer: those who still hold
    /// it are what [`NameRules::migrate`](crate::NameRules::migrate) is for.
    pub fn learn(&mut self, name: &[u8], form: Form, floored: bool, day: u32) {
        if !is_learnable(name) {
            return;
        }
        if day > self.swept_day {
            self.forget_before(day.saturating_sub(FORGOTTEN_AFTER_DAYS));
            self.swept_day = day;
        }
        if !self.names.contains_key(name) && self.names.len() >= MAX_NAMES {
            self.make_room();
        }
        self.has_prefixed |= Prefix::split(name).is_some();
        let order = self.next_order;
        let entry = self
            .names
            .entry(name.into())
            .or_insert_with(|| Entry::new(name, order, day));
        if entry.order == order {
            self.next_order += 1;
        }
        if form.is_renamed() {
            entry.clear(Form::Bare);
        }
        entry.see(form, day);
        if floored {
            entry.floored_day = entry.floored_day.max(Some(day));
        }
        if form.is_renamed() {
            self.folds.extend(fold(name));
        }
    }

    /// Whether a name that leaves with a prefix reads like `fold`.
    pub(crate) fn reads_like(&self, fold: &Fold) -> bool {
        self.folds.contains(fold.as_bytes())
    }

    /// Every name with what is known of it, in the order of the names' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Known)> {
        self.names
            .iter()
            .map(|(name, entry)| (&**name, entry.known()))
    }

    /// How many names are remembered.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nothing is remembered yet.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Puts a name back as it was written down; `false` when it is there already.
    pub(crate) fn restore(&mut self, name: &[u8], mut entry: Entry) -> bool {
        if self.names.contains_key(name) {
            return false;
        }
        entry.order = self.next_order;
        self.next_order += 1;
        if entry.forms.any_renamed() {
            self.folds.extend(fold(name));
        }
        self.has_prefixed |= Prefix::split(name).is_some();
        self.names.insert(name.into(), entry);
        true
    }

    /// Whether any name begins with a prefix.
    pub(crate) fn has_prefixed(&self) -> bool {
        self.has_prefixed
    }

    /// After names went: others may read the same, so all are looked at again.
    fn fold_again(&mut self) {
        self.has_prefixed = self.names.keys().any(|name| Prefix::split(name).is_some());
        self.folds = self
            .names
            .iter()
            .filter(|(_, entry)| entry.forms.any_renamed())
            .filter_map(|(name, _)| fold(name))
            .collect();
    }

    fn forget_before(&mut self, first_day: u32) {
        self.names.retain(|_, entry| {
            entry.forget_before(first_day);
            entry.last_day().is_some()
        });
        self.fold_again();
    }

    fn make_room(&mut self) {
        let victim = self
            .names
            .iter()
            .min_by_key(|(_, entry)| {
                let last_day = entry.last_day();
                let on_many_days = last_day > Some(entry.first_day);
                (on_many_days, last_day, std::cmp::Reverse(entry.order))
            })
            .map(|(name, _)| name.clone());
        if let Some(name) = victim {
            self.names.remove(&name);
            self.fold_again();
        }
    }
}

impl Entry {
    pub(crate) fn new(name: &[u8], order: u64, first_day: u32) -> Self {
        Self {
            well_known: well_known(name).is_some(),
            order,
            first_day,
            form_days: [None; Form::ALL.len()],
            forms: Forms::EMPTY,
            last_day: None,
            floored_day: None,
        }
    }

    pub(crate) fn see(&mut self, form: Form, day: u32) {
        if let Some(seen) = self.form_days.get_mut(form as usize) {
            // A clock that was set back must not make a name older.
            *seen = (*seen).max(Some(day));
        }
        self.sum_up();
    }

    pub(crate) fn day_of(&self, form: Form) -> Option<u32> {
        self.form_days.get(form as usize).copied().flatten()
    }

    pub(crate) fn last_day(&self) -> Option<u32> {
        self.last_day
    }

    fn sum_up(&mut self) {
        self.forms = Form::ALL
            .into_iter()
            .filter(|form| self.day_of(*form).is_some())
            .collect();
        self.last_day = self.form_days.iter().copied().max().flatten();
    }

    fn clear(&mut self, form: Form) {
        if let Some(seen) = self.form_days.get_mut(form as usize) {
            *seen = None;
        }
        self.sum_up();
    }

    fn forget_before(&mut self, first_day: u32) {
        let old = |seen: &Option<u32>| seen.is_some_and(|day| day < first_day);
        self.form_days
            .iter_mut()
            .chain([&mut self.floored_day])
            .for_each(|seen| {
                if old(seen) {
                    *seen = None;
                }
            });
        self.sum_up();
    }

    fn known(&self) -> Known {
        Known {
            forms: self.forms,
            floored: self.floored_day.is_some(),
            seen_day: self.last_day.unwrap_or(self.first_day),
            well_known: self.well_known,
        }
    }
}

fn fold(name: &[u8]) -> Option<Box<[u8]>> {
    Fold::of(name).map(|fold| fold.as_bytes().into())
}

/// Nameless cookies have nothing to be remembered by.
pub(crate) fn is_learnable(name: &[u8]) -> bool {
    (1..=MAX_NAME).contains(&name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `would_learn` must say exactly whether `learn` changes the snapshot.
    fn learn(names: &mut KnownNames, name: &[u8], form: Form, floored: bool, day: u32) {
        let said = names.would_learn(name, form, floored, day);
        let before: Vec<_> = names.iter().map(|(n, k)| (n.to_vec(), k)).collect();
        names.learn(name, form, floored, day);
        let after: Vec<_> = names.iter().map(|(n, k)| (n.to_vec(), k)).collect();
        if before != after {
            assert!(said, "{name:?} {form:?} {day}");
        }
        assert!(
            !names.would_learn(name, form, floored, day),
            "the second sight is no news"
        );
    }

    #[test]
    fn forms_and_flags_add_up() {
        let mut names = KnownNames::default();
        assert!(names.is_empty() && names.get(b"sid").is_none());
        learn(&mut names, b"sid", Form::Host, false, 20_000);
        learn(&mut names, b"sid", Form::BareLong, true, 20_001);
        let known = names.get(b"sid").unwrap();
        assert!(known.forms.contains(Form::Host) && known.forms.contains(Form::BareLong));
        assert!(known.floored);
        assert_eq!(known.seen_day, 20_001);
        assert!(names.get(b"SID").is_none(), "names are case-sensitive");
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn news_is_a_new_name_form_flag_or_day() {
        let mut names = KnownNames::default();
        assert!(names.would_learn(b"a", Form::Bare, false, 5));
        names.learn(b"a", Form::Bare, false, 5);
        assert!(!names.would_learn(b"a", Form::Bare, false, 5));
        assert!(
            !names.would_learn(b"a", Form::Bare, false, 4),
            "a clock set back is no news"
        );
        assert!(names.would_learn(b"a", Form::Bare, false, 6));
        assert!(names.would_learn(b"a", Form::Bare, true, 5));
        assert!(names.would_learn(b"a", Form::Secure, false, 5));
    }

    #[test]
    fn the_apps_own_prefixes_are_noticed_and_forgotten() {
        let mut names = KnownNames::default();
        learn(&mut names, b"__stripe_mid", Form::Bare, false, 5);
        assert!(!names.has_prefixed());
        learn(&mut names, b"__Host-a", Form::AppPrefixed, false, 5);
        assert!(names.has_prefixed());
        learn(
            &mut names,
            b"b",
            Form::Bare,
            false,
            5 + FORGOTTEN_AFTER_DAYS,
        );
        assert!(names.has_prefixed());
        learn(
            &mut names,
            b"b",
            Form::Bare,
            false,
            6 + FORGOTTEN_AFTER_DAYS,
        );
        assert!(!names.has_prefixed() && names.get(b"__Host-a").is_none());
    }

    #[test]
    fn a_prefix_ends_the_plain_bare_form_only() {
        let mut names = KnownNames::default();
        learn(&mut names, b"a", Form::Bare, false, 5);
        learn(&mut names, b"a", Form::BareDomain, false, 5);
        learn(&mut names, b"a", Form::Host, false, 5);
        let forms = names.get(b"a").unwrap().forms;
        assert_eq!(
            forms.iter().collect::<Vec<_>>(),
            [Form::Host, Form::BareDomain]
        );
    }

    #[test]
    fn a_form_unseen_for_400_days_is_forgotten() {
        let mut names = KnownNames::default();
        learn(&mut names, b"old", Form::Host, true, 1000);
        learn(&mut names, b"both", Form::BareDomain, true, 1000);
        learn(&mut names, b"both", Form::Host, false, 1300);
        learn(&mut names, b"new", Form::Host, false, 1400);
        assert_eq!(names.len(), 3);
        learn(&mut names, b"new", Form::Host, false, 1401);
        assert!(names.get(b"old").is_none());
        let both = names.get(b"both").unwrap();
        assert_eq!(both.forms, Form::Host.into());
        assert!(!both.floored);
    }

    #[test]
    fn names_have_a_length() {
        let mut names = KnownNames::default();
        learn(&mut names, &[b'a'; 256], Form::Host, false, 1);
        names.learn(&[b'a'; 257], Form::Host, false, 1);
        names.learn(b"", Form::Host, false, 1);
        assert_eq!(names.len(), 1);
        assert!(!names.would_learn(&[b'a'; 257], Form::Host, false, 1));
        assert!(!names.would_learn(b"", Form::Host, false, 1));
    }

    #[test]
    fn random_names_never_push_out_the_steady_ones() {
        let mut names = KnownNames::default();
        names.learn(b"steady", Form::BareDomain, false, 10);
        names.learn(b"steady", Form::BareDomain, false, 11);
        names.learn(b"fresh", Form::BareDomain, false, 20);
        for n in 0..5000 {
            names.learn(
                format!("nonce{n}").as_bytes(),
                Form::Host,
                false,
                20 + n / 1000,
            );
            assert!(names.len() <= MAX_NAMES);
            // A new name outlasts the random ones of its first day, and has the next to be seen.
            assert!(names.get(b"fresh").is_some() || n > 2000);
        }
        assert!(names.get(b"steady").is_some());
        assert!(
            names.get(b"nonce4999").is_some(),
            "the newest got its place"
        );
    }

    #[test]
    fn among_steady_names_the_longest_unseen_makes_room() {
        let mut names = KnownNames::default();
        for n in 0..MAX_NAMES as u32 {
            let name = format!("n{n}");
            names.learn(name.as_bytes(), Form::Host, false, 1);
            names.learn(
                name.as_bytes(),
                Form::Host,
                false,
                if n == 7 { 2 } else { 3 },
            );
        }
        names.learn(b"one more", Form::Host, false, 4);
        assert!(names.get(b"n7").is_none() && names.get(b"one more").is_some());
        assert_eq!(names.len(), MAX_NAMES);
    }
}
