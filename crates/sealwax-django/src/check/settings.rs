//! Django's settings, as far as the checks look at them.

use serde::Deserialize;

/// A setting's value as Python has it, since Django's checks tell `True` from other true things.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Setting {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An int or a float.
    Number(f64),
    /// A str.
    Text(String),
    /// A list, tuple or set.
    List(Vec<Setting>),
}

impl Setting {
    /// Python's `value is True`.
    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// Python's `bool(value)`.
    pub(super) fn truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0,
            Self::Text(value) => !value.is_empty(),
            Self::List(values) => !values.is_empty(),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for Setting {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// `SECURE_CSP` or `SECURE_CSP_REPORT_ONLY`, as far as a check looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum CspSetting {
    /// Absent or `None`.
    #[default]
    Unset,
    /// A dict.
    Policy {
        /// Always true.
        dict: bool,
        /// Whether a value of it is, or holds, `CSP.NONCE`.
        #[serde(default)]
        nonce: bool,
    },
    /// Something else: its `repr`.
    Other {
        /// Python's `repr` of it.
        other: String,
    },
}

/// The settings that the checks look at; the defaults are Django's.
///
/// It deserializes from an object with Django's names.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Settings {
    /// `ALLOWED_HOSTS`.
    pub allowed_hosts: Vec<String>,
    /// `CSRF_COOKIE_SECURE`.
    pub csrf_cookie_secure: Setting,
    /// `CSRF_TRUSTED_ORIGINS`.
    pub csrf_trusted_origins: Vec<String>,
    /// `CSRF_USE_SESSIONS`.
    pub csrf_use_sessions: Setting,
    /// `DEBUG`.
    pub debug: Setting,
    /// `INSTALLED_APPS`.
    pub installed_apps: Vec<String>,
    /// `MIDDLEWARE`.
    pub middleware: Vec<String>,
    /// `SECRET_KEY`; `None` where it cannot be read.
    pub secret_key: Option<String>,
    /// `SECRET_KEY_FALLBACKS`; `None` where they cannot be read.
    pub secret_key_fallbacks: Option<Vec<String>>,
    /// `SECURE_CONTENT_TYPE_NOSNIFF`.
    pub secure_content_type_nosniff: Setting,
    /// `SECURE_CROSS_ORIGIN_OPENER_POLICY`.
    pub secure_cross_origin_opener_policy: Setting,
    /// `SECURE_CSP`.
    pub secure_csp: CspSetting,
    /// `SECURE_CSP_REPORT_ONLY`.
    pub secure_csp_report_only: CspSetting,
    /// `SECURE_HSTS_INCLUDE_SUBDOMAINS`.
    pub secure_hsts_include_subdomains: Setting,
    /// `SECURE_HSTS_PRELOAD`.
    pub secure_hsts_preload: Setting,
    /// `SECURE_HSTS_SECONDS`.
    pub secure_hsts_seconds: Setting,
    /// `SECURE_REFERRER_POLICY`.
    pub secure_referrer_policy: Setting,
    /// `SECURE_SSL_REDIRECT`.
    pub secure_ssl_redirect: Setting,
    /// `SESSION_COOKIE_HTTPONLY`.
    pub session_cookie_httponly: Setting,
    /// `SESSION_COOKIE_SECURE`.
    pub session_cookie_secure: Setting,
    /// Whether an engine in `TEMPLATES` lists `django.template.context_processors.csp`.
    pub templates_csp: bool,
    /// `X_FRAME_OPTIONS`.
    pub x_frame_options: Setting,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            csrf_cookie_secure: false.into(),
            csrf_trusted_origins: Vec::new(),
            csrf_use_sessions: false.into(),
            debug: false.into(),
            installed_apps: Vec::new(),
            middleware: Vec::new(),
            secret_key: None,
            secret_key_fallbacks: Some(Vec::new()),
            secure_content_type_nosniff: true.into(),
            secure_cross_origin_opener_policy: "same-origin".into(),
            secure_csp: CspSetting::Unset,
            secure_csp_report_only: CspSetting::Unset,
            secure_hsts_include_subdomains: false.into(),
            secure_hsts_preload: false.into(),
            secure_hsts_seconds: 0.into(),
            secure_referrer_policy: "same-origin".into(),
            secure_ssl_redirect: false.into(),
            session_cookie_httponly: true.into(),
            session_cookie_secure: false.into(),
            templates_csp: false,
            x_frame_options: "DENY".into(),
        }
    }
}
