//! HTTP/1.1 towards the client (RFC 9112): one request after the other, framed
//! by `sealwax-h1`.
//!
//! ```text
//!             ┌── at rest: no buffer, one timer ◀──────────────┐
//!  bytes ─▶ Inbound ─ head ─▶ service::answer ─▶ Response ─▶ Outgoing ─▶ bytes
//!             └── BodyReader, which travels with the request     │
//!                                               101 ─▶ tunnel    └─▶ close
//! ```
//!
//! All of it runs in the connection's task: nothing is handed from task to task.

mod head;
mod inbound;
mod leaving;
mod outgoing;
mod response;
#[cfg(test)]
mod testing;
mod tunnel;

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode};
use http_body::Body as _;
use sealwax_h1::{Refusal, Rule};
use tokio::io::AsyncWrite as _;
use tokio::time::Instant;

use crate::activity::Waiting;
use crate::body::Body;
use crate::buffer::Buffer;
use crate::clock;
use crate::connection::Client;
use crate::crowd::Outlook;
use crate::deadline::{Deadline, Limits, Overdue, Total};
use crate::error::Fault;
use crate::fields;
use crate::service;
use crate::stream::Stream;
use crate::upload::Source;
use crate::upstream::Wire;

use inbound::{Begun, Inbound};
use leaving::Leaving;
use outgoing::Outgoing;
use response::{Asked, Framing};

pub(crate) use inbound::{BodyReader, Broken};

/// What has been read of the client, shared with the body that is being read.
type Shared = Rc<RefCell<Inbound>>;

/// Serves the requests of one connection until it ends.
pub(crate) async fn serve(client: Rc<Client>, stream: Stream, input: Buffer, limits: Limits) {
    let codec = limits.codec();
    let inbound = Rc::new(RefCell::new(Inbound::new(stream, input, codec)));
    let mut deadline = Deadline::default();
    let mut rest = Rest::new(true);
    let end = loop {
        let next = poll_fn(|cx| {
            let next = poll_next(cx, &client, &inbound, &mut rest, limits);
            if next.is_ready() {
                return next;
            }
            let overdue = ready!(deadline.poll(cx, rest.waiting(), limits));
            Poll::Ready(match overdue {
                Overdue::Head if inbound.borrow().has_begun() => {
                    Next::Refuse(Fault::HeadTimeout(limits.head_time))
                }
                Overdue::Head | Overdue::Idle => Next::Over,
            })
        });
        let next = next.await;
        let end = match next {
            Next::Request(begun) => {
                let total = Total::new(limits.total, rest.head_began());
                Box::pin(exchange(&client, &inbound, begun, &mut deadline, total)).await
            }
            Next::Refuse(fault) => {
                let total = Total::new(limits.total, clock::now());
                Box::pin(refuse(&client, &inbound, &fault, &mut deadline, total)).await
            }
            Next::Over => End::Close,
            Next::Gone => End::Drop,
        };
        if !matches!(end, End::Keep) {
            break end;
        }
        rest = Rest::new(false);
    };
    let end = match end {
        End::Tunnel(app) => {
            let idle = limits.upgraded_idle;
            match Box::pin(tunnel::run(&inbound, app, idle)).await {
                true => End::Reset,
                false => End::Drop,
            }
        }
        end => end,
    };
    match end {
        End::Keep | End::Drop | End::Tunnel(_) => {}
        End::Close => {
            poll_fn(|cx| Inbound::poll_alone(&inbound, cx)).await;
            let _ =
                poll_fn(|cx| Pin::new(&mut inbound.borrow_mut().stream).poll_shutdown(cx)).await;
        }
        End::Reset => {
            if let Some(inbound) = Rc::into_inner(inbound) {
                inbound.into_inner().stream.reset();
            }
        }
    }
}

/// The time between two requests.
struct Rest {
    /// A head is awaited: the first one, or the rest of one that has begun.
    in_head: bool,
    since: Instant,
    /// When the first part of a head came that is in parts.
    begun: Option<Instant>,
}

impl Rest {
    fn new(in_head: bool) -> Self {
        let since = clock::now();
        Self {
            in_head,
            since,
            begun: None,
        }
    }

    /// A part of a head is there.
    fn note_begun(&mut self) {
        if self.begun.is_none() {
            if !self.in_head {
                *self = Self::new(true);
            }
            self.begun = Some(clock::now());
        }
    }

