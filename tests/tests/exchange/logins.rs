//! Logging in and out on either side, and what ends a login.

use sealwax_tests::{Redis, Version, Visitor};

use super::each_django;
use super::pair::{Home, PASSWORD, Pair, Setup, session_key};

each_django! {
    on_sqlite: logins_are_shared_with_django_4_2, logins_are_shared_with_django_5_2, logins_are_shared_with_django_6;
}

#[test]
fn logins_are_shared_over_postgresql_with_django_5_2() {
    let test = "logins_are_shared_over_postgresql_with_django_5_2";
    sealwax_tests::run(120, on_postgres(Version::Lts, test));
}

#[test]
fn logins_are_shared_over_postgresql_with_django_6() {
    let test = "logins_are_shared_over_postgresql_with_django_6";
    sealwax_tests::run(120, on_postgres(Version::Six, test));
}

async fn on_sqlite(version: Version, test: &str) {
    logins(version, test, &Home::sqlite()).await;
}

async fn on_postgres(version: Version, test: &str) {
    logins(version, test, &Home::postgres().await).await;
}

async fn logins(version: Version, test: &str, home: &Home) {
    let Some(pair) = Pair::start(version, test, home, &Setup::default()).await else {
        return;
    };
    from_django_to_rust(&pair).await;
    from_rust_to_django(&pair).await;
    a_planted_session_gains_nothing(&pair).await;
    who_is_refused(&pair).await;
    a_changed_password_ends_both(&pair).await;
    whoever_is_made_inactive_is_out(&pair).await;
}

