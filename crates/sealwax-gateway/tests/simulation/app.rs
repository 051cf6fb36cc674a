//! The app: answers as the plan says, and writes down what it saw.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::line::{Line, Stream};
use super::message::{Bad, Framing, Name, Reader, Received, response};
use super::plan::{Exchange, Expect, Upgrade, content};
use super::run::{Run, Seen};

/// Nothing may come in this time.
const QUIET: Duration = Duration::from_millis(2);

/// An app for one scenario after the other.
pub struct App {
    current: Rc<RefCell<Option<Rc<Run>>>>,
    connections: Rc<RefCell<Vec<JoinHandle<()>>>>,
}

impl App {
    pub fn new(listener: TcpListener) -> Self {
        let app = Self {
            current: Rc::default(),
            connections: Rc::default(),
        };
        let (current, connections) = (Rc::clone(&app.current), Rc::clone(&app.connections));
        tokio::task::spawn_local(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let run = current.borrow().clone();
                let Some(run) = run else { continue };
                let line = Line::new(tcp, run.way(Stream::ToApp), run.way(Stream::FromApp));
                let task = tokio::task::spawn_local(async move { serve(line, &run).await });
                connections.borrow_mut().push(task);
            }
        });
        app
    }

    pub fn begin(&self, run: &Rc<Run>) {
        self.current.replace(Some(Rc::clone(run)));
    }

    /// Closes all connections.
    pub async fn end(&self) {
        self.current.replace(None);
        let connections = self.connections.take();
        for connection in connections {
            connection.abort();
            // It is closed when the task is gone, and not before.
            let _ = connection.await;
        }
        // The gateway may keep one of them for the next run: it shall know.
        tokio::time::sleep(QUIET).await;
    }
}

async fn serve(line: Line, run: &Run) {
    let mut reader = Reader::new(line);
    let mut first = true;
    loop {
        let head = match reader.head().await {
            Ok(head) => head,
            Err(Bad::Malformed(what)) => return run.problem(format!("the app got {what}")),
            Err(_) => return,
        };
        let target = head.start.split(' ').nth(1).unwrap_or_default();
        let Some(name) = Name::of_target(target) else {
            return run.problem(format!("the app got {:?}", head.start));
        };
        // A straggler of the run before, whose client has gone.
        let planned = run.scenario.exchanges.get(name.nth);
        let Some(exchange) = planned.filter(|_| name.run == run.number) else {
            return;
        };
        let _busy = run.begin();
        let at = run.seen.borrow().len();
        run.seen.borrow_mut().push(Seen {
            nth: name.nth,
            first,
            head,
            body: Received::default(),
            whole: false,
            answered: false,
            tunnel: None,
        });
        first = false;
        let conversation = Conversation {
            reader: &mut reader,
            run,
            exchange,
            name,
            at,
        };
        match conversation.go().await {
            Ok(true) => {}
            Ok(false) => {
                let _ = reader.io.shutdown().await;
                reader.drain().await;
                return;
            }
            Err(Bad::Malformed(what)) => return run.problem(format!("the app got {what}")),
            // A half-closed connection still reads; a dead one ends at once.
            Err(_) => {
                reader.drain().await;
                return;
            }
        }
    }
}

struct Conversation<'c> {
    reader: &'c mut Reader<Line>,
    run: &'c Run,
    exchange: &'c Exchange,
    name: Name,
    at: usize,
}

impl Conversation<'_> {
    /// True where another request may follow.
    async fn go(mut self) -> Result<bool, Bad> {
        if let Upgrade::Accepted { up, down, .. } = self.exchange.upgrade {
            return self.tunnel(up, down).await.map(|()| false);
        }
        if self.exchange.early {
            self.answer().await?;
            self.body().await?;
        } else {
            match self.exchange.expect {
                Expect::Continue => self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?,
                Expect::Answer => {
                    self.answer().await?;
                    return self.body().await.map(|()| false);
                }
                Expect::No => {}
            }
            self.body().await?;
            self.answer().await?;
        }
        Ok(!self.exchange.app_close)
    }

    async fn body(&mut self) -> Result<(), Bad> {
        let framing = self.run.seen.borrow()[self.at].head.framing()?;
        let mut body = Received::default();
        let outcome = self.reader.body(framing, &mut body).await;
        let mut seen = self.run.seen.borrow_mut();
        seen[self.at].body = body;
        seen[self.at].whole = outcome.is_ok();
        outcome
    }

    async fn answer(&mut self) -> Result<(), Bad> {
        for status in &self.exchange.interim {
            let interim = format!("HTTP/1.1 {status} Wait\r\nx-interim: 1\r\n\r\n");
            self.send(interim.as_bytes()).await?;
        }
        self.send(&response(self.exchange, self.name)).await?;
        if self.exchange.app_close {
            let _ = self.reader.io.shutdown().await;
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Bad> {
        let before = self.run.passed(Stream::FromApp);
        let sent = self.reader.io.write_all(bytes).await;
        if self.run.passed(Stream::FromApp) > before {
            self.run.seen.borrow_mut()[self.at].answered = true;
        }
        sent.map_err(|_| Bad::Broken)
    }

    async fn tunnel(&mut self, up: usize, down: usize) -> Result<(), Bad> {
        self.run.seen.borrow_mut()[self.at].whole = true;
        // Not a byte of the new protocol comes before it is agreed on.
        let early = tokio::time::timeout(QUIET, self.reader.fill()).await;
        if matches!(early, Ok(Ok(()))) || !self.reader.unread().is_empty() {
            self.run
                .problem("bytes came to the app before its 101".to_owned());
        }
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-token: {}\r\n\r\n",
            self.name.token(false)
        )
        .into_bytes();
        answer.extend(content(self.name.key(false), down));
        let sent = self.send(&answer).await;
        let mut received = Received::default();
        let ended = match self.reader.body(Framing::Length(up), &mut received).await {
            Ok(()) => self.reader.drain().await,
            Err(bad) => bad,
        };
        let mut bytes = received.bytes;
        bytes.extend_from_slice(self.reader.unread());
        // Whoever is told of a reset first is the only one: what reads after that
        // sees a mere end.
        let reset = matches!(early, Ok(Err(Bad::Broken))) || sent.is_err();
        let clean = ended == Bad::Ended && !reset;
        self.run.seen.borrow_mut()[self.at].tunnel = Some((bytes, clean));
        sent
    }
}
