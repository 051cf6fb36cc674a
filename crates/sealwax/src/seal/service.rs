//! One request through the policy and back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use pin_project_lite::pin_project;
use sealwax_cookie::SetCookie;
use sealwax_policy::{
    Action, Answer, Change, Exchange, LoopWatch, Paused, Plan, Problem, Rule, Target,
};
use tower_service::Service;

use super::Shared;
use super::memory::held;
use super::plain_http;
use crate::arrival::{Arrival, Transport, asked_for};
use crate::body::ResponseBody;
use crate::record::{Record, level};
use crate::{refusal, websocket};

/// A service behind [`SealLayer`](crate::SealLayer).
///
/// ```
/// use sealwax::{SealLayer, SealService, Settings};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let settings = Settings::production(["app.example.com"]);
/// let service: SealService<App> = SealLayer::new(&settings)?.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SealService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> SealService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, A, B> Service<Request<A>> for SealService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = SealFuture<S::Future, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        // The policy sees the URL that was asked for, the app the one that its router left.
        let whole = asked_for(&head);
        let whole = (whole.path() != head.uri.path()).then(|| whole.clone());
        let cut = whole.map(|whole| std::mem::replace(&mut head.uri, whole));
        let connect = websocket::is_extended_connect(&head)
            .then(|| std::mem::replace(&mut head.method, Method::GET));
        let judged = self.shared.request(&mut head);
        if let Some(connect) = connect {
            head.method = connect;
        }
        if let Some(cut) = cut {
            head.uri = cut;
        }
        let kind = match judged {
            Ok(paused) => Kind::App {
                future: self.inner.call(Request::from_parts(head, body)),
                paused: Some(paused),
                shared: Arc::clone(&self.shared),
            },
            Err(response) => Kind::Own {
                response: Some(response),
            },
        };
        SealFuture { kind }
    }
}

pin_project! {
    /// The response of a [`SealService`].
    pub struct SealFuture<F, B> {
        #[pin]
        kind: Kind<F, B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F, B> {
        App { #[pin] future: F, paused: Option<Paused>, shared: Arc<Shared> },
        Own { response: Option<Response<ResponseBody<B>>> },
    }
}

impl<F, B, E> Future for SealFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::App {
                future,
                paused,
                shared,
            } => {
                let response = ready!(future.poll(context))?;
                Poll::Ready(Ok(match paused.take() {
                    Some(paused) => shared.response(paused, response),
                    // Only a future that is polled after its end comes here.
                    None => response.map(ResponseBody::app),
                }))
            }
            KindProjection::Own { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => Poll::Pending,
            },
        }
    }
}

