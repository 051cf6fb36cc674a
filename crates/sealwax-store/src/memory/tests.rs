use super::*;
use crate::TokenStore as _;

const NOW: Duration = Duration::from_secs(1_800_000_000);

fn key(number: u8) -> SessionKey {
    SessionKey::generate([number; 32])
}

fn record(data: &str, lifetime: u64) -> Record {
    Record {
        data: data.into(),
        expires: NOW + Duration::from_secs(lifetime),
    }
}

fn small() -> Memory {
    let limits = MemoryLimits {
        entries: 2,
        bytes: 10,
    };
    Memory::with_clock(limits, || NOW + Duration::from_secs(100))
}

#[tokio::test]
async fn a_live_session_is_never_dropped_for_a_new_one() {
    let store = small();
    assert_eq!(
        store.create(&key(1), record("a", 200)).await,
        Ok(Created::Yes)
    );
    assert_eq!(
        store.create(&key(2), record("b", 200)).await,
        Ok(Created::Yes)
    );
    let refused = store.create(&key(3), record("c", 200)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(store.load(&key(1), NOW).await.unwrap().is_some());
    assert!(store.load(&key(2), NOW).await.unwrap().is_some());
    // A key that is taken needs no room.
    assert_eq!(
        store.create(&key(2), record("c", 200)).await,
        Ok(Created::Taken)
    );

    store.delete(&key(1)).await.unwrap();
    assert_eq!(
        store.create(&key(3), record("c", 200)).await,
        Ok(Created::Yes)
    );
}

#[tokio::test]
async fn expired_sessions_make_room() {
    let store = small();
    assert_eq!(
        store.create(&key(1), record("a", 100)).await,
        Ok(Created::Yes)
    );
    assert_eq!(
        store.create(&key(2), record("b", 101)).await,
        Ok(Created::Yes)
    );
    assert_eq!(
        store.create(&key(3), record("c", 200)).await,
        Ok(Created::Yes)
    );
    assert!(store.load(&key(1), NOW).await.unwrap().is_none());
    assert!(store.load(&key(2), NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn bytes_are_counted_through_every_change() {
    let store = small();
    assert_eq!(
        store.create(&key(1), record("12345", 200)).await,
        Ok(Created::Yes)
    );
    assert!(store.create(&key(2), record("123456", 200)).await.is_err());
    assert_eq!(
        store.create(&key(2), record("1234", 200)).await,
        Ok(Created::Yes)
    );
    assert!(store.save(&key(2), record("123456", 200)).await.is_err());
    // What could not be saved left the old session as it was.
    let kept = store.load(&key(2), NOW).await.unwrap().unwrap();
    assert_eq!(&*kept.data, "1234");

    assert_eq!(store.save(&key(1), record("1", 200)).await, Ok(Saved::Yes));
    assert_eq!(
        store.save(&key(2), record("123456789", 200)).await,
        Ok(Saved::Yes)
    );
    store.delete(&key(2)).await.unwrap();
    assert_eq!(
        SessionStore::sweep(&store, NOW + Duration::from_secs(200)).await,
        Ok(1)
    );
    assert_eq!(store.inner.sessions.used(), (0, 0));
}

#[tokio::test]
async fn the_room_for_tokens_is_bounded() {
    let store = small();
    let token = |number: u8, expires: Option<u64>| crate::TokenRecord {
        hash: crate::TokenHash([number; 32]),
        subject: "1".into(),
        scopes: vec![],
        label: String::new(),
        created: NOW,
        expires: expires.map(|seconds| NOW + Duration::from_secs(seconds)),
        last_used: None,
    };
    for (number, expires) in [(1, None), (2, Some(100))] {
        assert_eq!(
            store.insert(&token(number, expires)).await,
            Ok(crate::Inserted::Yes)
        );
    }
    // The second has expired by the store's clock; the first never does.
    assert_eq!(
        store.insert(&token(3, None)).await,
        Ok(crate::Inserted::Yes)
    );
    assert!(store.insert(&token(4, None)).await.is_err());
}
