//! The reference of settings is made from the table and kept in the
//! repository.

use std::path::Path;

use sealwax_config::{SETTINGS, Sources, help_text, load, reference_markdown};

#[test]
fn the_reference_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let wanted = reference_markdown();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/settings.md is stale; make it anew with: UPDATE=1 cargo test -p sealwax-config"
    );
}

#[test]
fn every_setting_is_in_the_help_and_the_lines_fit() {
    let help = help_text();
    for setting in SETTINGS {
        assert!(
            help.contains(&setting.key.replace(".*.", ".NAME.")),
            "{}",
            setting.key
        );
        if let Some(flag) = setting.flag {
            assert!(help.contains(flag), "{flag}");
        }
    }
    for line in help.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_table_is_sound() {
    let mut names: Vec<String> = Vec::new();
    for setting in SETTINGS {
        assert!(setting.help.ends_with('.'), "{}", setting.key);
        names.push(setting.key.to_owned());
        names.extend(setting.variable());
        names.extend(setting.django.iter().map(|name| format!("SEALWAX_{name}")));
        names.extend(setting.flag.map(str::to_owned));
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two settings share a name");
}

/// The example in the reference is a configuration, in each of its environments.
#[test]
fn the_example_can_be_served() {
    let markdown = reference_markdown();
    let example = markdown
        .split("```")
        .nth(1)
        .and_then(|block| block.strip_prefix("toml\n"))
        .unwrap();
    for (environment, host, mode) in [
        ("production", "app.example.com", "Enforce"),
        ("development", "app.localhost", "Enforce"),
        ("staging", "app.example.com", "Report"),
    ] {
        let mut sources = Sources {
            file: Some(("sealwax.toml".into(), example.into())),
            ..Sources::default()
        };
        sources.flags.environment = Some(environment.into());
        let loaded = load(&sources).unwrap();
        assert!(loaded.warnings.is_empty());
        let [site] = loaded.config.sites.as_slice() else {
            panic!("one site")
        };
        assert_eq!(
            (
                site.name.as_str(),
                format!("{:?}", site.policy.mode).as_str()
            ),
            (host, mode)
        );
    }
}
