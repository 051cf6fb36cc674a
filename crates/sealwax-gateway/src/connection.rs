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
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::body::Body;
use crate::buffer::Buffer;
use crate::coalesce::{Coalesced, Sender, coalesce};
use crate::deadline::{Deadline, Limits, Overdue};
use crate::h1;
use crate::listen::Scheme;
use crate::live::Live;
use crate::service;
use crate::stream::{Stream, Transport};
use crate::tls;
use crate::unread::Unread;
use crate::upload::Source;
use crate::worker::{Open, Worker};

/// First byte of every TLS connection: a handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

// HTTP/2: what one client may make us hold. A stream's window bounds what it
// can send ahead, the connection's what all can; 1 MiB keeps an upload busy over
// any round trip that matters, and memory flat.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;
const H2_SEND_BUFFER: usize = 128 * 1024;
const H2_MAX_STREAMS: u32 = 128;
/// RFC 9113 §10.5; CVE-2023-44487: streams reset before they were answered.
const H2_MAX_RESETS: usize = 32;
const H2_PING_EVERY: Duration = Duration::from_secs(30);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a client has for the GOAWAY, so that it knows which of its requests
/// it may repeat (RFC 9113 §6.8), and to answer it.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is known of the client whose requests come over a connection.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    pub(crate) open: Open,
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
    open: Open,
    socket: TcpStream,
    peer: SocketAddr,
    scheme: Scheme,
    https_hint: Option<Rc<str>>,
) {
    let current = worker.current();
    // Boxed, so that its memory goes when it is over.
    let opening = Box::pin(begin(&current.live, socket, scheme));
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
        open,
        activity: Arc::clone(&activity),
        peer: peer.ip().to_canonical(),
        tls: false,
        h2: false,
        misplaced: false,
        sni: None,
        publicly_trusted: false,
        unread: Unread::default(),
    };
    let mut input = Buffer::default();
    let transport = match opened {
        Opened::Plain(socket, received) => {
            client.misplaced = scheme == Scheme::Https;
            input = received;
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
    let stream = Stream::new(transport, activity, limits.response_pace());
    if client.h2 {
        Box::pin(serve_h2(Rc::new(client), stream, limits)).await;
    } else {
        Box::pin(h1::serve(Rc::new(client), stream, input, limits)).await;
    }
}

enum Opened {
    /// With what has been read of it.
    Plain(TcpStream, Buffer),
    Tls(Box<tls::TlsStream>, bool),
    TlsOnHttp,
}

/// Finds out what the client speaks, and shakes hands.
async fn begin(live: &Live, mut socket: TcpStream, scheme: Scheme) -> io::Result<Opened> {
    let mut received = Buffer::default();
    let count = std::future::poll_fn(|cx| tls::poll_fill(&mut socket, cx, &mut received)).await?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let speaks_tls = received.filled().first() == Some(&TLS_HANDSHAKE);
    match (&live.secure, scheme, speaks_tls) {
        (Some(secure), Scheme::Https, true) => {
            let stream = tls::accept(socket, received, &secure.configs).await?;
            let trusted = secure.resolver.facts(stream.server_name()).publicly_trusted;
            Ok(Opened::Tls(Box::new(stream), trusted))
        }
        (_, _, false) => Ok(Opened::Plain(socket, received)),
        // The https listener without certificates ends here too: a reload that
        // takes the certificates away keeps the listener until a restart.
        _ => Ok(Opened::TlsOnHttp),
    }
}

async fn serve_h2(client: Rc<Client>, stream: Stream, mut limits: Limits) {
    // Frames that are no requests also arrive; only silence of requests counts.
    limits.head_time = limits.keep_alive;
    let requests = Rc::clone(&client);
    let service = service_fn(move |request: Request<Incoming>| {
        service::answer(Rc::clone(&requests), request.map(Source::Hyper))
    });
    let (io, sender) = coalesce(stream);
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
    let connection = pin!(connection);
    drive(connection, &client, limits, sender).await;
}

/// Polls a connection to its end, under its deadlines, and through a drain.
async fn drive<S>(
    mut connection: Pin<&mut http2::Connection<TokioIo<Coalesced<Stream>>, S, Local>>,
    client: &Client,
    mut limits: Limits,
    sender: Sender<Stream>,
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
            if client.activity.is_flood() {
                return Poll::Ready(Err("a flood of requests given up".to_owned()));
            }
            if client.open.is_draining(cx) && !finishing {
                finishing = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            client.unread.poll(cx, limits.response_idle);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_at_rest_is_small() {
        fn size<A, B, C, D, E, G, F: Future>(_: impl Fn(A, B, C, D, E, G) -> F) -> usize {
            std::mem::size_of::<F>()
        }
        fn size_of_four<A, B, C, D, F: Future>(_: impl Fn(A, B, C, D) -> F) -> usize {
            std::mem::size_of::<F>()
        }
        fn size_of_three<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
            std::mem::size_of::<F>()
        }
        let (whole, h1, h2) = (
            size(serve),
            size_of_four(h1::serve),
            size_of_three(serve_h2),
        );
        assert!(
            whole < 700 && h1 < 800 && h2 < 3000,
            "{whole} {h1} {h2} bytes"
        );
    }
}
