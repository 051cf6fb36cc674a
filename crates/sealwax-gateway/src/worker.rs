//! One worker: a thread with a runtime of its own, its listeners, its
//! connections and its pool. Nothing here is shared with the other workers but
//! the configuration snapshot and the word to stop.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Waker};
use std::time::Duration;

use arc_swap::ArcSwap;
use sealwax_policy::LoopWatch;
use slab::Slab;
use tokio::sync::{Notify, watch};

use crate::connection;
use crate::gateway::Share;
use crate::keeper::Wake;
use crate::listen::Scheme;
use crate::live::Live;
use crate::log::Quiet;
use crate::upstream::{Group, Peers, is_out_of_files};

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

const SWEEP_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Worker {
    live: Arc<ArcSwap<Live>>,
    /// `live` with this worker's upstreams; renewed when `live` is replaced.
    current: RefCell<Rc<Current>>,
    peers: Peers,
    pub(crate) loops: RefCell<LoopWatch>,
    draining: Cell<bool>,
    /// Every open connection, and whom to wake when the drain begins.
    open: RefCell<Slab<Option<Waker>>>,
    max_open: usize,
    all_closed: Notify,
    keeper: Sender<Wake>,
    pub(crate) complaints: Complaints,
}

/// One per kind, so that a common complaint does not drown a rare one.
#[derive(Default)]
pub(crate) struct Complaints {
    pub(crate) accept: Quiet,
    pub(crate) full: Quiet,
    pub(crate) tls_on_http: Quiet,
    pub(crate) fault: Quiet,
    pub(crate) unknown_host: Quiet,
}

/// The snapshot as one worker holds it.
pub(crate) struct Current {
    pub(crate) live: Arc<Live>,
    /// By index of the site.
    pub(crate) groups: Vec<Group>,
}

/// What a worker is started with.
pub(crate) struct Start {
    pub(crate) live: Arc<ArcSwap<Live>>,
    pub(crate) listeners: Vec<(Scheme, TcpListener)>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) share: Share,
    pub(crate) keeper: Sender<Wake>,
    /// Where TLS clients belong that come to the http listener.
    pub(crate) https_hint: Option<String>,
}

/// Runs a worker until the process closes. Returns the number of connections
/// that were cut then.
pub(crate) fn run(start: Start) -> io::Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())?;
    runtime.block_on(serve(start))
}

async fn serve(start: Start) -> io::Result<usize> {
    let Start {
        live,
        listeners,
        mut phase,
        share,
        keeper,
        https_hint,
    } = start;
    let peers = Peers::new(share.apps);
    let current = RefCell::new(Current::of(live.load_full(), &peers));
    let worker = Rc::new(Worker {
        live,
        current,
        peers,
        loops: RefCell::default(),
        draining: Cell::new(false),
        open: RefCell::default(),
        max_open: share.clients,
        all_closed: Notify::new(),
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
    worker.drain();
    for task in accepting {
        // The listener closes with its task.
        task.abort();
        let _ = task.await;
    }
    worker.closed(&mut phase).await;
    sweeping.abort();
    // What is left ends with the runtime.
    Ok(worker.open_connections())
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

    /// Counts a connection for as long as the guard lives.
    pub(crate) fn connection(self: &Rc<Self>) -> Open {
        let place = self.open.borrow_mut().insert(None);
        Open {
            worker: Rc::clone(self),
            place,
        }
    }

    fn open_connections(&self) -> usize {
        self.open.borrow().len()
    }

    fn drain(&self) {
        self.draining.set(true);
        for (_, waker) in self.open.borrow().iter() {
            waker.iter().for_each(Waker::wake_by_ref);
        }
    }

    /// There are names to save.
    pub(crate) fn wake_keeper(&self) {
        // The keeper outlives the workers; if it is gone, so is the process.
        let _ = self.keeper.send(Wake::Unsaved);
    }

    /// Until no connection is left, or time is up.
    async fn closed(&self, phase: &mut watch::Receiver<Phase>) {
        let mut closing = std::pin::pin!(reach(phase, Phase::Closing));
        while self.open_connections() > 0 {
            let mut closed = std::pin::pin!(self.all_closed.notified());
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

/// An open connection: it is counted, and hears of the drain.
pub(crate) struct Open {
    worker: Rc<Worker>,
    place: usize,
}

impl Open {
    /// Whether the process is about to end.
    pub(crate) fn drains(&self) -> bool {
        self.worker.draining.get()
    }

    /// The same; the task is woken when it is.
    pub(crate) fn is_draining(&self, cx: &Context<'_>) -> bool {
        let mut open = self.worker.open.borrow_mut();
        if let Some(waker) = open.get_mut(self.place)
            && waker
                .as_ref()
                .is_none_or(|known| !known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        self.worker.draining.get()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.worker.open.borrow_mut();
        open.try_remove(self.place);
        if open.is_empty() {
            self.worker.all_closed.notify_one();
        }
    }
}

impl Current {
    fn of(live: Arc<Live>, peers: &Peers) -> Rc<Self> {
        let groups = live
            .sites
            .iter()
            .map(|site| peers.group(&site.upstreams))
            .collect();
        Rc::new(Self { live, groups })
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
                if worker.open_connections() >= worker.max_open {
                    worker.complaints.full.say(|repeated| {
                        tracing::warn!(
                            target: "sealwax",
                            repeated,
                            limit = worker.max_open,
                            "a connection was turned away: as many as this worker may hold are open; raise the limit of open files (ulimit -n, LimitNOFILE)"
                        );
                    });
                    continue;
                }
                let open = worker.connection();
                tokio::task::spawn_local(connection::serve(
                    Rc::clone(&worker),
                    open,
                    socket,
                    peer,
                    scheme,
                    https_hint.clone(),
                ));
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
