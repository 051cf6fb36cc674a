//! Every row of the table can be reached from the file, from its variable,
//! from Django's names and from its flag, and arrives in the configuration.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use sealwax_config::{Config, Flags, SETTINGS, Scope, Setting, Sources, load};

/// A value of a setting, and where it is seen.
struct Sample {
    key: &'static str,
    /// As TOML and as the text of a variable or flag.
    toml: &'static str,
    text: &'static str,
    /// Other settings that must be there, as a line of the site.
    site: &'static str,
    /// Shows the setting; `name` is the cookie of a cookie's rule.
    see: fn(&Config, name: &str) -> String,
    seen: &'static str,
}

const fn sample(
    key: &'static str,
    toml: &'static str,
    text: &'static str,
    see: fn(&Config, name: &str) -> String,
    seen: &'static str,
) -> Sample {
    Sample {
        key,
        toml,
        text,
        site: "",
        see,
        seen,
    }
}

/// The same, of bound cookies.
const fn bound(
    key: &'static str,
    toml: &'static str,
    text: &'static str,
    see: fn(&Config, name: &str) -> String,
    seen: &'static str,
) -> Sample {
    let mut sample = sample(key, toml, text, see, seen);
    sample.site = "bind.cookies = [\"sid\"]";
    sample
}

macro_rules! see {
    ($config:ident => $value:expr) => {
        |$config, _| format!("{:?}", $value)
    };
}

/// The rule of the cookie `name`.
fn rule(config: &Config, name: &str) -> String {
    let rules = &config.sites[0].policy.cookies.rules;
    let found = rules.iter().find(|rule| rule.name == name);
    found
        .map(|r| format!("{:?} {:?} {:?}", r.same_site, r.http_only, r.prefix))
        .unwrap_or_default()
}

