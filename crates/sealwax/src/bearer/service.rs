//! One request and its token.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, SET_COOKIE};
use http::{Request, Response};
use pin_project_lite::pin_project;
use sealwax_store::{BoxFuture, TokenHash, TokenRecord};
use tower_service::Service;

use super::Shared;
use super::handle::{Bearer, Found};
use super::refused::BearerError;
use super::token::hash;
use crate::auth::Auth;
use crate::body::ResponseBody;
use crate::csrf::{Csrf, CsrfExempt};
use crate::messages::Messages;
use crate::session::Session;
use crate::signed::SignedCookies;

/// How exactly a token's last use is noted: each note is a write.
const COARSE: Duration = Duration::from_secs(60);

/// A service behind [`BearerLayer`](crate::BearerLayer).
///
/// ```
/// use std::sync::Arc;
/// use sealwax::{BearerLayer, BearerService, Memory};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let service: BearerService<App> = BearerLayer::new(Arc::new(Memory::new())).layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Clone)]
pub struct BearerService<S> {
    inner: S,
    shared: Option<Arc<Shared>>,
}

impl<S> BearerService<S> {
    pub(super) fn new(inner: S, shared: Option<Arc<Shared>>) -> Self {
        Self { inner, shared }
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for BearerService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BearerService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, A, B> Service<Request<A>> for BearerService<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = BearerFuture<S, A, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let Some(shared) = &self.shared else {
            return BearerFuture {
                step: Step::App {
                    future: self.inner.call(request),
                    cookies: true,
                },
            };
        };
        let step = match token(request.headers()) {
            Ok(token) => {
                let (shared, token) = (Arc::clone(shared), token.to_owned());
                let known = request.extensions().get::<Found>().cloned();
                // What was made ready is called; its clone waits for its turn.
                let clone = self.inner.clone();
                Step::Asking {
                    asking: Box::pin(async move { shared.judge(&token, known).await }),
                    inner: std::mem::replace(&mut self.inner, clone),
                    request: Some(request),
                }
            }
            Err(BearerError::Missing) if shared.optional => Step::App {
                future: self.inner.call(request),
                cookies: true,
            },
            Err(error) => Step::Refused { error: Some(error) },
        };
        BearerFuture { step }
    }
}

pin_project! {
    /// The response of a [`BearerService`].
    pub struct BearerFuture<S, A, F> {
        #[pin]
        step: Step<S, A, F>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<S, A, F> {
        // The store is asked for the token.
        Asking {
            asking: BoxFuture<'static, Result<Found, BearerError>>,
            inner: S,
            request: Option<Request<A>>,
        },
        App { #[pin] future: F, cookies: bool },
        Refused { error: Option<BearerError> },
    }
}

impl<S, A, B> Future for BearerFuture<S, A, S::Future>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Output = Result<Response<ResponseBody<B>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.step.as_mut().project() {
                StepProjection::Asking {
                    asking,
                    inner,
                    request,
                } => match (ready!(asking.as_mut().poll(context)), request.take()) {
                    (Ok(found), Some(request)) => Step::App {
                        future: inner.call(without_cookies(request, found)),
                        cookies: false,
                    },
                    (Err(error), _) => Step::Refused { error: Some(error) },
                    // The request goes with the state, so it is there.
                    (Ok(_), None) => return Poll::Pending,
                },
                StepProjection::App { future, cookies } => {
                    let mut response = ready!(future.poll(context))?;
                    if !*cookies {
                        response.headers_mut().remove(SET_COOKIE);
                    }
                    return Poll::Ready(Ok(response.map(ResponseBody::app)));
                }
                StepProjection::Refused { error } => {
                    return match error.take() {
                        Some(error) => Poll::Ready(Ok(error.response())),
                        // Only a future that is polled after its end comes here.
                        None => Poll::Pending,
                    };
                }
            };
            this.step.set(next);
        }
    }
}

/// The request with its token instead of everything that comes of cookies.
fn without_cookies<A>(mut request: Request<A>, found: Found) -> Request<A> {
    request.headers_mut().remove(COOKIE);
    let extensions = request.extensions_mut();
    extensions.remove::<Session>();
    extensions.remove::<Csrf>();
    extensions.remove::<Auth>();
    extensions.remove::<Messages>();
    extensions.remove::<SignedCookies>();
    // Without cookies there is nothing that another site could use.
    extensions.insert(CsrfExempt);
    extensions.insert(found.bearer.clone());
    extensions.insert(found);
    request
}

/// The token of a request (RFC 6750 §2.1).
fn token(headers: &HeaderMap) -> Result<&str, BearerError> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next() else {
        return Err(BearerError::Missing);
    };
    if fields.next().is_some() {
        return Err(BearerError::Malformed);
    }
    let text = field.to_str().map_err(|_| BearerError::Malformed)?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token.trim()),
        // Another scheme is no token.
        false => Err(BearerError::Missing),
    }
}

impl Shared {
    /// The token, if it is valid and good for what is asked. `known` is one that a layer further
    /// out has found; it need not be looked for again in the same store.
    async fn judge(&self, token: &str, known: Option<Found>) -> Result<Found, BearerError> {
        let hash = hash(token);
        let known = known.filter(|known| {
            Arc::ptr_eq(&known.store, &self.store) && known.bearer.record().hash == hash
        });
        let found = match known {
            Some(known) => known,
            None => Found {
                bearer: Bearer::new(self.find(hash).await?),
                store: Arc::clone(&self.store),
            },
        };
        for scope in &self.scopes {
            found.bearer.require(scope)?;
        }
        Ok(found)
    }

    async fn find(&self, hash: TokenHash) -> Result<TokenRecord, BearerError> {
        let now = self.world.now();
        let found = self.store.find(&hash, now).await;
        let record = found
            .map_err(BearerError::Store)?
            .ok_or(BearerError::InvalidToken)?;
        let noted = record.last_used.unwrap_or_default();
        if now.saturating_sub(noted) >= COARSE
            && let Err(error) = self.store.touch(&hash, now).await
        {
            // The token is valid all the same.
            tracing::warn!(target: "sealwax", %error, "the use of a token could not be noted");
        }
        Ok(record)
    }
}
