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
use sealwax_tests::wire::{self, Message, Read};
use sealwax_tests::{
    Authority, Builder, Gateway, Record, Recorder, Tls, connect_tls, echo_body, run,
};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::pending;

/// How many inputs are played at the same time.
const AT_ONCE: usize = 24;
/// How long the gateway may take to say or close something.
const PATIENCE: Duration = Duration::from_secs(8);

/// What stands for the case's host in an input.
pub(crate) const HOST: &str = "HOST";

/// One input.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) input: Vec<u8>,
    pub(crate) tail: Tail,
    pub(crate) want: Want,
    /// The sentence that decides.
    pub(crate) why: &'static str,
}

/// What follows the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// `GET /after`, to be served if and only if the input passed.
    Request,
    /// The same, never to be served: the input ends its connection.
    Unserved,
    /// The end of what the client sends.
    End,
    /// Nothing: the gateway must answer and close by itself.
    Nothing,
}

/// What should happen. Numbers are the statuses that will do.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// The message cannot be understood: one of these, the connection closes, and the app gets
    /// no byte.
    Refused(&'static [u16]),
    /// The message is understood but not allowed: one of these; the connection may go on.
    Denied(&'static [u16]),
    /// The fault shows after the head: the app may have the beginning, never a whole request;
    /// one of these or none, and the connection closes.
    Broken(&'static [u16]),
    /// Exactly these requests reach the app, each answered by it.
    Passed(Vec<Seen>),
    /// These pass, the next is refused as by [`Want::Refused`] without reaching the app.
    PassedThenRefused(Vec<Seen>, &'static [u16]),
    /// RFC and practice leave both: refused as above, or passed in the one form.
    Either(&'static [u16], Seen),
    /// The same where the end of the message is clear: denied as above, or passed.
    Optional(&'static [u16], Seen),
}

/// A request as the app should see it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    method: String,
    target: String,
    body: Vec<u8>,
    with: Vec<(&'static str, String)>,
    without_header: Vec<&'static str>,
    without_trailer: Vec<&'static str>,
}

/// A request with no body.
pub(crate) fn seen(method: &str, target: &str) -> Seen {
    Seen {
        method: method.to_owned(),
        target: target.to_owned(),
        body: Vec::new(),
        with: Vec::new(),
        without_header: Vec::new(),
        without_trailer: Vec::new(),
    }
}

impl Seen {
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// The only value of this field; `HOST` becomes the case's host.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.with.push((name, value.to_owned()));
        self
    }

    /// No such field, nor trailer.
    pub(crate) fn without(self, name: &'static str) -> Self {
        self.without_header(name).without_trailer(name)
    }

    /// No such field in the head.
    pub(crate) fn without_header(mut self, name: &'static str) -> Self {
        self.without_header.push(name);
        self
    }

    /// No such field after the body.
    pub(crate) fn without_trailer(mut self, name: &'static str) -> Self {
        self.without_trailer.push(name);
        self
    }

    pub(crate) fn matches(&self, message: &Message, host: &str) -> Result<(), String> {
        let got = (message.method(), message.target(), &message.body);
        if got != (&self.method, &self.target, &self.body) {
            return Err(format!(
                "the app saw {} {} with {:?}, not {} {} with {:?}",
                got.0,
                got.1,
                printable(got.2),
                self.method,
                self.target,
                printable(&self.body)
            ));
        }
        for (name, value) in &self.with {
            let value = value.replace(HOST, host);
            if message.all(name) != [value.as_str()] {
                return Err(format!(
                    "the app saw {name}: {:?}, not {value:?}",
                    message.all(name)
                ));
            }
        }
        for (place, fields, unwanted) in [
            ("", &message.fields, &self.without_header),
            ("trailer ", &message.trailers, &self.without_trailer),
        ] {
            let is_unwanted =
                |name: &str| unwanted.iter().any(|not| not.eq_ignore_ascii_case(name));
            if let Some((name, value)) = fields.iter().find(|(name, _)| is_unwanted(name)) {
                return Err(format!("the app saw the {place}field {name}: {value}"));
            }
        }
        Ok(())
    }
}

/// The inputs of one family, in the making.
#[derive(Default)]
pub(crate) struct Cases(Vec<Case>);

impl Cases {
    /// Each of the rows (name, input) must be refused with 400.
    pub(crate) fn refused(&mut self, why: &'static str, rows: &[(&str, &str)]) {
        self.all(why, Want::Refused(&[400]), rows);
    }

    /// Each of the rows must reach the app as this one request.
    pub(crate) fn passed(&mut self, why: &'static str, seen: &Seen, rows: &[(&str, &str)]) {
        self.all(why, Want::Passed(vec![seen.clone()]), rows);
    }

    /// Each of the rows must be answered with 400.
    pub(crate) fn denied(&mut self, why: &'static str, rows: &[(&str, &str)]) {
        self.all(why, Want::Denied(&[400]), rows);
    }

    /// The same expectation for each of the rows.
    pub(crate) fn all(&mut self, why: &'static str, want: Want, rows: &[(&str, &str)]) {
        for (name, input) in rows {
            self.one(why, want.clone(), Tail::Request, name, input);
        }
    }

    /// One input with what follows it.
    pub(crate) fn one(
        &mut self,
        why: &'static str,
        want: Want,
        tail: Tail,
        name: &str,
        input: &str,
    ) {
        assert!(
            self.0.iter().all(|case| case.name != name),
            "two inputs are called {name:?}"
        );
        self.0.push(Case {
            name: name.to_owned(),
            input: bytes(input),
            tail,
            want,
            why,
        });
    }

    pub(crate) fn into_inner(self) -> Vec<Case> {
        self.0
    }
}

/// The bytes of an input: `⏎` is CR LF, any other character is the byte with its number.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) if character == '⏎' => bytes.extend_from_slice(b"\r\n"),
            Err(_) => panic!("{character:?} is no byte"),
        }
    }
    bytes
}

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

/// The client's answers, interim ones left out; what is not exact is an error.
pub(crate) fn answers(heard: &Heard, heads: &[bool]) -> Result<(Vec<Message>, bool), String> {
    let mut rest = &heard.bytes[..];
    let mut answers = Vec::new();
    loop {
        if rest.is_empty() {
            return Ok((answers, true));
        }
        let to_head = heads.get(answers.len()).copied().unwrap_or(false);
        match wire::response(rest, to_head, heard.closed) {
            Read::Whole(message, taken) => {
                rest = &rest[taken..];
                if message.status() >= 200 {
                    answers.push(message);
                }
            }
            Read::Partial => return Ok((answers, false)),
            Read::Bad(what) => return Err(format!("the client got what is no response: {what}")),
        }
    }
}

fn verdict(case: &Case, host: &str, heard: &Heard, record: &Record) -> Result<(), String> {
    for connection in &record.connections {
        if let Some(bad) = &connection.bad {
            let rest = printable(connection.rest());
            return Err(format!(
                "what reached the app is no exact request: {bad}: {rest}"
            ));
        }
    }
    match &case.want {
        Want::Refused(statuses) => refused(statuses, &[], host, heard, record, false),
        Want::Broken(statuses) => refused(statuses, &[], host, heard, record, true),
        Want::PassedThenRefused(seen, statuses) => {
            refused(statuses, seen, host, heard, record, false)
        }
        Want::Denied(statuses) => denied(statuses, case.tail, host, heard, record),
        Want::Passed(seen) => passed(seen, case.tail, host, heard, record),
        Want::Optional(statuses, seen) => {
            let first = denied(statuses, case.tail, host, heard, record);
            first.or_else(|first| {
                let seen = [seen.clone()];
                passed(&seen, case.tail, host, heard, record)
                    .map_err(|second| format!("neither denied ({first}) nor passed ({second})"))
            })
        }
        Want::Either(statuses, seen) => {
            let first = refused(statuses, &[], host, heard, record, false);
            first.or_else(|first| {
                let seen = [seen.clone()];
                passed(&seen, case.tail, host, heard, record)
                    .map_err(|second| format!("neither refused ({first}) nor passed ({second})"))
            })
        }
    }
}

/// The requests `before` pass; then comes one of the statuses and the end of the connection.
fn refused(
    statuses: &[u16],
    before: &[Seen],
    host: &str,
    heard: &Heard,
    record: &Record,
    partly: bool,
) -> Result<(), String> {
    saw(record, host, before)?;
    let unfinished = record.connections.iter().any(|one| !one.rest().is_empty());
    if unfinished && !partly {
        return Err(format!(
            "the beginning of a refused request reached the app: {record:?}"
        ));
    }
    let heads: Vec<_> = before.iter().map(|seen| seen.method == "HEAD").collect();
    let (answers, whole) = answers(heard, &heads)?;
    let (first, last) = answers.split_at(answers.len().min(before.len()));
    echoed(first, before)?;
    match last {
        [answer] if statuses.contains(&answer.status()) && whole => {}
        [] if partly => {}
        [] => return Err("no answer".to_owned()),
        others => {
            let got: Vec<_> = others.iter().map(Message::status).collect();
            return Err(format!("answered {got:?}, not one of {statuses:?}"));
        }
    }
    closed(heard)
}

fn denied(
    statuses: &[u16],
    tail: Tail,
    host: &str,
    heard: &Heard,
    record: &Record,
) -> Result<(), String> {
    let (answers, whole) = answers(heard, &[])?;
    let Some((answer, rest)) = answers.split_first() else {
        return Err("no answer".to_owned());
    };
    if !statuses.contains(&answer.status()) || !whole {
        return Err(format!(
            "answered {}, not one of {statuses:?}",
            answer.status()
        ));
    }
    let after = seen("GET", "/after");
    let after = &[after][..usize::from(!rest.is_empty() && tail == Tail::Request)];
    saw(record, host, after)?;
    echoed(rest, after)?;
    closed(heard)
}

fn passed(
    seen: &[Seen],
    tail: Tail,
    host: &str,
    heard: &Heard,
    record: &Record,
) -> Result<(), String> {
    let mut seen = seen.to_vec();
    if tail == Tail::Request {
        seen.push(self::seen("GET", "/after"));
    }
    saw(record, host, &seen)?;
    if let Some(one) = record.connections.iter().find(|one| !one.rest().is_empty()) {
        return Err(format!("after it the app got {}", printable(one.rest())));
    }
    let heads: Vec<_> = seen.iter().map(|seen| seen.method == "HEAD").collect();
    let (answers, whole) = answers(heard, &heads)?;
    if !whole {
        return Err("the last answer is not whole".to_owned());
    }
    echoed(&answers, &seen)?;
    closed(heard)
}

fn saw(record: &Record, host: &str, seen: &[Seen]) -> Result<(), String> {
    if record.requests.len() != seen.len() {
        let got: Vec<_> = record
            .requests
            .iter()
            .map(|(_, request)| format!("{} {}", request.method(), request.target()))
            .collect();
        return Err(format!("the app saw {got:?}, not {} requests", seen.len()));
    }
    for (seen, (_, request)) in seen.iter().zip(&record.requests) {
        seen.matches(request, host)?;
    }
    Ok(())
}

/// Each answer is the app's to that very request.
fn echoed(answers: &[Message], seen: &[Seen]) -> Result<(), String> {
    let statuses: Vec<_> = answers.iter().map(Message::status).collect();
    if statuses != vec![200; seen.len()] {
        return Err(format!("answered {statuses:?} to {} requests", seen.len()));
    }
    for (answer, seen) in answers.iter().zip(seen) {
        let body = echo_body(&seen.method, &seen.target, &seen.body);
        if seen.method != "HEAD" && answer.body != body {
            return Err(format!("the client got {}", printable(&answer.body)));
        }
    }
    Ok(())
}

fn closed(heard: &Heard) -> Result<(), String> {
    if heard.closed {
        Ok(())
    } else {
        Err("the connection stays open".to_owned())
    }
}
