//! The reference of settings and the help of the command line, made from the
//! table.

use crate::kind::Kind;
use crate::settings::{REFUSED_DJANGO, REFUSED_KEYS, SETTINGS, Scope, Setting, Unset};

const INTRODUCTION: &str = "\
# Settings

<!-- Made from crates/sealwax-config/src/settings.rs. To make it anew:
     UPDATE=1 cargo test -p sealwax-config -->

A setting may stand in the configuration file, in an environment variable or, where a flag is named, on the command line. Later ones win:

1. the default,
2. the file,
3. the table `[env.NAME]` of the chosen environment,
4. variables,
5. flags.

A list that is written replaces the list below it. A list may be written as one text where it has one item. In variables and flags, its items are divided by commas; where an item has a comma in it, write a TOML array: `SEALWAX_SECURE_REDIRECT_EXEMPT='[\"^a{1,2}$\"]'`.

Durations are whole seconds or a number with `ms`, `s`, `m`, `h` or `d`: `90`, `\"5s\"`, `\"30d\"`. Sizes are whole bytes or a number with `KiB`, `MiB`, `GiB`, `kB`, `MB` or `GB`: `\"64KiB\"`.

**Environments.** `--env` chooses, else `SEALWAX_ENV`, else `environment` in the file, else `production` with a file and `development` without one. `[env.NAME]` may hold everything the file may hold, but for `environment` itself:

```toml
[[site]]
hosts = [\"app.example.com\"]
to = \"unix:/run/app.sock\"
tls = { cert = \"/etc/ssl/app.pem\", key = \"/etc/ssl/app.key\" }

[env.development.site]          # laid over every site
hosts = [\"app.localhost\"]
to = \"http://127.0.0.1:8000\"
tls = \"local\"

[[env.staging.site]]            # laid over the site with the same hosts;
hosts = [\"app.example.com\"]     # where there is none, one more site
mode = \"report\"
```

**Variables.** Each setting has a variable; Django's names work too, with `SEALWAX_` in front. Variables and flags of a site count for every site. A variable whose name is nearly that of a setting is refused; any other `SEALWAX_` variable is warned of.

A mistake anywhere is told with its place, its cause and its mend, all at once, and nothing starts (exit code 64).
";

/// `docs/settings.md`.
#[must_use]
pub fn reference_markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    for (scope, title) in [
        (Scope::Gateway, "The gateway"),
        (Scope::Site, "Each `[[site]]`"),
        (Scope::Path, "Parts of a site: `[site.paths]`"),
        (Scope::Fresh, "Fresh proofs: `[site.bind.fresh]`"),
        (Scope::Cookie, "Single cookies: `[site.cookies.names.NAME]`"),
    ] {
        out.push_str(&format!("\n## {title}\n"));
        for setting in SETTINGS.iter().filter(|setting| setting.scope() == scope) {
            out.push_str(&section(setting));
        }
    }
    out.push_str(DJANGO);
    for setting in SETTINGS {
        for name in setting.django {
            out.push_str(&format!("| `{name}` | {} |\n", here(setting, name)));
        }
    }
    for (name, cookie) in [
        ("SESSION", "sessionid"),
        ("CSRF", "csrftoken"),
        ("LANGUAGE", "django_language"),
    ] {
        out.push_str(&format!("| `{name}_COOKIE_NAME` | the cookie that `{name}_COOKIE_…` speaks of; without it `{cookie}` |\n"));
        out.push_str(&format!(
            "| `{name}_COOKIE_SECURE` | always true; `false` is refused |\n"
        ));
    }
    for refused in REFUSED_DJANGO {
        out.push_str(&format!(
            "| `{}` | refused: it {}; {} |\n",
            refused.name, refused.why, refused.mend
        ));
    }
    out.push_str("\n## Refused by name\n\n| Key | Why | In its place |\n|---|---|---|\n");
    for refused in REFUSED_KEYS {
        out.push_str(&format!(
            "| `{}` | {} | {} |\n",
            refused.name, refused.why, refused.mend
        ));
    }
    out.push_str("| `site.tls = \"acme\"` | is not in this version | name certificate files |\n");
    out.push_str("| `secure = false` for a cookie | every cookie leaves with `Secure` | leave it out; development has HTTPS too |\n");
    out
}

