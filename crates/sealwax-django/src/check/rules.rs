//! The checks, one function each.

use super::{Check, CspSetting, Finding, Setting, Settings};

/// In Django's order: base, csrf, sessions, compatibility.
pub(super) const ALL: &[Check] = &[
    deploy("check_security_middleware", |s| {
        fires(
            !s.security(),
            "security.W001",
            "SecurityMiddleware is missing, so none of the SECURE_ settings has an effect",
        )
    }),
    deploy("check_xframe_options_middleware", |s| {
        fires(
            !s.frames(),
            "security.W002",
            "XFrameOptionsMiddleware is missing: other sites may frame this one",
        )
    }),
    deploy("check_sts", |s| {
        fires(
            s.security() && !s.secure_hsts_seconds.truthy(),
            "security.W004",
            "SECURE_HSTS_SECONDS is not set: browsers may be led back to plain HTTP",
        )
    }),
    deploy("check_sts_include_subdomains", |s| {
        fires(
            s.hsts() && !s.secure_hsts_include_subdomains.is_true(),
            "security.W005",
            "SECURE_HSTS_INCLUDE_SUBDOMAINS is not True: subdomains stay open to plain HTTP",
        )
    }),
    deploy("check_sts_preload", |s| {
        fires(
            s.hsts() && !s.secure_hsts_preload.is_true(),
            "security.W021",
            "SECURE_HSTS_PRELOAD is not True: the site cannot enter browsers' preload list",
        )
    }),
    deploy("check_content_type_nosniff", |s| {
        fires(
            s.security() && !s.secure_content_type_nosniff.is_true(),
            "security.W006",
            "SECURE_CONTENT_TYPE_NOSNIFF is not True: browsers may guess content types",
        )
    }),
    deploy("check_ssl_redirect", |s| {
        fires(
            s.security() && !s.secure_ssl_redirect.is_true(),
            "security.W008",
            "SECURE_SSL_REDIRECT is not True: unless a proxy redirects, plain HTTP is served",
        )
    }),
    deploy("check_secret_key", |s| {
        let weak = s.secret_key.as_deref().is_none_or(is_weak);
        fires(
            weak,
            "security.W009",
            "SECRET_KEY is shorter than 50 characters, of fewer than 5 different ones, or made by startproject",
        )
    }),
    deploy("check_secret_key_fallbacks", secret_key_fallbacks),
    deploy("check_debug", |s| {
        fires(
            s.debug.truthy(),
            "security.W018",
            "DEBUG is on: error pages show source and settings",
        )
    }),
    deploy("check_xframe_deny", |s| {
        fires(
            s.frames() && s.x_frame_options.text() != Some("DENY"),
            "security.W019",
            "X_FRAME_OPTIONS is not DENY",
        )
    }),
    deploy("check_allowed_hosts", |s| {
        fires(
            s.allowed_hosts.is_empty(),
            "security.W020",
            "ALLOWED_HOSTS is empty: every request is refused once DEBUG is off",
        )
    }),
    deploy("check_referrer_policy", referrer_policy),
    deploy("check_cross_origin_opener_policy", |s| {
        let known = match &s.secure_cross_origin_opener_policy {
            Setting::None => true,
            setting => setting
                .text()
                .is_some_and(|text| OPENER_POLICIES.contains(&text)),
        };
        fires(
            s.security() && !known,
            "security.E024",
            "SECURE_CROSS_ORIGIN_OPENER_POLICY is none of same-origin, same-origin-allow-popups, unsafe-none",
        )
    }),
    always("check_csp_settings", csp_settings),
    always("check_csp_nonce_context_processor", |s| {
        let nonce =
            |setting: &CspSetting| matches!(setting, CspSetting::Policy { nonce: true, .. });
        let wanted = nonce(&s.secure_csp) || nonce(&s.secure_csp_report_only);
        fires(
            s.has("django.middleware.csp.ContentSecurityPolicyMiddleware")
                && wanted
                && !s.templates_csp,
            "security.W027",
            "a policy names CSP.NONCE, but no template engine has the context processor that puts it into pages",
        )
    }),
    deploy("check_csrf_middleware", |s| {
        fires(
            !s.csrf(),
            "security.W003",
            "CsrfViewMiddleware is missing: other sites may send forms in a user's name",
        )
    }),
    deploy("check_csrf_cookie_secure", |s| {
        fires(
            !s.csrf_use_sessions.truthy() && s.csrf() && !s.csrf_cookie_secure.is_true(),
            "security.W016",
            "CSRF_COOKIE_SECURE is not True: the cookie goes out over plain HTTP",
        )
    }),
    deploy("check_session_cookie_secure", |s| {
        let (app, middleware, both) = ("security.W010", "security.W011", "security.W012");
        s.session(
            &s.session_cookie_secure,
            [app, middleware, both],
            "SESSION_COOKIE_SECURE is not True: the session cookie goes out over plain HTTP",
        )
    }),
    deploy("check_session_cookie_httponly", |s| {
        let (app, middleware, both) = ("security.W013", "security.W014", "security.W015");
        s.session(
            &s.session_cookie_httponly,
            [app, middleware, both],
            "SESSION_COOKIE_HTTPONLY is not True: scripts can read the session cookie",
        )
    }),
    always("check_csrf_trusted_origins", |s| {
        let without = s
            .csrf_trusted_origins
            .iter()
            .filter(|origin| !origin.contains("://"));
        without
            .map(|origin| Finding {
                id: "4_0.E001",
                subject: Some(origin.clone()),
                text: "an entry of CSRF_TRUSTED_ORIGINS needs a scheme, such as https://",
            })
            .collect()
    }),
];

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

