//! One worker: a thread with a runtime of its own, its listeners, its
//! connections and its pool. Nothing here is shared with the other workers but
//! the configuration snapshot, the number of connections that each client
//! holds, and the word to stop.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use arc_swap::ArcSwap;
use sealwax_policy::LoopWatch;
use tokio::sync::watch;

use crate::apps::Apps;
use crate::clients::Clients;
use crate::clock;
use crate::connection;
use crate::crowd::{Capacity, Crowd, Open, Overload};
use crate::gateway::Descriptors;
use crate::keeper::Wake;
use crate::listen::Scheme;
use crate::live::Live;
use crate::log::Quiet;
use crate::upstream::{Peers, is_out_of_files};

/// Where the process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// No new connections; those that are there finish.
    Draining,
    /// Time is up.
    Closing,
}

/// Out of file descriptors: others must close first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection that is turned away may take: for its handshake, to ask,
/// and to read why.
const TURN_AWAY: Duration = Duration::from_secs(2);

const SWEEP_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Worker {
    live: Arc<ArcSwap<Live>>,
    /// `live` with this worker's upstreams; renewed when `live` is replaced.
    current: RefCell<Rc<Current>>,
    peers: Peers,
    pub(crate) loops: RefCell<LoopWatch>,
    /// Every open connection.
    crowd: Rc<Crowd>,
    clients: Arc<Clients>,
    keeper: Sender<Wake>,
    pub(crate) complaints: Complaints,
}

/// One per kind, so that a common complaint does not drown a rare one.
#[derive(Default)]
pub(crate) struct Complaints {
    pub(crate) accept: Quiet,
    pub(crate) full: Quiet,
    pub(crate) greedy: Quiet,
    pub(crate) tls_on_http: Quiet,
    pub(crate) fault: Quiet,
    pub(crate) unknown_host: Quiet,
}

/// The snapshot as one worker holds it.
pub(crate) struct Current {
    pub(crate) live: Arc<Live>,
    /// By index of the site.
    pub(crate) apps: Vec<Apps>,
}

/// What a worker is started with.
pub(crate) struct Start {
    pub(crate) live: Arc<ArcSwap<Live>>,
    pub(crate) listeners: Vec<(Scheme, TcpListener)>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) descriptors: Descriptors,
    pub(crate) capacity: Capacity,
    pub(crate) clients: Arc<Clients>,
    pub(crate) keeper: Sender<Wake>,
    /// Where TLS clients belong that come to the http listener.
    pub(crate) https_hint: Option<String>,
}

/// Runs a worker until the process closes. Returns the number of connections
/// that were cut then.
pub(crate) fn run(start: Start) -> io::Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_unpark(clock::woke)
        .build_local(Default::default())?;
    clock::keep_turns();
    runtime.block_on(serve(start))
}

async fn serve(start: Start) -> io::Result<usize> {
    let Start {
        live,
        listeners,
        mut phase,
        descriptors,
        capacity,
        clients,
        keeper,
        https_hint,
    } = start;
    let peers = Peers::new(descriptors.apps);
    let current = RefCell::new(Current::of(live.load_full(), &peers));
    let worker = Rc::new(Worker {
        live,
        current,
        peers,
        loops: RefCell::default(),
        crowd: Crowd::new(capacity),
        clients,
        keeper,
        complaints: Complaints::default(),
    });
    let https_hint: Option<Rc<str>> = https_hint.map(Into::into);
    let mut accepting = Vec::new();
    for (scheme, listener) in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accepting.push(tokio::task::spawn_local(accept(
            Rc::clone(&worker),
            listener,
            scheme,
            https_hint.clone(),
        )));
    }
    let sweeping = tokio::task::spawn_local(sweep(Rc::clone(&worker)));
    reach(&mut phase, Phase::Draining).await;
    worker.crowd.drain();
    for task in accepting {
        // The listener closes with its task.
        task.abort();
        let _ = task.await;
    }
    worker.closed(&mut phase).await;
    sweeping.abort();
    // What is left ends with the runtime.
    Ok(worker.crowd.len())
}

/// An error means that the gateway itself is gone: time to stop too.
async fn reach(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|now| *now >= wanted).await;
}

