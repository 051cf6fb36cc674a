//! Start, reload, drain.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use sealwax_cert::Tickets;
use sealwax_config::{Config, Listen};
use tokio::sync::watch;

use crate::clients::Clients;
use crate::crowd::Capacity;
use crate::error::StartError;
use crate::keeper::Keeper;
use crate::listen::{self, Address, Scheme};
use crate::live::Live;
use crate::worker::{self, Phase};

/// Connections that one worker holds at most, to clients, and again to apps.
const MAX_OPEN: usize = 16 * 1024;

/// File descriptors that are neither a client's nor an upstream's.
const OWN_FILES: u64 = 64;

/// After the time for finishing, workers get this long to notice.
const CLOSING: Duration = Duration::from_secs(2);

/// For what waits to be told of signs of theft.
const TELLING: Duration = Duration::from_secs(3);

/// A running gateway.
///
/// Dropping it without [`Gateway::drain`] closes every connection at once.
pub struct Gateway {
    home: PathBuf,
    addresses: Vec<Address>,
    listen: Listen,
    workers: usize,
    live: Arc<ArcSwap<Live>>,
    /// Session tickets outlive a reload, and work on every worker.
    tickets: Tickets,
    phase: watch::Sender<Phase>,
    threads: Vec<JoinHandle<io::Result<usize>>>,
    keeper: Keeper,
    /// One reload at a time.
    reloading: Mutex<()>,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy when the time was up, and were cut.
    pub cut: usize,
}

impl Gateway {
    /// Loads certificates, opens the listeners and starts the workers. State is
    /// kept under `home`, which is made where it is missing.
    ///
    /// # Errors
    /// The first setting that cannot be served, with cause and mend: an address
    /// in use or not permitted, a certificate or key that cannot be read or do
    /// not match, a local authority that refuses a host.
    pub fn start(config: Config, home: &Path) -> Result<Self, StartError> {
        let workers = config.workers.max(1);
        let listen = config.listen.clone();
        let wanted = listen.http.iter().map(|address| (*address, Scheme::Http));
        let wanted = wanted.chain(listen.https.iter().map(|address| (*address, Scheme::Https)));
        let mut addresses = Vec::new();
        let mut per_worker: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
        for (address, scheme) in wanted {
            let (address, listeners) = listen::bind(address, scheme, workers)?;
            addresses.push(address);
            for (worker, listener) in per_worker.iter_mut().zip(listeners) {
                worker.push((scheme, listener));
            }
        }
        let tickets = Tickets::new().map_err(|error| {
            StartError::new(
                "listen.https",
                error.to_string(),
                "the system gives no randomness; look at /dev/urandom",
            )
        })?;
        let live = Live::build(config, home, https_port(&addresses), &tickets, None)?;
        let live = Arc::new(ArcSwap::from_pointee(live));
        let no_thread = |error: io::Error| {
            StartError::new(
                "workers",
                format!("a thread cannot be started: {error}"),
                "lower `workers` or raise the limit of processes (ulimit -u)",
            )
        };
        let keeper = Keeper::start(&live).map_err(no_thread)?;
        let (phase, watched) = watch::channel(Phase::Serving);
        let descriptors = descriptors(workers);
        let capacity = Capacity::new(descriptors.clients, workers);
        let clients = Clients::new();
        let https_hint = addresses
            .iter()
            .find(|address| address.scheme == Scheme::Https)
            .map(Address::to_string);
        let mut threads = Vec::new();
        for (number, listeners) in per_worker.into_iter().enumerate() {
            let start = worker::Start {
                live: Arc::clone(&live),
                listeners,
                phase: watched.clone(),
                descriptors,
                capacity,
                clients: Arc::clone(&clients),
                keeper: keeper.waker(),
                https_hint: https_hint.clone(),
            };
            let thread = thread::Builder::new()
                .name(format!("sealwax-{number}"))
                .spawn(move || worker::run(start));
            threads.push(thread.map_err(no_thread)?);
        }
        Ok(Self {
            home: home.to_owned(),
            addresses,
            listen,
            workers,
            live,
            tickets,
            phase,
            threads,
            keeper,
            reloading: Mutex::new(()),
        })
    }

