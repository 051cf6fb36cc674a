//! `load`: requests on standing connections without end, some of them given up by the client.
//!
//! Nothing that goes wrong ends the run: it is counted, by whose fault it is, and the first
//! failures are told on standard error with their time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::args::{Args, LoadArgs};
use crate::connection::Open;
use crate::failure::{Failure, whole};
use crate::multiplexed::{Session, Streams, read};
use crate::pipe::{Input, say};
use crate::target::{LARGE, SMALL, Target};
use crate::tls::{self, Groups, Protocol};

/// Handshakes at once, so that opening thousands of connections takes no longer than patience.
const HANDSHAKES: usize = 32;
/// How long the connections may take to stand.
const STANDING: Duration = Duration::from_secs(90);
/// Before another try, after an error: a browser does not spin either.
const AFTER_ERROR: Duration = Duration::from_millis(50);
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Failures that are told in words.
const TOLD: u64 = 50;
/// What every error page of the gateway has in it.
const PAGE_MARK: &[u8] = b"Reference ";

/// What has come of the requests so far.
#[derive(Default)]
struct Tally {
    /// Connections that stand.
    open: Cell<u64>,
    begun: Cell<u64>,
    /// 200, with every byte.
    done: Cell<u64>,
    /// Given up by this client.
    aborted: Cell<u64>,
    /// 502, 503 or 504 by an error page of the gateway: the app did not answer.
    app: Cell<u64>,
    /// Any other answer that is not the right one.
    wrong: Cell<u64>,
    /// No answer, or not a whole one.
    broken: Cell<u64>,
    /// HTTP/2 connections that the server ended in order.
    farewells: Cell<u64>,
    /// The longest that a good answer took.
    slowest: Cell<Duration>,
}

fn add(cell: &Cell<u64>) -> u64 {
    cell.set(cell.get() + 1);
    cell.get()
}

impl Tally {
    fn line(&self) -> String {
        format!(
            r#"{{"at":{:.3},"open":{},"done":{},"aborted":{},"app":{},"wrong":{},"broken":{},"farewells":{},"slowest":{:.3}}}"#,
            now(),
            self.open.get(),
            self.done.get(),
            self.aborted.get(),
            self.app.get(),
            self.wrong.get(),
            self.broken.get(),
            self.farewells.get(),
            self.slowest.get().as_secs_f64(),
        )
    }
}

/// Seconds since 1970, to be held against the times at which the app was away.
pub(crate) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// What all connections share.
struct Shared {
    load: LoadArgs,
    target: Target,
    small: Vec<u8>,
    large: Vec<u8>,
    config: Arc<ClientConfig>,
    handshakes: Semaphore,
    tally: Tally,
    told: RefCell<u64>,
}

pub(crate) async fn load(
    args: &Args,
    ca: &[u8],
    target: Target,
    load: LoadArgs,
) -> Result<(), Error> {
    let shared = Rc::new(Shared {
        load,
        small: target.http1(SMALL),
        large: target.http1(LARGE),
        target,
        config: tls::config(ca, Groups::X25519, load.protocol, false)?,
        handshakes: Semaphore::new(HANDSHAKES),
        tally: Tally::default(),
        told: RefCell::default(),
    });
    for number in 0..args.open {
        let shared = Rc::clone(&shared);
        // The requests of connections with pauses are spread over the pause.
        let first = load.pause.mul_f64(number as f64 / args.open as f64);
        tokio::task::spawn_local(async move {
            match shared.load.protocol {
                Protocol::Http1 => http1(&shared, number, first).await,
                Protocol::Http2 => http2(&shared, number, first).await,
            }
        });
    }
    let deadline = Instant::now() + STANDING;
    while shared.tally.open.get() < args.open {
        if Instant::now() > deadline {
            return Err(Error::NotStanding {
                stand: shared.tally.open.get(),
                wanted: args.open,
            });
        }
        sleep(Duration::from_millis(10)).await;
    }
    say("ready").await?;

    let mut input = Input::new();
    let stop = input.line();
    tokio::pin!(stop);
    let end = Instant::now() + args.time;
    let mut due = Instant::now();
    loop {
        // One line each second, and one at the end.
        due += REPORT_EVERY;
        let over = tokio::select! {
            line = &mut stop => line.map(|()| true)?,
            () = tokio::time::sleep_until(due.min(end)) => due >= end,
        };
        say(&shared.tally.line()).await?;
        if over {
            return Ok(());
        }
    }
}

impl Shared {
    /// What came back, into the books. Says whether it was the right answer.
    fn judge(&self, begun: Instant, status: u16, body: &[u8]) -> bool {
        match Failure::unless_good(status, body, &self.target) {
            Ok(()) => {
                add(&self.tally.done);
                let slowest = self.tally.slowest.get().max(begun.elapsed());
                self.tally.slowest.set(slowest);
                return true;
            }
            Err(Failure::Status(502..=504)) if holds(body, PAGE_MARK) => {
                add(&self.tally.app);
            }
            Err(failure) => {
                add(&self.tally.wrong);
                self.tell(&failure);
            }
        }
        false
    }

    fn broke(&self, failure: &Failure) {
        add(&self.tally.broken);
        self.tell(failure);
    }

    fn tell(&self, failure: &Failure) {
        let mut told = self.told.borrow_mut();
        *told += 1;
        if *told <= TOLD {
            crate::complain(&format!("{:.3} {}", now(), whole(failure)));
        }
    }

