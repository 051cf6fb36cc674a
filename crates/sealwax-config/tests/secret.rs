//! Where the keys that seal cookies come from, and what is wrong with that.

mod shown;

use sealwax_config::{Secret, Sources, load, load_secret};
use shown::check;

const FILE: &str = "[[site]]\nhosts = [\"app.test\"]\nto = \"127.0.0.1:8000\"\n";
const KEY: &str = "4e7bca82:YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyA6LSk";

fn sources(file: &str, variables: &[(&str, &str)]) -> Sources {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources {
        file: Some(("sealwax.toml".into(), file.into())),
        variables: variables.iter().map(owned).collect(),
        ..Sources::default()
    }
}

#[test]
fn the_keys_come_from_home_a_file_or_the_environment() {
    let secret = |sources| load(&sources).unwrap().config.secret;
    assert!(matches!(secret(sources(FILE, &[])), Secret::Home));
    let named = format!("secret.file = \"/run/keys\"\n{FILE}");
    match secret(sources(&named, &[])) {
        Secret::File(path) => assert_eq!(path.to_str(), Some("/run/keys")),
        other => panic!("{other:?}"),
    }
    match secret(sources(FILE, &[("SEALWAX_SECRET", KEY)])) {
        Secret::Keys(ring) => assert_eq!(ring.ids().next().unwrap().to_string(), "4e7bca82"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn they_are_found_whatever_else_is_wrong() {
    let broken = "secret.file = \"/run/keys\"\n[[site]]\nto = \"https://x\"\nnonsense = 1\n";
    assert!(load(&sources(broken, &[])).is_err());
    let secret = load_secret(&sources(broken, &[])).unwrap();
    assert!(matches!(secret, Secret::File(_)));
    assert!(matches!(load_secret(&Sources::default()), Ok(Secret::Home)));
    // But not what is wrong with them.
    assert!(load_secret(&sources("secret.file = 1\n", &[])).is_err());
    assert!(load_secret(&sources("secret.file = \n", &[])).is_err());
    assert!(load_secret(&sources("", &[("SEALWAX_SECRET", "")])).is_err());
}

#[test]
fn mistakes_show_no_key() {
    check(
        Some(FILE),
        &[("SEALWAX_SECRET", "4e7bca82:YSBzZWNyZXQ")],
        &[],
        r#"error: `SEALWAX_SECRET` holds no key ring
 |
 | SEALWAX_SECRET=(not shown)
 |                ^^^^^^^^^^^ line 1: the key is not 32 bytes in base64url without padding
 |
 = help: restore the line from a copy, or remove it

"#,
    );
    check(
        Some(&format!("secret.file = \"/run/keys\"\n{FILE}")),
        &[("SEALWAX_SECRET", KEY)],
        &[],
        r#"error: the keys that seal cookies are said to come from two places
 --> sealwax.toml:1:15
  |
1 | secret.file = "/run/keys"
  |               ^^^^^^^^^^^ from a file
  |
 :::
  | SEALWAX_SECRET=(not shown)
  |                ----------- and from the environment
  |
  = help: keep one of the two

"#,
    );
    for misspelt in [
        "SEALWAX_SECERT",
        "SEALWAX_SECRETS",
        "SEALWAX_SECRET_KEY",
        "SEALWAX_KEYS",
    ] {
        let shown = match load(&sources(FILE, &[(misspelt, KEY)])) {
            Ok(loaded) => loaded.warnings.render(false),
            Err(mistakes) => mistakes.render(false),
        };
        assert!(
            shown.contains(misspelt) && !shown.contains("YSBz"),
            "{shown}"
        );
    }
}

#[test]
fn a_cookie_that_scripts_read_is_not_sealed() {
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
cookies.seal = ["sessionid", "csrftoken", "XSRF-TOKEN"]
cookies.readable = ["csrftoken"]
"#,
        ),
        &[],
        &[],
        r#"error: the cookie `csrftoken` cannot both be read by scripts and be sealed
 --> sealwax.toml:4:30
  |
4 | cookies.seal = ["sessionid", "csrftoken", "XSRF-TOKEN"]
  |                              ^^^^^^^^^^^ sealed here
5 | cookies.readable = ["csrftoken"]
  |                     ----------- read by scripts
  |
  = help: leave it to one of the two lists

error: the cookie `XSRF-TOKEN` cannot both be read by scripts and be sealed
 --> sealwax.toml:4:43
  |
4 | cookies.seal = ["sessionid", "csrftoken", "XSRF-TOKEN"]
  |                                           ^^^^^^^^^^^^ sealed here
  |
  = help: leave it out: it exists for scripts

error: the configuration has 2 errors
"#,
    );
}