impl Shared {
    /// The way in; the error is the answer to give.
    #[expect(
        clippy::result_large_err,
        reason = "it is the response, and goes no further up"
    )]
    fn request<B>(&self, head: &mut Parts) -> Result<Paused, Response<ResponseBody<B>>> {
        let checked = &*self.checked;
        let now = self.world.now().as_secs();
        let target = match Target::read(head) {
            Ok(target) => target,
            Err(rule) => {
                let (status, problem) = match rule {
                    Rule::MethodRefused => (StatusCode::METHOD_NOT_ALLOWED, Problem::BadMethod),
                    _ => (StatusCode::BAD_REQUEST, Problem::BadHost),
                };
                return Err(self.no_site(rule, "request", status, problem, now));
            }
        };
        // Django's answer; a gateway, which has several sites, says 421.
        if !checked.policy.hosts.allow(target.domain()) {
            let (status, problem) = (StatusCode::BAD_REQUEST, Problem::UnknownHost);
            return Err(self.no_site(Rule::HostUnknown, target.domain(), status, problem, now));
        }
        let transport = Transport::of(&head.extensions);
        let connection = transport.connection(checked, head);
        let mut exchange = Exchange::new(&checked.policy, connection, target, head, level());
        let (client, secure) = (exchange.client(), exchange.is_secure());
        if secure {
            let trusted = connection.publicly_trusted;
            self.memory.advance(&checked.policy.hsts, now, trusted);
        } else if !self.memory.told_of_plain_http.load(Ordering::Relaxed) {
            self.memory
                .told_of_plain_http
                .store(true, Ordering::Relaxed);
            plain_http::tell(&checked.settings, transport, &head.headers);
        }
        let judged = self
            .memory
            .with_state(now, |state| exchange.request_apart(head, state));
        if let Err(answer) = judged {
            let response = self.answer(answer);
            return Err(self.finish(exchange, response, now));
        }
        // The app is in this process: it learns who came from the extension, which no client can
        // send, instead of headers.
        head.extensions
            .insert(Arrival::new(client, secure, exchange.target()));
        // HTTP/2 names the host in the URL; the app may look for the field (RFC 9113 §8.3.1).
        if head.version >= Version::HTTP_2 && !head.headers.contains_key(header::HOST) {
            let authority = exchange.target().authority().clone();
            head.headers.insert(header::HOST, authority);
        }
        Ok(exchange.pause())
    }

    /// The way back.
    fn response<B>(&self, paused: Paused, response: Response<B>) -> Response<ResponseBody<B>> {
        let now = self.world.now().as_secs();
        let mut exchange = paused.resume(&self.checked.policy);
        let (mut head, body) = response.into_parts();
        let plain = self.plain_cookies(exchange.is_secure(), &mut head.headers);
        let plan = self.memory.with_state(now, |state| {
            // Most responses are no redirects, and cannot be loops of them.
            if head.status.is_redirection() {
                exchange.response(&mut head, state, &mut held(&self.memory.loops))
            } else {
                exchange.response(&mut head, state, &mut LoopWatch::default())
            }
        });
        for field in plain {
            head.headers.append(header::SET_COOKIE, field);
        }
        match plan {
            Plan::Pass => {
                let response = Response::from_parts(head, ResponseBody::app(body));
                self.remember(exchange, response, now)
            }
            Plan::Replace(answer) => {
                let response = self.answer(answer);
                self.finish(exchange, response, now)
            }
        }
    }

    /// Over plain HTTP, and where the settings say that cookies need not be `Secure`: takes out
    /// those that are not, which the policy would withhold with all others.
    fn plain_cookies(&self, secure: bool, headers: &mut HeaderMap) -> Vec<HeaderValue> {
        if secure || self.checked.settings.session_cookie_secure {
            return Vec::new();
        }
        let header::Entry::Occupied(fields) = headers.entry(header::SET_COOKIE) else {
            return Vec::new();
        };
        let is_plain = |field: &HeaderValue| {
            SetCookie::parse(field.as_bytes()).is_ok_and(|cookie| !cookie.secure())
        };
        let (_, fields) = fields.remove_entry_mult();
        let (plain, rest): (Vec<_>, Vec<_>) = fields.partition(is_plain);
        for field in rest {
            headers.append(header::SET_COOKIE, field);
        }
        plain
    }

    /// Refuses a request for which no policy is asked.
    fn no_site<B>(
        &self,
        rule: Rule,
        subject: &str,
        status: StatusCode,
        problem: Problem,
        now: u64,
    ) -> Response<ResponseBody<B>> {
        let changes = vec![Change::new(rule, Action::Refused, subject).notable()];
        self.memory.told.tell(&changes, now);
        let mut response = self.problem(status, problem);
        Record::add(response.extensions_mut(), changes);
        response
    }

    fn problem<B>(&self, status: StatusCode, problem: Problem) -> Response<ResponseBody<B>> {
        let reason = match problem {
            // The text for a gateway's operator names the gateway's settings.
            Problem::UnknownHost => "Add the host to allowed_hosts if it is yours.",
            Problem::HttpsOnly => {
                "The path matches secure_redirect_refuse; the client should use the https:// URL from the start."
            }
            Problem::NoFreshProof => {
                "The path matches bound_cookie_fresh, and the browser brought no proof of its key that is young enough. A script may send its request again; where browsers make too many signatures (six in nine minutes), name fewer paths or a longer age."
            }
            problem => problem.for_operator(),
        };
        let reason = self.checked.settings.debug.then_some(reason);
        refusal::page(status, problem.for_visitor(), reason)
    }

    fn answer<B>(&self, answer: Answer) -> Response<ResponseBody<B>> {
        let mut response = match answer.problem {
            Some(problem) => self.problem(answer.status, problem),
            None => refusal::made(answer.status, answer.body.into()),
        };
        response.headers_mut().extend(answer.headers);
        response
    }

    /// Protects our own answers as the app's are.
    fn finish<B>(
        &self,
        mut exchange: Exchange<'_>,
        mut response: Response<ResponseBody<B>>,
        now: u64,
    ) -> Response<ResponseBody<B>> {
        self.memory.with_state(now, |state| {
            exchange.own_response(response.headers_mut(), state);
        });
        self.remember(exchange, response, now)
    }

    /// Names are remembered before the response leaves: the client may answer with them at once.
    fn remember<B>(
        &self,
        exchange: Exchange<'_>,
        mut response: Response<ResponseBody<B>>,
        now: u64,
    ) -> Response<ResponseBody<B>> {
        let finished = exchange.finish();
        self.memory.learn(&finished.learned);
        if !finished.changes.is_empty() {
            self.memory.told.tell(&finished.changes, now);
            Record::add(response.extensions_mut(), finished.changes);
        }
        response
    }
}
