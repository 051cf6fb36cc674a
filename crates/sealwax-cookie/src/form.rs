//! The forms in which one of the app's cookie names can travel.

/// The form in which a cookie leaves for the browser.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Form {
    /// Renamed to `__Host-name`.
    Host,
    /// Renamed to `__Secure-name`.
    Secure,
    /// Under its own name, without a `Domain`.
    Bare,
    /// Under its own name because it has a `Domain` that other hosts rely on.
    BareDomain,
    /// Under its own name because name and value would pass 4096 bytes with a prefix.
    BareLong,
    /// Under the prefixed name that the app itself chose.
    AppPrefixed,
}

impl Form {
    /// Every form, in the order of declaration.
    pub const ALL: [Self; 6] = [
        Self::Host,
        Self::Secure,
        Self::Bare,
        Self::BareDomain,
        Self::BareLong,
        Self::AppPrefixed,
    ];

    /// A stable name for logs, reports and the memory on disk.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Secure => "secure",
            Self::Bare => "bare",
            Self::BareDomain => "bare-domain",
            Self::BareLong => "bare-long",
            Self::AppPrefixed => "app-prefixed",
        }
    }

    /// Whether Sealwax put a prefix before the name.
    pub const fn is_renamed(self) -> bool {
        matches!(self, Self::Host | Self::Secure)
    }

    /// Whether a cookie in this form and one in the `other` travel under one name, so that deleting
    /// the one deletes the other.
    pub const fn shares_name_with(self, other: Self) -> bool {
        self as u8 == other as u8 || !self.is_renamed() && !other.is_renamed()
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of [`Form`]s.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Forms(u8);

impl Forms {
    /// No form at all.
    pub const EMPTY: Self = Self(0);

    /// The set with `form` added.
    #[must_use]
    pub const fn with(self, form: Form) -> Self {
        Self(self.0 | form.bit())
    }

    /// The set with `form` taken out.
    #[must_use]
    pub const fn without(self, form: Form) -> Self {
        Self(self.0 & !form.bit())
    }

    /// Whether `form` is in the set.
    pub const fn contains(self, form: Form) -> bool {
        self.0 & form.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a form with a prefix of ours is in the set.
    pub const fn any_renamed(self) -> bool {
        self.contains(Form::Host) || self.contains(Form::Secure)
    }

    /// The forms in the set, in the order of [`Form::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Form> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            // Of an empty set there are 8 zeros, and no such form.
            let form = *Form::ALL.get(left.trailing_zeros() as usize)?;
            left &= !form.bit();
            Some(form)
        })
    }
}

impl From<Form> for Forms {
    fn from(form: Form) -> Self {
        Self::EMPTY.with(form)
    }
}

impl FromIterator<Form> for Forms {
    fn from_iter<I: IntoIterator<Item = Form>>(forms: I) -> Self {
        forms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let set: Forms = [Form::Secure, Form::BareLong].into_iter().collect();
        assert!(set.contains(Form::Secure) && !set.contains(Form::Host));
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Form::Secure, Form::BareLong]
        );
        assert!(set.any_renamed() && !set.without(Form::Secure).any_renamed());
        assert!(Forms::EMPTY.is_empty());
    }

    #[test]
    fn only_our_prefixes_make_another_name() {
        assert!(Form::Bare.shares_name_with(Form::BareLong));
        assert!(Form::Host.shares_name_with(Form::Host));
        assert!(!Form::Host.shares_name_with(Form::Secure));
        assert!(!Form::Host.shares_name_with(Form::Bare));
    }

    #[test]
    fn ids_are_distinct() {
        for a in Form::ALL {
            for b in Form::ALL {
                assert_eq!(a == b, a.id() == b.id());
            }
        }
    }
}
