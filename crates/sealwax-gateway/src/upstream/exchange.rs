//! One request on one connection, until the head of its response.
//!
//! All of it is polled by the task of the request: it writes what can be
//! written, reads what has come, and only when neither is possible looks at the
//! clock.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::{Method, response};
use sealwax_h1::{Asked, Field, Framing, Limits, ResponseHead, ResponseParser, Rule};
use tokio::time::Instant;

use super::buffers::Size;
use super::outgoing::{Outgoing, Stopped, Valve};
use super::pool::Lease;
use super::response as head;
use super::send::Asking;
use crate::clock;
use crate::deadline::Total;
use crate::error::UpstreamFault;
use crate::fields::Lines;
use crate::upload::Failure;

/// How long a body waits for a 100 that does not come; the client would not
/// wait for ever either (RFC 9110 §10.1.1).
const AWAIT_CONTINUE: Duration = Duration::from_secs(1);

thread_local! {
    /// Where the fields of a head lie, while it is being read.
    static FIELDS: Cell<Vec<Field>> = const { Cell::new(Vec::new()) };
}

pub(super) struct Exchange {
    pub(super) lease: Lease,
    pub(super) outgoing: Outgoing,
    parser: ResponseParser,
    began: Instant,
    /// The last time that the app took something.
    since: Instant,
    heard: bool,
    /// Why the app took no more of the request; it may have answered before.
    pub(super) unsent: Option<std::io::Error>,
}

/// The head of the final response.
pub(super) struct Answer {
    pub(super) head: response::Parts,
    pub(super) lines: Lines,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
}

/// Why there is none.
pub(super) enum Failed {
    Client(Failure),
    App(UpstreamFault),
}

impl Exchange {
    pub(super) fn new(lease: Lease, outgoing: Outgoing) -> Self {
        let now = clock::now();
        Self {
            lease,
            outgoing,
            parser: ResponseParser::new(Limits::RESPONSE),
            began: now,
            since: now,
            heard: false,
            unsent: None,
        }
    }

    /// Whether the app may have seen the request, or said something.
    pub(super) fn was_heard(&self) -> bool {
        self.heard
    }

