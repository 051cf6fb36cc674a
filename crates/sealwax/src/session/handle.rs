//! The session as a handler sees it.

use std::fmt;
use std::sync::Arc;

use http::{Extensions, Request};
use sealwax_django::session::{Expiry, SessionData};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::Shared;
use super::error::SessionError;
use super::state::State;

/// The session of one request, with Django's semantics.
///
/// Nothing is read until something is asked for: a request that does not touch its session costs
/// no look at the store, nor does one that reads without having sent a cookie. What was changed
/// is saved when the response leaves, if it is no server error (500 and above). [`flush`],
/// [`cycle_key`] and [`save`] act at once. A body that is still being written then comes too late
/// to change anything by other means.
///
/// With the feature `axum` it is an extractor. Clones are the same session.
///
/// ```
/// use sealwax::{Session, SessionError};
///
/// async fn count(session: Session) -> Result<String, SessionError> {
///     let visits = session.get::<u64>("visits").await?.unwrap_or(0) + 1;
///     session.insert("visits", &visits).await?;
///     Ok(format!("You were here {visits} times."))
/// }
/// ```
///
/// [`flush`]: Self::flush
/// [`cycle_key`]: Self::cycle_key
/// [`save`]: Self::save
#[derive(Clone)]
pub struct Session {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) state: Mutex<State>,
}

impl Session {
    pub(super) fn new(shared: &Arc<Shared>, cookie: Option<&str>) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared: Arc::clone(shared),
                state: Mutex::new(State::new(cookie)),
            }),
        }
    }

    /// The session of `request`; `None` where no [`SessionLayer`](crate::SessionLayer) has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// A value; `None` where there is none: Django's `session.get(name)`.
    ///
    /// # Errors
    /// The store, or a value of another type.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        let mut state = self.inner.state.lock().await;
        let data = state.data(&self.inner.shared).await?;
        data.get(name)
            .transpose()
            .map_err(|source| value_error(name, source))
    }

    /// Whether there is a value: Django's `name in session`.
    ///
    /// # Errors
    /// The store.
    pub async fn contains(&self, name: &str) -> Result<bool, SessionError> {
        let mut state = self.inner.state.lock().await;
        Ok(state.data(&self.inner.shared).await?.contains(name))
    }

    /// The names, in order: Django's `session.keys()`.
    ///
    /// # Errors
    /// The store.
    pub async fn names(&self) -> Result<Vec<String>, SessionError> {
        let mut state = self.inner.state.lock().await;
        let data = state.data(&self.inner.shared).await?;
        Ok(data.names().map(std::borrow::Cow::into_owned).collect())
    }

    /// Sets a value: Django's `session[name] = value`.
    ///
    /// # Errors
    /// The store, or a value that cannot be written as JSON.
    pub async fn insert<T: Serialize + ?Sized>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<(), SessionError> {
        let mut state = self.inner.state.lock().await;
        let data = state.data(&self.inner.shared).await?;
        data.insert(name, value)
            .map_err(|source| value_error(name, source))?;
        state.modified = true;
        Ok(())
    }

    /// Takes a value out and says whether it was there: Django's `session.pop(name, None)`.
    ///
    /// # Errors
    /// The store.
    pub async fn remove(&self, name: &str) -> Result<bool, SessionError> {
        let mut state = self.inner.state.lock().await;
        let removed = state.data(&self.inner.shared).await?.remove(name);
        state.modified |= removed;
        Ok(removed)
    }

    /// Looks at the whole content.
    pub(crate) async fn read<T>(
        &self,
        look: impl FnOnce(&SessionData) -> T,
    ) -> Result<T, SessionError> {
        let mut state = self.inner.state.lock().await;
        Ok(look(state.data(&self.inner.shared).await?))
    }

    /// Changes the whole content.
    pub(crate) async fn write(
        &self,
        change: impl FnOnce(&mut SessionData),
    ) -> Result<(), SessionError> {
        let mut state = self.inner.state.lock().await;
        change(state.data(&self.inner.shared).await?);
        state.modified = true;
        Ok(())
    }

    /// Whether there is neither a key nor a value: Django's `session.is_empty()`. A cookie that
    /// nobody has looked at counts as a key.
    pub async fn is_empty(&self) -> bool {
        let state = self.inner.state.lock().await;
        let now = self.inner.shared.world.now();
        state.facts(&self.inner.shared, 200, now).empty
    }

    /// Deletes the session, content and key, at once: Django's `session.flush()`. The response
    /// deletes the cookie.
    ///
    /// # Errors
    /// The store. Then the session is as it was.
    pub async fn flush(&self) -> Result<(), SessionError> {
        let mut state = self.inner.state.lock().await;
        state.flush(&self.inner.shared).await
    }

    /// Gives the session a new key, at once, and keeps its content: Django's
    /// `session.cycle_key()`. Do so whenever somebody gains rights, so that a key that an attacker
    /// has planted gains none.
    ///
    /// # Errors
    /// The store, and [`SessionError::Interrupted`] where the session has been deleted meanwhile.
    pub async fn cycle_key(&self) -> Result<(), SessionError> {
        let mut state = self.inner.state.lock().await;
        state.cycle_key(&self.inner.shared).await
    }

    /// Saves now instead of when the response leaves: Django's `session.save()`.
    ///
    /// # Errors
    /// The store, and [`SessionError::Interrupted`] where the session has been deleted meanwhile.
    pub async fn save(&self) -> Result<(), SessionError> {
        let mut state = self.inner.state.lock().await;
        state.modified = true;
        state.save(&self.inner.shared).await
    }

    /// Sets the session's own lifetime: Django's `session.set_expiry()`.
    ///
    /// # Errors
    /// The store.
    pub async fn set_expiry(&self, expiry: Expiry) -> Result<(), SessionError> {
        let mut state = self.inner.state.lock().await;
        expiry.write(state.data(&self.inner.shared).await?);
        state.modified = true;
        Ok(())
    }

    /// The session's own lifetime: [`Expiry::Default`] where the settings decide.
    ///
    /// # Errors
    /// The store.
    pub async fn expiry(&self) -> Result<Expiry, SessionError> {
        let mut state = self.inner.state.lock().await;
        state.data(&self.inner.shared).await?;
        Ok(state.expiry())
    }
}

fn value_error(name: &str, source: serde_json::Error) -> SessionError {
    SessionError::Value {
        name: name.to_owned(),
        source,
    }
}

impl fmt::Debug for Session {
    /// Neither key nor content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(..)")
    }
}
