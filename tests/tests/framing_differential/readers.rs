//! Readers of HTTP/1.1, each of which says what it saw: ours, hyper, and those of the programs
//! that apps run in.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sealwax_h1::{
    Asked, Decoder, Field, Framing, Limits, Piece, RequestParser, ResponseParser, TargetForm,
    Version,
};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

/// What one reader saw of one input.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub(crate) messages: Vec<Message>,
    /// Why it read no further, if not for want of input.
    pub(crate) error: Option<String>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Message {
    /// Method and target, or the status.
    pub(crate) start: String,
    pub(crate) version: String,
    /// In the order of names, which are in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) complete: bool,
    /// Where it ends in the input, as far as the reader can tell.
    pub(crate) end: Option<usize>,
    /// Nothing needs to be read behind it: the connection ends or changes its protocol.
    pub(crate) last: bool,
}

/// The side of an input and, of a response, what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response(Asked<'static>),
}

pub(crate) fn ours(side: Side, input: &[u8]) -> Seen {
    let mut seen = Seen::default();
    let mut fields = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let rest = &input[at..];
        let head = match side {
            Side::Request => request_head(rest, &mut fields),
            Side::Response(asked) => response_head(rest, &asked, &mut fields),
        };
        let (mut message, framing, length) = match head {
            Ok(Some(head)) => head,
            Ok(None) => break,
            Err(refusal) => {
                seen.error = Some(refusal.rule.id().into());
                break;
            }
        };
        message.fields = pairs(rest, &fields);
        at += length;
        let interim =
            side != Side::Request && message.start.starts_with('1') && message.start != "101";
        if interim {
            continue;
        }
        seen.error = body(&mut message, framing, &input[at..], &mut at, side);
        message.end = message.complete.then_some(at);
        let over = !message.complete || side != Side::Request;
        seen.messages.push(message);
        if over {
            break;
        }
    }
    seen
}

type Head = Option<(Message, Framing, usize)>;

fn request_head(input: &[u8], fields: &mut Vec<Field>) -> Result<Head, sealwax_h1::Refusal> {
    let head = RequestParser::new(Limits::REQUEST).parse(input, fields)?;
    Ok(head.map(|head| {
        let method = text(&input[head.method.clone()]);
        let target = text(&input[head.target.clone()]);
        let message = Message {
            last: !head.keep_alive || head.upgrade || head.form == TargetForm::Authority,
            start: format!("{method} {target}"),
            version: version(head.version),
            ..Message::default()
        };
        (message, head.framing, head.length)
    }))
}

fn response_head(
    input: &[u8],
    asked: &Asked<'_>,
    fields: &mut Vec<Field>,
) -> Result<Head, sealwax_h1::Refusal> {
    let head = ResponseParser::new(Limits::RESPONSE).parse(input, asked, fields)?;
    Ok(head.map(|head| {
        let message = Message {
            start: head.status.to_string(),
            version: version(head.version),
            last: true,
            ..Message::default()
        };
        (message, head.framing, head.length)
    }))
}

/// Reads the body that begins at `at`; why it was refused, if it was.
fn body(
    message: &mut Message,
    framing: Framing,
    mut rest: &[u8],
    at: &mut usize,
    side: Side,
) -> Option<String> {
    if framing == Framing::Tunnel {
        message.complete = true;
        return None;
    }
    let mut decoder = Decoder::new(framing, &Limits::REQUEST);
    loop {
        match decoder.decode(rest) {
            Err(refusal) => return Some(refusal.rule.id().into()),
            Ok(Piece::Data { skip, len }) => {
                message.body.extend_from_slice(&rest[skip..skip + len]);
                rest = &rest[skip + len..];
                *at += skip + len;
            }
            Ok(Piece::More { skip }) => {
                *at += skip;
                // Only a response ends with its connection.
                message.complete = side != Side::Request && decoder.end().is_ok();
                return None;
            }
            Ok(Piece::End { skip }) => {
                *at += skip;
                message.complete = true;
                if let Some(trailers) = decoder.trailers() {
                    message.trailers = pairs(&trailers.bytes, &trailers.fields);
                }
                return None;
            }
        }
    }
}

