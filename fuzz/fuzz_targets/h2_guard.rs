//! What both sides of an HTTP/2 connection send, and when: the frame guard.

#![no_main]

#[path = "../../crates/sealwax-gateway/tests/support/h2_guard.rs"]
mod h2_guard;

libfuzzer_sys::fuzz_target!(|data: &[u8]| h2_guard::h2_guard(data));