fn samples() -> Vec<Sample> {
    vec![
        sample(
            "environment",
            "\"development\"",
            "development",
            see!(c => c.environment),
            "Development",
        ),
        sample("workers", "7", "7", see!(c => c.workers), "7"),
        Sample {
            site: "redirect.enabled = false",
            ..sample(
                "listen.http",
                "\"127.0.0.1:81\"",
                "127.0.0.1:81",
                see!(c => c.listen.http),
                "[127.0.0.1:81]",
            )
        },
        sample(
            "listen.https",
            "[\"127.0.0.1:444\", \"[::1]:444\"]",
            "127.0.0.1:444,[::1]:444",
            see!(c => c.listen.https),
            "[127.0.0.1:444, [::1]:444]",
        ),
        sample(
            "listen.tls_profile",
            "\"modern\"",
            "modern",
            see!(c => c.tls_profile),
            "Modern",
        ),
        sample(
            "proxies.trusted",
            "[\"10.0.0.0/8\"]",
            "10.0.0.0/8",
            see!(c => c.sites[0].policy.proxies.trust("10.1.1.1".parse().unwrap())),
            "true",
        ),
        sample(
            "timeouts.handshake",
            "11",
            "11",
            see!(c => c.timeouts.handshake),
            "11s",
        ),
        sample(
            "timeouts.request_head",
            "\"11s\"",
            "11s",
            see!(c => c.timeouts.request_head),
            "11s",
        ),
        sample(
            "timeouts.request_body_idle",
            "\"11s\"",
            "11s",
            see!(c => c.timeouts.request_body_idle),
            "11s",
        ),
        sample(
            "timeouts.connect",
            "\"500ms\"",
            "500ms",
            see!(c => c.timeouts.connect),
            "500ms",
        ),
        sample(
            "timeouts.response_head",
            "\"2m\"",
            "2m",
            see!(c => c.timeouts.response_head),
            "120s",
        ),
        sample(
            "timeouts.response_idle",
            "\"1h\"",
            "1h",
            see!(c => c.timeouts.response_idle),
            "3600s",
        ),
        sample(
            "timeouts.keep_alive",
            "\"11s\"",
            "11s",
            see!(c => c.timeouts.keep_alive),
            "11s",
        ),
        sample(
            "timeouts.upgraded_idle",
            "\"1d\"",
            "1d",
            see!(c => c.timeouts.upgraded_idle),
            "86400s",
        ),
        sample(
            "timeouts.total",
            "\"2h\"",
            "2h",
            see!(c => c.timeouts.total),
            "7200s",
        ),
        sample(
            "timeouts.drain",
            "0",
            "0s",
            see!(c => c.timeouts.drain),
            "0ns",
        ),
        sample(
            "limits.request_head",
            "\"16KiB\"",
            "16KiB",
            see!(c => c.limits.request_head),
            "16384",
        ),
        sample(
            "limits.request_headers",
            "50",
            "50",
            see!(c => c.limits.request_headers),
            "50",
        ),
        sample(
            "limits.request_body",
            "1_000",
            "1kB",
            see!(c => c.limits.request_body),
            "Some(1000)",
        ),
        sample(
            "limits.request_body_rate",
            "1000",
            "1000",
            see!(c => c.limits.request_body_rate),
            "1000",
        ),
        sample(
            "limits.response_rate",
            "0",
            "0",
            see!(c => c.limits.response_rate),
            "0",
        ),
        sample(
            "limits.client_connections",
            "100",
            "100",
            see!(c => c.limits.client_connections),
            "Some(100)",
        ),
        sample(
            "secret.file",
            "\"/run/keys\"",
            "/run/keys",
            see!(c => c.secret),
            "File(\"/run/keys\")",
        ),
        sample(
            "site.hosts",
            "[\"B.test\", \".c.test\"]",
            "B.test, .c.test",
            see!(c => c.sites[0].policy.hosts.patterns().collect::<Vec<_>>()),
            "[\"b.test\", \".c.test\"]",
        ),
        sample(
            "site.to",
            "[\"unix:/a\", \"b:1\"]",
            "unix:/a,b:1",
            |c, _| {
                c.sites[0]
                    .upstreams
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" ")
            },
            "unix:/a http://b:1",
        ),
        sample(
            "site.paths.*",
            "[\"unix:/a\", \"b:1\"]",
            "",
            |c, _| {
                let paths = c.sites[0].paths.iter();
                let shown = paths.map(|app| {
                    let to: Vec<String> = app.upstreams.iter().map(ToString::to_string).collect();
                    format!("{} to {}", app.path, to.join(" "))
                });
                shown.collect()
            },
            "/api/ to unix:/a http://b:1",
        ),
        sample(
            "site.tls",
            "\"local\"",
            "LOCAL",
            see!(c => (&c.sites[0].tls, c.sites[0].policy.redirect.temporary)),
            "(Local, true)",
        ),
        Sample {
            site: "tls.key = \"k\"",
            ..sample(
                "site.tls.cert",
                "\"c2\"",
                "c2",
                see!(c => c.sites[0].tls),
                "Files { cert: \"c2\", key: \"k\" }",
            )
        },
        Sample {
            site: "tls.cert = \"c\"",
            ..sample(
                "site.tls.key",
                "\"k2\"",
                "k2",
                see!(c => c.sites[0].tls),
                "Files { cert: \"c\", key: \"k2\" }",
            )
        },
        sample(
            "site.mode",
            "\"report\"",
            "report",
            see!(c => c.sites[0].policy.mode),
            "Report",
        ),
        sample(
            "site.redirect.enabled",
            "false",
            "False",
            see!(c => c.sites[0].policy.redirect.enabled),
            "false",
        ),
        sample(
            "site.redirect.port",
            "9443",
            "9443",
            see!(c => c.sites[0].policy.redirect.port),
            "9443",
        ),
        sample(
            "site.redirect.exempt",
            "[\"^health$\"]",
            "^health$",
            see!(c => c.sites[0].policy.redirect.exempt.patterns()),
            "[\"^health$\"]",
        ),
        sample(
            "site.redirect.refuse",
            "[\"^api/\"]",
            "^api/",
            see!(c => c.sites[0].policy.redirect.refuse.patterns()),
            "[\"^api/\"]",
        ),
        sample(
            "site.hsts.seconds",
            "\"1d\"",
            "86400",
            see!(c => c.sites[0].policy.hsts.seconds),
            "86400",
        ),
        sample(
            "site.hsts.include_subdomains",
            "true",
            "True",
            see!(c => c.sites[0].policy.hsts.include_subdomains),
            "true",
        ),
        Sample {
            site: "hsts.include_subdomains = true",
            ..sample(
                "site.hsts.preload",
                "true",
                "1",
                see!(c => c.sites[0].policy.hsts.preload),
                "true",
            )
        },
        sample(
            "site.hsts.ramp",
            "false",
            "off",
            see!(c => c.sites[0].policy.hsts.ramp),
            "false",
        ),
        sample(
            "site.hsts.when",
            "\"never\"",
            "never",
            see!(c => c.sites[0].policy.hsts.when),
            "Never",
        ),
        sample(
            "site.cookies.harden",
            "\"all\"",
            "all",
            see!(c => c.sites[0].policy.cookies.harden_all),
            "true",
        ),
        sample(
            "site.cookies.same_site",
            "\"Strict\"",
            "strict",
            see!(c => c.sites[0].policy.cookies.same_site),
            "Some(Strict)",
        ),
        sample(
            "site.cookies.prefix",
            "false",
            "false",
            see!(c => c.sites[0].policy.cookies.prefix),
            "false",
        ),
        sample(
            "site.cookies.readable",
            "[\"csrftoken\"]",
            "csrftoken",
            see!(c => c.sites[0].policy.cookies.readable),
            "[\"csrftoken\"]",
        ),
        sample(
            "site.cookies.migrate",
            "\"30d\"",
            "30d",
            see!(c => (c.sites[0].migrate.as_secs(), c.sites[0].policy.cookies.migrate)),
            "(2592000, true)",
        ),
        sample(
            "site.cookies.rename_domain",
            "[\"sid\"]",
            "sid",
            see!(c => c.sites[0].policy.cookies.rename_domain),
            "[\"sid\"]",
        ),
        sample(
            "site.cookies.seal",
            "[\"sessionid\"]",
            "sessionid",
            see!(c => c.sites[0].seal),
            "[\"sessionid\"]",
        ),
        sample(
            "site.cookies.legacy_same_site",
            "true",
            "yes",
            see!(c => c.sites[0].policy.legacy_same_site),
            "true",
        ),
        sample(
            "site.cookies.names.*.same_site",
            "\"none\"",
            "None",
            rule,
            "Some(None) None None",
        ),
        sample(
            "site.cookies.names.*.http_only",
            "false",
            "False",
            rule,
            "None Some(false) None",
        ),
        sample(
            "site.cookies.names.*.prefix",
            "false",
            "",
            rule,
            "None None Some(false)",
        ),
        sample(
            "site.bind.cookies",
            "[\"sid\"]",
            "sid",
            see!(c => (c.sites[0].bind.as_ref().map(|bind| &bind.cookies), &c.sites[0].seal)),
            "(Some([\"sid\"]), [\"sid\"])",
        ),
        bound(
            "site.bind.mode",
            "\"report\"",
            "Report",
            see!(c => c.sites[0].bind.as_ref().unwrap().mode),
            "Report",
        ),
        bound(
            "site.bind.lifetime",
            "\"1h\"",
            "1h",
            see!(c => c.sites[0].bind.as_ref().unwrap().lifetime.seconds()),
            "3600",
        ),
        bound(
            "site.bind.born_on",
            "[\"^login/\"]",
            "^login/",
            see!(c => c.sites[0].bind.as_ref().unwrap().born_on.patterns()),
            "[\"^login/\"]",
        ),
        bound(
            "site.bind.fallback",
            "\"deny\"",
            "deny",
            see!(c => c.sites[0].bind.as_ref().unwrap().fallback),
            "Deny",
        ),
        bound(
            "site.bind.fresh.*",
            "\"0s\"",
            "",
            |c, _| {
                let fresh = c.sites[0].bind.as_ref().unwrap().fresh.iter();
                let shown = fresh.map(|(paths, age)| format!("{:?} {age:?}", paths.patterns()));
                shown.collect()
            },
            "[\"^account/\"] 0ns",
        ),
        sample(
            "site.notify.url",
            "\"https://hooks.example.com/sealwax\"",
            "https://hooks.example.com/sealwax",
            see!(c => c.sites[0].notify),
            "Some(Url(\"https://hooks.example.com/sealwax\"))",
        ),
        sample(
            "site.notify.command",
            "[\"/bin/page-us\", \"--now\"]",
            "/bin/page-us,--now",
            see!(c => c.sites[0].notify),
            "Some(Command([\"/bin/page-us\", \"--now\"]))",
        ),
        sample(
            "site.headers.preset",
            "\"django\"",
            "django",
            see!(c => c.sites[0].policy.headers == sealwax_policy::Headers::django()),
            "true",
        ),
        sample(
            "site.headers.content_type_nosniff",
            "false",
            "no",
            see!(c => c.sites[0].policy.headers.content_type_nosniff),
            "false",
        ),
        sample(
            "site.headers.referrer_policy",
            "\"origin,no-referrer\"",
            "origin, NO-referrer",
            see!(c => c.sites[0].policy.headers.referrer_policy),
            "Some(\"origin, no-referrer\")",
        ),
        sample(
            "site.headers.cross_origin_opener_policy",
            "\"off\"",
            "off",
            see!(c => c.sites[0].policy.headers.cross_origin_opener_policy),
            "None",
        ),
        sample(
            "site.headers.x_frame_options",
            "\"deny\"",
            "deny",
            see!(c => c.sites[0].policy.headers.x_frame_options),
            "Some(\"DENY\")",
        ),
        sample(
            "site.headers.allow_names",
            "[\"X_Request_Id\"]",
            "X_Request_Id",
            see!(c => c.sites[0].policy.odd_header_names),
            "[\"x_request_id\"]",
        ),
    ]
}

