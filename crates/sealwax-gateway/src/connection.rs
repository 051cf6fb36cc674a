//! One client connection from its first byte to its last.
//!
//! ```text
//!  accept ─▶ first byte ─┬─ TLS on https ──▶ handshake ─▶ ALPN ─▶ HTTP/1.1 or HTTP/2
//!                        ├─ plain on http ─────────────────────▶ HTTP/1.1
//!                        ├─ plain on https ────────────────────▶ HTTP/1.1, redirects only
//!                        └─ TLS on http ───▶ closed, with a line for the operator
//! ```

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::activity::{Activity, Waiting};
use crate::body::Body;
use crate::h2::{Coalesced, coalesce};
use crate::listen::Scheme;
use crate::live::Live;
use crate::service;
use crate::stream::{Stream, Transport};
use crate::tls;
use crate::unread::Unread;
use crate::worker::Worker;

/// First byte of every TLS connection: a handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Bytes that wait in the system beyond those that are on their way.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

// HTTP/2: what one client may make us hold. A stream's window bounds what it
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

/// How much later than asked a deadline may be noticed.
const SLACK: Duration = Duration::from_millis(50);

/// What is known of the client whose requests come over a connection.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) peer: IpAddr,
    pub(crate) tls: bool,
    pub(crate) h2: bool,
    /// Plain HTTP on the https listener: nothing but redirects is served.
    pub(crate) misplaced: bool,
    /// The name in the TLS handshake.
    pub(crate) sni: Option<Box<str>>,
    pub(crate) publicly_trusted: bool,
    /// Empty on HTTP/1.1, where the socket itself is watched.
    pub(crate) unread: Unread,
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    socket: TcpStream,
    peer: SocketAddr,
    scheme: Scheme,
    https_hint: Option<Rc<str>>,
) {
    // Small answers must not wait for the acknowledgement of earlier ones.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(target: "sealwax", %error, "a client left at once");
        return;
    }
    // Without it Linux tells of room only when a third of megabytes is
    // free, and a client that reads slowly but steadily seems not to read.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(target: "sealwax", %error, "no limit on unsent bytes");
    }
    let current = worker.current();
    // Boxed, so that its memory goes when it is over.
    let opening = Box::pin(open(&current.live, socket, scheme));
    let opened = match tokio::time::timeout(current.live.timeouts.handshake, opening).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            tracing::debug!(target: "sealwax", %peer, %error, "no connection came about");
            return;
        }
        Err(_) => {
            tracing::debug!(target: "sealwax", %peer, "a client was too slow to begin");
            return;
        }
    };
    let activity = Activity::new();
    let mut client = Client {
        worker: Rc::clone(&worker),
        activity: Arc::clone(&activity),
        peer: peer.ip().to_canonical(),
        tls: false,
        h2: false,
        misplaced: false,
        sni: None,
        publicly_trusted: false,
        unread: Unread::default(),
    };
    let transport = match opened {
        Opened::Plain(socket) => {
            client.misplaced = scheme == Scheme::Https;
            Transport::Plain(socket)
        }
        Opened::Tls(stream, trusted) => {
            client.tls = true;
            client.sni = stream.server_name().map(Into::into);
            client.publicly_trusted = trusted;
            client.h2 = stream.is_h2();
            Transport::Tls(stream)
        }
        Opened::TlsOnHttp => {
            worker.complaints.tls_on_http.say(|repeated| {
                tracing::warn!(
                    target: "sealwax",
                    client = %peer.ip(),
                    repeated,
                    "a client speaks TLS to the http listener; its address should be {}",
                    https_hint.as_deref().unwrap_or("http://, since there is no https listener")
                );
            });
            return;
        }
    };
    let limits = Limits::of(&current.live);
    drop(current);
    let stream = Stream::new(transport, activity, limits.response_idle);
    if client.h2 {
        Box::pin(serve_h2(Rc::new(client), stream, limits)).await;
    } else {
        Box::pin(serve_h1(Rc::new(client), stream, limits)).await;
    }
}

/// The limits of a connection, as they were when it began.
#[derive(Clone, Copy)]
struct Limits {
    head_bytes: usize,
    head_fields: usize,
    head_time: Duration,
    keep_alive: Duration,
    response_idle: Duration,
}

impl Limits {
    fn of(live: &Live) -> Self {
        Self {
            head_bytes: live.limits.request_head,
            head_fields: live.limits.request_headers,
            head_time: live.timeouts.request_head,
            keep_alive: live.timeouts.keep_alive,
            response_idle: live.timeouts.response_idle,
        }
    }
}

enum Opened {
    Plain(TcpStream),
    Tls(Box<tls::TlsStream>, bool),
    TlsOnHttp,
}

/// Finds out what the client speaks, and shakes hands.
async fn open(live: &Live, socket: TcpStream, scheme: Scheme) -> io::Result<Opened> {
    let mut first = [0];
    if socket.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let speaks_tls = first == [TLS_HANDSHAKE];
    match (&live.secure, scheme, speaks_tls) {
        (Some(secure), Scheme::Https, true) => {
            let stream = tls::accept(socket, &secure.configs).await?;
            let trusted = secure.resolver.facts(stream.server_name()).publicly_trusted;
            Ok(Opened::Tls(Box::new(stream), trusted))
        }
        (_, _, false) => Ok(Opened::Plain(socket)),
        // The https listener without certificates ends here too: a reload that
        // takes the certificates away keeps the listener until a restart.
        _ => Ok(Opened::TlsOnHttp),
    }
}