    /// When the first byte of the head came that is complete now.
    fn head_began(&self) -> Instant {
        self.begun.unwrap_or_else(clock::now)
    }

    fn waiting(&self) -> Waiting {
        match self.in_head {
            true => Waiting::Head(self.since),
            false => Waiting::Idle(self.since),
        }
    }
}

/// What comes between two responses.
enum Next {
    Request(Box<Begun>),
    Refuse(Fault),
    /// Nothing more is to come, or to be waited for.
    Over,
    /// The connection is of no more use.
    Gone,
}

fn poll_next(
    cx: &mut Context<'_>,
    client: &Client,
    inbound: &Shared,
    rest: &mut Rest,
    limits: Limits,
) -> Poll<Next> {
    let mut inbound = inbound.borrow_mut();
    if let Poll::Ready(outcome) = inbound.poll_head(cx) {
        return Poll::Ready(match outcome {
            Ok(Some(begun)) => Next::Request(begun),
            // What there was to say has left; to close says the rest.
            Ok(None) => Next::Gone,
            Err(Broken::Refused(refusal)) => Next::Refuse(fault(refusal, limits)),
            Err(Broken::Gone) => Next::Gone,
        });
    }
    let has_begun = inbound.has_begun();
    match client.open.outlook(cx) {
        // It has had its time.
        Outlook::Leave if has_begun => return Poll::Ready(Next::Gone),
        Outlook::Leave | Outlook::Drain if !has_begun => return Poll::Ready(Next::Over),
        _ => {}
    }
    if has_begun {
        rest.note_begun();
    }
    Poll::Pending
}

/// Names the setting where one decides.
fn fault(refusal: Refusal, limits: Limits) -> Fault {
    match refusal.rule {
        Rule::HeadFields => Fault::TooManyFields(limits.head_fields),
        Rule::HeadLong => Fault::HeadTooLong(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            limits.head_bytes,
        ),
        Rule::RequestLineLong => Fault::HeadTooLong(StatusCode::URI_TOO_LONG, limits.head_bytes),
        _ => Fault::Malformed(refusal.into()),
    }
}

/// What becomes of a connection after a response.
enum End {
    /// It waits for the next request.
    Keep,
    /// It is closed as TLS and TCP mean it.
    Close,
    /// The client must notice that the response is not whole, or it has left.
    Drop,
    /// The same, where only a reset can say so.
    Reset,
    /// It belongs to another protocol now.
    Tunnel(Box<Wire>),
}

async fn exchange(
    client: &Rc<Client>,
    inbound: &Shared,
    begun: Box<Begun>,
    deadline: &mut Deadline,
    total: Total,
) -> End {
    let asked = Asked::of(&begun.request, begun.keep_alive);
    let source = match begun.framing {
        sealwax_h1::Framing::Length(1..) | sealwax_h1::Framing::Chunked => {
            Source::H1(BodyReader::new(inbound))
        }
        _ => Source::Empty,
    };
    let Begun { request, lines, .. } = *begun;
    let request = Request::from_parts(request, source);
    let answered = {
        let mut answer = pin!(service::answer(Rc::clone(client), request, lines, total));
        let mut leaving = Leaving::default();
        poll_fn(|cx| {
            if let Poll::Ready(Ok(response)) = answer.as_mut().poll(cx) {
                return Poll::Ready(Some(response));
            }
            leaving.poll(cx, inbound).map(|()| None)
        })
        .await
    };
    match answered {
        Some(response) => respond(client, inbound, &asked, response, deadline, total).await,
        None => End::Drop,
    }
}

/// Tells the client why its request cannot be read. What follows on the
/// connection cannot be read either.
async fn refuse(
    client: &Rc<Client>,
    inbound: &Shared,
    fault: &Fault,
    deadline: &mut Deadline,
    total: Total,
) -> End {
    let asked = Asked::unknown();
    let response = service::refuse(client, fault);
    client.activity.set_linger();
    match respond(client, inbound, &asked, response, deadline, total).await {
        End::Keep => End::Close,
        end => end,
    }
}

