//! Sessions: read when asked for, saved when the response leaves.
//!
//! ```text
//! request ─ cookie ─▶ Session (nothing read) ─▶ app ─ get, insert ─▶ store
//!                         │
//! response ◀─ cookie ─ decide: nothing, delete, save ─▶ store: update only
//! ```

mod error;
mod handle;
mod service;
mod state;
mod sweep;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sealwax_django::session::{Engine, SessionCodec};
use sealwax_store::SessionStore;
use tower_layer::Layer;

use crate::baked::Jar;
use crate::order::Told;
use crate::settings::{Checked, Mistake, Mistakes, Settings};
use crate::world::World;
pub use error::SessionError;
pub use handle::Session;
pub use service::{SessionFuture, SessionService};

/// Gives every request a [`Session`], kept in a store under the key in its cookie, as Django's
/// `SessionMiddleware` does, and in the same format, so that both can share the rows of one
/// `django_session` table.
///
/// A store that does not answer fails those who ask for their session, with 503; other pages go
/// on. A session that was deleted while a request with it was under way is not brought back: that
/// request is answered with 400.
///
/// ```
/// use std::sync::Arc;
/// use sealwax::{Memory, SessionLayer, Settings};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// let layer = SessionLayer::new(&settings, Arc::new(Memory::new()))?;
/// # let _ = layer; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SessionLayer {
    shared: Arc<Shared>,
}

/// Bytes of JSON from which a session is compressed. Compressed, a login is a fifth shorter, and
/// takes four times as long to read and fifteen times as long to write.
const LARGE: usize = 1024;

/// What all requests share.
pub(crate) struct Shared {
    checked: Arc<Checked>,
    store: Arc<dyn SessionStore>,
    codec: SessionCodec,
    cookie: Jar,
    world: World,
    order: Told,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").finish_non_exhaustive()
    }
}

impl SessionLayer {
    /// The layer for `settings`, with sessions in `store`.
    ///
    /// # Errors
    /// Every mistake in the settings; a `secret_key` that is missing or too short is one.
    pub fn new(settings: &Settings, store: Arc<dyn SessionStore>) -> Result<Self, Mistakes> {
        Self::with(settings.checked()?, store, World::default())
    }

    pub(crate) fn with(
        checked: Arc<Checked>,
        store: Arc<dyn SessionStore>,
        world: World,
    ) -> Result<Self, Mistakes> {
        let engine = engine(&checked.settings.session_engine)?;
        let codec = SessionCodec::new(&checked.keys(&world)?, &engine);
        let codec = match store.is_own_memory() {
            true => codec.for_own_memory(),
            // Django reads it compressed and not.
            false => codec.with_compression_from(LARGE),
        };
        let cookie = Jar::session(&checked.settings);
        Ok(Self {
            shared: Arc::new(Shared {
                checked,
                store,
                codec,
                cookie,
                world,
                order: Told::default(),
            }),
        })
    }

    /// Removes expired sessions from the store now and then, in a task of the current tokio
    /// runtime that ends with the last clone of this layer and its services. Stores whose server
    /// does so by itself need none; an hour will do.
    #[must_use]
    pub fn sweep_every(self, period: Duration) -> Self {
        sweep::spawn(&self.shared, period);
        self
    }
}

/// What `SESSION_ENGINE` says of the salt.
fn engine(name: &str) -> Result<Engine, Mistake> {
    let backend = name.strip_prefix("django.contrib.sessions.backends.");
    let refuse = |cause| {
        Err(Mistake::new(
            "session_engine",
            cause,
            "write django.contrib.sessions.backends.db (or cached_db), on both sides",
        ))
    };
    match backend {
        Some("db") => Ok(Engine::Db),
        Some("cached_db") => Ok(Engine::CachedDb),
        Some("file") => Ok(Engine::File),
        Some("cache") => refuse("sessions that are only in a cache are Python objects, not text"),
        Some("signed_cookies") => {
            refuse("a session that is only in its cookie survives its logout")
        }
        // A project's own store: the class, with or without its module.
        _ => {
            let class = name.rsplit('.').next().unwrap_or(name);
            Ok(Engine::Custom(class.to_owned()))
        }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService::new(inner, Arc::clone(&self.shared))
    }
}

#[cfg(test)]
mod tests;
