//! Layers in the wrong order, which types cannot tell: said once, with the mend.

use std::sync::atomic::{AtomicBool, Ordering};

use http::Extensions;

use crate::auth::Auth;

/// Whether it was said of a layer.
#[derive(Debug, Default)]
pub(crate) struct Told(AtomicBool);

impl Told {
    /// `layer` sees a request that an [`AuthLayer`](crate::AuthLayer) outside of it has seen
    /// already, so that a login knows nothing of it.
    pub(crate) fn look(&self, layer: &str, extensions: &Extensions, knows: fn(&Auth) -> bool) {
        let Some(auth) = extensions.get::<Auth>() else {
            return;
        };
        // Further out there may be another one of the same, which it knows.
        if !knows(auth) && !self.0.swap(true, Ordering::Relaxed) {
            tracing::error!(
                target: "sealwax",
                "AuthLayer stands outside of {layer}, so a login does without it; put it inside (in axum: add it to the router before {layer}), or take Protection, which has the order right"
            );
        }
    }
}
