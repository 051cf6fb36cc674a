//! Where state lives: the local certificate authority and what is remembered
//! for each site.

use std::env;
use std::path::PathBuf;

use crate::exit::Failure;

/// `$SEALWAX_HOME`, else `$XDG_DATA_HOME/sealwax`, else
/// `~/.local/share/sealwax`. It is not created here.
pub(crate) fn directory() -> Result<PathBuf, Failure> {
    from_variables(|name| env::var_os(name).map(PathBuf::from))
}

fn from_variables(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, Failure> {
    let named = |name| variable(name).filter(|path| !path.as_os_str().is_empty());
    if let Some(home) = named("SEALWAX_HOME") {
        // A relative path would mean another place after every `cd`.
        if home.is_relative() {
            return Err(Failure::usage(
                "variable SEALWAX_HOME",
                format!("`{}` is not an absolute path", home.display()),
                "write the whole path, starting with `/`",
            ));
        }
        return Ok(home);
    }
    // The XDG Base Directory Specification ignores relative paths.
    if let Some(data) = named("XDG_DATA_HOME").filter(|path| path.is_absolute()) {
        return Ok(data.join("sealwax"));
    }
    match named("HOME").filter(|path| path.is_absolute()) {
        Some(home) => Ok(home.join(".local/share/sealwax")),
        None => Err(Failure::usage(
            "variable HOME",
            "there is no place to keep state: neither SEALWAX_HOME nor XDG_DATA_HOME nor HOME names one",
            "set SEALWAX_HOME to a directory that only the service can read, such as /var/lib/sealwax",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(variables: &[(&str, &str)]) -> Result<String, String> {
        from_variables(|name| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| value.into())
        })
        .map(|path| path.display().to_string())
        .map_err(|failure| failure.message().unwrap_or_default())
    }

    #[test]
    fn the_first_variable_that_names_a_place_wins() {
        let all = [
            ("SEALWAX_HOME", "/a"),
            ("XDG_DATA_HOME", "/b"),
            ("HOME", "/c"),
        ];
        assert_eq!(directory(&all), Ok("/a".into()));
        assert_eq!(directory(&all[1..]), Ok("/b/sealwax".into()));
        assert_eq!(directory(&all[2..]), Ok("/c/.local/share/sealwax".into()));
        let empty = [
            ("SEALWAX_HOME", ""),
            ("XDG_DATA_HOME", "relative"),
            ("HOME", "/c"),
        ];
        assert_eq!(directory(&empty), Ok("/c/.local/share/sealwax".into()));
    }

    #[test]
    fn a_place_that_moves_or_is_missing_is_an_error_with_a_mend() {
        let moving = directory(&[("SEALWAX_HOME", "state")]).unwrap_err();
        assert_eq!(
            moving,
            "error: `state` is not an absolute path\n --> variable SEALWAX_HOME\n  = help: write the whole path, starting with `/`"
        );
        assert!(directory(&[]).unwrap_err().contains("set SEALWAX_HOME"));
    }
}
