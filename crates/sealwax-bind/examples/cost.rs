//! What the parts of the protocol cost, in time on this machine:
//!
//! ```text
//! cargo run --release -p sealwax-bind --example cost
//! ```
//!
//! Prints the 10th percentile over many batches, in nanoseconds for one. The first two lines are
//! what every request of a bound session pays; the others come once in a lifetime.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program, which fails by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::rsa::KeySize;
use sealwax_bind::{Bond, Jwt, Refreshing, Standing, Unusable};

#[path = "../tests/support/mod.rs"]
mod support;
use support::{Browser, HOST, Key, NOW, binder, cookie, offered, register};

const BATCHES: usize = 300;

fn main() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    let refreshed = browser.refresh(&binder, NOW);
    let value = cookie(&refreshed.set_cookie).0.into_bytes();
    let note = Bond::Bound(refreshed.proof.key).to_bytes();
    time("open the proof and judge the cookie", 500, || {
        let proof = binder.proof(black_box(&value), HOST, NOW).ok();
        let bond = Bond::from_bytes(black_box(&note)).unwrap();
        assert_eq!(bond.standing(proof.as_ref()), Standing::Proven);
    });
    let mut forged = value.clone();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    time("refuse a forged proof", 500, || {
        let refused = binder.proof(black_box(&forged), HOST, NOW);
        assert_eq!(refused, Err(Unusable::Forged));
    });
    for (name, key) in [
        ("ES256", Key::es256()),
        ("RS256 (2048)", Key::rs256(KeySize::Rsa2048)),
        ("RS256 (4096)", Key::rs256(KeySize::Rsa4096)),
    ] {
        let jwt = key.registration(&offered(&binder, HOST, NOW));
        time(&format!("{name}: read and verify a proof"), 10, || {
            let jwt = Jwt::parse(black_box(jwt.as_bytes())).unwrap();
            assert!(jwt.verify(jwt.key().unwrap()).is_ok());
        });
        time(&format!("{name}: register"), 10, || {
            assert!(register(&binder, HOST, black_box(&jwt), NOW).is_ok());
        });
        let browser = Browser::register(&binder, key, NOW);
        let jwt = browser.key.refresh(browser.challenge.as_ref().unwrap());
        time(&format!("{name}: refresh"), 10, || {
            let refreshing = browser.post(&binder, Some(black_box(&jwt)), NOW);
            assert!(matches!(refreshing, Refreshing::Refreshed(_)));
        });
        time(&format!("{name}: ask for a proof"), 100, || {
            let refreshing = browser.post(&binder, black_box(None), NOW);
            assert!(matches!(refreshing, Refreshing::Challenged(_)));
        });
    }
}

fn time(what: &str, batch: u32, mut work: impl FnMut()) {
    let mut times: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            (0..batch).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(batch)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let tenth = times.get(BATCHES / 10).copied().unwrap_or_default();
    println!("{tenth:>10.0} ns  {what}");
}
