//! The fields, the query and the cookies of a refresh, one a line.

#![no_main]

#[path = "../../crates/sealwax-bind/tests/support/fuzzing.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::dbsc_headers(data));
