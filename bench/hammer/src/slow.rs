//! `slow`: thousands of connections that keep the server waiting, each in one of six ways.
//!
//! | number | what the server waits for |
//! |---|---|
//! | 0 mod 6 | the first byte of a ClientHello |
//! | 1 mod 6 | the rest of a ClientHello, a byte at a time |
//! | 2 mod 6 | the rest of a request head over HTTP/1.1, a byte at a time |
//! | 3 mod 6 | the rest of a request body over HTTP/1.1, a byte at a time |
//! | 4 mod 6 | the rest of a field section over HTTP/2, a CONTINUATION frame (RFC 9113, 6.10) of a byte at a time |
//! | 5 mod 6 | room in the receive window: a large answer is asked for and never read |
//!
//! Whoever is thrown out comes again, as many in a second as the command line says.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Error;
use crate::args::{Args, Sources};
use crate::connection::handshake;
use crate::failure::Failure;
use crate::pipe::{Input, say};
use crate::target::{LARGE, Target};
use crate::tls::{self, Groups, Protocol};
use crate::traffic::now;

const REPORT_EVERY: Duration = Duration::from_secs(1);
/// How often new connections are allowed: a tenth of a second's share each time.
const REFILL_EVERY: Duration = Duration::from_millis(100);
/// Connections opened at once.
const OPENERS: usize = 32;
/// How long all of them may take to be opened once.
const STANDING: Duration = Duration::from_secs(90);

struct Shared {
    target: Target,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    sources: Sources,
    drip: Duration,
    /// The first connection of each costs nothing, every later one a permit.
    refill: Semaphore,
    openers: Semaphore,
    /// Connections that stand now.
    open: Cell<u64>,
    /// Ever opened.
    opened: Cell<u64>,
    /// Of the connections asked for, those that were opened or refused at least once. A server
    /// may well refuse: that is a defence.
    tried: Cell<u64>,
    /// Ended or refused by the server.
    ended: Cell<u64>,
}

pub(crate) async fn slow(
    args: &Args,
    ca: &[u8],
    target: Target,
    (drip, refill, sources): (Duration, u64, Sources),
) -> Result<(), Error> {
    let shared = Rc::new(Shared {
        target,
        http1: tls::config(ca, Groups::X25519, Protocol::Http1, false)?,
        http2: tls::config(ca, Groups::X25519, Protocol::Http2, false)?,
        sources,
        drip,
        refill: Semaphore::new(0),
        openers: Semaphore::new(OPENERS),
        open: Cell::default(),
        opened: Cell::default(),
        tried: Cell::default(),
        ended: Cell::default(),
    });
    for number in 0..args.open {
        let shared = Rc::clone(&shared);
        tokio::task::spawn_local(async move { again_and_again(&shared, number).await });
    }
    let deadline = Instant::now() + STANDING;
    while shared.tried.get() < args.open {
        if Instant::now() > deadline {
            return Err(Error::NotStanding {
                stand: shared.tried.get(),
                wanted: args.open,
            });
        }
        sleep(Duration::from_millis(10)).await;
    }
    tokio::task::spawn_local(allow(Rc::clone(&shared), refill));
    say("ready").await?;

    let mut input = Input::new();
    let stop = input.line();
    tokio::pin!(stop);
    let end = Instant::now() + args.time;
    let mut due = Instant::now();
    loop {
        due += REPORT_EVERY;
        let over = tokio::select! {
            line = &mut stop => line.map(|()| true)?,
            () = tokio::time::sleep_until(due.min(end)) => due >= end,
        };
        say(&format!(
            r#"{{"at":{:.3},"open":{},"opened":{},"ended":{}}}"#,
            now(),
            shared.open.get(),
            shared.opened.get(),
            shared.ended.get()
        ))
        .await?;
        if over {
            return Ok(());
        }
    }
}

/// `refill` permits a second, and no more than that saved up.
async fn allow(shared: Rc<Shared>, refill: u64) {
    let most = usize::try_from(refill).unwrap_or(usize::MAX);
    let mut share = 0.0;
    let mut tick = tokio::time::interval(REFILL_EVERY);
    loop {
        tick.tick().await;
        share += refill as f64 * REFILL_EVERY.as_secs_f64();
        let whole = share as usize;
        share -= whole as f64;
        let room = most.saturating_sub(shared.refill.available_permits());
        shared.refill.add_permits(whole.min(room));
    }
}

async fn again_and_again(shared: &Shared, number: u64) {
    let first = Cell::new(true);
    let tried = || {
        if first.replace(false) {
            shared.tried.set(shared.tried.get() + 1);
        }
    };
    loop {
        // How it ended is all the same: it was the server's doing.
        drop(once(shared, number, &tried).await);
        tried();
        shared.ended.set(shared.ended.get() + 1);
        if let Ok(permit) = shared.refill.acquire().await {
            permit.forget();
        }
    }
}

