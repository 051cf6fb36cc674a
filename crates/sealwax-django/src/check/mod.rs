//! Django's security checks: what `manage.py check --deploy` says of settings, under its ids.
//!
//! The settings come in as data ([`Settings`]); nothing here imports a project. So the two checks
//! that import its CSRF failure view, E101 and E102, are not here.

mod rules;
mod settings;

use std::fmt;

pub use settings::{CspSetting, Setting, Settings};

/// One thing that a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Django's id: `security.W004`.
    pub id: &'static str,
    /// Which setting, where an id is for several: `SECRET_KEY_FALLBACKS[0]`.
    pub subject: Option<String>,
    /// What is wrong, in a sentence.
    pub text: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.id)?;
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        f.write_str(self.text)
    }
}

/// One of Django's check functions.
#[derive(Clone, Copy)]
pub struct Check {
    /// The function's name in Django: `check_ssl_redirect`.
    pub name: &'static str,
    /// Whether it runs only with `--deploy`.
    pub deploy: bool,
    pub(crate) run: fn(&Settings) -> Vec<Finding>,
}

impl Check {
    /// Every check, in Django's order.
    #[must_use]
    pub fn all() -> &'static [Self] {
        rules::ALL
    }

    /// The check with this name in Django.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        rules::ALL.iter().find(|check| check.name == name).copied()
    }

    /// What it finds.
    #[must_use]
    pub fn run(&self, settings: &Settings) -> Vec<Finding> {
        (self.run)(settings)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Everything that `manage.py check`, with `--deploy` if asked, would say about security.
///
/// ```
/// use sealwax_django::check::{self, Settings};
///
/// // What `startproject` writes is not fit to be deployed:
/// let settings = Settings {
///     secret_key: Some("django-insecure-...".into()),
///     debug: true.into(),
///     middleware: vec!["django.middleware.security.SecurityMiddleware".into()],
///     ..Settings::default()
/// };
/// let found = check::run(&settings, true);
/// let ids: Vec<_> = found.iter().map(|finding| finding.id).collect();
/// assert!(ids.contains(&"security.W009") && ids.contains(&"security.W018"));
/// assert!(check::run(&settings, false).is_empty());
/// ```
#[must_use]
pub fn run(settings: &Settings, deploy: bool) -> Vec<Finding> {
    rules::ALL
        .iter()
        .filter(|check| deploy || !check.deploy)
        .flat_map(|check| check.run(settings))
        .collect()
}

#[cfg(test)]
mod tests;
