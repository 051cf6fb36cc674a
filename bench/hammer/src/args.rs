//! The command line: a mode, then `--name value` pairs, each of them required.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::Error;
use crate::tls::{Groups, Protocol};

/// The most connections that one run opens, whatever it is asked for.
const MAX_CONNECTIONS: u64 = 1_000_000;
/// The most connections held at once: under the limit of file descriptors of this process.
const MAX_OPEN: u64 = 19_000;
/// The most streams at once on one connection.
const MAX_STREAMS: u64 = 100;
/// The longest run.
const MAX_SECONDS: f64 = 7200.0;
/// The most source addresses: 127.0.0.2 and up.
const MAX_SOURCES: u8 = 250;

const USAGE: &str =
    "usage: sealwax-hammer MODE --addr 127.0.0.1:PORT --name HOST --ca FILE --body FILE \
    --cookie VALUE --open N --seconds S, and by mode:
  full, resumed: --groups x25519|hybrid --limit CONNECTIONS
  idle:          --protocol h1|h2
  load:          --protocol h1|h2 --streams N --pause SECONDS --abort-every REQUESTS|0 --sources N
  slow:          --drip SECONDS --refill PER-SECOND --sources N";

/// What one run does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// Connections with one request each, again and again.
    Handshakes {
        /// By a ticket of the connection before.
        resumed: bool,
        groups: Groups,
        /// The most connections of the run.
        limit: u64,
    },
    /// Connections that are opened once, asked once, and then stay.
    Idle { protocol: Protocol },
    /// Requests on standing connections, some of them given up by the client.
    Load(LoadArgs),
    /// Connections that keep the server waiting.
    Slow {
        /// Between two bytes.
        drip: Duration,
        /// The most connections opened anew in a second.
        refill: u64,
        sources: Sources,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LoadArgs {
    pub(crate) protocol: Protocol,
    /// At once on one connection.
    pub(crate) streams: u64,
    /// Between two requests of one connection.
    pub(crate) pause: Duration,
    /// Each request with a number divisible by this is given up; none when 0.
    pub(crate) abort_every: u64,
    pub(crate) sources: Sources,
}

/// How many loopback addresses the connections come from: an address has some 28,000 ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sources(u8);

impl Sources {
    /// Left to the system: 127.0.0.1.
    #[cfg(test)]
    pub(crate) const ONE: Self = Self(0);

    pub(crate) fn of(self, connection: u64) -> Option<Ipv4Addr> {
        let rest = connection.checked_rem(u64::from(self.0))?;
        Some(Ipv4Addr::new(127, 0, 0, 2 + u8::try_from(rest).ok()?))
    }
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
    /// Connections at once.
    pub(crate) open: u64,
    /// The length of the run; with `idle` how long the connections may stay at most.
    pub(crate) time: Duration,
}

impl Args {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mode = words.next().ok_or_else(|| usage("no mode given"))?;
        let mut pairs = Pairs::read(words)?;
        let args = Self {
            mode: pairs.mode(&mode)?,
            addr: pairs.number("addr")?,
            name: pairs.take("name")?,
            ca: pairs.take("ca")?,
            body: pairs.take("body")?,
            cookie: pairs.take("cookie")?,
            open: pairs.within("open", 1, MAX_OPEN)?,
            time: pairs.seconds("seconds", f64::MIN_POSITIVE)?,
        };
        if let Some(name) = pairs.0.keys().next() {
            return Err(usage(&format!("--{name} is not known to {mode}")));
        }
        if !args.addr.ip().is_loopback() {
            return Err(usage(
                "--addr is not a loopback address; load goes nowhere else",
            ));
        }
        Ok(args)
    }
}

/// What is left of the command line.
struct Pairs(HashMap<String, String>);

impl Pairs {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
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
        Ok(Self(pairs))
    }

    fn mode(&mut self, name: &str) -> Result<Mode, Error> {
        Ok(match name {
            "full" | "resumed" => Mode::Handshakes {
                resumed: name == "resumed",
                groups: match self.take("groups")?.as_str() {
                    "x25519" => Groups::X25519,
                    "hybrid" => Groups::Hybrid,
                    other => return Err(usage(&format!("--groups {other:?} is not known"))),
                },
                limit: self.within("limit", 1, MAX_CONNECTIONS)?,
            },
            "idle" => Mode::Idle {
                protocol: self.protocol()?,
            },
            "load" => Mode::Load(LoadArgs {
                protocol: self.protocol()?,
                streams: self.within("streams", 1, MAX_STREAMS)?,
                pause: self.seconds("pause", 0.0)?,
                abort_every: self.number("abort-every")?,
                sources: self.sources()?,
            }),
            "slow" => Mode::Slow {
                drip: self.seconds("drip", 0.01)?,
                refill: self.within("refill", 1, MAX_OPEN)?,
                sources: self.sources()?,
            },
            other => return Err(usage(&format!("unknown mode {other:?}"))),
        })
    }

    fn take(&mut self, name: &str) -> Result<String, Error> {
        self.0
            .remove(name)
            .ok_or_else(|| usage(&format!("--{name} is missing")))
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str) -> Result<T, Error> {
        let value = self.take(name)?;
        value
            .parse()
            .map_err(|_| usage(&format!("--{name} {value:?} cannot be read")))
    }

    fn within(&mut self, name: &str, least: u64, most: u64) -> Result<u64, Error> {
        let value = self.number(name)?;
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(usage(&format!("--{name} must be {least} to {most}")))
        }
    }

    fn seconds(&mut self, name: &str, least: f64) -> Result<Duration, Error> {
        let value: f64 = self.number(name)?;
        if (least..=MAX_SECONDS).contains(&value) {
            Ok(Duration::from_secs_f64(value))
        } else {
            Err(usage(&format!(
                "--{name} must be {least:.2} to {MAX_SECONDS}"
            )))
        }
    }

    fn protocol(&mut self) -> Result<Protocol, Error> {
        match self.take("protocol")?.as_str() {
            "h1" => Ok(Protocol::Http1),
            "h2" => Ok(Protocol::Http2),
            other => Err(usage(&format!("--protocol {other:?} is not known"))),
        }
    }

    fn sources(&mut self) -> Result<Sources, Error> {
        self.within("sources", 0, u64::from(MAX_SOURCES))
            .map(|number| Sources(u8::try_from(number).unwrap_or(MAX_SOURCES)))
    }
}

fn usage(problem: &str) -> Error {
    Error::Usage(format!("{problem}\n{USAGE}"))
}

#[cfg(test)]
mod tests;
