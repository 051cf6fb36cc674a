//! Responses on one HTTP/2 connection that the client does not read, or that
//! take too long.
//!
//! While a stream's window is closed nobody polls its body, so the body cannot
//! watch the clock by itself; the driver of the connection does it for all of
//! them. What is given up is the app's side, which is dear (the connection to
//! it and the app's worker that waits to write), and that the connection counts
//! as busy: a client that opens no window keeps no place. The stream is reset
//! when the client opens its window after all, or with the connection.

use std::cell::{Cell, RefCell};
use std::future::Future as _;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::{Body, Broken};

/// How many times the clock is looked at within the time that a client has.
const LOOKS: u32 = 4;

/// The bodies under way on one connection.
#[derive(Default)]
pub(crate) struct Unread {
    bodies: RefCell<Vec<Weak<Watched>>>,
    timer: RefCell<Option<Pin<Box<Sleep>>>>,
}

/// One body, which can be taken away while nobody polls it.
pub(crate) struct Watched {
    body: RefCell<Option<Body>>,
    /// Why there is no body any more.
    broken: Cell<Option<Broken>>,
    /// Since when it is the client's turn; `None` while it is the app's.
    offered: Cell<Option<Instant>>,
    /// When it must be over.
    due: Instant,
    /// Who waits for the app.
    waiting: Cell<Option<Waker>>,
}

impl Unread {
    /// `due`: when the body must be over.
    pub(crate) fn watch(&self, body: Body, due: Instant) -> Rc<Watched> {
        let watched = Rc::new(Watched {
            body: RefCell::new(Some(body)),
            broken: Cell::new(None),
            offered: Cell::new(Some(Instant::now())),
            due,
            waiting: Cell::new(None),
        });
        let mut bodies = self.bodies.borrow_mut();
        if bodies.len() == bodies.capacity() {
            // Rather than growing: those that are over need no place.
            bodies.retain(|body| body.strong_count() > 0);
        }
        bodies.push(Rc::downgrade(&watched));
        watched
    }

    /// Gives up what the client has left unread for `patience`, and what has
    /// taken longer than `total`. The task is woken to look again as long as
    /// there is something to watch.
    pub(crate) fn poll(&self, cx: &mut Context<'_>, patience: Duration, total: Duration) {
        if self.bodies.borrow().is_empty() {
            return;
        }
        // Never at once again, however short the patience.
        let pause = (patience.min(total) / LOOKS).max(Duration::from_millis(10));
        let mut timer = self.timer.borrow_mut();
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            self.bodies.borrow_mut().retain(|body| {
                body.upgrade()
                    .is_some_and(|body| !body.give_up(now, patience))
            });
            timer.as_mut().reset(now + pause);
        }
    }
}

impl Watched {
    /// True when there is nothing left to watch.
    fn give_up(&self, now: Instant, patience: Duration) -> bool {
        let waited = self
            .offered
            .get()
            .map(|since| now.saturating_duration_since(since));
        let broken = if waited.is_some_and(|waited| waited >= patience) {
            Broken::Unread
        } else if now >= self.due {
            Broken::Late
        } else {
            return false;
        };
        tracing::debug!(target: "sealwax", %broken, "a response was given up");
        if let Some(mut body) = self.body.take() {
            body.break_off();
        }
        self.broken.set(Some(broken));
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        true
    }

    pub(crate) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = match &mut *self.body.borrow_mut() {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(Some(Err(self.broken.take().unwrap_or(Broken::Unread)))),
        };
        match frame.is_ready() {
            true => self.offered.set(Some(Instant::now())),
            false => {
                self.offered.set(None);
                self.waiting.set(Some(cx.waker().clone()));
            }
        }
        frame
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        let body = self.body.borrow();
        body.as_ref().is_some_and(Body::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let body = self.body.borrow();
        body.as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}
