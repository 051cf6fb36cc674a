//! One cookie that a layer sets or deletes.

use std::fmt::Write as _;

use http::HeaderValue;

use sealwax_django::session::CookieLife;

use crate::settings::{SameSite, Settings};

/// The attributes of a cookie, from the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jar {
    name: String,
    domain: Option<String>,
    path: String,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
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

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// `Set-Cookie` with this value, which needs no quotes.
    pub(crate) fn set(&self, value: &str, life: &CookieLife) -> Option<HeaderValue> {
        let mut text = format!("{}={value}", self.name);
        // Django writes attributes sorted by name, and what is written into a String arrives.
        if let Some(domain) = &self.domain {
            let _ = write!(text, "; Domain={domain}");
        }
        if let CookieLife::For { expires, .. } = life {
            let _ = write!(text, "; expires={expires}");
        }
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        if let CookieLife::For { max_age, .. } = life {
            let _ = write!(text, "; Max-Age={max_age}");
        }
        let _ = write!(text, "; Path={}", self.path);
        if let Some(same_site) = self.same_site.attribute() {
            let _ = write!(text, "; SameSite={same_site}");
        }
        if self.secure {
            text.push_str("; Secure");
        }
        HeaderValue::try_from(text).ok()
    }

    /// `Set-Cookie` that ends the cookie.
    pub(crate) fn delete(&self) -> Option<HeaderValue> {
        let life = CookieLife::For {
            max_age: 0,
            expires: "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
        };
        self.set("\"\"", &life)
    }
}
