//! One request before its judge.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use sealwax_django::csrf::{Brought, TokenReason, check_token};
use sealwax_policy::{Action, Change, Proof, Rule, Sent};
use sealwax_store::BoxFuture;
use tower_service::Service;

use super::form::Form;
use super::read::{self, Read};
use super::{Csrf, CsrfExempt, Shared};
use crate::arrival::{Arrival, asked_for};
use crate::auth::Auth;
use crate::body::{RequestBody, ResponseBody};
use crate::cookies;
use crate::record::Record;
use crate::refusal;
use crate::session::{Session, SessionError};
use crate::settings::Mode;
use crate::websocket;

/// A service behind [`CsrfLayer`](crate::CsrfLayer).
///
/// ```
/// use sealwax::{CsrfLayer, CsrfService, Settings};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let settings = Settings::production(["app.example.com"]);
/// let service: CsrfService<App> = CsrfLayer::new(&settings)?.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct CsrfService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> CsrfService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, A, B> Service<Request<A>> for CsrfService<S>
where
    S: Service<Request<RequestBody<A>>, Response = Response<B>> + Clone,
    A: Body<Data = Bytes> + Send + Unpin + 'static,
    A::Error: Send,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = CsrfFuture<S, A, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let shared = &self.shared;
        let cookie = match shared.use_sessions() {
            true => None,
            false => cookies::find(request.headers(), &shared.cookie.name),
        };
        let session = Session::of(&request);
        let csrf = Csrf::new(shared, cookie, session);
        let order = &shared.order;
        order.look("CsrfLayer", request.extensions(), Auth::knows_csrf);
        request.extensions_mut().insert(csrf.clone());
        let (head, body) = request.into_parts();
        let step = match shared.judge(&csrf, &head) {
            Ok(Next::Pass) => {
                let request = Request::from_parts(head, RequestBody::untouched(body));
                Step::App {
                    future: self.inner.call(request),
                }
            }
            Ok(Next::Token) => {
                // What was made ready is called; its clone waits for its turn.
                let inner = self.inner.clone();
                Step::Checking {
                    check: Box::pin(check(Arc::clone(shared), csrf.clone(), head, body)),
                    inner: std::mem::replace(&mut self.inner, inner),
                }
            }
            Err(refused) => Step::Refused {
                refused: Some(refused),
            },
        };
        CsrfFuture {
            step,
            csrf,
            shared: Arc::clone(shared),
        }
    }
}

pin_project! {
    /// The response of a [`CsrfService`].
    pub struct CsrfFuture<S, A, F> {
        #[pin]
        step: Step<S, A, F>,
        csrf: Csrf,
        shared: Arc<Shared>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<S, A, F> {
        // The token is looked for, in the form or the session.
        Checking { check: BoxFuture<'static, Result<Request<RequestBody<A>>, Refused>>, inner: S },
        App { #[pin] future: F },
        Refused { refused: Option<Refused> },
    }
}

impl<S, A, B> Future for CsrfFuture<S, A, S::Future>
where
    S: Service<Request<RequestBody<A>>, Response = Response<B>>,
{
    type Output = Result<Response<ResponseBody<B>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.step.as_mut().project() {
                StepProjection::Checking { check, inner } => {
                    match ready!(check.as_mut().poll(context)) {
                        Ok(request) => Step::App {
                            future: inner.call(request),
                        },
                        Err(refused) => Step::Refused {
                            refused: Some(refused),
                        },
                    }
                }
                StepProjection::App { future } => {
                    let response = ready!(future.poll(context))?.map(ResponseBody::app);
                    return Poll::Ready(Ok(finish(this.csrf, response)));
                }
                StepProjection::Refused { refused } => {
                    let Some(refused) = refused.take() else {
                        // Only a future that is polled after its end comes here.
                        return Poll::Pending;
                    };
                    let debug = this.shared.checked.settings.debug;
                    return Poll::Ready(Ok(finish(this.csrf, refused.response(debug))));
                }
            };
            this.step.set(next);
        }
    }
}

fn finish<B>(csrf: &Csrf, mut response: Response<B>) -> Response<B> {
    Record::add(response.extensions_mut(), csrf.take_reported());
    if let Some(field) = csrf.set_cookie() {
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, field);
        cookies::vary(headers);
    }
    response
}

/// What a request needs beside its head.
enum Next {
    Pass,
    Token,
}

/// Why there is no answer of the app's.
enum Refused {
    Broken,
    Forbidden(Change, String),
    Session(SessionError),
    TooLarge,
}

impl Refused {
    fn response<B>(self, debug: bool) -> Response<ResponseBody<B>> {
        match self {
            Self::Forbidden(change, reason) => {
                let mut response = refusal::page(
                    StatusCode::FORBIDDEN,
                    "This request could not be verified to come from this site. Reload the page and try again.",
                    debug.then_some(reason.as_str()),
                );
                Record::add(response.extensions_mut(), vec![change]);
                response
            }
            Self::Broken => refusal::page(StatusCode::BAD_REQUEST, "The form broke off.", None),
            Self::Session(error) => error.response(),
            Self::TooLarge => refusal::page(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The form is too large.",
                debug.then_some("Put csrfmiddlewaretoken first in the form, or send the token in a header, or raise data_upload_max_memory_size."),
            ),
        }
    }
}

