//! The valve on a request body: when it may flow, how it ended, and whether it
//! should stop.
//!
//! The body is read by the task of the upstream connection, while the request
//! is steered by the task of the client's; the gate is what both can reach.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// What the body may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Valve {
    /// Flow.
    Open,
    /// Wait for the app's 100, for a while (RFC 9110 §10.1.1).
    AwaitContinue,
    /// Wait for good: the app has answered without it.
    Held,
    /// End in an error.
    Aborted,
}

/// How a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client sent nothing for so long.
    Idle(Duration),
    /// The client left, or its framing is broken.
    Broken,
    /// It is longer than so many bytes.
    TooLarge(u64),
}

#[derive(Debug)]
pub(crate) struct Gate {
    valve: Cell<Valve>,
    done: Cell<bool>,
    failure: Cell<Option<Failure>>,
    progress: Cell<Instant>,
    waker: RefCell<Option<Waker>>,
}

impl Gate {
    pub(crate) fn new(valve: Valve) -> Rc<Self> {
        Rc::new(Self {
            valve: Cell::new(valve),
            done: Cell::new(false),
            failure: Cell::new(None),
            progress: Cell::new(Instant::now()),
            waker: RefCell::new(None),
        })
    }

    pub(crate) fn valve(&self) -> Valve {
        self.valve.get()
    }

    pub(crate) fn set(&self, valve: Valve) {
        self.valve.set(valve);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Remembers whom to wake when the valve turns.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if waker
            .as_ref()
            .is_none_or(|known| !known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
    }

    /// A part of the body has gone through.
    pub(crate) fn advance(&self) {
        self.progress.set(Instant::now());
    }

    pub(crate) fn last_progress(&self) -> Instant {
        self.progress.get()
    }

    /// The body has ended as it should.
    pub(crate) fn finish(&self) {
        self.done.set(true);
        self.advance();
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.get()
    }

    pub(crate) fn fail(&self, failure: Failure) {
        self.failure.set(Some(failure));
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failure.get()
    }
}
