//! Replays the committed corpora of the HTTP/2 guard and of the mapping to
//! HTTP/1.1, and variations of them.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test names the file that fails, and fails by panicking"
)]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/refusal.rs"]
mod error;
#[path = "support/h2_guard.rs"]
mod h2_guard;
#[path = "support/h2_mapping.rs"]
mod h2_mapping;

#[test]
fn the_guard_holds() {
    let corpus = corpus::corpus("h2_guard");
    for (file, input) in &corpus {
        println!("{file}");
        h2_guard::h2_guard(input);
    }
    corpus::walk(&corpus, h2_guard::h2_guard);
}

#[test]
fn the_mapping_holds() {
    let corpus = corpus::corpus("h2_mapping");
    for (file, input) in &corpus {
        let reaches_an_app = h2_mapping::h2_mapping(input);
        assert_eq!(reaches_an_app, file.starts_with("good-"), "{file}");
    }
    corpus::walk(&corpus, |input| {
        h2_mapping::h2_mapping(input);
    });
}
