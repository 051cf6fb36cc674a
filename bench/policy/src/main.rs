//! What the policy costs by itself: nanoseconds for one whole `Exchange`.
//!
//! ```text
//! request head ─▶ Target ─▶ host check ─▶ Exchange: request ─ response ─ finish
//!                 └────────────────── this is timed ──────────────────────────┘
//! ```
//!
//! Two pairs of request and response are judged: the one that `bench/run` sends, and one as a
//! browser and a Django app exchange it. Each batch runs twice, once with the policy and once
//! with nothing but the copying of the heads that every turn needs; the difference counts. The
//! 10th percentile over the batches is printed, one line of JSON for each pair.
//!
//! It is a bound from above for the policy's share in the gateway, since it counts what any
//! reverse proxy must do (reading the host, `X-Forwarded-*`), and one from below in that the
//! caches are warm. What the gateway does around the policy is not in it.

mod pairs;
mod turn;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use crate::turn::Turn;

/// Exchanges in a batch: about a millisecond, far above the clock's grain.
const BATCH: u32 = 500;
/// Batches of each kind for each pair.
const BATCHES: usize = 600;
/// Batches before the first that counts.
const WARM_UP: usize = 50;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Nothing is left to do when standard error is gone.
            drop(writeln!(
                std::io::stderr(),
                "sealwax-bench-policy: {problem}"
            ));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    for pair in [pairs::bench(), pairs::browser()] {
        let pair = pair.map_err(|error| format!("a head could not be made: {error}"))?;
        let name = pair.name;
        let mut turn = Turn::new(pair)?;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for number in 0..WARM_UP + BATCHES {
            let policy = time(|| turn.judge());
            let copies = time(|| turn.copy());
            if number >= WARM_UP {
                with.push(policy);
                without.push(copies);
            }
        }
        let (with, without) = (low(&mut with), low(&mut without));
        writeln!(
            std::io::stdout(),
            r#"{{"pair":"{name}","exchange_ns":{:.0},"copies_ns":{without:.0},"batch":{BATCH},"batches":{BATCHES}}}"#,
            with - without,
        )
        .map_err(|error| format!("standard output is gone: {error}"))?;
    }
    Ok(())
}

/// Nanoseconds of one call, averaged over a batch. Wall time does: a batch is short, and one in
/// which somebody else had the core lies far above the 10th percentile.
fn time(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..BATCH {
        call();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
}

/// The 10th percentile, by nearest rank.
fn low(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 10).copied().unwrap_or(f64::NAN)
}
