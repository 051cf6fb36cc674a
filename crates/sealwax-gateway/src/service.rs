//! The path of one request, from its head to the head of its response.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Instant;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::Uri;
use http::{Method, Request, Response, StatusCode, Version, response};
use sealwax_policy::{
    Answer, Change, Connection, Exchange, Level, Mode, Plan, Problem, RESERVED_PREFIX, Rule, State,
    Target,
};

use crate::body::Body;
use crate::clock;
use crate::connection::Client;
use crate::crowd::Overload;
use crate::deadline::Total;
use crate::error::Fault;
use crate::fields::{self, Lines};
use crate::h2::mapping;
use crate::hop;
use crate::live::{Live, Site};
use crate::log::{self, Access};
use crate::pages::{self, Asked};
use crate::theft::Event;
use crate::upload::{RequestBody, Source, UploadLimits};
use crate::upstream::{self, Asking, Follows, Group, Received};
use crate::worker::Current;

/// Seconds (RFC 9110 §10.2.3) in which a shortage may be over.
const RETRY_AFTER: &str = "5";

const HEALTH: &str = "/.sealwax/health";

/// Answers one request: to the app, through it, and back. `lines` are the fields
/// of its head that nobody judges.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn would hold its arguments twice; every request in flight holds this future"
)]
pub(crate) fn answer(
    client: Rc<Client>,
    request: Request<Source>,
    lines: Lines,
    total: Total,
) -> impl Future<Output = Result<Response<Body>, Infallible>> {
    async move {
        let busy = client.activity.begin();
        let current = client.worker.current();
        let mut access = Access::begin(&request, client.peer, client.tls);
        let answered = match client.open.overload() {
            None => to_the_app(&client, &current, request, lines, access.as_deref_mut()),
            Some(why) => Err(turn_away(&client, &request, &lines, why)),
        };
        // It is held while the app is waited for, answer or not.
        let mut response = match answered.map_err(Box::new) {
            Err(response) => *response,
            Ok(mut sending) => {
                let timeouts = &current.live.timeouts;
                let asking = Asking {
                    head: &sending.head,
                    lines: &sending.lines,
                    route: &sending.exchange.route_fields(),
                    upgrade: sending.upgrade,
                    apart: !client.h2,
                };
                let body = &mut sending.body;
                let received = upstream::send(sending.group, &asking, body, timeouts, total).await;
                sending.to_the_client(&client, received, access.as_deref_mut())
            }
        };
        if let Some(access) = &mut access {
            access.set_status(response.status());
            if let Some(pages::Reference(reference)) = response.extensions_mut().remove() {
                access.set_reference(reference);
            }
        }
        Ok(response.map(|body| body.carrying(busy, access)))
    }
}

/// A judged request on its way, and what is needed when its answer comes.
/// Boxed, for it would be copied several times on its way into the future.
struct Sending<'c> {
    site: &'c Site,
    group: &'c Group,
    exchange: Exchange<'c>,
    head: Parts,
    lines: Lines,
    body: RequestBody,
    upgrade: bool,
}

