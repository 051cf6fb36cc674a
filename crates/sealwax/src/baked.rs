//! One cookie that a layer sets or deletes, written as Django writes it.

use http::HeaderValue;
use sealwax_django::cookie::{Attributes, format};
use sealwax_django::session::CookieLife;

use crate::settings::{SameSite, Settings};

/// Name and attributes of a cookie, from the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jar {
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
}

impl Jar {
    pub(crate) fn session(settings: &Settings) -> Self {
        Self {
            name: settings.session_cookie_name.clone(),
            domain: settings.session_cookie_domain.clone(),
            path: settings.session_cookie_path.clone(),
            secure: settings.session_cookie_secure,
            http_only: settings.session_cookie_httponly,
            same_site: settings.session_cookie_samesite,
        }
    }

    pub(crate) fn csrf(settings: &Settings) -> Self {
        Self {
            name: settings.csrf_cookie_name.clone(),
            domain: settings.csrf_cookie_domain.clone(),
            path: settings.csrf_cookie_path.clone(),
            secure: settings.csrf_cookie_secure,
            http_only: settings.csrf_cookie_httponly,
            same_site: settings.csrf_cookie_samesite,
        }
    }

    /// Another cookie with the attributes of the session's, as Django gives its messages.
    pub(crate) fn beside_session(settings: &Settings, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: "/".to_owned(),
            ..Self::session(settings)
        }
    }

    /// `Set-Cookie` with this value; `None` if no cookie can have it.
    pub(crate) fn set(&self, value: &str, life: &CookieLife) -> Option<HeaderValue> {
        let (max_age, expires) = match life {
            CookieLife::Browser => (None, None),
            CookieLife::For { max_age, expires } => (Some(*max_age), Some(expires.as_str())),
        };
        self.write(
            value,
            &Attributes {
                max_age,
                expires,
                http_only: self.http_only,
                secure: self.secure,
                ..self.place()
            },
        )
    }

    /// `Set-Cookie` that ends the cookie.
    pub(crate) fn delete(&self) -> Option<HeaderValue> {
        self.write("", &self.place().deletion(&self.name))
    }

    fn write(&self, value: &str, attributes: &Attributes<'_>) -> Option<HeaderValue> {
        let field = format(&self.name, value, attributes).ok()?;
        HeaderValue::try_from(field).ok()
    }

    /// What a deletion has to repeat.
    fn place(&self) -> Attributes<'_> {
        Attributes {
            domain: self.domain.as_deref(),
            path: Some(&self.path),
            same_site: self.same_site.attribute(),
            ..Attributes::default()
        }
    }
}
