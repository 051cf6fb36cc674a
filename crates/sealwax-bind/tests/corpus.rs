//! Replays the committed fuzz corpora, so that what a fuzzer once found stays fixed without one.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads files, names the one that fails, and fails by panicking"
)]

use std::path::Path;

use sealwax_bind::{Field, Refresh, Registration};

#[path = "support/fuzzing.rs"]
mod fuzzing;
use fuzzing::{HOST, NOW, binder};

#[test]
fn dbsc_jwt() {
    replay("dbsc_jwt", fuzzing::dbsc_jwt);
}

#[test]
fn dbsc_headers() {
    replay("dbsc_headers", fuzzing::dbsc_headers);
}

/// Fuzzing begins behind the signature, too: these were signed once, with keys that nobody kept. It
/// also holds the formats of all sealed values.
#[test]
fn the_corpora_hold_proofs_that_count() {
    for name in ["registration-es256", "registration-rs256"] {
        let registered = binder().register(&Registration {
            host: HOST,
            response: Field::Once(&read("dbsc_jwt", name)),
            now: NOW,
            random: [7; 24],
        });
        assert!(registered.is_ok(), "{name}: {registered:?}");
    }
    let data = read("dbsc_headers", "refresh-mark");
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let [_, session, response, query, mark, proof] = lines[..] else {
        panic!("six lines")
    };
    let refreshing = binder().refresh(&Refresh {
        host: HOST,
        query: Some(query),
        session: Field::Once(session),
        response: Field::Once(response),
        mark: Some(mark),
        now: NOW,
        random: [7; 24],
    });
    assert_eq!(refreshing.status(), 200, "{refreshing:?}");
    assert!(binder().proof(proof, HOST, NOW).is_ok());
}

fn folder(target: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target)
}

fn read(target: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(target).join(name)).unwrap()
}

fn replay(target: &str, run: impl Fn(&[u8])) {
    let folder = folder(target);
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
