//! Which names are what, for one site.

use crate::harden::{Demand, Rename};
use crate::known::Known;
use crate::look_alike::Fold;
use crate::same_site::SameSite;
use crate::set_cookie::SetCookie;
use crate::well_known::{READABLE_BY_DEFAULT, well_known};

/// One site's settings for cookies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameRules {
    /// Give every cookie the full treatment (`HttpOnly` and a prefix), not only those that the app
    /// marked `HttpOnly` and the well-known ones. Default: `false`.
    pub harden_all: bool,
    /// The `SameSite` floor (see [`Demand::same_site`]). Default: `Lax`.
    pub same_site: Option<SameSite>,
    /// Whether names get a prefix. Default: `true`.
    pub prefix: bool,
    /// Names that scripts read: never renamed, never made `HttpOnly`. Those in
    /// [`READABLE_BY_DEFAULT`] need not be listed. Default: none.
    pub readable: Vec<String>,
    /// Names that get `__Secure-` although they have a `Domain`. Default: none.
    pub rename_domain: Vec<String>,
    /// Accept a protected name bare where no prefixed one came. Default: `false`.
    pub migrate: bool,
    /// Settings for single names; the first entry for a name counts. Default: none.
    pub rules: Vec<NameRule>,
}

impl Default for NameRules {
    fn default() -> Self {
        Self {
            harden_all: false,
            same_site: Some(SameSite::Lax),
            prefix: true,
            readable: Vec::new(),
            rename_domain: Vec::new(),
            migrate: false,
            rules: Vec::new(),
        }
    }
}

/// What a site says about one name; what is `None` follows the site's other settings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NameRule {
    /// The name, as the app spells it.
    pub name: String,
    /// The `SameSite` floor of this cookie; `None` as a value lets it travel cross-site.
    pub same_site: Option<SameSite>,
    /// Whether it gets `HttpOnly`. `false` takes none away that the app wrote.
    pub http_only: Option<bool>,
    /// Whether its name gets a prefix.
    pub prefix: Option<bool>,
}

/// How a name stands before anything is known of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// It follows what the app says: the full treatment if the app marked it `HttpOnly`.
    Ordinary,
    /// The full treatment: well known, or a rule asks for `HttpOnly` or a prefix.
    Protected,
    /// It would be protected, but keeps its name by a setting.
    KeepsName,
    /// Scripts read it.
    Readable,
}

/// How a name stands, with what is known of it taken in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// Anyone may set it; it passes.
    Free,
    /// We do not rename it; it passes bare and in no other form.
    Kept,
    /// It passes only as it was sent out.
    Protected,
}

impl NameRules {
    /// How `name` (without a prefix of ours) stands by the settings alone.
    pub fn class(&self, name: &[u8]) -> Class {
        self.class_by(self.rule(name), name, well_known(name).is_some())
    }

    /// [`class`](Self::class), where the rule for `name`, and whether it is well known, have been
    /// looked up.
    #[inline(always)]
    fn class_by(&self, rule: Option<&NameRule>, name: &[u8], well_known: bool) -> Class {
        if lists(&self.readable, name) {
            return Class::Readable;
        }
        let (http_only, prefix) = rule.map_or((None, None), |rule| (rule.http_only, rule.prefix));
        // A rule that only sets SameSite must not cut a script off from its cookie.
        let ruled = http_only == Some(true) || prefix == Some(true);
        // No well-known name is among those, so most need no comparison.
        if !ruled && !well_known && is_readable_by_default(name) {
            return Class::Readable;
        }
        if prefix == Some(false) {
            return Class::KeepsName;
        }
        match ruled || well_known {
            true if prefix.unwrap_or(self.prefix) => Class::Protected,
            true => Class::KeepsName,
            false => Class::Ordinary,
        }
    }

    /// Whether scripts read the cookie `name`, so that it stays as it is.
    pub fn is_readable(&self, name: &[u8]) -> bool {
        self.class(name) == Class::Readable
    }

    /// Whether `name` is accepted from a client only in a form in which it was sent out: by its
    /// class, or because it is known to leave with a prefix.
    pub fn is_protected(&self, name: &[u8], known: Option<Known>) -> bool {
        self.standing(name, known) == Standing::Protected
    }

