//! A proof of a device-bound session, or the key in it.

#![no_main]

#[path = "../../crates/sealwax-bind/tests/support/fuzzing.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::dbsc_jwt(data));
