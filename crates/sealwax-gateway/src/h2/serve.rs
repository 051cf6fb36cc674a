//! One HTTP/2 connection and its streams, driven under our deadlines.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection, Handshake};
use http::Request;
use tokio::task::coop;

use super::coalesce::{Coalesced, Sender, coalesce};
use super::keep_alive::KeepAlive;
use super::stream::Inbound;
use super::tasks::Tasks;
use super::worker::Job;
use crate::connection::Client;
use crate::deadline::{Deadline, Limits, Overdue};
use crate::stream::Stream;
use crate::upload::Source;

// What one client may make us hold. A stream's window bounds what it
// can send ahead, the connection's what all can; 1 MiB keeps an upload busy over
// any round trip that matters, and memory flat.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;
const H2_SEND_BUFFER: usize = 128 * 1024;
const H2_MAX_STREAMS: u32 = 128;
/// Streams reset before anyone has seen them, all in one turn (RFC 9113 §10.5,
/// CVE-2023-44487). A page that is left may give up all that it has open; more
/// than that over time is the guard's affair.
const H2_MAX_RESETS: usize = H2_MAX_STREAMS as usize;

/// How long a client has for the GOAWAY, so that it knows which of its requests
/// it may repeat (RFC 9113 §6.8), and to answer it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a connection lasts after the answer that it is turned away.
const TURNED_AWAY: Duration = Duration::from_millis(50);

/// How often streams and connection may wake each other before what they have
/// written is sent and others have their turn.
const ROUNDS: usize = 16;

type Io = Coalesced<Stream>;

/// Serves the streams of one connection until it ends.
pub(crate) async fn serve(client: Rc<Client>, stream: Stream, mut limits: Limits) {
    // Frames that are no requests also arrive; only silence of requests counts.
    limits.head_time = limits.keep_alive;
    if client.open.overload().is_some() {
        limits.keep_alive = TURNED_AWAY;
    }
    let (io, sender) = coalesce(stream);
    // Whatever ends the connection, the client may still be sending, and a
    // reset would overtake the GOAWAY that says why.
    client.activity.set_linger();
    let handshake = Builder::new()
        .max_concurrent_streams(H2_MAX_STREAMS)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_send_buffer_size(H2_SEND_BUFFER)
        .max_pending_accept_reset_streams(H2_MAX_RESETS)
        .handshake(io);
    {
        let mut driver = Driver {
            client: &client,
            sender: &sender,
            protocol: Protocol::Opening(handshake),
            tasks: Tasks::new(),
            deadline: Deadline::default(),
            limits,
            finishing: false,
        };
        let outcome = poll_fn(|cx| driver.poll(cx)).await;
        if let Err(error) = outcome {
            tracing::debug!(target: "sealwax", client = %client.peer, error, "a connection ended early");
        }
    }
    if sender.is_breached() {
        sender.farewell().await;
    }
}

enum Protocol {
    Opening(Handshake<Io, Bytes>),
    Open(Connection<Io, Bytes>, Option<KeepAlive>),
}

/// Polls a connection to its end, under its deadlines, and through a drain.
struct Driver<'s> {
    client: &'s Rc<Client>,
    sender: &'s Sender<Stream>,
    protocol: Protocol,
    tasks: Tasks,
    deadline: Deadline,
    limits: Limits,
    /// The client has been told to open no more streams, or will be.
    finishing: bool,
}

impl Driver<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        self.tasks.run();
        self.sender.begin_turn();
        // All that is the connection's own wakes it by this, so that it is not
        // polled for the sake of a stream.
        let connection = self.tasks.connection();
        let outcome = self.poll_turn(&mut Context::from_waker(&connection));
        if outcome.is_pending() {
            self.tasks.rest(cx.waker());
        }
        outcome
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        loop {
            for _ in 0..ROUNDS {
                if !self.tasks.is_woken() {
                    break;
                }
                if self.tasks.take_connection()
                    && let Poll::Ready(outcome) = self.poll_protocol(cx)
                {
                    return Poll::Ready(outcome.map_err(|error| error.to_string()));
                }
                if !self.tasks.poll_streams() || !coop::has_budget_remaining() {
                    // Others have their turn first.
                    break;
                }
            }
            if let Poll::Ready(Err(error)) = self.sender.poll_send(cx) {
                return Poll::Ready(Err(error.to_string()));
            }
            if !self.finishing && self.client.open.is_ending(cx) {
                self.finish();
                continue;
            }
            if !self.is_answering(cx) {
                continue;
            }
            // The first bytes of a frame say nothing of its kind: to wait for a
            // head is to be idle.
            let waiting = self.client.activity.waiting();
            let (Overdue::Head | Overdue::Idle) =
                ready!(self.deadline.poll(cx, waiting, self.limits));
            if self.finishing {
                return Poll::Ready(Ok(()));
            }
            self.finish();
        }
    }

    /// Polls the protocol until it waits for the client.
    fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        if let Protocol::Opening(handshake) = &mut self.protocol {
            let mut connection = ready!(Pin::new(handshake).poll(cx))?;
            if self.finishing {
                connection.graceful_shutdown();
            }
            let keep_alive = connection.ping_pong().map(KeepAlive::new);
            self.protocol = Protocol::Open(connection, keep_alive);
        }
        let Protocol::Open(connection, _) = &mut self.protocol else {
            return Poll::Pending;
        };
        while let Some(accepted) = ready!(connection.poll_accept(cx)) {
            let (request, respond) = accepted?;
            let (head, stream) = request.into_parts();
            let body = Source::H2(Inbound::new(stream, &head.headers));
            self.tasks.begin(Job {
                client: Rc::clone(self.client),
                request: Request::from_parts(head, body),
                respond,
                patience: self.limits.response_idle,
                total: self.limits.total,
            });
        }
        Poll::Ready(Ok(()))
    }

    /// Asks a client that is silent whether it is still there; false when it is
    /// not.
    fn is_answering(&mut self, cx: &mut Context<'_>) -> bool {
        let Protocol::Open(connection, keep_alive) = &mut self.protocol else {
            return true;
        };
        let Some(asking) = keep_alive else {
            return true;
        };
        let answers = asking.poll(cx, self.sender.heard());
        if !answers {
            *keep_alive = None;
            connection.abrupt_shutdown(Reason::NO_ERROR);
            self.tasks.wake_connection();
        }
        answers
    }

    /// Lets the client finish what it has begun, and open no more.
    fn finish(&mut self) {
        self.finishing = true;
        self.client.activity.touch();
        self.limits.keep_alive = FAREWELL;
        self.limits.head_time = FAREWELL;
        if let Protocol::Open(connection, _) = &mut self.protocol {
            connection.graceful_shutdown();
        }
        self.tasks.wake_connection();
    }
}
