//! A gateway, and many clients and apps around it at once.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use sealwax_gateway::Drained;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::LocalRuntime;
use tokio_rustls::TlsConnector;

use super::app::App;
use super::client::{self, Client};
use super::h2;
use super::judge::{Over, judge};
use super::kit::{self, Running, client_config};
use super::line::{Line, Stream};
use super::plan::{Exchange, Scenario};
use super::run::Run;

/// Scenarios at once, each with an app and a host of its own.
const LANES: usize = 48;

/// Every third lane has sockets that take little at once, so that writes stop
/// in the middle.
const LITTLE: u32 = 4096;

/// No run takes longer, or something hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a run is tried that met a connection of the run before.
const AGAIN: usize = 3;

static PANICS: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub struct World {
    running: Running,
    runtime: LocalRuntime,
    lanes: Vec<Rc<Lane>>,
    runs: Rc<Cell<u64>>,
    files: usize,
    panics: usize,
    _alone: MutexGuard<'static, ()>,
}

impl World {
    pub fn new(over: Over) -> Self {
        // Descriptors and panics are the whole process's.
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        count_panics();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        let sites = RefCell::new(String::new());
        let apps: Vec<App> = runtime.block_on(async {
            let apps = (0..LANES).map(|lane| {
                let listener = listener(lane);
                let to = listener.local_addr().unwrap();
                let _ = write!(
                    sites.borrow_mut(),
                    "[[site]]\nhosts = [\"{}\"]\nto = [\"http://{to}\"]\ntls = \"local\"\nredirect.enabled = false\n",
                    host(lane)
                );
                App::new(listener)
            });
            apps.collect()
        });
        let running = kit::start(&sites.into_inner());
        let mut config = client_config(running.home.path(), &[over.protocol()]);
        config.resumption = rustls::client::Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        let lanes = apps.into_iter().enumerate().map(|(number, app)| {
            Rc::new(Lane {
                number,
                over,
                address: match over {
                    Over::Plain => running.http,
                    Over::Tls | Over::H2 => running.https,
                },
                connector: connector.clone(),
                app,
            })
        });
        let mut world = Self {
            lanes: lanes.collect(),
            running,
            runtime,
            runs: Rc::new(Cell::new(1)),
            files: usize::MAX,
            panics: PANICS.load(Ordering::SeqCst),
            _alone: alone,
        };
        // One of each, so that what is opened once only is open.
        let warm = Scenario::new(vec![Exchange::get(1)]);
        let (warm, _) = world.play([warm], PATIENCE);
        assert!(warm.is_empty(), "{}", warm.join("\n"));
        std::thread::sleep(Duration::from_millis(50));
        world.files = open_files();
        world
    }

    /// Plays as many of the scenarios as there is `time` for. Tells what was
    /// wrong, and how many were played.
    pub fn play(
        &self,
        scenarios: impl IntoIterator<Item = Scenario> + 'static,
        time: Duration,
    ) -> (Vec<String>, usize) {
        let queue: Box<dyn Iterator<Item = Scenario>> = Box::new(scenarios.into_iter());
        let queue = Rc::new(RefCell::new(queue));
        let wrong = Rc::new(RefCell::new(Vec::new()));
        let played = Rc::new(Cell::new(0));
        let until = Instant::now() + time;
        self.runtime.block_on(async {
            let playing: Vec<_> = self
                .lanes
                .iter()
                .map(|lane| {
                    let (lane, runs) = (Rc::clone(lane), Rc::clone(&self.runs));
                    let (queue, wrong) = (Rc::clone(&queue), Rc::clone(&wrong));
                    let played = Rc::clone(&played);
                    tokio::task::spawn_local(async move {
                        while Instant::now() < until {
                            let Some(scenario) = queue.borrow_mut().next() else {
                                return;
                            };
                            for left in (0..AGAIN).rev() {
                                runs.set(runs.get() + 1);
                                let (_, outcome) = lane.play(runs.get(), scenario.clone()).await;
                                match outcome {
                                    Outcome::Right => {}
                                    Outcome::Stale(_) if left > 0 => continue,
                                    Outcome::Wrong(text) | Outcome::Stale(text) => {
                                        wrong.borrow_mut().push(text);
                                    }
                                }
                                break;
                            }
                            played.set(played.get() + 1);
                        }
                    })
                })
                .collect();
            for lane in playing {
                lane.await.unwrap();
            }
        });
        (wrong.take(), played.get())
    }

