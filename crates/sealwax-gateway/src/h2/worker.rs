//! Futures that answer one stream after another, of any connection.
//!
//! What answers a request is some kilobytes large. Made anew for each it would
//! be moved a few times and allocated, beyond what the allocator has at hand;
//! so those that have done their work wait for more.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use http::Request;

use super::stream;
use crate::connection::Client;
use crate::upload::Source;

/// Workers kept for the next stream; what a burst has used beyond is freed.
const MAX_KEPT: usize = 128;

thread_local! {
    static WAITING: RefCell<Vec<Worker>> = const { RefCell::new(Vec::new()) };
}

/// One request, and where its answer goes.
pub(super) struct Job {
    pub(super) client: Rc<Client>,
    pub(super) request: Request<Source>,
    pub(super) respond: SendResponse<Bytes>,
    /// How long the client may leave the response unread.
    pub(super) patience: Duration,
    /// How long all of it may take.
    pub(super) total: Duration,
}

pub(super) struct Worker {
    desk: Rc<Desk>,
    task: Pin<Box<dyn Future<Output = ()>>>,
}

#[derive(Default)]
struct Desk {
    job: Cell<Option<Job>>,
    done: Cell<bool>,
}

impl Worker {
    /// One that waits already, or a new one.
    pub(super) fn hire(job: Job) -> Self {
        let waiting = WAITING.with_borrow_mut(Vec::pop);
        let worker = waiting.unwrap_or_else(|| {
            let desk = Rc::<Desk>::default();
            Self {
                task: Box::pin(work(Rc::clone(&desk))),
                desk,
            }
        });
        worker.desk.job.set(Some(job));
        worker
    }

    /// True when the job is done.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        self.task.as_mut().poll(cx).is_ready() || self.desk.done.get()
    }

    /// Lets it wait for more, after its job is done. (One that is dropped
    /// instead drops its job.)
    pub(super) fn dismiss(self) {
        if !self.desk.done.take() {
            return;
        }
        // While the thread ends there may be no place any more.
        let _ = WAITING.try_with(|waiting| {
            if let Ok(mut waiting) = waiting.try_borrow_mut()
                && waiting.len() < MAX_KEPT
            {
                waiting.push(self);
            }
        });
    }
}

async fn work(desk: Rc<Desk>) {
    loop {
        let job = poll_fn(|_| desk.job.take().map_or(Poll::Pending, Poll::Ready)).await;
        stream::answer(job).await;
        desk.done.set(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_small() {
        let worker = work(Rc::default());
        let size = std::mem::size_of_val(&worker);
        assert!(size < 2000, "{size} bytes");
    }
}
