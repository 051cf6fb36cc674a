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

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use sealwax_cookie::KnownNames;

use crate::When;
use crate::answer::{Answer, Problem};
use crate::cookies::{self, Learned, RequestCookies};
use crate::explain::{Action, Change, Level, Recorder, Rule};
use crate::forwarded;
use crate::headers::Present;
use crate::hsts;
use crate::loops::LoopWatch;
use crate::policy::{Mode, Policy};
use crate::proxies::Route;
use crate::redirect::Verdict;
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
    policy: &'a Policy,
    connection: Connection,
    target: Target,
    route: Route,
    asked: Asked,
    cookies: RequestCookies,
    learned: Vec<Learned>,
    record: Recorder,
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
            cookies: RequestCookies::default(),
            learned: Vec::new(),
            record: Recorder::new(level),
        }
    }

    /// Whether the client's own connection is TLS, as far as is known.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.route.secure
    }

    /// The client's address: the peer's, or what a trusted proxy says.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.route.client
    }

    /// The host that the request is for.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The changes recorded so far.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.record.changes()
    }

    /// Judges the request and rewrites its head for the app.
    pub fn request(&mut self, request: &mut Parts, state: State<'_>) -> Step {
        let host = self.target.host();
        if !self.route.secure
            && self.policy.redirect.enabled
            && let Some(answer) = redirect(self.policy, request, &host, &mut self.record)
        {
            return Step::Respond(answer);
        }
        let seen = forwarded::strip(
            &mut request.headers,
            &self.policy.odd_header_names,
            self.route.by_proxy,
            &mut self.record,
        );
        let facts = forwarded::Facts {
            authority: self.target.authority(),
            host: &host,
            has_host: seen.host,
            client: self.route.client,
            secure: self.route.secure,
        };
        forwarded::set(&mut request.headers, &facts, &mut self.record);
        if seen.cookie {
            self.cookies = cookies::request(self.policy, request, state, &mut self.record);
        }
        if request.method == Method::POST {
            cookies::report_cross_site_post(request, state, &mut self.record);
        }
        Step::Forward
    }

    /// Judges the app's response and rewrites its head for the client.
    pub fn response(
        &mut self,
        response: &mut http::response::Parts,
        state: State<'_>,
        loops: &mut LoopWatch,
    ) -> Plan {
        if self.redirects_to_itself(response) && self.is_loop(response, loops, state.now) {
            let applied = self.enforcing();
            let url = self.url();
            self.record.notable(|| {
                Change::new(Rule::RedirectLoop, Action::Refused, "response")
                    .before(&url)
                    .applied(applied)
            });
            if applied {
                return Plan::Replace(Answer::problem(
                    StatusCode::LOOP_DETECTED,
                    Problem::RedirectLoop,
                ));
            }
        }
        if self.enforcing() {
            self.rewrite(&mut response.headers, response.status, state);
        } else {
            // Report mode: the rules work on a copy, and only their record stays.
            let mut copy = response.headers.clone();
            self.rewrite(&mut copy, response.status, state);
            let context = cookies::Context {
                policy: self.policy,
                asked: &self.asked,
                secure: self.route.secure,
                status: response.status,
                state,
            };
            cookies::take_back(&context, &mut response.headers, &mut self.record);
        }
        Plan::Pass
    }

    /// Gives a response that the driver made itself (a redirect, a refusal, an
    /// error page) the same protection as one of the app's.
    pub fn own_response(&mut self, headers: &mut HeaderMap, state: State<'_>) {
        if self.enforcing() {
            self.protect(headers, state);
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

    fn enforcing(&self) -> bool {
        self.policy.mode == Mode::Enforce
    }

    fn rewrite(&mut self, headers: &mut HeaderMap, status: StatusCode, state: State<'_>) {
        self.protect(headers, state);
        let context = cookies::Context {
            policy: self.policy,
            asked: &self.asked,
            secure: self.route.secure,
            status,
            state,
        };
        let learned = cookies::response(&context, &mut self.cookies, headers, &mut self.record);
        self.learned.extend(learned);
    }

    /// The headers that every response carries, whoever made it.
    fn protect(&mut self, headers: &mut HeaderMap, state: State<'_>) {
        let present = Present::of(headers);
        // One growth of the map instead of several, and none where what is missing fits in. One
        // place stays free: a full map grows even to look up the cookies.
        headers.reserve(present.missing() + 1);
        self.strict_transport_security(headers, &present, state.hsts);
        let applied = self.enforcing();
        self.policy
            .headers
            .apply(headers, &present, applied, &mut self.record);
    }

    fn strict_transport_security(
        &mut self,
        headers: &mut HeaderMap,
        present: &Present,
        value: &HeaderValue,
    ) {
        let applied = self.enforcing();
        let when = self.policy.hsts.when;
        let memorable = when == When::Always || hsts::may_remember(self.target.domain());
        // RFC 6797 §7.2: never over plain HTTP.
        let own_may_stay = self.route.secure && memorable;
        if !own_may_stay {
            if let Some(own) = headers.remove(header::STRICT_TRANSPORT_SECURITY) {
                self.record.routine(|| {
                    Change::new(
                        Rule::HstsRemoved,
                        Action::Removed,
                        "strict-transport-security",
                    )
                    .before(own.as_bytes())
                    .applied(applied)
                });
            } else if self.route.secure && when != When::Never {
                self.record.routine(|| {
                    Change::new(
                        Rule::HstsWithheld,
                        Action::Reported,
                        "strict-transport-security",
                    )
                    .applied(applied)
                });
            }
            return;
        }
        let wanted = match when {
            When::Never => false,
            When::Always => true,
            When::Public => self.connection.publicly_trusted,
        };
        if !wanted && !present.strict_transport_security && when == When::Public {
            self.record.routine(|| {
                Change::new(
                    Rule::HstsWithheld,
                    Action::Reported,
                    "strict-transport-security",
                )
                .applied(applied)
            });
        }
        if wanted && !present.strict_transport_security {
            self.record.routine(|| {
                Change::new(Rule::HstsAdded, Action::Added, "strict-transport-security")
                    .after(value.as_bytes())
                    .applied(applied)
            });
            headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
        }
    }

    /// A GET that is answered with a redirect to the very URL that was asked
    /// for, by either scheme (a redirect to `http` comes back through ours).
    /// One that sets a cookie is a page that wants to see it again, no loop.
    fn redirects_to_itself(&self, response: &http::response::Parts) -> bool {
        if !response.status.is_redirection()
            || !matches!(self.asked.method, Method::GET | Method::HEAD)
            || response.headers.contains_key(header::SET_COOKIE)
        {
            return false;
        }
        let Some(location) = response.headers.get(header::LOCATION) else {
            return false;
        };
        let location = location.as_bytes();
        let url = self
            .asked
            .url
            .as_ref()
            .map_or("/", PathAndQuery::as_str)
            .as_bytes();
        let after_scheme = strip_prefix_ignoring_case(location, b"https:")
            .or_else(|| strip_prefix_ignoring_case(location, b"http:"))
            .unwrap_or(location);
        match after_scheme.strip_prefix(b"//") {
            Some(rest) => {
                let authority = self.target.authority().as_bytes();
                rest.len() == authority.len() + url.len()
                    && rest
                        .get(..authority.len())
                        .is_some_and(|host| host.eq_ignore_ascii_case(authority))
                    && rest.ends_with(url)
            }
            None => after_scheme.len() == location.len() && location == url,
        }
    }

    /// A permanent redirect to itself is one at once: browsers keep it and spin
    /// in their own cache, without ever coming back to be counted.
    fn is_loop(&self, response: &http::response::Parts, loops: &mut LoopWatch, now: u64) -> bool {
        let permanent = matches!(
            response.status,
            StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT
        );
        permanent || loops.is_loop(self.route.client, &[&self.url()], now)
    }

    fn url(&self) -> Vec<u8> {
        let path = self.asked.url.as_ref().map_or("/", PathAndQuery::as_str);
        [
            b"https://",
            self.target.authority().as_bytes(),
            path.as_bytes(),
        ]
        .concat()
    }
}

/// The answer to plain HTTP; `None` forwards the request as it came.
fn redirect(
    policy: &Policy,
    request: &Parts,
    host: &crate::Host<'_>,
    record: &mut Recorder,
) -> Option<Answer> {
    let applied = policy.mode == Mode::Enforce;
    let (rule, action, answer) = match policy.redirect.judge(request, host) {
        Verdict::Exempt => {
            record.routine(|| Change::new(Rule::RedirectExempt, Action::Reported, "request"));
            return None;
        }
        Verdict::Refuse(answer) => (Rule::RedirectRefused, Action::Refused, answer),
        Verdict::Redirect(answer) => (Rule::RedirectHttps, Action::Changed, answer),
    };
    let url = request
        .uri
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    record.routine(|| {
        let change = Change::new(rule, action, "request")
            .before(&[b"http://", host.as_str().as_bytes(), url.as_bytes()].concat())
            .applied(applied);
        match answer.headers.get(header::LOCATION) {
            Some(location) => change.after(location.as_bytes()),
            None => change,
        }
    });
    applied.then_some(answer)
}

fn strip_prefix_ignoring_case<'b>(bytes: &'b [u8], prefix: &[u8]) -> Option<&'b [u8]> {
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}
