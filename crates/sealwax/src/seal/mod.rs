//! The policy as a layer: host check, redirect, HSTS, security headers, hardened cookies.
//!
//! ```text
//! request ─▶ Target ─▶ allowed? ─▶ Exchange::request ─▶ app ─▶ Exchange::response ─▶ response
//!              │400       │400        │ redirect, 403                  │ 508
//! ```

mod memory;
mod plain_http;
mod service;

use std::sync::Arc;

use tower_layer::Layer;

use crate::settings::{Checked, Mistakes, Settings};
use crate::world::World;
use memory::Memory;
pub use service::{SealFuture, SealService};

/// Applies the whole of one site's policy, the same one that the gateway `sealwax serve` applies:
///
/// * a `Host` that is malformed or not in `allowed_hosts` is refused with 400, as in Django;
/// * plain HTTP is sent to HTTPS, or refused, or exempt;
/// * what the client says of its own route (`X-Forwarded-For` and its kin) is taken out; what is
///   to be believed is in [`Arrival`](crate::Arrival);
/// * the `Cookie` header is written anew in one unambiguous form, under the app's own names;
/// * security headers are added where the app sent none, HSTS where it may be;
/// * every cookie that the app sets is hardened, and withheld over plain HTTP;
/// * cookies in `sealed_cookies` leave encrypted, and those in `bound_cookies` (feature `bind`) are
///   bound to the browser's device: the layer answers under `/.sealwax/bind/`.
///
/// It goes outside all other layers: what they answer is protected as well.
///
/// ```
/// use sealwax::{SealLayer, Settings};
/// use tower_layer::Layer as _;
/// # fn serve<S>(service: S) -> Result<(), sealwax::Mistakes> {
///
/// let layer = SealLayer::new(&Settings::production(["app.example.com"]))?;
/// let service = layer.layer(service);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SealLayer {
    shared: Arc<Shared>,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    checked: Arc<Checked>,
    memory: Memory,
    world: World,
}

impl SealLayer {
    /// The layer for `settings`.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn new(settings: &Settings) -> Result<Self, Mistakes> {
        Ok(Self::with(settings.checked()?, World::default()))
    }

    pub(crate) fn with(checked: Arc<Checked>, world: World) -> Self {
        let now = world.now().as_secs();
        let memory = Memory::new(&checked.settings, &checked.policy.hsts, now);
        Self {
            shared: Arc::new(Shared {
                checked,
                memory,
                world,
            }),
        }
    }
}

impl<S> Layer<S> for SealLayer {
    type Service = SealService<S>;

    fn layer(&self, inner: S) -> SealService<S> {
        SealService::new(inner, Arc::clone(&self.shared))
    }
}

#[cfg(test)]
mod tests;
