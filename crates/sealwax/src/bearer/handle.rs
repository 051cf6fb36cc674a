//! The token of one request.

use std::sync::Arc;

use http::{Extensions, Request};
use sealwax_store::{TokenRecord, TokenStore};

use super::refused::BearerError;

/// The valid token that a request brought. With the feature `axum` it is an extractor, which
/// refuses requests without one.
///
/// ```
/// use sealwax::{Bearer, BearerError};
///
/// fn orders(token: &Bearer) -> Result<String, BearerError> {
///     token.require("orders:read")?;
///     Ok(format!("the orders of {}", token.subject()))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer(Arc<TokenRecord>);

impl Bearer {
    pub(super) fn new(record: TokenRecord) -> Self {
        Self(Arc::new(record))
    }

    /// That of `request`; `None` where no [`BearerLayer`](crate::BearerLayer) has found one.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// Whose token it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// What it may be used for.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// What is known of it.
    #[must_use]
    pub fn record(&self) -> &TokenRecord {
        &self.0
    }

    /// Whether it has this scope.
    ///
    /// # Errors
    /// [`BearerError::InsufficientScope`].
    pub fn require(&self, scope: &str) -> Result<(), BearerError> {
        match self.0.scopes.iter().any(|own| own == scope) {
            true => Ok(()),
            false => Err(BearerError::InsufficientScope(scope.to_owned())),
        }
    }
}

/// A token that a layer further out has found, and where: another store may not know it.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) bearer: Bearer,
    pub(super) store: Arc<dyn TokenStore>,
}