async fn once(shared: &Shared, number: u64, tried: &impl Fn()) -> Result<(), Failure> {
    let turn = shared.openers.acquire().await;
    let source = shared.sources.of(number);
    let over = async |config| handshake(config, &shared.target, source).await;
    match number % 6 {
        way @ (0 | 1) => {
            let mut tcp = shared.target.tcp(source).await.map_err(Failure::Connect)?;
            drop(turn);
            let _held = Held::new(shared);
            tried();
            let hello = if way == 0 {
                Vec::new()
            } else {
                client_hello(shared)
            };
            trickle(&mut tcp, hello.into_iter().map(one), shared.drip).await
        }
        2 => {
            let mut stream = over(&shared.http1).await?;
            drop(turn);
            let _held = Held::new(shared);
            tried();
            let mut head = shared.target.http1(LARGE);
            head.truncate(head.len() - 4);
            head.extend_from_slice(b"\r\nX-Slow: ");
            let bytes = head.into_iter().chain(std::iter::repeat(b'a'));
            trickle(&mut stream, bytes.map(one), shared.drip).await
        }
        3 => {
            let mut stream = over(&shared.http1).await?;
            drop(turn);
            let _held = Held::new(shared);
            tried();
            let mut head = shared.target.http1(LARGE);
            head.splice(..3, *b"POST");
            head.truncate(head.len() - 2);
            head.extend_from_slice(b"Content-Length: 1000000\r\n\r\n");
            stream.write_all(&head).await.map_err(Failure::Write)?;
            stream.flush().await.map_err(Failure::Write)?;
            trickle(&mut stream, std::iter::repeat(one(b'a')), shared.drip).await
        }
        4 => {
            let mut stream = over(&shared.http2).await?;
            drop(turn);
            let _held = Held::new(shared);
            tried();
            stream.write_all(HTTP2_OPEN).await.map_err(Failure::Write)?;
            stream.flush().await.map_err(Failure::Write)?;
            let frames = std::iter::repeat(CONTINUATION.to_vec());
            trickle(&mut stream, frames, shared.drip).await
        }
        _ => {
            let mut stream = over(&shared.http1).await?;
            drop(turn);
            let _held = Held::new(shared);
            tried();
            let request = shared.target.http1(LARGE);
            stream.write_all(&request).await.map_err(Failure::Write)?;
            stream.flush().await.map_err(Failure::Write)?;
            never_read(stream.get_ref().0, shared.drip).await
        }
    }
}

/// Counts a connection as opened, and as open for as long as it is held.
struct Held<'s>(&'s Shared);

impl<'s> Held<'s> {
    fn new(shared: &'s Shared) -> Self {
        shared.opened.set(shared.opened.get() + 1);
        shared.open.set(shared.open.get() + 1);
        Self(shared)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

/// What a client of ours would send first; empty, and thus silence, if rustls refused.
fn client_hello(shared: &Shared) -> Vec<u8> {
    let mut bytes = Vec::new();
    let name = shared.target.server_name.clone();
    if let Ok(mut client) = ClientConnection::new(Arc::clone(&shared.http1), name) {
        // Into memory: it cannot fail.
        drop(client.write_tls(&mut bytes));
    }
    // Never the last byte: then the server would no longer be waiting.
    bytes.truncate(bytes.len().saturating_sub(1));
    bytes
}

/// The preface, an empty SETTINGS frame, and a HEADERS frame without END_HEADERS on stream 1
/// that holds `:method: GET` (RFC 9113, 3.4, 6.2, 6.5; RFC 7541, A).
const HTTP2_OPEN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x01\x01\x01\x00\x00\x00\x01\x82";

/// A CONTINUATION frame on stream 1 with one byte of a field section that has no end: the
/// indexed field `accept-encoding: gzip, deflate`, over and over.
const CONTINUATION: &[u8] = b"\x00\x00\x01\x09\x00\x00\x00\x00\x01\x90";

fn one(byte: u8) -> Vec<u8> {
    vec![byte]
}

/// Sends one piece per pause, and then nothing more. Returns when the server has ended the
/// connection; whatever else it says is read, for an answer (an error page, SETTINGS) is no end.
async fn trickle<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mut pieces: impl Iterator<Item = Vec<u8>>,
    drip: Duration,
) -> Result<(), Failure> {
    let mut heard = [0; 1024];
    loop {
        let due = Instant::now() + drip;
        while let Ok(read) = timeout_at(due, stream.read(&mut heard)).await {
            if read.map_err(Failure::Read)? == 0 {
                return Ok(());
            }
        }
        if let Some(piece) = pieces.next() {
            stream.write_all(&piece).await.map_err(Failure::Write)?;
            stream.flush().await.map_err(Failure::Write)?;
        }
    }
}

/// Reads nothing, and looks now and then whether the server has hung up.
async fn never_read(tcp: &TcpStream, look_every: Duration) -> Result<(), Failure> {
    loop {
        sleep(look_every).await;
        let ended = |error: Option<io::Error>| error.map_or(Ok(()), Err);
        ended(tcp.take_error().map_err(Failure::Read)?).map_err(Failure::Read)?;
        let ready = tcp.ready(Interest::READABLE).await.map_err(Failure::Read)?;
        if ready.is_read_closed() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
