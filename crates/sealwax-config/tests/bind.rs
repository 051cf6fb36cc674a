//! `[site.bind]`: what does not fit together is told.

use sealwax_config::{Sources, load};

fn said(bind: &str) -> String {
    let text = format!("[[site]]\nhosts = [\"localhost\"]\nto = \"127.0.0.1:8000\"\n{bind}\n");
    let sources = Sources {
        file: Some(("sealwax.toml".into(), text)),
        ..Sources::default()
    };
    match load(&sources) {
        Ok(loaded) => loaded.warnings.render(false),
        Err(mistakes) => mistakes.render(false),
    }
}

#[test]
fn a_table_without_cookies_binds_nothing() {
    for line in [
        "lifetime = \"10m\"",
        "born_on = [\"^login/\"]",
        "fresh = { \"^account/\" = \"0s\" }",
    ] {
        let said = said(&format!("[site.bind]\n{line}"));
        assert!(said.contains("no cookie is bound"), "{said}");
        assert!(said.contains("cookies = [\"sessionid\"]"), "{said}");
    }
}

#[test]
fn what_scripts_read_cannot_be_bound() {
    let said = said("cookies.readable = [\"sid\"]\nbind.cookies = [\"sid\"]");
    assert!(
        said.contains("cannot both be read by scripts and be sealed"),
        "{said}"
    );
}

#[test]
fn a_short_lifetime_is_warned_of_and_a_shorter_one_refused() {
    let with = |lifetime: &str| {
        said(&format!(
            "bind = {{ cookies = [\"sid\"], lifetime = \"{lifetime}\" }}"
        ))
    };
    assert!(with("1m").contains("signatures"), "{}", with("1m"));
    assert_eq!(with("10m"), "");
    assert!(with("4s").contains("site.bind.lifetime"), "{}", with("4s"));
}

#[test]
fn a_pattern_that_does_not_compile_is_shown() {
    let said = said("[site.bind]\ncookies = [\"sid\"]\nfresh = { \"(\" = \"0s\" }");
    assert!(
        said.contains("site.bind.fresh") && said.contains("does not compile"),
        "{said}"
    );
}
