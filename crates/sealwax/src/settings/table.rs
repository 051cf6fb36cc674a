//! The table of settings: one row for each. The struct, its documentation, the reader of variables
//! and [`Setting::ALL`] are made from it.

use super::value::{LegacySalt, Mode, SameSite, Secret, TokenRule, Value};

/// One row of the table: what a reference or a help text shows.
///
/// ```
/// use sealwax::Setting;
///
/// let age = Setting::ALL.iter().find(|setting| setting.name == "session_cookie_age").unwrap();
/// assert_eq!(age.django, "SESSION_COOKIE_AGE");
/// assert_eq!(age.default(), "1209600");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Setting {
    /// The field of [`Settings`].
    pub name: &'static str,
    /// Django's name, which is also the variable; empty for a setting that Django does not have.
    pub django: &'static str,
    /// What it does.
    pub help: &'static str,
    default: fn() -> String,
    lay: fn(&mut Settings, &str) -> Result<(), &'static str>,
}

impl Setting {
    /// The default, written as in a variable.
    #[must_use]
    pub fn default(&self) -> String {
        (self.default)()
    }

    /// The variable without `SEALWAX_` in front.
    #[must_use]
    pub fn variable(&self) -> String {
        match self.django {
            "" => self.name.to_ascii_uppercase(),
            name => name.to_owned(),
        }
    }

    /// Lays the text of a variable over `settings`; the error says what is wanted.
    pub(super) fn lay(&self, settings: &mut Settings, text: &str) -> Result<(), &'static str> {
        (self.lay)(settings, text)
    }
}

