//! One request and its response, judged by one machine.
//!
//! The driver (the gateway, a tower layer, `explain`) does the I/O. It asks in
//! this order:
//!
//! 1. [`Target::read`] and the choice of the site, which need no policy;
//! 2. [`Exchange::new`], then [`Exchange::request`] on the request head: answer
//!    now, or forward the head as it then stands;
//! 3. [`Exchange::response`] on the app's response head, or
//!    [`Exchange::own_response`] on one made by the driver;
//! 4. [`Exchange::finish`] for the record and what is to be remembered.
//!
//! Time and memory come in with [`State`]; effects go out with [`Finished`].

mod bound;
mod paused;
mod protection;
mod redirects;

pub use paused::Paused;

use std::net::IpAddr;

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use sealwax_cookie::KnownNames;

use crate::answer::Answer;
use crate::cookies::{self, Learned, RequestCookies};
use crate::explain::{Change, Level, Recorder};
use crate::forwarded;
use crate::headers::{FrameExempt, SecurityFields};
use crate::loops::LoopWatch;
use crate::policy::{Mode, Policy};
use crate::proxies::Route;
use crate::route_fields::RouteFields;
use crate::target::Target;

/// Paths that belong to the gateway itself.
pub const RESERVED_PREFIX: &str = "/.sealwax/";

/// What is known of the connection that carried the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The peer's address; `None` for a unix socket.
    pub peer: Option<IpAddr>,
    /// Whether this connection is TLS.
    pub tls: bool,
    /// Whether the certificate served on it chains to a publicly trusted root
    /// and is valid now.
    pub publicly_trusted: bool,
}

/// What the driver remembers for a site, as of now.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// Unix time in seconds.
    pub now: u64,
    /// The cookie names seen so far.
    pub names: &'a KnownNames,
    /// The `Strict-Transport-Security` value at this point of the ramp
    /// ([`crate::Hsts::value`]).
    pub hsts: &'a HeaderValue,
}

impl State<'_> {
    /// The time as cookies count it.
    pub(crate) fn unix(&self) -> i64 {
        // Unix time fits an i64 for the next 292 billion years.
        i64::try_from(self.now).unwrap_or(i64::MAX)
    }
}

/// What to do with a request.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Send the head, as it now stands, to the app.
    Forward,
    /// Answer now. The response still passes [`Exchange::own_response`].
    Respond(Answer),
}

/// What to do with the body of a response.
#[derive(Debug)]
#[must_use]
pub enum Plan {
    /// Send head and body on.
    Pass,
    /// Drop the app's response and send this one, which still passes
    /// [`Exchange::own_response`].
    Replace(Answer),
}

/// What came of an exchange.
#[derive(Debug)]
pub struct Finished {
    /// The record.
    pub changes: Vec<Change>,
    /// Cookie names to remember ([`KnownNames::learn`]).
    pub learned: Vec<Learned>,
}

/// One request and its response under one site's policy.
#[derive(Debug)]
pub struct Exchange<'a> {
    facts: Facts<'a>,
    /// The request had a `Host` field, which stays in the map.
    has_host: bool,
    cookies: RequestCookies,
    learned: Vec<Learned>,
    record: Recorder,
}

/// What stands fast from the beginning.
#[derive(Debug)]
struct Facts<'a> {
    policy: &'a Policy,
    connection: Connection,
    target: Target,
    route: Route,
    asked: Asked,
}

impl Facts<'_> {
    fn enforcing(&self) -> bool {
        self.policy.mode == Mode::Enforce
    }
}

/// What the response rules need to know of the request after it has gone.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) url: Option<PathAndQuery>,
    pub(crate) user_agent: Option<HeaderValue>,
    /// An unsafe request that names this very site, over HTTPS, as its Origin.
    pub(crate) from_own_page: bool,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.url.as_ref().map_or("/", PathAndQuery::path)
    }
}

impl<'a> Exchange<'a> {
    /// Starts an exchange. `request` is the head as the client sent it, less
    /// the hop-by-hop headers, which the driver has consumed.
    #[must_use]
    pub fn new(
        policy: &'a Policy,
        connection: Connection,
        target: Target,
        request: &Parts,
        level: Level,
    ) -> Self {
        let route = policy
            .proxies
            .route(connection.peer, connection.tls, &request.headers);
        let user_agent = if policy.legacy_same_site {
            request.headers.get(header::USER_AGENT).cloned()
        } else {
            None
        };
        let from_own_page = !request.method.is_safe()
            && request.headers.get(header::ORIGIN).is_some_and(|origin| {
                let authority = origin.as_bytes().strip_prefix(b"https://");
                authority == Some(target.authority().as_bytes())
            });
        Self {
            facts: Facts {
                policy,
                connection,
                target,
                route,
                asked: Asked {
                    method: request.method.clone(),
                    url: request.uri.path_and_query().cloned(),
                    user_agent,
                    from_own_page,
                },
            },
            has_host: false,
            cookies: RequestCookies::default(),
            learned: Vec::new(),
            record: Recorder::new(level),
        }
    }

