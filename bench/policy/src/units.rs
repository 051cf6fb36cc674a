//! The units of work whose instructions `bench/budget` counts.
//!
//! A unit is one line in [`UNITS`]: a name for `budget.toml`, and how to prepare what then runs
//! again and again. Whatever runs must do the same each time.

use std::hint::black_box;

use sealwax_h1::{Asked, Limits, RequestParser, ResponseParser};

use crate::pairs;
use crate::seal;
use crate::turn::Turn;

/// One turn of a unit, ready to be run.
pub(crate) type Work = Box<dyn FnMut()>;

/// Makes a unit ready.
type Prepare = fn() -> Result<Work, String>;

/// Every unit by its name in `bench/budget.toml`.
const UNITS: &[(&str, Prepare)] = &[
    ("heads", || turn(Turn::pass)),
    ("heads apart", || turn(Turn::pass_apart)),
    ("heads+policy", || turn(Turn::judge)),
    ("heads+policy apart", || turn(Turn::judge_apart)),
    ("codec request", || Ok(read_requests())),
    ("codec response", || Ok(read_responses())),
    ("seal cookie", seal::sealing),
    ("open cookie", seal::opening),
];

/// The names of all units.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, _)| *name)
}

/// Runs the unit `name` so many times.
pub(crate) fn run(name: &str, times: u32) -> Result<(), String> {
    let unit = UNITS.iter().find(|(known, _)| *known == name);
    let Some((_, prepare)) = unit else {
        return Err(format!("there is no unit {name:?}; --units lists them"));
    };
    let mut work = prepare()?;
    (0..times).for_each(|_| work());
    Ok(())
}

fn turn(part: fn(&mut Turn)) -> Result<Work, String> {
    let mut turn = Turn::new(pairs::bench())?;
    Ok(Box::new(move || part(&mut turn)))
}

/// The codec's part: a head as `sealwax-h1` reads it, before any map.
fn read_requests() -> Work {
    let (head, mut fields) = (pairs::browser().request, Vec::new());
    let mut parser = RequestParser::new(Limits::REQUEST);
    Box::new(move || {
        let read = parser.parse(black_box(&head), &mut fields);
        assert!(matches!(black_box(read), Ok(Some(_))));
    })
}

fn read_responses() -> Work {
    let (head, mut fields) = (pairs::bench().response, Vec::new());
    let asked = Asked {
        head: false,
        upgrade: None,
    };
    Box::new(move || {
        let mut parser = ResponseParser::new(Limits::RESPONSE);
        let read = parser.parse(black_box(&head), &asked, &mut fields);
        assert!(matches!(black_box(read), Ok(Some(_))));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_runs() {
        for name in names() {
            run(name, 2).unwrap();
        }
        assert!(run("nothing", 1).is_err());
    }
}
