//! Sends one request and waits for the head of its response.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::request::Parts;
use http::{Method, Request, Response, response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use sealwax_config::Timeouts;
use tokio::time::Instant;

use super::check;
use super::pool::{Group, Lease, Peer};
use crate::body::RequestBody;
use crate::error::{Fault, UpstreamFault};
use crate::gate::{Failure, Gate, Valve};

/// Connections that one request may use up.
const MAX_TRIES: usize = 3;

/// The app's answer so far.
pub(crate) struct Received {
    pub(crate) head: response::Parts,
    pub(crate) body: Incoming,
    pub(crate) lease: Lease,
    pub(crate) gate: Option<Rc<Gate>>,
}

/// Sends `head` and `body` to one of `group`.
///
/// A request is sent again only where that cannot make the app act twice: when
/// no connection could be made; when the request never left; or when a kept
/// connection turned out to be closed before a single byte came back, for
/// methods that may be repeated (RFC 9110 §9.2.2) and have no body.
pub(crate) async fn send(
    group: &Group,
    mut head: Parts,
    mut body: RequestBody,
    timeouts: &Timeouts,
    upgrade: bool,
) -> Result<Received, Fault> {
    let gate = body.gate();
    // An empty vector does not allocate: most requests never push.
    let mut refused: Vec<Rc<Peer>> = Vec::new();
    let mut may_reuse = !upgrade;
    let mut tries = 0;
    let mut last = None;
    loop {
        tries += 1;
        let Some(peer) = group.pick(&refused).filter(|_| tries <= MAX_TRIES) else {
            return Err(last.unwrap_or(Fault::Exhausted(
                std::io::ErrorKind::AddrNotAvailable.into(),
            )));
        };
        let idle = if may_reuse { peer.take_idle() } else { None };
        let reused = idle.is_some();
        let mut lease = match idle {
            Some(lease) => lease,
            None => match peer.connect(timeouts.connect).await {
                Ok(lease) => lease,
                Err(fault) => {
                    peer.health().fail(Instant::now());
                    refused.push(peer);
                    last = Some(fault);
                    continue;
                }
            },
        };
        let spare =
            (reused && body.is_empty() && is_idempotent(&head.method)).then(|| head.clone());
        lease.interim.reset();
        body.listen_to(&lease.interim);
        let mut request = Request::from_parts(head, body);
        let interim = Arc::clone(&lease.interim);
        hyper::ext::on_informational(&mut request, move |response| {
            interim.note(response.status())
        });

        let sent = lease.sender.try_send_request(request);
        let mut error = match await_head(sent, gate.as_deref(), timeouts.response_head).await {
            Ok(response) => return received(response, lease, gate, upgrade),
            Err(NoHead::Timeout) => {
                let fault = UpstreamFault::HeadTimeout(timeouts.response_head);
                return Err(client_fault(gate.as_deref())
                    .unwrap_or(Fault::Upstream(peer.name().into(), fault)));
            }
            Err(NoHead::Failed(error)) => error,
        };
        // One stale connection says that its neighbours are stale too.
        may_reuse = false;
        if tries < MAX_TRIES {
            if let Some(request) = error.take_message() {
                (head, body) = request.into_parts();
                continue;
            }
            if let Some(spare) = spare.filter(|_| !lease.interim.heard()) {
                (head, body) = (spare, RequestBody::empty());
                continue;
            }
        }
        if let Some(fault) = client_fault(gate.as_deref()) {
            return Err(fault);
        }
        peer.health().fail(Instant::now());
        let fault = upstream_fault(&lease, error.error());
        return Err(Fault::Upstream(peer.name().into(), fault));
    }
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

enum NoHead {
    Timeout,
    Failed(TrySendError<Request<RequestBody>>),
}

/// Waits for the head. The clock runs from the request's last sign of progress,
/// so that a long upload is no timeout.
async fn await_head(
    sent: impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>>,
    gate: Option<&Gate>,
    limit: Duration,
) -> Result<Response<Incoming>, NoHead> {
    let mut sent = pin!(sent);
    let mut timer = pin!(tokio::time::sleep(limit));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(outcome) = sent.as_mut().poll(cx) {
            return Poll::Ready(outcome.map_err(NoHead::Failed));
        }
        while timer.as_mut().poll(cx).is_ready() {
            match gate
                .map(|gate| gate.last_progress() + limit)
                .filter(|due| *due > Instant::now())
            {
                Some(due) => timer.as_mut().reset(due),
                None => return Poll::Ready(Err(NoHead::Timeout)),
            }
        }
        Poll::Pending
    })
    .await
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

fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent()
}
