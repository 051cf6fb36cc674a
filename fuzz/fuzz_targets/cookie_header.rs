//! The `Cookie` fields of one request, one a line: translated for the app.

#![no_main]

#[path = "../../crates/sealwax-cookie/tests/support/fuzzing.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::cookie_header(data));
