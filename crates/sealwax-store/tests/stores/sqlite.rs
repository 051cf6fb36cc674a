use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sealwax_store::{Backend, Created, StoreError};
use tempfile::TempDir;

use crate::{NOW, key, live, run, suite};

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub(crate) fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// Runs statements with Python's SQLite, which is another program's build of it,
/// and answers the rows as Python prints them.
pub(crate) fn python(path: &Path, statement: &str) -> String {
    let script = "import sqlite3, sys\n\
        connection = sqlite3.connect(sys.argv[1], timeout=5)\n\
        print([row for row in connection.execute(sys.argv[2])])\n\
        connection.commit()";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(path)
        .arg(statement)
        .output()
        .expect("Python runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .trim()
        .to_owned()
}

#[test]
fn a_file_is_a_home() {
    run(120, async {
        let directory = directory();
        let path = directory.path().join("sessions.sqlite3");
        suite(&Backend::open(&url(&path)).await.expect("opened")).await;
    });
}

#[test]
fn a_file_in_django_s_journal_mode_is_a_home_and_keeps_it() {
    run(240, async {
        let directory = directory();
        let path = directory.path().join("db.sqlite3");
        python(&path, "CREATE TABLE anything (id integer)");
        suite(&Backend::open(&url(&path)).await.expect("opened")).await;
        assert_eq!(python(&path, "PRAGMA journal_mode"), "[('delete',)]");
    });
}

#[test]
fn a_new_file_is_its_owner_s_alone_and_has_a_write_ahead_log() {
    use std::os::unix::fs::PermissionsExt;
    run(20, async {
        let directory = directory();
        let path = directory.path().join("new.sqlite3");
        let backend = Backend::open(&url(&path)).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));
        assert_eq!(python(&path, "PRAGMA journal_mode"), "[('wal',)]");
        for name in ["new.sqlite3", "new.sqlite3-wal", "new.sqlite3-shm"] {
            let file = std::fs::metadata(directory.path().join(name)).expect(name);
            assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
        }
    });
}

#[test]
fn the_table_is_the_one_that_django_makes() {
    run(20, async {
        let directory = directory();
        let path = directory.path().join("new.sqlite3");
        let backend = Backend::open(&url(&path)).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        let expires = Duration::from_micros(4_102_444_800_000_000);
        for (number, micros) in [(1, 0), (2, 1), (3, 500_000)] {
            let session = crate::record("x", expires + Duration::from_micros(micros));
            assert_eq!(
                sessions.create(&key(number), session).await,
                Ok(Created::Yes)
            );
        }
        let dates = "SELECT expire_date FROM django_session ORDER BY session_key";
        assert_eq!(
            python(&path, dates),
            "[('2100-01-01 00:00:00',), ('2100-01-01 00:00:00.000001',), \
             ('2100-01-01 00:00:00.500000',)]"
        );
        let columns =
            "SELECT name, lower(type), \"notnull\", pk FROM pragma_table_info('django_session')";
        let indexes = "SELECT name FROM sqlite_master WHERE tbl_name = 'django_session' \
            AND type = 'index' ORDER BY name";
        // What `manage.py migrate` makes, read from a database that it made.
        assert_eq!(
            python(&path, columns),
            "[('session_key', 'varchar(40)', 1, 1), ('session_data', 'text', 1, 0), \
             ('expire_date', 'datetime', 1, 0)]"
        );
        assert_eq!(
            python(&path, indexes),
            "[('django_session_expire_date_a5c62663',), \
             ('sqlite_autoindex_django_session_1',)]"
        );
    });
}

#[test]
fn a_locked_file_is_waited_for() {
    run(30, async {
        let directory = directory();
        let path = directory.path().join("db.sqlite3");
        python(&path, "CREATE TABLE anything (id integer)");
        let backend = Backend::open(&url(&path)).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));

        // Another process that locks even readers out, for a second.
        let mut holder = Command::new("python3")
            .args([
                "-c",
                "import sqlite3, sys, time\n\
                 c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                 c.execute('BEGIN EXCLUSIVE')\n\
                 open(sys.argv[1] + '.held', 'w')\n\
                 time.sleep(1)\n\
                 c.execute('COMMIT')",
            ])
            .arg(&path)
            .spawn()
            .expect("Python runs");
        let held = directory.path().join("db.sqlite3.held");
        sealwax_tests::wait_until("the lock", 10, || held.exists().then_some(())).await;
        let (old, new) = (key(1), key(2));
        let (loaded, created) =
            tokio::join!(sessions.load(&old, NOW), sessions.create(&new, live("b")));
        assert_eq!(loaded, Ok(Some(live("a"))));
        assert_eq!(created, Ok(Created::Yes));
        assert!(holder.wait().expect("an end").success());
    });
}

#[test]
fn a_lock_for_ever_is_unavailable() {
    run(40, async {
        let directory = directory();
        let path = directory.path().join("db.sqlite3");
        python(&path, "CREATE TABLE anything (id integer)");
        let backend = Backend::open(&url(&path)).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        let script = "import sqlite3, sys, time\n\
             c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
             c.execute('BEGIN EXCLUSIVE')\n\
             open(sys.argv[1] + '.held', 'w')\n\
             time.sleep(60)";
        let mut command = Command::new("python3");
        let _holder =
            sealwax_tests::Process::start("holder", command.args(["-c", script]).arg(&path));
        let held = directory.path().join("db.sqlite3.held");
        sealwax_tests::wait_until("the lock", 10, || held.exists().then_some(())).await;
        let (old, new) = (key(1), key(2));
        let (loaded, created) =
            tokio::join!(sessions.load(&old, NOW), sessions.create(&new, live("b")));
        for error in [loaded.expect_err("locked"), created.expect_err("locked")] {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
            assert!(error.to_string().contains("db.sqlite3: "), "{error}");
        }
    });
}

#[test]
fn what_cannot_be_a_home_is_refused_at_start() {
    run(20, async {
        let directory = directory();
        let text = directory.path().join("text");
        std::fs::write(
            &text,
            "no database, but long enough to hold a header ".repeat(50),
        )
        .expect("written");
        let foreign = directory.path().join("foreign.sqlite3");
        python(&foreign, "CREATE TABLE django_session (id integer)");
        let nowhere = directory.path().join("no/such/directory/db.sqlite3");
        for path in [&text, &nowhere, &directory.path().to_owned()] {
            let error = Backend::open(&url(path)).await.expect_err("refused");
            assert!(matches!(error, StoreError::Misconfigured(_)), "{error:?}");
        }
        let backend = Backend::open(&url(&foreign)).await.expect("opened");
        let error = backend.sessions().await.err().expect("refused");
        assert!(matches!(error, StoreError::Misconfigured(_)), "{error:?}");
        assert!(error.to_string().contains("session_data"), "{error}");
    });
}

#[test]
fn what_another_program_wrote_is_corrupt_and_not_a_panic() {
    run(20, async {
        let directory = directory();
        let path = directory.path().join("db.sqlite3");
        let backend = Backend::open(&url(&path)).await.expect("opened");
        let sessions = backend.sessions().await.expect("sessions");
        for (number, values) in [
            (1, "'data', 'z tomorrow'"),
            (2, "x'ff00', '9999-01-01 00:00:00'"),
            (3, "'data', x'ff'"),
        ] {
            let key = key(number);
            let insert = format!(
                "INSERT INTO django_session VALUES ('{}', {values})",
                key.as_str()
            );
            python(&path, &insert);
            let error = sessions.load(&key, NOW).await.expect_err("unreadable");
            assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        }
    });
}
