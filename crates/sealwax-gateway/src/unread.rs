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

/// Content that makes, with the nine bytes before it, one TLS record: more in a
/// frame would begin another record for the rest (RFC 9113 §4.1, RFC 8446 §5.1).
const DATA: usize = 16 * 1024 - 9;

/// The bodies under way on one connection.
#[derive(Default)]
pub(crate) struct Unread {
    bodies: RefCell<Vec<Weak<Watched>>>,
    timer: RefCell<Option<Pin<Box<Sleep>>>>,
}

/// One body, which can be taken away while nobody polls it.
pub(crate) struct Watched {
    body: RefCell<Option<Body>>,
    /// Of what the body has given, what is not in a frame yet.
    rest: RefCell<Bytes>,
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
            rest: RefCell::default(),
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
        self.rest.take();
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
        let rest = self.rest.take();
        let frame = match &mut *self.body.borrow_mut() {
            _ if !rest.is_empty() => Poll::Ready(Some(Ok(Frame::data(rest)))),
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
        frame.map_ok(|frame| self.first_part(frame))
    }

    fn first_part(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(mut data) => {
                if data.len() > DATA {
                    self.rest.replace(data.split_off(DATA));
                }
                Frame::data(data)
            }
            Err(trailers) => trailers,
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        let body = self.body.borrow();
        self.rest.borrow().is_empty() && body.as_ref().is_some_and(Body::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let body = self.body.borrow();
        let hint = body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint);
        let rest = self.rest.borrow().len() as u64;
        hint.exact()
            .map_or(hint, |left| SizeHint::with_exact(left.saturating_add(rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fills_a_record_and_no_more() {
        let bytes = Bytes::from(vec![7; 2 * DATA + 100]);
        let unread = Unread::default();
        let mut body = Body::own(bytes).watched(&unread, Instant::now());
        let cx = &mut Context::from_waker(Waker::noop());
        let mut left = 2 * DATA + 100;
        for part in [DATA, DATA, 100] {
            assert!(!body.is_end_stream());
            assert_eq!(body.size_hint().exact(), Some(left as u64));
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(cx) else {
                panic!("{left} bytes are left");
            };
            assert_eq!(frame.data_ref().map(Bytes::len), Some(part));
            left -= part;
        }
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(matches!(
            Pin::new(&mut body).poll_frame(cx),
            Poll::Ready(None)
        ));
    }
}
