//! What the tower layers cost per request: CPU time, and what `bench/budget` counts.
//!
//! ```text
//! head ─▶ request ─▶ layers ─▶ axum's Router ─▶ handler ─▶ response, its body read
//! ```
//!
//! There are no sockets. Every unit makes a request as hyper would hand it over, sends it through
//! a router of axum as a server does (`ServiceExt::oneshot` on a clone), and reads the body of the
//! answer. A unit with layers names the bare one that does the same without them; the difference
//! is what the layers cost, axum's way of holding them included.
//!
//! Without arguments each unit runs in batches, one unit after the other, again and again, and the
//! medians over the batches are printed as lines of JSON. CPU time is that of all threads of the
//! process, from the scheduler, so that others on the machine do not count.
//!
//! `--count UNIT TIMES` runs one unit so many times and measures nothing: `bench/budget` runs that
//! under valgrind, which counts instructions. `--units` lists the units.

mod apps;
mod client;
mod drive;
mod heads;
mod units;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::units::{UNITS, Unit};

/// What a batch should take: far above the clock's grain, far below the time in which a machine
/// changes its mood.
const BATCH: Duration = Duration::from_micros(500);
/// Batches of each unit.
const BATCHES: usize = 120;
/// Batches before the first that counts.
const WARM_UP: usize = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => time_all(),
        ["--units"] => UNITS.iter().try_for_each(|unit| say(unit.name)),
        ["--count", name, times] => match times.parse() {
            Ok(times) => units::run(name, times),
            Err(error) => Err(format!("how often is {times:?}? {error}")),
        },
        _ => Err("usage: sealwax-bench-layers [--units | --count UNIT TIMES]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Nothing is left to do when standard error is gone.
            drop(writeln!(
                std::io::stderr(),
                "sealwax-bench-layers: {problem}"
            ));
            ExitCode::FAILURE
        }
    }
}

/// A unit at work.
struct Runner {
    unit: &'static Unit,
    work: units::Work,
    batch: u32,
    times: Vec<f64>,
}

fn time_all() -> Result<(), String> {
    let mut runners = Vec::new();
    for unit in UNITS {
        let mut work = units::prepare(unit)?;
        let batch = size(&mut work);
        runners.push(Runner {
            unit,
            work,
            batch,
            times: Vec::with_capacity(BATCHES),
        });
    }
    for number in 0..WARM_UP + BATCHES {
        for runner in &mut runners {
            let took = time(&mut runner.work, runner.batch);
            if number >= WARM_UP {
                runner.times.push(took);
            }
        }
    }
    for runner in &mut runners {
        let Unit { name, base, .. } = runner.unit;
        let (median, low) = (rank(&mut runner.times, 2), rank(&mut runner.times, 10));
        say(&format!(
            r#"{{"unit":"{name}","base":"{}","ns":{median:.1},"low_ns":{low:.1},"batch":{},"batches":{BATCHES}}}"#,
            base.unwrap_or_default(),
            runner.batch,
        ))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}")
        .map_err(|error| format!("standard output is gone: {error}"))
}

/// How many turns make a batch.
fn size(work: &mut units::Work) -> u32 {
    const TRIAL: u32 = 50;
    time(work, TRIAL);
    let turn = time(work, TRIAL).max(1.0);
    // A few thousand at most.
    ((BATCH.as_nanos() as f64 / turn) as u32).max(1)
}

/// Nanoseconds on a CPU of one turn, averaged over a batch.
fn time(work: &mut units::Work, batch: u32) -> f64 {
    let start = cpu();
    for _ in 0..batch {
        work();
    }
    (cpu() - start).as_secs_f64() * 1e9 / f64::from(batch)
}

/// What all threads of this process have used.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // The kernel's count of a process is no negative one.
    let part = |part: i64| u64::try_from(part).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// The value of which one in `part` is lower, by nearest rank.
fn rank(values: &mut [f64], part: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / part).copied().unwrap_or(f64::NAN)
}