/// The path to the app. Each step stands where it does for the reason beside
/// it. The error is an answer that needs no app.
#[expect(
    clippy::result_large_err,
    reason = "it is the response, and goes no further up"
)]
fn to_the_app<'c>(
    client: &Client,
    current: &'c Current,
    request: Request<Source>,
    mut lines: Lines,
    access: Option<&mut Access>,
) -> Result<Box<Sending<'c>>, Response<Body>> {
    let live = &*current.live;
    let (mut head, source) = request.into_parts();

    // First of all, since whoever asks after our health knows neither our hosts
    // nor our scheme.
    if head.uri.path() == HEALTH && matches!(head.method, Method::GET | Method::HEAD) {
        return Err(pages::health(&head.method));
    }

    // The body is wrapped before anything can refuse the request, so that one
    // left unread is known.
    let announced = source.length().unwrap_or(0);
    let expects = expects_continue(&head);
    let body = RequestBody::new(
        source,
        expects,
        UploadLimits {
            idle: live.timeouts.request_body_idle,
            rate: live.limits.request_body_rate,
            length: live.limits.request_body,
        },
        &client.activity,
    );

    // Before all rules: what HTTP/1.1 would say differently is no request, and
    // one that has not one host is none either.
    if client.h2
        && let Err(refusal) = mapping::check(&head)
    {
        return Err(Refusal::of(client, None, &head, &lines).page(&Fault::Malformed(refusal)));
    }
    head.extensions.clear();
    let target = match Target::read(&head) {
        Ok(target) => target,
        Err(rule) => {
            let refusal = Refusal::of(client, None, &head, &lines);
            return Err(refusal.page(&unreadable(rule)));
        }
    };
    let found = live.site(target.domain());
    let found = found.and_then(|(index, site)| Some((index, site, current.apps.get(index)?)));
    let Some((index, site, apps)) = found else {
        let fault = Fault::Policy(StatusCode::MISDIRECTED_REQUEST, Problem::UnknownHost);
        return Err(Refusal::of(client, None, &head, &lines).page(&fault));
    };
    // The site is known: from here on its operator and its policy count.
    if site.policy.legacy_same_site {
        lines.move_into(&mut head.headers);
    }

    // On HTTP/1.1 the codec has counted. On HTTP/2 a client may split its cookies
    // (RFC 9113 §8.2.3), which are one field.
    let fields = match client.h2 {
        true => {
            let crumbs = head.headers.get_all(header::COOKIE).iter().count();
            head.headers.len() - crumbs.saturating_sub(1)
        }
        false => 0,
    };
    // Before the policy, which adds headers that no `Connection` may remove.
    let upgrade = hop::strip_request(&mut head.headers, head.version);
    let misdirected = is_misdirected(client, live, target.domain(), index);
    let connection = Connection {
        peer: Some(client.peer),
        tls: client.tls,
        publicly_trusted: client.publicly_trusted,
    };
    let mut exchange = Exchange::new(&site.policy, connection, target, &head, level(site));
    if let Some(access) = access {
        access.set_client(exchange.client());
    }

    // What the gateway refuses by itself; the pages pass the policy all the same.
    let refused = if misdirected {
        Some(Fault::Misdirected)
    } else if fields > live.limits.request_headers {
        Some(Fault::TooManyFields(live.limits.request_headers))
    } else {
        let exceeded = live.limits.request_body.filter(|limit| announced > *limit);
        exceeded.map(Fault::BodyTooLarge)
    };
    if let Some(fault) = refused {
        let page = Refusal::of(client, Some(site), &head, &lines).page(&fault);
        return Err(finish(client, site, exchange, &head, Own(page)));
    }
    if let Err(answer) = with_state(site, |state| exchange.request_apart(&mut head, state)) {
        let outcome = own_answer(&Refusal::of(client, Some(site), &head, &lines), answer);
        return Err(finish(client, site, exchange, &head, outcome));
    }
    // What of it is ours the policy has answered.
    if head.uri.path().starts_with(RESERVED_PREFIX) {
        let page = Refusal::of(client, Some(site), &head, &lines).page(&Fault::NotHere);
        return Err(finish(client, site, exchange, &head, Own(page)));
    }
    if client.misplaced {
        let page = Refusal::of(client, Some(site), &head, &lines).page(&Fault::PlainOnTls);
        return Err(finish(client, site, exchange, &head, Own(page)));
    }

    for_the_app(&mut head, upgrade.as_ref());
    Ok(Box::new(Sending {
        site,
        group: apps.of_path(head.uri.path()),
        exchange,
        head,
        lines,
        body,
        upgrade: upgrade.is_some(),
    }))
}

