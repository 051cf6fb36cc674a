//! What can be wrong with the settings of a cookie.

use super::mistake::Mistake;
use super::{SameSite, Settings};

/// The longest lifetime in seconds: a hundred years, so that every date can be written.
const LONGEST: u64 = 100 * 366 * 86_400;

/// The settings of one cookie, and how they are called.
struct Cookie<'a> {
    family: &'static str,
    name: &'a str,
    age: Option<u64>,
    domain: Option<&'a str>,
    path: &'a str,
    secure: bool,
    same_site: SameSite,
}

pub(super) fn check(settings: &Settings, mistakes: &mut Vec<Mistake>) {
    let session = Cookie {
        family: "session",
        name: &settings.session_cookie_name,
        age: Some(settings.session_cookie_age),
        domain: settings.session_cookie_domain.as_deref(),
        path: &settings.session_cookie_path,
        secure: settings.session_cookie_secure,
        same_site: settings.session_cookie_samesite,
    };
    let csrf = Cookie {
        family: "csrf",
        name: &settings.csrf_cookie_name,
        age: settings.csrf_cookie_age,
        domain: settings.csrf_cookie_domain.as_deref(),
        path: &settings.csrf_cookie_path,
        secure: settings.csrf_cookie_secure,
        same_site: settings.csrf_cookie_samesite,
    };
    if session.name == csrf.name {
        mistakes.push(Mistake::new(
            "csrf_cookie_name",
            "the session cookie has the same name",
            "give the two cookies different names",
        ));
    }
    session.check(mistakes);
    csrf.check(mistakes);
}

impl Cookie<'_> {
    fn check(&self, mistakes: &mut Vec<Mistake>) {
        let mut mistake = |part: &str, cause: String, mend: &str| {
            let place = format!("{}_cookie_{part}", self.family);
            mistakes.push(Mistake::new(place, cause, mend));
        };
        let name = self.name;
        if name.is_empty() || !name.bytes().all(is_token) {
            mistake(
                "name",
                format!("`{name}` cannot be the name of a cookie"),
                "write letters, digits, `-` and `_` (RFC 6265bis, Section 4.1.1)",
            );
        }
        if self.age.is_some_and(|age| age == 0 || age > LONGEST) {
            mistake(
                "age",
                "a cookie lasts at least a second and at most a hundred years".to_owned(),
                "write seconds in that range",
            );
        }
        if let Some(domain) = self.domain {
            let host = domain.strip_prefix('.').unwrap_or(domain);
            if !sealwax_policy::Host::parse(host.as_bytes()).is_ok_and(|h| h.port().is_none()) {
                mistake(
                    "domain",
                    format!("`{domain}` is no domain"),
                    "write a name such as example.com, or nothing",
                );
            }
        }
        if !self.path.starts_with('/')
            || self
                .path
                .bytes()
                .any(|byte| byte == b';' || !byte.is_ascii_graphic())
        {
            mistake(
                "path",
                format!("`{}` is no path of a cookie", self.path),
                "begin it with `/`, without `;` and spaces",
            );
        }
        if self.same_site == SameSite::None && !self.secure {
            mistake(
                "samesite",
                "browsers refuse SameSite=None without Secure".to_owned(),
                "set Secure, or write Lax",
            );
        }
        self.check_prefix(&mut mistake);
    }

    /// RFC 6265bis, Section 4.1.3: what browsers ask of a name with a prefix.
    fn check_prefix(&self, mistake: &mut impl FnMut(&str, String, &str)) {
        let lower = self.name.to_ascii_lowercase();
        let host = lower.starts_with("__host-");
        if (host || lower.starts_with("__secure-")) && !self.secure {
            mistake(
                "secure",
                format!("browsers refuse `{}` without Secure", self.name),
                "set Secure, or take the prefix off the name",
            );
        }
        if host && (self.domain.is_some() || self.path != "/") {
            mistake(
                "name",
                format!(
                    "browsers refuse `{}` with a Domain or a Path other than /",
                    self.name
                ),
                "take them away, or write __Secure-",
            );
        }
    }
}

/// A character of a token (RFC 9110 §5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