    /// Whether the client's own connection is TLS, as far as is known.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.facts.route.secure
    }

    /// The client's address: the peer's, or what a trusted proxy says.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.facts.route.client
    }

    /// The host that the request is for.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.facts.target
    }

    /// The changes recorded so far.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.record.changes()
    }

    /// Judges the request and rewrites its head for the app.
    pub fn request(&mut self, request: &mut Parts, state: State<'_>) -> Step {
        match self.request_apart(request, state) {
            Ok(()) => {
                self.route_fields().insert_into(&mut request.headers);
                Step::Forward
            }
            Err(answer) => Step::Respond(answer),
        }
    }

    /// The same as [`request`](Self::request), for a driver that writes the head out itself: the
    /// [route fields](Self::route_fields) are left out of the map, since to put them there costs
    /// more than to write them. They belong in the head.
    ///
    /// # Errors
    /// The answer to give instead of forwarding the request.
    pub fn request_apart(&mut self, request: &mut Parts, state: State<'_>) -> Result<(), Answer> {
        let Self { facts, record, .. } = self;
        let policy = facts.policy;
        if let Some(answer) = facts.redirect_to_https(request, record) {
            return Err(answer);
        }
        let seen = forwarded::strip(
            &mut request.headers,
            &policy.odd_header_names,
            facts.route.by_proxy,
            record,
        );
        self.has_host = seen.host;
        RouteFields::new(&facts.target, facts.route, seen.host).record(record);
        let bind = facts.bind();
        let mut came = None;
        if seen.cookie {
            let host = facts.target.domain();
            let client = cookies::Client {
                host,
                secure: facts.route.secure,
            };
            (self.cookies, came) = cookies::request(policy, bind, client, request, state, record);
        }
        // Sessions that browsers have are refreshed in report mode, too: they would end.
        if let Some(bind) = &policy.bind
            && let Some(answer) = self.bound(bind, came, request, state)
        {
            return Err(answer);
        }
        if request.method == Method::POST {
            cookies::report_cross_site_post(request, state, &mut self.record);
        }
        Ok(())
    }

    /// The fields that tell the app who came, once the request has been judged.
    pub fn route_fields(&self) -> RouteFields<'_> {
        RouteFields::new(&self.facts.target, self.facts.route, self.has_host)
    }

    /// Judges the app's response and rewrites its head for the client.
    pub fn response(
        &mut self,
        response: &mut http::response::Parts,
        state: State<'_>,
        loops: &mut LoopWatch,
    ) -> Plan {
        let (plan, missing) = self.response_apart(response, state, loops);
        missing.insert_into(&mut response.headers);
        plan
    }

    /// The same as [`response`](Self::response), for a driver that writes the head out itself: the
    /// security headers that are missing are returned instead of put into the map. They belong in
    /// the head, unless the plan is to replace the response.
    pub fn response_apart<'s>(
        &mut self,
        response: &mut http::response::Parts,
        state: State<'s>,
        loops: &mut LoopWatch,
    ) -> (Plan, SecurityFields<'s>)
    where
        'a: 's,
    {
        let Self { facts, record, .. } = self;
        if let Some(answer) = facts.break_loop(response, loops, state.now, record) {
            return (Plan::Replace(answer), SecurityFields::default());
        }
        let context = cookies::Context {
            policy: facts.policy,
            asked: &facts.asked,
            host: facts.target.domain(),
            secure: facts.route.secure,
            status: response.status,
            state,
        };
        let frame_exempt = response.extensions.get::<FrameExempt>().is_some();
        let mut rewrite = |headers: &mut HeaderMap| {
            let missing = facts.protect(headers, frame_exempt, state, record);
            let (cookies, learned) = (&mut self.cookies, &mut self.learned);
            cookies::response(&context, cookies, headers, learned, record);
            missing
        };
        if facts.enforcing() {
            (Plan::Pass, rewrite(&mut response.headers))
        } else {
            // The rules work on a copy, and only their record stays.
            let _ = rewrite(&mut response.headers.clone());
            cookies::take_back(&context, &mut response.headers, record);
            (Plan::Pass, SecurityFields::default())
        }
    }

    /// Gives a response that the driver made itself (a redirect, a refusal, an
    /// error page) the same protection as one of the app's.
    pub fn own_response(&mut self, headers: &mut HeaderMap, state: State<'_>) {
        if self.facts.enforcing() {
            let missing = self.facts.protect(headers, false, state, &mut self.record);
            missing.insert_into(headers);
        }
    }

    /// Ends the exchange.
    #[must_use]
    pub fn finish(self) -> Finished {
        Finished {
            changes: self.record.into_changes(),
            learned: self.learned,
        }
    }
}
