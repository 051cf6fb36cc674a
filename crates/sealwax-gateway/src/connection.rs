//! One client connection from its first byte to its last.
//!
//! ```text
//!  accept ─▶ first byte ─┬─ TLS on https ──▶ handshake ─▶ ALPN ─▶ HTTP/1.1 or HTTP/2
//!                        ├─ plain on http ─────────────────────▶ HTTP/1.1
//!                        ├─ plain on https ────────────────────▶ HTTP/1.1, redirects only
//!                        └─ TLS on http ───▶ closed, with a line for the operator
//! ```

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, ready};

use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::buffer::Buffer;
use crate::crowd::{Open, Outlook};
use crate::deadline::Limits;
use crate::listen::Scheme;
use crate::live::Live;
use crate::stream::{Stream, Transport};
use crate::tls;
use crate::worker::Worker;
use crate::{h1, h2};

/// First byte of every TLS connection: a handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What is known of the client whose requests come over a connection.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    pub(crate) open: Open,
    pub(crate) activity: Rc<Activity>,
    pub(crate) peer: IpAddr,
    pub(crate) tls: bool,
    pub(crate) h2: bool,
    /// Plain HTTP on the https listener: nothing but redirects is served.
    pub(crate) misplaced: bool,
    /// The name in the TLS handshake.
    pub(crate) sni: Option<Box<str>>,
    pub(crate) publicly_trusted: bool,
}

/// Serves one connection to its end.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn would hold its arguments twice; every connection holds this future"
)]
pub(crate) fn serve(
    worker: Rc<Worker>,
    open: Open,
    socket: TcpStream,
    peer: SocketAddr,
    scheme: Scheme,
    https_hint: Option<Rc<str>>,
) -> impl Future<Output = ()> {
    async move {
        let current = worker.current();
        let opened = match opened(&current.live, &open, socket, scheme).await {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(target: "sealwax", %peer, %error, "no connection came about");
                return;
            }
        };
        let activity = Rc::clone(open.activity());
        // The head has its own time.
        activity.touch();
        let mut client = Client {
            worker: Rc::clone(&worker),
            activity: Rc::clone(&activity),
            open,
            peer: peer.ip().to_canonical(),
            tls: false,
            h2: false,
            misplaced: false,
            sni: None,
            publicly_trusted: false,
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
            Box::pin(h2::serve(Rc::new(client), stream, limits)).await;
        } else {
            Box::pin(h1::serve(Rc::new(client), stream, input, limits)).await;
        }
    }
}

enum Opened {
    /// With what has been read of it.
    Plain(TcpStream, Buffer),
    Tls(Box<tls::TlsStream>, bool),
    TlsOnHttp,
}

/// The same as [`begin`], in the time that there is for it.
fn opened(
    live: &Live,
    open: &Open,
    socket: TcpStream,
    scheme: Scheme,
) -> impl Future<Output = io::Result<Opened>> {
    // Boxed, so that its memory goes when it is over.
    let mut opening = Box::pin(tokio::time::timeout(
        live.timeouts.handshake,
        begin(live, socket, scheme),
    ));
    std::future::poll_fn(move |cx| {
        if open.outlook(cx) == Outlook::Leave {
            return Poll::Ready(Err(io::Error::other("its place was needed")));
        }
        let opened = ready!(opening.as_mut().poll(cx));
        Poll::Ready(opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
    })
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
            size_of_three(h2::serve),
        );
        assert!(
            whole < 700 && h1 < 800 && h2 < 3000,
            "{whole} {h1} {h2} bytes"
        );
    }
}
