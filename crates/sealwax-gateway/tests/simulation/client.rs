//! The client over HTTP/1.1: it sends what the plan says and writes down what
//! came back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::Notify;

use super::message::{Bad, Framing, Head, Reader, Received, framed, request_head};
use super::plan::{Exchange, Expect, Upgrade, content};
use super::run::Run;

/// A response as the client saw it.
#[derive(Debug, Default)]
pub struct Got {
    pub head: Option<Head>,
    pub status: u16,
    /// A 100 came.
    pub continued: bool,
    pub body: Received,
    /// Complete by its own framing.
    pub whole: bool,
    /// What came through the tunnel, and whether it ended as it should.
    pub tunnel: Option<(Vec<u8>, bool)>,
}

/// All that the client knows in the end.
#[derive(Debug, Default)]
pub struct Client {
    pub got: Vec<Got>,
    /// Requests that left it to the last byte.
    pub sent: Vec<bool>,
    /// Where each of them ended, in bytes since the beginning (without TLS).
    pub ends: Vec<u64>,
}

/// How far reading has come, for whoever writes.
#[derive(Default)]
struct Progress {
    /// Exchanges that are over.
    done: Cell<usize>,
    /// The exchange whose body is wanted.
    wanted: Cell<Option<usize>>,
    switched: Cell<bool>,
    /// Nothing more will come.
    over: Cell<bool>,
    changed: Notify,
}

impl Progress {
    fn tell(&self) {
        self.changed.notify_one();
    }

    /// False when it will never be.
    async fn until(&self, holds: impl Fn() -> bool) -> bool {
        loop {
            if holds() {
                return true;
            }
            if self.over.get() {
                return false;
            }
            self.changed.notified().await;
        }
    }
}

pub async fn play<S>(stream: S, run: &Rc<Run>, host: &str) -> Client
where
    S: AsyncRead + AsyncWrite + 'static,
{
    let (reading, writing) = tokio::io::split(stream);
    let progress = Rc::new(Progress::default());
    let client = Rc::new(RefCell::new(Client::default()));
    let writer = tokio::task::spawn_local({
        let (run, progress, client) = (Rc::clone(run), Rc::clone(&progress), Rc::clone(&client));
        let host = host.to_owned();
        async move {
            let mut writer = Writer {
                io: writing,
                written: 0,
                progress: &progress,
                client: &client,
            };
            // Broken or not: the reader finds out.
            let _ = writer.write(&run, &host).await;
            let _ = writer.io.shutdown().await;
        }
    });
    let mut reader = Reader::new(reading);
    let read = read(&mut reader, run, &progress, &client).await;
    progress.over.set(true);
    progress.tell();
    match read {
        Err(Bad::Malformed(what)) => run.problem(format!("the client got {what}")),
        Ok(()) => match reader.head().await {
            // What was meant for the other protocol is no request.
            Ok(head) if head.status() == Ok(400) && was_early(run) => {}
            Err(Bad::Ended | Bad::Broken) if reader.unread().is_empty() => {}
            more => run.problem(format!(
                "after the last response the client got {more:?} {:?}",
                String::from_utf8_lossy(reader.unread())
            )),
        },
        Err(_) => {}
    }
    let _ = writer.await;
    drop(reader);
    client.take()
}

/// Whether the client has begun a protocol that was not yet agreed on.
fn was_early(run: &Run) -> bool {
    let last = run.scenario.exchanges.last();
    last.is_some_and(|last| matches!(last.upgrade, Upgrade::Accepted { early: true, .. }))
}

struct Writer<'w, S> {
    io: WriteHalf<S>,
    written: u64,
    progress: &'w Progress,
    client: &'w RefCell<Client>,
}

