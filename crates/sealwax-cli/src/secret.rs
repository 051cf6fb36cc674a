//! `sealwax secret`: the keys that seal cookies, made, rotated and listed. No key is ever printed.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sealwax_config::Secret;
use sealwax_gateway::{LoadedSecret, Retire, SecretError, SecretFile};

use crate::args::{self, KeySource, SecretAction};
use crate::exit::Failure;
use crate::settings::Settings;
use crate::{home, terminal};

const VARIABLE: &str = "SEALWAX_SECRET";

pub(crate) fn run(args: args::Secret) -> Result<ExitCode, Failure> {
    match args.action {
        SecretAction::New(source) => new(source),
        SecretAction::Rotate(args) => rotate(args),
        SecretAction::List(source) => list(source),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn new(source: KeySource) -> Result<(), Failure> {
    let file = file(source)?;
    let ring = file.create().map_err(|error| unable(&error))?;
    let id = ring.ids().next().map(|id| id.to_string());
    terminal::print(&format!(
        "{}: made, with the key {}\n\
         Every node that serves the same sites needs the same file, or its text in {VARIABLE}.\n",
        file.path().display(),
        id.unwrap_or_default()
    ))
}

fn rotate(args: args::Rotate) -> Result<(), Failure> {
    let retire = match (args.keep, args.drop_older_than) {
        (Some(keys), _) => Retire::AllBut(keys),
        (None, Some(age)) => Retire::UnusedFor(age),
        (None, None) => Retire::Nothing,
    };
    let file = file(args.source)?;
    let rotated = file.rotate(retire).map_err(|error| unable(&error))?;
    let ids: Vec<String> = rotated.ring.ids().map(|id| id.to_string()).collect();
    let (first, older) = ids
        .split_first()
        .map_or(("", &ids[..]), |(first, older)| (first, older));
    let mut text = format!("{}: the key {first} seals", file.path().display());
    match older {
        [] => text.push_str(", and nothing else opens\n"),
        older => {
            let _ = writeln!(text, "; still open: {}", older.join(" "));
        }
    }
    if !rotated.dropped.is_empty() {
        let dropped: Vec<String> = rotated.dropped.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "Dropped: {}. What they have sealed does not open any more.",
            dropped.join(" ")
        );
    }
    text.push_str(
        "Copy the file to every node that serves the same sites, then send SIGHUP to each gateway.\n",
    );
    terminal::print(&text)
}

fn list(source: KeySource) -> Result<(), Failure> {
    let (place, ring) = match secret(source)? {
        Secret::Keys(ring) => (format!("variable {VARIABLE}"), ring),
        secret => {
            let file = file_of(&secret)?;
            let loaded = file.load().map_err(|error| unable(&error))?;
            let LoadedSecret { ring, warnings, .. } =
                loaded.ok_or_else(|| unable(&file.missing()))?;
            for warning in warnings {
                terminal::say(&format!("warning: {warning}"));
            }
            (file.path().display().to_string(), ring)
        }
    };
    let now = now();
    let mut text = format!("{place}\n");
    let mut replaced = None;
    for (number, key) in (1..).zip(ring.keys()) {
        let what = if number == 1 {
            "seals and opens"
        } else {
            "opens"
        };
        let made = key.made().map(|made| format!("made {}", ago(now, made)));
        let sealed = replaced.map(|at| format!(", sealed until {}", ago(now, at)));
        let _ = writeln!(
            text,
            "{number:>3}  {}  {what:15}  {}{}",
            key.id(),
            made.as_deref().unwrap_or("age unknown"),
            sealed.unwrap_or_default()
        );
        replaced = key.made();
    }
    terminal::print(&text)
}

/// Where the keys come from, by the same settings that `serve` reads.
fn secret(source: KeySource) -> Result<Secret, Failure> {
    let mut settings = Settings {
        file: source.config,
        ..Settings::default()
    };
    settings.flags.environment = source.env;
    settings.load_secret()
}

/// The file that is to be written.
fn file(source: KeySource) -> Result<SecretFile, Failure> {
    match secret(source)? {
        Secret::Keys(_) => Err(Failure::usage(
            format!("variable {VARIABLE}"),
            "the keys come from the environment, so there is no file to write",
            format!(
                "change them where {VARIABLE} is set; or unset it here, make a file, and take its text from there"
            ),
        )),
        secret => file_of(&secret),
    }
}

fn file_of(secret: &Secret) -> Result<SecretFile, Failure> {
    Ok(match secret {
        Secret::File(path) => SecretFile::new(path),
        _ => SecretFile::below(&home::directory()?),
    })
}

fn unable(error: &SecretError) -> Failure {
    Failure::unable(error.place(), error.cause(), error.mend())
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

fn ago(now: i64, then: i64) -> String {
    let seconds = u64::try_from(now.saturating_sub(then)).unwrap_or(0);
    let (number, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{s} ago")
}

/// A duration as settings have it.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    sealwax_config::duration(text)
        .ok_or_else(|| "write a number with s, m, h or d, such as 400d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_down() {
        for (seconds, text) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (86_399, "23 hours ago"),
            (34_560_000, "400 days ago"),
        ] {
            assert_eq!(ago(1_764_000_000, 1_764_000_000 - seconds), text);
        }
    }
}
