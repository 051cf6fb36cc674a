//! Which cookies browsers hold encrypted, which are bound to the device, and by which keys.

use std::sync::OnceLock;

use sealwax_cookie::{KeyRing, READABLE_BY_DEFAULT, SealKey};
#[cfg(feature = "bind")]
use sealwax_policy::{Lifetime, Paths};
use sealwax_policy::{Policy, Seal};

use super::Settings;
use super::mistake::{Mistake, Warning};

const MEND: &str = "make them with `sealwax secret new`, and give every process the same text in seal_keys or SEALWAX_SECRET";

pub(super) fn set(settings: &Settings, policy: &mut Policy, mistakes: &mut Vec<Mistake>) {
    let names = names(settings);
    check_names(settings, &names, mistakes);
    let binding = binding(settings, mistakes);
    if names.is_empty() {
        return;
    }
    if leave_bare(settings) && !settings.debug {
        mistakes.push(Mistake::new(
            "session_cookie_secure",
            "cookies are sealed and bound over HTTPS only, and it is off",
            "switch it on, or empty sealed_cookies and bound_cookies",
        ));
    }
    match keys(settings) {
        Ok(_) if leave_bare(settings) => {}
        Ok(ring) => {
            policy.set_seal(Seal::new(&ring, names, random));
            bind(settings, binding, &ring, policy);
        }
        Err(mistake) => mistakes.push(mistake),
    }
}

/// What is bound has to be sealed.
fn names(settings: &Settings) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in settings
        .sealed_cookies
        .iter()
        .chain(&settings.bound_cookies)
    {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// Where cookies may travel over plain HTTP, they leave as the app wrote them, over TLS, too, so that
/// none comes back sealed. In production that is a mistake.
fn leave_bare(settings: &Settings) -> bool {
    !settings.session_cookie_secure
}

pub(super) fn warnings(settings: &Settings) -> Vec<Warning> {
    let warning = |place, cause: String, mend| Warning {
        django: None,
        place,
        cause,
        mend,
    };
    let mut warnings = Vec::new();
    if leave_bare(settings) && !names(settings).is_empty() {
        warnings.push(warning(
            "sealed_cookies",
            "with session_cookie_secure off no cookie is sealed or bound".to_owned(),
            "switch it on, behind HTTPS",
        ));
    }
    if settings.session_cookie_domain.is_some()
        && settings
            .bound_cookies
            .contains(&settings.session_cookie_name)
    {
        warnings.push(warning(
            "session_cookie_domain",
            "a cookie for several hosts cannot be bound, so the session is sealed only".to_owned(),
            "leave session_cookie_domain out",
        ));
    }
    warnings.extend(lifetime_warning(settings).map(|cause| {
        let mend = "write 600, which suits most sites";
        warning("bound_cookie_lifetime", cause, mend)
    }));
    warnings
}

fn check_names(settings: &Settings, names: &[&str], mistakes: &mut Vec<Mistake>) {
    let own = [
        (
            "session_cookie_name",
            &settings.session_cookie_name,
            settings.session_cookie_httponly,
        ),
        (
            "csrf_cookie_name",
            &settings.csrf_cookie_name,
            settings.csrf_cookie_httponly,
        ),
    ];
    let for_scripts = own.iter().filter(|(.., http_only)| !http_only);
    let readable: Vec<&str> = for_scripts
        .map(|(_, name, _)| name.as_str())
        .chain(settings.cookie_readable.iter().map(String::as_str))
        .chain(READABLE_BY_DEFAULT.iter().copied())
        .collect();
    for name in names {
        let place = match settings.bound_cookies.iter().any(|bound| bound == name) {
            true => "bound_cookies",
            false => "sealed_cookies",
        };
        if readable.contains(name) {
            mistakes.push(Mistake::new(
                place,
                format!("scripts read `{name}`, and could do nothing with it sealed"),
                "leave it out here, or have it HttpOnly: it is named in cookie_readable, its own …_httponly is off, or its name says that it is for scripts",
            ));
        }
        if name.is_empty() || !name.bytes().all(super::cookies::is_token) {
            mistakes.push(Mistake::new(
                place,
                format!("`{name}` is no name of a cookie"),
                "write it as the app does, such as sessionid",
            ));
        } else if without_prefix(name) != *name {
            mistakes.push(Mistake::new(
                place,
                format!("`{name}` has a prefix, and the layer adds it itself"),
                "write the name without its prefix, here and where the cookie is set",
            ));
        }
    }
    for (place, own, _) in own {
        let bare = without_prefix(own);
        if bare != own && names.contains(&bare) {
            mistakes.push(Mistake::new(
                place,
                format!("as `{own}` the cookie is not the `{bare}` that is to be sealed"),
                "write the name without its prefix; the layer adds it",
            ));
        }
    }
}

fn without_prefix(name: &str) -> &str {
    for prefix in ["__host-", "__secure-"] {
        if let Some((start, rest)) = name.split_at_checked(prefix.len())
            && start.eq_ignore_ascii_case(prefix)
        {
            return rest;
        }
    }
    name
}

/// Those of the settings. In development some are made up where there are none: then sealed cookies
/// end with the process.
fn keys(settings: &Settings) -> Result<KeyRing, Mistake> {
    let text = settings.seal_keys.expose();
    if text.trim().is_empty() && settings.debug {
        return made_up();
    }
    if text.trim().is_empty() {
        let cause = "there are none, and cookies are sealed with them";
        return Err(Mistake::new("seal_keys", cause, MEND));
    }
    KeyRing::parse(text).map_err(|error| Mistake::new("seal_keys", error.to_string(), MEND))
}

/// The keys that this process has made up: the same for all layers, which may be built apart.
static MADE_UP: OnceLock<[u8; 32]> = OnceLock::new();

fn made_up() -> Result<KeyRing, Mistake> {
    let mut bytes = [0; 32];
    // A nonce may be of zeros in need, a key never.
    getrandom::fill(&mut bytes).map_err(|error| {
        let cause = format!("none can be made up, for the system gives no randomness: {error}");
        Mistake::new("seal_keys", cause, "look at /dev/urandom, or set them")
    })?;
    let bytes = MADE_UP.get_or_init(|| {
        tracing::info!(target: "sealwax", "no seal_keys are set: one is made up, and cookies that are sealed with it end with this process");
        bytes
    });
    Ok(KeyRing::from(SealKey::new(*bytes)))
}

/// For nonces. The system has randomness once it has started; were there none, a nonce of zeros would
/// tell no more than that two values are equal (RFC 8452).
fn random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        tracing::error!(target: "sealwax", %error, "the system gives no randomness; look at /dev/urandom");
    }
}

