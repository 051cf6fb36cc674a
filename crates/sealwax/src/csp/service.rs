//! A nonce for the request, a policy for the response.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use sealwax_policy::Level;
use tower_service::Service;

use super::{CspNonce, CspOverride};
use crate::record::{Record, level};
use crate::settings::{Checked, Mode};
use crate::world::World;

/// A service behind [`CspLayer`](crate::CspLayer).
///
/// ```
/// use sealwax::{CspLayer, CspService, Settings};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let settings = Settings::production(["app.example.com"]);
/// let service: CspService<App> = CspLayer::new(&settings)?.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct CspService<S> {
    inner: S,
    checked: Arc<Checked>,
    world: World,
}

impl<S> CspService<S> {
    pub(super) fn new(inner: S, checked: Arc<Checked>, world: World) -> Self {
        Self {
            inner,
            checked,
            world,
        }
    }
}

impl<S, A, B> Service<Request<A>> for CspService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = CspFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let nonce = CspNonce::new(&self.world);
        request.extensions_mut().insert(nonce.clone());
        CspFuture {
            future: self.inner.call(request),
            nonce,
            checked: Arc::clone(&self.checked),
        }
    }
}

pin_project! {
    /// The response of a [`CspService`].
    pub struct CspFuture<F> {
        #[pin]
        future: F,
        nonce: CspNonce,
        checked: Arc<Checked>,
    }
}

impl<F, B, E> Future for CspFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(context))?;
        add(this.checked, this.nonce, &mut response);
        Poll::Ready(Ok(response))
    }
}

fn add<B>(checked: &Checked, nonce: &CspNonce, response: &mut Response<B>) {
    let own = response.extensions_mut().remove::<CspOverride>();
    let headers = own
        .as_ref()
        .map_or(checked.csp.as_slice(), |own| own.headers.as_slice());
    let applied = checked.settings.mode == Mode::Enforce;
    let mut changes = Vec::new();
    for header in headers {
        let name = header.name();
        if response.headers().contains_key(&name) {
            continue;
        }
        let Some(value) = header.value(nonce.made()) else {
            continue;
        };
        if level() == Level::All || !applied {
            changes.push(header.change(&value).applied(applied));
        }
        if applied {
            response.headers_mut().insert(name, value);
        }
    }
    Record::add(response.extensions_mut(), changes);
}
