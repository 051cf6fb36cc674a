//! One worker's upstreams and the idle connections to them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use sealwax_config::Upstream;
use tokio::time::Instant;

use super::connect::{self, Interim};
use super::health::Health;
use crate::body::RequestBody;
use crate::error::{Fault, UpstreamFault};
use crate::log::{self, Quiet};

/// Idle connections kept per upstream and worker. Generous: too few means a
/// connection per request under load.
const MAX_IDLE: usize = 512;

/// An idle connection is closed after this; before most apps would.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// One upstream, as one worker sees it.
pub(crate) struct Peer {
    upstream: Upstream,
    name: String,
    health: Health,
    idle: RefCell<Vec<Idle>>,
    quiet: Quiet,
}

struct Idle {
    sender: SendRequest<RequestBody>,
    interim: Arc<Interim>,
    since: Instant,
}

/// A connection in use.
pub(crate) struct Lease {
    peer: Rc<Peer>,
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) interim: Arc<Interim>,
}

impl Lease {
    pub(crate) fn peer(&self) -> &Rc<Peer> {
        &self.peer
    }

    /// Puts the connection back; its request and response are over.
    pub(crate) fn give_back(self) {
        if self.sender.is_closed() {
            return;
        }
        let mut idle = self.peer.idle.borrow_mut();
        if idle.len() < MAX_IDLE {
            idle.push(Idle {
                sender: self.sender,
                interim: self.interim,
                since: Instant::now(),
            });
        }
    }
}

impl Peer {
    /// The upstream as the configuration names it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// The most recently used connection that is ready.
    pub(super) fn take_idle(self: &Rc<Self>) -> Option<Lease> {
        let mut idle = self.idle.borrow_mut();
        let mut at = idle.len();
        while at > 0 {
            at -= 1;
            let sender = &idle.get(at)?.sender;
            if sender.is_ready() {
                let found = idle.swap_remove(at);
                return Some(Lease {
                    peer: Rc::clone(self),
                    sender: found.sender,
                    interim: found.interim,
                });
            }
            if sender.is_closed() {
                idle.swap_remove(at);
            }
        }
        None
    }

    pub(super) async fn connect(self: &Rc<Self>, limit: Duration) -> Result<Lease, Fault> {
        match tokio::time::timeout(limit, connect::connect(&self.upstream)).await {
            Ok(Ok((sender, interim))) => Ok(Lease {
                peer: Rc::clone(self),
                sender,
                interim,
            }),
            Ok(Err(error)) if is_exhaustion(&error) => Err(Fault::Exhausted(error)),
            Ok(Err(error)) => Err(Fault::Upstream(
                self.name.clone(),
                UpstreamFault::Connect(error),
            )),
            Err(_) => Err(Fault::Upstream(
                self.name.clone(),
                UpstreamFault::ConnectTimeout(limit),
            )),
        }
    }

    /// Tells the operator of a response that stopped before its end.
    pub(crate) fn report_broken_response(&self, how: &str) {
        self.quiet
            .say(|repeated| log::broken_response(&self.name, how, repeated));
    }

    fn sweep(&self, now: Instant) {
        self.idle.borrow_mut().retain(|idle| {
            !idle.sender.is_closed() && now.saturating_duration_since(idle.since) < IDLE_FOR
        });
    }
}

/// EMFILE, ENFILE, EADDRNOTAVAIL: our own shortage, not the upstream's fault.
fn is_exhaustion(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::ADDRNOTAVAIL,
        Errno::NOBUFS,
        Errno::NOMEM,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| codes.iter().any(|errno| errno.raw_os_error() == code))
}

/// All upstreams that a worker has ever been told of and still needs, by name,
/// so that a reload keeps their connections and their health.
#[derive(Default)]
pub(crate) struct Peers(RefCell<HashMap<String, Rc<Peer>>>);

impl Peers {
    /// The upstreams of one site, in order.
    pub(crate) fn group(&self, upstreams: &[Upstream]) -> Group {
        let mut known = self.0.borrow_mut();
        let peers = upstreams.iter().map(|upstream| {
            let name = upstream.to_string();
            let peer = known.entry(name.clone()).or_insert_with(|| {
                Rc::new(Peer {
                    upstream: upstream.clone(),
                    name,
                    health: Health::default(),
                    idle: RefCell::default(),
                    quiet: Quiet::default(),
                })
            });
            Rc::clone(peer)
        });
        Group {
            peers: peers.collect(),
            next: Cell::new(0),
        }
    }

    /// Closes what has been idle for long, and forgets upstreams that no site
    /// uses any more.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.0.borrow_mut().retain(|_, peer| {
            peer.sweep(now);
            Rc::strong_count(peer) > 1
        });
    }
}

/// The upstreams of one site.
pub(crate) struct Group {
    peers: Box<[Rc<Peer>]>,
    next: Cell<usize>,
}

impl Group {
    /// The next upstream in turn that is not known to be down; when all are,
    /// the one whose failure lies furthest back. None of `tried`.
    pub(super) fn pick(&self, tried: &[Rc<Peer>]) -> Option<Rc<Peer>> {
        // The common case of one upstream needs neither clock nor turn.
        if let ([only], true) = (&*self.peers, tried.is_empty()) {
            return Some(Rc::clone(only));
        }
        let start = self.next.get();
        self.next.set(start.wrapping_add(1));
        let now = Instant::now();
        let untried = || {
            let (late, early) = self.peers.split_at(start % self.peers.len().max(1));
            early
                .iter()
                .chain(late)
                .filter(|peer| !tried.iter().any(|other| Rc::ptr_eq(other, peer)))
        };
        let healthy = untried().find(|peer| peer.health.available(now));
        healthy
            .or_else(|| untried().min_by_key(|peer| peer.health.failed_at()))
            .map(Rc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(names: &[&str]) -> Group {
        let upstreams: Vec<Upstream> = names
            .iter()
            .map(|name| Upstream::Unix(std::path::PathBuf::from(format!("/{name}"))))
            .collect();
        Peers::default().group(&upstreams)
    }

    fn picked(group: &Group, tried: &[Rc<Peer>]) -> String {
        group.pick(tried).map_or_else(String::new, |peer| {
            peer.name().rsplit('/').next().unwrap().to_owned()
        })
    }

    #[test]
    fn healthy_upstreams_take_turns() {
        let group = group(&["a", "b", "c"]);
        let turns: Vec<String> = (0..6).map(|_| picked(&group, &[])).collect();
        assert_eq!(turns, ["a", "b", "c", "a", "b", "c"]);
    }

    #[test]
    fn one_that_is_down_is_passed_over() {
        let group = group(&["a", "b"]);
        group.peers[0].health.fail(Instant::now());
        assert_eq!([picked(&group, &[]), picked(&group, &[])], ["b", "b"]);
    }

    #[test]
    fn when_all_are_down_the_oldest_failure_is_tried() {
        let group = group(&["a", "b", "c"]);
        let now = Instant::now();
        for (at, millis) in [(0, 2), (1, 1), (2, 3)] {
            group.peers[at]
                .health
                .fail(now + Duration::from_millis(millis));
        }
        assert_eq!(picked(&group, &[]), "b");
        let tried = [group.pick(&[]).unwrap()];
        assert_eq!(picked(&group, &tried), "a");
    }

    #[test]
    fn nothing_is_tried_twice() {
        let group = group(&["a"]);
        let tried = [group.pick(&[]).unwrap()];
        assert!(group.pick(&tried).is_none());
    }
}
