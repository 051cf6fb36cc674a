//! Settings from environment variables, under Django's own names.

use std::collections::BTreeMap;

use super::mistake::{Mistake, Mistakes};
use super::table::{Setting, Settings};

const PREFIX: &str = "SEALWAX_";

/// What a gateway beside this app calls the same keys.
const GATEWAYS_KEYS: &str = "SEALWAX_SECRET";

/// What begins so is ours or a slip of the pen.
const FAMILIES: [&str; 7] = [
    "SESSION_COOKIE_",
    "CSRF_",
    "SECURE_",
    "SECRET_KEY",
    "SEAL_KEY",
    "SEALED_COOKIE",
    "BOUND_COOKIE",
];

/// Django's settings that have no counterpart: they must not be ignored in silence.
const ELSEWHERE: [(&str, &str); 3] = [
    (
        "USE_X_FORWARDED_HOST",
        "let the proxy pass Host on as it came",
    ),
    (
        "USE_X_FORWARDED_PORT",
        "let the proxy pass Host on as it came, port included",
    ),
    (
        "CSRF_FAILURE_VIEW",
        "wrap the CsrfLayer in a layer of the app's own that rewrites its 403",
    ),
];

impl Settings {
    /// [`production`](Self::production), with the variables of the environment laid over it;
    /// [`development`](Self::development) where `SEALWAX_ENV` is `development`.
    ///
    /// Every setting is read under Django's name (one that Django does not have, under its own in
    /// upper case), as it is or with `SEALWAX_` in front, which wins:
    /// `SECURE_SSL_REDIRECT=false`, `SEALWAX_CSRF_TOKEN=always`. Lists have commas between.
    /// `DEBUG`, at which many programs look, is refused outside of development.
    ///
    /// # Errors
    /// Every variable that cannot be read and every mistake that [`check`](Self::check) finds, at
    /// once.
    pub fn from_env() -> Result<Self, Mistakes> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            // No setting has another name; a value that is no text is reported as none.
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        Self::from_variables(variables)
    }

    /// The same with `variables` for the environment.
    ///
    /// ```
    /// use sealwax::Settings;
    ///
    /// let settings = Settings::from_variables([
    ///     ("ALLOWED_HOSTS".into(), "app.example.com, .example.org".into()),
    ///     ("SECRET_KEY".into(), "0aPq…".repeat(11)),
    ///     ("SESSION_COOKIE_AGE".into(), "soon".into()),
    /// ]);
    /// assert_eq!(
    ///     settings.unwrap_err().to_string(),
    ///     "SESSION_COOKIE_AGE: `soon` is not a whole number in range; write one"
    /// );
    /// ```
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Mistakes> {
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        let mut mistakes = Vec::new();
        let mut settings = preset(&variables, &mut mistakes);
        for setting in Setting::ALL {
            let name = setting.variable();
            let with_prefix = format!("{PREFIX}{name}");
            let Some((name, text)) = variables
                .get_key_value(&with_prefix)
                .or_else(|| variables.get_key_value(&name))
                .or_else(|| match setting.name {
                    "seal_keys" => variables.get_key_value(GATEWAYS_KEYS),
                    _ => None,
                })
            else {
                continue;
            };
            // A key is what it is: Django does not trim it either.
            let laid = match setting.name {
                "secret_key" => text,
                _ => text.trim(),
            };
            if let Err(wanted) = setting.lay(&mut settings, laid) {
                let shown = if setting.name.starts_with("secret") {
                    "the value".to_owned()
                } else {
                    format!("`{text}`")
                };
                let cause = format!("{shown} is not {wanted}");
                mistakes.push(Mistake::new(name, cause, "write one"));
            }
        }
        mistakes.extend(stray_debug(&variables, &settings));
        mistakes.extend(variables.keys().filter_map(|name| unknown(name)));
        if let Err(more) = settings.check() {
            mistakes.extend(more.0);
        }
        Mistakes::check(mistakes)?;
        Ok(settings)
    }
}

fn preset(variables: &BTreeMap<String, String>, mistakes: &mut Vec<Mistake>) -> Settings {
    let none = Vec::<String>::new();
    match variables.get("SEALWAX_ENV").map(String::as_str) {
        Some("development") => Settings::development(),
        None | Some("production") => Settings::production(none),
        Some(other) => {
            mistakes.push(Mistake::new(
                "SEALWAX_ENV",
                format!("`{other}` is no preset"),
                "write production or development",
            ));
            Settings::production(none)
        }
    }
}

/// Many programs look at `DEBUG`. Alone it must not turn production into half a development.
fn stray_debug(variables: &BTreeMap<String, String>, settings: &Settings) -> Option<Mistake> {
    let chosen = variables
        .get("SEALWAX_ENV")
        .is_some_and(|name| name == "development");
    let place = match variables.contains_key("SEALWAX_DEBUG") {
        true => "SEALWAX_DEBUG",
        false => "DEBUG",
    };
    (settings.debug && !chosen).then(|| {
        Mistake::new(
            place,
            "in production refusals must not tell strangers their reason",
            "take it away, or set SEALWAX_ENV=development",
        )
    })
}

