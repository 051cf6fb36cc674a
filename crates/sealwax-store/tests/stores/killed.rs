//! A process that is killed while it writes: what it was told is stored is stored.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use sealwax_store::{Backend, Created};

use crate::sqlite::{python, url};
use crate::{NOW, key, live, run};

/// Set for the process that is to be killed: the URL of its store.
const CHILD: &str = "SEALWAX_STORE_CHILD";

/// Not a test of its own: the process that [`a_killed_process_loses_nothing_that_was_confirmed`]
/// starts. It creates sessions as fast as it can and prints the number of each when
/// its store has confirmed it.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(url) = std::env::var(CHILD) else {
        return;
    };
    run(60, async {
        let sessions = sealwax_store::open(&url).await.expect("opened");
        let first: u64 = std::env::var("SEALWAX_STORE_FIRST")
            .expect("a number")
            .parse()
            .expect("a number");
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let sessions = std::sync::Arc::clone(&sessions);
                tokio::spawn(async move {
                    for number in (first + worker..).step_by(8) {
                        let text = number.to_string();
                        if sessions.create(&key(number), live(&text)).await == Ok(Created::Yes) {
                            // One call of write, so that no line is ever half there.
                            let line = format!("confirmed {number}\n");
                            std::io::stdout()
                                .write_all(line.as_bytes())
                                .expect("a pipe");
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            let _ = worker.await;
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_that_was_confirmed() {
    run(120, async {
        for journal in ["wal", "delete"] {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path = directory.path().join("db.sqlite3");
            if journal == "delete" {
                python(&path, "CREATE TABLE anything (id integer)");
            }
            let mut confirmed = Vec::new();
            for round in 0..5 {
                let mut child = Command::new(std::env::current_exe().expect("this program"))
                    .args([
                        "--exact",
                        "killed::child_that_writes_until_it_is_killed",
                        "--nocapture",
                    ])
                    .env(CHILD, url(&path))
                    .env("SEALWAX_STORE_FIRST", (round * 1_000_000).to_string())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("started");
                let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
                // At another moment each time.
                for _ in 0..20 + round * 7 {
                    note(
                        &mut confirmed,
                        &lines.next().expect("a line").expect("text"),
                    );
                }
                child.kill().expect("killed");
                child.wait().expect("ended");
                for line in lines.map_while(Result::ok) {
                    note(&mut confirmed, &line);
                }
            }
            let backend = Backend::open(&url(&path)).await.expect("opened");
            let sessions = backend.sessions().await.expect("sessions");
            assert!(confirmed.len() > 100, "{} in {journal}", confirmed.len());
            for number in confirmed {
                let loaded = sessions.load(&key(number), NOW).await;
                assert_eq!(
                    loaded,
                    Ok(Some(live(&number.to_string()))),
                    "{number} in {journal}"
                );
            }
            assert_eq!(python(&path, "PRAGMA integrity_check"), "[('ok',)]");
        }
    });
    let _ = Duration::ZERO;
}

fn note(confirmed: &mut Vec<u64>, line: &str) {
    // The harness of tests writes into the same pipe.
    if let Some((_, number)) = line.rsplit_once("confirmed ") {
        confirmed.push(number.parse().expect("a number"));
    }
}
