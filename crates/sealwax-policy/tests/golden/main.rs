//! What the policy decided once it still decides: every field of the committed fuzz corpora goes
//! through whole exchanges, under several policies and memories, and a digest of all that came out
//! is held against `digests.txt`.
//!
//! Whoever changes a decision on purpose copies the file that the failing test names over it.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test reads files and says what it expects"
)]

mod scene;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use scene::{Scene, memories, policies};

const EXPECTED: &str = include_str!("digests.txt");

#[test]
fn every_decision_is_as_it_was() {
    let mut found = String::new();
    for path in corpus("set_cookie") {
        let field = std::fs::read(&path).expect("a corpus file");
        judge(&mut found, &path, &|scene| {
            // Once by itself, and once with another of its name before it.
            scene.response.push(("set-cookie".into(), field.clone()));
            let again = [&b"sid=first; Path=/, "[..], &field[..]].concat();
            scene.response.push(("set-cookie".into(), again));
        });
    }
    for path in corpus("cookie_header") {
        let text = std::fs::read(&path).expect("a corpus file");
        judge(&mut found, &path, &|scene| {
            let fields = text.split(|byte| *byte == b'\n');
            scene
                .request
                .extend(fields.map(|field| ("cookie".into(), field.to_vec())));
            let set = b"sessionid=1; Path=/".to_vec();
            scene.response.push(("set-cookie".into(), set));
        });
    }
    if found != EXPECTED {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digests.txt");
        std::fs::write(&new, &found).expect("the target folder can be written to");
        let differs = found
            .lines()
            .zip(EXPECTED.lines())
            .find(|(new, old)| new != old);
        panic!(
            "a decision has changed, first in {differs:?}; all digests are in {}",
            new.display()
        );
    }
}

fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let files = std::fs::read_dir(folder).expect("the corpus");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

fn judge(found: &mut String, path: &Path, fill: &dyn Fn(&mut Scene)) {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    for (number, policy) in policies().iter().enumerate() {
        let mut outcome = String::new();
        for names in memories() {
            for first_line in ["GET /", "POST /app/page?next=/"] {
                let mut scene = Scene::new(first_line);
                fill(&mut scene);
                outcome.push_str(&scene.play(policy, &names));
            }
        }
        writeln!(found, "{name} {number} {:016x}", digest(outcome.as_bytes()))
            .expect("strings grow");
    }
}

/// FNV-1a: a change shows, and nobody attacks it.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
