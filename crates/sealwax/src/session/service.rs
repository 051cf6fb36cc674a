//! A request with its session, and what becomes of it when the response leaves.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use http::{Request, Response};
use pin_project_lite::pin_project;
use sealwax_django::session::{Action, decide};
use sealwax_store::BoxFuture;
use tower_service::Service;

use super::Shared;
use super::error::SessionError;
use super::handle::Session;
use super::state::State;
use crate::auth::Auth;
use crate::body::ResponseBody;
use crate::cookies;

/// A service behind [`SessionLayer`](crate::SessionLayer).
///
/// ```
/// use std::sync::Arc;
/// use sealwax::{Memory, SessionLayer, SessionService, Settings};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// let service: SessionService<App> = SessionLayer::new(&settings, Arc::new(Memory::new()))?.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SessionService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> SessionService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, A, B> Service<Request<A>> for SessionService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = SessionFuture<S::Future, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let cookie = cookies::find(request.headers(), &self.shared.cookie.name);
        let session = Session::new(&self.shared, cookie);
        let order = &self.shared.order;
        order.look("SessionLayer", request.extensions(), Auth::knows_session);
        request.extensions_mut().insert(session.clone());
        SessionFuture {
            future: self.inner.call(request),
            session,
            ending: None,
            response: None,
        }
    }
}

pin_project! {
    /// The response of a [`SessionService`].
    pub struct SessionFuture<F, B> {
        #[pin]
        future: F,
        session: Session,
        // The app has answered and its session is being saved.
        ending: Option<BoxFuture<'static, Result<Ending, SessionError>>>,
        response: Option<Response<B>>,
    }
}

/// What becomes of the response.
#[derive(Debug, Default)]
struct Ending {
    set_cookie: Option<HeaderValue>,
    vary: bool,
}

impl<F, B, E> Future for SessionFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.ending.is_none() {
            let response = ready!(this.future.poll(context))?;
            let status = response.status().as_u16();
            // Most sessions were not written, and need not wait for the store.
            if let Some(ending) = this.session.end_at_once(status) {
                return Poll::Ready(Ok(ending.apply(response)));
            }
            *this.response = Some(response);
            *this.ending = Some(Box::pin(this.session.clone().end(status)));
        }
        let ended = match this.ending {
            Some(ending) => ready!(ending.as_mut().poll(context)),
            None => return Poll::Pending,
        };
        Poll::Ready(Ok(match (ended, this.response.take()) {
            (Ok(ending), Some(response)) => ending.apply(response),
            // The app has promised something that did not happen.
            (Err(error), _) => error.response(),
            // Only a future that is polled after its end comes here.
            (Ok(_), None) => return Poll::Pending,
        }))
    }
}

impl Ending {
    fn apply<B>(self, mut response: Response<B>) -> Response<ResponseBody<B>> {
        let headers: &mut HeaderMap = response.headers_mut();
        if let Some(field) = self.set_cookie {
            headers.append(SET_COOKIE, field);
        }
        if self.vary {
            cookies::vary(headers);
        }
        response.map(ResponseBody::app)
    }
}

impl Session {
    /// What becomes of a response with `status`, where the store need not be asked and nobody
    /// else holds the session.
    fn end_at_once(&self, status: u16) -> Option<Ending> {
        let state = self.inner.state.try_lock().ok()?;
        self.inner.shared.unless_saved(&state, status)
    }

    /// The same with the store.
    async fn end(self, status: u16) -> Result<Ending, SessionError> {
        let shared = &self.inner.shared;
        let mut state = self.inner.state.lock().await;
        // Somebody else may have held the session, and there is nothing to be saved.
        if let Some(ending) = shared.unless_saved(&state, status) {
            return Ok(ending);
        }
        if !state.is_loaded() {
            // With session_save_every_request: the row may be gone, and the cookie with it.
            state.data(shared).await?;
            if let Some(ending) = shared.unless_saved(&state, status) {
                return Ok(ending);
            }
        }
        state.save(shared).await?;
        let now = shared.world.now();
        let decision = decide(&state.facts(shared, status, now), now);
        let set_cookie = match (&decision.action, &state.key) {
            (Action::Save(life), Some(key)) => shared.cookie.set(key.as_str(), life),
            _ => None,
        };
        Ok(Ending {
            set_cookie,
            vary: decision.vary,
        })
    }
}

impl Shared {
    /// What becomes of the response, unless the session is to be saved first.
    fn unless_saved(&self, state: &State, status: u16) -> Option<Ending> {
        // The time counts for what is saved alone, and to ask for it takes some.
        let now = Duration::ZERO;
        let decision = decide(&state.facts(self, status, now), now);
        let set_cookie = match decision.action {
            Action::Nothing => None,
            Action::Delete => self.cookie.delete(),
            Action::Save(_) => return None,
        };
        Some(Ending {
            set_cookie,
            vary: decision.vary,
        })
    }
}
