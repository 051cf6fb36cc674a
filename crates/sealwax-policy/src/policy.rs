//! The checked policy of one site: plain data, every field documented with its
//! default. How it is written down is the business of `sealwax-config`; that
//! its parts fit together is checked there, at the place of the mistake.

use http::HeaderName;
use sealwax_cookie::{NameRule, NameRules};

use crate::bind::Bind;
use crate::headers::Headers;
use crate::host::AllowedHosts;
use crate::hsts::Hsts;
use crate::proxies::TrustedProxies;
use crate::redirect::Redirect;
use crate::seal::Seal;

/// Whether the policy acts or only tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Apply every rule.
    #[default]
    Enforce,
    /// Change no response and refuse nothing by policy, but record what would
    /// be done, except that cookies which enforcing sent out under a prefix are
    /// taken back when the app sets or deletes them. Framing, host check, forwarded headers and the reading of
    /// cookies stay as in [`Mode::Enforce`].
    Report,
}

/// Everything the rules need to know about one site.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Policy {
    /// Enforce or report. Default: enforce.
    pub mode: Mode,
    /// The hosts of the site (Django: `ALLOWED_HOSTS`). Default: none.
    pub hosts: AllowedHosts,
    /// Proxies in front whose `X-Forwarded-*` are believed. Default: none.
    pub proxies: TrustedProxies,
    /// Header names with `_` or `.` that may reach the app. Default: none.
    pub odd_header_names: Vec<HeaderName>,
    /// From plain HTTP to HTTPS.
    pub redirect: Redirect,
    /// Strict-Transport-Security.
    pub hsts: Hsts,
    /// The other security headers.
    pub headers: Headers,
    /// Cookies, both ways.
    pub cookies: NameRules,
    /// Cookies that are sealed towards the browser ([`set_seal`](Self::set_seal)). Default: none.
    pub(crate) seal: Option<Seal>,
    /// Cookies that are bound to the browser's device (`set_bind`). Default: none.
    pub(crate) bind: Option<Bind>,
    /// Leave `SameSite=None` off for browsers that cannot read it, with `Vary:
    /// User-Agent`. Default: false.
    pub legacy_same_site: bool,
}

impl Policy {
    /// The default policy for `hosts`.
    #[must_use]
    pub fn new(hosts: AllowedHosts) -> Self {
        Self {
            hosts,
            ..Self::default()
        }
    }

    /// Binds cookies, which must be sealed, too, to the browser's device.
    #[cfg(feature = "bind")]
    pub fn set_bind(&mut self, bind: Bind) {
        self.bind = Some(bind);
    }

    /// Seals cookies. They get the full treatment of cookies (`HttpOnly` and a prefix), since no
    /// script can do anything with them, except where a rule for their name says otherwise.
    pub fn set_seal(&mut self, seal: Seal) {
        for name in seal.names() {
            let rules = &mut self.cookies.rules;
            let at = rules.iter().position(|rule| rule.name == name);
            let at = at.unwrap_or_else(|| {
                rules.push(NameRule {
                    name: name.to_owned(),
                    ..NameRule::default()
                });
                rules.len() - 1
            });
            if let Some(rule) = rules.get_mut(at) {
                rule.http_only.get_or_insert(true);
            }
        }
        self.seal = Some(seal);
    }
}