macro_rules! settings {
    ($( $(#[doc = $help:literal])+ $name:ident: $type:ty = $default:expr, $django:literal; )+) => {
        /// Everything that can be set, under Django's names in snake case.
        ///
        /// Made by [`Settings::production`], [`Settings::development`] or [`Settings::from_env`],
        /// with [`behind_gateway`](Settings::behind_gateway) where one is in front, then changed
        /// field by field.
        /// Whatever takes settings checks them and refuses all mistakes at once.
        ///
        /// The defaults are those of [`Settings::production`].
        ///
        /// ```
        /// use sealwax::Settings;
        ///
        /// let mut settings = Settings::production(["app.example.com"]);
        /// settings.secret_key = "0aPq…".repeat(11).into();
        /// settings.session_cookie_age = 3600;
        /// settings.csrf_trusted_origins = vec!["https://forms.example.com".into()];
        /// assert!(settings.check().unwrap().is_empty());
        /// ```
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct Settings {
            $( $(#[doc = $help])+ #[doc = ""] #[doc = django_name!($django)] pub $name: $type, )+
        }

        impl Settings {
            /// Every setting at its default.
            pub(super) fn defaults() -> Self {
                Self { $( $name: $default, )+ }
            }
        }

        impl Setting {
            /// Every setting, in the order of the reference.
            pub const ALL: &'static [Setting] = &[ $(
                Setting {
                    name: stringify!($name),
                    django: $django,
                    help: concat!($($help, "\n"),+),
                    default: || {
                        let value: $type = $default;
                        Value::write(&value)
                    },
                    lay: |settings, text| {
                        settings.$name = <$type as Value>::read(text).ok_or(<$type as Value>::WANTED)?;
                        Ok(())
                    },
                },
            )+ ];
        }
    };
}

macro_rules! django_name {
    ("") => {
        "Django has no such setting."
    };
    ($name:literal) => {
        concat!("Django: `", $name, "`.")
    };
}

fn text(text: &str) -> String {
    text.to_owned()
}

settings! {
    /// Refusals say why. Never in production.
    debug: bool = false, "DEBUG";
    /// The hosts that are answered, by Django's rules: a name, `.example.com` for a name and all
    /// below it, `*` for every one. Any other `Host` is refused with 400.
    allowed_hosts: Vec<String> = Vec::new(), "ALLOWED_HOSTS";
    /// `enforce`, or `report`: `SealLayer` changes no response and refuses nothing by policy, but
    /// records what it would do.
    mode: Mode = Mode::Enforce, "";

    /// What everything is signed with: at least 50 characters that nobody can guess.
    secret_key: Secret = Secret::default(), "SECRET_KEY";
    /// Keys from before, which still verify.
    secret_key_fallbacks: Vec<Secret> = Vec::new(), "SECRET_KEY_FALLBACKS";
    /// Signed cookies with the salt of Django before June 2026: `off`, `read` or `write`.
    signed_cookie_legacy_salt_fallback: LegacySalt = LegacySalt::Off, "SIGNED_COOKIE_LEGACY_SALT_FALLBACK";

    /// Addresses or ranges of proxies in front, whose `X-Forwarded-Proto` and `X-Forwarded-For`
    /// are believed. Nobody else's are.
    trusted_proxies: Vec<String> = Vec::new(), "";
    /// A header in Django's spelling and the value by which it says HTTPS:
    /// `HTTP_X_FORWARDED_PROTO,https`. It is believed whoever sends it, so a proxy in front must
    /// set it on every request; `trusted_proxies` is safer.
    secure_proxy_ssl_header: Option<(String, String)> = None, "SECURE_PROXY_SSL_HEADER";

    /// Send plain HTTP to HTTPS: 301 for GET and HEAD, 308 otherwise.
    secure_ssl_redirect: bool = true, "SECURE_SSL_REDIRECT";
    /// The host of that redirect, with a port if need be; not set, it is the one that was asked
    /// for.
    secure_ssl_host: Option<String> = None, "SECURE_SSL_HOST";
    /// The port of that redirect; 443 is left out of the URL.
    secure_ssl_port: u16 = 443, "";
    /// Paths that are served over plain HTTP: regular expressions without look-around, searched in
    /// the decoded path without its leading slashes.
    secure_redirect_exempt: Vec<String> = Vec::new(), "SECURE_REDIRECT_EXEMPT";
    /// Paths that are refused with 403 over plain HTTP instead of redirected (OWASP ASVS 4.1.2).
    secure_redirect_refuse: Vec<String> = Vec::new(), "";
    /// `max-age` of `Strict-Transport-Security` in seconds, at once, over TLS and for public names
    /// only; 0 sends none. Not set: only where [`Transport`](crate::Transport) says that the
    /// served chain is publicly trusted, in steps that begin anew with each process: 5 minutes, 1
    /// day, 30 days, 2 years.
    secure_hsts_seconds: Option<u64> = None, "SECURE_HSTS_SECONDS";
    /// Adds `includeSubDomains`.
    secure_hsts_include_subdomains: bool = false, "SECURE_HSTS_INCLUDE_SUBDOMAINS";
    /// Adds `preload`, once `max-age` has reached a year.
    secure_hsts_preload: bool = false, "SECURE_HSTS_PRELOAD";
    /// Adds `X-Content-Type-Options: nosniff` where the app sends none.
    secure_content_type_nosniff: bool = true, "SECURE_CONTENT_TYPE_NOSNIFF";
    /// Adds `Referrer-Policy` where the app sends none. Django's default is `same-origin`.
    secure_referrer_policy: Option<String> = Some(text("strict-origin-when-cross-origin")), "SECURE_REFERRER_POLICY";
    /// Adds `Cross-Origin-Opener-Policy` where the app sends none. Django's default is
    /// `same-origin`, which breaks sign-in and payment popups.
    secure_cross_origin_opener_policy: Option<String> = Some(text("same-origin-allow-popups")), "SECURE_CROSS_ORIGIN_OPENER_POLICY";
    /// Adds `X-Frame-Options` where the app sends neither it nor `frame-ancestors`. Django's
    /// default is `DENY`.
    x_frame_options: Option<String> = Some(text("SAMEORIGIN")), "X_FRAME_OPTIONS";
    /// Adds `Content-Security-Policy`: directives with `;` between; `<CSP_NONCE_SENTINEL>` stands
    /// for the response's nonce.
    secure_csp: Option<String> = None, "SECURE_CSP";
    /// The same for `Content-Security-Policy-Report-Only`.
    secure_csp_report_only: Option<String> = None, "SECURE_CSP_REPORT_ONLY";

    /// Cookies leave as `__Host-name` or `__Secure-name`, and come back under their own name. Off
    /// where somebody else does that, or shares the cookies without it.
    cookie_prefix: bool = true, "";
    /// Every cookie gets `HttpOnly` and a prefix, not only those the app marked HttpOnly and the
    /// known session and CSRF cookies.
    cookie_harden_all: bool = false, "";
    /// Cookies that scripts read: never renamed, never made HttpOnly.
    cookie_readable: Vec<String> = Vec::new(), "";

    /// Lets in the plain and unprefixed cookies that browsers got before the layer was there, or
    /// before a cookie was sealed; without it their users log in again. Whoever can set cookies for
    /// the host can pass his own off so: switch it off once old sessions have ended.
    cookie_migrate: bool = false, "";

    /// Cookies whose values browsers get encrypted, for one name on one host, by the names that the
    /// app gives them. With `session_cookie_secure` off nothing is sealed, so that is a mistake in
    /// production.
    sealed_cookies: Vec<String> = Vec::new(), "";
    /// The keys for that, as `sealwax secret new` writes them: the first seals, all open.
    /// `SEALWAX_SECRET` is read as well. In development some are made up.
    seal_keys: Secret = Secret::default(), "";
    /// Cookies that are worth nothing without proof of a key in the browser's device (Device Bound
    /// Session Credentials); they are sealed, too. It takes the crate's feature `bind`.
    bound_cookies: Vec<String> = Vec::new(), "";
    /// `enforce`, or `report`: cookies are sealed and bound and proofs asked for, and nothing is
    /// withheld for want of one.
    bound_cookie_mode: Mode = Mode::Enforce, "";
    /// How long a proof lasts, in seconds, and with it whoever copied all cookies.
    bound_cookie_lifetime: u64 = 600, "";
    /// Login pages: regular expressions without look-around, searched in the path without its
    /// leading slashes. The key is made while the form is being filled in.
    bound_cookie_born_on: Vec<String> = Vec::new(), "";
    /// Paths that want a younger proof, each with its age in seconds: `^account/password=0` wants one
    /// that was made for this very request.
    bound_cookie_fresh: Vec<String> = Vec::new(), "";
    /// Withhold a cookie that is not bound yet, where the browser says that its key fails.
    bound_cookie_deny_fallback: bool = false, "";

    /// The session cookie's name.
    session_cookie_name: String = text("sessionid"), "SESSION_COOKIE_NAME";
    /// How long a session lasts after it was last saved, in seconds.
    session_cookie_age: u64 = 1_209_600, "SESSION_COOKIE_AGE";
    /// The session cookie's `Domain`.
    session_cookie_domain: Option<String> = None, "SESSION_COOKIE_DOMAIN";
    /// The session cookie's `Path`.
    session_cookie_path: String = text("/"), "SESSION_COOKIE_PATH";
    /// The session cookie's `Secure`. Django's default is false.
    session_cookie_secure: bool = true, "SESSION_COOKIE_SECURE";
    /// The session cookie's `HttpOnly`.
    session_cookie_httponly: bool = true, "SESSION_COOKIE_HTTPONLY";
    /// The session cookie's `SameSite`: `Lax`, `Strict`, `None` or `omitted`.
    session_cookie_samesite: SameSite = SameSite::Lax, "SESSION_COOKIE_SAMESITE";
    /// Save every session that is not empty and send its cookie again, on every response.
    session_save_every_request: bool = false, "SESSION_SAVE_EVERY_REQUEST";
    /// The cookie ends with the browser's session; the row still lives `session_cookie_age`.
    session_expire_at_browser_close: bool = false, "SESSION_EXPIRE_AT_BROWSER_CLOSE";
    /// Whose sessions are read and written, as Django names it: `…backends.db`,
    /// `…backends.cached_db`, or the class of a project's own store, which decides the salt.
    session_engine: String = text("django.contrib.sessions.backends.db"), "SESSION_ENGINE";

    /// The CSRF cookie's name.
    csrf_cookie_name: String = text("csrftoken"), "CSRF_COOKIE_NAME";
    /// How long the CSRF cookie lasts, in seconds; `None` ends it with the browser's session.
    csrf_cookie_age: Option<u64> = Some(31_449_600), "CSRF_COOKIE_AGE";
    /// The CSRF cookie's `Domain`. It also widens the Referer check.
    csrf_cookie_domain: Option<String> = None, "CSRF_COOKIE_DOMAIN";
    /// The CSRF cookie's `Path`.
    csrf_cookie_path: String = text("/"), "CSRF_COOKIE_PATH";
    /// The CSRF cookie's `Secure`. Django's default is false.
    csrf_cookie_secure: bool = true, "CSRF_COOKIE_SECURE";
    /// The CSRF cookie's `HttpOnly`. Django's default is false, for scripts that read the cookie;
    /// give them the token in the page instead.
    csrf_cookie_httponly: bool = true, "CSRF_COOKIE_HTTPONLY";
    /// The CSRF cookie's `SameSite`.
    csrf_cookie_samesite: SameSite = SameSite::Lax, "CSRF_COOKIE_SAMESITE";
    /// The header that carries the token, in Django's spelling: `HTTP_X_CSRFTOKEN` is
    /// `X-CSRFToken`.
    csrf_header_name: String = text("HTTP_X_CSRFTOKEN"), "CSRF_HEADER_NAME";
    /// Other origins that may send unsafe requests: `scheme://host[:port]`, with `*.` for every
    /// host below a name.
    csrf_trusted_origins: Vec<String> = Vec::new(), "CSRF_TRUSTED_ORIGINS";
    /// Keep the CSRF secret in the session instead of a cookie.
    csrf_use_sessions: bool = false, "CSRF_USE_SESSIONS";
    /// When the token is needed: `without_fetch_metadata` or `always`.
    csrf_token: TokenRule = TokenRule::WithoutFetchMetadata, "";
    /// `enforce`, or `report`: `CsrfLayer` lets pass what it would refuse, and says so.
    csrf_mode: Mode = Mode::Enforce, "";
    /// Paths that are not judged: regular expressions without look-around.
    csrf_exempt: Vec<String> = Vec::new(), "";
    /// How many bytes of a form are read to find its token.
    data_upload_max_memory_size: usize = 2_621_440, "DATA_UPLOAD_MAX_MEMORY_SIZE";

    /// The backends by which a session may say its user logged in.
    authentication_backends: Vec<String> = vec![text("django.contrib.auth.backends.ModelBackend")], "AUTHENTICATION_BACKENDS";
    /// Where the extractor `User` sends the GET of a stranger, with `?next=` and the way back. Not
    /// set: it refuses with 403, as it does all other requests. Let the login follow `next` by
    /// [`Arrival::safe_redirect`](crate::Arrival::safe_redirect) only. Django's default is
    /// `/accounts/login/`.
    login_url: Option<String> = None, "LOGIN_URL";
}
