//! The path of one request, from its head to the head of its response.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::Uri;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use sealwax_policy::{
    Answer, Connection, Exchange, Level, Plan, Problem, RESERVED_PREFIX, Rule, State, Step, Target,
};

use crate::body::{Body, Download, RequestBody};
use crate::clock;
use crate::connection::Client;
use crate::error::Fault;
use crate::gate::Valve;
use crate::hop;
use crate::live::{Live, Site};
use crate::log::{self, Access};
use crate::pages::{self, Asked};
use crate::upgrade;
use crate::upstream::{self, Received};
use crate::worker::Current;

const HEALTH: &str = "/.sealwax/health";

/// Answers one request.
pub(crate) async fn answer(
    client: Rc<Client>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let busy = client.activity.begin();
    let current = client.worker.current();
    let (head, incoming) = request.into_parts();
    let mut access = Access::begin(&head, client.peer, client.tls);
    let response = route(&client, &current, head, incoming, access.as_deref_mut()).await;
    if let Some(access) = &mut access {
        access.set_status(response.status());
    }
    Ok(response.map(|body| body.carrying(busy, access)))
}

/// The request path. Each step stands where it does for the reason beside it.
async fn route(
    client: &Rc<Client>,
    current: &Current,
    mut head: Parts,
    incoming: Incoming,
    mut access: Option<&mut Access>,
) -> Response<Body> {
    let live = &*current.live;

    // First of all, since whoever asks after our health knows neither our hosts
    // nor our scheme.
    if head.uri.path() == HEALTH && matches!(head.method, Method::GET | Method::HEAD) {
        return pages::health(&head.method);
    }

    // The body is wrapped before anything can refuse the request, so that one
    // left unread is known.
    let has_body = !http_body::Body::is_end_stream(&incoming);
    let announced = http_body::Body::size_hint(&incoming).lower();
    let expects = expects_continue(&head);
    let body = if has_body {
        let (idle, limit) = (live.timeouts.request_body_idle, live.limits.request_body);
        RequestBody::new(incoming, expects, idle, limit, &client.activity)
    } else {
        RequestBody::empty()
    };
    let upgrade_handle = head.extensions.remove::<OnUpgrade>();
    head.extensions.clear();
    let asked = Asked::of(&head.method, &head.headers);
    let nowhere = Refusal {
        client,
        site: None,
        asked: &asked,
    };

    // Before all rules: a request has one host, or it is none.
    let target = match Target::read(&head) {
        Ok(target) => target,
        Err(rule) => return nowhere.page(&unreadable(rule)),
    };
    let Some((index, site)) = live.site(target.domain()) else {
        return nowhere.page(&Fault::Policy(
            StatusCode::MISDIRECTED_REQUEST,
            Problem::UnknownHost,
        ));
    };
    let group = current.groups.get(index);
    // The site is known: from here on its operator and its policy count.
    let on_site = Refusal {
        client,
        site: Some(site),
        asked: &asked,
    };

    // Before the policy, which adds headers that no `Connection` may remove.
    let upgrade = hop::strip_request(&mut head.headers, head.version);
    let misdirected = is_misdirected(client, live, target.domain(), index);
    let connection = Connection {
        peer: Some(client.peer),
        tls: client.tls,
        publicly_trusted: client.publicly_trusted,
    };
    let mut exchange = Exchange::new(&site.policy, connection, target, &head, level());
    if let Some(access) = access.as_deref_mut() {
        access.set_client(exchange.client());
    }

    // What the gateway refuses by itself; the pages pass the policy all the same.
    let refused = if misdirected {
        Some(Fault::Misdirected)
    } else if let Some(limit) = live.limits.request_body.filter(|limit| announced > *limit) {
        Some(Fault::BodyTooLarge(limit))
    } else if upgrade.is_some() && has_body {
        Some(Fault::UpgradeWithBody)
    } else if head.uri.path().starts_with(RESERVED_PREFIX) {
        Some(Fault::NotHere)
    } else {
        None
    };
    if let Some(fault) = refused {
        return finish(client, site, exchange, Own(on_site.page(&fault)));
    }
    match with_state(site, |state| exchange.request(&mut head, state)) {
        Step::Respond(answer) => {
            return finish(client, site, exchange, own_answer(&on_site, answer));
        }
        Step::Forward if client.misplaced => {
            let response = on_site.page(&Fault::PlainOnTls);
            return finish(client, site, exchange, Own(response));
        }
        Step::Forward => {}
    }

    for_the_app(&mut head, upgrade.as_ref(), has_body);
    let received = match group {
        Some(group) => upstream::send(group, head, body, &live.timeouts, upgrade.is_some()).await,
        None => Err(Fault::Exhausted(std::io::ErrorKind::NotConnected.into())),
    };
    let mut received = match received {
        Ok(received) => received,
        Err(fault) => {
            let response = on_site.page(&fault);
            return finish(client, site, exchange, Own(response));
        }
    };
    if let Some(access) = access {
        access.set_upstream(received.lease.peer().name());
    }

    // The head has been found unambiguous; now it may be judged.
    hop::strip_response(&mut received.head.headers, received.head.status);
    let plan = with_state(site, |state| {
        exchange.response(
            &mut received.head,
            state,
            &mut client.worker.loops.borrow_mut(),
        )
    });
    match plan {
        Plan::Replace(answer) => finish(client, site, exchange, own_answer(&on_site, answer)),
        Plan::Pass => {
            let response = for_the_client(client, current, received, upgrade_handle);
            finish(client, site, exchange, Theirs(response))
        }
    }
}

