//! What settings come to, once they are found to make sense.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use sealwax_policy::{
    AllowedHosts, CspHeader, Csrf, Headers, Hsts, NameRules, PRELOAD_MINIMUM, Paths, Policy,
    Redirect, RedirectHost, SecureProxySslHeader, TrustedProxies, When,
};

use sealwax_cookie::NameRule;
use sealwax_django::Keys;

use super::mistake::{Mistake, Mistakes, Warning};
use super::warnings;
use super::{Mode, Settings};
use super::{cookies, csp, csrf, keys, seal};
use crate::world::World;

const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

const OPENER_POLICIES: [&str; 4] = [
    "same-origin",
    "same-origin-allow-popups",
    "noopener-allow-popups",
    "unsafe-none",
];

/// Settings without mistakes, in the form that the layers work with.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) proxy_header: Option<SecureProxySslHeader>,
    /// Who may send unsafe requests.
    pub(crate) csrf: Csrf,
    /// The header that carries a token.
    pub(crate) csrf_header: HeaderName,
    /// The policies for browsers, at most one to enforce and one to report.
    pub(crate) csp: Vec<CspHeader>,
}

impl Settings {
    /// Looks for mistakes, and for what works but is weaker than it could be.
    ///
    /// ```
    /// let mut settings = sealwax::Settings::production(["https://app.example.com"]);
    /// settings.secure_hsts_seconds = Some(3600);
    /// settings.secure_hsts_preload = true;
    /// let mistakes = settings.check().unwrap_err();
    /// let places: Vec<&str> = mistakes.iter().map(|mistake| mistake.place.as_str()).collect();
    /// assert_eq!(places, ["allowed_hosts", "secure_hsts_preload"]);
    /// ```
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn check(&self) -> Result<Vec<Warning>, Mistakes> {
        self.checked()?;
        Ok(warnings::of(self))
    }

    /// The checked form, which the layers share.
    pub(crate) fn checked(&self) -> Result<Arc<Checked>, Mistakes> {
        let mut mistakes = Vec::new();
        let mut policy = policy(self, &mut mistakes);
        seal::set(self, &mut policy, &mut mistakes);
        let proxy_header = proxy_header(self, &mut mistakes);
        cookies::check(self, &mut mistakes);
        login_url(self, &mut mistakes);
        let (csrf, csrf_header) = csrf::check(self, &mut mistakes);
        let csp = csp::check(self, &mut mistakes);
        Mistakes::check(mistakes)?;
        Ok(Arc::new(Checked {
            settings: self.clone(),
            policy,
            proxy_header,
            csrf,
            csrf_header,
            csp,
        }))
    }
}

impl Checked {
    /// The keys to sign with.
    pub(crate) fn keys(&self, world: &World) -> Result<Keys, Mistakes> {
        keys::of(&self.settings, world).map_err(Mistakes::from)
    }
}

fn login_url(settings: &Settings, mistakes: &mut Vec<Mistake>) {
    let Some(url) = settings.login_url.as_deref() else {
        return;
    };
    let own = url.starts_with('/') && !url.starts_with("//");
    let good = own || url.starts_with("https://");
    if !good || url.contains('#') || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        mistakes.push(Mistake::new(
            "login_url",
            format!("`{url}` is neither a path of this site nor a URL"),
            "write /login/ or https://accounts.example.com/login/, percent-encoded and without `#`",
        ));
    }
}

