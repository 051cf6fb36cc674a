//! Which source wins, and what holds where nothing is written.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::time::Duration;

use sealwax_config::{
    Config, Environment, Flags, Limits, Loaded, Sources, Timeouts, Tls, TlsProfile, Upstream,
    decode, load,
};
use sealwax_policy::{Headers, Hsts, Mode, NameRules, When};

fn sources(file: &str) -> Sources {
    Sources {
        file: Some(("sealwax.toml".into(), file.into())),
        ..Sources::default()
    }
}

#[track_caller]
fn loaded(sources: &Sources) -> Loaded {
    load(sources).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
}

#[track_caller]
fn config(file: &str) -> Config {
    loaded(&sources(file)).config
}

fn flags(to: &str) -> Sources {
    Sources {
        flags: Flags {
            to: vec![to.into()],
            ..Flags::default()
        },
        ..Sources::default()
    }
}

const SITE: &str = "[[site]]\nhosts = [\"app.test\"]\nto = \"127.0.0.1:8000\"\n";

#[test]
fn without_a_file() {
    let Loaded {
        config, warnings, ..
    } = loaded(&flags("http://127.0.0.1:8000"));
    assert!(warnings.is_empty());
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.listen.http, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(config.listen.https, ["127.0.0.1:8443".parse().unwrap()]);
    let [site] = config.sites.as_slice() else {
        panic!("one site")
    };
    assert_eq!((site.name.as_str(), &site.tls), ("localhost", &Tls::Local));
    assert_eq!(
        site.upstreams,
        [Upstream::Tcp {
            host: "127.0.0.1".into(),
            port: 8000
        }]
    );
    assert_eq!(
        (site.policy.redirect.port, site.policy.redirect.temporary),
        (8443, true)
    );
}

#[test]
fn each_flag_changes_one_default() {
    let mut sources = flags("unix:/run/a.sock");
    sources.flags.https = Some("127.0.0.1:9443,[::1]:9443".into());
    sources.flags.hosts = vec!["a.localhost".into(), "b.localhost".into()];
    let config = loaded(&sources).config;
    assert_eq!(config.listen.http.len(), 1);
    assert_eq!(config.listen.https.len(), 2);
    assert_eq!(
        config.sites[0].policy.hosts.patterns().collect::<Vec<_>>(),
        ["a.localhost", "b.localhost"]
    );
    assert_eq!(config.sites[0].policy.redirect.port, 9443);
}

/// The table's defaults are those of the crates below.
#[test]
fn the_defaults_are_those_of_the_policy() {
    let config = config(SITE);
    assert_eq!(config.environment, Environment::Production);
    assert_eq!(config.tls_profile, TlsProfile::Intermediate);
    assert!((1..=1024).contains(&config.workers));
    let seconds = Duration::from_secs;
    let timeouts = Timeouts {
        handshake: seconds(10),
        request_head: seconds(15),
        request_body_idle: seconds(60),
        connect: seconds(5),
        response_head: seconds(60),
        response_idle: seconds(300),
        keep_alive: seconds(75),
        upgraded_idle: seconds(3600),
        total: seconds(86_400),
        drain: seconds(30),
    };
    assert_eq!(config.timeouts, timeouts);
    assert_eq!(
        config.limits,
        Limits {
            request_head: 65_536,
            request_headers: 100,
            request_body: None,
            request_body_rate: 240,
            response_rate: 240,
            client_connections: None,
        }
    );
    let site = &config.sites[0];
    assert_eq!(site.policy.mode, Mode::Enforce);
    assert_eq!(site.policy.hsts, Hsts::default());
    assert_eq!(site.policy.headers, Headers::default());
    assert_eq!(site.policy.cookies, NameRules::default());
    assert!(site.policy.redirect.enabled && site.policy.proxies.is_empty());
    assert!(!site.policy.legacy_same_site && site.migrate.is_zero());
}

#[test]
fn listeners_of_a_file() {
    let with = |listen: &str| config(&format!("{listen}\n{SITE}")).listen;
    assert_eq!((with("").http.len(), with("").https.len()), (1, 1));
    let only = with("[listen]\nhttps = \"0.0.0.0:443\"");
    assert_eq!((only.http.len(), only.https.len()), (0, 1));
    // Any number of free ports.
    let free = with("[listen]\nhttp = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\nhttps = \"127.0.0.1:0\"");
    assert_eq!((free.http.len(), free.https.len()), (2, 1));
}

