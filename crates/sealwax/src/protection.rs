//! All layers at once, in the order in which they belong.

use std::sync::Arc;
use std::time::Duration;

use sealwax_store::{SessionStore, TokenStore, Users};
use tower_layer::Layer;

use crate::auth::{AuthLayer, AuthService};
use crate::bearer::{BearerLayer, BearerService};
use crate::csp::{CspLayer, CspService};
use crate::csrf::{CsrfLayer, CsrfService};
use crate::messages::{MessagesLayer, MessagesService};
use crate::seal::{SealLayer, SealService};
use crate::session::{SessionLayer, SessionService};
use crate::settings::{Mistakes, Settings};
use crate::signed::{SignedCookiesLayer, SignedCookiesService};
use crate::world::World;

/// Everything that this crate protects, as one layer.
///
/// ```
/// use std::sync::Arc;
/// use sealwax::{Memory, Protection, Settings};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let settings = Settings::development();
/// let protection = Protection::new(&settings, Arc::new(Memory::new()))?;
/// # let _ = protection; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Protection {
    seal: SealLayer,
    csp: CspLayer,
    bearer: BearerLayer,
    signed: SignedCookiesLayer,
    messages: MessagesLayer,
    session: SessionLayer,
    csrf: CsrfLayer,
    auth: AuthLayer,
    checked: Arc<crate::settings::Checked>,
}

/// A service behind [`Protection`]: the layers as they stand, from the outside in.
///
/// ```
/// use sealwax::{Protected, Protection};
/// use tower_layer::Layer as _;
///
/// fn wrap<App>(protection: &Protection, app: App) -> Protected<App> {
///     protection.layer(app)
/// }
/// ```
pub type Protected<S> = SealService<
    CspService<
        BearerService<
            SignedCookiesService<MessagesService<SessionService<CsrfService<AuthService<S>>>>>,
        >,
    >,
>;

impl Protection {
    /// All layers for `settings`, with sessions in `store`.
    ///
    /// # Errors
    /// Every mistake in the settings; a `secret_key` that is missing or too short is one.
    pub fn new(settings: &Settings, store: Arc<dyn SessionStore>) -> Result<Self, Mistakes> {
        let checked = settings.checked()?;
        let world = World::default();
        for warning in settings.check()? {
            tracing::warn!(target: "sealwax", %warning, "a setting is weaker than it could be");
        }
        Ok(Self {
            seal: SealLayer::with(Arc::clone(&checked), world.clone()),
            csp: CspLayer::with(Arc::clone(&checked), world.clone()),
            bearer: BearerLayer::none(),
            signed: SignedCookiesLayer::with(Arc::clone(&checked), world.clone())?,
            messages: MessagesLayer::with(&checked, world.clone())?,
            session: SessionLayer::with(Arc::clone(&checked), store, world.clone())?,
            csrf: CsrfLayer::with(Arc::clone(&checked), world),
            auth: AuthLayer::none(),
            checked,
        })
    }

    /// With the users of a Django project: [`AuthLayer`].
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_users(self, users: Arc<dyn Users>) -> Result<Self, Mistakes> {
        Ok(Self {
            auth: AuthLayer::with(&self.checked, users, World::default())?,
            ..self
        })
    }

    /// With tokens for APIs: a request that brings one is its token's, and has no cookies.
    #[must_use]
    pub fn with_tokens(self, tokens: Arc<dyn TokenStore>) -> Self {
        Self {
            bearer: BearerLayer::new(tokens).optional(),
            ..self
        }
    }

    /// Removes expired sessions now and then: [`SessionLayer::sweep_every`].
    #[must_use]
    pub fn sweep_every(self, period: Duration) -> Self {
        Self {
            session: self.session.sweep_every(period),
            ..self
        }
    }
}

impl<S> Layer<S> for Protection {
    type Service = Protected<S>;

    /// From the inside out: the last line sees a request first and a response last.
    fn layer(&self, app: S) -> Protected<S> {
        // Next to the app, since it needs the session and, at login, a new CSRF secret.
        let service = self.auth.layer(app);
        // Inside the session, where its secret may be; outside all that may change something.
        let service = self.csrf.layer(service);
        // Outside of whoever reads or writes it, so that it is saved after them.
        let service = self.session.layer(service);
        // They need nobody, and whoever is further in may use them.
        let service = self.messages.layer(service);
        let service = self.signed.layer(service);
        // Outside of everything that knows cookies, since a token takes them away.
        let service = self.bearer.layer(service);
        // Also for the refusals of those further in; inside the seal, which leaves
        // X-Frame-Options out where a policy says frame-ancestors.
        let service = self.csp.layer(service);
        // Outermost: nothing is done for a wrong host or over plain HTTP, cookies come in under
        // their own names, and every cookie and answer of the others leaves hardened.
        self.seal.layer(service)
    }
}