impl Worker {
    /// The configuration to serve a request with.
    pub(crate) fn current(&self) -> Rc<Current> {
        {
            let live = self.live.load();
            let current = self.current.borrow();
            if Arc::ptr_eq(&current.live, &live) {
                return Rc::clone(&current);
            }
        }
        let renewed = Current::of(self.live.load_full(), &self.peers);
        *self.current.borrow_mut() = Rc::clone(&renewed);
        renewed
    }

    /// What becomes of a new connection from `peer`. Where connections run
    /// short those that can leave are given a turn to do so.
    async fn admit(&self, peer: IpAddr) -> Admission {
        let counted = self.clients.enter(peer);
        let held = counted.held();
        let current = self.current();
        let live = &current.live;
        let limit = live.limits.client_connections.map(|limit| limit as usize);
        let mut why = limit.filter(|limit| held > *limit).map(Overload::Client);
        if self.crowd.is_short() {
            why = why.or_else(|| self.crowd.is_greedy(held));
        }
        // Asked late, since it is seldom of interest.
        why = why.filter(|_| !live.trusts(peer));
        if why.is_none() && self.crowd.is_short() {
            if self.crowd.make_room() && self.crowd.is_full().is_some() {
                tokio::task::yield_now().await;
            }
            why = self.crowd.is_full();
        }
        let Some(why) = why else {
            return Admission::Served(self.crowd.serve(counted));
        };
        self.complain(peer, why);
        self.crowd
            .turn_away(why)
            .map_or(Admission::Refused, Admission::TurnedAway)
    }

    fn complain(&self, peer: IpAddr, why: Overload) {
        let complaints = match why {
            Overload::Full(_) => &self.complaints.full,
            Overload::Client(_) | Overload::Share(_) => &self.complaints.greedy,
        };
        complaints.say(|repeated| {
            tracing::warn!(target: "sealwax", client = %peer.to_canonical(), repeated, "a connection was turned away: {why}");
        });
    }

    /// There are names to save.
    pub(crate) fn wake_keeper(&self) {
        // The keeper outlives the workers; if it is gone, so is the process.
        let _ = self.keeper.send(Wake::Unsaved);
    }

    /// Until no connection is left, or time is up.
    async fn closed(&self, phase: &mut watch::Receiver<Phase>) {
        let mut closing = std::pin::pin!(reach(phase, Phase::Closing));
        while self.crowd.len() > 0 {
            let mut closed = std::pin::pin!(self.crowd.all_closed());
            let time_is_up = std::future::poll_fn(|cx| {
                use std::task::Poll;
                if closed.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(false);
                }
                closing.as_mut().poll(cx).map(|()| true)
            });
            if time_is_up.await {
                return;
            }
        }
    }
}

/// What becomes of a new connection.
enum Admission {
    Served(Open),
    /// It is told that we are busy.
    TurnedAway(Open),
    /// It is closed: to tell it costs more than can be spared.
    Refused,
}

impl Current {
    fn of(live: Arc<Live>, peers: &Peers) -> Rc<Self> {
        let apps = live.sites.iter().map(|site| Apps::of(site, peers));
        let apps = apps.collect();
        Rc::new(Self { live, apps })
    }
}

async fn accept(
    worker: Rc<Worker>,
    listener: tokio::net::TcpListener,
    scheme: Scheme,
    https_hint: Option<Rc<str>>,
) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                let admission = worker.admit(peer.ip()).await;
                let serve = |open| {
                    let (worker, hint) = (Rc::clone(&worker), https_hint.clone());
                    connection::serve(worker, open, socket, peer, scheme, hint)
                };
                match admission {
                    Admission::Served(open) => {
                        tokio::task::spawn_local(serve(open));
                    }
                    Admission::TurnedAway(open) => {
                        let telling = tokio::time::timeout(TURN_AWAY, serve(open));
                        tokio::task::spawn_local(telling);
                    }
                    Admission::Refused => {}
                }
            }
            // The client left between its connection and our turn.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if is_out_of_files(&error) && worker.peers.give_up_idle().await {
                    continue;
                }
                worker.complaints.accept.say(|repeated| {
                    tracing::error!(
                        target: "sealwax",
                        %error,
                        repeated,
                        "no connection can be accepted; if files are out, raise the limit of open files (ulimit -n, LimitNOFILE)"
                    );
                });
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn sweep(worker: Rc<Worker>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        // A worker without requests would otherwise hold on to an old snapshot.
        drop(worker.current());
        worker.peers.sweep();
    }
}