#[test]
fn later_layers_win() {
    let file = format!(
        "{SITE}[site.hsts]\nseconds = 1\nwhen = \"never\"\n[env.production.site.hsts]\nseconds = 2\n[env.staging.site]\nmode = \"report\"\n"
    );
    let mut sources = sources(&file);
    let seconds = |sources: &Sources| loaded(sources).config.sites[0].policy.hsts.seconds;
    assert_eq!(seconds(&sources), 2);
    sources.flags.environment = Some("staging".into());
    let staging = loaded(&sources).config;
    assert_eq!(
        (staging.environment, staging.environment_name.as_str()),
        (Environment::Production, "staging")
    );
    assert_eq!(
        (
            staging.sites[0].policy.mode,
            staging.sites[0].policy.hsts.seconds
        ),
        (Mode::Report, 1)
    );
    sources.variables = vec![("SEALWAX_SECURE_HSTS_SECONDS".into(), "3".into())];
    assert_eq!(seconds(&sources), 3);
    assert_eq!(
        loaded(&sources).config.sites[0].policy.hsts.when,
        When::Never
    );
}

#[test]
fn the_environment_is_chosen_by_flag_then_variable_then_file() {
    let mut sources = sources(&format!(
        "environment = \"production\"\n{SITE}[env.a]\n[env.b]\n"
    ));
    let name = |sources: &Sources| loaded(sources).config.environment_name;
    assert_eq!(name(&sources), "production");
    sources.variables = vec![("SEALWAX_ENV".into(), "a".into())];
    assert_eq!(name(&sources), "a");
    sources.flags.environment = Some("b".into());
    assert_eq!(name(&sources), "b");
}