impl<S: AsyncRead + AsyncWrite> Writer<'_, S> {
    async fn write(&mut self, run: &Run, host: &str) -> std::io::Result<()> {
        for (nth, exchange) in run.scenario.exchanges.iter().enumerate() {
            let name = run.name(nth);
            let progress = self.progress;
            if !run.scenario.pipelined && !progress.until(|| progress.done.get() >= nth).await {
                return Ok(());
            }
            let head = request_head(exchange, name, host);
            let body = framed(exchange.body, name, true);
            let end = self.written + (head.len() + body.len()) as u64;
            self.client.borrow_mut().ends.push(end);
            self.client.borrow_mut().sent.push(false);
            let waits = exchange.expect != Expect::No;
            let mut first = head.into_bytes();
            if !waits {
                first.extend_from_slice(&body);
            }
            if let Upgrade::Accepted {
                up, early: true, ..
            } = exchange.upgrade
            {
                first.extend(content(name.key(true), up));
            }
            self.send(&first).await?;
            if waits {
                if !progress.until(|| progress.wanted.get() == Some(nth)).await {
                    return Ok(());
                }
                self.send(&body).await?;
            }
            self.client.borrow_mut().sent[nth] = true;
            if let Upgrade::Accepted {
                up, early: false, ..
            } = exchange.upgrade
                && progress.until(|| progress.switched.get()).await
            {
                self.send(&content(name.key(true), up)).await?;
            }
            if let Upgrade::Accepted { .. } = exchange.upgrade {
                // Who ends at once may have the answer cut off; who has asked
                // waits for it.
                progress.until(|| progress.switched.get()).await;
                return Ok(());
            }
        }
        let (progress, all) = (self.progress, run.scenario.exchanges.len());
        progress.until(|| progress.done.get() >= all).await;
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.io.write_all(bytes).await?;
        self.io.flush().await?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

async fn read<S: AsyncRead + AsyncWrite>(
    reader: &mut Reader<ReadHalf<S>>,
    run: &Run,
    progress: &Progress,
    client: &RefCell<Client>,
) -> Result<(), Bad> {
    for (nth, exchange) in run.scenario.exchanges.iter().enumerate() {
        let mut got = Got::default();
        let outcome = answer(reader, exchange, nth, progress, &mut got).await;
        let closes = got.head.as_ref().is_some_and(|head| {
            let connection = head.field("connection");
            connection.as_deref() == Some("close")
                || (exchange.http10 && connection.as_deref() != Some("keep-alive"))
        });
        let ends = closes || got.tunnel.is_some();
        client.borrow_mut().got.push(got);
        outcome?;
        progress.done.set(nth + 1);
        progress.tell();
        if ends {
            return Ok(());
        }
    }
    Ok(())
}

/// One response, with what comes before it.
async fn answer<R: AsyncRead + Unpin>(
    reader: &mut Reader<R>,
    exchange: &Exchange,
    nth: usize,
    progress: &Progress,
    got: &mut Got,
) -> Result<(), Bad> {
    let head = loop {
        let head = reader.head().await?;
        match head.status()? {
            100 if exchange.expect != Expect::No && !got.continued => {
                got.continued = true;
                progress.wanted.set(Some(nth));
                progress.tell();
            }
            status @ 100..=199 if status != 101 => {
                return Err(Bad::Malformed(format!("an unasked {}", head.start)));
            }
            _ => break head,
        }
    };
    got.status = head.status()?;
    let framing = head.framing()?;
    got.head = Some(head);
    if got.status == 101 {
        progress.switched.set(true);
        progress.tell();
        let mut bytes = Received::default();
        let ended = reader.body(Framing::UntilClose, &mut bytes).await;
        got.tunnel = Some((bytes.bytes, ended.is_ok()));
        got.whole = true;
        return ended;
    }
    let framing = match framing {
        _ if exchange.method == "HEAD" || matches!(got.status, 204 | 304) => Framing::None,
        Framing::Chunked if exchange.http10 => {
            return Err(Bad::Malformed("chunks over HTTP/1.0".to_owned()));
        }
        Framing::None => Framing::UntilClose,
        framing => framing,
    };
    let outcome = reader.body(framing, &mut got.body).await;
    got.whole = outcome.is_ok();
    outcome
}