    /// The addresses listened on, in the order of the configuration, http
    /// first.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Serves `config` from now on: policy, sites, upstreams, certificates,
    /// time-outs. No connection is dropped; requests in flight end under the
    /// configuration they began with. Returns a sentence for each change that
    /// only a restart can make.
    ///
    /// # Errors
    /// As [`Gateway::start`]. The old configuration keeps serving then.
    pub fn reload(&self, config: Config) -> Result<Vec<String>, StartError> {
        let _one_at_a_time = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut notes = Vec::new();
        if config.listen != self.listen {
            notes.push("listen has changed; restart to listen on other addresses".to_owned());
        }
        if config.workers.max(1) != self.workers {
            notes.push(format!(
                "workers has changed; restart to run {} of them",
                config.workers
            ));
        }
        let mut config = config;
        // The listeners stay, so certificates are needed as long as one of them
        // speaks TLS.
        config.listen = self.listen.clone();
        let previous = self.live.load_full();
        let live = Live::build(
            config,
            &self.home,
            https_port(&self.addresses),
            &self.tickets,
            Some(&previous),
        )?;
        self.live.store(Arc::new(live));
        Ok(notes)
    }

    /// Stops accepting, finishes what is in flight for at most
    /// `timeouts.drain`, then closes what is left. Blocks until all is over and
    /// saved.
    #[must_use]
    pub fn drain(self) -> Drained {
        let limit = self.live.load().timeouts.drain;
        self.phase.send_replace(Phase::Draining);
        let until = Instant::now() + limit;
        wait_for(&self.threads, until);
        self.phase.send_replace(Phase::Closing);
        wait_for(&self.threads, Instant::now() + CLOSING);
        let mut cut = 0;
        for thread in self.threads {
            if !thread.is_finished() {
                continue;
            }
            match thread.join() {
                Ok(Ok(open)) => cut += open,
                Ok(Err(error)) => {
                    tracing::error!(target: "sealwax", %error, "a worker could not run");
                }
                Err(_) => {
                    tracing::error!(target: "sealwax", "a worker ended in a panic; report this");
                }
            }
        }
        self.keeper.stop();
        let live = self.live.load();
        let notifiers = || live.sites.iter().filter_map(|site| site.notifier.as_ref());
        notifiers().for_each(|notifier| notifier.close());
        let until = Instant::now() + TELLING;
        notifiers().for_each(|notifier| notifier.wait(until));
        Drained { cut }
    }
}

fn wait_for<T>(threads: &[JoinHandle<T>], until: Instant) {
    // Short at first, so that an idle gateway ends at once.
    let mut pause = Duration::from_millis(1);
    while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn https_port(addresses: &[Address]) -> Option<u16> {
    addresses
        .iter()
        .find(|address| address.scheme == Scheme::Https)
        .map(|address| address.socket.port())
}

/// How many connections one worker may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptors {
    /// From clients.
    pub(crate) clients: usize,
    /// To apps.
    pub(crate) apps: usize,
}

/// Three fifths of the descriptors are for clients, of whom most only keep their
/// connection, two fifths for apps. The soft limit of most systems is for
/// programs that use `select`; we may take what the hard one grants.
fn descriptors(workers: usize) -> Descriptors {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some() && limit.current < limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(target: "sealwax", %error, "the limit of open files stays as it is");
        }
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let fifth = files.saturating_sub(OWN_FILES) / 5 / workers as u64;
    let fifths = |count: u64| {
        let share = usize::try_from(fifth.saturating_mul(count));
        share.unwrap_or(usize::MAX).clamp(16, MAX_OPEN)
    };
    Descriptors {
        clients: fifths(3),
        apps: fifths(2),
    }
}
