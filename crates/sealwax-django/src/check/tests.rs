use super::*;

const SECURITY: &str = "django.middleware.security.SecurityMiddleware";
const FRAMES: &str = "django.middleware.clickjacking.XFrameOptionsMiddleware";
const CSRF: &str = "django.middleware.csrf.CsrfViewMiddleware";
const SESSION: &str = "django.contrib.sessions.middleware.SessionMiddleware";
const CSP: &str = "django.middleware.csp.ContentSecurityPolicyMiddleware";

/// Settings with which nothing is found.
fn good() -> Settings {
    Settings {
        allowed_hosts: vec!["example.com".into()],
        csrf_cookie_secure: true.into(),
        installed_apps: vec!["django.contrib.sessions".into()],
        middleware: [SECURITY, FRAMES, CSRF, SESSION, CSP]
            .map(String::from)
            .to_vec(),
        secret_key: Some("abcdefghij".repeat(5)),
        secure_hsts_include_subdomains: true.into(),
        secure_hsts_preload: true.into(),
        secure_hsts_seconds: 1.into(),
        secure_ssl_redirect: true.into(),
        session_cookie_secure: true.into(),
        ..Settings::default()
    }
}

/// The ids that a change of the good settings brings, with their subjects.
fn found(change: impl FnOnce(&mut Settings)) -> Vec<String> {
    let mut settings = good();
    change(&mut settings);
    run(&settings, true)
        .into_iter()
        .map(|finding| match finding.subject {
            Some(subject) => format!("{} {subject}", finding.id),
            None => finding.id.to_owned(),
        })
        .collect()
}

fn without(middleware: &'static str) -> impl FnOnce(&mut Settings) {
    move |s| s.middleware.retain(|entry| entry != middleware)
}

#[test]
fn good_settings_are_good() {
    assert!(found(|_| ()).is_empty());
}

#[test]
fn every_id_fires() {
    assert_eq!(found(without(SECURITY)), ["security.W001"]);
    assert_eq!(found(without(FRAMES)), ["security.W002"]);
    assert_eq!(found(without(CSRF)), ["security.W003"]);
    assert_eq!(
        found(|s| s.secure_hsts_seconds = 0.into()),
        ["security.W004"]
    );
    assert_eq!(
        found(|s| s.secure_hsts_include_subdomains = 1.into()),
        ["security.W005"]
    );
    assert_eq!(
        found(|s| s.secure_content_type_nosniff = "1".into()),
        ["security.W006"]
    );
    assert_eq!(
        found(|s| s.secure_ssl_redirect = 1.into()),
        ["security.W008"]
    );
    for key in [
        "",
        "abcde",
        &"abcd".repeat(20),
        &format!("django-insecure-{}", "abcde".repeat(20)),
    ] {
        assert_eq!(
            found(|s| s.secret_key = Some(key.into())),
            ["security.W009"]
        );
    }
    assert_eq!(found(|s| s.secret_key = None), ["security.W009"]);
    assert_eq!(
        found(|s| s.csrf_cookie_secure = 1.into()),
        ["security.W016"]
    );
    assert!(
        found(|s| {
            s.csrf_cookie_secure = false.into();
            s.csrf_use_sessions = 1.into();
        })
        .is_empty()
    );
    assert_eq!(found(|s| s.debug = 1.into()), ["security.W018"]);
    assert_eq!(
        found(|s| s.x_frame_options = "deny".into()),
        ["security.W019"]
    );
    assert_eq!(found(|s| s.allowed_hosts.clear()), ["security.W020"]);
    assert_eq!(
        found(|s| s.secure_hsts_preload = false.into()),
        ["security.W021"]
    );
    assert_eq!(
        found(|s| s.secure_referrer_policy = Setting::None),
        ["security.W022"]
    );
    assert_eq!(
        found(|s| s.secure_cross_origin_opener_policy = "noopener-allow-popups".into()),
        ["security.E024"]
    );
    assert!(found(|s| s.secure_cross_origin_opener_policy = Setting::None).is_empty());
    assert_eq!(
        found(|s| s.secret_key_fallbacks = Some(vec!["abcdefghij".repeat(5), "x".into()])),
        ["security.W025 SECRET_KEY_FALLBACKS[1]"]
    );
    assert_eq!(
        found(|s| s.secret_key_fallbacks = None),
        ["security.W025 SECRET_KEY_FALLBACKS"]
    );
    assert_eq!(
        found(|s| s.csrf_trusted_origins = vec!["example.com".into(), "https://a.b".into()]),
        ["4_0.E001 example.com"]
    );
}

