//! One worker's upstreams and the idle connections to them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use sealwax_config::Upstream;
use tokio::time::Instant;

use super::budget::{Budget, Slot};
use super::connect;
use super::deadline::Deadline;
use super::health::Health;
use super::wire::Wire;
use crate::clock;
use crate::error::{Fault, UpstreamFault};
use crate::log::{self, Quiet};

/// Idle connections kept per upstream and worker. Generous: too few means a
/// connection per request under load.
const MAX_IDLE: usize = 512;

/// An idle connection is closed after this; before most apps would.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// What a burst has left over is closed sooner: of the connections that were
/// not used for `LEFT_OVER`, so many are kept.
const MAX_RESTING: usize = 32;
const LEFT_OVER: Duration = Duration::from_secs(10);

/// The system may take a moment to give a closed descriptor back.
const CLOSING: Duration = Duration::from_millis(2);

/// One upstream, as one worker sees it.
pub(crate) struct Peer {
    all: Weak<All>,
    budget: Rc<Budget>,
    upstream: Upstream,
    name: String,
    health: Health,
    idle: RefCell<Vec<Idle>>,
    quiet: Quiet,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

/// Boxed, for it goes in and out of the pool with each request.
struct Connection {
    wire: Wire,
    timer: Deadline,
}

/// Which connections a request may go out on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// New ones only.
    Never,
    /// Kept ones too, after a look at each by the system: the request could not
    /// be sent again if the app has just closed it.
    Seen,
    /// Kept ones too, as far as the runtime has heard of them.
    Unseen,
}

/// A connection in use.
pub(crate) struct Lease {
    peer: Rc<Peer>,
    connection: Box<Connection>,
}

impl Lease {
    pub(crate) fn peer(&self) -> &Rc<Peer> {
        &self.peer
    }

    pub(super) fn wire(&mut self) -> &mut Wire {
        &mut self.connection.wire
    }

    pub(super) fn timer(&mut self) -> &mut Deadline {
        &mut self.connection.timer
    }

    /// The bare connection, which will not come back.
    pub(super) fn into_wire(self) -> Wire {
        self.connection.wire
    }

