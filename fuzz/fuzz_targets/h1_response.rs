//! The responses to one request, as answers to GET, HEAD and an upgrade.

#![no_main]

#[path = "../../crates/sealwax-h1/tests/support/fuzzing.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::h1_response(data));