    /// The number of a request that the client shall give up.
    fn to_be_aborted(&self) -> Option<u64> {
        let number = add(&self.tally.begun);
        let every = self.load.abort_every;
        (number.checked_rem(every)? == 0).then(|| number / every)
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Counts a connection for as long as it is held.
struct Counted<'s>(&'s Tally);

impl<'s> Counted<'s> {
    fn new(tally: &'s Tally) -> Self {
        add(&tally.open);
        Self(tally)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

/// One client that keeps one HTTP/1.1 connection.
async fn http1(shared: &Shared, number: u64, first: Duration) {
    let mut pause = first;
    loop {
        let opened = {
            let _turn = shared.handshakes.acquire().await;
            Open::new(
                &shared.config,
                &shared.target,
                shared.load.sources.of(number),
            )
            .await
        };
        match opened {
            Ok(open) => {
                let _counted = Counted::new(&shared.tally);
                let outcome = http1_requests(shared, open, &mut pause).await;
                if let Err(failure) = outcome {
                    shared.broke(&failure);
                    sleep(AFTER_ERROR).await;
                }
            }
            Err(failure) => {
                shared.broke(&failure);
                sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// Until the connection is over: closed by the server in order, or given up.
async fn http1_requests(
    shared: &Shared,
    mut open: Open,
    pause: &mut Duration,
) -> Result<(), Failure> {
    loop {
        let begun = Instant::now();
        if let Some(number) = shared.to_be_aborted() {
            abort_http1(shared, open, number).await?;
            add(&shared.tally.aborted);
            return Ok(());
        }
        let answer = open.ask(&shared.small).await?;
        let good = shared.judge(begun, answer.status, open.body(&answer));
        if answer.last {
            open.close().await;
            return Ok(());
        }
        sleep_unless_zero(if good { *pause } else { AFTER_ERROR }).await;
        *pause = shared.load.pause;
    }
}

async fn sleep_unless_zero(pause: Duration) {
    if !pause.is_zero() {
        sleep(pause).await;
    }
}

/// Three ways to go: after half a request, before the answer, in the midst of a large answer.
/// The connection is closed without close_notify, as when a tab is closed.
async fn abort_http1(shared: &Shared, mut open: Open, number: u64) -> Result<(), Failure> {
    match number % 3 {
        0 => {
            let half = shared.small.len() / 2;
            open.write(shared.small.get(..half).unwrap_or_default())
                .await
        }
        1 => open.write(&shared.small).await,
        _ => {
            open.write(&shared.large).await?;
            // While the app is away there may be nothing to read in time: gone all the same.
            match tokio::time::timeout(Duration::from_secs(1), open.read_more()).await {
                Ok(read) => read,
                Err(_) => Ok(()),
            }
        }
    }
}

/// One client that keeps one HTTP/2 connection, with several requests at once on it.
async fn http2(shared: &Rc<Shared>, number: u64, first: Duration) {
    let mut pause = first;
    loop {
        let opened = {
            let _turn = shared.handshakes.acquire().await;
            Session::new(
                &shared.config,
                &shared.target,
                shared.load.sources.of(number),
            )
            .await
        };
        match opened {
            Ok(session) => {
                let _counted = Counted::new(&shared.tally);
                http2_requests(shared, &session, pause).await;
                pause = shared.load.pause;
            }
            Err(failure) => {
                shared.broke(&failure);
                sleep(AFTER_ERROR).await;
            }
        }
    }
}

async fn http2_requests(shared: &Rc<Shared>, session: &Session, first: Duration) {
    let closing = Rc::new(Cell::new(false));
    let tasks: Vec<_> = (0..shared.load.streams)
        .map(|_| {
            let (shared, closing) = (Rc::clone(shared), Rc::clone(&closing));
            let (streams, close) = (session.streams(), session.closer());
            tokio::task::spawn_local(async move {
                match stream_of_requests(&shared, streams, first, &closing).await {
                    Ok(()) => {
                        closing.set(true);
                        close.abort();
                        add(&shared.tally.aborted);
                        false
                    }
                    // Given up together with the connection, by a neighbour.
                    Err(_) if closing.get() => {
                        add(&shared.tally.aborted);
                        false
                    }
                    Err(failure) if failure.is_farewell() => true,
                    Err(failure) => {
                        shared.broke(&failure);
                        sleep(AFTER_ERROR).await;
                        false
                    }
                }
            })
        })
        .collect();
    let mut farewell = false;
    for task in tasks {
        // A task that panicked has said so itself.
        farewell |= task.await.unwrap_or(false);
    }
    if farewell {
        add(&shared.tally.farewells);
    }
}

/// Ends with `Ok` where the client shall close the whole connection.
async fn stream_of_requests(
    shared: &Shared,
    mut streams: Streams,
    first: Duration,
    closing: &Cell<bool>,
) -> Result<(), Failure> {
    let mut pause = first;
    while !closing.get() {
        let begun = Instant::now();
        if let Some(number) = shared.to_be_aborted() {
            match number % 10 {
                0 => return Ok(()),
                odd if odd % 2 == 1 => {
                    // Reset before the answer.
                    drop(streams.send(shared.target.http2(SMALL)?).await?);
                }
                _ => {
                    // Reset in the midst of a large answer.
                    let response = streams.send(shared.target.http2(LARGE)?).await?.await?;
                    read(&mut response.into_body()).await?;
                }
            }
            add(&shared.tally.aborted);
            continue;
        }
        let (status, body) = streams.ask(shared.target.http2(SMALL)?).await?;
        let good = shared.judge(begun, status, &body);
        sleep_unless_zero(if good { pause } else { AFTER_ERROR }).await;
        pause = shared.load.pause;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