#[test]
fn the_session_cookie_has_three_ids_for_each_flag() {
    for (secure, ids) in [
        (true, ["security.W012", "security.W010", "security.W011"]),
        (false, ["security.W015", "security.W013", "security.W014"]),
    ] {
        let lower = |s: &mut Settings| match secure {
            true => s.session_cookie_secure = 1.into(),
            false => s.session_cookie_httponly = false.into(),
        };
        assert_eq!(found(lower), [ids[0]]);
        assert_eq!(
            found(|s| {
                lower(s);
                without(SESSION)(s);
            }),
            [ids[1]]
        );
        assert_eq!(
            found(|s| {
                lower(s);
                s.installed_apps.clear();
            }),
            [ids[2]]
        );
        assert!(
            found(|s| {
                lower(s);
                s.installed_apps.clear();
                without(SESSION)(s);
            })
            .is_empty()
        );
    }
}

#[test]
fn referrer_policies() {
    let with = |policy: Setting| found(|s| s.secure_referrer_policy = policy);
    assert!(with("no-referrer, same-origin".into()).is_empty());
    assert!(with(Setting::List(vec!["origin".into(), "unsafe-url".into()])).is_empty());
    assert_eq!(with("no-referrer,nonsense".into()), ["security.E023"]);
    assert_eq!(with("".into()), ["security.E023"]);
    assert_eq!(
        with(Setting::List(vec!["nonsense".into()])),
        ["security.E023"]
    );
}

#[test]
fn content_security_policy() {
    let other = CspSetting::Other {
        other: "'self'".into(),
    };
    assert_eq!(
        found(|s| s.secure_csp_report_only = other),
        ["security.E026 SECURE_CSP_REPORT_ONLY"]
    );
    let nonce = || CspSetting::Policy {
        dict: true,
        nonce: true,
    };
    assert_eq!(found(|s| s.secure_csp = nonce()), ["security.W027"]);
    assert!(
        found(|s| {
            s.secure_csp = nonce();
            s.templates_csp = true;
        })
        .is_empty()
    );
    assert!(
        found(|s| {
            s.secure_csp = nonce();
            without(CSP)(s);
        })
        .is_empty()
    );
}

#[test]
fn settings_are_read_by_djangos_names() {
    let settings: Settings = serde_json::from_str(
        r#"{"MIDDLEWARE": ["m"], "SECURE_HSTS_SECONDS": 3600, "SECURE_SSL_REDIRECT": null,
            "SECURE_CSP": {"dict": true}, "SECURE_CSP_REPORT_ONLY": {"other": "1"},
            "SECURE_REFERRER_POLICY": ["a", "b"], "SECRET_KEY": null, "DEBUG": true}"#,
    )
    .unwrap();
    assert_eq!(settings.middleware, ["m"]);
    assert_eq!(settings.secure_hsts_seconds, Setting::Number(3600.0));
    assert_eq!(settings.secure_ssl_redirect, Setting::None);
    assert_eq!(
        settings.secure_csp,
        CspSetting::Policy {
            dict: true,
            nonce: false
        }
    );
    assert_eq!(
        settings.secure_csp_report_only,
        CspSetting::Other { other: "1".into() }
    );
    assert_eq!(settings.secret_key, None);
    assert_eq!(settings.x_frame_options, Setting::Text("DENY".into()));
}

#[test]
fn checks_are_found_by_name() {
    let check = Check::named("check_debug").unwrap();
    assert!(check.deploy);
    let settings = Settings {
        debug: true.into(),
        ..good()
    };
    assert_eq!(check.run(&settings).len(), 1);
    assert!(Check::named("check_everything").is_none());
    let names: std::collections::BTreeSet<_> = Check::all().iter().map(|c| c.name).collect();
    assert_eq!(names.len(), Check::all().len());
}
