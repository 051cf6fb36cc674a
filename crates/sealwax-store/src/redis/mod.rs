//! Redis or Valkey: one key for each session, expired by the server.
//!
//! ```text
//!   sealwax:session:KEY        "MICROSECONDS DATA"      SET … NX/XX PXAT, GET, DEL
//!   sealwax:token:HASH         a hash of the columns    scripts of one step
//!   sealwax:tokens:SUBJECT     the set of its hashes
//! ```

mod cache;
mod link;
mod sessions;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;

use crate::StoreError;
use link::Link;

/// One server; clones share its connection.
#[derive(Clone)]
pub(crate) struct Redis {
    link: Arc<Link>,
}

impl Redis {
    /// Connects once, so that a wrong URL is found at start, and looks at how the
    /// server keeps what it is given.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let link = Link::new(url)?;
        // A key that has expired when it is set is not stored: what this asks is
        // whether the server can write, and knows PXAT (Redis 6.2).
        let mut probe = Cmd::new();
        probe
            .arg("SET")
            .arg("sealwax:probe")
            .arg("")
            .arg("PXAT")
            .arg(1);
        let probed: Result<redis::Value, _> = link.ask(&probe).await;
        probed.map_err(|error| link.at_start(&error))?;
        let mut info = Cmd::new();
        info.arg("INFO").arg("everything");
        // A user who may not ask is told nothing, and served all the same.
        if let Ok(text) = link.ask::<String>(&info).await {
            advise(link.place(), &text);
        }
        Ok(Self {
            link: Arc::new(link),
        })
    }

    pub(crate) fn place(&self) -> &str {
        self.link.place()
    }

    fn corrupt(&self, cause: &str) -> StoreError {
        let mend = "look for another program that writes keys beginning with sealwax:";
        StoreError::corrupt(self.place(), cause, mend)
    }
}

/// Warns of a server that may forget what it has confirmed.
fn advise(place: &str, info: &str) {
    let value = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim_end)
    };
    if value("aof_enabled") == Some("0") {
        tracing::warn!(
            "{place}: appendonly is off, so sessions are lost when the server ends; \
             set appendonly yes and appendfsync always"
        );
    }
    if let Some(policy) = value("maxmemory_policy").filter(|policy| *policy != "noeviction") {
        tracing::warn!(
            "{place}: maxmemory-policy is {policy}, so a full server drops live sessions; \
             set it to noeviction"
        );
    }
}

/// The millisecond at which the server may drop a key: not before the instant, and
/// never 0, which it refuses.
fn drop_at(instant: Duration) -> u64 {
    let millis = instant.as_nanos().div_ceil(1_000_000);
    // The server counts in signed 64 bits and refuses what would not fit.
    u64::try_from(millis).unwrap_or(u64::MAX).clamp(1, 1 << 52)
}

/// The microsecond of an instant, as it is stored.
fn micros(instant: Duration) -> u64 {
    u64::try_from(instant.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_never_drops_a_key_too_early() {
        assert_eq!(drop_at(Duration::ZERO), 1);
        assert_eq!(drop_at(Duration::from_micros(1_000)), 1);
        assert_eq!(drop_at(Duration::from_micros(1_001)), 2);
        assert_eq!(
            drop_at(Duration::from_micros(1_800_000_000_000_001)),
            1_800_000_000_001
        );
        assert_eq!(drop_at(Duration::MAX), 1 << 52);
    }
}