    /// How long ago the request was begun.
    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for the response, for no longer than `limit` after
    /// the app has last taken a part of it, so that a long upload is no
    /// time-out; and in no case for longer than `total`.
    pub(super) async fn answer(
        &mut self,
        asking: &Asking<'_>,
        limit: Duration,
        total: Total,
    ) -> Result<Answer, Failed> {
        if asking.upgrade {
            // An app that switches while the client leaves would take a mere end
            // of the connection for the client's.
            self.lease.wire().reset_at_end(true);
        }
        let answer = poll_fn(|cx| self.poll_answer(cx, asking, limit, total)).await;
        let switched = answer
            .as_ref()
            .is_ok_and(|answer| answer.framing == Framing::Tunnel);
        if asking.upgrade && !switched {
            self.lease.wire().reset_at_end(false);
        }
        answer
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        asking: &Asking<'_>,
        limit: Duration,
        total: Total,
    ) -> Poll<Result<Answer, Failed>> {
        loop {
            if let Err(failed) = self.upload(cx) {
                return Poll::Ready(Err(failed));
            }
            match self.lease.wire().poll_fill(cx, Size::Head) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.closed(None))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.closed(Some(error)))),
                Poll::Ready(Ok(_)) => {
                    self.heard = true;
                    match self.read_head(asking) {
                        Ok(Some(answer)) => return Poll::Ready(Ok(answer)),
                        Ok(None) => {}
                        Err(fault) => return Poll::Ready(Err(Failed::App(fault))),
                    }
                }
                Poll::Pending => {
                    let due = self.due(limit).min(total.due);
                    if self.lease.timer().poll(cx, due).is_pending() {
                        return Poll::Pending;
                    }
                    if let Err(failed) = self.notice_time(limit, total) {
                        return Poll::Ready(Err(failed));
                    }
                }
            }
        }
    }

    /// Sends what can be sent.
    fn upload(&mut self, cx: &mut Context<'_>) -> Result<(), Failed> {
        if self.outgoing.is_over() {
            return Ok(());
        }
        let first = !self.outgoing.has_begun();
        let outcome = self.outgoing.poll(cx, self.lease.wire());
        if self.outgoing.take_moved() && !first {
            self.since = clock::now();
        }
        match outcome {
            Poll::Pending | Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(Stopped::Client(failure))) => Err(Failed::Client(failure)),
            // Nobody will answer what nobody has received.
            Poll::Ready(Err(Stopped::Wire(error))) if !self.outgoing.has_begun() => {
                Err(self.closed(Some(error)))
            }
            // Who refuses an upload may have said so before closing.
            Poll::Ready(Err(Stopped::Wire(error))) => {
                self.unsent = Some(error);
                Ok(())
            }
        }
    }

    fn closed(&mut self, error: Option<std::io::Error>) -> Failed {
        let error = error.or_else(|| self.unsent.take());
        let how = error.map_or_else(|| "without a word".to_owned(), |error| error.to_string());
        Failed::App(UpstreamFault::Closed(how))
    }

    fn due(&self, limit: Duration) -> Instant {
        let head = self.since + limit;
        let other = match self.outgoing.valve() {
            Valve::AwaitContinue => Some(self.began + AWAIT_CONTINUE),
            _ => self.outgoing.due(),
        };
        other.map_or(head, |other| other.min(head))
    }

    fn notice_time(&mut self, limit: Duration, total: Total) -> Result<(), Failed> {
        let now = Instant::now();
        if self.outgoing.valve() == Valve::AwaitContinue && now >= self.began + AWAIT_CONTINUE {
            self.outgoing.open();
        }
        if let Some(failure) = self.outgoing.overdue(now) {
            return Err(Failed::Client(failure));
        }
        if now >= total.due {
            return Err(match self.outgoing.due() {
                Some(_) => Failed::Client(Failure::Total(total.limit)),
                None => Failed::App(UpstreamFault::Total(total.limit)),
            });
        }
        if now >= self.since + limit {
            return Err(Failed::App(UpstreamFault::HeadTimeout(limit)));
        }
        Ok(())
    }

    /// The final head, if it has come. Interim responses are counted by the
    /// parser and go no further: a 100 concerns this connection only, and a 103
    /// has not passed the policy, whose rules are for final responses.
    fn read_head(&mut self, asking: &Asking<'_>) -> Result<Option<Answer>, UpstreamFault> {
        let request = asking.head;
        let offered = if asking.upgrade {
            request.headers.get(header::UPGRADE)
        } else {
            None
        };
        let asked = Asked {
            head: request.method == Method::HEAD,
            upgrade: offered.map(http::HeaderValue::as_bytes),
        };
        let mut fields = FIELDS.take();
        let answer = loop {
            let unread = self.lease.wire().unread();
            match self.parser.parse(unread, &asked, &mut fields) {
                Ok(Some(head)) if head.is_interim() => {
                    if head.status == 100 {
                        self.outgoing.open();
                    }
                    self.lease.wire().skip(head.length);
                }
                Ok(Some(head)) => {
                    break self.final_head(&head, &fields, asking.apart).map(Some);
                }
                Ok(None) => break Ok(None),
                Err(refusal) => break Err(refused(refusal.rule)),
            }
        };
        FIELDS.set(fields);
        answer
    }

    fn final_head(
        &mut self,
        head: &ResponseHead,
        fields: &[Field],
        apart: bool,
    ) -> Result<Answer, UpstreamFault> {
        self.outgoing.hold();
        // Copied, and the buffer used again: HTTP/2 keeps fields for as long as
        // the client's connection lasts (RFC 7541 §2.3.2), and each would keep
        // a whole buffer.
        let wire = self.lease.wire();
        let bytes = wire.unread().get(..head.length).unwrap_or_default();
        let bytes = Bytes::copy_from_slice(bytes);
        wire.skip(head.length);
        let parts = head::parts(head, &bytes, fields, apart);
        let (parts, lines) =
            parts.ok_or(UpstreamFault::BadResponse("a header field is invalid"))?;
        Ok(Answer {
            head: parts,
            lines,
            framing: head.framing,
            keep_alive: head.keep_alive,
        })
    }
}

fn refused(rule: Rule) -> UpstreamFault {
    match rule {
        Rule::StatusLine | Rule::StatusLineLong | Rule::Version | Rule::VersionUnsupported => {
            UpstreamFault::Unreadable(rule.sentence())
        }
        _ => UpstreamFault::BadResponse(rule.sentence()),
    }
}
