//! What works, but is weaker than it could be: where it makes sense, what Django's
//! `check --deploy` says, with its ids.

use sealwax_policy::Paths;

use super::mistake::Warning;
use super::{Settings, keys, seal};

/// Paths that have nothing in common: a set that holds them all holds every path.
const ANY_PATHS: [&str; 5] = ["/", "/a", "/B/b.c", "/-1/_", "/~"];

/// Whether no path at all is outside of `patterns`.
fn hold_every_path(patterns: &[String]) -> bool {
    let paths = Paths::new(patterns).unwrap_or_default();
    ANY_PATHS.iter().all(|path| paths.find(path))
}

/// Whether the last part of a name is spelled as Python's modules are, and not as its classes.
fn names_a_module(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    !name.starts_with("django.contrib.sessions.backends.")
        && last.starts_with(|letter: char| letter.is_lowercase())
}

pub(super) fn of(settings: &Settings) -> Vec<Warning> {
    let mut warnings = seal::warnings(settings);
    let mut warn = |django, place, cause: &str, mend| {
        warnings.push(Warning {
            django,
            place,
            cause: cause.to_owned(),
            mend,
        });
    };
    let bare = [
        ("session_cookie_secure", settings.session_cookie_secure),
        (
            "csrf_cookie_secure",
            settings.csrf_cookie_secure || settings.csrf_use_sessions,
        ),
    ];
    for (place, _) in bare.iter().filter(|(_, secure)| !secure) {
        if settings.cookie_prefix {
            warn(
                None,
                place,
                "cookie_prefix asks for `__Host-` names, which browsers take with Secure only: over plain HTTP the cookie leaves bare, and is not accepted when it comes back",
                "switch it on, or cookie_prefix off",
            );
        }
    }
    if names_a_module(&settings.session_engine) {
        warn(
            None,
            "session_engine",
            "it ends like the name of a module, and the class is part of what sessions are signed with: Django's would count as empty",
            "write the class as well, shop.sessions.SessionStore for the module shop.sessions",
        );
    }
    // On one's own machine all of the rest is as it should be.
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
    if hold_every_path(&settings.csrf_exempt) {
        warn(
            None,
            "csrf_exempt",
            "it matches every path, so no request is judged: other sites can act as your users",
            "name the paths that need no protection from their beginning, such as ^hooks/",
        );
    }
    if settings.secure_ssl_redirect && hold_every_path(&settings.secure_redirect_exempt) {
        warn(
            None,
            "secure_redirect_exempt",
            "it matches every path, so plain HTTP is never sent to HTTPS",
            "name the paths from their beginning, such as ^health$",
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

    fn places(change: impl FnOnce(&mut Settings)) -> Vec<&'static str> {
        let mut settings = Settings::production(["a.example"]);
        settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
        change(&mut settings);
        of(&settings).iter().map(|warning| warning.place).collect()
    }

    #[test]
    fn an_exemption_of_everything_is_told() {
        for (patterns, told) in [
            (vec![".*"], true),
            (vec![""], true),
            (vec!["^"], true),
            (vec!["$"], true),
            (vec!["^hooks/", "^.*$"], true),
            (vec!["^$", "."], true),
            (vec!["^hooks/"], false),
            (vec!["/"], false),
            (vec!["[a-z]"], false),
            (vec![], false),
        ] {
            let patterns: Vec<String> = patterns.into_iter().map(str::to_owned).collect();
            let csrf = places(|s| s.csrf_exempt.clone_from(&patterns));
            let redirect = places(|s| s.secure_redirect_exempt.clone_from(&patterns));
            let expected = |place| if told { vec![place] } else { vec![] };
            assert_eq!(csrf, expected("csrf_exempt"), "{patterns:?}");
            assert_eq!(redirect, expected("secure_redirect_exempt"), "{patterns:?}");
        }
    }

    #[test]
    fn a_prefix_without_secure_is_told_everywhere() {
        assert_eq!(
            places(|s| s.session_cookie_secure = false),
            ["session_cookie_secure", "session_cookie_secure"]
        );
        assert_eq!(
            places(|s| s.csrf_cookie_secure = false),
            ["csrf_cookie_secure", "csrf_cookie_secure"]
        );
        let in_sessions = places(|s| {
            s.csrf_cookie_secure = false;
            s.csrf_use_sessions = true;
        });
        assert_eq!(in_sessions, [""; 0]);
        let mut settings = Settings::development();
        assert_eq!(of(&settings).len(), 1);
        settings.cookie_prefix = true;
        assert_eq!(of(&settings).len(), 3);
    }

    #[test]
    fn an_engine_without_its_class_is_told() {
        for (engine, told) in [
            ("shop.sessions", true),
            ("django.contrib.sessions.backend.db", true),
            ("shop.sessions.ShopStore", false),
            ("ShopStore", false),
            ("django.contrib.sessions.backends.cached_db", false),
        ] {
            let places = places(|s| s.session_engine = engine.into());
            assert_eq!(places == ["session_engine"], told, "{engine}");
        }
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
        let settings = Settings::production(["a.example"]).behind_gateway();
        assert!(of(&settings).iter().all(|w| w.django != Some("W008")));
    }
}
