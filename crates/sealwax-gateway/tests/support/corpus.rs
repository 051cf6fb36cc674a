//! A committed corpus, and random walks from it.

use std::path::Path;

/// The files of `fuzz/corpus/NAME`, by name.
pub(crate) fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let folder = folder.join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(files.len() >= 10, "only {} files", files.len());
    files
}

/// Gives `holds` variations of the files of a `corpus`, the same each time. `SEALWAX_LONG` walks
/// further.
pub(crate) fn walk(corpus: &[(String, Vec<u8>)], holds: impl Fn(&[u8])) {
    let long = std::env::var_os("SEALWAX_LONG").is_some();
    let steps = if long { 200_000 } else { 2_000 };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for _ in 0..steps {
        let mut input = corpus[random(corpus.len())].1.clone();
        for _ in 0..=random(4) {
            if input.is_empty() {
                input.push(b'R');
            }
            let at = random(input.len());
            match random(5) {
                0 => input[at] = u8::try_from(random(256)).unwrap(),
                1 => input[at] ^= 1 << random(8),
                2 => input.insert(at, u8::try_from(random(256)).unwrap()),
                3 => {
                    input.remove(at);
                }
                _ => {
                    let (_, other) = &corpus[random(corpus.len())];
                    let from = random(other.len());
                    let until = (from + random(40)).min(other.len());
                    input.splice(at..at, other[from..until].iter().copied());
                }
            }
        }
        input.truncate(4096);
        holds(&input);
    }
}
