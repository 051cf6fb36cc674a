//! The command line: a mode, then `--name value` pairs, each of them required.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::Error;
use crate::tls::Groups;

/// The most connections that one run opens, whatever it is asked for.
const MAX_CONNECTIONS: u64 = 1_000_000;
/// The most connections held at once: under the file descriptor limit of the servers measured.
const MAX_OPEN: u64 = 9_000;
/// The longest run.
const MAX_SECONDS: f64 = 120.0;

const USAGE: &str = "usage: sealwax-hammer full|resumed|idle --addr 127.0.0.1:PORT --name HOST --ca FILE \
                     --body FILE --cookie VALUE --groups x25519|hybrid --open N --seconds S --limit N";

/// What one run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A full handshake for every connection.
    Full,
    /// A ticket of the connection before for every connection.
    Resumed,
    /// Connections that are opened once and then stay.
    Idle,
}

/// The checked command line.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) mode: Mode,
    pub(crate) addr: SocketAddr,
    /// Name in the SNI extension and in the Host header.
    pub(crate) name: String,
    /// PEM file with the one root that is trusted.
    pub(crate) ca: String,
    /// File whose bytes every answer must have as its body.
    pub(crate) body: String,
    /// Cookie header of every request.
    pub(crate) cookie: String,
    pub(crate) groups: Groups,
    /// Connections at once.
    pub(crate) open: u64,
    /// `full`, `resumed`: length of the run. `idle`: how long the connections may stay at most.
    pub(crate) time: Duration,
    /// `full`, `resumed`: the most connections of the run.
    pub(crate) limit: u64,
}

impl Args {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mode = match words.next().as_deref() {
            Some("full") => Mode::Full,
            Some("resumed") => Mode::Resumed,
            Some("idle") => Mode::Idle,
            Some(other) => return Err(usage(&format!("unknown mode {other:?}"))),
            None => return Err(usage("no mode given")),
        };
        let mut pairs = HashMap::new();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                return Err(usage(&format!("{word:?} is not an option")));
            };
            let value = words
                .next()
                .ok_or_else(|| usage(&format!("--{name} needs a value")))?;
            if pairs.insert(name.to_owned(), value).is_some() {
                return Err(usage(&format!("--{name} was given twice")));
            }
        }
        let mut take = |name: &str| {
            pairs
                .remove(name)
                .ok_or_else(|| usage(&format!("--{name} is missing")))
        };
        let args = Self {
            mode,
            addr: number("addr", &take("addr")?)?,
            name: take("name")?,
            ca: take("ca")?,
            body: take("body")?,
            cookie: take("cookie")?,
            groups: match take("groups")?.as_str() {
                "x25519" => Groups::X25519,
                "hybrid" => Groups::Hybrid,
                other => return Err(usage(&format!("--groups {other:?} is not known"))),
            },
            open: within("open", number("open", &take("open")?)?, MAX_OPEN)?,
            time: seconds(number("seconds", &take("seconds")?)?)?,
            limit: within("limit", number("limit", &take("limit")?)?, MAX_CONNECTIONS)?,
        };
        if let Some(name) = pairs.keys().next() {
            return Err(usage(&format!("--{name} is not known")));
        }
        if !args.addr.ip().is_loopback() {
            return Err(usage(
                "--addr is not a loopback address; load goes nowhere else",
            ));
        }
        Ok(args)
    }
}

fn usage(problem: &str) -> Error {
    Error::Usage(format!("{problem}\n{USAGE}"))
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Error> {
    value
        .parse()
        .map_err(|_| usage(&format!("--{name} {value:?} cannot be read")))
}

fn within(name: &str, value: u64, most: u64) -> Result<u64, Error> {
    if (1..=most).contains(&value) {
        Ok(value)
    } else {
        Err(usage(&format!("--{name} must be 1 to {most}")))
    }
}

fn seconds(value: f64) -> Result<Duration, Error> {
    if value > 0.0 && value <= MAX_SECONDS {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err(usage(&format!(
            "--seconds must be more than 0, at most {MAX_SECONDS}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "full --addr 127.0.0.1:443 --name localhost --ca a --body b --cookie c=1 \
                        --groups x25519 --open 16 --seconds 0.5 --limit 1000";

    fn parse(line: &str) -> Result<Args, Error> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_whole_line_is_read() {
        let args = parse(GOOD).unwrap();
        assert_eq!(args.mode, Mode::Full);
        assert_eq!(args.open, 16);
        assert_eq!(args.time, Duration::from_millis(500));
    }

    #[test]
    fn each_mistake_is_named() {
        for (line, says) in [
            (String::new(), "no mode"),
            (GOOD.replace("full", "fast"), "unknown mode"),
            (GOOD.replace("127.0.0.1", "192.0.2.1"), "not a loopback"),
            (GOOD.replace("--open 16", "--open 0"), "--open must be"),
            (GOOD.replace("--open 16", "--open 10000"), "--open must be"),
            (
                GOOD.replace("--seconds 0.5", "--seconds 3600"),
                "--seconds must be",
            ),
            (
                GOOD.replace("--seconds 0.5", "--seconds NaN"),
                "--seconds must be",
            ),
            (
                GOOD.replace("--limit 1000", "--limit"),
                "--limit needs a value",
            ),
            (GOOD.replace("--limit 1000", ""), "--limit is missing"),
            (format!("{GOOD} --limit 1"), "given twice"),
            (format!("{GOOD} --colour red"), "--colour is not known"),
            (GOOD.replace("x25519", "p256"), "--groups"),
        ] {
            let error = parse(&line).unwrap_err().to_string();
            assert!(error.contains(says), "{line:?} said {error:?}");
        }
    }
}
