//! Sends one request and waits for the head of its response.

use std::rc::Rc;
use std::time::Duration;

use http::request::Parts;
use http::response;
use sealwax_config::Timeouts;
use sealwax_h1::Framing;
use sealwax_policy::RouteFields;
use tokio::time::Instant;

use super::download::Download;
use super::exchange::{Answer, Exchange, Failed};
use super::outgoing::Outgoing;
use super::pool::{Group, Peer, Reuse};
use super::wire::Wire;
use crate::deadline::Total;
use crate::error::{Fault, UpstreamFault};
use crate::fields::Lines;
use crate::upload::{Failure, RequestBody};

/// Connections that one request may use up.
const MAX_TRIES: usize = 3;

/// A kept connection that was closed already says so within a round trip; what
/// fails later has been with the app.
const STALE_WITHIN: Duration = Duration::from_millis(250);

/// A request, but for its body.
pub(crate) struct Asking<'s> {
    pub(crate) head: &'s Parts,
    /// Fields that nobody judges.
    pub(crate) lines: &'s Lines,
    /// What the policy says of the route.
    pub(crate) route: &'s RouteFields<'s>,
    /// It asks for another protocol.
    pub(crate) upgrade: bool,
    /// In the answer too, what nobody judges can stay apart from the map.
    pub(crate) apart: bool,
}

/// The app's answer so far.
pub(crate) struct Received {
    pub(crate) head: response::Parts,
    /// Fields that nobody judges.
    pub(crate) lines: Lines,
    pub(crate) peer: Rc<Peer>,
    pub(crate) follows: Follows,
}

/// What comes behind the head.
pub(crate) enum Follows {
    Body(Download),
    /// The other protocol, after a 101.
    Tunnel(Wire),
}

/// Sends a request and its `body` to one of `group`.
///
/// A request is sent again only where that cannot make the app act twice: when
/// no connection could be made; when not a byte of it had left; or when a kept
/// connection turns out at once to be closed, before a single byte came back,
/// for safe methods without a body. RFC 9110 §9.2.2 would let idempotent
/// methods be repeated too; but from here a crash looks like a stale connection,
/// and to delete twice is not what anybody meant.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn would hold its arguments twice, and they are much of a request's memory"
)]
pub(crate) fn send<'s>(
    group: &'s Group,
    asking: &'s Asking<'s>,
    body: &'s mut RequestBody,
    timeouts: &'s Timeouts,
    total: Total,
) -> impl Future<Output = Result<Received, Fault>> + use<'s> {
    async move {
        let repeatable = body.is_empty() && asking.head.method.is_safe();
        // An empty vector does not allocate: most requests never push.
        let mut refused: Vec<Rc<Peer>> = Vec::new();
        let mut reuse = match (asking.upgrade, repeatable) {
            (true, _) => Reuse::Never,
            (false, true) => Reuse::Unseen,
            (false, false) => Reuse::Seen,
        };
        let mut tries = 0;
        let mut last = None;
        // What a try that never began has left.
        let mut unsent: Option<Outgoing> = None;
        loop {
            tries += 1;
            let Some(peer) = group.pick(&refused).filter(|_| tries <= MAX_TRIES) else {
                return Err(last.unwrap_or_else(no_upstream));
            };
            let (lease, reused) = match peer.take_uncontested(reuse) {
                Some(lease) => (lease, true),
                // Boxed, since it is rare and large.
                None => match Box::pin(peer.lease(reuse, timeouts.connect)).await {
                    Ok(leased) => leased,
                    // Our own shortage: no upstream is to blame, none can help.
                    Err(fault @ (Fault::Exhausted(_) | Fault::Full(_))) => return Err(fault),
                    Err(fault) => {
                        peer.health().fail(Instant::now());
                        refused.push(peer);
                        last = Some(fault);
                        continue;
                    }
                },
            };
            let outgoing = unsent.take().unwrap_or_else(|| {
                let body = std::mem::replace(body, RequestBody::empty());
                Outgoing::new(asking.head, asking.lines, Some(asking.route), body)
            });
            let mut exchange = Exchange::new(lease, outgoing);
            let fault = match exchange.answer(asking, timeouts.response_head, total).await {
                Ok(answer) => return Ok(received(exchange, answer, timeouts.response_idle)),
                Err(Failed::Client(failure)) => return Err(failure.into()),
                Err(Failed::App(fault)) => fault,
            };
            if let UpstreamFault::Closed(_) = &fault {
                // One stale connection says that its neighbours are stale too.
                reuse = Reuse::Never;
                let begun = exchange.outgoing.has_begun();
                let stale = reused && !exchange.was_heard() && exchange.age() < STALE_WITHIN;
                if tries < MAX_TRIES && (!begun || (stale && repeatable)) {
                    unsent = (!begun).then_some(exchange.outgoing);
                    continue;
                }
            }
            peer.health().fail(Instant::now());
            return Err(Fault::Upstream(peer.name().into(), fault));
        }
    }
}

fn no_upstream() -> Fault {
    Fault::Exhausted(std::io::ErrorKind::AddrNotAvailable.into())
}

fn received(exchange: Exchange, answer: Answer, idle: Duration) -> Received {
    let peer = Rc::clone(exchange.lease.peer());
    peer.health().succeed();
    let follows = match answer.framing {
        Framing::Tunnel => Follows::Tunnel(exchange.lease.into_wire()),
        framing => Follows::Body(Download::new(exchange, framing, answer.keep_alive, idle)),
    };
    Received {
        head: answer.head,
        lines: answer.lines,
        peer,
        follows,
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Idle(limit) => Fault::BodyTimeout(limit),
            Failure::Slow(rate) => Fault::BodyTooSlow(rate),
            Failure::Total(limit) => Fault::BodyTotal(limit),
            Failure::Broken => Fault::BodyBroken,
            Failure::Malformed(refusal) => Fault::Malformed(refusal.into()),
            Failure::TooLarge(limit) => Fault::BodyTooLarge(limit),
        }
    }
}
