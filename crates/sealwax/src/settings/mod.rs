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
mod seal;
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
    /// without prefix), and refusals that say why. Without a `secret_key` one is made up, the same
    /// for every layer of the process, and sessions end with it.
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

    /// The same, for an app behind `sealwax serve` on the same machine, alone or beside a Django
    /// site whose cookies it shares. It can follow any preset, and [`from_env`](Self::from_env).
    ///
    /// What the gateway does for the whole site is left to it: the redirect, HSTS and the prefixes
    /// of cookie names; two that rename cookies would fight. So would two that seal and bind them:
    /// name them in the gateway's settings. The gateway is believed when it says
    /// how a request came, since it comes from a loopback address; so are the `trusted_proxies`
    /// that are named already. Nothing else is changed.
    ///
    /// The layer must know that address: see [`Transport`](crate::Transport).
    ///
    /// ```
    /// use sealwax::Settings;
    ///
    /// # fn main() -> Result<(), sealwax::Mistakes> {
    /// # let from_env = || Settings::from_variables([
    /// #     ("ALLOWED_HOSTS".into(), "app.example.com".into()),
    /// #     ("SECRET_KEY".into(), "0aPq…".repeat(11)),
    /// #     ("SESSION_COOKIE_AGE".into(), "3600".into()),
    /// # ]);
    /// let settings = from_env()?.behind_gateway(); // Settings::from_env()?.behind_gateway()
    /// assert!(!settings.secure_ssl_redirect && settings.session_cookie_secure);
    /// assert_eq!(settings.session_cookie_age, 3600);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn behind_gateway(mut self) -> Self {
        for range in LOOPBACK {
            if !self.trusted_proxies.iter().any(|known| known == range) {
                self.trusted_proxies.push(range.to_owned());
            }
        }
        Self {
            secure_ssl_redirect: false,
            secure_hsts_seconds: Some(0),
            secure_hsts_include_subdomains: false,
            secure_hsts_preload: false,
            cookie_prefix: false,
            sealed_cookies: Vec::new(),
            bound_cookies: Vec::new(),
            bound_cookie_born_on: Vec::new(),
            bound_cookie_fresh: Vec::new(),
            ..self
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

#[cfg(test)]
mod tests {
    use super::*;

    fn from_env(more: &[(&str, &str)]) -> Settings {
        let key = "an example of fifty characters, which nobody guesses!";
        let variables = [("SECRET_KEY", key), ("ALLOWED_HOSTS", "a.example")];
        let variables = variables.into_iter().chain(more.iter().copied());
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Settings::from_variables(variables).unwrap()
    }

    #[test]
    fn a_gateway_in_front_changes_its_own_business_only() {
        let alone = from_env(&[
            ("TRUSTED_PROXIES", "10.0.0.7"),
            ("SECURE_HSTS_SECONDS", "31536000"),
            ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "true"),
            ("SECURE_HSTS_PRELOAD", "true"),
            ("SESSION_COOKIE_AGE", "3600"),
        ]);
        let behind = alone.clone().behind_gateway();
        // All mistakes of the environment were found before; none is made now.
        assert_eq!(behind.check(), Ok(Vec::new()));
        assert_eq!(
            behind.trusted_proxies,
            ["10.0.0.7", "127.0.0.0/8", "::1/128"]
        );
        assert_eq!(behind.clone().behind_gateway(), behind);
        let back = Settings {
            trusted_proxies: alone.trusted_proxies.clone(),
            secure_ssl_redirect: true,
            secure_hsts_seconds: Some(31_536_000),
            secure_hsts_include_subdomains: true,
            secure_hsts_preload: true,
            cookie_prefix: true,
            ..behind
        };
        assert_eq!(back, alone);
        // In development refusals still say why, and a key is still made up.
        let development = Settings::development().behind_gateway();
        assert!(development.debug && development.check().is_ok());
    }
}
