//! Commands as a person would paste them.

use super::machine::Os;

/// One word for a POSIX shell.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A command line for the shell of `os`.
pub(super) fn line<'a>(os: Os, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words
        .into_iter()
        .map(|word| match os {
            // A quote cannot be in a Windows path.
            Os::Windows if word.contains(' ') => format!("\"{word}\""),
            Os::Windows => word.to_owned(),
            _ => quote(word),
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        for word in ["plain", "", "a b", "it's", "$HOME", "a\nb", "~/x", "*", "é"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quote(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
        assert_eq!(line(Os::Linux, ["cp", "a b"]), "cp 'a b'");
        assert_eq!(
            line(Os::Windows, ["certutil", r"C:\a b"]),
            r#"certutil "C:\a b""#
        );
    }
}
