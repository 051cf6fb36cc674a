//! Keys that are retired, with and without a fallback.

use sealwax_tests::Version;

use super::each_django;
use super::pair::{Home, KEY, Pair, Setup, session_key};

const NEW: &str = "another-key-for-tests-9876543210-zyxwvutsrqponmlkjihgfedcba";

each_django! {
    retired: keys_are_retired_beside_django_4_2, keys_are_retired_beside_django_5_2, keys_are_retired_beside_django_6;
}

async fn retired(version: Version, test: &str) {
    let home = Home::sqlite();
    let Some(pair) = Pair::start(version, test, &home, &Setup::default()).await else {
        return;
    };
    // One who comes by during the change at the axum app, one at Django, one at neither.
    let (mut at_rust, mut at_django, mut away) = (pair.visitor(), pair.visitor(), pair.visitor());
    pair.log_in_at_django(&mut at_rust, "alice").await;
    pair.log_in_at_rust(&mut at_django, "alice").await;
    pair.log_in_at_rust(&mut away, "bob").await;
    away.form(
        pair.rust.port,
        "/signed/",
        &[("name", "plan"), ("value", "basic")],
    )
    .await;
    drop(pair);

    let both = Setup {
        key: Some(NEW),
        fallbacks: vec![KEY],
        ..Setup::default()
    };
    let pair = Pair::start(version, test, &home, &both)
        .await
        .expect("it was there before");
    let before = session_key(&at_rust);
    let me = at_rust.get(pair.rust.port, "/me/").await.json();
    assert_eq!(me["username"], "alice");
    // The session was made anew under the new key, so that it outlives the old one.
    assert_ne!(session_key(&at_rust), before);
    let before = session_key(&at_django);
    let me = at_django
        .get(pair.django.port, "/exchange/me/")
        .await
        .json();
    assert_eq!(me["username"], "alice");
    assert_ne!(session_key(&at_django), before);
    assert_eq!(pair.who(&mut at_rust).await.as_deref(), Some("alice"));
    assert_eq!(pair.who(&mut at_django).await.as_deref(), Some("alice"));
    let plan = away.get(pair.rust.port, "/signed/?name=plan").await.json();
    assert_eq!(plan["value"], "basic");
    drop(pair);

    let alone = Setup {
        key: Some(NEW),
        ..Setup::default()
    };
    let pair = Pair::start(version, test, &home, &alone)
        .await
        .expect("it was there before");
    assert_eq!(pair.who(&mut at_rust).await.as_deref(), Some("alice"));
    assert_eq!(pair.who(&mut at_django).await.as_deref(), Some("alice"));
    let plan = away.get(pair.rust.port, "/signed/?name=plan").await.json();
    assert_eq!(plan["error"], "Mismatch");
    assert_eq!(pair.who(&mut away).await, None);
}