/// A variable that somebody meant for us, and that would have no effect.
fn unknown(name: &str) -> Option<Mistake> {
    let rest = name.strip_prefix(PREFIX);
    if let Some((_, mend)) = ELSEWHERE
        .iter()
        .find(|(django, _)| rest.unwrap_or(name) == *django)
    {
        let cause = "there is no such setting here";
        return Some(Mistake::new(name, cause, *mend));
    }
    // Without the prefix it may be anybody's.
    let rest = rest?;
    let ours = FAMILIES.iter().any(|family| rest.starts_with(family));
    let known = Setting::ALL
        .iter()
        .any(|setting| setting.variable() == rest);
    (ours && !known).then(|| {
        Mistake::new(
            name,
            "there is no such setting",
            "see Setting::ALL for their names",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let key = (
            "SECRET_KEY",
            "an example of fifty characters, which nobody guesses!",
        );
        let hosts = ("ALLOWED_HOSTS", "a.example");
        let variables = [key, hosts].into_iter().chain(variables.iter().copied());
        Settings::from_variables(variables.map(|(name, value)| (name.into(), value.into())))
            .map_err(|mistakes| mistakes.iter().map(|m| m.place.clone()).collect())
    }

    #[test]
    fn djangos_names_are_read_and_the_prefix_wins() {
        let settings = read(&[
            ("SECURE_SSL_REDIRECT", "true"),
            ("SEALWAX_SECURE_SSL_REDIRECT", "False"),
            (
                "CSRF_TRUSTED_ORIGINS",
                "https://a.example, https://*.b.example",
            ),
            ("CSRF_COOKIE_AGE", "None"),
            ("SEALWAX_COOKIE_PREFIX", "off"),
            ("PATH", "/bin"),
        ])
        .unwrap();
        assert!(!settings.secure_ssl_redirect && !settings.cookie_prefix);
        assert_eq!(settings.csrf_trusted_origins.len(), 2);
        assert_eq!(settings.csrf_cookie_age, None);
        assert_eq!(settings.allowed_hosts, ["a.example"]);
    }

    #[test]
    fn every_mistake_comes_at_once() {
        let mistakes = read(&[
            ("SESSION_COOKIE_AGE", "-1"),
            ("CSRF_COOKIE_SAMESITE", "sometimes"),
            ("SEALWAX_SESSION_COOKIE_AEG", "1"),
            ("USE_X_FORWARDED_HOST", "True"),
            ("SECURE_REDIRECT_EXEMPT", "(?=x)"),
        ]);
        assert_eq!(
            mistakes.unwrap_err(),
            [
                "SESSION_COOKIE_AGE",
                "CSRF_COOKIE_SAMESITE",
                "SEALWAX_SESSION_COOKIE_AEG",
                "USE_X_FORWARDED_HOST",
                "secure_redirect_exempt",
            ]
        );
    }

    #[test]
    fn the_preset_is_chosen_by_name() {
        let settings = read(&[("SEALWAX_ENV", "development")]).unwrap();
        assert!(settings.debug && !settings.session_cookie_secure);
        assert!(read(&[("SEALWAX_ENV", "staging")]).is_err());
    }

    #[test]
    fn debug_belongs_to_development() {
        for name in ["DEBUG", "SEALWAX_DEBUG"] {
            assert_eq!(read(&[(name, "True")]).unwrap_err(), [name]);
        }
        assert!(
            read(&[("DEBUG", "1"), ("SEALWAX_ENV", "development")])
                .unwrap()
                .debug
        );
        assert!(
            !read(&[("DEBUG", "1"), ("SEALWAX_DEBUG", "off")])
                .unwrap()
                .debug
        );
    }

    #[test]
    fn nothing_at_all_switches_nothing_off() {
        for name in ["SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE"] {
            assert_eq!(read(&[(name, "")]).unwrap_err(), [name]);
        }
    }

    #[test]
    fn a_key_is_taken_as_it_is() {
        let key = format!(" {}\n", "k0".repeat(30));
        let settings = Settings::from_variables([
            ("SECRET_KEY".into(), key.clone()),
            ("ALLOWED_HOSTS".into(), " a.example ".into()),
        ]);
        assert_eq!(settings.unwrap().secret_key.expose(), key);
    }

    #[test]
    fn every_default_can_be_written_and_read() {
        for setting in Setting::ALL {
            let mut settings = Settings::defaults();
            let wanted = Settings::defaults();
            setting.lay(&mut settings, &setting.default()).unwrap();
            assert_eq!(settings, wanted, "{}", setting.name);
        }
    }
}
