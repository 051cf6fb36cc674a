//! What every home of sessions must do.

use std::sync::Arc;
use std::time::Duration;

use sealwax_store::{Created, Saved, SessionKey, SessionStore};

use crate::{NOW, key, live, record};

const MICROSECOND: Duration = Duration::from_micros(1);

pub(crate) async fn suite(store: &Arc<dyn SessionStore>) {
    a_key_is_taken_once(&**store).await;
    saving_only_changes_what_is_there(&**store).await;
    a_session_ends_at_the_instant_of_its_expiry(&**store).await;
    what_is_stored_comes_back(&**store).await;
    what_has_expired_is_swept(&**store).await;
    a_logout_wins_over_every_save(store).await;
    one_of_many_creators_wins(store).await;
    ten_thousand_sessions_at_once(store).await;
}

async fn a_key_is_taken_once(store: &dyn SessionStore) {
    let key = key(1);
    assert_eq!(store.load(&key, NOW).await, Ok(None));
    assert_eq!(store.create(&key, live("first")).await, Ok(Created::Yes));
    assert_eq!(store.create(&key, live("second")).await, Ok(Created::Taken));
    assert_eq!(store.load(&key, NOW).await, Ok(Some(live("first"))));
    store.delete(&key).await.expect("deleted");
    assert_eq!(store.create(&key, live("third")).await, Ok(Created::Yes));
    store.delete(&key).await.expect("deleted");
}

async fn saving_only_changes_what_is_there(store: &dyn SessionStore) {
    let key = key(2);
    assert_eq!(store.save(&key, live("never made")).await, Ok(Saved::Gone));
    assert_eq!(store.load(&key, NOW).await, Ok(None));
    assert_eq!(store.create(&key, live("a")).await, Ok(Created::Yes));
    let later = record("b", NOW + Duration::from_secs(7_200));
    assert_eq!(store.save(&key, later.clone()).await, Ok(Saved::Yes));
    assert_eq!(store.load(&key, NOW).await, Ok(Some(later)));
    store.delete(&key).await.expect("deleted");
    assert_eq!(store.save(&key, live("back again")).await, Ok(Saved::Gone));
    assert_eq!(store.load(&key, NOW).await, Ok(None));
    store
        .delete(&key)
        .await
        .expect("nothing to delete is no error");
}

async fn a_session_ends_at_the_instant_of_its_expiry(store: &dyn SessionStore) {
    let key = key(3);
    for expires in [
        NOW + Duration::from_secs(60),
        NOW + Duration::from_micros(60_000_001),
        NOW + Duration::from_micros(60_999_999),
    ] {
        let session = record("x", expires);
        assert_eq!(store.create(&key, session.clone()).await, Ok(Created::Yes));
        let before = store.load(&key, expires - MICROSECOND).await;
        assert_eq!(before, Ok(Some(session)), "{expires:?}");
        assert_eq!(store.load(&key, expires).await, Ok(None), "{expires:?}");
        let after = store.load(&key, expires + MICROSECOND).await;
        assert_eq!(after, Ok(None), "{expires:?}");
        store.delete(&key).await.expect("deleted");
    }
}

async fn what_is_stored_comes_back(store: &dyn SessionStore) {
    let keys = [
        SessionKey::parse("12345678").expect("the shortest"),
        SessionKey::parse(&"k".repeat(40)).expect("the longest"),
        SessionKey::parse("'\";--%_?$1:{}").expect("no letters"),
        SessionKey::generate([9; 32]),
    ];
    let long = "eyJhIjoxfQ".repeat(100_000);
    let texts = [
        "",
        " ",
        "'; DROP TABLE \"django_session\"; --",
        "Ünïcode\n☃\u{10ffff}",
        &long,
    ];
    for (key, text) in keys.iter().cycle().zip(texts) {
        // What is finer than a microsecond is cut off, never rounded up.
        let expires = NOW + Duration::from_nanos(123_456_789);
        let created = store.create(key, record(text, expires)).await;
        assert_eq!(created, Ok(Created::Yes), "{key:?}");
        let loaded = store.load(key, NOW).await.expect("loaded").expect("there");
        assert_eq!(&*loaded.data, text);
        assert_eq!(loaded.expires, NOW + Duration::from_micros(123_456));
        store.delete(key).await.expect("deleted");
    }
}

async fn what_has_expired_is_swept(store: &dyn SessionStore) {
    // More than one portion.
    let expired = 1_100;
    for number in 0..expired {
        let session = record("old", NOW + Duration::from_secs(number % 3));
        let created = store.create(&key(1_000 + number), session).await;
        assert_eq!(created, Ok(Created::Yes));
    }
    assert_eq!(
        store.create(&key(5_000), live("new")).await,
        Ok(Created::Yes)
    );
    let swept = store
        .sweep(NOW + Duration::from_secs(2))
        .await
        .expect("swept");
    // A server that expires by itself has nothing to sweep.
    assert!([0, expired].contains(&swept), "{swept} swept");
    assert_eq!(store.load(&key(5_000), NOW).await, Ok(Some(live("new"))));
    assert_eq!(store.sweep(NOW + Duration::from_secs(2)).await, Ok(0));
    for number in 0..expired {
        store.delete(&key(1_000 + number)).await.expect("deleted");
    }
    store.delete(&key(5_000)).await.expect("deleted");
}

async fn a_logout_wins_over_every_save(store: &Arc<dyn SessionStore>) {
    for round in 0..40 {
        let key = key(10_000 + round);
        assert_eq!(store.create(&key, live("0")).await, Ok(Created::Yes));
        let savers: Vec<_> = (0..8)
            .map(|number| {
                let store = Arc::clone(store);
                tokio::spawn(async move { store.save(&key, live(&number.to_string())).await })
            })
            .collect();
        let logout = {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.delete(&key).await })
        };
        logout.await.expect("a task").expect("deleted");
        for saver in savers {
            // Before the logout or after it: both are right.
            let _: Saved = saver.await.expect("a task").expect("an answer");
        }
        assert_eq!(store.load(&key, NOW).await, Ok(None), "round {round}");
        assert_eq!(store.save(&key, live("late")).await, Ok(Saved::Gone));
    }
}

async fn one_of_many_creators_wins(store: &Arc<dyn SessionStore>) {
    let key = key(20_000);
    let creators: Vec<_> = (0..16)
        .map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.create(&key, live(&number.to_string())).await })
        })
        .collect();
    let mut winner = None;
    for (number, creator) in creators.into_iter().enumerate() {
        if creator.await.expect("a task") == Ok(Created::Yes) {
            assert_eq!(winner.replace(number), None, "two created it");
        }
    }
    let winner = winner.expect("one created it").to_string();
    assert_eq!(store.load(&key, NOW).await, Ok(Some(live(&winner))));
    store.delete(&key).await.expect("deleted");
}

async fn ten_thousand_sessions_at_once(store: &Arc<dyn SessionStore>) {
    // As many tasks as there are sessions would only measure a queue; 64 visitors
    // at a time are more than any of the stores has connections.
    let workers: Vec<_> = (0..64)
        .map(|worker| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for number in (worker..10_000).step_by(64) {
                    let (key, text) = (key(100_000 + number), number.to_string());
                    assert_eq!(store.create(&key, live("new")).await, Ok(Created::Yes));
                    assert_eq!(store.save(&key, live(&text)).await, Ok(Saved::Yes));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("all were stored");
    }
    for number in 0..10_000 {
        let key = key(100_000 + number);
        let loaded = store.load(&key, NOW).await;
        assert_eq!(loaded, Ok(Some(live(&number.to_string()))));
    }
}
