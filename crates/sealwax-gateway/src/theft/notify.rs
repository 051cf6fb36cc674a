//! Hands events to the operator's webhook or command, from a thread of its own: no request ever
//! waits for it.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sealwax_config::Notify;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::Event;

/// Events that wait for a receiver that is slow.
const MAX_WAITING: usize = 256;

/// For a receiver to take one event.
const PATIENCE: Duration = Duration::from_secs(10);

/// Before a receiver is tried again that did not take an event.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How often a command is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The way to one receiver. What waits when the last handle is gone is still handed over.
#[derive(Debug)]
pub(crate) struct Notifier {
    to: Notify,
    /// `None` when it is closed.
    queue: Mutex<Option<SyncSender<String>>>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Nothing is tried again.
    ending: AtomicBool,
    dropped: AtomicU64,
}

impl Notifier {
    pub(crate) fn start(site: &str, to: &Notify) -> io::Result<Arc<Self>> {
        let (queue, waiting) = sync_channel(MAX_WAITING);
        let shared = Arc::new(Shared::default());
        let taker = Taker::of(to);
        let (site, state) = (site.to_owned(), Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("sealwax-notify".into())
            .spawn(move || hand_over(&site, &taker, &waiting, &state))?;
        Ok(Arc::new(Self {
            to: to.clone(),
            queue: Mutex::new(Some(queue)),
            shared,
            thread: Mutex::new(Some(thread)),
        }))
    }

    pub(crate) fn is_to(&self, to: &Notify) -> bool {
        self.to == *to
    }

    /// Never waits; without room the event is dropped, and counted.
    pub(crate) fn send(&self, event: &Event) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = queue
            .as_ref()
            .is_some_and(|queue| queue.try_send(event.to_json().to_string()).is_ok());
        if !sent {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes nothing more, and tries nothing again.
    pub(crate) fn close(&self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        *queue = None;
    }

    /// Waits until what was taken is handed over, at most so long.
    pub(crate) fn wait(&self, until: Instant) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        while thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until
        {
            thread::sleep(LOOK);
        }
    }
}

enum Taker {
    Webhook(Agent, String),
    Command(Vec<String>),
}

impl Taker {
    fn of(to: &Notify) -> Self {
        match to {
            Notify::Url(url) => Self::Webhook(agent(), url.clone()),
            Notify::Command(words) => Self::Command(words.clone()),
        }
    }
}

fn hand_over(site: &str, taker: &Taker, waiting: &Receiver<String>, shared: &Shared) {
    for event in waiting {
        let mut pauses = PAUSES.into_iter();
        loop {
            let taken = match taker {
                Taker::Webhook(agent, url) => post(agent, url, &event),
                Taker::Command(words) => run(words, &event),
            };
            let Err(why) = taken else { break };
            match pauses.next() {
                Some(pause) if !shared.ending.load(Ordering::Relaxed) => rest(pause, shared),
                _ => {
                    tracing::warn!(
                        target: "sealwax",
                        site,
                        "an event was not taken: {why}; look at site.notify. The event: {event}"
                    );
                    break;
                }
            }
        }
        let dropped = shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(
                target: "sealwax",
                site,
                dropped,
                "events were written down only: the receiver in site.notify is too slow for them"
            );
        }
    }
}

fn rest(pause: Duration, shared: &Shared) {
    let until = Instant::now() + pause;
    while Instant::now() < until && !shared.ending.load(Ordering::Relaxed) {
        thread::sleep(LOOK);
    }
}

/// One that follows nobody elsewhere, and trusts whom the machine trusts.
fn agent() -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(sealwax_cert::crypto_provider())
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("sealwax/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

fn post(agent: &Agent, url: &str, event: &str) -> Result<(), String> {
    let answer = agent
        .post(url)
        .content_type("application/json")
        .send(event)
        .map_err(|error| format!("{url}: {error}"))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("{url} answered {}", status.as_u16())),
    }
}

/// Without a shell, and without the keys that our own environment may hold.
fn run(words: &[String], event: &str) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_remove("SEALWAX_SECRET")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    // The event fits the pipe; a program that reads nothing is no fault.
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(event.as_bytes());
    }
    let until = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program}: {status}")),
            Ok(None) if Instant::now() < until => thread::sleep(LOOK),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!(
                    "{program} took longer than {} s",
                    PATIENCE.as_secs()
                ));
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    }
}
