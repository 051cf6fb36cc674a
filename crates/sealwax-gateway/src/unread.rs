//! Responses on one HTTP/2 connection that the client does not read.
//!
//! While a stream's window is closed nobody polls its body, so the body cannot
//! watch the clock by itself; the driver of the connection does it for all of
//! them. What is given up is the app's side, which is dear: the connection to
//! it and the app's worker that waits to write. The stream is reset when the
//! client opens its window after all.

use std::cell::{Cell, RefCell};
use std::future::Future as _;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::Broken;
use crate::upstream::Download;

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
    download: RefCell<Option<Download>>,
    /// Since when it is the client's turn; `None` while it is the app's.
    offered: Cell<Option<Instant>>,
}

impl Unread {
    pub(crate) fn watch(&self, download: Download) -> Rc<Watched> {
        let watched = Rc::new(Watched {
            download: RefCell::new(Some(download)),
            offered: Cell::new(Some(Instant::now())),
        });
        let mut bodies = self.bodies.borrow_mut();
        if bodies.len() == bodies.capacity() {
            // Rather than growing: those that are over need no place.
            bodies.retain(|body| body.strong_count() > 0);
        }
        bodies.push(Rc::downgrade(&watched));
        watched
    }

    /// Gives up what the client has left unread for `patience`. The task is
    /// woken to look again as long as there is something to watch.
    pub(crate) fn poll(&self, cx: &mut Context<'_>, patience: Duration) {
        if self.bodies.borrow().is_empty() {
            return;
        }
        let pause = patience / LOOKS;
        let mut timer = self.timer.borrow_mut();
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            self.bodies.borrow_mut().retain(|body| {
                body.upgrade()
                    .is_some_and(|body| !body.give_up(now, patience))
            });
            // Never at once again, however short the patience.
            let pause = pause.max(Duration::from_millis(10));
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
        if waited.is_none_or(|waited| waited < patience) {
            return false;
        }
        drop(self.download.take());
        tracing::debug!(target: "sealwax", "a response was given up: the client does not read it");
        true
    }

    pub(crate) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = match &mut *self.download.borrow_mut() {
            Some(download) => download.poll_frame(cx),
            None => Poll::Ready(Some(Err(Broken::Unread))),
        };
        self.offered.set(frame.is_ready().then(Instant::now));
        frame
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        let download = self.download.borrow();
        download.as_ref().is_some_and(Download::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let download = self.download.borrow();
        download
            .as_ref()
            .map_or_else(SizeHint::default, Download::size_hint)
    }
}