async fn from_django_to_rust(pair: &Pair) {
    let mut visitor = pair.visitor();
    assert_eq!(pair.who(&mut visitor).await, None);
    pair.log_in_at_django(&mut visitor, "alice").await;
    assert_eq!(pair.who(&mut visitor).await.as_deref(), Some("alice"));
    assert_eq!(pair.admin(&mut visitor).await, 200);
    let mut kept = visitor.clone();
    // Logging out at the axum app: the cookie goes, and the row with it.
    let answer = visitor.form(pair.rust.port, "/logout/", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(visitor.cookie("sessionid"), None, "{answer:?}");
    assert_eq!(pair.admin(&mut visitor).await, 302);
    assert_eq!(pair.admin(&mut kept.clone()).await, 302);
    assert_eq!(pair.who(&mut kept).await, None);
}

async fn from_rust_to_django(pair: &Pair) {
    let mut visitor = pair.visitor();
    pair.log_in_at_rust(&mut visitor, "alice").await;
    assert_eq!(pair.admin(&mut visitor).await, 200);
    assert_eq!(pair.who(&mut visitor).await.as_deref(), Some("alice"));
    let mut kept = visitor.clone();
    let answer = visitor
        .form(pair.django.port, "/exchange/logout/", &[])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(visitor.cookie("sessionid"), None, "{answer:?}");
    assert_eq!(pair.who(&mut kept).await, None);
    // The admin lets only staff in, whoever logged them in.
    let mut visitor = pair.visitor();
    pair.log_in_at_rust(&mut visitor, "bob").await;
    assert_eq!(pair.who(&mut visitor).await.as_deref(), Some("bob"));
    assert_eq!(pair.admin(&mut visitor).await, 302);
}

/// A session from before the login gets a new key, and what it holds stays (7.4: cycle_key).
async fn a_planted_session_gains_nothing(pair: &Pair) {
    for at_django in [true, false] {
        let mut victim = pair.visitor();
        victim
            .json(
                pair.rust.port,
                "/session/",
                &serde_json::json!({"basket": [1, 2]}),
            )
            .await;
        let mut attacker = victim.clone();
        match at_django {
            true => pair.log_in_at_django(&mut victim, "alice").await,
            false => pair.log_in_at_rust(&mut victim, "alice").await,
        }
        assert_ne!(session_key(&victim), session_key(&attacker));
        assert_eq!(pair.who(&mut victim).await.as_deref(), Some("alice"));
        assert_eq!(pair.who(&mut attacker).await, None);
        let kept = victim
            .get(pair.django.port, "/exchange/session/")
            .await
            .json();
        assert_eq!(kept["basket"], serde_json::json!([1, 2]));
        // Another user's login takes nothing over.
        pair.log_in_at_rust(&mut victim, "bob").await;
        let kept = victim
            .get(pair.django.port, "/exchange/session/")
            .await
            .json();
        assert_eq!(kept.get("basket"), None);
    }
}

async fn who_is_refused(pair: &Pair) {
    for (name, password) in [
        ("alice", "Correct-horse"),
        ("alice", ""),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("ALICE", PASSWORD),
    ] {
        let mut visitor = pair.visitor();
        let fields = [("username", name), ("password", password)];
        let rust = visitor.form(pair.rust.port, "/login/", &fields).await;
        assert_eq!(
            rust.json()["username"],
            serde_json::Value::Null,
            "{name} {password}"
        );
        let django = visitor
            .form(pair.django.port, "/exchange/login/", &fields)
            .await;
        assert_eq!(django.json(), rust.json(), "{name} {password}");
        assert_eq!(visitor.cookie("sessionid"), None);
    }
}

/// Changes bob's account, as an administrator does.
async fn change_bob(pair: &Pair, field: &str, value: &str) {
    let fields = [("username", "bob"), (field, value)];
    let answer = pair
        .visitor()
        .form(pair.django.port, "/exchange/account/", &fields)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn two_logins(pair: &Pair, name: &str) -> [Visitor; 2] {
    let (mut one, mut other) = (pair.visitor(), pair.visitor());
    let fields = [("username", name), ("password", PASSWORD)];
    one.form(pair.django.port, "/exchange/login/", &fields)
        .await;
    pair.log_in_at_rust(&mut other, name).await;
    for visitor in [&mut one, &mut other] {
        assert_eq!(pair.who(visitor).await.as_deref(), Some(name));
    }
    [one, other]
}

async fn a_changed_password_ends_both(pair: &Pair) {
    let visitors = two_logins(pair, "bob").await;
    change_bob(pair, "password", "staple-42").await;
    for visitor in visitors {
        // Whichever side is asked first deletes the session, so each is asked about its own.
        let mut visitor = visitor;
        let key = session_key(&visitor);
        assert_eq!(pair.who(&mut visitor).await, None);
        visitor.set_cookie("sessionid", &key);
        assert_eq!(pair.who(&mut visitor).await, None);
    }
    let mut visitor = pair.visitor();
    let fields = [("username", "bob"), ("password", PASSWORD)];
    let old = visitor.form(pair.rust.port, "/login/", &fields).await;
    assert_eq!(old.json()["username"], serde_json::Value::Null);
    change_bob(pair, "password", PASSWORD).await;
}

async fn whoever_is_made_inactive_is_out(pair: &Pair) {
    let visitors = two_logins(pair, "bob").await;
    change_bob(pair, "active", "no").await;
    for mut visitor in visitors {
        assert_eq!(pair.who(&mut visitor).await, None);
    }
    let mut visitor = pair.visitor();
    let fields = [("username", "bob"), ("password", PASSWORD)];
    for (port, path) in [
        (pair.rust.port, "/login/"),
        (pair.django.port, "/exchange/login/"),
    ] {
        let answer = visitor.form(port, path, &fields).await;
        assert_eq!(answer.json()["username"], serde_json::Value::Null);
    }
    change_bob(pair, "active", "yes").await;
}

#[test]
fn the_cache_of_django_5_2_forgets_whoever_logs_out() {
    let test = "the_cache_of_django_5_2_forgets_whoever_logs_out";
    sealwax_tests::run(120, cached_db(Version::Lts, test));
}

#[test]
fn the_cache_of_django_6_forgets_whoever_logs_out() {
    let test = "the_cache_of_django_6_forgets_whoever_logs_out";
    sealwax_tests::run(120, cached_db(Version::Six, test));
}

/// A Django with `cached_db` reads its cache first, so whoever writes the row must empty it.
async fn cached_db(version: Version, test: &str) {
    let (home, redis) = (Home::sqlite(), Redis::start().await);
    let setup = Setup {
        cache: Some(&redis),
        ..Setup::default()
    };
    let Some(pair) = Pair::start(version, test, &home, &setup).await else {
        return;
    };
    let mut visitor = pair.visitor();
    pair.log_in_at_django(&mut visitor, "alice").await;
    assert_eq!(pair.who(&mut visitor).await.as_deref(), Some("alice"));
    let key = session_key(&visitor);
    let cached = || {
        redis.cli(&[
            "EXISTS",
            &format!(":1:django.contrib.sessions.cached_db{key}"),
        ])
    };
    assert_eq!(
        cached().trim(),
        "1",
        "Django caches nothing, so this proves nothing"
    );
    // What is written here Django sees at once.
    let mut here = visitor.clone();
    here.json(
        pair.rust.port,
        "/session/",
        &serde_json::json!({"colour": "red"}),
    )
    .await;
    let seen = visitor
        .get(pair.django.port, "/exchange/session/")
        .await
        .json();
    assert_eq!(seen["colour"], "red");
    assert_eq!(cached().trim(), "1");
    let mut kept = visitor.clone();
    visitor.form(pair.rust.port, "/logout/", &[]).await;
    assert_eq!(cached().trim(), "0");
    assert_eq!(pair.who(&mut kept).await, None);
    assert_eq!(pair.admin(&mut kept).await, 302);
}
