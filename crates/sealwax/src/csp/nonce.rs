//! The nonce of one request.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Extensions, Request};

use crate::world::{NoRandomness, World};

/// The nonce of one request (CSP Level 3 §2.3.1): 22 characters of base64 for URLs, made when
/// first asked for. With the feature `axum` it is an extractor.
///
/// ```
/// # fn page(nonce: sealwax::CspNonce) -> Result<String, sealwax::NoRandomness> {
/// Ok(format!("<script nonce=\"{}\">…</script>", nonce.value()?))
/// # }
/// ```
#[derive(Clone)]
pub struct CspNonce {
    made: Arc<OnceLock<String>>,
    world: World,
}

impl CspNonce {
    pub(super) fn new(world: &World) -> Self {
        Self {
            made: Arc::default(),
            world: world.clone(),
        }
    }

    /// The nonce of `request`; `None` where no [`CspLayer`](crate::CspLayer) has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// The nonce, the same as often as it is asked for.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn value(&self) -> Result<&str, NoRandomness> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let random: [u8; 16] = self.world.random()?;
        Ok(self.made.get_or_init(|| URL_SAFE_NO_PAD.encode(random)))
    }

    /// The nonce, if somebody asked for it.
    pub(super) fn made(&self) -> Option<&str> {
        self.made.get().map(String::as_str)
    }
}

impl fmt::Debug for CspNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CspNonce").finish_non_exhaustive()
    }
}
