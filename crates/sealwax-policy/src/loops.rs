//! Notices when an app redirects a URL to itself again and again.
//!
//! One such redirect can be honest (a page that sets a cookie and reloads, a
//! job that is not ready yet). The same client being sent to the same URL
//! several times within seconds is the classic loop of an app that does not
//! know it is behind HTTPS. (A permanent one needs no counting.)

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

/// How often within [`WINDOW`] seconds makes a loop. Browsers give up at 20.
const LIMIT: u32 = 5;
const WINDOW: u64 = 10;
const CAPACITY: usize = 1024;

/// Counts self-redirects by client and URL. Bounded; the driver keeps one per
/// worker.
#[derive(Debug, Default)]
pub struct LoopWatch {
    seen: HashMap<u64, (u64, u32)>,
}

impl LoopWatch {
    /// Counts one redirect of `url` to itself for `client` at `now` (Unix
    /// seconds) and says whether that makes a loop.
    pub(crate) fn is_loop(&mut self, client: Option<IpAddr>, url: &[&[u8]], now: u64) -> bool {
        let mut hasher = DefaultHasher::new();
        client.hash(&mut hasher);
        url.hash(&mut hasher);
        let key = hasher.finish();
        if self.seen.len() >= CAPACITY && !self.seen.contains_key(&key) {
            self.seen
                .retain(|_, (since, _)| now.saturating_sub(*since) <= WINDOW);
            if self.seen.len() >= CAPACITY {
                return false;
            }
        }
        let (since, count) = self.seen.entry(key).or_insert((now, 0));
        if now.saturating_sub(*since) > WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count >= LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_within_ten_seconds_make_a_loop() {
        let mut watch = LoopWatch::default();
        let url: &[&[u8]] = &[b"a", b"/"];
        let hits: Vec<bool> = (0..6).map(|_| watch.is_loop(None, url, 100)).collect();
        assert_eq!(hits, [false, false, false, false, true, true]);
        assert!(!watch.is_loop(None, url, 111));
        assert!(!watch.is_loop("::1".parse().ok(), url, 100));
        assert!(!watch.is_loop(None, &[b"a", b"/x"], 100));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut watch = LoopWatch::default();
        for n in 0..5000_u32 {
            watch.is_loop(None, &[&n.to_be_bytes()], 1);
        }
        assert!(watch.seen.len() <= CAPACITY);
        assert!(!watch.is_loop(None, &[b"later"], 100));
        assert_eq!(watch.seen.len(), 1);
    }
}