const DJANGO: &str = "
## Django's names

Each is taken from the environment with `SEALWAX_` in front: `SEALWAX_SECURE_HSTS_SECONDS=3600`.

| Django | Here |
|---|---|
";

fn section(setting: &Setting) -> String {
    let mut out = format!(
        "\n### `{}`\n\n{}\n\n",
        setting
            .key
            .replace(".*.", ".NAME.")
            .replace(".*", ".\"/PATH/\""),
        setting.help
    );
    out.push_str(&format!("- Value: {}\n", value(setting)));
    out.push_str(&format!("- Default: {}\n", default(setting)));
    if let Some(variable) = setting.variable() {
        out.push_str(&format!("- Variable: `{variable}`\n"));
    }
    if let Some(flag) = setting.flag {
        out.push_str(&format!("- Flag: `{flag}`\n"));
    }
    if !setting.django.is_empty() {
        let names: Vec<String> = setting
            .django
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        out.push_str(&format!("- Django: {}\n", names.join(", ")));
    }
    out.push_str(&format!("- Since: {}\n", setting.since));
    out
}

fn value(setting: &Setting) -> String {
    let kind = setting.kind.describe();
    match setting.kind {
        Kind::Duration(least, most) => {
            format!(
                "{kind}, {} to {}",
                crate::units::duration_text(least),
                crate::units::duration_text(most)
            )
        }
        Kind::Size { least, most, .. } => {
            format!(
                "{kind}, {} to {}",
                crate::units::size_text(least),
                crate::units::size_text(most)
            )
        }
        _ => kind,
    }
}

fn default(setting: &Setting) -> String {
    match setting.default {
        Unset::Is("") => "none".to_owned(),
        Unset::Is(text)
            if text.bytes().all(|b| b.is_ascii_digit()) && !setting.kind.unit().is_empty() =>
        {
            format!("`{text}` ({})", setting.kind.unit())
        }
        Unset::Is(text) => format!("`{text}`"),
        Unset::Told(text) => text.to_owned(),
        Unset::Required => "required".to_owned(),
    }
}

fn here(setting: &Setting, django: &str) -> String {
    if setting.scope() != Scope::Cookie {
        return format!("`{}`", setting.key);
    }
    let cookie = match django.split('_').next() {
        Some("SESSION") => "sessionid",
        Some("CSRF") => "csrftoken",
        _ => "django_language",
    };
    format!("`{}`", setting.key.replace('*', cookie))
}

/// One line or two for each setting, at most 100 columns wide, for the help of
/// the command line: the variable, the default, the key.
#[must_use]
pub fn help_text() -> String {
    let mut out = String::from("Settings, by their key in sealwax.toml and their variable:\n");
    for setting in SETTINGS {
        let names = match (setting.variable(), setting.flag) {
            (Some(variable), Some(flag)) => format!("{variable}, {flag}"),
            (Some(variable), None) => variable,
            _ => setting
                .django
                .iter()
                .map(|name| format!("SEALWAX_{name}"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        out.push_str(&format!("\n  {}\n", setting.key.replace(".*.", ".NAME.")));
        for line in wrap(&names, 92)
            .into_iter()
            .chain(wrap(&setting.help.replace('`', ""), 92))
        {
            out.push_str(&format!("      {line}\n"));
        }
        for line in wrap(
            &format!("Default: {}", default(setting).replace('`', "")),
            92,
        ) {
            out.push_str(&format!("      {line}\n"));
        }
    }
    out
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