    /// What the site demands of `cookie`. `known` is what is known of its name: a cookie that once
    /// left with a prefix keeps it, whatever flags the app gives it this time.
    ///
    /// [`Demand::legacy_client`] is `false` and [`Demand::secure`] is `true`; the caller, who knows
    /// the request, may change them.
    pub fn demand(&self, cookie: &SetCookie<'_>, known: Option<Known>) -> Demand {
        let name = cookie.name();
        let rule = self.rule(name);
        let is_well_known = is_well_known(name, known);
        let class = self.class_by(rule, name, is_well_known);
        let renamed_before = known.is_some_and(|known| known.forms.any_renamed());
        let full = match class {
            Class::Readable => false,
            Class::Protected => true,
            Class::KeepsName => self.harden_all || is_well_known || cookie.http_only(),
            Class::Ordinary => self.harden_all || cookie.http_only() || renamed_before,
        };
        let prefix = full
            && class != Class::KeepsName
            && rule.and_then(|rule| rule.prefix).unwrap_or(self.prefix);
        let rename = match prefix {
            false => Rename::Never,
            true if lists(&self.rename_domain, name) => Rename::EvenWithDomain,
            true => Rename::HostOnly,
        };
        let http_only = rule.and_then(|rule| rule.http_only).unwrap_or(full);
        Demand {
            secure: true,
            http_only: http_only && class != Class::Readable,
            same_site: rule.and_then(|rule| rule.same_site).or(self.same_site),
            rename,
            legacy_client: false,
        }
    }

    #[inline(always)]
    pub(crate) fn standing(&self, name: &[u8], known: Option<Known>) -> Standing {
        match self.class_by(self.rule(name), name, is_well_known(name, known)) {
            Class::Protected => Standing::Protected,
            Class::KeepsName | Class::Readable => Standing::Kept,
            Class::Ordinary if !known.is_some_and(|known| known.forms.any_renamed()) => {
                Standing::Free
            }
            Class::Ordinary if self.prefix => Standing::Protected,
            // Prefixes were switched off since: the bare one is the new one.
            Class::Ordinary => Standing::Kept,
        }
    }

    /// Whether a name that is protected by its class reads like `fold`.
    pub(crate) fn protect_like(&self, fold: &Fold) -> bool {
        let by_rule = self.rules.iter().map(|rule| rule.name.as_bytes());
        fold.well_known()
            .any(|name| self.class(name) == Class::Protected)
            || by_rule
                .filter(|name| fold.is_of(name))
                .any(|name| self.class(name) == Class::Protected)
    }

    fn rule(&self, name: &[u8]) -> Option<&NameRule> {
        self.rules.iter().find(|rule| rule.name.as_bytes() == name)
    }
}

fn is_well_known(name: &[u8], known: Option<Known>) -> bool {
    match known {
        Some(known) => known.well_known,
        None => well_known(name).is_some(),
    }
}

fn is_readable_by_default(name: &[u8]) -> bool {
    READABLE_BY_DEFAULT
        .iter()
        .any(|known| known.as_bytes() == name)
}

