//! The cache of a Django next door.

use sealwax_store::{Backend, CachedDb, Created, Saved, StoreError, with_cached_db};
use sealwax_tests::{Postgres, Redis};

use crate::sqlite::{python, url};
use crate::{key, live, run};

#[test]
fn what_django_has_cached_in_redis_is_forgotten() {
    run(30, async {
        let mut server = Redis::start().await;
        let cache = Backend::open(&server.url()).await.expect("opened");
        let memory = Backend::open("memory:").await.expect("opened");
        let names = CachedDb {
            key_prefix: "shop".into(),
            version: 2,
            ..CachedDb::default()
        };
        let sessions = memory.sessions().await.expect("sessions");
        let sessions = with_cached_db(sessions, &cache, names).await.expect("both");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));

        let cached = format!(
            "shop:2:django.contrib.sessions.cached_db{}",
            key(1).as_str()
        );
        let fill = || {
            let _ = server.cli(&["SET", &cached, "pickled"]);
            let _ = server.cli(&["SET", "shop:2:another", "stays"]);
        };
        fill();
        assert_eq!(sessions.save(&key(1), live("b")).await, Ok(Saved::Yes));
        assert_eq!(server.cli(&["EXISTS", &cached]).trim(), "0");
        fill();
        sessions.delete(&key(1)).await.expect("deleted");
        assert_eq!(server.cli(&["EXISTS", &cached]).trim(), "0");
        assert_eq!(server.cli(&["EXISTS", "shop:2:another"]).trim(), "1");

        // A logout that Django would not learn of is no success.
        server.stop().await;
        let error = sessions.delete(&key(1)).await.expect_err("no cache");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    });
}

const TABLE: &str = "CREATE TABLE django_cache (cache_key varchar(255) NOT NULL PRIMARY KEY, \
    value text NOT NULL, expires timestamp NOT NULL)";
const CACHED: &str = "INSERT INTO django_cache SELECT ':1:django.contrib.sessions.cached_db' || \
    session_key, 'pickled', '2100-01-01' FROM django_session";
const LEFT: &str = "SELECT count(*) FROM django_cache";

async fn table(backend: &Backend, sql: impl Fn(&str) -> String) {
    let sessions = backend.sessions().await.expect("sessions");
    let absent = with_cached_db(sessions.clone(), backend, CachedDb::default()).await;
    assert!(
        matches!(absent, Err(StoreError::Misconfigured(_))),
        "no table yet"
    );
    sql(TABLE);
    let sessions = with_cached_db(sessions, backend, CachedDb::default()).await;
    let sessions = sessions.expect("both");
    for number in [1, 2] {
        assert_eq!(
            sessions.create(&key(number), live("a")).await,
            Ok(Created::Yes)
        );
    }
    sql(CACHED);
    let count = |text: String| {
        text.trim_matches(['[', ']', '(', ')', ',', ' ', '\n'])
            .to_owned()
    };
    assert_eq!(count(sql(LEFT)), "2");
    assert_eq!(sessions.save(&key(1), live("b")).await, Ok(Saved::Yes));
    assert_eq!(count(sql(LEFT)), "1");
    sessions.delete(&key(2)).await.expect("deleted");
    assert_eq!(count(sql(LEFT)), "0");
}

#[test]
fn what_django_has_cached_in_a_table_is_forgotten() {
    run(60, async {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("db.sqlite3");
        let backend = Backend::open(&url(&path)).await.expect("opened");
        table(&backend, |statement| python(&path, statement)).await;

        let server = Postgres::start().await;
        let backend = Backend::open(&server.url()).await.expect("opened");
        table(&backend, |statement| server.psql(statement)).await;

        let memory = Backend::open("memory:").await.expect("opened");
        let sessions = memory.sessions().await.expect("sessions");
        let refused = with_cached_db(sessions, &memory, CachedDb::default()).await;
        assert!(matches!(refused, Err(StoreError::Misconfigured(_))));
    });
}
