use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Waker;

use tokio::time::Instant;

use super::*;
use crate::buffer::Buffer;
use crate::h1::inbound::Inbound;
use crate::h1::testing::{Client, pair, run};

fn connection() -> (Shared, Client) {
    let (stream, client) = pair();
    let inbound = Inbound::new(stream, Buffer::default(), sealwax_h1::Limits::REQUEST);
    (Rc::new(RefCell::new(inbound)), client)
}

impl Leaving {
    /// Polls until it has noticed the end, and says when it will be enough.
    async fn due(&mut self, inbound: &Shared) -> Instant {
        poll_fn(|cx| {
            assert!(self.poll(cx, inbound).is_pending());
            match &self.0 {
                Some(timer) => Poll::Ready(timer.deadline()),
                None => Poll::Pending,
            }
        })
        .await
    }
}

#[test]
fn who_is_there_is_waited_for() {
    run(async {
        let (inbound, mut client) = connection();
        let mut leaving = Leaving::default();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(leaving.poll(cx, &inbound).is_pending());
        client.send("GET / HTTP/1.1\r\n");
        assert!(leaving.poll(cx, &inbound).is_pending());
        assert!(leaving.0.is_none(), "nobody has left");
    });
}

#[test]
fn who_resets_has_left_at_once() {
    run(async {
        let (inbound, client) = connection();
        let mut leaving = Leaving::default();
        client.reset();
        let started = Instant::now();
        poll_fn(|cx| leaving.poll(cx, &inbound)).await;
        assert!(started.elapsed() < HALF_CLOSED && leaving.0.is_none());
    });
}

#[test]
fn who_has_closed_its_half_may_wait_for_its_answer() {
    run(async {
        let (inbound, client) = connection();
        let mut leaving = Leaving::default();
        client.half_close();
        let due = leaving.due(&inbound).await;
        let left = due - Instant::now();
        assert!(left <= HALF_CLOSED && left > HALF_CLOSED / 2, "{left:?}");
        // What it takes of its answer shows that it is there.
        tokio::time::sleep(Duration::from_millis(5)).await;
        leaving.is_there();
        assert!(leaving.due(&inbound).await > due);
    });
}
