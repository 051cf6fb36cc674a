//! One check for all mistakes: what is written, and what is shown for it.

use sealwax_config::{Flags, Sources, load};

/// Loads the file, the variables and the flags (by the names of [`Flags`]'s
/// fields) and compares all that is shown, warnings of what can be served
/// included.
#[track_caller]
#[expect(clippy::panic, reason = "a test that is written wrong must fail")]
pub(crate) fn check(
    file: Option<&str>,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
    expected: &str,
) {
    let mut given = Flags::default();
    for (name, value) in flags {
        let value = (*value).to_owned();
        match *name {
            "to" => given.to.push(value),
            "hosts" => given.hosts.push(value),
            "http" => given.http = Some(value),
            "tls" => given.tls = Some(value),
            "cert" => given.cert = Some(value),
            "key" => given.key = Some(value),
            "environment" => given.environment = Some(value),
            _ => panic!("no such flag: {name}"),
        }
    }
    let sources = Sources {
        file: file.map(|text| ("sealwax.toml".into(), text.to_owned())),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        flags: given,
    };
    let shown = match load(&sources) {
        Ok(loaded) => loaded.warnings.render(false),
        Err(mistakes) => mistakes.render(false),
    };
    assert!(
        shown == expected,
        "\nexpected:\n{expected}\nshown:\n{shown}"
    );
}
