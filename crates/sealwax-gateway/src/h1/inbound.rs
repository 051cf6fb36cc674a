//! What comes from the client: heads and bodies, cut out of one stream.
//!
//! The connection's task and the request body, which travels with the request,
//! share it. Both run in the same task, one after the other.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::Frame;
use sealwax_h1::{Decoder, Field, Framing, Piece, RequestHead, RequestParser};
use tokio::io::AsyncWrite as _;

use super::head;
use crate::buffer::{BLOCK, Buffer};
use crate::fields::{self, Lines};
use crate::stream::Stream;

/// RFC 9110 §15.2.1.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

thread_local! {
    /// Fields of the head that is being read; a head is read in one go.
    static FIELDS: RefCell<Vec<Field>> = const { RefCell::new(Vec::new()) };
}

/// The client's half of a connection, and the way back to it.
pub(super) struct Inbound {
    pub(super) stream: Stream,
    input: Buffer,
    parser: RequestParser,
    limits: sealwax_h1::Limits,
    /// The body that is being read.
    body: Option<Decoder>,
    /// How much of the 100 has still to be sent before the client begins its
    /// body.
    interim: &'static [u8],
    /// The client sends no more.
    ended: bool,
    /// Whom to wake when the body is let go.
    waiting: Option<Waker>,
}

/// What came instead of a body's next part, or of a head.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The bytes are no HTTP/1.1.
    Refused(sealwax_h1::Refusal),
    /// The connection failed or ended.
    Gone,
}

/// A request's head as it was read. Boxed, since it is handed on several times,
/// and a connection at rest would keep room for it.
pub(super) struct Begun {
    pub(super) request: http::request::Parts,
    /// Fields that nobody judges.
    pub(super) lines: Lines,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
}

impl Inbound {
    pub(super) fn new(stream: Stream, input: Buffer, limits: sealwax_h1::Limits) -> Self {
        Self {
            stream,
            input,
            parser: RequestParser::new(limits),
            limits,
            body: None,
            interim: &[],
            ended: false,
            waiting: None,
        }
    }

    /// Whether somebody holds the body.
    pub(super) fn is_shared(inbound: &Rc<RefCell<Self>>) -> bool {
        Rc::strong_count(inbound) > 1
    }

    /// Until nobody else holds `inbound`: the app may have answered early and
    /// still be taking the body.
    pub(super) fn poll_alone(inbound: &Rc<RefCell<Self>>, cx: &Context<'_>) -> Poll<()> {
        if !Self::is_shared(inbound) {
            return Poll::Ready(());
        }
        inbound.borrow_mut().waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The next head; `None` when the client has ended instead.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Box<Begun>>, Broken>> {
        loop {
            if !self.input.is_empty()
                && let Some(begun) = self.parse().map_err(Broken::Refused)?
            {
                return Poll::Ready(Ok(Some(begun)));
            }
            if self.ended || ready!(self.poll_fill(cx)).map_err(|_| Broken::Gone)? == 0 {
                return Poll::Ready(if self.has_begun() {
                    Err(Broken::Gone)
                } else {
                    Ok(None)
                });
            }
        }
    }

    /// Whether a part of a head is there.
    pub(super) fn has_begun(&self) -> bool {
        self.parser.has_begun(self.input.filled())
    }

    /// Whether the request's body has been read to its end.
    pub(super) fn body_is_done(&self) -> bool {
        self.body.as_ref().is_none_or(Decoder::is_done)
    }

    /// Whether the client waits for a 100 that has not been sent.
    pub(super) fn awaits_continue(&self) -> bool {
        self.interim.len() == CONTINUE.len()
    }

    /// The final response begins: a 100 would come too late.
    pub(super) fn forget_continue(&mut self) {
        if self.awaits_continue() {
            self.interim = &[];
        }
    }

    /// While the app works on a request: ready when the client has left. What it
    /// sends ahead is kept for the next request, within a block.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Gone> {
        while self.body_is_done() && self.input.len() < BLOCK && !self.ended {
            match ready!(self.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(Gone::Ended),
                Ok(_) => {}
                Err(_) => return Poll::Ready(Gone::Reset),
            }
        }
        Poll::Pending
    }

