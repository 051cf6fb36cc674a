//! One stream: its request to the service, the answer back to the client.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::header::{self, HeaderMap, HeaderValue};
use http::{StatusCode, response};
use http_body::{Body as _, Frame};
use tokio::time::Instant;

use super::worker::Job;
use crate::body::{Body, Broken};
use crate::clock;
use crate::deadline::{Deadline, Total};
use crate::fields::Lines;
use crate::service;
use crate::upload::Failure;

/// Answers one request. Ends early when the client gives the stream up.
///
/// An `async fn` would hold its arguments twice, and every stream holds this
/// future.
pub(super) fn answer(job: Job) -> impl Future<Output = ()> {
    let Job {
        client,
        request,
        mut respond,
        patience,
        total,
    } = job;
    async move {
        let total = Total::new(total, clock::now());
        let response = {
            let lines = Lines::default();
            let mut answering = pin!(service::answer(Rc::clone(&client), request, lines, total));
            poll_fn(|cx| match answering.as_mut().poll(cx) {
                Poll::Ready(Ok(response)) => Poll::Ready(Some(response)),
                Poll::Pending => respond.poll_reset(cx).map(|_| None),
            })
            .await
        };
        let Some(response) = response else {
            return;
        };
        let (mut head, mut body) = response.into_parts();
        let is_whole = body.is_end_stream();
        complete(&mut head, &body, is_whole);
        let outcome = match respond.send_response(http::Response::from_parts(head, ()), is_whole) {
            Ok(_) if is_whole => return,
            Ok(stream) => {
                let mut pipe = Pipe {
                    stream,
                    held: None,
                    patience,
                    since: None,
                    due: total.due,
                    timer: Deadline::default(),
                };
                poll_fn(|cx| pipe.poll(cx, &mut body)).await
            }
            Err(error) => {
                respond.send_reset(Reason::INTERNAL_ERROR);
                Err(error.into())
            }
        };
        if let Err(stopped) = outcome {
            body.break_off();
            tracing::debug!(target: "sealwax", client = %client.peer, error = %stopped, "a response was broken off");
        }
    }
}

/// Makes the head one of HTTP/2: what is said there otherwise goes out, what a
/// recipient may expect comes in.
fn complete(head: &mut response::Parts, body: &Body, is_whole: bool) {
    let headers = &mut head.headers;
    // What `hop` lets pass of a connection's own (RFC 9113 §8.2.2).
    if head.status == StatusCode::UPGRADE_REQUIRED {
        headers.remove(header::CONNECTION);
        headers.remove(header::UPGRADE);
    }
    headers.remove(header::TE);
    if !headers.contains_key(header::DATE)
        && let Ok(date) = clock::with_date(HeaderValue::from_bytes)
    {
        headers.insert(header::DATE, date);
    }
    if let Some(length) = body.size_hint().exact().filter(|_| !is_whole) {
        let length = || HeaderValue::from(length);
        headers.entry(header::CONTENT_LENGTH).or_insert_with(length);
    }
}

/// Why a response did not get to the client.
#[derive(Debug)]
enum Stopped {
    /// The client gave the stream or the connection up.
    Client(h2::Error),
    Body(Broken),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stopped::Client(error) => error.fmt(f),
            Stopped::Body(broken) => broken.fmt(f),
        }
    }
}

impl From<h2::Error> for Stopped {
    fn from(error: h2::Error) -> Self {
        Stopped::Client(error)
    }
}

/// A body on its way to the client.
struct Pipe {
    stream: SendStream<Bytes>,
    /// What waits for the client to open its window, and whether it is the last.
    held: Option<(Bytes, bool)>,
    /// How long the client may take to open its window.
    patience: Duration,
    /// Since when it is the client's turn.
    since: Option<Instant>,
    /// When all must be over.
    due: Instant,
    timer: Deadline,
}

