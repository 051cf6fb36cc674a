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
#[path = "support/sealing.rs"]
mod sealing;

#[test]
fn set_cookie() {
    replay("set_cookie", fuzzing::set_cookie);
}

#[test]
fn cookie_header() {
    replay("cookie_header", fuzzing::cookie_header);
}

#[test]
fn sealed_value() {
    replay("sealed_value", sealing::sealed_value);
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
