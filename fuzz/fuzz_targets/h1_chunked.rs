//! One chunked body with its trailers, cut into calls in several ways.

#![no_main]

#[path = "../../crates/sealwax-h1/tests/support/fuzzing.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::h1_chunked(data));
