//! One run of one scenario: what all its parts share.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use tokio::sync::Notify;

use super::line::{Fault, Shared, Stream, Way};
use super::message::{Head, Name, Received};
use super::plan::Scenario;

pub struct Run {
    pub number: u64,
    pub scenario: Scenario,
    pub began: Instant,
    ways: [Shared; 4],
    pub seen: RefCell<Vec<Seen>>,
    /// What one of the parts has found wrong.
    pub problems: RefCell<Vec<String>>,
    /// Requests that the app works on.
    busy: Cell<usize>,
    changed: Notify,
}

/// A request as the app saw it.
#[derive(Debug)]
pub struct Seen {
    pub nth: usize,
    /// The first on its connection.
    pub first: bool,
    pub head: Head,
    pub body: Received,
    /// Complete by its own framing.
    pub whole: bool,
    /// The app has begun to answer.
    pub answered: bool,
    /// What came through the tunnel, and whether it ended as it should.
    pub tunnel: Option<(Vec<u8>, bool)>,
}

impl Run {
    pub fn new(number: u64, scenario: Scenario) -> Self {
        Self {
            number,
            ways: Stream::ALL.map(|stream| Way::new(stream, &scenario.faults)),
            scenario,
            began: Instant::now(),
            seen: RefCell::default(),
            problems: RefCell::default(),
            busy: Cell::new(0),
            changed: Notify::new(),
        }
    }

    pub fn name(&self, nth: usize) -> Name {
        Name {
            run: self.number,
            nth,
        }
    }

    pub fn way(&self, stream: Stream) -> &Shared {
        &self.ways[stream as usize]
    }

    pub fn passed(&self, stream: Stream) -> u64 {
        self.way(stream).borrow().passed
    }

    /// The faults that came to pass.
    pub fn fired(&self) -> Vec<Fault> {
        let ways = self.ways.iter();
        ways.flat_map(|way| way.borrow().fired.clone()).collect()
    }

    pub fn problem(&self, text: String) {
        self.problems.borrow_mut().push(text);
    }

    /// Until the app works on nothing.
    pub async fn app_rests(&self) {
        while self.busy.get() > 0 {
            self.changed.notified().await;
        }
    }

    pub fn begin(&self) -> Busy<'_> {
        self.busy.set(self.busy.get() + 1);
        Busy(self)
    }
}

pub struct Busy<'r>(&'r Run);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
        self.0.changed.notify_waiters();
        self.0.changed.notify_one();
    }
}
