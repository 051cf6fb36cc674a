//! What every home must do, and what is particular to each: with real files and
//! real servers, which the tests start and end.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests say what they expect, and how often they tried"
)]

mod cached_db;
mod killed;
mod memory;
mod outage;
mod postgres;
mod redis;
mod sessions;
mod sqlite;
mod tokens;
mod users;

use std::time::Duration;

use sealwax_store::{Backend, Record, SessionKey};

/// A time in the future of the machine that runs this: Redis drops by its own clock.
const NOW: Duration = Duration::from_secs(4_000_000_000);

fn key(number: u64) -> SessionKey {
    SessionKey::parse(&format!("session-number-{number:020}")).expect("a key")
}

fn record(data: &str, expires: Duration) -> Record {
    Record {
        data: data.into(),
        expires,
    }
}

/// A session that lives for another hour.
fn live(data: &str) -> Record {
    record(data, NOW + Duration::from_secs(3_600))
}

/// Everything that every home must pass, on an empty one.
async fn suite(backend: &Backend) {
    sessions::suite(&backend.sessions().await.expect("sessions")).await;
    tokens::suite(&*backend.tokens().await.expect("tokens")).await;
}

/// Runs the test on threads of its own, and fails it when it takes longer.
fn run(seconds: u64, test: impl Future<Output = ()>) {
    sealwax_tests::run(seconds, test);
}

/// Whether the long tests are asked for (`./test --long`).
fn long() -> bool {
    std::env::var_os("SEALWAX_LONG").is_some()
}
