//! Where the inputs are played: a gateway, and behind it an app of its own for each input, so
//! that whatever arrives at an app was caused by that input and by nothing else.
//!
//! ```text
//!  input 0 ──▶ ┌─────────┐ ──▶ app 0   n0.case.test
//!  input 1 ──▶ │ gateway │ ──▶ app 1   n1.case.test
//!  input 2 ──▶ └─────────┘ ──▶ app 2   n2.case.test
//! ```
//!
//! After each input comes one more request, `GET /after`, in the same write. Where the input
//! is refused, it must not be served: who could not say where the input ended cannot say
//! where the next request begins. Where it passes, exactly it must be served next. The apps
//! are judged after the gateway has ended, when nothing can be on its way any more.

use std::time::Duration;

use futures_util::StreamExt;
use sealwax_tests::{Authority, Builder, Gateway, Record, Recorder, Tls, connect_tls, run};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::case::{Cases, HOST, Tail, bytes};
use crate::pending;
use crate::verdict::verdict;

/// How many inputs are played at the same time.
const AT_ONCE: usize = 24;
/// How long the gateway may take to say or close something.
const PATIENCE: Duration = Duration::from_secs(8);

/// Which listener the inputs go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    Https,
    /// Plain, with the redirect off.
    Http,
}

/// A gateway with one site per app.
pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    pub(crate) tls: Tls,
    apps: Vec<Recorder>,
    _authority: Authority,
    _directory: TempDir,
}

impl Stage {
    /// `n0.case.test` and so on, each with the app that `app` makes for its number; `top` are
    /// settings for all.
    pub(crate) async fn new(count: usize, top: &str, app: impl AsyncFn(usize) -> Recorder) -> Self {
        let authority = Authority::new();
        let directory = TempDir::new().unwrap();
        let (cert, key) = authority.files(directory.path(), &["*.case.test"]);
        let mut apps = Vec::new();
        let mut builder: Option<Builder> = None;
        for number in 0..count {
            let recorder = app(number).await;
            let site = format!(
                "tls = {{ cert = {cert:?}, key = {key:?} }}\n[site.redirect]\nenabled = false"
            );
            let host = host(number);
            builder = Some(match builder {
                None => Gateway::to(&recorder.url()).hosts(&[&host]).site(&site),
                Some(builder) => builder.and_site(&[&host], &recorder.url()).site(&site),
            });
            apps.push(recorder);
        }
        // One worker, so that connections to an app are used again where they can be. A drain
        // that has to wait for anything is a fault of its own.
        let gateway = builder
            .expect("a case")
            .top("workers = 1")
            .top(top)
            .start()
            .await;
        let tls = Tls::trusting(&[&authority.root()]);
        Self {
            gateway,
            tls,
            apps,
            _authority: authority,
            _directory: directory,
        }
    }

    pub(crate) fn app(&self, number: usize) -> &Recorder {
        &self.apps[number]
    }

    /// Sends an input and hears the answer to its end.
    pub(crate) async fn play(
        &self,
        listener: Listener,
        number: usize,
        input: &[u8],
        end: bool,
    ) -> Heard {
        match listener {
            Listener::Http => {
                let stream = TcpStream::connect(self.gateway.http).await.unwrap();
                exchange(stream, input, end).await
            }
            Listener::Https => {
                let host = host(number);
                let stream = connect_tls(self.gateway.https, &self.tls, &host, &[b"http/1.1"])
                    .await
                    .unwrap();
                exchange(stream, input, end).await
            }
        }
    }

    /// Ends the gateway and hands out what each app recorded.
    pub(crate) async fn finish(self) -> Vec<Record> {
        let log = self.gateway.log();
        assert!(!log.contains("panicked"), "the gateway panicked:\n{log}");
        drop(self.gateway.stop().await);
        let mut records = Vec::new();
        for app in self.apps {
            records.push(app.finish().await);
        }
        records
    }
}

/// The host of a case.
pub(crate) fn host(number: usize) -> String {
    format!("n{number}.case.test")
}

/// What the client got.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    /// Whether the connection ended, in whatever way.
    pub(crate) closed: bool,
}

/// Sends `input` while it reads, until the connection ends or nothing comes any more.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    input: &[u8],
    end: bool,
) -> Heard {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let write = async {
        // Who refuses may close before all is sent; what was said still counts.
        let _ = writer.write_all(input).await;
        let _ = writer.flush().await;
        if end {
            let _ = writer.shutdown().await;
        }
    };
    let read = async {
        let mut bytes = Vec::new();
        let mut piece = vec![0; 16 << 10];
        loop {
            match tokio::time::timeout(PATIENCE, reader.read(&mut piece)).await {
                Ok(Ok(0) | Err(_)) => {
                    return Heard {
                        bytes,
                        closed: true,
                    };
                }
                Ok(Ok(length)) => bytes.extend_from_slice(&piece[..length]),
                Err(_) => {
                    return Heard {
                        bytes,
                        closed: false,
                    };
                }
            }
        }
    };
    let mut read = std::pin::pin!(read);
    tokio::select! {
        heard = &mut read => heard,
        () = write => read.await,
    }
}

/// Plays all cases of a family and compares what happened with what should, and with the list
/// of those that are known not to.
pub(crate) fn judge(family: &str, listener: Listener, top: &str, cases: Cases) {
    let cases = cases.into_inner();
    run(120, async {
        let stage = Stage::new(cases.len(), top, async |_| Recorder::echo().await).await;
        let played = futures_util::stream::iter(cases.iter().enumerate())
            .map(async |(number, case)| {
                let host = host(number);
                let mut input = replace(&case.input, HOST.as_bytes(), host.as_bytes());
                if matches!(case.tail, Tail::Request | Tail::Unserved) {
                    input.extend(bytes(&format!(
                        "GET /after HTTP/1.1⏎Host: {host}⏎Connection: close⏎⏎"
                    )));
                }
                stage
                    .play(listener, number, &input, case.tail == Tail::End)
                    .await
            })
            .buffered(AT_ONCE);
        let heard: Vec<Heard> = played.collect().await;
        let records = stage.finish().await;
        let outcomes = cases.iter().zip(&heard).zip(&records).enumerate();
        let outcomes = outcomes.map(|(number, ((case, heard), record))| {
            let verdict = verdict(case, &host(number), heard, record).map_err(|fault| {
                format!(
                    "{fault}\n    in: {}\n    out: {}\n    rule: {}",
                    printable(&case.input),
                    printable(&heard.bytes),
                    case.why
                )
            });
            (case.name.as_str(), verdict)
        });
        pending::compare(family, outcomes);
    });
}

/// Text with what is not printable escaped, and not too much of it.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(300)];
    let more = if shown.len() < bytes.len() {
        format!("… ({} bytes)", bytes.len())
    } else {
        String::new()
    };
    format!("{}{more}", shown.escape_ascii()).replace("\\r\\n", "⏎")
}

pub(crate) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
