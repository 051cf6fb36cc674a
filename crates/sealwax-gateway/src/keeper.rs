//! The thread that keeps: it writes learned names to the disk, moves the
//! HSTS ramps on and ends migrations, away from the workers, which must never wait for a disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::clock;
use crate::live::Live;

/// Names that are learned close together are written together.
const GATHER: Duration = Duration::from_secs(1);

const TICK_EVERY: Duration = Duration::from_secs(60);

pub(crate) enum Wake {
    /// There is something to save.
    Unsaved,
    /// Save and end.
    Stop,
}

pub(crate) struct Keeper {
    wake: Sender<Wake>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn start(live: &Arc<ArcSwap<Live>>) -> std::io::Result<Self> {
        let (wake, woken) = channel();
        let live = Arc::clone(live);
        let thread = thread::Builder::new()
            .name("sealwax-keeper".into())
            .spawn(move || keep(&live, &woken))?;
        Ok(Self { wake, thread })
    }

    pub(crate) fn waker(&self) -> Sender<Wake> {
        self.wake.clone()
    }

    /// Saves what is left and ends the thread.
    pub(crate) fn stop(self) {
        // A thread that is gone already has nothing to be told.
        let _ = self.wake.send(Wake::Stop);
        let _ = self.thread.join();
    }
}

fn keep(live: &ArcSwap<Live>, woken: &Receiver<Wake>) {
    let mut tick_due = Instant::now();
    loop {
        let now = Instant::now();
        if now >= tick_due {
            tick(live);
            tick_due = now + TICK_EVERY;
        }
        match woken.recv_timeout(tick_due.saturating_duration_since(now)) {
            Ok(Wake::Unsaved) => {
                let stop = gather(woken);
                save(&live.load());
                if stop {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return save(&live.load()),
        }
    }
}

fn tick(live: &ArcSwap<Live>) {
    live.load().advance_ramps();
    for site in &live.load().sites {
        site.report_due();
    }
    // What could not be written earlier; as a rule there is nothing.
    save(&live.load());
    let now = clock::unix();
    if live.load().has_ended_migrations(now) {
        live.rcu(|live| {
            let mut next = Live::clone(live);
            next.end_migrations(now);
            next
        });
    }
}

/// Waits until the names have gathered; true when it is time to end.
fn gather(woken: &Receiver<Wake>) -> bool {
    let until = Instant::now() + GATHER;
    loop {
        match woken.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Wake::Unsaved) => {}
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

fn save(live: &Live) {
    for site in &live.sites {
        site.memory.save();
    }
}
