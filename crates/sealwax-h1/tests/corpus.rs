//! Replays the committed fuzz corpora, so that what a fuzzer once found stays fixed without one.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads files, names the one that fails, and fails by panicking"
)]

use std::path::Path;

#[path = "support/fuzzing.rs"]
mod fuzzing;

#[test]
fn h1_request() {
    replay("h1_request", fuzzing::h1_request);
}

#[test]
fn h1_response() {
    replay("h1_response", fuzzing::h1_response);
}

#[test]
fn h1_chunked() {
    replay("h1_chunked", fuzzing::h1_chunked);
}

fn replay(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        files.len() >= 10,
        "{} holds {} files",
        folder.display(),
        files.len()
    );
    for file in files {
        println!("{}", file.display());
        run(&std::fs::read(&file).unwrap());
    }
}