impl Pipe {
    /// Moves what can be moved now. What is given up is reset.
    fn poll(&mut self, cx: &mut Context<'_>, body: &mut Body) -> Poll<Result<(), Stopped>> {
        let moved = match self.poll_move(cx, body) {
            Poll::Ready(moved) => moved,
            Poll::Pending => Err(Stopped::Body(ready!(self.poll_late(cx)))),
        };
        if let Err(Stopped::Body(_)) = moved {
            self.stream.send_reset(Reason::INTERNAL_ERROR);
        }
        Poll::Ready(moved)
    }

    fn poll_move(&mut self, cx: &mut Context<'_>, body: &mut Body) -> Poll<Result<(), Stopped>> {
        loop {
            if self.held.is_some() {
                ready!(self.poll_window(cx))?;
            }
            if let Some((data, last)) = self.held.take() {
                self.since = None;
                self.stream.send_data(data, last)?;
                if last {
                    return Poll::Ready(Ok(()));
                }
            }
            let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
                // Who waits for the app wants to hear of a client that leaves.
                let reason = ready!(self.stream.poll_reset(cx))?;
                return Poll::Ready(Err(h2::Error::from(reason).into()));
            };
            match frame.transpose().map_err(Stopped::Body)? {
                None => {
                    self.stream.send_data(Bytes::new(), true)?;
                    return Poll::Ready(Ok(()));
                }
                Some(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {
                        if body.is_end_stream() {
                            self.stream.send_data(data, true)?;
                            return Poll::Ready(Ok(()));
                        }
                    }
                    Ok(data) => {
                        // The least that asks for a share of the connection's
                        // window: who asks for all takes it from the others while
                        // it waits.
                        self.stream.reserve_capacity(1);
                        self.held = Some((data, body.is_end_stream()));
                    }
                    Err(frame) => {
                        self.stream.reserve_capacity(0);
                        let trailers = frame.into_trailers().unwrap_or_else(|_| HeaderMap::new());
                        self.stream.send_trailers(trailers)?;
                        return Poll::Ready(Ok(()));
                    }
                },
            }
        }
    }

    /// Ready when the client has room for something.
    fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        while self.stream.capacity() == 0 {
            let Poll::Ready(capacity) = self.stream.poll_capacity(cx) else {
                self.since.get_or_insert_with(Instant::now);
                let reason = ready!(self.stream.poll_reset(cx))?;
                return Poll::Ready(Err(h2::Error::from(reason).into()));
            };
            // Without a stream there is no capacity.
            capacity.unwrap_or_else(|| Err(Reason::STREAM_CLOSED.into()))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the client has left its response unread for too long, or all
    /// has taken too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        let unread = self.since.map(|since| since + self.patience);
        let due = unread.map_or(self.due, |unread| unread.min(self.due));
        ready!(self.timer.poll_until(cx, due));
        Poll::Ready(if unread == Some(due) {
            Broken::Unread
        } else {
            Broken::Late
        })
    }
}

/// A request's body.
pub(crate) struct Inbound {
    stream: RecvStream,
    /// Bytes that are still to come, where the client has said so.
    left: Option<u64>,
    /// Its content has ended, trailers may follow.
    in_trailers: bool,
}

/// None also where it is no number, which [`mapping`](super::mapping) refuses.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

impl Inbound {
    /// The body that follows the head with `headers`.
    pub(super) fn new(stream: RecvStream, headers: &HeaderMap) -> Self {
        Self {
            stream,
            left: content_length(headers),
            in_trailers: false,
        }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.left
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if !self.in_trailers {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // HTTP/2 itself holds the client to what it has announced.
                    self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                    // It fails for a stream that is over, whose window is nobody's.
                    let _ = self.stream.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                // With NO_ERROR too: a body without its end is not whole.
                Some(Err(_)) => return Poll::Ready(Some(Err(Failure::Broken))),
                None => self.in_trailers = true,
            }
        }
        Poll::Ready(match ready!(self.stream.poll_trailers(cx)) {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Err(_) => Some(Err(Failure::Broken)),
        })
    }
}