    /// Reads for a tunnel: first what has come behind the head.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Buffer>> {
        if self.input.is_empty() {
            // Also where the end has been seen before: how it ended counts now.
            ready!(self.poll_fill(cx))?;
        }
        Poll::Ready(Ok(&mut self.input))
    }

    fn parse(&mut self) -> Result<Option<Box<Begun>>, sealwax_h1::Refusal> {
        FIELDS.with_borrow_mut(|fields| {
            let Some(head) = self.parser.parse(self.input.filled(), fields)? else {
                return Ok(None);
            };
            let bytes = self.input.filled().get(..head.length).unwrap_or_default();
            let (request, lines) = head::request(Bytes::copy_from_slice(bytes), &head, fields)?;
            self.input.consume(head.length);
            Ok(Some(self.begin(request, lines, &head)))
        })
    }

    fn begin(
        &mut self,
        request: http::request::Parts,
        lines: Lines,
        head: &RequestHead,
    ) -> Box<Begun> {
        self.body = match head.framing {
            Framing::Length(_) | Framing::Chunked => {
                Some(Decoder::new(head.framing, &self.limits)).filter(|body| !body.is_done())
            }
            _ => None,
        };
        // RFC 9110 §10.1.1: who has begun its body waits for nothing.
        let waits = head.expects_continue && self.body.is_some() && self.input.is_empty();
        self.interim = if waits { CONTINUE } else { &[] };
        Box::new(Begun {
            request,
            lines,
            framing: head.framing,
            keep_alive: head.keep_alive,
        })
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let outcome = self.stream.poll_fill(cx, &mut self.input);
        if let Poll::Ready(Ok(0) | Err(_)) = &outcome {
            self.ended = true;
        }
        outcome
    }

    fn poll_continue(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.interim.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, self.interim))?;
            self.interim = self.interim.get(count..).unwrap_or_default();
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if !self.interim.is_empty() && ready!(self.poll_continue(cx)).is_err() {
            return Poll::Ready(Some(Err(Broken::Gone)));
        }
        loop {
            let Some(body) = self.body.as_mut().filter(|body| !body.is_done()) else {
                return Poll::Ready(None);
            };
            if !self.input.is_empty() {
                let piece = match body.decode(self.input.filled()) {
                    Ok(piece) => piece,
                    Err(refusal) => return Poll::Ready(Some(Err(Broken::Refused(refusal)))),
                };
                match piece {
                    Piece::Data { skip, len } => {
                        let data = self.input.filled().get(skip..skip + len);
                        let data = Bytes::copy_from_slice(data.unwrap_or_default());
                        self.input.consume(skip + len);
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    Piece::End { skip } => {
                        let trailers = body.trailers();
                        self.input.consume(skip);
                        let fields = trailers.map(|trailers| {
                            fields::map(&Bytes::from(trailers.bytes), &trailers.fields, 0)
                        });
                        return Poll::Ready(fields.map(|fields| match fields {
                            Ok(fields) => Ok(Frame::trailers(fields)),
                            Err(refusal) => Err(Broken::Refused(refusal)),
                        }));
                    }
                    Piece::More { skip } => self.input.consume(skip),
                }
            }
            if self.ended || !matches!(ready!(self.poll_fill(cx)), Ok(1..)) {
                return Poll::Ready(Some(Err(Broken::Gone)));
            }
        }
    }
}

/// How a client left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It sends no more, and may still read (TCP knows no difference between a
    /// half-closed connection and a closed one).
    Ended,
    /// It neither sends nor reads.
    Reset,
}

/// The request body's hold on its connection.
pub(crate) struct BodyReader(Rc<RefCell<Inbound>>);

impl BodyReader {
    pub(super) fn new(inbound: &Rc<RefCell<Inbound>>) -> Self {
        Self(Rc::clone(inbound))
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.0.borrow_mut().poll_body(cx)
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.0.borrow().body_is_done()
    }

    /// Bytes to come, where the client has said how many.
    pub(crate) fn length(&self) -> Option<u64> {
        let inbound = self.0.borrow();
        inbound.body.as_ref().map_or(Some(0), Decoder::remaining)
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        // The connection's task looks again when this is gone.
        if let Some(waker) = self.0.borrow_mut().waiting.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