    /// How many bytes pass in each stream of a scenario.
    pub fn measure(&self, scenario: &Scenario) -> [u64; 4] {
        self.runs.set(self.runs.get() + 1);
        let lane = Rc::clone(&self.lanes[0]);
        let playing = async { lane.play(self.runs.get(), scenario.clone()).await };
        let (run, outcome) = self.runtime.block_on(playing);
        if let Outcome::Wrong(text) | Outcome::Stale(text) = outcome {
            panic!("{text}");
        }
        Stream::ALL.map(|stream| run.passed(stream))
    }

    /// The gateway answers, has let everything go, and ends as it should.
    pub fn end(self) {
        let answer = kit::Client::plain(self.running.http)
            .send("GET /.sealwax/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .answer("GET");
        assert_eq!(answer.status, 200, "{answer:?}");
        kit::eventually("the number of open files as at first", || {
            open_files() <= self.files
        });
        let Drained { cut } = self.running.gateway.drain();
        assert_eq!(cut, 0, "connections were open still");
        assert_eq!(PANICS.load(Ordering::SeqCst), self.panics, "a panic");
    }
}

enum Outcome {
    Right,
    Wrong(String),
    /// The request went out on a connection that the app had closed after the
    /// run before, and is none to be repeated. The gateway cannot always know
    /// in time, but it must be rare.
    Stale(String),
}

struct Lane {
    number: usize,
    over: Over,
    address: SocketAddr,
    connector: TlsConnector,
    app: App,
}

impl Lane {
    /// Plays one scenario, and says what was wrong.
    async fn play(&self, number: u64, scenario: Scenario) -> (Rc<Run>, Outcome) {
        let run = Rc::new(Run::new(number, scenario));
        self.app.begin(&run);
        let playing = tokio::time::timeout(PATIENCE, async {
            let client = self.client(&run).await;
            run.app_rests().await;
            client
        });
        let outcome = playing.await;
        self.app.end().await;
        let problems = match &outcome {
            Ok(Ok(client)) => judge(&run, client, self.over),
            // The handshake is a part of what may be broken off.
            Ok(Err(_)) if run.fired().iter().any(|fault| !fault.kind.is_timing()) => Vec::new(),
            Ok(Err(error)) => vec![format!("no connection: {error}")],
            Err(_) => vec!["it hangs".to_owned()],
        };
        if problems.is_empty() {
            return (run, Outcome::Right);
        }
        let text = format!(
            "{}\n  SEALWAX_SEED={} {:?} over {:?}, lane {}, happened: {:?}, passed: {:?}",
            problems.join("\n"),
            run.scenario.seed,
            run.scenario,
            self.over,
            self.number,
            run.fired(),
            Stream::ALL.map(|stream| run.passed(stream))
        );
        let first = outcome.ok().and_then(Result::ok);
        let refused =
            first.is_some_and(|client| client.got.first().is_some_and(|got| got.status == 502));
        let unseen = run.seen.borrow().iter().all(|seen| seen.nth > 0);
        let stale = refused && unseen && !run.scenario.exchanges[0].may_be_repeated();
        let outcome = match stale {
            true => Outcome::Stale(text),
            false => Outcome::Wrong(text),
        };
        (run, outcome)
    }

    async fn client(&self, run: &Rc<Run>) -> std::io::Result<Client> {
        let socket = TcpSocket::new_v4()?;
        if self.is_narrow() {
            socket.set_recv_buffer_size(LITTLE)?;
        }
        let tcp = socket.connect(self.address).await?;
        let line = Line::new(tcp, run.way(Stream::ToClient), run.way(Stream::FromClient));
        let host = host(self.number);
        if self.over == Over::Plain {
            return Ok(client::play(line, run, &host).await);
        }
        let name = ServerName::try_from(host.clone()).unwrap();
        let stream = self.connector.connect(name, line).await?;
        Ok(match self.over {
            Over::H2 => h2::play(stream, run, &host).await?,
            _ => client::play(stream, run, &host).await,
        })
    }

    fn is_narrow(&self) -> bool {
        self.number % 3 == 2
    }
}

fn host(lane: usize) -> String {
    format!("l{lane}.localhost")
}

fn listener(lane: usize) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    if lane % 3 == 2 {
        socket.set_recv_buffer_size(LITTLE).unwrap();
    }
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(64).unwrap()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(panic);
        }));
    });
}