async fn respond(
    client: &Client,
    inbound: &Shared,
    asked: &Asked,
    response: Response<Body>,
    deadline: &mut Deadline,
    total: Total,
) -> End {
    let (head, mut body) = response.into_parts();
    let framing = asked.framing(head.status, body.size_hint().exact());
    let switched = body.take_switched();
    let mut over = framing == Framing::Empty || body.is_end_stream();
    let request_ends = begin(inbound, framing);
    let keep = asked.keep_alive
        && framing != Framing::UntilClose
        && request_ends
        && !service::says_close(&head)
        && !client.open.ends();
    let mut outgoing = Outgoing::begin();
    asked.write(outgoing.lead(), &head, framing, &body, keep);
    if over && framing == Framing::Chunked {
        outgoing.content(bytes::Bytes::new(), framing, true);
    }
    fields::recycle(head.headers);
    let mut leaving = Leaving::default();
    let mut write = |cx: &mut Context<'_>| {
        loop {
            // The first content goes out with the head.
            if !over && outgoing.has_room() {
                match body_frame(cx, &mut body, &mut outgoing, framing) {
                    Poll::Ready(Ok(last)) => {
                        over = last;
                        leaving.is_there();
                    }
                    Poll::Ready(Err(broken)) => {
                        // What has come shall arrive, if it goes at once.
                        let _ = outgoing.poll_send(cx, &mut inbound.borrow_mut().stream);
                        return Poll::Ready(Err(Cut::Body(broken)));
                    }
                    Poll::Pending => {
                        ready!(outgoing.poll_send(cx, &mut inbound.borrow_mut().stream))
                            .map_err(Cut::Client)?;
                        return leaving.poll(cx, inbound).map(|()| Err(Cut::Left));
                    }
                }
            }
            let stream = &mut inbound.borrow_mut().stream;
            if over {
                return outgoing.poll_send(cx, stream).map_err(Cut::Client);
            }
            ready!(outgoing.poll_write(cx, stream)).map_err(Cut::Client)?;
        }
    };
    let written = poll_fn(|cx| match write(cx) {
        Poll::Pending => deadline.poll_until(cx, total.due).map(|()| Err(Cut::Late)),
        written => written,
    })
    .await;
    drop(body);
    if let Err(cut) = written {
        tracing::debug!(target: "sealwax", client = %client.peer, %cut, "a response was cut short");
        if let Some(app) = switched {
            // It has switched, and would take the end for the client's.
            app.reset();
        }
        return match framing {
            Framing::UntilClose => End::Reset,
            _ => End::Drop,
        };
    }
    if let Some(app) = switched {
        return End::Tunnel(app);
    }
    if !keep {
        return End::Close;
    }
    // An app may answer before it has the whole request.
    poll_fn(|cx| Inbound::poll_alone(inbound, cx)).await;
    match inbound.borrow().body_is_done() {
        true => End::Keep,
        false => End::Close,
    }
}

/// A response begins. Whether the request will be over when it ends, as far as
/// can be seen: the app may go on taking the body while it answers.
fn begin(inbound: &Shared, framing: Framing) -> bool {
    let takes_body = Inbound::is_shared(inbound);
    let mut inbound = inbound.borrow_mut();
    inbound.forget_continue();
    if framing == Framing::UntilClose {
        inbound.stream.end_matters();
    }
    takes_body || inbound.body_is_done()
}

/// Why a response did not reach its end.
enum Cut {
    /// The client does not take it.
    Client(io::Error),
    /// Nobody is there any more.
    Left,
    /// All of it took too long.
    Late,
    Body(crate::body::Broken),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::Client(error) => error.fmt(f),
            Cut::Left => f.write_str("the client has left"),
            Cut::Late => f.write_str("it took longer than timeouts.total"),
            Cut::Body(broken) => broken.fmt(f),
        }
    }
}

/// Takes the body's next part; true when it was the last.
fn body_frame(
    cx: &mut Context<'_>,
    body: &mut Body,
    outgoing: &mut Outgoing,
    framing: Framing,
) -> Poll<Result<bool, crate::body::Broken>> {
    match ready!(Pin::new(&mut *body).poll_frame(cx)) {
        Some(Ok(frame)) => match frame.into_data() {
            Ok(data) => {
                let is_last = body.is_end_stream();
                outgoing.content(data, framing, is_last);
                Poll::Ready(Ok(is_last))
            }
            Err(frame) => {
                if let (Framing::Chunked, Ok(trailers)) = (framing, frame.into_trailers()) {
                    outgoing.trailers(&trailers);
                }
                Poll::Ready(Ok(true))
            }
        },
        Some(Err(broken)) => Poll::Ready(Err(broken)),
        None => {
            outgoing.content(bytes::Bytes::new(), framing, true);
            Poll::Ready(Ok(true))
        }
    }
}
