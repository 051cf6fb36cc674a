//! A `Set-Cookie` field: read, hardened under every demand, deleted.

#![no_main]

#[path = "../../crates/sealwax-cookie/tests/support/fuzzing.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::set_cookie(data));