impl Shared {
    /// The first line: where the request comes from.
    fn judge(&self, csrf: &Csrf, head: &Parts) -> Result<Next, Refused> {
        if head.extensions.get::<CsrfExempt>().is_some() {
            return Ok(Next::Pass);
        }
        let upgrade = websocket::as_upgrade(head);
        let head = upgrade.as_ref().unwrap_or(head);
        // Most requests change nothing, and their host need not be known for that.
        if is_harmless(&head.method, &head.headers) {
            return Ok(Next::Pass);
        }
        let arrival = Arrival::find(&self.checked, head);
        let judged = self.checked.csrf.judge(&Sent {
            method: head.method.as_str(),
            path: asked_for(head).path(),
            headers: &head.headers,
            secure: arrival.as_ref().is_some_and(Arrival::is_secure),
            host: arrival.as_ref().map(Arrival::host),
        });
        match judged {
            Ok(Proof::SafeMethod | Proof::Exempt) => Ok(Next::Pass),
            Ok(Proof::FetchMetadata) if !self.token_always() => Ok(Next::Pass),
            // A WebSocket is opened by a request that can carry no token; its Origin is proof.
            Ok(_) if head.method.is_safe() => Ok(Next::Pass),
            Ok(_) => Ok(Next::Token),
            Err(reason) => {
                let change = reason.change(!self.reports());
                self.refuse(csrf, head, change, &reason.to_string())
                    .map(|()| Next::Pass)
            }
        }
    }

    /// The second line: the token.
    fn judge_token(
        &self,
        head: &Parts,
        secret: Option<&str>,
        field: &str,
    ) -> Result<(), TokenReason> {
        let header = head.headers.get(&self.checked.csrf_header);
        check_token(&Brought {
            secret,
            from_session: self.use_sessions(),
            field,
            // What is no text is no token either, and is said to be malformed.
            header: header.map(|value| value.to_str().unwrap_or("?")),
            header_label: &self.header_label,
        })
    }

    /// Says so, and refuses unless the refusal is only to be reported.
    fn refuse(
        &self,
        csrf: &Csrf,
        head: &Parts,
        change: Change,
        reason: &str,
    ) -> Result<(), Refused> {
        let (rule, applied) = (change.rule.id(), change.applied);
        // The client chose path and method.
        let path = head.uri.path().escape_debug();
        tracing::warn!(target: "sealwax", rule, applied, method = %head.method, "Forbidden ({}): {path}", reason.escape_debug());
        match applied {
            true => Err(Refused::Forbidden(change, reason.to_owned())),
            false => {
                csrf.report(change);
                Ok(())
            }
        }
    }

    fn reports(&self) -> bool {
        let settings = &self.checked.settings;
        settings.csrf_mode == Mode::Report || settings.mode == Mode::Report
    }
}

/// A request by which no browser changes anything.
fn is_harmless(method: &Method, headers: &HeaderMap) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    ) && !headers.contains_key(http::header::UPGRADE)
}

/// The token, where it takes time to find it.
async fn check<A>(
    shared: Arc<Shared>,
    csrf: Csrf,
    head: Parts,
    body: A,
) -> Result<Request<RequestBody<A>>, Refused>
where
    A: Body<Data = Bytes> + Unpin,
{
    let secret = csrf.kept().await.map_err(Refused::Session)?;
    let secret = secret.as_deref();
    // Whoever knows the token may do what is asked, so a good header need not wait for the body.
    let by_header = shared.judge_token(&head, secret, "");
    let form = match by_header {
        // Django reads forms of POST requests only.
        Err(_) if secret.is_some() && head.method == Method::POST => Form::of(&head.headers),
        _ => None,
    };
    let (judged, body) = match form {
        None => (by_header, RequestBody::untouched(body)),
        Some(form) => {
            let limit = shared.checked.settings.data_upload_max_memory_size;
            match read::token(form, body, limit).await {
                Read::Token(field, body) => (shared.judge_token(&head, secret, &field), body),
                // Also in report mode: the app would take what is there for all of it.
                Read::Broken => return Err(Refused::Broken),
                Read::TooLarge(body) if shared.reports() => (by_header, body),
                Read::TooLarge(_) => return Err(Refused::TooLarge),
            }
        }
    };
    if let Err(reason) = judged {
        let reason = reason.to_string();
        let change = Change::new(Rule::CsrfToken, Action::Refused, "request")
            .before(reason.as_bytes())
            .applied(!shared.reports())
            .notable();
        shared.refuse(&csrf, &head, change, &reason)?;
    }
    Ok(Request::from_parts(head, body))
}
