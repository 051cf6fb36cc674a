//! `Content-Security-Policy`, with a nonce where a page asks for one.

mod nonce;
mod service;

use std::sync::Arc;

use sealwax_policy::{CspHeader, Disposition};
use tower_layer::Layer;

use crate::settings::{Checked, Mistake, Mistakes, Settings, parse_csp};
use crate::world::World;
pub use nonce::CspNonce;
pub use service::{CspFuture, CspService};

/// Adds `Content-Security-Policy` and `Content-Security-Policy-Report-Only` to responses that
/// have none, as Django 6 does: each request has a [`CspNonce`], made when a page first asks for
/// it; a policy's nonce is left out of responses whose page did not.
///
/// A response may bring a policy of its own: see [`CspOverride`].
///
/// A page with a nonce must not be cached for others: they would all get the same.
///
/// ```
/// use sealwax::{CspLayer, Settings};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secure_csp = Some("default-src 'self'; script-src 'self' <CSP_NONCE_SENTINEL>".into());
/// let layer = CspLayer::new(&settings)?;
/// # let _ = layer; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct CspLayer {
    checked: Arc<Checked>,
    world: World,
}

impl CspLayer {
    /// The layer for `settings`.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn new(settings: &Settings) -> Result<Self, Mistakes> {
        Ok(Self::with(settings.checked()?, World::default()))
    }

    pub(crate) fn with(checked: Arc<Checked>, world: World) -> Self {
        Self { checked, world }
    }
}

impl<S> Layer<S> for CspLayer {
    type Service = CspService<S>;

    fn layer(&self, inner: S) -> CspService<S> {
        CspService::new(inner, Arc::clone(&self.checked), self.world.clone())
    }
}

/// Policies for one response instead of those of the settings, put into its extensions: Django's
/// `csp_override` and `csp_report_only_override`.
///
/// ```
/// use sealwax::CspOverride;
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let mut page = http::Response::new("<!doctype html>…");
/// page.extensions_mut().insert(CspOverride::enforce("default-src 'none'")?);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct CspOverride {
    headers: Vec<CspHeader>,
}

impl CspOverride {
    /// No policy at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// This policy, written as in its header, with `<CSP_NONCE_SENTINEL>` for the nonce.
    ///
    /// # Errors
    /// A directive that cannot be sent.
    pub fn enforce(policy: &str) -> Result<Self, Mistakes> {
        Self::none().and(policy, Disposition::Enforce)
    }

    /// And this one, which browsers only report on.
    ///
    /// # Errors
    /// A directive that cannot be sent.
    pub fn and_report(self, policy: &str) -> Result<Self, Mistakes> {
        self.and(policy, Disposition::Report)
    }

    fn and(mut self, policy: &str, disposition: Disposition) -> Result<Self, Mistakes> {
        let header = parse_csp(policy, disposition)
            .compile()
            .map_err(|error| Mistake::of("CspOverride", &error))?;
        self.headers.push(header);
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
