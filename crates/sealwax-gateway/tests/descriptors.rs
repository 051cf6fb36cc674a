//! Few file descriptors: clients and apps share them, and what is idle gives
//! way. One test, since the limit is the whole process's; the app has a
//! process of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kit;

use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use kit::{Client, Running, client_config, site, start};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Of the descriptors left by the gateway's own 64, two fifths are for apps.
const FILES: u64 = 200;
const FOR_APPS: usize = 54;

/// Answers each request after 200 ms with the most connections that were open
/// at once, until its standard input ends.
#[test]
#[ignore = "the app of the test below, in a process of its own"]
fn app() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("\napp at {}", listener.local_addr().unwrap());
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, open, most) = (stream.unwrap(), Arc::clone(&open), Arc::clone(&most));
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    if line == "\r\n" {
                        thread::sleep(Duration::from_millis(200));
                        let most = most.load(Ordering::SeqCst).to_string();
                        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", most.len());
                        let answer = format!("{head}\r\n{most}");
                        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                            break;
                        }
                    }
                    line.clear();
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

struct App(Child, SocketAddr);

impl App {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "app", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = said
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("app at ")?.parse().ok())
            .unwrap();
        Self(child, address)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone, Copy)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

async fn connect(running: &Running) -> SendRequest<Empty<Bytes>> {
    let tcp = tokio::net::TcpStream::connect(running.https).await.unwrap();
    let config = client_config(running.home.path(), &[b"h2"]);
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    let (sender, connection) = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::task::spawn_local(connection);
    sender
}

/// 4 connections with 100 requests each, at once: statuses and bodies.
fn burst(running: &Running) -> Vec<(StatusCode, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .unwrap();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let client = connect(running).await;
            for _ in 0..100 {
                let mut client = client.clone();
                tasks.push(tokio::task::spawn_local(async move {
                    client.ready().await.unwrap();
                    let request = Request::get("https://localhost/").body(Empty::new());
                    let answer = client.send_request(request.unwrap()).await.unwrap();
                    let (head, body) = answer.into_parts();
                    let busy = head.status == StatusCode::SERVICE_UNAVAILABLE;
                    assert_eq!(head.headers.contains_key("retry-after"), busy);
                    (head.status, body.collect().await.unwrap().to_bytes())
                }));
            }
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    })
}

/// How long a new client needs for its handshake and an answer.
fn newcomer(running: &Running, path: &str) -> Duration {
    let started = Instant::now();
    assert_eq!(Client::tls(running, "localhost").get(path).status, 200);
    started.elapsed()
}

#[test]
fn many_streams_and_idle_connections_leave_descriptors_for_clients() {
    let app = App::start();
    let few = Rlimit {
        current: Some(FILES),
        maximum: Some(FILES),
    };
    setrlimit(Resource::Nofile, few).unwrap();
    let to = format!("\"http://{}\"", app.1);
    let soon = Duration::from_secs(2);
    {
        let running = start(&site(&to));
        // 400 requests want a connection each; those that must wait are served
        // in turn, and newcomers meanwhile.
        thread::scope(|scope| {
            let bursting = scope.spawn(|| burst(&running));
            thread::sleep(Duration::from_millis(400));
            assert!(!bursting.is_finished());
            let waited = newcomer(&running, "/.sealwax/health");
            assert!(waited < soon, "{waited:?} during the burst");
            for (status, most) in bursting.join().unwrap() {
                let most: usize = std::str::from_utf8(&most).unwrap().parse().unwrap();
                assert_eq!(status, 200);
                assert!(most <= FOR_APPS, "{most} connections to the app");
            }
        });
        // Others in the process take what is left: idle connections give way.
        let newcoming = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let newcoming = newcoming.unwrap();
        let mut hoard = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            hoard.push(file);
        }
        newcoming.connect(&running.http.into()).unwrap();
        let mut newcomer = std::net::TcpStream::from(newcoming);
        newcomer.set_read_timeout(Some(soon)).unwrap();
        newcomer
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut answer = [0; 15];
        newcomer.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    }
    // Who waits for longer than `timeouts.connect` is told so.
    let running = start(&format!("[timeouts]\nconnect = \"50ms\"\n{}", site(&to)));
    let answers = burst(&running);
    let of = |wanted: u16| answers.iter().filter(|(got, _)| *got == wanted).count();
    assert!(of(200) >= FOR_APPS && of(503) > 0 && of(200) + of(503) == 400);
    let waited = newcomer(&running, "/");
    assert!(waited < soon, "{waited:?} after the burst");
}
