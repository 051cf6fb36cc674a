//! What works, but is weaker than it could be: where it makes sense, what Django's
//! `check --deploy` says, with its ids.

use super::mistake::Warning;
use super::{Settings, keys};

pub(super) fn of(settings: &Settings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |django, place, cause: &str, mend| {
        warnings.push(Warning {
            django,
            place,
            cause: cause.to_owned(),
            mend,
        });
    };
    // On one's own machine all of this is as it should be.
    if settings.debug {
        warn(
            Some("W018"),
            "debug",
            "refusals tell strangers their reason",
            "switch it off in production",
        );
        return warnings;
    }
    if !settings.secure_ssl_redirect && settings.trusted_proxies.is_empty() {
        warn(
            Some("W008"),
            "secure_ssl_redirect",
            "plain HTTP is served, and no trusted proxy in front redirects it",
            "switch it on, or name the proxy in trusted_proxies",
        );
    }
    if let Some(weakness) = keys::weakness(settings.secret_key.expose()) {
        warn(
            Some("W009"),
            "secret_key",
            weakness,
            "make a new one of 50 random characters, and keep the old one in secret_key_fallbacks for a while",
        );
    }
    for key in &settings.secret_key_fallbacks {
        if let Some(weakness) = keys::weakness(key.expose()) {
            warn(
                Some("W025"),
                "secret_key_fallbacks",
                weakness,
                "take it away as soon as nothing is signed with it any more",
            );
        }
    }
    if !settings.session_cookie_secure {
        warn(
            Some("W012"),
            "session_cookie_secure",
            "the session cookie may travel over plain HTTP",
            "switch it on",
        );
    }
    if !settings.session_cookie_httponly {
        warn(
            Some("W015"),
            "session_cookie_httponly",
            "every script in a page can read the session cookie",
            "switch it on",
        );
    }
    if !settings.csrf_use_sessions && !settings.csrf_cookie_secure {
        warn(
            Some("W016"),
            "csrf_cookie_secure",
            "the CSRF cookie may travel over plain HTTP",
            "switch it on",
        );
    }
    if settings.allowed_hosts.iter().any(|host| host == "*") {
        warn(
            None,
            "allowed_hosts",
            "every Host is answered, also one that an attacker made up",
            "name the hosts by which the app is reached",
        );
    }
    if settings.secure_proxy_ssl_header.is_some() {
        warn(
            None,
            "secure_proxy_ssl_header",
            "whoever reaches the app directly can say that it came over HTTPS",
            "name the proxy's address in trusted_proxies instead",
        );
    }
    if settings
        .trusted_proxies
        .iter()
        .any(|range| range.ends_with("/0"))
    {
        warn(
            None,
            "trusted_proxies",
            "every client is believed when it says who it is",
            "name the addresses of the proxies only",
        );
    }
    if settings
        .secure_hsts_seconds
        .is_some_and(|seconds| seconds > 0)
        && !settings.secure_hsts_include_subdomains
    {
        warn(
            Some("W005"),
            "secure_hsts_include_subdomains",
            "hosts below this one may still be reached over plain HTTP, and set its cookies",
            "switch it on once all of them have HTTPS",
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_production_has_nothing_to_warn_of() {
        let mut settings = Settings::production(["a.example"]);
        settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
        assert_eq!(settings.check(), Ok(Vec::new()));
    }

    #[test]
    fn djangos_ids_are_given() {
        let mut settings = Settings::production(["*"]);
        settings.session_cookie_secure = false;
        settings.session_cookie_httponly = false;
        settings.csrf_cookie_secure = false;
        settings.secure_ssl_redirect = false;
        settings.secret_key_fallbacks = vec!["short".into()];
        let ids: Vec<&str> = of(&settings).iter().filter_map(|w| w.django).collect();
        assert_eq!(ids, ["W008", "W009", "W025", "W012", "W015", "W016"]);
        // Behind a gateway the redirect is the gateway's business.
        let settings = Settings::behind_gateway(["a.example"]);
        assert!(of(&settings).iter().all(|w| w.django != Some("W008")));
    }
}
