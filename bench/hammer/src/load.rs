//! The modes: workers that connect again and again, and connections that stay.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::LocalSet;

use crate::Error;
use crate::args::{Args, Mode};
use crate::connection::{Agreed, Failure, Open, Target, exchange};
use crate::tls;

/// How many connections are opened at once while the idle ones are set up.
const OPENERS: u64 = 16;

pub(crate) async fn run(args: Args) -> Result<(), Error> {
    let ca = read(&args.ca)?;
    let target = Rc::new(Target {
        addr: args.addr,
        server_name: ServerName::try_from(args.name.clone())
            .map_err(|_| Error::Usage(format!("--name {:?} is not a DNS name", args.name)))?,
        request: format!(
            "GET / HTTP/1.1\r\nHost: {}:{}\r\nAccept: */*\r\nCookie: {}\r\n\r\n",
            args.name,
            args.addr.port(),
            args.cookie
        )
        .into_bytes(),
        body: read(&args.body)?,
    });
    let local = LocalSet::new();
    match args.mode {
        Mode::Idle => local.run_until(idle(&args, &ca, target)).await,
        Mode::Full | Mode::Resumed => local.run_until(handshakes(&args, &ca, target)).await,
    }
}

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

async fn handshakes(args: &Args, ca: &[u8], target: Rc<Target>) -> Result<(), Error> {
    let resume = args.mode == Mode::Resumed;
    let mut configs = Vec::new();
    for number in 1..=args.open {
        let config = tls::config(ca, args.groups, resume)?;
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
    let mut input = BufReader::new(tokio::io::stdin());
    say("ready").await?;
    await_line(&mut input).await?;

    let tally = Rc::new(Tally::default());
    let start = Instant::now();
    let end = start + args.time;
    let limit = args.limit;
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
                    if open.agreed.resumed != resume {
                        return Err(failed(number, Failure::Kind { expected: resume }));
                    }
                    tally.count(open.agreed.clone());
                    open.close().await;
                }
                Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker
            .await
            .map_err(|error| Error::Runtime(error.into()))??;
    }
    report(&tally, start).await
}

async fn idle(args: &Args, ca: &[u8], target: Rc<Target>) -> Result<(), Error> {
    let config = tls::config(ca, args.groups, false)?;
    let tally = Rc::new(Tally::default());
    let start = Instant::now();
    let wanted = args.open;
    let openers: Vec<_> = (0..OPENERS.min(wanted))
        .map(|_| {
            let (tally, target, config) =
                (Rc::clone(&tally), Rc::clone(&target), Arc::clone(&config));
            tokio::task::spawn_local(async move {
                let mut held: Vec<Open> = Vec::new();
                while tally.begun.get() < wanted {
                    let number = tally.next();
                    let open = exchange(&config, &target)
                        .await
                        .map_err(|source| failed(number, source))?;
                    tally.count(open.agreed.clone());
                    held.push(open);
                }
                Ok::<_, Error>(held)
            })
        })
        .collect();
    let mut held = Vec::new();
    for opener in openers {
        held.extend(
            opener
                .await
                .map_err(|error| Error::Runtime(error.into()))??,
        );
    }
    let mut input = BufReader::new(tokio::io::stdin());
    say("ready").await?;
    // A measurer that dies closes the pipe; one that hangs is not waited for longer than asked.
    if let Ok(line) = tokio::time::timeout(args.time, await_line(&mut input)).await {
        line?;
    }
    report(&tally, start).await?;
    drop(held);
    Ok(())
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

async fn say(line: &str) -> Result<(), Error> {
    let mut out = tokio::io::stdout();
    out.write_all(format!("{line}\n").as_bytes())
        .await
        .map_err(Error::Pipe)?;
    out.flush().await.map_err(Error::Pipe)
}

async fn await_line(input: &mut BufReader<tokio::io::Stdin>) -> Result<(), Error> {
    input
        .read_line(&mut String::new())
        .await
        .map_err(Error::Pipe)?;
    Ok(())
}

fn read(path: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}