impl Sending<'_> {
    /// The path back.
    fn to_the_client(
        self: Box<Self>,
        client: &Client,
        received: Result<Received, Fault>,
        access: Option<&mut Access>,
    ) -> Response<Body> {
        let Sending {
            site,
            mut exchange,
            head,
            lines,
            ..
        } = *self;
        let refusal = Refusal::of(client, Some(site), &head, &lines);
        let mut received = match received {
            Ok(received) => received,
            Err(fault) => return finish(client, site, exchange, &head, Own(refusal.page(&fault))),
        };
        if let Some(access) = access {
            access.set_upstream(received.peer.name());
        }
        // The head has been found unambiguous; now it may be judged.
        hop::strip_response(&mut received.head.headers, received.head.status);
        let plan = with_state(site, |state| {
            let mut loops = client.worker.loops.borrow_mut();
            let (plan, missing) = exchange.response_apart(&mut received.head, state, &mut loops);
            if client.h2 {
                missing.insert_into(&mut received.head.headers);
            } else {
                let lines = &mut received.lines;
                missing.for_each(|name, value| {
                    lines.push(name.as_str().as_bytes(), value.as_bytes());
                });
            }
            plan
        });
        match plan {
            Plan::Replace(answer) => {
                let outcome = own_answer(&refusal, answer);
                finish(client, site, exchange, &head, outcome)
            }
            Plan::Pass => {
                let outcome = Theirs(for_the_client(client, received));
                let response = finish(client, site, exchange, &head, outcome);
                fields::recycle(head.headers);
                response
            }
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

/// Turns the head into one for HTTP/1.1 towards the app: origin form, our own
/// hop-by-hop fields. (The policy has named the host; who writes the head frames
/// it.)
fn for_the_app(head: &mut Parts, upgrade: Option<&HeaderValue>) {
    if head.uri.authority().is_some() {
        let target = std::mem::take(&mut head.uri).into_parts().path_and_query;
        head.uri = match target {
            // `http://host?query` has an empty path (RFC 9112 §3.2.1).
            Some(target) if target.as_str().starts_with('?') => {
                Uri::try_from(format!("/{}", target.as_str())).unwrap_or_default()
            }
            Some(target) => Uri::from(target),
            None => Uri::from_static("/"),
        };
    }
    head.version = Version::HTTP_11;
    if let Some(protocols) = upgrade {
        head.headers
            .insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(header::UPGRADE, protocols.clone());
    }
}

/// Hands the app's response on, or opens the tunnel that it agreed to.
fn for_the_client(client: &Client, received: Received) -> Response<Body> {
    let Received {
        mut head,
        lines,
        follows,
        ..
    } = received;
    head.version = Version::HTTP_11;
    let download = match follows {
        Follows::Body(download) => download,
        Follows::Tunnel(app) => {
            return Response::from_parts(head, Body::switched(app).beside(lines));
        }
    };
    if download.leaves_request() && !client.h2 {
        // The client may or may not send the body that nobody asked for; only
        // the end of the connection says for sure (RFC 9110 §10.1.1).
        head.headers
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Response::from_parts(head, Body::app(download).beside(lines))
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
    asked: &Parts,
    outcome: Outcome,
) -> Response<Body> {
    let response = match outcome {
        Own(mut response) => {
            with_state(site, |state| {
                exchange.own_response(response.headers_mut(), state);
            });
            response
        }
        Theirs(response) => response,
    };
    let origin = exchange.client();
    let finished = exchange.finish();
    if !finished.learned.is_empty() && site.memory.learn(&finished.learned) {
        client.worker.wake_keeper();
    }
    for change in finished.changes {
        log::every_change(&site.name, &change);
        // In report mode what would be done is the news.
        if change.notable && change.rule.is_sign_of_theft() {
            site.report(Event::of(&site.name, &change, asked, origin, clock::unix()));
        } else if (change.notable || !change.applied) && is_news(site, &change) {
            log::news(&site.name, &change);
        }
    }
    response
}

fn is_news(site: &Site, change: &Change) -> bool {
    let told = &site.memory.told;
    told.is_news(change.rule, &change.subject, &site.name, Instant::now())
}

fn own_answer(refusal: &Refusal<'_>, answer: Answer) -> Outcome {
    Own(match answer.problem {
        Some(problem) => refusal.page_with(&Fault::Policy(answer.status, problem), answer.headers),
        None => pages::bare(answer.status, answer.headers, answer.body.into()),
    })
}

/// Everything a refusal needs to become a page.
struct Refusal<'r> {
    client: &'r Client,
    site: Option<&'r Site>,
    asked: Asked<'r>,
}

impl<'r> Refusal<'r> {
    fn of(client: &'r Client, site: Option<&'r Site>, head: &'r Parts, lines: &'r Lines) -> Self {
        Self {
            client,
            site,
            asked: Asked {
                method: Some(&head.method),
                fields: Some((&head.headers, lines)),
            },
        }
    }

    fn page(&self, fault: &Fault) -> Response<Body> {
        self.page_with(fault, HeaderMap::new())
    }

    fn page_with(&self, fault: &Fault, mut headers: HeaderMap) -> Response<Body> {
        let reference = pages::reference();
        self.write_down(fault, &reference);
        if fault.is_shortage() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        let must_close = matches!(
            fault,
            Fault::BodyBroken
                | Fault::BodyTimeout(_)
                | Fault::BodyTooSlow(_)
                | Fault::BodyTotal(_)
                | Fault::BodyTooLarge(_)
                | Fault::Malformed(_)
                | Fault::Overload(_)
        );
        // A client that asks for a tunnel may send bytes that are no HTTP.
        let asks_for_tunnel = fault.status() == StatusCode::METHOD_NOT_ALLOWED;
        if (must_close || asks_for_tunnel) && !self.client.h2 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let tell_operator = self.site.is_some_and(|site| site.tell_operator);
        pages::fault(fault, headers, &reference, tell_operator, &self.asked)
    }

    fn write_down(&self, fault: &Fault, reference: &str) {
        let site = self.site.map(|site| site.name.as_str());
        let status = fault.status().as_u16();
        let client = self.client.peer;
        if matches!(fault, Fault::Policy(_, Problem::UnknownHost)) {
            self.client.worker.complaints.unknown_host.say(|repeated| {
                tracing::info!(target: "sealwax", reference, %client, repeated, "{}", fault.for_operator());
            });
            return;
        }
        if fault.concerns_operator() {
            self.client.worker.complaints.fault.say(|repeated| {
                tracing::warn!(target: "sealwax", site, status, reference, %client, repeated, "{}", fault.for_operator());
            });
        } else {
            tracing::debug!(target: "sealwax", site, status, reference, %client, "{}", fault.for_operator());
        }
    }
}

/// Answers what is no request that anybody could judge.
pub(crate) fn refuse(client: &Client, fault: &Fault) -> Response<Body> {
    let nowhere = Refusal {
        client,
        site: None,
        asked: Asked::UNKNOWN,
    };
    nowhere.page(fault)
}

/// Answers on a connection that is not to be kept.
fn turn_away(
    client: &Client,
    request: &Request<Source>,
    lines: &Lines,
    why: Overload,
) -> Response<Body> {
    if !request.body().is_end_stream() {
        client.activity.set_linger();
    }
    let nowhere = Refusal {
        client,
        site: None,
        asked: Asked {
            method: Some(request.method()),
            fields: Some((request.headers(), lines)),
        },
    };
    nowhere.page(&Fault::Overload(why))
}

/// Whether the connection must end with this response.
pub(crate) fn says_close(head: &response::Parts) -> bool {
    let connection = head.headers.get(header::CONNECTION);
    connection.is_some_and(|value| value == "close")
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

/// Everything is recorded only while somebody listens: who debugs, or who looks
/// before enforcing.
fn level(site: &Site) -> Level {
    if site.policy.mode == Mode::Report || log::changes_are_wanted() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn size<A, B, C, D, F: Future>(_: impl Fn(A, B, C, D) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    #[test]
    fn the_future_of_a_request_is_small() {
        let size = size(answer);
        assert!(size < 1600, "{size} bytes");
    }
}
