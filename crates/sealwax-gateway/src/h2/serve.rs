//! One HTTP/2 connection: hyper's state machine, driven under our deadlines.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::coalesce::{Coalesced, Sender, coalesce};
use crate::body::Body;
use crate::clock;
use crate::connection::Client;
use crate::deadline::{Deadline, Limits, Overdue, Total};
use crate::fields::Lines;
use crate::service;
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
const H2_PING_EVERY: Duration = Duration::from_secs(30);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a client has for the GOAWAY, so that it knows which of its requests
/// it may repeat (RFC 9113 §6.8), and to answer it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a connection lasts after the answer that it is turned away.
const TURNED_AWAY: Duration = Duration::from_millis(50);

/// Serves the streams of one connection until it ends.
pub(crate) async fn serve(client: Rc<Client>, stream: Stream, mut limits: Limits) {
    // Frames that are no requests also arrive; only silence of requests counts.
    limits.head_time = limits.keep_alive;
    if client.open.overload().is_some() {
        limits.keep_alive = TURNED_AWAY;
    }
    let requests = Rc::clone(&client);
    let service = service_fn(move |request: Request<Incoming>| {
        let total = Total::new(limits.total, clock::now());
        let request = request.map(Source::Hyper);
        service::answer(Rc::clone(&requests), request, Lines::default(), total)
    });
    let (io, sender) = coalesce(stream);
    // Whatever ends the connection, the client may still be sending, and a
    // reset would overtake the GOAWAY that says why.
    client.activity.set_linger();
    let connection = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_MAX_STREAMS)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_send_buf_size(H2_SEND_BUFFER)
        .max_pending_accept_reset_streams(H2_MAX_RESETS)
        .keep_alive_interval(H2_PING_EVERY)
        .keep_alive_timeout(H2_PING_TIMEOUT)
        .serve_connection(TokioIo::new(io), service);
    {
        let connection = pin!(connection);
        drive(connection, &client, limits, &sender).await;
    }
    if sender.is_breached() {
        sender.farewell().await;
    }
}

/// Polls a connection to its end, under its deadlines, and through a drain.
async fn drive<S>(
    mut connection: Pin<&mut http2::Connection<TokioIo<Coalesced<Stream>>, S, Local>>,
    client: &Client,
    mut limits: Limits,
    sender: &Sender<Stream>,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S::Future: 'static,
{
    let mut finishing = false;
    let mut deadline = Deadline::default();
    let outcome = std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                return Poll::Ready(outcome.map_err(|error| error.to_string()));
            }
            if let Poll::Ready(Err(error)) = sender.poll_send(cx) {
                return Poll::Ready(Err(error.to_string()));
            }
            if !finishing && client.open.is_ending(cx) {
                finishing = true;
                client.activity.touch();
                limits.keep_alive = FAREWELL;
                limits.head_time = FAREWELL;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            client.unread.poll(cx, limits.response_idle, limits.total);
            return match deadline.poll(cx, client.activity.waiting(), limits) {
                Poll::Pending => Poll::Pending,
                // The first bytes of a frame say nothing of its kind: to wait for
                // a head is to be idle.
                Poll::Ready(Overdue::Head | Overdue::Idle) if finishing => Poll::Ready(Ok(())),
                Poll::Ready(Overdue::Head | Overdue::Idle) => {
                    finishing = true;
                    client.activity.touch();
                    limits.keep_alive = FAREWELL;
                    limits.head_time = FAREWELL;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
            };
        }
    })
    .await;
    if let Err(error) = outcome {
        tracing::debug!(target: "sealwax", client = %client.peer, error, "a connection ended early");
    }
}

/// Spawns on this thread: nothing here can move to another.
#[derive(Clone, Copy)]
struct Local;

impl<F> hyper::rt::Executor<F> for Local
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        // As it is: a wrapper would double its size.
        drop(tokio::task::spawn_local(future));
    }
}