fn version(version: Version) -> String {
    match version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    }
    .into()
}

/// Bytes as characters of the same number, so that nothing is lost.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn pairs(input: &[u8], fields: &[Field]) -> Vec<(String, String)> {
    sorted(fields.iter().map(|field| {
        let name = text(&input[field.name()]);
        (name, text(&input[field.value()]))
    }))
}

/// Fields in the order of names, those of one name in the order they came: what every reader
/// keeps. h11 turns the value of Transfer-Encoding into lower case.
fn sorted(fields: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields
        .map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let value = match name.as_str() {
                "transfer-encoding" => value.to_ascii_lowercase(),
                _ => value,
            };
            (name, value)
        })
        .collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

fn header_map(headers: &http::HeaderMap) -> Vec<(String, String)> {
    sorted(
        headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))),
    )
}

/// The readers that are programs of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// h11, which hypercorn and uvicorn read with.
    H11,
    /// The parser of gunicorn, for requests only.
    Gunicorn,
    /// llhttp, inside Node.
    Node,
}

/// What a program sees of each input.
pub(crate) fn by_program(program: Program, inputs: &[(Side, Vec<u8>)]) -> Vec<Seen> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (interpreter, script) = match program {
        Program::H11 => ("venv-framing/bin/python", "read_h11.py"),
        Program::Gunicorn => ("venv-flask/bin/python", "read_gunicorn.py"),
        Program::Node => ("node", "read_node.js"),
    };
    let mut command = if program == Program::Node {
        let mut node = Command::new(interpreter);
        node.arg("--no-deprecation");
        node
    } else {
        let python = folder.join(".cache").join(interpreter);
        assert!(
            python.exists(),
            "{} is missing: run tests/setup.sh (./test does)",
            python.display()
        );
        Command::new(python)
    };
    let questions: Vec<Value> = inputs
        .iter()
        .map(|(side, input)| {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            match side {
                Side::Request => serde_json::json!(["request", "", "", hex]),
                Side::Response(asked) => {
                    let method = if asked.head { "HEAD" } else { "GET" };
                    let upgrade = asked.upgrade.map(text).unwrap_or_default();
                    serde_json::json!(["response", method, upgrade, hex])
                }
            }
        })
        .collect();
    let mut child = command
        .arg(folder.join("apps/framing").join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin
        .write_all(Value::from(questions).to_string().as_bytes())
        .expect("the program reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{script} failed");
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answers.len(), inputs.len());
    answers.iter().map(seen_by_program).collect()
}

fn seen_by_program(answer: &Value) -> Seen {
    let string = |value: &Value| value.as_str().expect("a string").to_owned();
    let fields = |value: &Value| {
        let fields = value.as_array().expect("a list");
        sorted(
            fields
                .iter()
                .map(|pair| (string(&pair[0]), string(&pair[1]))),
        )
    };
    let messages = answer["messages"].as_array().expect("a list");
    let messages = messages
        .iter()
        .filter(|message| {
            let start = message["start"].as_str().unwrap_or_default();
            !(start.len() == 3 && start.starts_with('1') && start != "101")
        })
        .map(|message| Message {
            start: string(&message["start"]),
            version: string(&message["version"]),
            fields: fields(&message["fields"]),
            body: unhex(message["body"].as_str().expect("hex")),
            trailers: fields(&message["trailers"]),
            complete: message["complete"] == true,
            end: message["end"].as_u64().map(|end| end as usize),
            last: false,
        })
        .collect();
    Seen {
        messages,
        error: answer["error"].as_str().map(str::to_owned),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|place| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).expect("hex"))
        .collect()
}