#[cfg(not(feature = "bind"))]
struct Binding;

#[cfg(not(feature = "bind"))]
fn binding(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Binding {
    if !settings.bound_cookies.is_empty() {
        mistakes.push(Mistake::new(
            "bound_cookies",
            "this program was built without the feature that binds cookies",
            "add `bind` to the features of sealwax in Cargo.toml",
        ));
    }
    Binding
}

#[cfg(not(feature = "bind"))]
fn bind(_: &Settings, _: Binding, _: &KeyRing, _: &mut Policy) {}

#[cfg(not(feature = "bind"))]
fn lifetime_warning(_: &Settings) -> Option<String> {
    None
}

/// How cookies are bound, as far as it takes no keys.
#[cfg(feature = "bind")]
#[derive(Default)]
struct Binding {
    lifetime: Lifetime,
    born_on: Paths,
    fresh: Vec<(Paths, u64)>,
}

#[cfg(feature = "bind")]
fn binding(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Binding {
    let mut binding = Binding::default();
    if settings.bound_cookies.is_empty() {
        for (place, unused) in [
            ("bound_cookie_born_on", &settings.bound_cookie_born_on),
            ("bound_cookie_fresh", &settings.bound_cookie_fresh),
        ] {
            if !unused.is_empty() {
                let mend = "name them in bound_cookies, or leave this out";
                mistakes.push(Mistake::new(place, "no cookie is bound", mend));
            }
        }
        return binding;
    }
    match Lifetime::from_seconds(settings.bound_cookie_lifetime) {
        Ok(lifetime) => binding.lifetime = lifetime,
        Err(error) => mistakes.push(Mistake::new(
            "bound_cookie_lifetime",
            error.to_string(),
            "write seconds in that range; 600 suits most sites",
        )),
    }
    let born_on = &settings.bound_cookie_born_on;
    binding.born_on = protected("bound_cookie_born_on", born_on, mistakes);
    for rule in &settings.bound_cookie_fresh {
        let place = "bound_cookie_fresh";
        let read = rule.rsplit_once('=').and_then(|(pattern, seconds)| {
            Some((pattern.trim().to_owned(), seconds.trim().parse().ok()?))
        });
        match read {
            Some((pattern, seconds)) if !pattern.is_empty() => {
                let paths = protected(place, &[pattern], mistakes);
                binding.fresh.push((paths, seconds));
            }
            _ => mistakes.push(Mistake::new(
                place,
                format!("`{rule}` is no pattern of paths with an age in seconds"),
                "write ^account/password=0",
            )),
        }
    }
    binding
}

/// Patterns of paths that get a protection: one that never matches would leave them without.
#[cfg(feature = "bind")]
fn protected(place: &'static str, patterns: &[String], mistakes: &mut Vec<Mistake>) -> Paths {
    for pattern in patterns {
        if pattern.trim() != pattern || pattern.is_empty() {
            mistakes.push(Mistake::new(
                place,
                format!("`{pattern}` is empty, or has spaces around it"),
                "write a pattern such as ^account/password",
            ));
        } else if pattern.starts_with('/') {
            mistakes.push(Mistake::new(
                place,
                format!("paths are compared without their leading slash, so `{pattern}` means another one"),
                "write ^account/password for /account/password",
            ));
        }
    }
    super::check::paths(place, patterns, mistakes)
}

#[cfg(feature = "bind")]
fn bind(settings: &Settings, binding: Binding, ring: &KeyRing, policy: &mut Policy) {
    use sealwax_policy::{Bind, Fallback};

    if settings.bound_cookies.is_empty() {
        return;
    }
    let bind = Bind::new(ring, &settings.bound_cookies, binding.lifetime, random)
        .born_on(binding.born_on)
        .fallback(match settings.bound_cookie_deny_fallback {
            true => Fallback::Deny,
            false => Fallback::Allow,
        })
        .mode(match settings.bound_cookie_mode {
            super::Mode::Enforce => sealwax_policy::Mode::Enforce,
            super::Mode::Report => sealwax_policy::Mode::Report,
        });
    let fresh = binding.fresh.into_iter();
    policy.set_bind(fresh.fold(bind, |bind, (paths, seconds)| bind.fresh(paths, seconds)));
}

#[cfg(feature = "bind")]
fn lifetime_warning(settings: &Settings) -> Option<String> {
    if settings.bound_cookies.is_empty() {
        return None;
    }
    Lifetime::from_seconds(settings.bound_cookie_lifetime)
        .ok()?
        .warning()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "an example of fifty characters, which nobody guesses!";

    fn settings() -> Settings {
        let mut settings = Settings::production(["app.example.com"]);
        settings.secret_key = KEY.into();
        settings.sealed_cookies = vec!["sessionid".into()];
        settings.seal_keys = KeyRing::from(SealKey::new([7; 32]))
            .to_text()
            .as_str()
            .into();
        settings
    }

    fn places(settings: &Settings) -> Vec<String> {
        let mistakes = settings.check().err();
        let mistakes = mistakes.iter().flat_map(super::super::Mistakes::iter);
        mistakes.map(|mistake| mistake.place.clone()).collect()
    }

    #[test]
    fn production_wants_keys_and_names_that_make_sense() {
        assert_eq!(places(&settings()), [""; 0]);
        let changed = |change: fn(&mut Settings)| {
            let mut settings = settings();
            change(&mut settings);
            places(&settings)
        };
        assert_eq!(changed(|s| s.seal_keys = "".into()), ["seal_keys"]);
        assert_eq!(changed(|s| s.seal_keys = "short".into()), ["seal_keys"]);
        assert_eq!(
            changed(|s| s.cookie_readable = vec!["sessionid".into()]),
            ["sealed_cookies"]
        );
        assert_eq!(
            changed(|s| s.sealed_cookies = vec!["__Host-a".into()]),
            ["sealed_cookies"]
        );
        // What would leave the session in the open without a word.
        assert_eq!(
            changed(|s| s.session_cookie_secure = false),
            ["session_cookie_secure"]
        );
        for prefixed in ["__Host-sessionid", "__secure-sessionid"] {
            let mut settings = settings();
            settings.session_cookie_name = prefixed.into();
            assert_eq!(places(&settings), ["session_cookie_name"], "{prefixed}");
        }
        assert_eq!(
            changed(|s| s.session_cookie_httponly = false),
            ["sealed_cookies"]
        );
        for name in ["XSRF-TOKEN", "session id;", ""] {
            let mut settings = settings();
            settings.sealed_cookies = vec![name.into()];
            assert_eq!(places(&settings), ["sealed_cookies"], "{name}");
        }
        // Without a cookie there is nothing to be right or wrong.
        assert_eq!(
            changed(|s| {
                s.sealed_cookies.clear();
                s.seal_keys = "".into();
            }),
            [""; 0]
        );
    }

    #[test]
    fn development_makes_its_keys_up_and_says_that_plain_http_seals_nothing() {
        let mut settings = Settings::development();
        settings.sealed_cookies = vec!["sessionid".into()];
        let warnings = settings.check().unwrap();
        let about = |warning: &&Warning| warning.place == "sealed_cookies";
        assert_eq!(warnings.iter().filter(about).count(), 1);
        settings.session_cookie_secure = true;
        assert!(!settings.check().unwrap().iter().any(|w| about(&w)));
        assert!(
            keys(&settings)
                .unwrap()
                .ids()
                .eq(keys(&settings).unwrap().ids())
        );
    }

    #[test]
    #[cfg(not(feature = "bind"))]
    fn a_program_that_cannot_bind_does_not_pretend_to() {
        let mut settings = settings();
        settings.bound_cookies = vec!["sessionid".into()];
        assert_eq!(places(&settings), ["bound_cookies"]);
    }

    #[test]
    #[cfg(feature = "bind")]
    fn what_is_wrong_with_binding_is_told_at_once() {
        let mut settings = settings();
        settings.bound_cookies = vec!["sessionid".into()];
        settings.bound_cookie_fresh = vec!["^account/password=0".into()];
        assert_eq!(places(&settings), [""; 0]);
        settings.bound_cookie_born_on = vec!["(".into()];
        settings.bound_cookie_fresh = vec!["^a".into(), "(=0".into(), "^a=soon".into()];
        let fresh = "bound_cookie_fresh";
        assert_eq!(
            places(&settings),
            ["bound_cookie_born_on", fresh, fresh, fresh]
        );
        settings.bound_cookie_lifetime = 1;
        settings.seal_keys = "short".into();
        assert_eq!(
            places(&settings),
            [
                "bound_cookie_lifetime",
                "bound_cookie_born_on",
                fresh,
                fresh,
                fresh,
                "seal_keys"
            ]
        );
    }

    #[test]
    #[cfg(feature = "bind")]
    fn a_pattern_that_protects_nothing_is_a_mistake() {
        let mut settings = settings();
        settings.bound_cookies = vec!["sessionid".into()];
        settings.bound_cookie_fresh = vec!["^account/password = 0".into()];
        let policy = settings.checked().unwrap().policy.clone();
        assert!(format!("{policy:?}").contains(r#"["^account/password"]"#));
        for pattern in ["/account/password=0", "^/account=0", "=0", " =0", "^/+a=0"] {
            settings.bound_cookie_fresh = vec![pattern.into()];
            assert_eq!(places(&settings), ["bound_cookie_fresh"], "{pattern}");
        }
        settings.bound_cookie_fresh = vec!["^/?account=0".into()];
        assert_eq!(places(&settings), [""; 0]);
        settings.bound_cookie_born_on = vec!["^login/ ".into(), "/login".into(), "".into()];
        assert_eq!(places(&settings), ["bound_cookie_born_on"; 3]);
        settings.bound_cookies.clear();
        assert_eq!(
            places(&settings),
            ["bound_cookie_born_on", "bound_cookie_fresh"]
        );
    }

    #[test]
    #[cfg(feature = "bind")]
    fn what_binds_less_than_it_seems_to_is_told() {
        let mut settings = settings();
        settings.secret_key = KEY.into();
        settings.bound_cookies = vec!["sessionid".into()];
        settings.bound_cookie_lifetime = 5;
        settings.session_cookie_domain = Some("example.com".into());
        let warnings = settings.check().unwrap();
        let warned: Vec<_> = warnings.iter().map(|warning| warning.place).collect();
        assert_eq!(warned, ["session_cookie_domain", "bound_cookie_lifetime"]);
    }

    #[test]
    fn the_gateways_variable_is_ours_too() {
        let keys = KeyRing::from(SealKey::new([9; 32])).to_text().to_string();
        let variables = [
            ("SECRET_KEY", KEY),
            ("ALLOWED_HOSTS", "app.example.com"),
            ("SEALED_COOKIES", "sessionid, messages"),
            ("SEALWAX_SECRET", &keys),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::from_variables(variables).unwrap();
        assert_eq!(settings.sealed_cookies, ["sessionid", "messages"]);
        assert_eq!(settings.seal_keys.expose().trim(), keys.trim());
    }
}
