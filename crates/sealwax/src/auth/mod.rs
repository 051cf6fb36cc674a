//! Who is logged in, here or in the Django next door.
//!
//! ```text
//! session ─▶ id, backend, hash ─▶ row of the users' table: there, active ─▶ hash of its password
//!                                                                              │ the same: User
//!                                                                              ▼ another: flush
//! ```

mod error;
mod handle;
mod password;
mod user;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use sealwax_django::SessionAuth;
use sealwax_store::Users;
use tower_layer::Layer;
use tower_service::Service;

use crate::settings::{Checked, Mistakes, Settings};
use crate::world::World;
pub use error::AuthError;
pub use handle::Auth;
use password::Hashing;
pub use user::User;

/// Gives every request its [`Auth`], with the users of a Django project. It belongs inside a
/// [`SessionLayer`](crate::SessionLayer) and a [`CsrfLayer`](crate::CsrfLayer); where it stands
/// outside of one, the log says so once.
///
/// ```no_run
/// use std::sync::Arc;
/// use sealwax::{AuthLayer, Settings, Users};
/// # fn layer(settings: &Settings, users: Arc<dyn Users>) -> Result<(), sealwax::Mistakes> {
///
/// let layer = AuthLayer::new(settings, users)?;
/// # let _ = layer; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct AuthLayer {
    /// `None`: nobody is ever logged in.
    shared: Option<Arc<Shared>>,
}

/// What all requests share.
struct Shared {
    users: Arc<dyn Users>,
    auth: SessionAuth,
    backends: Vec<String>,
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "for an extractor"))]
    login_url: Option<String>,
    hashing: Hashing,
    world: World,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("backends", &self.backends)
            .finish_non_exhaustive()
    }
}

impl AuthLayer {
    /// The layer for `settings` and these users.
    ///
    /// # Errors
    /// Every mistake in the settings; a `secret_key` that is missing or too short is one.
    pub fn new(settings: &Settings, users: Arc<dyn Users>) -> Result<Self, Mistakes> {
        Self::with(&*settings.checked()?, users, World::default())
    }

    pub(crate) fn with(
        checked: &Checked,
        users: Arc<dyn Users>,
        world: World,
    ) -> Result<Self, Mistakes> {
        Ok(Self {
            shared: Some(Arc::new(Shared {
                users,
                auth: SessionAuth::new(&checked.keys(&world)?),
                backends: checked.settings.authentication_backends.clone(),
                login_url: checked.settings.login_url.clone(),
                hashing: Hashing::on_all_cores(),
                world,
            })),
        })
    }

    /// Without users: whoever asks is told that there is no layer.
    pub(crate) fn none() -> Self {
        Self { shared: None }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService {
            inner,
            shared: self.shared.clone(),
        }
    }
}

/// A service behind [`AuthLayer`].
///
/// ```
/// use std::sync::Arc;
/// use sealwax::{AuthLayer, AuthService, Mistakes, Settings, Users};
/// use tower_layer::Layer as _;
///
/// fn wrap<App>(settings: &Settings, users: Arc<dyn Users>, app: App) -> Result<AuthService<App>, Mistakes> {
///     Ok(AuthLayer::new(settings, users)?.layer(app))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    inner: S,
    shared: Option<Arc<Shared>>,
}

impl<S, A> Service<Request<A>> for AuthService<S>
where
    S: Service<Request<A>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> S::Future {
        if self.shared.is_some() {
            let auth = Auth::new(self.shared.as_ref(), request.extensions());
            request.extensions_mut().insert(auth);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests;