/// A file with `line` of the setting, or without.
fn file(sample: &Sample, with: bool) -> String {
    let setting = Setting::find(sample.key).unwrap();
    let name = match setting.scope() {
        Scope::Path => "\"/api/\"",
        Scope::Fresh => "\"^account/\"",
        _ => "sessionid",
    };
    let key = sample.key.replace('*', name);
    let line = if with {
        format!(
            "{} = {}\n",
            key.strip_prefix("site.").unwrap_or(&key),
            sample.toml
        )
    } else {
        String::new()
    };
    let (gateway, site) = if setting.scope() == Scope::Gateway {
        (line.as_str(), "")
    } else {
        ("", line.as_str())
    };
    let mut text = format!("{gateway}[[site]]\n{site}{}\n", sample.site);
    for (key, line) in [
        ("site.hosts", "hosts = [\"app.test\"]\n"),
        ("site.to", "to = \"127.0.0.1:8000\"\n"),
    ] {
        if !(with && sample.key == key) {
            text.push_str(line);
        }
    }
    text
}

#[track_caller]
fn see(sample: &Sample, sources: &Sources, cookie: &str) -> String {
    match load(sources) {
        Ok(loaded) => (sample.see)(&loaded.config, cookie),
        Err(mistakes) => panic!("{}: {}", sample.key, mistakes.render(false)),
    }
}

