//! Settings: written down as text, checked once, then taken by the layers.
//!
//! ```text
//!  preset ─▶ Settings ◀─ variables        every mistake at once
//!               │                               ▲
//!               ▼                               │
//!          fields changed ─▶ check ─▶ Checked ──┴─▶ layers
//! ```

mod check;
mod cookies;
mod csp;
mod csrf;
mod environment;
mod keys;
mod mistake;
mod table;
mod value;
mod warnings;

pub(crate) use check::Checked;
pub(crate) use csp::parse as parse_csp;
pub use mistake::{Mistake, Mistakes, Warning};
pub use table::{Setting, Settings};
pub use value::{LegacySalt, Mode, SameSite, Secret, TokenRule};

/// The loopback addresses: where a gateway on the same machine comes from.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// What a browser on the same machine calls it.
const LOCAL_HOSTS: [&str; 4] = ["localhost", ".localhost", "127.0.0.1", "[::1]"];

impl Settings {
    /// For the world: HTTPS everywhere, `Secure` cookies with prefixes, and no reason given to
    /// strangers. `secret_key` is still to be set.
    ///
    /// ```
    /// let mut settings = sealwax::Settings::production(["app.example.com"]);
    /// settings.secret_key = "0aPq…".repeat(11).into();
    /// settings.session_cookie_age = 3600;
    /// assert!(settings.check().is_ok());
    /// ```
    pub fn production<S: Into<String>>(hosts: impl IntoIterator<Item = S>) -> Self {
        Self {
            allowed_hosts: hosts.into_iter().map(Into::into).collect(),
            ..Self::defaults()
        }
    }

    /// For one's own machine, without TLS. It differs from production only where it must: local
    /// hosts, no redirect, cookies that a browser takes over plain HTTP (not `Secure`, and so
    /// without prefix), and refusals that say why. Without a `secret_key` one is made up, and
    /// sessions end with the process.
    #[must_use]
    pub fn development() -> Self {
        Self {
            debug: true,
            secure_ssl_redirect: false,
            cookie_prefix: false,
            session_cookie_secure: false,
            csrf_cookie_secure: false,
            ..Self::production(LOCAL_HOSTS)
        }
    }

    /// For an app behind `sealwax serve` on the same machine, alone or beside a Django site whose
    /// cookies it shares. What the gateway does for the whole site is left to it: the redirect,
    /// HSTS and the prefixes of cookie names; two that rename cookies would fight. The gateway is
    /// believed when it says how a request came, since it comes from a loopback address.
    ///
    /// The layer must know that address: see [`Transport`](crate::Transport).
    pub fn behind_gateway<S: Into<String>>(hosts: impl IntoIterator<Item = S>) -> Self {
        Self {
            trusted_proxies: LOOPBACK.map(str::to_owned).to_vec(),
            secure_ssl_redirect: false,
            secure_hsts_seconds: Some(0),
            cookie_prefix: false,
            ..Self::production(hosts)
        }
    }

    /// The header values that Django adds, instead of those that break no working app.
    #[must_use]
    pub fn with_django_headers(self) -> Self {
        Self {
            secure_referrer_policy: Some("same-origin".to_owned()),
            secure_cross_origin_opener_policy: Some("same-origin".to_owned()),
            x_frame_options: Some("DENY".to_owned()),
            ..self
        }
    }
}
