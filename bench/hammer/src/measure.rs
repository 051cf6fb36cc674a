//! The modes that measure: workers that connect again and again, and connections that stay.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use tokio::task::JoinHandle;

use crate::Error;
use crate::args::Args;
use crate::connection::{Agreed, Open, exchange};
use crate::failure::Failure;
use crate::multiplexed::Session;
use crate::pipe::{Input, say};
use crate::target::{SMALL, Target};
use crate::tls::{self, Groups, Protocol};

/// How many connections are opened at once while the idle ones are set up.
const OPENERS: u64 = 16;

/// What the workers of one run share.
#[derive(Default)]
struct Tally {
    begun: Cell<u64>,
    done: Cell<u64>,
    resumed: Cell<u64>,
    agreed: RefCell<Option<Agreed>>,
}

impl Tally {
    fn next(&self) -> u64 {
        self.begun.set(self.begun.get() + 1);
        self.begun.get()
    }

    fn count(&self, agreed: Agreed) {
        self.done.set(self.done.get() + 1);
        self.resumed
            .set(self.resumed.get() + u64::from(agreed.resumed));
        *self.agreed.borrow_mut() = Some(agreed);
    }
}

pub(crate) async fn handshakes(
    args: &Args,
    ca: &[u8],
    target: Rc<Target>,
    (resume, groups, limit): (bool, Groups, u64),
) -> Result<(), Error> {
    let mut configs = Vec::new();
    for number in 1..=args.open {
        let config = tls::config(ca, groups, Protocol::Http1, resume)?;
        if resume {
            // The first connection of a worker is a full one and fetches the tickets.
            exchange(&config, &target)
                .await
                .map_err(|source| failed(number, source))?
                .close()
                .await;
        }
        configs.push(config);
    }
    say("ready").await?;
    Input::new().line().await?;

    let tally = Rc::new(Tally::default());
    let start = Instant::now();
    let end = start + args.time;
    let workers: Vec<_> = configs
        .into_iter()
        .map(|config| {
            let (tally, target) = (Rc::clone(&tally), Rc::clone(&target));
            tokio::task::spawn_local(async move {
                while Instant::now() < end && tally.begun.get() < limit {
                    let number = tally.next();
                    let open = exchange(&config, &target)
                        .await
                        .map_err(|source| failed(number, source))?;
                    let agreed = open.agreed();
                    if agreed.resumed != resume {
                        return Err(failed(number, Failure::Kind { expected: resume }));
                    }
                    tally.count(agreed);
                    open.close().await;
                }
                Ok(())
            })
        })
        .collect();
    join(workers).await?;
    report(&tally, start).await
}

/// A connection that stands, with what it takes to ask on it.
enum Standing {
    Http1(Box<Open>),
    Http2(Session),
}

impl Standing {
    async fn new(
        protocol: Protocol,
        config: &Arc<ClientConfig>,
        target: &Target,
    ) -> Result<Self, Failure> {
        Ok(match protocol {
            Protocol::Http1 => Self::Http1(Box::new(Open::new(config, target, None).await?)),
            Protocol::Http2 => Self::Http2(Session::new(config, target, None).await?),
        })
    }

    async fn ask(&mut self, target: &Target) -> Result<Agreed, Failure> {
        match self {
            Self::Http1(open) => {
                let answer = open.ask(&target.http1(SMALL)).await?;
                Failure::unless_good(answer.status, open.body(&answer), target)?;
                Ok(open.agreed())
            }
            Self::Http2(session) => {
                let (status, body) = session.streams().ask(target.http2(SMALL)?).await?;
                Failure::unless_good(status, &body, target)?;
                Ok(session.agreed.clone())
            }
        }
    }
}

pub(crate) async fn idle(
    args: &Args,
    ca: &[u8],
    target: Rc<Target>,
    protocol: Protocol,
) -> Result<(), Error> {
    let config = tls::config(ca, Groups::X25519, protocol, false)?;
    let tally = Rc::new(Tally::default());
    let start = Instant::now();
    let mut input = Input::new();
    // A measurer that dies closes the pipe; one that hangs is not waited for longer than asked.
    let end = tokio::time::Instant::now() + args.time;

    let wanted = args.open;
    let openers = (0..OPENERS.min(wanted))
        .map(|_| {
            let (tally, target, config) =
                (Rc::clone(&tally), Rc::clone(&target), Arc::clone(&config));
            tokio::task::spawn_local(async move {
                let mut held = Vec::new();
                while tally.begun.get() < wanted {
                    let number = tally.next();
                    let standing = Standing::new(protocol, &config, &target).await;
                    held.push(standing.map_err(|source| failed(number, source))?);
                }
                Ok(held)
            })
        })
        .collect();
    let held = join(openers).await?;
    say("ready").await?;
    if let Ok(line) = tokio::time::timeout_at(end, input.line()).await {
        line?;
    }

    let askers = held
        .into_iter()
        .map(|mut part| {
            let (tally, target) = (Rc::clone(&tally), Rc::clone(&target));
            tokio::task::spawn_local(async move {
                for standing in &mut part {
                    let agreed = standing.ask(&target).await;
                    tally.count(agreed.map_err(|source| failed(tally.done.get() + 1, source))?);
                }
                Ok(part)
            })
        })
        .collect();
    let held = join(askers).await?;
    say("ready").await?;
    if let Ok(line) = tokio::time::timeout_at(end, input.line()).await {
        line?;
    }
    report(&tally, start).await?;
    drop(held);
    Ok(())
}

async fn join<T>(tasks: Vec<JoinHandle<Result<T, Error>>>) -> Result<Vec<T>, Error> {
    let mut all = Vec::with_capacity(tasks.len());
    for task in tasks {
        all.push(task.await.map_err(|error| Error::Runtime(error.into()))??);
    }
    Ok(all)
}

fn failed(number: u64, source: Failure) -> Error {
    Error::Connection { number, source }
}

async fn report(tally: &Tally, start: Instant) -> Result<(), Error> {
    let agreed = tally.agreed.borrow().clone();
    let (suite, group) =
        agreed.map_or_else(Default::default, |agreed| (agreed.suite, agreed.group));
    say(&format!(
        r#"{{"done":{},"resumed":{},"seconds":{:.6},"suite":"{suite}","group":"{group}"}}"#,
        tally.done.get(),
        tally.resumed.get(),
        start.elapsed().as_secs_f64(),
    ))
    .await
}