    /// Puts the connection back; its request and response are over. What the
    /// app sent beyond its response would be taken for the next one, so a
    /// connection with a byte left over is closed.
    pub(crate) fn give_back(mut self) {
        if !self.wire().unread().is_empty() {
            tracing::debug!(target: "sealwax", upstream = self.peer.name(), "the app sent more than its response; the connection is closed");
            return;
        }
        self.wire().rest();
        let mut idle = self.peer.idle.borrow_mut();
        if idle.len() < MAX_IDLE {
            idle.push(Idle {
                connection: self.connection,
                since: clock::now(),
            });
            drop(idle);
            self.peer.budget.note_freed();
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

    /// The most recently used connection that can be used still.
    fn take_idle(self: &Rc<Self>, reuse: Reuse) -> Option<Lease> {
        if reuse == Reuse::Never {
            return None;
        }
        loop {
            // The borrow ends before a connection is closed, for whoever waits
            // for its slot.
            let found = self.idle.borrow_mut().pop()?;
            let wire = &found.connection.wire;
            if wire.is_quiet() && (reuse == Reuse::Unseen || wire.is_surely_quiet()) {
                return Some(Lease {
                    peer: Rc::clone(self),
                    connection: found.connection,
                });
            }
        }
    }

    /// A connection: an idle one if it may be, else a new one. Where the
    /// worker has as many as it may have, one that comes free within `limit`.
    /// True when it had been used before.
    pub(super) async fn lease(
        self: &Rc<Self>,
        reuse: Reuse,
        limit: Duration,
    ) -> Result<(Lease, bool), Fault> {
        let found = if self.budget.is_crowded() {
            None
        } else {
            self.seize(reuse)
        };
        let found = match found {
            Some(found) => found,
            None => self.wait(reuse, limit).await?,
        };
        match found {
            Found::Idle(lease) => Ok((lease, true)),
            Found::Slot(slot) => Ok((self.connect(slot, limit).await?, false)),
        }
    }

    /// The common case, without a future: an idle connection that nobody else
    /// waits for.
    pub(super) fn take_uncontested(self: &Rc<Self>, reuse: Reuse) -> Option<Lease> {
        if self.budget.is_crowded() {
            return None;
        }
        self.take_idle(reuse)
    }

    fn seize(self: &Rc<Self>, reuse: Reuse) -> Option<Found> {
        let idle = self.take_idle(reuse);
        idle.map(Found::Idle)
            .or_else(|| self.budget.slot().map(Found::Slot))
    }

    async fn wait(self: &Rc<Self>, reuse: Reuse, limit: Duration) -> Result<Found, Fault> {
        // What is idle belongs to whoever waits already.
        let mut mine = !self.budget.is_crowded();
        let turn = self.budget.queue();
        let waiting = async {
            loop {
                if let Some(all) = self.all.upgrade().filter(|_| mine) {
                    // Idle connections to others are of more use here.
                    all.close_oldest_idle();
                }
                turn.freed().await;
                mine = true;
                if let Some(found) = self.seize(reuse) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(limit, waiting).await;
        drop(turn);
        if self.all.upgrade().is_some_and(|all| all.has_idle()) {
            self.budget.note_freed();
        }
        found.map_err(|_| Fault::Full(self.budget.limit()))
    }

    async fn connect(self: &Rc<Self>, slot: Slot, limit: Duration) -> Result<Lease, Fault> {
        let connecting = async {
            match connect::connect(&self.upstream, slot).await {
                Err(error) if is_out_of_files(&error) => {
                    // Others in this process use descriptors too.
                    let closed = self.all.upgrade().is_some_and(|all| all.close_idle() > 0);
                    let slot = self.budget.slot().filter(|_| closed);
                    let Some(slot) = slot else {
                        return Err(error);
                    };
                    tokio::time::sleep(CLOSING).await;
                    connect::connect(&self.upstream, slot).await
                }
                outcome => outcome,
            }
        };
        match tokio::time::timeout(limit, connecting).await {
            Ok(Ok(wire)) => Ok(Lease {
                peer: Rc::clone(self),
                connection: Box::new(Connection {
                    wire,
                    timer: Deadline::default(),
                }),
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
        let mut resting = 0;
        self.idle.borrow_mut().retain(|idle| {
            let rested = now.saturating_duration_since(idle.since);
            if rested >= LEFT_OVER {
                resting += 1;
            }
            rested < IDLE_FOR && resting <= MAX_RESTING && idle.connection.wire.is_quiet()
        });
    }
}

/// What a request can go out on.
enum Found {
    Idle(Lease),
    Slot(Slot),
}

/// EMFILE, ENFILE: closing other connections helps.
pub(crate) fn is_out_of_files(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    code == Some(Errno::MFILE.raw_os_error()) || code == Some(Errno::NFILE.raw_os_error())
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
pub(crate) struct Peers {
    all: Rc<All>,
    budget: Rc<Budget>,
}

#[derive(Default)]
struct All(RefCell<HashMap<String, Rc<Peer>>>);

impl Peers {
    /// No more than `limit` connections to all upstreams together.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            all: Rc::default(),
            budget: Budget::new(limit),
        }
    }

    /// The upstreams of one site, in order.
    pub(crate) fn group(&self, upstreams: &[Upstream]) -> Group {
        let mut known = self.all.0.borrow_mut();
        let peers = upstreams.iter().map(|upstream| {
            let name = upstream.to_string();
            let peer = known.entry(name.clone()).or_insert_with(|| {
                Rc::new(Peer {
                    all: Rc::downgrade(&self.all),
                    budget: Rc::clone(&self.budget),
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
        self.all.0.borrow_mut().retain(|_, peer| {
            peer.sweep(now);
            Rc::strong_count(peer) > 1
        });
    }

    /// Closes all idle connections, since descriptors are out, and waits until
    /// they are given back. False when there were none.
    pub(crate) async fn give_up_idle(&self) -> bool {
        let any = self.all.close_idle() > 0;
        if any {
            tokio::time::sleep(CLOSING).await;
        }
        any
    }
}

impl All {
    fn close_idle(&self) -> usize {
        let peers = self.0.borrow();
        let closed = peers.values().map(|peer| peer.idle.take().len());
        closed.sum()
    }

    fn has_idle(&self) -> bool {
        let peers = self.0.borrow();
        peers.values().any(|peer| !peer.idle.borrow().is_empty())
    }

    fn close_oldest_idle(&self) {
        let peers = self.0.borrow();
        let oldest = peers.values().filter_map(|peer| {
            let idle = peer.idle.borrow();
            let (at, idle) = idle.iter().enumerate().min_by_key(|(_, idle)| idle.since)?;
            Some((idle.since, peer, at))
        });
        if let Some((_, peer, at)) = oldest.min_by_key(|(since, ..)| *since) {
            peer.idle.borrow_mut().swap_remove(at);
        }
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
        Peers::new(8).group(&upstreams)
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
