//! What the policy costs by itself: time and instructions for one whole `Exchange`.
//!
//! ```text
//! bytes ─▶ request head ─▶ Target ─▶ host check ─▶ Exchange::request ─▶ bytes to the app
//! bytes ◀─ response head ◀───────────────────────  Exchange::response ◀─ bytes of the app
//! ```
//!
//! Two pairs of heads are judged: the one that `bench/run` sends, and one as a browser and a
//! Django app exchange it. Each batch runs twice, once with the policy and once without, when the
//! heads are only read into maps and written out again; the difference counts. Writing out what
//! the policy has added is thus in it, and so is letting it go. The maps have room for more fields
//! than came, as in the gateway: growing them is not in it. The 10th percentile over the batches
//! is printed, one line of JSON for each pair.
//!
//! `exchange_ns` is the way of a driver that puts all fields into maps, the policy's own too (the
//! gateway towards HTTP/2), `apart_ns` that of one that passes those by the maps that no rule looks
//! at, and writes the policy's own behind the others (the gateway on HTTP/1.1).
//!
//! It is a bound from above for the policy's share in the gateway, since it counts what any
//! reverse proxy must do (reading the host, `X-Forwarded-*`), and one from below in that the
//! caches are warm. What the gateway does around the policy is not in it.
//!
//! `--seal` times something else: sealing one session cookie (`seal_ns`), and opening it (`open_ns`).
//!
//! `--bound` times the exchange of one request with a session that is plain, sealed, and bound to the
//! browser's device; the differences are what sealing and binding cost a request.
//!
//! `--count UNIT TIMES` runs one unit of work so many times and measures nothing: `bench/budget`
//! runs that under valgrind, which counts instructions. `--units` lists the units.

mod bound;
mod pairs;
mod seal;
mod turn;
mod units;
mod wire;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use crate::bound::{Kind, Visit};
use crate::turn::Turn;

/// Exchanges in a batch: about a millisecond, far above the clock's grain.
const BATCH: u32 = 500;
/// Batches of each kind for each pair.
const BATCHES: usize = 600;
/// Batches before the first that counts.
const WARM_UP: usize = 50;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => time_all(),
        ["--seal"] => time_seal(),
        ["--bound"] => time_bound(),
        ["--units"] => units::names().try_for_each(say),
        ["--count", unit, times] => match times.parse() {
            Ok(times) => units::run(unit, times),
            Err(error) => Err(format!("how often is {times:?}? {error}")),
        },
        _ => Err(
            "usage: sealwax-bench-policy [--seal | --bound | --units | --count UNIT TIMES]"
                .to_owned(),
        ),
    };
    match outcome {
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

fn time_all() -> Result<(), String> {
    for pair in pairs::all() {
        let name = pair.name;
        let mut turn = Turn::new(pair)?;
        let mut times: [Vec<f64>; 4] = Default::default();
        for number in 0..WARM_UP + BATCHES {
            let took = [
                time(|| turn.judge()),
                time(|| turn.pass()),
                time(|| turn.judge_apart()),
                time(|| turn.pass_apart()),
            ];
            if number >= WARM_UP {
                for (times, took) in times.iter_mut().zip(took) {
                    times.push(took);
                }
            }
        }
        let [judged, passed, judged_apart, passed_apart] = times.map(|mut times| low(&mut times));
        let (with, apart) = (judged - passed, judged_apart - passed_apart);
        say(&format!(
            r#"{{"pair":"{name}","exchange_ns":{with:.0},"apart_ns":{apart:.0},"heads_ns":{passed:.0},"batch":{BATCH},"batches":{BATCHES}}}"#,
        ))?;
    }
    Ok(())
}

/// The three in turns, so that what disturbs one disturbs all.
fn time_bound() -> Result<(), String> {
    let kinds = [Kind::Plain, Kind::Sealed, Kind::Bound];
    let visits = kinds.map(Visit::of);
    let mut times: [Vec<f64>; 3] = Default::default();
    for number in 0..WARM_UP + BATCHES {
        for (times, visit) in times.iter_mut().zip(&visits) {
            let visit = visit.as_ref().map_err(Clone::clone)?;
            if !visit.turn() {
                return Err("a request was not passed on".to_owned());
            }
            let took = time(|| {
                visit.turn();
            });
            if number >= WARM_UP {
                times.push(took);
            }
        }
    }
    let [plain, sealed, bound] = times.map(|mut times| low(&mut times));
    let (seal, bind) = (sealed - plain, bound - plain);
    say(&format!(
        r#"{{"plain_ns":{plain:.0},"sealed_ns":{sealed:.0},"bound_ns":{bound:.0},"sealing_costs_ns":{seal:.0},"binding_costs_ns":{bind:.0},"batch":{BATCH},"batches":{BATCHES}}}"#
    ))
}

fn time_seal() -> Result<(), String> {
    let (mut sealing, mut opening) = (seal::sealing()?, seal::opening()?);
    let [seal, open] = [low_of(&mut *sealing), low_of(&mut *opening)];
    say(&format!(
        r#"{{"seal_ns":{seal:.0},"open_ns":{open:.0},"batch":{BATCH},"batches":{BATCHES}}}"#
    ))
}

/// The 10th percentile of all batches that count.
fn low_of(work: &mut dyn FnMut()) -> f64 {
    let times = (0..WARM_UP + BATCHES).map(|_| time(&mut *work));
    low(&mut times.skip(WARM_UP).collect::<Vec<_>>())
}

fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}")
        .map_err(|error| format!("standard output is gone: {error}"))
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
