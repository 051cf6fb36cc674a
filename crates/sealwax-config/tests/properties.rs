//! Whatever is written, the answer is a configuration or diagnostics that can
//! be shown.

use proptest::collection::vec;
use proptest::prelude::*;
use sealwax_config::{Flags, SETTINGS, Sources, decode, load};

/// Loads and shows; the point is that neither panics.
fn show(sources: &Sources) -> Result<(), TestCaseError> {
    let diagnostics = match load(sources) {
        Ok(loaded) => loaded.warnings,
        Err(mistakes) => {
            prop_assert!(mistakes.errors() > 0);
            mistakes
        }
    };
    for diagnostic in &diagnostics {
        prop_assert!(!diagnostic.cause.is_empty());
        prop_assert!(!diagnostic.mend.is_empty(), "{diagnostic}");
        let plain = diagnostic.render(false);
        prop_assert!(!plain.contains('\u{1b}'), "no escape sequences");
    }
    let colored = diagnostics.is_empty() || diagnostics.render(true).contains("\u{1b}[");
    prop_assert!(colored, "no color");
    prop_assert_eq!(diagnostics.is_empty(), diagnostics.render(false).is_empty());
    Ok(())
}

fn file(text: String) -> Sources {
    Sources {
        file: Some(("sealwax.toml".into(), text)),
        ..Sources::default()
    }
}

/// Pieces that occur in files, so that most texts come near a right one.
fn piece() -> impl Strategy<Value = String> {
    let keys: Vec<String> = SETTINGS
        .iter()
        .flat_map(|setting| {
            let last = setting.key.rsplit('.').next().unwrap_or_default();
            [last.to_owned(), setting.key.to_owned()]
        })
        .collect();
    let fixed = [
        "[[site]]\n",
        "[listen]\n",
        "[site.cookies]\n",
        "[env.development.site]\n",
        "[[env.x.site]]\n",
        "[site.hsts]\n",
        " = ",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "\r\n",
        "\r",
        "#",
        ".",
        "\"\"\"",
        "\u{feff}",
        "\0",
        "\u{e9}",
        "hosts = [\"app.test\"]\n",
        "to = \"127.0.0.1:8000\"\n",
        "true",
        "0",
        "-1",
        "1.5",
        "1979-05-27",
        "\"local\"",
        "\"5s\"",
        "\"64KiB\"",
        "[\"^a$\"]",
        "tls = { cert = \"a\", key = \"b\" }\n",
        "names.\"a.b\" = { same_site = \"None\" }\n",
    ];
    prop_oneof![
        3 => prop::sample::select(fixed.map(str::to_owned).to_vec()),
        2 => prop::sample::select(keys),
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        show(&file(text))?;
    }

    #[test]
    fn any_pieces(pieces in vec(piece(), 0..40)) {
        show(&file(pieces.concat()))?;
    }

    #[test]
    fn any_value_of_any_setting(at in 0..SETTINGS.len(), value in any::<String>()) {
        let setting = SETTINGS[at];
        let mut sources = file("[[site]]\nhosts = [\"app.test\"]\nto = \"127.0.0.1:8000\"\n".into());
        sources.variables.extend(setting.variable().map(|name| (name, value.clone())));
        sources.variables.extend(setting.django.iter().map(|name| (format!("SEALWAX_{name}"), value.clone())));
        show(&sources)?;
    }

    #[test]
    fn any_variable(name in "SEALWAX_[A-Z_]{0,30}", value in any::<String>()) {
        show(&Sources { variables: vec![(name, value)], ..Sources::default() })?;
    }

    #[test]
    fn any_flags(to in vec(any::<String>(), 0..3), host in any::<String>(), http in any::<Option<String>>(), tls in any::<Option<String>>(), env in any::<Option<String>>()) {
        let flags = Flags { to, hosts: vec![host], http, tls, environment: env, ..Flags::default() };
        show(&Sources { flags, ..Sources::default() })?;
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        match decode("f".as_ref(), bytes.clone()) {
            Ok(text) => prop_assert_eq!(text.into_bytes(), bytes),
            Err(mistake) => prop_assert_eq!(mistake.len(), 1),
        }
    }
}
