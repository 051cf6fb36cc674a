//! A host name for a project.

/// The longest label that DNS allows, in octets (RFC 1035 §2.3.4).
const LONGEST: usize = 63;

/// The name of a directory as a DNS label: `My Shop!` → `my-shop`. A name of
/// which nothing is left becomes `app`.
pub(crate) fn of_directory(name: &str) -> String {
    let mut label = String::new();
    for letter in name.chars() {
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => label.push(letter),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
        if label.len() == LONGEST {
            break;
        }
    }
    let label = label.trim_end_matches('-');
    // `xn--` announces punycode, which a cut-down name is not.
    match label {
        "" => "app".to_owned(),
        label if label.starts_with("xn--") => label.replacen("xn--", "xn-", 1),
        label => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_label() {
        for (name, label) in [
            ("shop", "shop"),
            ("My Shop!", "my-shop"),
            ("snake_case.project", "snake-case-project"),
            ("--x--", "x"),
            ("café", "caf"),
            ("日本", "app"),
            ("", "app"),
            ("/", "app"),
            ("xn--abc", "xn-abc"),
        ] {
            assert_eq!(of_directory(name), label, "{name}");
        }
        assert_eq!(of_directory(&"a".repeat(80)).len(), 63);
        assert_eq!(
            of_directory(&format!("{}-b", "a".repeat(62))),
            "a".repeat(62)
        );
    }
}
