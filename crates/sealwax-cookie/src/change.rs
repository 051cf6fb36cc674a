//! What hardening did to a cookie, and why.

/// One thing that [`harden`](crate::harden) did or noticed. Notes (see [`is_note`](Self::is_note))
/// changed nothing; they say what keeps the cookie from being protected.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// `Secure` was added.
    Secure,
    /// `HttpOnly` was added.
    HttpOnly,
    /// `SameSite` was added, replaced or raised to the floor.
    SameSite,
    /// All `SameSite` attributes but the last, which is the one that counts, were removed.
    SameSiteDuplicate,
    /// `Secure` was due because the cookie is `SameSite=None`.
    NoneNeedsSecure,
    /// `Secure` was due because the cookie is `Partitioned`.
    PartitionedNeedsSecure,
    /// `SameSite` was left off for a client that mistakes `None`.
    LegacySameSite,
    /// The name got a prefix.
    Prefix,
    /// `Path=/` was written out because `__Host-` demands it.
    PrefixPath,
    /// Attributes were added that the app's own prefix demands.
    AppPrefix,
    /// Note: the app's own prefix demands what the cookie contradicts.
    AppPrefixUnmet,
    /// Note: the name stays because of a `Domain`.
    DomainKeepsName,
    /// Note: the name stays because a prefix would make the cookie too long.
    TooLongToPrefix,
    /// Note: the name stays because `__Host-` before it would read as `__Host-Http-`.
    PrefixAmbiguous,
    /// Note: the app will not get this cookie back.
    NotCanonical,
}

impl Change {
    /// Every change and note.
    pub const ALL: [Self; 15] = [
        Self::Secure,
        Self::HttpOnly,
        Self::SameSite,
        Self::SameSiteDuplicate,
        Self::NoneNeedsSecure,
        Self::PartitionedNeedsSecure,
        Self::LegacySameSite,
        Self::Prefix,
        Self::PrefixPath,
        Self::AppPrefix,
        Self::AppPrefixUnmet,
        Self::DomainKeepsName,
        Self::TooLongToPrefix,
        Self::PrefixAmbiguous,
        Self::NotCanonical,
    ];

