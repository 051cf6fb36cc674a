//! The client over HTTP/2, as hyper speaks it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::client::{Client, Got};
use super::message::{Head, Name};
use super::plan::{Body, Exchange, content};
use super::run::Run;

#[derive(Clone, Copy)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        drop(tokio::task::spawn_local(async move {
            future.await;
        }));
    }
}

/// A request's content, in frames.
struct Frames {
    left: VecDeque<Frame<Bytes>>,
    length: Option<u64>,
}

impl Frames {
    fn new(body: Body, name: Name) -> Self {
        let bytes = Bytes::from(content(name.key(true), body.size()));
        let mut left = VecDeque::new();
        let Body::Chunked {
            chunk, trailers, ..
        } = body
        else {
            let length = Some(bytes.len() as u64);
            left.extend((!bytes.is_empty()).then(|| Frame::data(bytes)));
            return Self { left, length };
        };
        for at in (0..bytes.len()).step_by(chunk) {
            let part = bytes.slice(at..bytes.len().min(at + chunk));
            left.push_back(Frame::data(part));
        }
        if trailers {
            let value = HeaderValue::try_from(name.token(true)).unwrap();
            let fields = HeaderMap::from_iter([(http::HeaderName::from_static("x-end"), value)]);
            left.push_back(Frame::trailers(fields));
        }
        Self { left, length: None }
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().left.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.length.is_some()
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

pub async fn play<S>(stream: S, run: &Rc<Run>, host: &str) -> std::io::Result<Client>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let connected = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, connection) = connected.map_err(std::io::Error::other)?;
    let connection = tokio::task::spawn_local(connection);
    let mut tasks = VecDeque::new();
    let mut client = Client::default();
    for (nth, exchange) in run.scenario.exchanges.iter().enumerate() {
        let (sender, exchange) = (sender.clone(), exchange.clone());
        let (name, host) = (run.name(nth), host.to_owned());
        tasks.push_back(tokio::task::spawn_local(async move {
            ask(sender, &exchange, name, &host).await
        }));
        client.sent.push(true);
        if !run.scenario.pipelined {
            while let Some(task) = tasks.pop_front() {
                client.got.push(task.await.unwrap());
            }
        }
    }
    for task in tasks {
        client.got.push(task.await.unwrap());
    }
    drop(sender);
    if let Err(error) = connection.await.unwrap() {
        run.problem(format!("the connection failed: {error:?}"));
    }
    Ok(client)
}

async fn ask(mut sender: SendRequest<Frames>, exchange: &Exchange, name: Name, host: &str) -> Got {
    let mut got = Got::default();
    let request = Request::builder()
        .method(exchange.method)
        .uri(format!("https://{host}{}", name.target()))
        .header("x-token", name.token(true))
        .body(Frames::new(exchange.body, name));
    if sender.ready().await.is_err() {
        return got;
    }
    let Ok(response) = sender.send_request(request.unwrap()).await else {
        return got;
    };
    let (head, mut body) = response.into_parts();
    got.status = head.status.as_u16();
    got.head = Some(Head {
        start: format!("HTTP/2 {}", got.status),
        fields: fields(&head.headers),
    });
    loop {
        match body.frame().await {
            None => got.whole = true,
            Some(Ok(frame)) => {
                match frame.into_data() {
                    Ok(data) => got.body.bytes.extend_from_slice(&data),
                    Err(frame) => {
                        let trailers = frame.into_trailers().unwrap_or_default();
                        got.body.trailers = fields(&trailers);
                    }
                }
                continue;
            }
            Some(Err(_)) => {}
        }
        return got;
    }
}

fn fields(map: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&http::HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    };
    map.iter().map(pair).collect()
}