const OPENER_POLICIES: [&str; 3] = ["same-origin", "same-origin-allow-popups", "unsafe-none"];

const fn deploy(name: &'static str, run: fn(&Settings) -> Vec<Finding>) -> Check {
    Check {
        name,
        deploy: true,
        run,
    }
}

const fn always(name: &'static str, run: fn(&Settings) -> Vec<Finding>) -> Check {
    Check {
        name,
        deploy: false,
        run,
    }
}

fn fires(fires: bool, id: &'static str, text: &'static str) -> Vec<Finding> {
    let finding = Finding {
        id,
        subject: None,
        text,
    };
    fires.then_some(finding).into_iter().collect()
}

/// Shorter than 50 characters, of fewer than 5 different ones, or as `startproject` makes them.
fn is_weak(key: &str) -> bool {
    let mut different: Vec<char> = key.chars().collect();
    let length = different.len();
    different.sort_unstable();
    different.dedup();
    length < 50 || different.len() < 5 || key.starts_with("django-insecure-")
}

fn secret_key_fallbacks(s: &Settings) -> Vec<Finding> {
    let finding = |subject| Finding {
        id: "security.W025",
        subject: Some(subject),
        text: "a key that still verifies is weak or cannot be read, as SECRET_KEY must not be",
    };
    match &s.secret_key_fallbacks {
        None => vec![finding("SECRET_KEY_FALLBACKS".into())],
        Some(keys) => keys
            .iter()
            .enumerate()
            .filter(|(_, key)| is_weak(key))
            .map(|(index, _)| finding(format!("SECRET_KEY_FALLBACKS[{index}]")))
            .collect(),
    }
}

fn referrer_policy(s: &Settings) -> Vec<Finding> {
    if !s.security() {
        return Vec::new();
    }
    let known = |text: &str| REFERRER_POLICIES.contains(&text);
    let all_known = match &s.secure_referrer_policy {
        Setting::None => {
            return fires(
                true,
                "security.W022",
                "SECURE_REFERRER_POLICY is None: browsers choose what other sites learn of addresses",
            );
        }
        Setting::Text(text) => text.split(',').all(|part| known(part.trim())),
        Setting::List(parts) => parts.iter().all(|part| part.text().is_some_and(known)),
        Setting::Bool(_) | Setting::Number(_) => false,
    };
    fires(
        !all_known,
        "security.E023",
        "SECURE_REFERRER_POLICY holds what is no referrer policy",
    )
}

fn csp_settings(s: &Settings) -> Vec<Finding> {
    [
        ("SECURE_CSP", &s.secure_csp),
        ("SECURE_CSP_REPORT_ONLY", &s.secure_csp_report_only),
    ]
    .into_iter()
    .filter(|(_, setting)| matches!(setting, CspSetting::Other { .. }))
    .map(|(name, _)| Finding {
        id: "security.E026",
        subject: Some(name.to_owned()),
        text: "a content security policy must be a dict",
    })
    .collect()
}

/// Middlewares are known by their exact path; a subclass is not.
impl Settings {
    fn has(&self, path: &str) -> bool {
        self.middleware.iter().any(|entry| entry == path)
    }

    fn security(&self) -> bool {
        self.has("django.middleware.security.SecurityMiddleware")
    }

    fn frames(&self) -> bool {
        self.has("django.middleware.clickjacking.XFrameOptionsMiddleware")
    }

    fn csrf(&self) -> bool {
        self.has("django.middleware.csrf.CsrfViewMiddleware")
    }

    fn hsts(&self) -> bool {
        self.security() && self.secure_hsts_seconds.truthy()
    }

    /// One of three ids: for the app, the middleware, or both.
    fn session(&self, flag: &Setting, ids: [&'static str; 3], text: &'static str) -> Vec<Finding> {
        let app = self
            .installed_apps
            .iter()
            .any(|app| app == "django.contrib.sessions");
        let middleware = self.has("django.contrib.sessions.middleware.SessionMiddleware");
        let [for_app, for_middleware, for_both] = ids;
        let id = match (app, middleware) {
            (true, true) => for_both,
            (true, false) => for_app,
            (false, true) => for_middleware,
            (false, false) => return Vec::new(),
        };
        fires(!flag.is_true(), id, text)
    }
}
