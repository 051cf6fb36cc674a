//! PING for a client that has long said nothing, to learn whether it is still
//! there (RFC 9113 §6.7).

use std::task::Context;
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::Instant;

use crate::deadline::Deadline;

const PING_AFTER: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

pub(super) struct KeepAlive {
    ping_pong: PingPong,
    /// When the answer to a PING was asked for.
    asked: Option<Instant>,
    timer: Deadline,
}

impl KeepAlive {
    pub(super) fn new(ping_pong: PingPong) -> Self {
        Self {
            ping_pong,
            asked: None,
            timer: Deadline::default(),
        }
    }

    /// `heard`: when the client last sent anything. False when it is gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, heard: Instant) -> bool {
        loop {
            if self.asked.is_some_and(|asked| heard > asked) {
                self.asked = None;
            }
            let due = match self.asked {
                Some(asked) => asked + ANSWER_WITHIN,
                None => heard + PING_AFTER,
            };
            if self.timer.poll_until(cx, due).is_pending() {
                return true;
            }
            if Instant::now() < due {
                continue;
            }
            if self.asked.is_some() {
                return false;
            }
            // Room for the next one, where the last was answered.
            let _ = self.ping_pong.poll_pong(cx);
            // It fails only where one is under way: then that will be answered.
            let _ = self.ping_pong.send_ping(Ping::opaque());
            self.asked = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use bytes::Bytes;
    use h2::server::Connection;

    use super::*;

    /// Polls once: whether the client still counts as there.
    async fn look(keep_alive: &mut KeepAlive, heard: Instant) -> bool {
        poll_fn(|cx| Poll::Ready(keep_alive.poll(cx, heard))).await
    }

    #[test]
    fn a_silent_client_is_asked_once_and_given_up_when_it_does_not_answer() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let server = tokio::spawn(h2::server::handshake(ours));
            let (_requests, client) = h2::client::handshake(theirs).await.unwrap();
            let mut server: Connection<_, Bytes> = server.await.unwrap().unwrap();
            let mut keep_alive = KeepAlive::new(server.ping_pong().unwrap());
            let now = Instant::now();
            assert!(look(&mut keep_alive, now).await);
            assert!(keep_alive.asked.is_none(), "it has just spoken");
            let long_ago = now - PING_AFTER - Duration::from_secs(1);
            assert!(look(&mut keep_alive, long_ago).await);
            let asked = keep_alive.asked.expect("asked");
            assert!(look(&mut keep_alive, long_ago).await);
            assert_eq!(keep_alive.asked, Some(asked), "once");

            // The PING goes out, and its answer makes room for the next.
            let client = tokio::spawn(client);
            let pong = poll_fn(|cx| {
                assert!(server.poll_accept(cx).is_pending());
                keep_alive.ping_pong.poll_pong(cx)
            });
            pong.await.unwrap();
            assert!(look(&mut keep_alive, Instant::now()).await);
            assert!(keep_alive.asked.is_none(), "it has answered");
            assert!(look(&mut keep_alive, long_ago).await);
            assert!(keep_alive.asked.is_some(), "and is asked again");

            let asked = Instant::now() - 2 * ANSWER_WITHIN;
            keep_alive.asked = Some(asked);
            assert!(!look(&mut keep_alive, asked).await, "it has gone");
            client.abort();
        });
    }
}