#[test]
fn overlays_of_sites() {
    let two = "[[site]]\nhosts = [\"a.test\", \"b.test\"]\nto = \"x:1\"\n[[site]]\nhosts = [\"c.test\"]\nto = \"x:2\"\n";
    let overlaid = config(&format!(
        "{two}[[env.production.site]]\nhosts = [\"B.test\", \"a.test\"]\nto = \"y:1\"\n[[env.production.site]]\nhosts = [\"d.test\"]\nto = \"x:3\"\n"
    ));
    let shown: Vec<(String, String)> = overlaid
        .sites
        .iter()
        .map(|s| (s.name.clone(), s.upstreams[0].to_string()))
        .collect();
    let expected = [
        ("b.test", "http://y:1"),
        ("c.test", "http://x:2"),
        ("d.test", "http://x:3"),
    ];
    assert_eq!(shown, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let all = config(&format!(
        "{two}[env.production.site]\nto = \"z:1\"\n[env.production.site.cookies]\nharden = \"all\"\n"
    ));
    assert!(
        all.sites
            .iter()
            .all(|s| s.upstreams[0].to_string() == "http://z:1" && s.policy.cookies.harden_all)
    );
}

#[test]
fn one_way_to_a_certificate_replaces_the_other() {
    let file =
        "[[site]]\nhosts = [\"app.test\"]\nto = \"x:1\"\ntls = { cert = \"c\", key = \"k\" }\n";
    let tls = |sources: &Sources| loaded(sources).config.sites[0].tls.clone();
    let mut sources = sources(&format!("{file}[env.development.site]\ntls = \"local\"\n"));
    assert_eq!(
        tls(&sources),
        Tls::Files {
            cert: "c".into(),
            key: "k".into()
        }
    );
    sources.variables = vec![("SEALWAX_SITE_TLS_KEY".into(), "other".into())];
    assert_eq!(
        tls(&sources),
        Tls::Files {
            cert: "c".into(),
            key: "other".into()
        }
    );
    sources.variables.clear();
    sources.flags.environment = Some("development".into());
    assert_eq!(tls(&sources), Tls::Local);
}

#[test]
fn a_public_site_without_https_behind_proxies() {
    let config = config(
        "[listen]\nhttp = \"0.0.0.0:80\"\n[proxies]\ntrusted = [\"10.0.0.0/8\"]\n[[site]]\nhosts = [\"app.example.com\"]\nto = \"x:1\"\n",
    );
    let site = &config.sites[0];
    assert_eq!(
        (
            &site.tls,
            site.policy.redirect.port,
            site.policy.redirect.temporary
        ),
        (&Tls::Off, 443, false)
    );
    assert!(site.policy.proxies.trust("10.1.2.3".parse().unwrap()));
}

#[test]
fn a_free_https_port_leaves_the_redirect_to_the_gateway() {
    let config = config(&format!(
        "[listen]\nhttp = \"127.0.0.1:0\"\nhttps = \"127.0.0.1:0\"\n{SITE}"
    ));
    assert_eq!(config.sites[0].policy.redirect.port, 0);
}

#[test]
fn django_cookie_settings_become_rules() {
    let mut sources = sources(SITE);
    for (name, value) in [
        ("SESSION_COOKIE_NAME", "sid"),
        ("SESSION_COOKIE_SAMESITE", "None"),
        ("SESSION_COOKIE_SECURE", "True"),
        ("CSRF_COOKIE_HTTPONLY", "False"),
    ] {
        sources
            .variables
            .push((format!("SEALWAX_{name}"), value.into()));
    }
    let rules = loaded(&sources).config.sites[0]
        .policy
        .cookies
        .rules
        .clone();
    let shown: Vec<_> = rules
        .iter()
        .map(|r| {
            (
                r.name.as_str(),
                r.same_site.map(sealwax_policy::SameSite::as_str),
                r.http_only,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("csrftoken", None, Some(false)),
            ("sid", Some("None"), Some(true))
        ]
    );
}

#[test]
fn a_readable_cookie_stays_readable_when_django_only_names_it() {
    let mut sources = sources(&format!("{SITE}[site.cookies]\nreadable = [\"token\"]\n"));
    sources.variables = vec![("SEALWAX_CSRF_COOKIE_NAME".into(), "token".into())];
    assert_eq!(
        loaded(&sources).config.sites[0].policy.cookies.rules[0].http_only,
        None
    );
}

/// In Django zero seconds send no header; ours tells browsers to forget.
#[test]
fn zero_seconds_mean_what_each_name_means() {
    let mut sources = sources(SITE);
    sources.variables = vec![("SEALWAX_SECURE_HSTS_SECONDS".into(), "0".into())];
    assert_eq!(
        loaded(&sources).config.sites[0].policy.hsts.when,
        When::Never
    );
    sources.variables = vec![("SEALWAX_SITE_HSTS_SECONDS".into(), "0".into())];
    let hsts = loaded(&sources).config.sites[0].policy.hsts.clone();
    assert_eq!((hsts.when, hsts.seconds), (When::Public, 0));
}

#[test]
fn an_item_with_a_comma_is_written_as_an_array() {
    let mut sources = sources(SITE);
    sources.variables = vec![(
        "SEALWAX_SECURE_REDIRECT_EXEMPT".into(),
        r#"["^a{1,2}$", "^b$"]"#.into(),
    )];
    assert_eq!(
        loaded(&sources).config.sites[0]
            .policy
            .redirect
            .exempt
            .patterns(),
        ["^a{1,2}$", "^b$"]
    );
    sources.variables = vec![("SEALWAX_ALLOWED_HOSTS".into(), "[::1], localhost".into())];
    assert_eq!(loaded(&sources).config.sites[0].name, "[::1]");
}

#[test]
fn variables_of_kubernetes_and_of_the_command_are_passed_over() {
    let mut sources = sources(SITE);
    for name in [
        "SEALWAX_HOME",
        "SEALWAX_LOG",
        "SEALWAX_PORT",
        "SEALWAX_PORT_443_TCP_ADDR",
        "SEALWAX_SERVICE_HOST",
        "SEALWAX_SERVICE_PORT_HTTPS",
        "PATH",
    ] {
        sources.variables.push((name.into(), "x".into()));
    }
    assert!(loaded(&sources).warnings.is_empty());
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    let text = format!(
        "\u{feff}{}",
        format!("# caf\u{e9}\n{SITE}mode = \"x\"\n").replace('\n', "\r\n")
    );
    let text = decode("sealwax.toml".as_ref(), text.into_bytes()).unwrap();
    let mistakes = load(&sources(&text)).unwrap_err();
    let place = mistakes.iter().next().unwrap().place.clone().unwrap();
    assert_eq!(
        (place.line(), place.column(), place.text()),
        (5, 8, "\"x\"")
    );
    assert!(mistakes.render(false).contains("5 | mode = \"x\"\n"));
}

#[test]
fn what_is_no_configuration_file_is_told_in_one_line() {
    let path = "/etc/sealwax.toml".as_ref();
    for (bytes, cause) in [
        (
            vec![b'a'; (1 << 20) + 1],
            "/etc/sealwax.toml has 1048577 bytes; a configuration has at most 1048576",
        ),
        (
            b"a = 1\n\xff".to_vec(),
            "/etc/sealwax.toml has bytes that are not UTF-8 on line 2",
        ),
        (
            b"\xff\xfea\0".to_vec(),
            "/etc/sealwax.toml has bytes that are not UTF-8 on line 1",
        ),
        (
            b"a = 1\n\n\0".to_vec(),
            "/etc/sealwax.toml has a NUL byte on line 3",
        ),
    ] {
        let mistakes = decode(path, bytes).unwrap_err();
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes.iter().next().unwrap().cause, cause);
    }
    let ten = "a = 1\n".repeat(10 << 20 >> 2);
    assert_eq!(load(&sources(&ten)).unwrap_err().len(), 1);
}

#[test]
fn a_megabyte_of_mistakes_is_counted_not_shown() {
    let mut text = String::new();
    for number in 0..20_000 {
        text.push_str(&format!("wrong{number} = 1\n"));
    }
    let mistakes = load(&sources(&text)).unwrap_err();
    assert_eq!(mistakes.len(), 20_001);
    let shown = mistakes.render(false);
    assert!(
        shown.contains("… and 19901 more\n")
            && shown.ends_with("the configuration has 20001 errors\n"),
        "{}",
        &shown[shown.len() - 200..]
    );
}

/// Files made to keep the reader busy: it must not take time that grows with
/// the square of the size.
#[test]
fn hostile_megabytes() {
    let fill = |piece: &str| piece.repeat((1 << 20) / piece.len());
    let mut distinct = String::new();
    for number in 0..50_000 {
        distinct.push_str(&format!("k{number}=1\nk{number}=1\n"));
    }
    for text in [
        fill("=\n"),
        fill("a=1\n"),
        fill("["),
        fill("x=["),
        fill("a."),
        fill("[[site]]\n"),
        fill("x={"),
        fill("\""),
        distinct,
    ] {
        assert!(
            load(&sources(text.get(..1 << 20).unwrap_or(&text)))
                .unwrap_err()
                .render(false)
                .len()
                < 1 << 20
        );
    }
}

#[test]
fn others_can_report_at_the_place_of_a_setting() {
    let mut sources = sources(&format!(
        "[listen]\nhttps = [\"0.0.0.0:443\", \"[::]:443\"]\n{SITE}tls = {{ cert = \"c.pem\", key = \"k.pem\" }}\n"
    ));
    sources.variables = vec![("SEALWAX_LISTEN_HTTP".into(), "0.0.0.0:80".into())];
    let places = loaded(&sources).places;
    let at = |key: &str| places.find(key).map(ToString::to_string);
    assert_eq!(at("listen.https.1").as_deref(), Some("sealwax.toml:2:25"));
    assert_eq!(
        at("listen.http").as_deref(),
        Some("variable SEALWAX_LISTEN_HTTP")
    );
    assert_eq!(at("site.0.tls.key").as_deref(), Some("sealwax.toml:6:31"));
    assert_eq!(
        at("site.0.hsts.seconds").as_deref(),
        Some("sealwax.toml:3:1")
    );
    assert_eq!(at("workers"), None);
    let shown = places
        .diagnostic(
            "site.0.tls.key",
            "the key cannot be read",
            "make it readable",
        )
        .render(false);
    let expected = r#"error: the key cannot be read
 --> sealwax.toml:6:31
  |
6 | tls = { cert = "c.pem", key = "k.pem" }
  |                               ^^^^^^^
  |
  = help: make it readable
"#;
    assert_eq!(shown, expected);
}
