//! A cookie's value that claims to be sealed, and what an app has set: sealed, opened, changed.

#![no_main]

#[path = "../../crates/sealwax-cookie/tests/support/sealing.rs"]
mod sealing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sealing::sealed_value(data));