    /// A stable rule id for logs and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Secure => "cookie.secure",
            Self::HttpOnly => "cookie.http-only",
            Self::SameSite => "cookie.same-site",
            Self::SameSiteDuplicate => "cookie.same-site.duplicate",
            Self::NoneNeedsSecure => "cookie.same-site.none-needs-secure",
            Self::PartitionedNeedsSecure => "cookie.partitioned-needs-secure",
            Self::LegacySameSite => "cookie.legacy-same-site",
            Self::Prefix => "cookie.prefix",
            Self::PrefixPath => "cookie.prefix.path",
            Self::AppPrefix => "cookie.app-prefix",
            Self::AppPrefixUnmet => "cookie.app-prefix.unmet",
            Self::DomainKeepsName => "cookie.prefix.domain-keeps-name",
            Self::TooLongToPrefix => "cookie.prefix.too-long",
            Self::PrefixAmbiguous => "cookie.prefix.ambiguous",
            Self::NotCanonical => "cookie.not-canonical",
        }
    }

    /// One plain sentence: why.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Secure => {
                "Without Secure the cookie travels over plain HTTP, where anyone on the path reads \
                 it (RFC 6265bis §5.6.5)."
            }
            Self::HttpOnly => {
                "Without HttpOnly a script injected into the page can read the cookie (RFC 6265bis §5.6.6)."
            }
            Self::SameSite => {
                "Without a valid SameSite at the floor or above it, other sites can make the \
                 browser send the cookie (RFC 6265bis §5.6.7)."
            }
            Self::SameSiteDuplicate => {
                "Only the last SameSite counts, but not every client knows that; the others were \
                 removed (RFC 6265bis §5.6.7)."
            }
            Self::NoneNeedsSecure => {
                "Browsers refuse SameSite=None without Secure (RFC 6265bis §5.7)."
            }
            Self::PartitionedNeedsSecure => {
                "Browsers refuse Partitioned without Secure (CHIPS §2)."
            }
            Self::LegacySameSite => {
                "This client drops SameSite=None or reads it as Strict, so the attribute was left \
                 off; the response depends on User-Agent."
            }
            Self::Prefix => {
                "A name prefix keeps sibling hosts and plain HTTP from setting this cookie \
                 (RFC 6265bis §4.1.3)."
            }
            Self::PrefixPath => {
                "__Host- demands Path=/ in so many words; the default path of this request is / \
                 anyway (RFC 6265bis §4.1.3.2, §5.1.4)."
            }
            Self::AppPrefix => {
                "Browsers refuse the prefix that the app chose without the attributes it stands \
                 for (RFC 6265bis §4.1.3)."
            }
            Self::AppPrefixUnmet => {
                "Browsers refuse this cookie: its __Host- prefix forbids a Domain and a Path other \
                 than / (RFC 6265bis §4.1.3.2)."
            }
            Self::DomainKeepsName => {
                "The cookie has a Domain, so other hosts may read it under this name; list it in \
                 rename_domain to give it __Secure- (RFC 6265bis §4.1.3.1)."
            }
            Self::TooLongToPrefix => {
                "With a prefix, name and value would pass 4096 bytes and browsers would refuse the \
                 cookie (RFC 6265bis §5.6)."
            }
            Self::PrefixAmbiguous => {
                "The name begins with Http-, and __Host- before it would read as the prefix \
                 __Host-Http- (layered-cookies draft)."
            }
            Self::NotCanonical => {
                "The name or the value is outside the canonical Cookie header, so the app will not \
                 get this cookie back (RFC 6265bis §4.1.1)."
            }
        }
    }

    /// Whether this only reports and changed nothing.
    pub const fn is_note(self) -> bool {
        matches!(
            self,
            Self::AppPrefixUnmet
                | Self::DomainKeepsName
                | Self::TooLongToPrefix
                | Self::PrefixAmbiguous
                | Self::NotCanonical
        )
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The bits of all notes.
const NOTES: u32 = {
    let mut notes = 0;
    let mut at = 0;
    while at < Change::ALL.len() {
        if Change::ALL[at].is_note() {
            notes |= Change::ALL[at].bit();
        }
        at += 1;
    }
    notes
};

/// A set of [`Change`]s.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Changes(u32);

impl Changes {
    /// Whether there is neither a change nor a note.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `change` is in the set.
    pub const fn has(self, change: Change) -> bool {
        self.0 & change.bit() != 0
    }

    /// Whether the field was changed: something in the set is more than a note.
    pub const fn any_edit(self) -> bool {
        self.0 & !NOTES != 0
    }

    /// Whether there is a note: something that keeps the cookie from being protected.
    pub const fn any_note(self) -> bool {
        self.0 & NOTES != 0
    }

    /// The changes and notes, in the order of [`Change::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Change> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            // Of an empty set there are 32 zeros, and no such change.
            let change = *Change::ALL.get(left.trailing_zeros() as usize)?;
            left &= !change.bit();
            Some(change)
        })
    }

    pub(crate) fn insert(&mut self, change: Change) {
        self.0 |= change.bit();
    }

    pub(crate) fn insert_if(&mut self, condition: bool, change: Change) {
        if condition {
            self.insert(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_reasons_are_one_sentence() {
        for (at, change) in Change::ALL.into_iter().enumerate() {
            assert!(change.id().starts_with("cookie."));
            assert!(
                Change::ALL
                    .iter()
                    .skip(at + 1)
                    .all(|other| other.id() != change.id())
            );
            assert_eq!(change as usize, at, "ALL is in the order of declaration");
            assert!(change.reason().ends_with('.') && !change.reason().contains("  "));
        }
    }

    #[test]
    fn notes_are_no_edits() {
        let mut changes = Changes::default();
        assert!(changes.is_empty() && !changes.any_edit());
        changes.insert(Change::DomainKeepsName);
        assert!(!changes.is_empty() && !changes.any_edit() && changes.any_note());
        changes.insert(Change::Secure);
        assert!(changes.any_edit());
        assert_eq!(
            changes.iter().collect::<Vec<_>>(),
            [Change::Secure, Change::DomainKeepsName]
        );
    }
}
