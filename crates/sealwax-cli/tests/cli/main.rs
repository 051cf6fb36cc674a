//! The real binary, from the outside. Each test has a home and ports of its
//! own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod demo;
mod explain;
mod run;
mod secret;
mod serve;
mod support;
mod trust;
mod usage;
