//! Whole exchanges: a request as the client sends it, the app's response, and
//! what each side gets to see.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

#[cfg(feature = "bind")]
mod bound;
mod sealed;
mod unjudged;
mod world;

use http::{Request, Response};
use sealwax_policy::{
    Exchange, Form, Headers, KnownNames, Level, LoopWatch, Mode, Plan, Redirect, State, Step,
    Target, TrustedProxies, When,
};

use world::*;

#[test]
fn an_app_without_any_setting_gets_and_gives_everything() {
    let mut world = World::new();
    let seen = world.run(
        "POST /login?next=/\nhost: app.example.com:8443\nx-forwarded-for: 1.2.3.4\nforwarded: for=x\nx_forwarded_proto: http",
        "302\nlocation: /\nset-cookie: sessionid=abc; Path=/\nset-cookie: theme=dark",
    );
    let app = seen.app.as_ref().expect("forwarded");
    for (name, value) in [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example.com:8443"),
        ("x-forwarded-port", "8443"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("host", "app.example.com:8443"),
    ] {
        assert_eq!(app[name], value, "{name}");
    }
    assert!(!app.contains_key("forwarded") && !app.contains_key("x_forwarded_proto"));
    for (name, value) in [
        ("strict-transport-security", "max-age=300"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("cross-origin-opener-policy", "same-origin-allow-popups"),
        ("x-frame-options", "SAMEORIGIN"),
        ("location", "/"),
    ] {
        assert_eq!(seen.client[name], value, "{name}");
    }
    assert_eq!(
        seen.set_cookies(),
        [
            "__Host-sessionid=abc; Path=/; Secure; HttpOnly; SameSite=Lax",
            "theme=dark; Secure; SameSite=Lax"
        ]
    );
    for rule in [
        "forwarded.removed",
        "header-name.dropped",
        "cookie.prefix",
        "cookie.secure",
        "cookie.readable",
    ] {
        assert!(seen.rules().contains(&rule), "{rule} in {:?}", seen.rules());
    }
}

#[test]
fn the_names_come_back_as_the_app_knows_them() {
    let mut world = World::new();
    // Before the app has set it, a well-known name is accepted as __Host- only, and passes
    // under both names: the prefix may be the app's own.
    assert_eq!(
        world.cookie_for("__Host-sessionid=a; sessionid=evil; __Secure-sessionid=evil"),
        "__Host-sessionid=a; sessionid=a"
    );
    world.run("GET /", "200\nset-cookie: sessionid=a; Path=/");
    assert_eq!(
        world.cookie_for("__Host-sessionid=a; sessionid=evil; __Secure-sessionid=evil"),
        "sessionid=a"
    );
    assert_eq!(world.cookie_for("sessionid=evil"), "");
    world.run("GET /", "200\nset-cookie: mine=1; HttpOnly; Path=/app");
    assert_eq!(
        world.cookie_for("__Secure-mine=1; mine=evil; theme=dark"),
        "mine=1; theme=dark"
    );
}

#[test]
fn a_stale_form_is_deleted_by_the_next_response() {
    let mut world = World::new();
    world.run("GET /", "200\nset-cookie: sessionid=1; Path=/");
    let seen = world.run("GET /\ncookie: sessionid=old; __Host-sessionid=1", "200");
    let cookies = seen.set_cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    assert!(
        cookies[0].starts_with("sessionid=;") && cookies[0].contains("Max-Age=0"),
        "{cookies:?}"
    );
    assert!(seen.rules().contains(&"cookie.stale"));
}

#[test]
fn a_stale_form_is_not_deleted_where_shared_caches_would_keep_it() {
    for (cache_control, deleted) in [
        ("public, max-age=31536000, immutable", 0),
        ("max-age=60", 0),
        ("S-MaxAge = 60", 0),
        ("private, max-age=60", 1),
        ("no-cache", 1),
        ("max-age=0, no-store", 1),
    ] {
        let response = format!("200\ncache-control: {cache_control}");
        let seen = World::new().run("GET /app.js\ncookie: sessionid=planted", &response);
        assert_eq!(seen.set_cookies().len(), deleted, "{cache_control}");
    }
}

#[test]
fn a_cookie_for_a_domain_that_is_not_ascii_is_hardened_and_not_learnt() {
    let mut world = World::new();
    let seen = world.run(
        "GET /",
        "200\nset-cookie: sessionid=1; Domain=b\u{fc}cher.example",
    );
    assert_eq!(
        seen.set_cookies(),
        ["sessionid=1; Domain=b\u{fc}cher.example; Secure; HttpOnly; SameSite=Lax"]
    );
    assert!(seen.rules().contains(&"cookie.invalid"));
    assert!(world.names.is_empty());
    assert_eq!(world.cookie_for("sessionid=1"), "");
}

#[test]
fn a_deletion_goes_out_for_both_forms() {
    let mut world = World::new();
    let seen = world.run(
        "GET /logout",
        "302\nlocation: /\nset-cookie: sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax",
    );
    let cookies = seen.set_cookies();
    assert!(
        cookies
            .iter()
            .any(|c| c.starts_with("__Host-sessionid=") && c.contains("Secure")),
        "{cookies:?}"
    );
    assert!(
        cookies.iter().any(|c| c.starts_with("sessionid=")),
        "{cookies:?}"
    );
}

#[test]
fn what_the_app_sets_after_deleting_it_stays() {
    let mut world = World::new();
    let seen = world.run(
        "GET /login\ncookie: PHPSESSID=planted",
        "200\nset-cookie: PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/\n\
         set-cookie: PHPSESSID=new; path=/; HttpOnly\nset-cookie: other=1; path=/",
    );
    let names: Vec<String> = seen
        .set_cookies()
        .iter()
        .map(|c| c.split(';').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "PHPSESSID=", // the planted one
            "PHPSESSID=deleted",
            "__Host-PHPSESSID=deleted",
            "__Host-PHPSESSID=new",
            "other=1"
        ]
    );
}

#[test]
fn migration_lets_bare_names_in_until_a_prefixed_one_comes() {
    let mut world = World::new();
    world.policy.cookies.migrate = true;
    assert_eq!(world.cookie_for("sessionid=old"), "sessionid=old");
    assert_eq!(
        world.cookie_for("sessionid=old; __Host-sessionid=new"),
        "__Host-sessionid=new; sessionid=new"
    );
}

#[test]
fn plain_http_is_redirected_with_our_headers_but_never_hsts() {
    let mut world = World::plain();
    world.policy.redirect.port = 8443;
    let (status, own) = world
        .run("GET //evil.com/..%2f?q", "200")
        .app
        .expect_err("redirected");
    assert_eq!(
        (status, text(&own["location"]).as_str()),
        (301, "https://app.example.com:8443//evil.com/..%2f?q")
    );
    assert!(
        own.contains_key("x-content-type-options")
            && !own.contains_key("strict-transport-security")
    );
    assert_eq!(
        world.run("POST /", "200").app.expect_err("redirected").0,
        308
    );
}

#[test]
fn on_an_exempt_path_secure_cookies_and_hsts_stay_back() {
    let mut world = World::plain();
    world.policy.redirect = Redirect {
        exempt: sealwax_policy::Paths::new(["^health$"]).expect("pattern"),
        ..Redirect::default()
    };
    let seen = world.run(
        "GET /health",
        "200\nset-cookie: sessionid=1\nstrict-transport-security: max-age=99",
    );
    assert_eq!(
        seen.app.as_ref().expect("forwarded")["x-forwarded-proto"],
        "http"
    );
    assert!(
        seen.set_cookies().is_empty() && !seen.client.contains_key("strict-transport-security")
    );
    assert!(seen.rules().contains(&"cookie.withheld") && seen.rules().contains(&"hsts.removed"));
}

#[test]
fn a_trusted_proxy_speaks_for_the_client() {
    let mut world = World::plain();
    world.policy.proxies = TrustedProxies::new(vec!["203.0.113.0/24".parse().expect("range")]);
    let seen = world.run(
        "GET /\nx-forwarded-for: 6.6.6.6, 198.51.100.7\nx-forwarded-proto: https",
        "200",
    );
    let app = seen.app.expect("forwarded");
    assert_eq!(
        (
            text(&app["x-forwarded-for"]),
            text(&app["x-forwarded-proto"])
        ),
        ("198.51.100.7".into(), "https".into())
    );
    assert_eq!(
        world
            .run("GET /\nx-forwarded-proto: http", "200")
            .app
            .expect_err("redirected")
            .0,
        301
    );
}

#[test]
fn hsts_never_reaches_local_names_addresses_or_private_chains() {
    for host in ["localhost", "localhost:8443"] {
        let mut world = World::new();
        let seen = world.run(
            &format!("GET /\nhost: {host}"),
            "200\nstrict-transport-security: max-age=31536000",
        );
        assert!(
            !seen.client.contains_key("strict-transport-security"),
            "{host}"
        );
    }
    let mut private = World::new();
    private.connection.publicly_trusted = false;
    assert!(
        !private
            .run("GET /", "200")
            .client
            .contains_key("strict-transport-security")
    );
    private.policy.hsts.when = When::Always;
    assert!(
        private
            .run("GET /", "200")
            .client
            .contains_key("strict-transport-security")
    );
    let mut own = World::new();
    let seen = own.run("GET /", "200\nstrict-transport-security: max-age=5");
    assert_eq!(seen.client["strict-transport-security"], "max-age=5");
}

#[test]
fn report_mode_changes_no_response_and_refuses_nothing() {
    let mut world = World::plain();
    world.policy.mode = Mode::Report;
    let response = "200\nset-cookie: sessionid=1; Path=/\nset-cookie: a=b";
    let seen = world.run(
        "GET /\ncookie: sessionid=old\nx-forwarded-for: 1.1.1.1",
        response,
    );
    let app = seen.app.as_ref().expect("forwarded, not redirected");
    assert_eq!(
        (text(&app["cookie"]), text(&app["x-forwarded-for"])),
        ("sessionid=old".into(), "203.0.113.9".into())
    );
    assert_eq!(seen.set_cookies(), ["sessionid=1; Path=/", "a=b"]);
    assert_eq!(seen.client.len(), 2);
    assert!(
        seen.changes
            .iter()
            .any(|c| c.rule.id() == "redirect.https" && !c.applied)
    );

    world.connection.tls = true;
    let seen = world.run("GET /", response);
    assert_eq!(seen.set_cookies(), ["sessionid=1; Path=/", "a=b"]);
    assert!(
        seen.changes
            .iter()
            .any(|c| c.rule.id() == "cookie.prefix" && !c.applied)
    );
    // What left bare is let back in.
    assert_eq!(
        world
            .names
            .get(b"sessionid")
            .map(|k| k.forms.contains(Form::Bare)),
        Some(true)
    );
    assert_eq!(world.cookie_for("sessionid=1"), "sessionid=1");
}

#[test]
fn report_mode_takes_back_what_enforcing_sent_out() {
    let mut world = World::new();
    world.run(
        "GET /ctx/a",
        "200\nset-cookie: sessionid=1; Path=/\nset-cookie: JSESSIONID=1; Path=/ctx",
    );
    world.policy.mode = Mode::Report;
    // Until the app speaks, the old one counts.
    assert_eq!(world.cookie_for("__Host-sessionid=1"), "sessionid=1");
    let seen = world.run("GET /login", "200\nset-cookie: sessionid=2; Path=/");
    let cookies = seen.set_cookies();
    assert_eq!(cookies[0], "sessionid=2; Path=/");
    assert!(
        cookies[1].starts_with("__Host-sessionid=; Path=/; Max-Age=0"),
        "{cookies:?}"
    );
    let seen = world.run(
        "GET /ctx/out",
        "200\nset-cookie: JSESSIONID=; Path=/ctx; Max-Age=0",
    );
    assert!(seen.set_cookies()[1].starts_with("__Secure-JSESSIONID=; Path=/ctx; Max-Age=0"));
    assert_eq!(world.cookie_for("sessionid=2"), "sessionid=2");
}

#[test]
fn a_redirect_loop_is_replaced_by_its_explanation() {
    for location in [
        "https://app.example.com/x?y",
        "http://app.example.com/x?y",
        "/x?y",
        "HTTPS://APP.example.com/x?y",
    ] {
        let mut world = World::new();
        let response = format!("302\nlocation: {location}");
        for _ in 0..4 {
            let seen = world.run("GET /x?y", &response);
            assert_eq!(text(&seen.client["location"]), location);
        }
        let seen = world.run("GET /x?y", &response);
        assert_eq!(seen.client["x-status"], "508");
        assert!(seen.rules().contains(&"redirect.loop"));
    }
}

#[test]
fn a_permanent_redirect_to_itself_is_a_loop_at_once() {
    for status in ["301", "308"] {
        let response = format!("{status}\nlocation: https://app.example.com/x");
        let seen = World::new().run("GET /x", &response);
        assert_eq!(seen.client["x-status"], "508", "{status}");
    }
    let mut reporting = World::new();
    reporting.policy.mode = Mode::Report;
    let seen = reporting.run("GET /x", "301\nlocation: /x");
    assert_eq!(text(&seen.client["location"]), "/x");
    assert!(seen.rules().contains(&"redirect.loop"));
}

#[test]
fn honest_redirects_are_no_loop() {
    for response in [
        "302\nlocation: /x\nset-cookie: seen=1",
        "302\nlocation: /y",
        "302\nlocation: https://other.example.com/x",
        "302\nlocation: https://app.example.com:444/x",
        "304\nlocation: /x",
        "200\nlocation: /x",
    ] {
        let mut world = World::new();
        for _ in 0..8 {
            let seen = world.run("GET /x", response);
            assert!(
                !seen.client.contains_key("x-status") || response.starts_with("304"),
                "{response}"
            );
        }
        if !response.starts_with("304") {
            for _ in 0..8 {
                assert!(
                    !world
                        .run("POST /x", "303\nlocation: /x")
                        .client
                        .contains_key("x-status")
                );
            }
        }
    }
}

#[test]
fn a_cross_site_post_without_its_session_is_explained() {
    let mut world = World::new();
    world.run(
        "GET /",
        "200\nset-cookie: sessionid=1; Path=/\nset-cookie: own=1; SameSite=Lax",
    );
    let post = "POST /acs\nsec-fetch-site: cross-site\nsec-fetch-mode: navigate";
    let seen = world.run(post, "200");
    let named: Vec<_> = seen
        .changes
        .iter()
        .filter(|c| c.rule.id() == "cookie.same-site.cross-site-post")
        .map(|c| &c.subject)
        .collect();
    assert_eq!(named, ["sessionid"]);
    let same_origin = world.run(
        "POST /acs\nsec-fetch-site: same-origin\nsec-fetch-mode: navigate",
        "200",
    );
    assert!(
        !same_origin
            .rules()
            .contains(&"cookie.same-site.cross-site-post")
    );
}

#[test]
fn a_script_that_cannot_read_its_csrf_cookie_is_noticed() {
    let mut world = World::new();
    world.run("GET /", "200\nset-cookie: csrftoken=t; Path=/");
    let post =
        "POST /api\nsec-fetch-site: same-origin\nsec-fetch-mode: cors\ncookie: __Host-csrftoken=t";
    assert!(
        world
            .run(post, "403")
            .rules()
            .contains(&"cookie.readable.hint")
    );
    assert!(
        !world
            .run(post, "200")
            .rules()
            .contains(&"cookie.readable.hint")
    );
    let with_header = format!("{post}\nx-csrftoken: t");
    assert!(
        !world
            .run(&with_header, "403")
            .rules()
            .contains(&"cookie.readable.hint")
    );
}

#[test]
fn an_app_that_takes_its_own_origin_for_a_foreign_one_is_noticed() {
    let mut world = World::new();
    let post = "POST /login\nhost: app.example.com:8443\norigin: https://app.example.com:8443\nsec-fetch-mode: navigate";
    assert!(world.run(post, "403").rules().contains(&"app.scheme.hint"));
    assert!(!world.run(post, "200").rules().contains(&"app.scheme.hint"));
    let foreign = "POST /login\norigin: https://evil.example.com";
    assert!(
        !world
            .run(foreign, "403")
            .rules()
            .contains(&"app.scheme.hint")
    );
    assert!(
        !world
            .run("GET /\norigin: https://app.example.com", "403")
            .rules()
            .contains(&"app.scheme.hint")
    );
}

#[test]
fn legacy_same_site_leaves_none_off_for_clients_that_cannot_read_it() {
    let mut world = World::new();
    world.policy.legacy_same_site = true;
    let response = "200\nset-cookie: embed=1; SameSite=None; Secure";
    let old = "GET /\nuser-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1";
    let seen = world.run(old, response);
    assert_eq!(seen.set_cookies(), ["embed=1; Secure"]);
    assert_eq!(seen.client["vary"], "User-Agent");
    let new = world.run("GET /\nuser-agent: Mozilla/5.0 Firefox/140.0", response);
    assert_eq!(new.set_cookies(), ["embed=1; SameSite=None; Secure"]);
    assert_eq!(new.client["vary"], "User-Agent");
    world.policy.legacy_same_site = false;
    assert!(!world.run(old, response).client.contains_key("vary"));
}

#[test]
fn djangos_values_on_request() {
    let mut world = World::new();
    world.policy.headers = Headers::django();
    let seen = world.run("GET /", "200");
    assert_eq!(seen.client["x-frame-options"], "DENY");
    assert_eq!(seen.client["cross-origin-opener-policy"], "same-origin");
}

#[test]
fn nothing_is_put_into_words_unless_somebody_listens() {
    let world = World::new();
    let mut parts = Request::get("/")
        .header("host", "app.example.com")
        .body(())
        .expect("request")
        .into_parts()
        .0;
    let target = Target::read(&parts).expect("target");
    let names = KnownNames::default();
    let state = State {
        now: NOW,
        names: &names,
        hsts: &HSTS,
    };
    let mut exchange = Exchange::new(
        &world.policy,
        world.connection,
        target,
        &parts,
        Level::Notable,
    );
    assert!(matches!(exchange.request(&mut parts, state), Step::Forward));
    let mut answer = Response::new(()).into_parts().0;
    let mut loops = LoopWatch::default();
    assert!(matches!(
        exchange.response(&mut answer, state, &mut loops),
        Plan::Pass
    ));
    assert!(exchange.finish().changes.is_empty());
}
