//! Requests that another site makes a browser send, refused.
//!
//! ```text
//! unsafe request ─▶ Fetch Metadata, Origin, Referer ─▶ token, where it is needed ─▶ app
//!                             │403                         │403     ▲
//!                                                          form, read ahead and replayed
//! ```

mod form;
mod handle;
mod multipart;
mod read;
mod service;

use std::sync::Arc;

use http::HeaderName;
use tower_layer::Layer;
use tower_service::Service;

use crate::baked::Jar;
use crate::order::Told;
use crate::settings::{Checked, Mistakes, Settings, TokenRule};
use crate::world::World;
pub use handle::Csrf;
pub use service::{CsrfFuture, CsrfService};

/// Refuses unsafe requests (all but GET, HEAD, OPTIONS and TRACE, and WebSockets) that another
/// site made a browser send, with 403, in two lines:
///
/// 1. **Where it comes from**, by what no page can forge: `Sec-Fetch-Site`, else `Origin`, which
///    must be this site's own (scheme, host and port) or in `csrf_trusted_origins`, else, over
///    HTTPS, `Referer`.
/// 2. **Django's token**, in the form field `csrfmiddlewaretoken` or the header `X-CSRFToken`,
///    made from the secret in the cookie ([`Csrf::token`]).
///
/// By default the token is needed only where the browser did not say by `Sec-Fetch-Site:
/// same-origin` (or `none`, for the user's own doing) that no other site had a hand in it. Every
/// browser since March 2023 says so over HTTPS and on localhost; that answer is the whole truth a
/// token could prove, and it also tells sibling hosts apart, which the cookie of a token cannot
/// without a prefix. So scripts need no token, and its cookie can be HttpOnly. Older browsers, and
/// clients that are none, need the token. `csrf_token = "always"` asks for both lines always, as
/// Django does.
///
/// Forms are read up to `data_upload_max_memory_size` to find their token (beyond it 413), and the
/// app gets every byte of them. The header is looked at first, so whoever sends it is not read.
///
/// # Exempt
/// `csrf_exempt` lists paths that are not judged (webhooks). A path that two servers could read
/// differently, with `..` or an encoded slash, is never exempt. In axum, routes that are added to
/// a `Router` after `.layer(csrf)` are outside it. [`CsrfExempt`] exempts whatever passes it on its
/// way in. API routes whose clients send tokens belong behind [`BearerLayer`](crate::BearerLayer).
///
/// ```
/// use sealwax::{CsrfLayer, Settings};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.csrf_trusted_origins = vec!["https://forms.example.com".into()];
/// settings.csrf_exempt = vec!["^hooks/".into()];
/// let layer = CsrfLayer::new(&settings)?;
/// # let _ = layer; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct CsrfLayer {
    shared: Arc<Shared>,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    checked: Arc<Checked>,
    cookie: Jar,
    /// The header's name as Django shows it: `X-Csrftoken`.
    header_label: String,
    world: World,
    order: Told,
}

impl CsrfLayer {
    /// The layer for `settings`. With `csrf_use_sessions` it belongs inside a
    /// [`SessionLayer`](crate::SessionLayer).
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn new(settings: &Settings) -> Result<Self, Mistakes> {
        Ok(Self::with(settings.checked()?, World::default()))
    }

    pub(crate) fn with(checked: Arc<Checked>, world: World) -> Self {
        Self {
            shared: Arc::new(Shared {
                cookie: Jar::csrf(&checked.settings),
                header_label: label(&checked.csrf_header),
                checked,
                world,
                order: Told::default(),
            }),
        }
    }
}

impl Shared {
    fn use_sessions(&self) -> bool {
        self.checked.settings.csrf_use_sessions
    }

    fn token_always(&self) -> bool {
        self.checked.settings.csrf_token == TokenRule::Always
    }
}

/// `x-csrftoken` as `X-Csrftoken`.
fn label(name: &HeaderName) -> String {
    let mut begins = true;
    let letters = name.as_str().chars().map(|letter| {
        let begin = std::mem::replace(&mut begins, letter == '-');
        if begin {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    });
    letters.collect()
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> CsrfService<S> {
        CsrfService::new(inner, Arc::clone(&self.shared))
    }
}

/// Exempts every request that passes it from a [`CsrfLayer`] further in: Django's `csrf_exempt`
/// for what only an outer service can tell, such as a host or a client certificate.
///
/// As with every layer, further in means applied before: in
/// `router.layer(CsrfLayer::new(&settings)?).layer(CsrfExempt)` everything is exempt.
///
/// ```
/// use axum::{Router, routing::post};
/// use sealwax::{CsrfExempt, CsrfLayer, Settings};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let settings = Settings::production(["hooks.example.com"]);
/// let hooks: Router = Router::new()
///     .route("/paid", post(|| async { "noted" }))
///     .layer(CsrfLayer::new(&settings)?)
///     .layer(CsrfExempt);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CsrfExempt;

impl<S> Layer<S> for CsrfExempt {
    type Service = CsrfExemptService<S>;

    fn layer(&self, inner: S) -> CsrfExemptService<S> {
        CsrfExemptService { inner }
    }
}

/// A service behind [`CsrfExempt`].
///
/// ```
/// use sealwax::{CsrfExempt, CsrfExemptService};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let service: CsrfExemptService<App> = CsrfExempt.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct CsrfExemptService<S> {
    inner: S,
}

impl<S, B> Service<http::Request<B>> for CsrfExemptService<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        request.extensions_mut().insert(CsrfExempt);
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests;
