//! Django's users, in tables as Django makes them.

use std::time::Duration;

use sealwax_store::{Backend, StoreError, UserRow, UserTable, Users};
use sealwax_tests::Postgres;

use crate::run;
use crate::sqlite::{python, url};

fn alice() -> UserRow {
    UserRow {
        id: "1".into(),
        username: "alice".into(),
        password: "pbkdf2_sha256$1000$salt$hash".into(),
        is_active: true,
        is_staff: true,
        is_superuser: false,
        email: "alice@example.test".into(),
        first_name: "Alice".into(),
        last_name: "Ümlaut".into(),
    }
}

const INSERT: &str = "INSERT INTO auth_user (password, is_superuser, username, last_name, email, \
    is_staff, is_active, date_joined, first_name) VALUES ('pbkdf2_sha256$1000$salt$hash', FALSE, \
    'alice', 'Ümlaut', 'alice@example.test', TRUE, TRUE, '2026-01-01 00:00:00', 'Alice')";

async fn suite(users: &dyn Users) {
    assert_eq!(users.by_id("1").await, Ok(Some(alice())));
    assert_eq!(users.by_username("alice").await, Ok(Some(alice())));
    for id in [
        "0",
        "2",
        "01",
        "+1",
        " 1",
        "",
        "x",
        "1\0",
        "99999999999999999999",
        "1; --",
    ] {
        assert_eq!(users.by_id(id).await, Ok(None), "{id:?}");
    }
    for name in ["Alice", "alice ", "", "alice\0", "' OR '1'='1"] {
        assert_eq!(users.by_username(name).await, Ok(None), "{name:?}");
    }
    let at = Duration::from_micros(4_102_444_800_000_007);
    users.set_last_login("1", at).await.expect("noted");
    users
        .set_last_login("nobody", at)
        .await
        .expect("no such user is no error");
}

async fn refusals(backend: &Backend) {
    let default = UserTable::default;
    for table in [
        UserTable {
            table: "no_such_table".into(),
            ..default()
        },
        UserTable {
            table: "auth_user; --".into(),
            ..default()
        },
        UserTable {
            username: "no_such_column".into(),
            ..default()
        },
        UserTable {
            id: "no_such_column".into(),
            ..default()
        },
        UserTable {
            email: Some("no_such_column".into()),
            ..default()
        },
        UserTable {
            last_login: Some("no_such_column".into()),
            ..default()
        },
        UserTable {
            is_staff: Some("x\" OR 1=1 --".into()),
            ..default()
        },
    ] {
        let error = backend.users(&table).await.err().expect("refused");
        assert!(
            matches!(error, StoreError::Misconfigured(_)),
            "{table:?}: {error:?}"
        );
    }
}

/// A custom user model: a UUID, an e-mail address to log in with, and little else.
fn person() -> UserTable {
    UserTable {
        table: "shop_person".into(),
        username: "email".into(),
        is_staff: None,
        is_superuser: None,
        email: None,
        first_name: None,
        last_name: None,
        last_login: None,
        ..UserTable::default()
    }
}

async fn custom(users: &dyn Users) {
    let id = "6b86b273-ff34-4ce1-9d6b-804eff5a3f57";
    let expected = UserRow {
        id: id.into(),
        username: "bob@example.test".into(),
        password: "!".into(),
        is_active: false,
        is_staff: false,
        is_superuser: false,
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
    };
    assert_eq!(users.by_id(id).await, Ok(Some(expected.clone())));
    assert_eq!(
        users.by_id(&id.replace('-', "")).await,
        Ok(Some(expected.clone()))
    );
    assert_eq!(
        users.by_username("bob@example.test").await,
        Ok(Some(expected))
    );
    assert_eq!(users.by_id("1").await, Ok(None));
    users
        .set_last_login(id, Duration::ZERO)
        .await
        .expect("there is no such column");
}

#[test]
fn users_in_an_sqlite_file() {
    run(30, async {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("db.sqlite3");
        // As Django 6.1 makes it.
        python(
            &path,
            r#"CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
            "password" varchar(128) NOT NULL, "last_login" datetime NULL,
            "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE,
            "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL,
            "is_staff" bool NOT NULL, "is_active" bool NOT NULL,
            "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL)"#,
        );
        python(&path, INSERT);
        let backend = Backend::open(&url(&path)).await.expect("opened");
        suite(&*backend.users(&UserTable::default()).await.expect("users")).await;
        assert_eq!(
            python(&path, "SELECT last_login FROM auth_user"),
            "[('2100-01-01 00:00:00.000007',)]"
        );
        refusals(&backend).await;

        python(
            &path,
            r#"CREATE TABLE "shop_person" ("id" char(32) NOT NULL PRIMARY KEY,
            "email" varchar(254) NOT NULL UNIQUE, "password" varchar(128) NOT NULL,
            "is_active" bool NOT NULL)"#,
        );
        python(
            &path,
            "INSERT INTO shop_person VALUES ('6b86b273ff344ce19d6b804eff5a3f57', \
             'bob@example.test', '!', FALSE)",
        );
        custom(&*backend.users(&person()).await.expect("users")).await;
    });
}

#[test]
fn users_in_postgresql() {
    run(60, async {
        let server = Postgres::start().await;
        for kind in ["integer", "bigint"] {
            // As Django 6.1 makes it (integer by AutoField, bigint by BigAutoField).
            let _ = server.psql(&format!(
                r#"DROP TABLE IF EXISTS "auth_user"; CREATE TABLE "auth_user" (
                "id" {kind} NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
                "password" varchar(128) NOT NULL, "last_login" timestamp with time zone NULL,
                "is_superuser" boolean NOT NULL, "username" varchar(150) NOT NULL UNIQUE,
                "first_name" varchar(150) NOT NULL, "last_name" varchar(150) NOT NULL,
                "email" varchar(254) NOT NULL, "is_staff" boolean NOT NULL,
                "is_active" boolean NOT NULL, "date_joined" timestamp with time zone NOT NULL);
                {INSERT}"#
            ));
            let backend = Backend::open(&server.url()).await.expect("opened");
            suite(&*backend.users(&UserTable::default()).await.expect("users")).await;
            let noted = server.psql("SET timezone = 'UTC'; SELECT last_login FROM auth_user");
            assert_eq!(noted.trim(), "2100-01-01 00:00:00.000007+00");
            refusals(&backend).await;
        }
        let _ = server.psql(
            r#"CREATE SCHEMA accounts; CREATE TABLE accounts."shop_person" (
            "id" uuid NOT NULL PRIMARY KEY, "email" varchar(254) NOT NULL UNIQUE,
            "password" varchar(128) NOT NULL, "is_active" boolean NOT NULL);
            INSERT INTO accounts.shop_person VALUES ('6b86b273-ff34-4ce1-9d6b-804eff5a3f57',
            'bob@example.test', '!', FALSE)"#,
        );
        let backend = Backend::open(&server.url()).await.expect("opened");
        let table = UserTable {
            table: "accounts.shop_person".into(),
            ..person()
        };
        custom(&*backend.users(&table).await.expect("users")).await;
    });
}
