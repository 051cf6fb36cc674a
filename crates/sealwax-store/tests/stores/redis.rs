use sealwax_store::{Backend, Created, StoreError};
use sealwax_tests::{Redis, free_port};

use crate::{NOW, key, live, record, run, suite};

#[test]
fn a_server_is_a_home() {
    run(240, async {
        let server = Redis::start().await;
        suite(&Backend::open(&server.url()).await.expect("opened")).await;
    });
}

#[test]
fn the_server_expires_sessions_and_tokens() {
    run(30, async {
        let server = Redis::start().await;
        let backend = Backend::open(&server.url()).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        let soon = now + std::time::Duration::from_millis(300);
        assert_eq!(
            sessions.create(&key(1), record("a", soon)).await,
            Ok(Created::Yes)
        );
        let name = format!("sealwax:session:{}", key(1).as_str());
        assert_eq!(server.cli(&["EXISTS", &name]).trim(), "1");
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        assert_eq!(server.cli(&["EXISTS", &name]).trim(), "0");
        // What had expired before it came is not there, and that is no error.
        assert_eq!(
            sessions.create(&key(2), record("a", now)).await,
            Ok(Created::Yes)
        );
        assert_eq!(sessions.load(&key(2), now).await, Ok(None));
    });
}

#[test]
fn what_cannot_be_a_home_is_refused_at_start_without_its_password() {
    run(30, async {
        let server = Redis::start().await;
        let _ = server.cli(&["CONFIG", "SET", "requirepass", "correct-horse"]);
        let address = format!("127.0.0.1:{}", server.port());
        for url in [
            format!("redis://{address}/0"),
            format!("redis://:hunter2@{address}/0"),
            format!("redis://:correct-horse@{address}/9999"),
            "redis://:hunter2@[::1".to_owned(),
            "redis://:hunter2@h:port".to_owned(),
        ] {
            let error = Backend::open(&url).await.expect_err("refused");
            assert!(
                matches!(error, StoreError::Misconfigured(_)),
                "{url}: {error:?}"
            );
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("correct-horse") && !text.contains("hunter2"),
                "{text}"
            );
        }
        let good = format!("redis://:correct-horse@{address}/0");
        let sessions = sealwax_store::open(&good).await.expect("opened");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));

        let nobody = format!("redis://127.0.0.1:{}/0", free_port());
        let error = Backend::open(&nobody).await.expect_err("nobody listens");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    });
}

#[test]
fn what_another_program_wrote_is_corrupt_and_not_a_panic() {
    run(30, async {
        let server = Redis::start().await;
        let sessions = sealwax_store::open(&server.url()).await.expect("opened");
        for (number, command) in [(1, "SET"), (2, "SET"), (3, "RPUSH")] {
            let value = ["no number", "17x data", "a list"][number - 1];
            let key = key(number as u64);
            let _ = server.cli(&[command, &format!("sealwax:session:{}", key.as_str()), value]);
            let error = sessions.load(&key, NOW).await.expect_err("unreadable");
            assert!(
                matches!(error, StoreError::Corrupt(_)) || number == 3,
                "{error:?}"
            );
        }
    });
}