/// A connection that was set up for one site carries requests for that site
/// only (RFC 9110 §15.5.20): another site may have other rules for its TLS.
/// Without SNI the client has named none.
fn is_misdirected(client: &Client, live: &Live, domain: &str, site: usize) -> bool {
    match client.sni.as_deref() {
        None => false,
        Some(sni) if sni.eq_ignore_ascii_case(domain) => false,
        Some(sni) => live.site(&sni.to_ascii_lowercase()).map(|(index, _)| index) != Some(site),
    }
}

/// Turns the head into one for HTTP/1.1 towards the app: origin form, our
/// own framing, our own hop-by-hop fields. (The policy has named the host.)
fn for_the_app(head: &mut Parts, upgrade: Option<&HeaderValue>, has_body: bool) {
    if head.uri.authority().is_some() {
        let uri = std::mem::take(&mut head.uri);
        head.uri = uri
            .into_parts()
            .path_and_query
            .map_or_else(|| Uri::from_static("/"), Uri::from);
    }
    head.version = Version::HTTP_11;
    if has_body && !head.headers.contains_key(header::CONTENT_LENGTH) {
        head.headers.insert(
            header::TRANSFER_ENCODING,
            HeaderValue::from_static("chunked"),
        );
    }
    if let Some(protocols) = upgrade {
        head.headers
            .insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(header::UPGRADE, protocols.clone());
    }
}

/// Hands the app's response on, or opens the tunnel that it agreed to.
fn for_the_client(
    client: &Rc<Client>,
    current: &Current,
    received: Received,
    upgrade_handle: Option<OnUpgrade>,
) -> Response<Body> {
    let Received {
        mut head,
        body,
        lease,
        gate,
    } = received;
    head.version = Version::HTTP_11;
    let timeouts = &current.live.timeouts;
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        if let (Some(client_side), Some(app_side)) =
            (upgrade_handle, head.extensions.remove::<OnUpgrade>())
        {
            upgrade::tunnel(
                &client.worker,
                client_side,
                app_side,
                timeouts.upgraded_idle,
            );
        }
        return Response::from_parts(head, Body::own(Bytes::new()));
    }
    if gate
        .as_deref()
        .is_some_and(|gate| gate.valve() == Valve::Held)
    {
        // The client may or may not send the body that nobody asked for; only
        // the end of the connection says for sure (RFC 9110 §10.1.1).
        head.headers
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let download = Download::new(body, lease, gate, timeouts.response_idle);
    Response::from_parts(head, Body::app(download))
}

