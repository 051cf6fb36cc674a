use sealwax_store::{Backend, StoreError, UserTable};

use crate::{run, suite};

#[test]
fn memory_is_a_home() {
    run(60, async {
        let backend = Backend::open("memory:").await.expect("opened");
        suite(&backend).await;
    });
}

#[test]
fn what_no_home_understands_is_refused() {
    run(10, async {
        for url in [
            "",
            "memory",
            "memory:1",
            "mysql://u:hunter2@h/d",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a.db?mode=rwc",
            "rediss://:hunter2@h",
            "/var/lib/db.sqlite3",
        ] {
            let error = Backend::open(url).await.expect_err("refused");
            assert!(
                matches!(error, StoreError::Misconfigured(_)),
                "{url}: {error}"
            );
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let memory = Backend::open("memory:").await.expect("opened");
        let users = memory.users(&UserTable::default()).await;
        assert!(matches!(users, Err(StoreError::Misconfigured(_))));
    });
}
