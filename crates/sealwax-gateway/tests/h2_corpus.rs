//! Replays the committed corpus of the HTTP/2 guard, and variations of it.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test names the file that fails, and fails by panicking"
)]

use std::path::Path;

#[path = "support/h2_guard.rs"]
mod h2_guard;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/h2_guard");
    std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}

#[test]
fn the_corpus_holds() {
    let corpus = corpus();
    assert!(corpus.len() >= 10, "only {} files", corpus.len());
    for (name, script) in corpus {
        println!("{name}");
        h2_guard::h2_guard(&script);
    }
}

/// A random walk from the corpus, the same each time. `SEALWAX_LONG` walks
/// further.
#[test]
fn variations_of_the_corpus_hold() {
    let steps = if std::env::var_os("SEALWAX_LONG").is_some() {
        200_000
    } else {
        2_000
    };
    let mut scripts: Vec<Vec<u8>> = corpus().into_iter().map(|(_, script)| script).collect();
    scripts.sort();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for _ in 0..steps {
        let mut script = scripts[random(scripts.len())].clone();
        for _ in 0..=random(4) {
            if script.is_empty() {
                script.push(b'R');
            }
            let at = random(script.len());
            match random(5) {
                0 => script[at] = u8::try_from(random(256)).unwrap(),
                1 => script[at] ^= 1 << random(8),
                2 => script.insert(at, u8::try_from(random(256)).unwrap()),
                3 => {
                    script.remove(at);
                }
                _ => {
                    let other = &scripts[random(scripts.len())];
                    let from = random(other.len());
                    let until = (from + random(40)).min(other.len());
                    script.splice(at..at, other[from..until].iter().copied());
                }
            }
        }
        script.truncate(4096);
        h2_guard::h2_guard(&script);
    }
}