fn policy(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Policy {
    let mut policy = Policy::new(hosts(settings, mistakes));
    policy.mode = match settings.mode {
        Mode::Enforce => sealwax_policy::Mode::Enforce,
        Mode::Report => sealwax_policy::Mode::Report,
    };
    policy.proxies = proxies(settings, mistakes);
    policy.redirect = Redirect {
        enabled: settings.secure_ssl_redirect,
        host: redirect_host(settings, mistakes),
        port: settings.secure_ssl_port,
        exempt: paths(
            "secure_redirect_exempt",
            &settings.secure_redirect_exempt,
            mistakes,
        ),
        refuse: paths(
            "secure_redirect_refuse",
            &settings.secure_redirect_refuse,
            mistakes,
        ),
        ..Redirect::default()
    };
    policy.hsts = hsts(settings, mistakes);
    policy.headers = headers(settings, mistakes);
    policy.cookies = names(settings);
    policy
}

fn hosts(settings: &Settings, mistakes: &mut Vec<Mistake>) -> AllowedHosts {
    let place = "allowed_hosts";
    if settings.allowed_hosts.is_empty() {
        mistakes.push(Mistake::new(
            place,
            "no host is named, so every request would be refused",
            "name the hosts by which the app is reached",
        ));
    }
    for pattern in settings.allowed_hosts.iter().filter(|host| *host != "*") {
        let name = pattern.strip_prefix('.').unwrap_or(pattern);
        let host = sealwax_policy::Host::parse(name.as_bytes());
        if !host.is_ok_and(|host| host.port().is_none()) {
            mistakes.push(Mistake::new(
                place,
                format!("`{pattern}` is no host and matches nothing"),
                "write a name or an address without scheme, port and path; `.example.com` for all below a name; `*` for every host",
            ));
        }
    }
    AllowedHosts::new(settings.allowed_hosts.iter().cloned())
}

fn proxies(settings: &Settings, mistakes: &mut Vec<Mistake>) -> TrustedProxies {
    let mut ranges = Vec::new();
    for text in &settings.trusted_proxies {
        let range = text.parse::<IpNet>().ok();
        let range = range.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match range {
            Some(range) => ranges.push(range),
            None => mistakes.push(Mistake::new(
                "trusted_proxies",
                format!("`{text}` is no address and no range of addresses"),
                "write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
            )),
        }
    }
    TrustedProxies::new(ranges)
}

/// Compiles `patterns`, each on its own, so that every bad one is named.
pub(super) fn paths(
    place: &'static str,
    patterns: &[String],
    mistakes: &mut Vec<Mistake>,
) -> Paths {
    let before = mistakes.len();
    for pattern in patterns {
        if let Err(error) = Paths::new([pattern]) {
            mistakes.push(Mistake::of(place, &error));
        } else if Paths::never_matches(pattern) {
            mistakes.push(Mistake::new(
                place,
                format!(
                    "paths are compared without their leading slash, so `{pattern}` matches none"
                ),
                "write ^health for /health",
            ));
        }
    }
    match Paths::new(patterns) {
        Ok(paths) => paths,
        Err(error) => {
            if mistakes.len() == before {
                mistakes.push(Mistake::of(place, &error));
            }
            Paths::default()
        }
    }
}

fn redirect_host(settings: &Settings, mistakes: &mut Vec<Mistake>) -> RedirectHost {
    let Some(host) = &settings.secure_ssl_host else {
        return RedirectHost::Requested;
    };
    if sealwax_policy::Host::parse(host.as_bytes()).is_err() {
        mistakes.push(Mistake::new(
            "secure_ssl_host",
            format!("`{host}` is no host"),
            "write a name or an address, with a port if need be, or nothing",
        ));
    }
    RedirectHost::Fixed(host.as_str().into())
}

fn proxy_header(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Option<SecureProxySslHeader> {
    let (meta, value) = settings.secure_proxy_ssl_header.as_ref()?;
    match SecureProxySslHeader::from_django(meta, value) {
        Ok(header) => Some(header),
        Err(error) => {
            mistakes.push(Mistake::of("secure_proxy_ssl_header", &error));
            None
        }
    }
}

fn hsts(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Hsts {
    let default = Hsts::default();
    let seconds = settings.secure_hsts_seconds;
    let hsts = Hsts {
        seconds: seconds.unwrap_or(default.seconds),
        include_subdomains: settings.secure_hsts_include_subdomains,
        preload: settings.secure_hsts_preload,
        // Whoever names a number gets it at once.
        ramp: seconds.is_none(),
        when: match seconds {
            Some(0) => When::Never,
            _ => When::Public,
        },
        ..default
    };
    if hsts.preload && (hsts.seconds < PRELOAD_MINIMUM || !hsts.include_subdomains) {
        mistakes.push(Mistake::new(
            "secure_hsts_preload",
            "the preload list takes no site with less than 31536000 seconds or without subdomains",
            "raise secure_hsts_seconds and set secure_hsts_include_subdomains, or switch preload off",
        ));
    }
    hsts
}

fn headers(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Headers {
    let mut word = |place: &'static str, value: &Option<String>, known: &[&str]| {
        let value = value.as_deref().map(str::trim);
        let value = value.filter(|value| !value.is_empty())?;
        if let Some(bad) = value.split(',').find(|word| !known.contains(&word.trim())) {
            mistakes.push(Mistake::new(
                place,
                format!("browsers know no `{}`", bad.trim()),
                format!("write one of {}, or nothing", known.join(", ")),
            ));
        }
        let words: Vec<&str> = value.split(',').map(str::trim).collect();
        HeaderValue::try_from(words.join(",")).ok()
    };
    let frame = settings
        .x_frame_options
        .as_ref()
        .map(|value| value.to_ascii_uppercase());
    Headers {
        content_type_nosniff: settings.secure_content_type_nosniff,
        referrer_policy: word(
            "secure_referrer_policy",
            &settings.secure_referrer_policy,
            &REFERRER_POLICIES,
        ),
        cross_origin_opener_policy: word(
            "secure_cross_origin_opener_policy",
            &settings.secure_cross_origin_opener_policy,
            &OPENER_POLICIES,
        ),
        x_frame_options: word("x_frame_options", &frame, &["DENY", "SAMEORIGIN"]),
    }
}

/// How `SealLayer` treats cookies: what the settings say of the session and CSRF cookies holds
/// whatever they are called.
fn names(settings: &Settings) -> NameRules {
    let cookies = [
        (
            &settings.session_cookie_name,
            settings.session_cookie_httponly,
        ),
        (&settings.csrf_cookie_name, settings.csrf_cookie_httponly),
    ];
    let mut rules = NameRules {
        harden_all: settings.cookie_harden_all,
        prefix: settings.cookie_prefix,
        migrate: settings.cookie_migrate,
        readable: settings.cookie_readable.clone(),
        ..NameRules::default()
    };
    for (name, http_only) in cookies {
        if http_only {
            rules.rules.push(NameRule {
                name: name.clone(),
                http_only: Some(true),
                ..NameRule::default()
            });
        } else {
            rules.readable.push(name.clone());
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = Settings::production(["a.example"]);
        change(&mut settings);
        match settings.check() {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().map(|m| m.place.clone()).collect(),
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        type Change = fn(&mut Settings);
        let cases: [(&str, Change); 14] = [
            ("allowed_hosts", |s| s.allowed_hosts.clear()),
            ("allowed_hosts", |s| s.allowed_hosts = vec!["a:443".into()]),
            ("trusted_proxies", |s| {
                s.trusted_proxies = vec!["proxy".into()];
            }),
            ("secure_proxy_ssl_header", |s| {
                s.secure_proxy_ssl_header = Some(("X-Forwarded-Proto".into(), "https".into()));
            }),
            ("secure_redirect_refuse", |s| {
                s.secure_redirect_refuse = vec!["(".into()];
            }),
            ("secure_hsts_preload", |s| s.secure_hsts_preload = true),
            ("secure_referrer_policy", |s| {
                s.secure_referrer_policy = Some("all".into());
            }),
            ("secure_cross_origin_opener_policy", |s| {
                s.secure_cross_origin_opener_policy = Some("none".into());
            }),
            ("x_frame_options", |s| {
                s.x_frame_options = Some("ALLOW-FROM x".into());
            }),
            ("session_cookie_name", |s| {
                s.session_cookie_name = "a b".into();
            }),
            ("session_cookie_path", |s| {
                s.session_cookie_path = "app".into();
            }),
            ("session_cookie_domain", |s| {
                s.session_cookie_domain = Some("a;b".into());
            }),
            ("session_cookie_samesite", |s| {
                s.session_cookie_samesite = crate::SameSite::None;
                s.session_cookie_secure = false;
            }),
            ("session_cookie_age", |s| s.session_cookie_age = 0),
        ];
        for (place, change) in cases {
            assert_eq!(places(change), [place]);
        }
    }

    #[test]
    fn presets_have_no_mistakes() {
        for settings in [
            Settings::production([".example.com", "[::1]", "*"]),
            Settings::production(["a"]).with_django_headers(),
            Settings::production(["a.example"]).behind_gateway(),
            Settings::development(),
        ] {
            settings.check().unwrap();
        }
    }

    #[test]
    fn seconds_mean_at_once_and_none_means_the_ramp() {
        let mut settings = Settings::production(["a.example"]);
        let hsts = |settings: &Settings| settings.checked().unwrap().policy.hsts.clone();
        assert!(hsts(&settings).ramp);
        settings.secure_hsts_seconds = Some(60);
        assert!(!hsts(&settings).ramp && hsts(&settings).seconds == 60);
        settings.secure_hsts_seconds = Some(0);
        assert_eq!(hsts(&settings).when, When::Never);
    }
}
