//! What every home of tokens must do.

use std::time::Duration;

use sealwax_store::{Inserted, StoreError, TokenHash, TokenRecord, TokenStore};

use crate::NOW;

fn token(number: u8, expires: Option<Duration>) -> TokenRecord {
    TokenRecord {
        hash: TokenHash([number; 32]),
        subject: "7".into(),
        scopes: vec!["orders:read".into(), "orders:write".into()],
        label: "the warehouse's scanner, „Ost“".into(),
        created: NOW + Duration::from_micros(u64::from(number)),
        expires,
        last_used: None,
    }
}

pub(crate) async fn suite(store: &dyn TokenStore) {
    let hour = NOW + Duration::from_micros(3_600_000_001);
    let (forever, short) = (token(1, None), token(2, Some(hour)));
    let other = TokenRecord {
        subject: "machine:'%_\"".into(),
        scopes: vec![],
        last_used: Some(NOW + Duration::from_micros(5)),
        ..token(3, None)
    };
    for record in [&short, &forever, &other] {
        assert_eq!(store.insert(record).await, Ok(Inserted::Yes));
        let changed = TokenRecord {
            subject: "8".into(),
            ..record.clone()
        };
        assert_eq!(store.insert(&changed).await, Ok(Inserted::Taken));
    }

    // Found by hash, and until the instant of its expiry.
    assert_eq!(
        store.find(&forever.hash, NOW).await,
        Ok(Some(forever.clone()))
    );
    assert_eq!(store.find(&other.hash, NOW).await, Ok(Some(other.clone())));
    assert_eq!(store.find(&TokenHash([4; 32]), NOW).await, Ok(None));
    let before = hour - Duration::from_micros(1);
    assert_eq!(
        store.find(&short.hash, before).await,
        Ok(Some(short.clone()))
    );
    assert_eq!(store.find(&short.hash, hour).await, Ok(None));

    // By subject, the oldest first.
    let list = store.list("7").await;
    assert_eq!(list, Ok(vec![forever.clone(), short.clone()]));
    assert_eq!(store.list(&other.subject).await, Ok(vec![other.clone()]));
    for nobody in ["", "8", "77", "%", "a\0b"] {
        assert_eq!(store.list(nobody).await, Ok(vec![]), "{nobody:?}");
    }

    // Use is noted, and brings nothing back.
    let used = NOW + Duration::from_micros(77);
    store.touch(&forever.hash, used).await.expect("noted");
    let touched = TokenRecord {
        last_used: Some(used),
        ..forever.clone()
    };
    assert_eq!(store.find(&forever.hash, NOW).await, Ok(Some(touched)));
    assert_eq!(store.revoke(&forever.hash).await, Ok(true));
    assert_eq!(store.revoke(&forever.hash).await, Ok(false));
    store
        .touch(&forever.hash, used)
        .await
        .expect("nothing to note");
    assert_eq!(store.find(&forever.hash, NOW).await, Ok(None));
    assert_eq!(store.list("7").await, Ok(vec![short.clone()]));

    // All of a subject at once, and nobody else's.
    let (fourth, fifth) = (token(6, None), token(7, None));
    for record in [&fourth, &fifth] {
        assert_eq!(store.insert(record).await, Ok(Inserted::Yes));
    }
    for nobody in ["", "8", "77", "%", "a\0b"] {
        assert_eq!(store.revoke_all(nobody).await, Ok(0), "{nobody:?}");
    }
    let all = store.revoke_all("7").await.expect("revoked");
    // The expired one may have been dropped by the server.
    assert!((2..=3).contains(&all), "{all}");
    assert_eq!(store.revoke_all("7").await, Ok(0));
    assert_eq!(store.list("7").await, Ok(vec![]));
    for record in [&fourth, &fifth] {
        assert_eq!(store.find(&record.hash, NOW).await, Ok(None));
        assert_eq!(store.insert(record).await, Ok(Inserted::Yes));
    }
    assert_eq!(store.revoke_all("7").await, Ok(2));
    assert_eq!(store.find(&other.hash, NOW).await, Ok(Some(other.clone())));
    let _: Inserted = store.insert(&short).await.expect("an answer");

    // Expired ones are swept (or have been dropped by the server), others stay.
    let swept = store.sweep(hour).await.expect("swept");
    assert!(swept <= 1, "{swept}");
    assert_eq!(store.sweep(hour).await, Ok(0));
    assert_eq!(store.find(&other.hash, hour).await, Ok(Some(other.clone())));
    assert_eq!(store.revoke(&other.hash).await, Ok(true));
    let _: bool = store.revoke(&short.hash).await.expect("an answer");

    let unfit = TokenRecord {
        scopes: vec!["two words".into()],
        ..token(5, None)
    };
    let refused = store.insert(&unfit).await;
    assert!(
        matches!(refused, Err(StoreError::Misconfigured(_))),
        "{refused:?}"
    );
}
