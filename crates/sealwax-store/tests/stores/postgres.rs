use sealwax_store::{Backend, Created, StoreError};
use sealwax_tests::Postgres;

use crate::{key, live, record, run, suite};

#[test]
fn a_database_is_a_home() {
    run(240, async {
        let server = Postgres::start().await;
        suite(&Backend::open(&server.url()).await.expect("opened")).await;

        // The table is the one that Django makes.
        let names = server
            .psql("SELECT indexname FROM pg_indexes WHERE tablename = 'django_session' ORDER BY 1");
        assert_eq!(
            names.lines().collect::<Vec<_>>(),
            [
                "django_session_expire_date_a5c62663",
                "django_session_pkey",
                "django_session_session_key_c0390e0f_like"
            ]
        );
        let columns = server.psql(
            "SELECT column_name, data_type, character_maximum_length, is_nullable \
             FROM information_schema.columns WHERE table_name = 'django_session' \
             ORDER BY ordinal_position",
        );
        assert_eq!(
            columns.lines().collect::<Vec<_>>(),
            [
                "session_key|character varying|40|NO",
                "session_data|text||NO",
                "expire_date|timestamp with time zone||NO"
            ]
        );
    });
}

#[test]
fn what_cannot_be_a_home_is_refused_at_start_without_its_password() {
    run(60, async {
        let server = Postgres::start().await;
        let good = server.url();
        let nobody = free_port();
        for url in [
            good.replace("/postgres", "/no_such_database"),
            good.replace("correct-horse", "hunter2"),
            good.replace("sealwax:", "nobody:"),
        ] {
            let error = Backend::open(&url).await.expect_err("refused");
            assert!(matches!(error, StoreError::Misconfigured(_)), "{error:?}");
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("correct-horse") && !text.contains("hunter2"),
                "{text}"
            );
        }
        // A server that is not there may come yet.
        let url = good.replace(&server.port().to_string(), &nobody.to_string());
        let error = Backend::open(&url).await.expect_err("nobody listens");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");

        let _ = server.psql("CREATE TABLE django_session (id integer)");
        let backend = Backend::open(&good).await.expect("opened");
        let error = backend.sessions().await.err().expect("refused");
        assert!(matches!(error, StoreError::Misconfigured(_)), "{error:?}");
        assert!(error.to_string().contains("session_data"), "{error}");
    });
}

fn free_port() -> u16 {
    sealwax_tests::free_port()
}

#[test]
fn a_user_without_rights_on_a_schema_can_use_tables_that_are_there() {
    run(60, async {
        let server = Postgres::start().await;
        let owner = Backend::open(&server.url()).await.expect("opened");
        let _ = owner.sessions().await.expect("made");
        let _ = server.psql(
            "CREATE ROLE app LOGIN PASSWORD 'app'; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON django_session TO app",
        );
        let url = server.url().replace("sealwax:correct-horse", "app:app");
        let backend = Backend::open(&url).await.expect("opened");
        let sessions = backend.sessions().await.expect("used");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));
        let error = backend
            .tokens()
            .await
            .err()
            .expect("no right to make a table");
        assert!(matches!(error, StoreError::Misconfigured(_)), "{error:?}");
    });
}

#[test]
fn the_pool_is_bounded_and_a_full_one_is_unavailable() {
    run(60, async {
        let server = Postgres::start().await;
        let url = format!("{}?pool=2", server.url());
        let backend = Backend::open(&url).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));
        // A transaction that keeps the row for ten seconds.
        let holder = server.url();
        let hold = std::thread::spawn(move || {
            let _ = std::process::Command::new("psql")
                .args(["--quiet", "--command"])
                .arg("BEGIN; SELECT 1 FROM django_session FOR UPDATE; SELECT pg_sleep(9); COMMIT")
                .arg(holder)
                .stdout(std::process::Stdio::null())
                .status();
        });
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let waiting: Vec<_> = (0..6)
            .map(|number| {
                let sessions = std::sync::Arc::clone(&sessions);
                tokio::spawn(async move { sessions.save(&key(1), live(&number.to_string())).await })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let count = server.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE \"django_session\"%'",
        );
        assert_eq!(count.trim(), "2");
        for task in waiting {
            let error = task.await.expect("a task").expect_err("locked");
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
        tokio::task::spawn_blocking(move || hold.join())
            .await
            .expect("a thread")
            .expect("ended");
        assert_eq!(
            sessions.save(&key(1), live("b")).await,
            Ok(sealwax_store::Saved::Yes)
        );
    });
}

#[test]
fn strange_instants_are_no_panic() {
    run(60, async {
        let server = Postgres::start().await;
        let backend = Backend::open(&server.url()).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        for (number, text) in [(1, "infinity"), (2, "294276-12-31")] {
            let key = key(number);
            let _ = server.psql(&format!(
                "INSERT INTO django_session VALUES ('{}', 'x', '{text}')",
                key.as_str()
            ));
            let loaded = sessions.load(&key, crate::NOW).await.expect("loaded");
            assert!(
                loaded.is_some_and(|session| session.expires > crate::NOW),
                "{text}"
            );
        }
        let forever = record("y", std::time::Duration::MAX);
        assert_eq!(sessions.create(&key(3), forever).await, Ok(Created::Yes));
        assert!(
            sessions
                .load(&key(3), crate::NOW)
                .await
                .expect("loaded")
                .is_some()
        );
    });
}
