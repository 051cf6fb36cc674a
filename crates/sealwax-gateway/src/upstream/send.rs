//! Sends one request and waits for the head of its response.

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use sealwax_config::Timeouts;
use tokio::time::{Instant, Sleep};

use super::check;
use super::pool::{Group, Lease, Peer};
use crate::body::RequestBody;
use crate::error::{Fault, UpstreamFault};
use crate::gate::{Failure, Gate, Valve};

/// Connections that one request may use up.
const MAX_TRIES: usize = 3;

/// A kept connection that was closed already says so within a round trip; what
/// fails later has been with the app.
const STALE_WITHIN: Duration = Duration::from_millis(250);

/// The app's answer so far.
pub(crate) struct Received {
    pub(crate) head: response::Parts,
    pub(crate) body: Incoming,
    pub(crate) lease: Lease,
    pub(crate) gate: Option<Rc<Gate>>,
}

/// Sends `request` to one of `group`. It is taken out on its way, and is a
/// reference only so that it need not be copied.
///
/// A request is sent again only where that cannot make the app act twice: when
/// no connection could be made; when the request never left; or when a kept
/// connection turns out at once to be closed, before a single byte came back, for
/// methods that may be repeated (RFC 9110 §9.2.2) and have no body.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn would hold its arguments twice, and they are most of a request's memory"
)]
pub(crate) fn send<'s>(
    group: &'s Group,
    request: &'s mut Option<Request<RequestBody>>,
    timeouts: &'s Timeouts,
    upgrade: bool,
) -> impl Future<Output = Result<Received, Fault>> + use<'s> {
    async move {
        let gate = request.as_ref().and_then(|request| request.body().gate());
        // An empty vector does not allocate: most requests never push.
        let mut refused: Vec<Rc<Peer>> = Vec::new();
        let mut may_reuse = !upgrade;
        let mut tries = 0;
        let mut last = None;
        loop {
            tries += 1;
            let Some(peer) = group.pick(&refused).filter(|_| tries <= MAX_TRIES) else {
                return Err(last.unwrap_or_else(no_upstream));
            };
            let idle = if may_reuse {
                peer.take_uncontested()
            } else {
                None
            };
            let (mut lease, reused) = match idle {
                Some(lease) => (lease, true),
                // Boxed, since it is rare and large.
                None => match Box::pin(peer.lease(may_reuse, timeouts.connect)).await {
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
            let Some(mut outgoing) = request.take() else {
                return Err(last.unwrap_or_else(no_upstream));
            };
            // Boxed, as is all that waits beside the request itself.
            let spare = (reused && may_repeat(&outgoing)).then(|| Box::new(copy_of(&outgoing)));
            listen_for_interim(&lease, &mut outgoing);
            let sent_at = Instant::now();
            let mut error = {
                let limit = timeouts.response_head;
                let mut sent = pin!(lease.sender.try_send_request(outgoing));
                let mut timer = pin!(tokio::time::sleep(limit));
                let head = std::future::poll_fn(|cx| {
                    poll_head(cx, sent.as_mut(), timer.as_mut(), gate.as_deref(), limit)
                });
                match head.await {
                    Some(Ok(response)) => return received(response, lease, gate, upgrade),
                    Some(Err(error)) => error,
                    None => {
                        let fault = UpstreamFault::HeadTimeout(limit);
                        let fault = Fault::Upstream(peer.name().into(), fault);
                        return Err(client_fault(gate.as_deref()).unwrap_or(fault));
                    }
                }
            };
            // One stale connection says that its neighbours are stale too.
            may_reuse = false;
            *request = error.take_message();
            if request.is_none() && !lease.interim.heard() && sent_at.elapsed() < STALE_WITHIN {
                *request = spare.map(|spare| *spare);
            }
            if request.is_some() && tries < MAX_TRIES {
                continue;
            }
            if let Some(fault) = client_fault(gate.as_deref()) {
                return Err(fault);
            }
            peer.health().fail(Instant::now());
            let fault = upstream_fault(&lease, error.error());
            return Err(Fault::Upstream(peer.name().into(), fault));
        }
    }
}

fn no_upstream() -> Fault {
    Fault::Exhausted(std::io::ErrorKind::AddrNotAvailable.into())
}

/// Repeating does no harm, and there is no body that would be gone (RFC 9110
/// §9.2.2).
fn may_repeat(request: &Request<RequestBody>) -> bool {
    request.body().is_empty() && request.method().is_idempotent()
}

fn copy_of(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = Request::new(RequestBody::empty());
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}

/// Has interim responses noted where the body waits for them.
fn listen_for_interim(lease: &Lease, request: &mut Request<RequestBody>) {
    lease.interim.reset();
    request.body_mut().listen_to(&lease.interim);
    let interim = Arc::clone(&lease.interim);
    hyper::ext::on_informational(request, move |response| {
        interim.note(response.status());
    });
}

type Sent = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

/// Waits for the head of the response; `None` when the time is up. The clock
/// runs from the request's last sign of progress, so that a long upload is no
/// time-out.
fn poll_head(
    cx: &mut Context<'_>,
    sent: Pin<&mut impl Future<Output = Sent>>,
    mut timer: Pin<&mut Sleep>,
    gate: Option<&Gate>,
    limit: Duration,
) -> Poll<Option<Sent>> {
    if let Poll::Ready(outcome) = sent.poll(cx) {
        return Poll::Ready(Some(outcome));
    }
    while timer.as_mut().poll(cx).is_ready() {
        let due = gate.map(|gate| gate.last_progress() + limit);
        match due.filter(|due| *due > Instant::now()) {
            Some(due) => timer.as_mut().reset(due),
            None => return Poll::Ready(None),
        }
    }
    Poll::Pending
}

fn received(
    response: Response<Incoming>,
    lease: Lease,
    gate: Option<Rc<Gate>>,
    upgrade: bool,
) -> Result<Received, Fault> {
    let (head, body) = response.into_parts();
    let refused = if lease.interim.is_flood() {
        Some("too many interim responses (1xx)")
    } else {
        check::fault(&head, upgrade)
    };
    if let Some(what) = refused {
        // The lease ends here: what else lies on that connection is not to be
        // trusted either.
        let fault = UpstreamFault::BadResponse(what);
        return Err(Fault::Upstream(lease.peer().name().into(), fault));
    }
    lease.peer().health().succeed();
    if let Some(gate) = gate
        .as_deref()
        .filter(|gate| gate.valve() == Valve::AwaitContinue)
    {
        gate.set(Valve::Held);
    }
    Ok(Received {
        head,
        body,
        lease,
        gate,
    })
}

/// The fault of the client whose body broke off, if that is what happened.
fn client_fault(gate: Option<&Gate>) -> Option<Fault> {
    Some(match gate?.failure()? {
        Failure::Idle(limit) => Fault::BodyTimeout(limit),
        Failure::Broken => Fault::BodyBroken,
        Failure::TooLarge(limit) => Fault::BodyTooLarge(limit),
    })
}

fn upstream_fault(lease: &Lease, error: &hyper::Error) -> UpstreamFault {
    if lease.interim.is_flood() {
        UpstreamFault::BadResponse("too many interim responses (1xx)")
    } else if error.is_parse_too_large() {
        UpstreamFault::BadResponse("its head is over 64 KiB or 256 fields")
    } else if error.is_parse() {
        UpstreamFault::Unreadable(error.to_string())
    } else {
        UpstreamFault::Closed(innermost(error))
    }
}

/// The deepest cause, which is the operating system's word where there is one.
fn innermost(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
