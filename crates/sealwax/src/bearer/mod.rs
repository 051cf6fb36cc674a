//! Tokens instead of cookies, for APIs (RFC 6750).
//!
//! ```text
//! Authorization: Bearer swx_… ─▶ SHA-256 ─▶ store: known, not expired ─▶ scopes ─▶ app
//! Cookie ─▶ gone                                │401              │403     Set-Cookie ─▶ gone
//! ```

mod handle;
mod refused;
mod service;
mod token;

use std::fmt;
use std::sync::Arc;

use sealwax_store::TokenStore;
use tower_layer::Layer;

use crate::world::World;
pub use handle::Bearer;
pub use refused::BearerError;
pub use service::{BearerFuture, BearerService};
pub use token::{NewToken, TokenError, Tokens};

/// Lets in requests with a valid token in `Authorization: Bearer`, refuses others with 401, and
/// keeps cookies away: what is behind it reads none and sets none, neither session nor CSRF cookie,
/// so no browser can be made to use it by another site.
///
/// A token knows no session and no password: it outlives a logout, a changed password and a
/// deactivated account, until it expires or is revoked. Where one of these should end the tokens of a
/// user, call [`Tokens::revoke_all`] there; where an account may be deactivated elsewhere, look the
/// [`subject`](Bearer::subject) up in the handler.
///
/// ```
/// use std::sync::Arc;
/// use sealwax::{BearerLayer, Memory};
///
/// let tokens = Arc::new(Memory::new());
/// let api = BearerLayer::new(tokens).scope("orders:read");
/// # let _ = api;
/// ```
#[derive(Clone)]
pub struct BearerLayer {
    shared: Option<Arc<Shared>>,
}

/// What all requests share.
#[derive(Clone)]
struct Shared {
    store: Arc<dyn TokenStore>,
    scopes: Vec<String>,
    optional: bool,
    world: World,
}

impl BearerLayer {
    /// With the tokens in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn TokenStore>) -> Self {
        let shared = Shared {
            store,
            scopes: Vec::new(),
            optional: false,
            world: World::default(),
        };
        Self {
            shared: Some(Arc::new(shared)),
        }
    }

    /// Lets everything through as it is.
    pub(crate) fn none() -> Self {
        Self { shared: None }
    }

    /// Asks for a scope, with those asked for before: a token without it gets 403.
    #[must_use]
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.with(|shared| shared.scopes.push(scope.into()))
    }

    /// Lets requests without a token pass, with their cookies: for the outside of an app that has
    /// pages and an API. A request that brings a token is its token's, whatever cookies it has,
    /// and a [`CsrfLayer`](crate::CsrfLayer) further in does not judge it.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|shared| shared.optional = true)
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        Self {
            shared: self.shared.map(|shared| {
                let mut shared = Shared::clone(&shared);
                change(&mut shared);
                Arc::new(shared)
            }),
        }
    }
}

impl fmt::Debug for BearerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared.as_ref();
        f.debug_struct("BearerLayer")
            .field("scopes", &shared.map(|shared| &shared.scopes))
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = BearerService<S>;

    fn layer(&self, inner: S) -> BearerService<S> {
        BearerService::new(inner, self.shared.clone())
    }
}

#[cfg(test)]
mod tests;
