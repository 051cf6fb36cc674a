//! What a thief, another site or an unlucky app might try.

use super::*;

fn c1(play: &Play) -> String {
    format!("__Host-sessionid={}", play.jar["__Host-sessionid"])
}

#[test]
fn plain_http_does_not_undo_a_bond() {
    let mut play = Play::logged_in();
    play.policy.redirect.exempt = Paths::new(["^health/"]).expect("it is there");
    let stolen = c1(&play);
    play.tls = false;
    let seen = play.raw("GET /health/", "", &stolen, "200");
    assert_eq!(
        seen.app,
        Ok(String::new()),
        "app sees the bound cookie over http"
    );
}

#[test]
fn nor_does_a_site_without_a_redirect() {
    let mut play = Play::logged_in();
    play.policy.redirect.enabled = false;
    let stolen = c1(&play);
    play.tls = false;
    let seen = play.raw("GET /", "", &stolen, "200");
    assert_eq!(seen.app, Ok(String::new()));
}

#[test]
fn a_long_value_is_no_way_out() {
    for n in [2900, 2950, 2951, 2985, 2986, 3000] {
        let mut play = Play::logged_in();
        let long = "x".repeat(n);
        let seen = play.send(
            "POST /cart/",
            FETCH,
            &format!("200\nset-cookie: sessionid={long}; Path=/; HttpOnly"),
        );
        let stolen = c1(&play);
        let alone = play.raw("GET /", FETCH, &stolen, "200");
        assert_eq!(
            alone.app.map(|c| c.len()),
            Ok(0),
            "n={n} {:?} wire={}",
            seen.rules(),
            stolen.len()
        );
    }
}

#[test]
fn a_made_up_long_value_does_not_reach_the_app() {
    let mut play = Play::logged_in();
    let made_up = format!("__Host-sessionid=role=admin&{}", "x".repeat(3000));
    let seen = play.raw("GET /", FETCH, &made_up, "200");
    assert_eq!(
        seen.app.map(|c| c.len()),
        Ok(0),
        "{:?}",
        seen.changes.iter().map(|c| c.rule.id()).collect::<Vec<_>>()
    );
}

#[test]
fn a_browser_that_lost_its_session_is_born_bound_again() {
    let mut play = Play::logged_in();
    // Clear-Site-Data: "storage", a new TPM, four 403: the session is gone, C1 stays.
    play.jar.remove("__Host-sealwax-proof");
    play.session = None;
    play.key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("it is there");
    play.now += LIFETIME;
    let page = play.send("GET /login/", NAVIGATE, "200");
    play.register(&page);
    play.refresh();
    let login = play.send("POST /login/", FETCH, LOGIN);
    assert!(login.has("bind.bound"), "{:?}", login.rules());
}

#[test]
fn nobody_is_sent_round_for_ever() {
    let mut play = Play::new();
    let chromium = format!("{LINK_ELSEWHERE}\nsec-ch-ua: \"Chromium\"");
    let page = play.send("GET /login/", &chromium, "200");
    assert!(page.body.contains("type!=='reload'") && page.body.contains("<noscript>"));
    // No other browser has a session that it could refresh.
    assert_eq!(play.user("GET /login/", LINK_ELSEWHERE), Ok(String::new()));
}

#[test]
fn an_app_cookie_named_like_ours_locks_nobody_out() {
    for name in [
        "sealwax-proof",
        "__Host-sealwax-proof",
        "sealwax-fresh",
        "__Host-sealwax-fresh",
    ] {
        let mut play = Play::logged_in();
        let mut other = Play::logged_in();
        let set = format!(
            "200\nset-cookie: a=1\nset-cookie: {name}=x; Path=/; HttpOnly\nset-cookie: b=2"
        );
        let seen = other.raw("GET /", FETCH, "", &set);
        assert_eq!(seen.headers.get_all("set-cookie").iter().count(), 2);
        assert!(seen.has("bind.our-name"));
        play.names = other.names.clone();
        assert_eq!(
            play.user("GET /", FETCH),
            Ok("sessionid=abc".into()),
            "{name}"
        );
    }
}

