//! A client, the gateway and an app, with faults at every byte.
//!
//! ```text
//!            FromClient             ToApp
//!  Client ──────┬──────▶          ───┬──────▶ App
//!  (plan)       line      Gateway    line     (plan)
//!         ◀──────┬──────          ◀───┬──────
//!            ToClient              FromApp
//!                └──────── judge ────┘
//! ```
//!
//! A plan is made from a seed: what is sent, what is answered, and at which
//! bytes of the four streams something happens to the connection. Both ends are
//! played here, over real sockets, and know what they should see. The seed does
//! not say in which order the system runs the threads: a failure that hangs on
//! it may need several tries.
//!
//! What a failure was once is a test of its own in `endings.rs`.
//!
//! `SEALWAX_SEED=… cargo test -p sealwax-gateway --test simulation` plays what
//! one seed gives, `SEALWAX_LONG=1` plays for minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "../kit/mod.rs"]
mod kit;

mod app;
mod client;
mod h2;
mod judge;
mod line;
mod message;
mod plan;
mod run;
mod world;

use std::time::Duration;

use judge::Over;
use line::{Fault, Kind, Stream};
use plan::{Body, Exchange, Expect, Scenario, Upgrade};
use world::World;

/// How many failures are told in full.
const TOLD: usize = 5;

fn is_long() -> bool {
    std::env::var_os("SEALWAX_LONG").is_some()
}

/// Each is small, so that every byte can be tried.
fn small() -> Vec<Scenario> {
    let chunked = |size, trailers| Body::Chunked {
        size,
        chunk: 3,
        trailers,
    };
    let get = Exchange::get(5);
    let post = Exchange::post(Body::Length(4), chunked(7, true));
    vec![
        Scenario::new(vec![get.clone(), post.clone()]),
        Scenario {
            pipelined: true,
            ..Scenario::new(vec![post, get.clone()])
        },
        Scenario::new(vec![Exchange {
            expect: Expect::Continue,
            interim: vec![103],
            ..Exchange::post(chunked(5, true), Body::Length(3))
        }]),
        Scenario::new(vec![Exchange {
            early: true,
            ..Exchange::post(chunked(5, false), Body::UntilClose(6))
        }]),
        Scenario::new(vec![Exchange {
            http10: true,
            app_http10: true,
            app_close: true,
            reply: Body::UntilClose(5),
            ..get.clone()
        }]),
        Scenario::new(vec![Exchange {
            upgrade: Upgrade::Accepted {
                up: 5,
                down: 4,
                early: true,
            },
            ..get
        }]),
    ]
}

fn told(wrong: &[String], played: usize) {
    let first: Vec<&str> = wrong.iter().take(TOLD).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} of {played} runs went wrong:\n{}",
        wrong.len(),
        first.join("\n\n")
    );
}

#[test]
fn every_fault_at_every_byte() {
    let world = World::new(Over::Plain);
    let mut all = Vec::new();
    for scenario in small() {
        let lengths = world.measure(&scenario);
        for (stream, length) in Stream::ALL.into_iter().zip(lengths) {
            for at in 0..=length {
                all.extend(Kind::ALL.map(|kind| Scenario {
                    faults: vec![Fault { stream, at, kind }],
                    ..scenario.clone()
                }));
            }
        }
    }
    let wanted = all.len();
    let (wrong, played) = world.play(all, Duration::from_secs(300));
    told(&wrong, played);
    assert_eq!(played, wanted, "there was no time for all");
    world.end();
}

fn random(over: Over, plan: fn(u64) -> Scenario) {
    let world = World::new(over);
    let one = std::env::var("SEALWAX_SEED").ok();
    let one = one.map(|seed| seed.parse().expect("SEALWAX_SEED: a number"));
    let (from, count, time) = match (one, is_long()) {
        (Some(seed), _) => (seed, 1, 60),
        (None, false) => (0, 6000, 8),
        (None, true) => (6000, 10_000_000, 180),
    };
    let seeds = from..from + count;
    let (wrong, played) = world.play(seeds.map(plan), Duration::from_secs(time));
    println!("{played} scenarios over {over:?}");
    told(&wrong, played);
    assert!(played > 0);
    world.end();
}

#[test]
fn random_scenarios_over_plain_http() {
    random(Over::Plain, Scenario::random);
}

#[test]
fn random_scenarios_over_tls() {
    random(Over::Tls, Scenario::random);
}

/// The faults are on the app's side.
#[test]
fn random_scenarios_over_http2() {
    random(Over::H2, Scenario::random_h2);
}