fn with_file(text: String) -> Sources {
    Sources {
        file: Some(("sealwax.toml".into(), text)),
        ..Sources::default()
    }
}

#[test]
fn every_row_has_a_sample() {
    let samples: Vec<&str> = samples().iter().map(|sample| sample.key).collect();
    let rows: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    assert_eq!(samples, rows);
}

#[test]
fn from_the_file() {
    for sample in samples() {
        let seen = see(&sample, &with_file(file(&sample, true)), "sessionid");
        assert_eq!(seen, sample.seen, "{}", sample.key);
    }
}

/// Otherwise the tests here could not fail.
#[test]
fn without_the_setting_something_else_is_seen() {
    // The first is what the default comes to (a test below shows it win); the
    // other two need each other.
    let same = ["site.tls", "site.tls.cert", "site.tls.key"];
    for sample in samples()
        .iter()
        .filter(|sample| !same.contains(&sample.key))
    {
        let seen = see(sample, &with_file(file(sample, false)), "sessionid");
        assert_ne!(seen, sample.seen, "{}", sample.key);
    }
}

#[test]
fn from_variables() {
    for sample in samples() {
        let setting = Setting::find(sample.key).unwrap();
        let names = setting
            .django
            .iter()
            .map(|name| format!("SEALWAX_{name}"))
            .chain(setting.variable());
        let mut tried = 0;
        for name in names {
            let cookie = match name.split('_').nth(1) {
                Some("CSRF") => "csrftoken",
                Some("LANGUAGE") => "django_language",
                _ => "sessionid",
            };
            let mut sources = with_file(file(&sample, false));
            sources.variables = vec![(name.clone(), sample.text.into())];
            assert_eq!(see(&sample, &sources, cookie), sample.seen, "{name}");
            tried += 1;
        }
        assert!(
            tried > 0 || sample.key.contains('*'),
            "{} has no variable",
            sample.key
        );
    }
}

#[test]
fn from_flags() {
    let mut tried = 0;
    for sample in samples() {
        let Some(name) = Setting::find(sample.key).unwrap().flag else {
            continue;
        };
        let mut sources = with_file(file(&sample, false));
        let text = sample.text.to_owned();
        let once = Some(text.clone());
        let many = || text.split(',').map(|part| part.trim().to_owned()).collect();
        let flags = &mut sources.flags;
        match name {
            "--cert" => flags.cert = once,
            "--env" => flags.environment = once,
            "--host" => flags.hosts = many(),
            "--http" => flags.http = once,
            "--https" => flags.https = once,
            "--key" => flags.key = once,
            "--tls" => flags.tls = once,
            "--to" => flags.to = many(),
            _ => panic!("no field of Flags for {name}"),
        }
        assert_ne!(*flags, Flags::default());
        assert_eq!(see(&sample, &sources, "sessionid"), sample.seen, "{name}");
        tried += 1;
    }
    assert_eq!(tried, 8);
}

#[test]
fn tls_local_wins_over_files_below_it() {
    let mut sources = with_file(
        "[[site]]\nhosts = [\"app.test\"]\nto = \"x:1\"\ntls = { cert = \"c\", key = \"k\" }\n"
            .into(),
    );
    for name in ["SEALWAX_SITE_TLS", ""] {
        sources.variables = vec![(name.into(), "local".into())];
        let files = name.is_empty();
        let config = load(&sources).unwrap().config;
        assert_eq!(
            matches!(config.sites[0].tls, sealwax_config::Tls::Files { .. }),
            files
        );
    }
}
