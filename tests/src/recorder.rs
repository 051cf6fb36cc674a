//! An app that keeps every byte it is sent and reads it without mercy (see [`crate::wire`]).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::upstream::Step;
use crate::wire::{self, Message, Read};

/// What came over one connection.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// How many of them are whole requests.
    pub read: usize,
    /// Why the rest cannot become a request, if so.
    pub bad: Option<String>,
}

impl Recording {
    /// The bytes after the last whole request.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.read..]
    }
}

/// Everything that came.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Whole requests, in the order of their last bytes, with the number of their connection.
    pub requests: Vec<(usize, Message)>,
    /// Connections on which anything came.
    pub connections: Vec<Recording>,
}

impl Record {
    /// Whether a byte came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connections.iter().all(|one| one.bytes.is_empty())
    }
}

type Handler = Arc<dyn Fn(&Message, usize) -> Vec<Step> + Send + Sync>;

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    bytes: watch::Sender<usize>,
}

/// The app.
pub struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Recorder {
    /// Does for each request what `handler` says; the number is that of the request here,
    /// from 0. What is no request is recorded, and its connection closed.
    pub async fn with(
        handler: impl Fn(&Message, usize) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let handler: Handler = Arc::new(handler);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let task = tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&handler)));
                seen.tasks.lock().expect("no poisoned lock").push(task);
            }
        });
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// Answers 200 with method, target and body of the request.
    pub async fn echo() -> Self {
        Self::with(|request, _| vec![Step::Send(echo_response(request))]).await
    }

    /// Where it listens, as the `to` of a site.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.shared.record.lock().expect("no poisoned lock").clone()
    }

    /// Waits until `condition` holds for what came.
    ///
    /// # Panics
    /// When ten seconds are not enough; the message shows what came.
    pub async fn until(&self, what: &str, condition: impl Fn(&Record) -> bool) -> Record {
        let mut changes = self.shared.bytes.subscribe();
        let limit = Duration::from_secs(10);
        let seen = tokio::time::timeout(limit, async {
            loop {
                let record = self.record();
                if condition(&record) {
                    return record;
                }
                changes.changed().await.expect("the sender lives in self");
            }
        });
        seen.await
            .unwrap_or_else(|_| panic!("{what} did not come: {:?}", self.record()))
    }

    /// All that ever came, once the gateway has ended and so every connection has.
    ///
    /// # Panics
    /// When a connection stays open.
    pub async fn finish(self) -> Record {
        // Connections are accepted in their order: when this one has been, all have.
        let mut last = TcpStream::connect(self.address).await.expect("a listener");
        let _ = last.shutdown().await;
        let _ = last.read_to_end(&mut Vec::new()).await;
        self.accepting.abort();
        let tasks = std::mem::take(&mut *self.shared.tasks.lock().expect("no poisoned lock"));
        for task in tasks {
            tokio::time::timeout(Duration::from_secs(10), task)
                .await
                .expect("the end of a connection to the app")
                .expect("no panic in the app");
        }
        self.record()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The answer of [`Recorder::echo`].
#[must_use]
pub fn echo_response(request: &Message) -> Vec<u8> {
    let mut body = echo_body(request.method(), request.target(), &request.body);
    let length = body.len();
    if request.method() == "HEAD" {
        body.clear();
    }
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    bytes.append(&mut body);
    bytes
}

/// The body of that answer.
#[must_use]
pub fn echo_body(method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let mut echo = format!("{method} {target} ").into_bytes();
    echo.extend_from_slice(body);
    echo
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>, handler: Handler) {
    let mut number = None;
    let mut speaking = true;
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        let number = *number.get_or_insert_with(|| {
            let mut record = shared.record.lock().expect("no poisoned lock");
            record.connections.push(Recording::default());
            record.connections.len() - 1
        });
        note(&shared, number, &piece[..length]);
        while speaking {
            let Some((request, count)) = next(&shared, number) else {
                break;
            };
            match answer(&mut stream, handler(&request, count)).await {
                Next::Go => {}
                Next::Silence => speaking = false,
                Next::End => return,
            }
        }
        let bad = shared.record.lock().expect("no poisoned lock").connections[number]
            .bad
            .is_some();
        if bad && speaking {
            speaking = false;
            let _ = stream.shutdown().await;
        }
    }
}

fn note(shared: &Shared, number: usize, bytes: &[u8]) {
    let mut record = shared.record.lock().expect("no poisoned lock");
    record.connections[number].bytes.extend_from_slice(bytes);
    drop(record);
    shared.bytes.send_modify(|count| *count += bytes.len());
}

/// The next whole request of a connection and its number here.
fn next(shared: &Shared, number: usize) -> Option<(Message, usize)> {
    let mut record = shared.record.lock().expect("no poisoned lock");
    let recording = &mut record.connections[number];
    match wire::request(recording.rest()) {
        Read::Whole(message, taken) => {
            recording.read += taken;
            record.requests.push((number, message.clone()));
            let count = record.requests.len() - 1;
            drop(record);
            shared.bytes.send_modify(|_| {});
            Some((message, count))
        }
        Read::Partial => None,
        Read::Bad(what) => {
            recording.bad = Some(what);
            None
        }
    }
}

enum Next {
    Go,
    Silence,
    End,
}

async fn answer(stream: &mut TcpStream, steps: Vec<Step>) -> Next {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return Next::Silence;
                }
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Until(mut word) => drop(word.wait_for(|said| *said).await),
            Step::Close => {
                let _ = stream.shutdown().await;
                return Next::Silence;
            }
            Step::Reset => {
                let _ = stream.set_zero_linger();
                return Next::End;
            }
        }
    }
    Next::Go
}