/// What hyper sees of each input, over a connection in memory.
pub(crate) fn by_hyper(inputs: &[(Side, Vec<u8>)]) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let read = |(side, input): &(Side, Vec<u8>)| {
        runtime.block_on(async {
            match side {
                Side::Request => hyper_requests(input).await,
                Side::Response(asked) => hyper_response(*asked, input).await,
            }
        })
    };
    inputs.iter().map(read).collect()
}

async fn hyper_requests(input: &[u8]) -> Seen {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    client.write_all(input).await.expect("room");
    client.shutdown().await.expect("half closed");
    let seen = Arc::new(Mutex::new(Vec::<Message>::new()));
    let into = Arc::clone(&seen);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let into = Arc::clone(&into);
        async move {
            let (head, body) = request.into_parts();
            let place = {
                let mut messages = into.lock().expect("not poisoned");
                messages.push(Message {
                    start: format!("{} {}", head.method, head.uri),
                    version: format!("{:?}", head.version).replace("HTTP/", ""),
                    fields: header_map(&head.headers),
                    ..Message::default()
                });
                messages.len() - 1
            };
            let read = collect(body).await;
            let mut messages = into.lock().expect("not poisoned");
            let error = read.finish(&mut messages[place]);
            match error {
                None => Ok(http::Response::new(Empty::<Bytes>::new())),
                Some(error) => Err(error),
            }
        }
    });
    let result = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .max_headers(256)
        .serve_connection(TokioIo::new(server), service)
        .await;
    let messages = std::mem::take(&mut *seen.lock().expect("not poisoned"));
    Seen {
        messages,
        error: result.err().map(|error| chain(&error)),
    }
}

async fn hyper_response(asked: Asked<'_>, input: &[u8]) -> Seen {
    let (client, mut server) = tokio::io::duplex(1 << 20);
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(256)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(client))
        .await
        .expect("no bytes are exchanged");
    let connection = tokio::spawn(connection.with_upgrades());
    let mut request = http::Request::get("/").header("host", "a");
    if asked.head {
        request = request.method("HEAD");
    }
    if let Some(upgrade) = asked.upgrade {
        request = request
            .header("connection", "upgrade")
            .header("upgrade", upgrade);
    }
    let request = request.body(Empty::new()).expect("a good request");
    let response = sender.send_request(request);
    // Only after the request: what comes before it answers nothing.
    let write = async {
        let mut first = [0];
        tokio::io::AsyncReadExt::read_exact(&mut server, &mut first)
            .await
            .expect("a request");
        let _ = server.write_all(input).await;
        drop(server);
    };
    let (response, ()) = tokio::join!(response, write);
    let mut seen = Seen::default();
    match response {
        Err(error) => seen.error = Some(chain(&error)),
        Ok(response) => {
            let (head, body) = response.into_parts();
            let mut message = Message {
                start: head.status.as_u16().to_string(),
                version: format!("{:?}", head.version).replace("HTTP/", ""),
                fields: header_map(&head.headers),
                ..Message::default()
            };
            seen.error = collect(body).await.finish(&mut message);
            seen.messages.push(message);
        }
    }
    drop(sender);
    connection.abort();
    seen
}

/// What came of a body.
struct Read {
    content: Vec<u8>,
    trailers: Vec<(String, String)>,
    error: Option<hyper::Error>,
}

impl Read {
    fn finish(self, message: &mut Message) -> Option<String> {
        message.body = self.content;
        message.trailers = self.trailers;
        message.complete = self.error.is_none();
        self.error.map(|error| chain(&error))
    }
}

async fn collect(mut body: Incoming) -> Read {
    let mut read = Read {
        content: Vec::new(),
        trailers: Vec::new(),
        error: None,
    };
    while let Some(frame) = body.frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => read.content.extend_from_slice(&data),
            Ok(Err(frame)) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                read.trailers = header_map(&trailers);
            }
            Err(error) => {
                read.error = Some(error);
                break;
            }
        }
    }
    read
}

/// An error and what it came from, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line = format!("{line}: {source}");
        next = source.source();
    }
    line
}
