//! A server that ends and comes back while requests come in.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sealwax_store::{Backend, Created, Saved, SessionStore, StoreError};
use sealwax_tests::{Postgres, Redis};

use crate::{NOW, key, live, long, run};

/// How often the server ends.
fn rounds() -> u64 {
    if long() { 100 } else { 4 }
}

#[test]
fn postgresql_may_restart_and_be_killed_under_load() {
    run(1_200, async {
        let mut server = Postgres::start().await;
        let backend = Backend::open(&server.url()).await.expect("opened");
        let load = Load::start(&backend).await;
        for round in 0..rounds() {
            load.gather().await;
            server.stop().await;
            server.start_again().await;
            load.recovered(round).await;
        }
        load.gather().await;
        server.kill().await;
        server.start_again().await;
        load.recovered(rounds()).await;
        load.end("PostgreSQL").await;
    });
}

#[test]
fn redis_may_restart_and_be_killed_under_load() {
    run(1_200, async {
        let mut server = Redis::start().await;
        let backend = Backend::open(&server.url()).await.expect("opened");
        let load = Load::start(&backend).await;
        for round in 0..rounds() {
            load.gather().await;
            server.stop().await;
            server.start_again().await;
            load.recovered(round).await;
        }
        load.gather().await;
        server.kill().await;
        server.start_again().await;
        load.recovered(rounds()).await;
        load.end("Redis").await;
    });
}

#[test]
fn a_redis_that_hangs_makes_nobody_wait_for_the_others() {
    run(120, async {
        let server = Redis::start().await;
        let sessions = sealwax_store::open(&server.url()).await.expect("opened");
        assert_eq!(sessions.create(&key(1), live("a")).await, Ok(Created::Yes));
        let info = server.cli(&["INFO", "server"]);
        let id = info
            .lines()
            .find_map(|line| line.strip_prefix("process_id:"));
        let id = id.expect("a process").trim().to_owned();
        let signal = |name: &str| {
            let sent = std::process::Command::new("kill")
                .args([name, &id])
                .status();
            assert!(sent.expect("kill").success());
        };
        signal("-STOP");
        // First with a connection that gives no answer, then with none.
        for _ in 0..2 {
            let began = Instant::now();
            let loads = (0..32).map(|number| {
                let sessions = Arc::clone(&sessions);
                tokio::spawn(async move { sessions.load(&key(number), NOW).await })
            });
            for load in loads.collect::<Vec<_>>() {
                let error = load.await.expect("no panic").expect_err("no answer");
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            }
            let waited = began.elapsed();
            assert!(waited < Duration::from_secs(10), "waited for {waited:?}");
        }
        signal("-CONT");
        let found = sessions.load(&key(1), NOW).await.expect("an answer");
        assert_eq!(
            found.map(|session| session.data.to_string()),
            Some("a".to_owned())
        );
    });
}

/// Visitors who log in, change their session, and log out again, all the time.
struct Load {
    sessions: Arc<dyn SessionStore>,
    stop: Arc<AtomicBool>,
    successes: Arc<AtomicU64>,
    failures: Arc<AtomicU64>,
    visitors: Vec<tokio::task::JoinHandle<HashMap<u64, Expected>>>,
}

/// What a visitor may find at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// An answer did not come: either is right.
    Anything,
    /// Logged out, with success.
    Gone,
    /// This text was stored with success.
    Text(u64),
}

impl Load {
    async fn start(backend: &Backend) -> Self {
        let mut load = Self {
            sessions: backend.sessions().await.expect("sessions"),
            stop: Arc::default(),
            successes: Arc::default(),
            failures: Arc::default(),
            visitors: Vec::new(),
        };
        for visitor in 0..16 {
            let task = visit(
                visitor,
                Arc::clone(&load.sessions),
                Arc::clone(&load.stop),
                Arc::clone(&load.successes),
                Arc::clone(&load.failures),
            );
            load.visitors.push(tokio::spawn(task));
        }
        load
    }

    /// Waits until some hundred answers have come.
    async fn gather(&self) {
        let goal = self.successes.load(Ordering::Relaxed) + 300;
        let successes = &self.successes;
        sealwax_tests::wait_until("300 successes", 60, || {
            (successes.load(Ordering::Relaxed) >= goal).then_some(())
        })
        .await;
    }

    /// A server that is back is used again, without a restart of this process.
    async fn recovered(&self, round: u64) {
        let began = Instant::now();
        let key = key(50_000_000 + round);
        loop {
            match self.sessions.create(&key, live("back")).await {
                Ok(_) => break,
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
            }
            let waited = began.elapsed();
            assert!(
                waited < Duration::from_secs(10),
                "not back in round {round}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn end(self, name: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let mut checked = 0;
        for visitor in self.visitors {
            for (number, expected) in visitor.await.expect("a visitor who saw nothing wrong") {
                let found = self
                    .sessions
                    .load(&key(number), NOW)
                    .await
                    .expect("an answer");
                let found = found.map(|session| session.data.parse().expect("a number"));
                match expected {
                    Expected::Anything => continue,
                    Expected::Gone => assert_eq!(found, None, "session {number} came back"),
                    Expected::Text(text) => {
                        assert_eq!(found, Some(text), "session {number} was lost");
                    }
                }
                checked += 1;
            }
        }
        let (successes, failures) = (
            self.successes.load(Ordering::Relaxed),
            self.failures.load(Ordering::Relaxed),
        );
        println!(
            "{name}: {} restarts and a kill, {successes} answers, {failures} failures, \
             {checked} sessions checked",
            rounds()
        );
        assert!(
            checked > 100 * rounds(),
            "too little load to say anything: {checked}"
        );
    }
}

/// Every third session is logged out, the others stay; a failure leaves one uncertain.
async fn visit(
    visitor: u64,
    sessions: Arc<dyn SessionStore>,
    stop: Arc<AtomicBool>,
    successes: Arc<AtomicU64>,
    failures: Arc<AtomicU64>,
) -> HashMap<u64, Expected> {
    let mut expected = HashMap::new();
    let mut number = visitor * 1_000_000 + 60_000_000;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let key = key(number);
        expected.insert(number, Expected::Anything);
        let outcome = async {
            let created = sessions.create(&key, live("1")).await?;
            // A key may be taken by its own first attempt, whose answer got lost.
            assert!(matches!(created, Created::Yes | Created::Taken));
            expected.insert(number, Expected::Text(1));
            successes.fetch_add(1, Ordering::Relaxed);

            expected.insert(number, Expected::Anything);
            let saved = sessions.save(&key, live("2")).await?;
            assert_eq!(
                saved,
                Saved::Yes,
                "session {number} was lost before its time"
            );
            expected.insert(number, Expected::Text(2));
            successes.fetch_add(1, Ordering::Relaxed);

            if number.is_multiple_of(3) {
                expected.insert(number, Expected::Anything);
                sessions.delete(&key).await?;
                expected.insert(number, Expected::Gone);
                successes.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = outcome.await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            failures.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Visitors who think: else a long test fills the disk.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    expected
}
