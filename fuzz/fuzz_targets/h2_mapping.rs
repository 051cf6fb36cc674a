//! Requests that come over HTTP/2, said in HTTP/1.1.

#![no_main]

#[path = "../../crates/sealwax-gateway/tests/support/refusal.rs"]
mod error;
#[path = "../../crates/sealwax-gateway/tests/support/h2_mapping.rs"]
mod h2_mapping;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    h2_mapping::h2_mapping(data);
});