#[test]
fn a_fresh_path_is_fresh_in_every_spelling() {
    let mut bad = vec![];
    for path in [
        "/password/",
        "//password/",
        "/%70assword/",
        "/./password/",
        "/x/../password/",
        "/%2e/password/",
        "/x/%2e%2e/password/",
        "/;a/password/",
        "/password;x/",
        "/x/..;/password/",
        "/%2fpassword/",
        "/%252e/password/",
        "/\\password/",
    ] {
        let mut play = Play::logged_in();
        let seen = play.send(&format!("GET {path}"), NAVIGATE, "200");
        if seen.app != Err(307) {
            bad.push((path, seen.app));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_fresh_path_is_fresh_for_every_method() {
    for m in ["HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "POST"] {
        let mut play = Play::logged_in();
        assert_eq!(
            play.user(&format!("{m} /password/"), FETCH),
            Err(307),
            "{m}"
        );
    }
}

#[test]
fn offers_are_not_stored_by_caches() {
    let mut play = Play::new();
    let seen = play.send(
        "GET /login/",
        NAVIGATE,
        "200\nlast-modified: Mon, 24 Nov 2025 17:00:00 GMT",
    );
    assert!(seen.headers.contains_key("secure-session-registration"));
    assert!(
        seen.headers.contains_key("cache-control"),
        "an offer that may be stored (heuristically): {:?}",
        seen.headers
    );
}

#[test]
fn report_mode_keeps_sessions_alive() {
    let mut play = Play::logged_in();
    play.now += LIFETIME;
    play.policy.mode = Mode::Report;
    play.refresh();
    play.policy.mode = Mode::Enforce;
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn a_fresh_path_leads_to_no_other_host() {
    for url in [
        "//evil.example/",
        "/\\evil.example/",
        "/.//evil.example",
        "//",
        "/\\/evil.example",
    ] {
        let mut play = Play::logged_in();
        play.policy
            .set_bind(bind(&ring(&[1])).fresh(Paths::new([""]).expect("it is there"), 0));
        let seen = play.send(&format!("GET {url}"), NAVIGATE, "200");
        {
            assert_eq!(seen.app, Err(307));
            let l = text(&seen.headers["location"]);
            assert!(
                !l.starts_with("//") && !l.starts_with("/\\"),
                "{url} -> {l}"
            );
        }
    }
}

#[test]
fn what_came_bound_stays_bound_in_report_mode() {
    let mut play = Play::logged_in();
    let stolen = c1(&play);
    play.policy.set_bind(bind(&ring(&[1])).mode(Mode::Report));
    // thief without a proof; the app rotates
    let seen = play.raw(
        "POST /rotate/",
        FETCH,
        &stolen,
        "200\nset-cookie: sessionid=new; Path=/; HttpOnly",
    );
    let set = seen
        .headers
        .get_all("set-cookie")
        .iter()
        .map(text)
        .find(|s| s.starts_with("__Host-sessionid"))
        .expect("it is there");
    let fresh = set.split(';').next().expect("it is there").to_owned();
    play.policy.set_bind(bind(&ring(&[1])));
    assert_eq!(
        play.raw("GET /", FETCH, &fresh, "200").app,
        Ok(String::new()),
        "an unbound copy made in report mode outlives it"
    );
}

#[test]
fn a_missed_refresh_does_not_cost_the_session() {
    // One unreachable refresh, and an app that gives every stranger a session (many do):
    let mut play = Play::logged_in();
    play.jar.remove("__Host-sealwax-proof");
    play.send(
        "GET /",
        "secure-session-skipped: unreachable",
        "200\nset-cookie: sessionid=anonymous; Path=/; HttpOnly",
    );
    play.refresh();
    assert_eq!(
        play.user("GET /", FETCH),
        Ok("sessionid=abc".into()),
        "the user's session is gone for good"
    );
}

#[test]
fn an_app_that_prefixes_by_itself_is_told() {
    let mut play = Play::new();
    let login = play.send(
        "POST /login/",
        FETCH,
        "302\nset-cookie: __Host-sessionid=abc; Path=/; Secure; HttpOnly",
    );
    assert!(login.has("seal.spelling"));
    assert_eq!(play.user("GET /", FETCH), Ok("__Host-sessionid=abc".into()));
}

#[test]
fn clocks_of_nodes_may_differ_by_five_minutes() {
    // docs/cookies.md, "Several nodes": "Their clocks may differ by five minutes."
    let mut play = Play::logged_in();
    play.now += LIFETIME + 100; // node A is 100 s ahead and refreshes
    play.refresh();
    play.now -= 100; // node B
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn prefetches_are_not_reloaded() {
    let mut play = Play::logged_in();
    play.jar.remove("__Host-sealwax-proof");
    let f = format!("{LINK_ELSEWHERE}\nsec-purpose: prefetch");
    assert_eq!(play.user("GET /", &f), Ok(String::new()));
}

#[test]
fn a_cookie_for_a_domain_is_not_bound() {
    let mut play = Play::new();
    let page = play.send("GET /login/", NAVIGATE, "200");
    play.register(&page);
    play.refresh();
    let set = "302\nset-cookie: sessionid=abc; Path=/; Domain=example.com; HttpOnly";
    let login = play.send("POST /login/", FETCH, set);
    assert!(login.has("bind.domain") && !login.has("bind.bound"));
    // Proofs do not go to the other hosts, and its users are users there.
    let shared = format!("sessionid={}", play.jar["sessionid"]);
    play.host = "blog.example.com";
    let seen = play.raw("GET /", NAVIGATE, &shared, "200");
    assert_eq!(seen.app, Ok("sessionid=abc".into()));
}

#[test]
fn a_bound_cookie_is_nothing_where_nobody_binds() {
    let mut play = Play::logged_in();
    play.policy = World::new().policy;
    let ring = ring(&[1]);
    play.policy
        .set_seal(Seal::new(&ring, ["sessionid"], random));
    let stolen = c1(&play);
    let seen = play.raw("GET /", FETCH, &stolen, "200");
    assert_eq!(seen.app, Ok(String::new()));
    assert!(seen.has("bind.unproven"));
}

#[test]
fn a_mark_ends_with_its_use_whatever_caches_may_keep() {
    let mut play = Play::logged_in();
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    play.refresh();
    let seen = play.send("GET /password/", NAVIGATE, "200\ncache-control: max-age=60");
    assert_eq!(seen.app, Ok("sessionid=abc".into()));
    assert!(!play.jar.contains_key("__Host-sealwax-fresh"));
}

#[test]
fn marks_are_understood_by_nodes_with_other_clocks() {
    let mut play = Play::logged_in();
    play.now += 200;
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    play.now -= 200;
    play.refresh();
    assert_eq!(
        play.user("GET /password/", NAVIGATE),
        Ok("sessionid=abc".into())
    );
}

#[test]
fn a_cookie_for_a_domain_is_not_bound_later_either() {
    let domain =
        "302\nset-cookie: sessionid=abc; Path=/; Domain=example.com; HttpOnly; Max-Age=1209600";
    let mut play = Play::new();
    let page = play.send("GET /login/", NAVIGATE, "200");
    play.register(&page);
    play.refresh();
    play.send("POST /login/", FETCH, domain);
    let at_first = play.jar["sessionid"].clone();
    // Neither when a page is loaded, nor with a refresh, nor under a new key.
    play.send("GET /", NAVIGATE, "200");
    play.refresh();
    play.policy = policy(&[2, 1]);
    play.send("GET /", NAVIGATE, "200");
    play.refresh();
    let shared = format!("sessionid={}", play.jar["sessionid"]);
    assert_ne!(play.jar["sessionid"], at_first, "the new key has not come");
    play.host = "blog.example.com";
    let seen = play.raw("GET /", NAVIGATE, &shared, "200");
    assert_eq!(seen.app, Ok("sessionid=abc".into()));
}

#[test]
fn a_part_of_another_hosts_page_costs_no_signature() {
    let mut play = Play::logged_in();
    let proof = play.jar["__Host-sealwax-proof"].clone();
    let sibling = "sec-fetch-site: same-site\nsec-fetch-mode: no-cors\nsec-fetch-dest: image";
    let seen = play.send("GET /password/", sibling, "200");
    assert_eq!(seen.app, Err(403));
    assert!(
        !seen.headers.contains_key("set-cookie"),
        "{:?}",
        seen.headers
    );
    assert_eq!(play.jar["__Host-sealwax-proof"], proof);
    // Its link is followed.
    let link = LINK_ELSEWHERE.replace("cross-site", "same-site");
    assert_eq!(play.user("GET /password/", &link), Err(307));
}

#[test]
fn a_form_sent_without_a_refresh_does_not_cost_the_session() {
    let anonymous = "200\nset-cookie: sessionid=anonymous; Path=/; HttpOnly";
    let skipped = format!("{FETCH}\nsecure-session-skipped: unreachable");
    let mut play = Play::logged_in();
    let proof = play.jar.remove("__Host-sealwax-proof");
    let seen = play.send("POST /cart", &skipped, anonymous);
    assert!(seen.has("bind.kept"));
    play.jar
        .extend(proof.map(|it| ("__Host-sealwax-proof".into(), it)));
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
    // Whoever logs in gets in.
    play.jar.remove("__Host-sealwax-proof");
    let seen = play.send("POST /login/", &skipped, anonymous);
    assert!(!seen.has("bind.kept"));
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=anonymous".into()));
}

#[test]
fn an_apps_own_bound_sessions_are_its_own_affair() {
    let mut play = Play::new();
    let told = |play: &mut Play, field: &str| {
        let seen = play.send("GET /login/", &format!("{NAVIGATE}\n{field}"), "200");
        seen.headers.contains_key("secure-session-registration")
    };
    let key = "A".repeat(43);
    assert!(told(
        &mut play,
        "secure-session-skipped: unreachable;session_identifier=\"theirs\""
    ));
    for ours in [
        &format!("secure-session-skipped: unreachable;session_identifier=\"0069247c00-{key}\""),
        "secure-session-skipped: unreachable",
        "secure-session-skipped: ???",
    ] {
        assert!(!told(&mut play, ours), "{ours}");
    }
}

#[test]
fn a_wish_for_another_key_is_none() {
    let mut play = Play::logged_in();
    let mut other = Play::logged_in();
    assert_eq!(other.user("GET /password/", NAVIGATE), Err(307));
    let mark = other.jar["__Host-sealwax-fresh"].clone();
    play.jar.insert("__Host-sealwax-fresh".into(), mark.clone());
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    assert_ne!(play.jar["__Host-sealwax-fresh"], mark);
    play.refresh();
    assert_eq!(
        play.user("GET /password/", NAVIGATE),
        Ok("sessionid=abc".into())
    );
}

#[test]
fn of_many_proofs_the_first_is_judged_and_told_of() {
    let mut play = Play::logged_in();
    let cookie = c1(&play);
    let many = "; __Host-sealwax-proof=AAAA".repeat(100);
    let seen = play.raw("GET /", FETCH, &format!("{cookie}{many}"), "200");
    let told = seen
        .rules()
        .iter()
        .filter(|rule| **rule == "bind.proof-unusable")
        .count();
    assert_eq!((seen.app, told), (Ok(String::new()), 1));
}

#[test]
fn a_login_page_that_caches_may_keep_offers_a_session_and_is_kept_no_more() {
    for cached in [
        "public, max-age=600",
        "max-age=0, public",
        "s-maxage=60",
        "no-cache",
    ] {
        let mut play = Play::new();
        let answer = format!("200\ncache-control: {cached}");
        let seen = play.send("GET /login/", NAVIGATE, &answer);
        assert!(
            seen.headers.contains_key("secure-session-registration"),
            "{cached}"
        );
        let lines = seen.headers.get_all("cache-control").iter().map(text);
        let all = lines.collect::<Vec<_>>().join(", ");
        assert!(all.contains("private"), "{all}");
        assert!(seen.has("cache.private"));
        assert!(
            !all.contains("max-age=600") && !all.contains("s-maxage"),
            "{all}"
        );
    }
    for one in ["private", "no-store"] {
        let mut play = Play::new();
        let answer = format!("200\ncache-control: {one}");
        let seen = play.send("GET /login/", NAVIGATE, &answer);
        assert_eq!(text(&seen.headers["cache-control"]), one);
    }
}

#[test]
fn what_is_bound_with_a_page_is_kept_by_no_cache() {
    let mut play = Play::new();
    // Set before there was a key.
    play.send("POST /accounts/", FETCH, LOGIN);
    let page = play.send("GET /login/", NAVIGATE, "200");
    play.register(&page);
    play.send("POST /accounts/", FETCH, "200");
    play.policy = policy(&[2, 1]);
    let seen = play.send(
        "GET /",
        NAVIGATE,
        "200\ncache-control: max-age=0, must-revalidate",
    );
    assert!(
        seen.headers.contains_key("set-cookie"),
        "{:?}",
        seen.rules()
    );
    let mut lines = seen.headers.get_all("cache-control").iter().map(text);
    assert!(lines.any(|line| line.contains("private")));
    // What is for everybody is left alone.
    play.policy = policy(&[3, 2, 1]);
    let seen = play.send("GET /", NAVIGATE, "200\ncache-control: max-age=60");
    assert_eq!(text(&seen.headers["cache-control"]), "max-age=60");
    assert!(!seen.headers.contains_key("set-cookie"));
}

#[test]
fn where_no_session_can_be_offered_none_is_noted_down() {
    let mut play = Play::new();
    // A login whose answer caches may keep; and then a page.
    play.send(
        "POST /accounts/",
        FETCH,
        &format!("{LOGIN}\ncache-control: public, max-age=60"),
    );
    let page = play.send("GET /", NAVIGATE, "200");
    assert!(page.headers.contains_key("secure-session-registration"));
}

#[test]
fn a_bound_cookie_for_other_sites_is_told_of() {
    let mut play = Play::new();
    let set = "200\nset-cookie: sessionid=abc; Path=/; Secure; HttpOnly; SameSite=None";
    assert!(play.send("POST /login/", FETCH, set).has("bind.cross-site"));
    assert!(
        !play
            .send("POST /login/", FETCH, LOGIN)
            .has("bind.cross-site")
    );
}