fn lists(names: &[String], name: &[u8]) -> bool {
    names.iter().any(|listed| listed.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Form;
    use crate::known::KnownNames;

    fn rule(name: &str) -> NameRule {
        NameRule {
            name: name.into(),
            ..NameRule::default()
        }
    }

    fn demand(rules: &NameRules, field: &str, form: Option<Form>) -> Demand {
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        let mut known = KnownNames::default();
        if let Some(form) = form {
            known.learn(cookie.name(), form, false, 1);
        }
        rules.demand(&cookie, known.get(cookie.name()))
    }

    #[test]
    fn classes() {
        let rules = NameRules {
            readable: vec!["csrftoken".into()],
            rules: vec![
                NameRule {
                    prefix: Some(false),
                    ..rule("PHPSESSID")
                },
                NameRule {
                    prefix: Some(true),
                    ..rule("mine")
                },
                NameRule {
                    http_only: Some(true),
                    ..rule("XSRF-TOKEN")
                },
                NameRule {
                    same_site: Some(SameSite::Strict),
                    ..rule("theme")
                },
                NameRule {
                    http_only: Some(false),
                    ..rule("shown")
                },
            ],
            ..NameRules::default()
        };
        for (name, class) in [
            ("sessionid", Class::Protected),
            ("csrftoken", Class::Readable),
            ("_xsrf", Class::Readable),
            ("XSRF-TOKEN", Class::Protected),
            ("PHPSESSID", Class::KeepsName),
            ("mine", Class::Protected),
            ("theme", Class::Ordinary),
            ("shown", Class::Ordinary),
            ("foo", Class::Ordinary),
        ] {
            assert_eq!(rules.class(name.as_bytes()), class, "{name}");
            assert_eq!(rules.is_readable(name.as_bytes()), class == Class::Readable);
        }
        let off = NameRules {
            prefix: false,
            ..rules
        };
        assert_eq!(off.class(b"sessionid"), Class::KeepsName);
        assert_eq!(off.class(b"mine"), Class::Protected);
    }

    #[test]
    fn the_full_treatment_goes_to_those_who_need_it() {
        let rules = NameRules::default();
        let plain = demand(&rules, "theme=1", None);
        assert!(plain.secure && !plain.http_only);
        assert_eq!(
            (plain.rename, plain.same_site),
            (Rename::Never, Some(SameSite::Lax))
        );
        for (field, form) in [
            ("theme=1; HttpOnly", None),
            ("sessionid=1", None),
            ("theme=1", Some(Form::Host)),
            ("theme=1", Some(Form::Secure)),
        ] {
            let full = demand(&rules, field, form);
            assert!(full.http_only && full.rename == Rename::HostOnly, "{field}");
        }
        assert!(!demand(&rules, "theme=1", Some(Form::Bare)).http_only);
        let all = NameRules {
            harden_all: true,
            ..NameRules::default()
        };
        assert!(demand(&all, "theme=1", None).http_only);
        let readable = demand(&all, "XSRF-TOKEN=1; HttpOnly", Some(Form::Host));
        assert!(!readable.http_only && readable.rename == Rename::Never);
    }

    #[test]
    fn settings_for_one_name_come_first() {
        let rules = NameRules {
            rename_domain: vec!["sso".into()],
            same_site: Some(SameSite::Strict),
            rules: vec![
                NameRule {
                    same_site: Some(SameSite::None),
                    ..rule("sessionid")
                },
                NameRule {
                    http_only: Some(false),
                    ..rule("csrftoken")
                },
                NameRule {
                    prefix: Some(false),
                    ..rule("PHPSESSID")
                },
                NameRule {
                    http_only: Some(true),
                    ..rule("mine")
                },
            ],
            ..NameRules::default()
        };
        assert_eq!(
            demand(&rules, "sessionid=1", None).same_site,
            Some(SameSite::None)
        );
        assert_eq!(
            demand(&rules, "foo=1", None).same_site,
            Some(SameSite::Strict)
        );
        let csrf = demand(&rules, "csrftoken=1", None);
        assert!(!csrf.http_only && csrf.rename == Rename::HostOnly);
        let php = demand(&rules, "PHPSESSID=1", None);
        assert!(php.http_only && php.rename == Rename::Never);
        assert!(demand(&rules, "mine=1", None).http_only);
        let sso = demand(&rules, "sso=1; HttpOnly; Domain=x.test", None);
        assert_eq!(sso.rename, Rename::EvenWithDomain);
    }

    #[test]
    fn what_left_with_a_prefix_is_protected_until_prefixes_are_switched_off() {
        let mut names = KnownNames::default();
        names.learn(b"tok", Form::Host, false, 1);
        names.learn(b"theme", Form::Bare, false, 1);
        let on = NameRules::default();
        let off = NameRules {
            prefix: false,
            ..NameRules::default()
        };
        assert!(on.is_protected(b"sessionid", None));
        assert!(on.is_protected(b"tok", names.get(b"tok")));
        assert!(!on.is_protected(b"tok", None));
        assert!(!on.is_protected(b"theme", names.get(b"theme")));
        assert!(!off.is_protected(b"tok", names.get(b"tok")));
        assert!(!off.is_protected(b"sessionid", None));
    }
}