/// A response, by whose it is.
enum Outcome {
    Own(Response<Body>),
    Theirs(Response<Body>),
}
use Outcome::{Own, Theirs};

/// Protects our own answers as the app's are, remembers what was learned, and
/// tells what is news. Names are remembered before the response leaves: the
/// client may answer with them at once.
fn finish(
    client: &Client,
    site: &Site,
    mut exchange: Exchange<'_>,
    outcome: Outcome,
) -> Response<Body> {
    let response = match outcome {
        Own(mut response) => {
            with_state(site, |state| {
                exchange.own_response(response.headers_mut(), state)
            });
            response
        }
        Theirs(response) => response,
    };
    let finished = exchange.finish();
    if !finished.learned.is_empty() && site.memory.learn(&finished.learned) {
        client.worker.wake_keeper();
    }
    for change in finished.changes {
        if level() == Level::All {
            tracing::debug!(target: "sealwax::changes", site = site.name, ?change);
        } else if site.memory.is_news(&change) {
            tracing::info!(
                target: "sealwax",
                site = site.name,
                rule = change.rule.id(),
                action = change.action.as_str(),
                subject = %log::escape(change.subject.as_bytes()),
                applied = change.applied,
                "{}",
                change.rule.reason()
            );
        }
    }
    response
}

fn own_answer(refusal: &Refusal<'_>, answer: Answer) -> Outcome {
    Own(match answer.problem {
        Some(problem) => refusal.page_with(&Fault::Policy(answer.status, problem), answer.headers),
        None => pages::bare(answer.status, answer.headers),
    })
}

/// Everything a refusal needs to become a page.
struct Refusal<'r> {
    client: &'r Client,
    site: Option<&'r Site>,
    asked: &'r Asked,
}

impl Refusal<'_> {
    fn page(&self, fault: &Fault) -> Response<Body> {
        self.page_with(fault, HeaderMap::new())
    }

    fn page_with(&self, fault: &Fault, mut headers: HeaderMap) -> Response<Body> {
        let reference = pages::reference();
        self.write_down(fault, &reference);
        if matches!(
            fault,
            Fault::BodyBroken | Fault::BodyTimeout(_) | Fault::BodyTooLarge(_)
        ) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let tell_operator = self.site.is_some_and(|site| site.tell_operator);
        pages::fault(fault, headers, &reference, tell_operator, self.asked)
    }

    fn write_down(&self, fault: &Fault, reference: &str) {
        let site = self.site.map(|site| site.name.as_str());
        let status = fault.status().as_u16();
        let client = self.client.peer;
        if fault.concerns_operator() {
            self.client.worker.complaints.fault.say(|repeated| {
                tracing::warn!(target: "sealwax", site, status, reference, %client, repeated, "{}", fault.for_operator());
            });
        } else {
            tracing::debug!(target: "sealwax", site, status, reference, %client, "{}", fault.for_operator());
        }
    }
}

fn unreadable(rule: Rule) -> Fault {
    match rule {
        Rule::MethodRefused => Fault::Policy(StatusCode::METHOD_NOT_ALLOWED, Problem::BadMethod),
        _ => Fault::Policy(StatusCode::BAD_REQUEST, Problem::BadHost),
    }
}

fn expects_continue(head: &Parts) -> bool {
    head.version > Version::HTTP_10
        && head
            .headers
            .get(header::EXPECT)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Everything is recorded only while somebody listens.
fn level() -> Level {
    if tracing::enabled!(target: "sealwax::changes", tracing::Level::DEBUG) {
        Level::All
    } else {
        Level::Notable
    }
}

/// The site's memory as of now.
fn with_state<T>(site: &Site, judge: impl FnOnce(State<'_>) -> T) -> T {
    let names = site.memory.names.load();
    let hsts = site.memory.hsts.load();
    judge(State {
        now: clock::unix(),
        names: &names,
        hsts: &hsts,
    })
}