async fn serve_h1(client: Rc<Client>, stream: Stream, limits: Limits) {
    let requests = Rc::clone(&client);
    let service = service_fn(move |request| service::answer(Rc::clone(&requests), request));
    let connection = http1::Builder::new()
        .max_header_size(limits.head_bytes)
        // Room to see that a head is too long by little.
        .max_buf_size(limits.head_bytes.max(8192) + 8192)
        .max_headers(limits.head_fields)
        // The driver watches the head with one timer per connection instead of
        // one per request.
        .header_read_timeout(None)
        // Never `pipeline_flush`: with it hyper buffers responses without bound.
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let connection = pin!(connection);
    drive(connection, &client, limits, |_| Poll::Ready(Ok(()))).await;
}

async fn serve_h2(client: Rc<Client>, stream: Stream, mut limits: Limits) {
    // Frames that are no requests also arrive; only silence of requests counts.
    limits.head_time = limits.keep_alive;
    let requests = Rc::clone(&client);
    let service = service_fn(move |request| service::answer(Rc::clone(&requests), request));
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
        drive(connection, &client, limits, |cx| sender.poll_send(cx)).await;
    }
    if sender.is_breached() {
        sender.farewell().await;
    }
}

/// hyper's connections, seen alike.
trait Protocol: Future<Output = Result<(), hyper::Error>> {
    /// Finish what is in flight, then close.
    fn finish(self: Pin<&mut Self>);
}

impl<S> Protocol for http1::UpgradeableConnection<TokioIo<Stream>, S>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S> Protocol for http2::Connection<TokioIo<Coalesced<Stream>>, S, Local>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S::Future: 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Polls a connection to its end, under its deadlines, and through a drain.
async fn drive(
    mut connection: Pin<&mut impl Protocol>,
    client: &Client,
    mut limits: Limits,
    mut send: impl FnMut(&mut Context<'_>) -> Poll<io::Result<()>>,
) {
    let mut draining = pin!(client.worker.draining());
    let mut closing = pin!(client.worker.closing());
    let mut finishing = false;
    let mut deadline = Deadline::default();
    let outcome = std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                return Poll::Ready(outcome.map_err(|error| error.to_string()));
            }
            if let Poll::Ready(Err(error)) = send(cx) {
                return Poll::Ready(Err(error.to_string()));
            }
            if finishing {
                if closing.as_mut().poll(cx).is_ready() {
                    client.worker.count_cut();
                    return Poll::Ready(Err("the drain is over".to_owned()));
                }
            } else if draining.as_mut().poll(cx).is_ready() {
                finishing = true;
                connection.as_mut().finish();
                continue;
            }
            client.unread.poll(cx, limits.response_idle);
            return match deadline.poll(cx, client.activity.waiting(), limits) {
                Poll::Pending => Poll::Pending,
                // On HTTP/2 the first bytes of a frame say nothing of its kind:
                // to wait for a head is to be idle.
                Poll::Ready(Overdue::Head) if !client.h2 => {
                    Poll::Ready(Err("the request head took too long".to_owned()))
                }
                Poll::Ready(_) if finishing => Poll::Ready(Ok(())),
                Poll::Ready(_) => {
                    finishing = true;
                    client.activity.touch();
                    limits.keep_alive = FAREWELL;
                    limits.head_time = FAREWELL;
                    connection.as_mut().finish();
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

enum Overdue {
    Idle,
    Head,
}

/// One timer for all that a connection may be late with. It is armed for the
/// earliest time at which something could be due, and looks again then.
#[derive(Default)]
struct Deadline(Option<Pin<Box<Sleep>>>);

impl Deadline {
    fn poll(&mut self, cx: &mut Context<'_>, waiting: Waiting, limits: Limits) -> Poll<Overdue> {
        let (overdue, limit, waited) = match waiting {
            Waiting::Busy => return Poll::Pending,
            Waiting::Idle(waited) => (Overdue::Idle, limits.keep_alive, waited),
            Waiting::Head(waited) => (Overdue::Head, limits.head_time, waited),
        };
        let Some(left) = limit.checked_sub(waited).filter(|left| !left.is_zero()) else {
            return Poll::Ready(overdue);
        };
        let due = Instant::now() + left;
        let timer = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        // Armed too late, or gone off without anything being due yet. The
        // slack spares arming it anew for every turn of a millisecond.
        if timer.deadline() > due + SLACK || timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(due);
            return timer.as_mut().poll(cx).map(|()| overdue);
        }
        Poll::Pending
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_at_rest_is_small() {
        fn size<A, B, C, D, E, F: Future>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
            std::mem::size_of::<F>()
        }
        fn size_of_three<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
            std::mem::size_of::<F>()
        }
        let (whole, h1, h2) = (
            size(serve),
            size_of_three(serve_h1),
            size_of_three(serve_h2),
        );
        assert!(
            whole < 600 && h1 < 2000 && h2 < 3000,
            "{whole} {h1} {h2} bytes"
        );
    }
}
