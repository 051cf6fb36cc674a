//! Who is logged in, as a handler asks.

use std::fmt;
use std::sync::Arc;

use http::{Extensions, Request};
use sealwax_django::session::keys;
use sealwax_django::{KeyUsed, Login};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;

use super::error::AuthError;
use super::user::User;
use super::{Shared, password};
use crate::csrf::Csrf;
use crate::session::{Session, SessionError};

/// Finds out who is logged in, by Django's full algorithm, and logs in and out. With the feature
/// `axum` it is an extractor. Clones are the same.
///
/// ```
/// use sealwax::{Auth, AuthError};
///
/// async fn log_in(auth: Auth, name: &str, password: &str) -> Result<&'static str, AuthError> {
///     let Some(user) = auth.authenticate(name, password).await? else {
///         return Ok("Wrong name or password.");
///     };
///     auth.login(&user).await?;
///     Ok("Welcome.")
/// }
/// ```
#[derive(Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Option<Arc<Shared>>,
    session: Option<Session>,
    csrf: Option<Csrf>,
    /// Who was found; the outer `None` until somebody asks.
    found: Mutex<Option<Option<User>>>,
}

impl Auth {
    pub(super) fn new(shared: Option<&Arc<Shared>>, extensions: &Extensions) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared: shared.cloned(),
                session: Session::of_extensions(extensions),
                csrf: Csrf::of_extensions(extensions),
                found: Mutex::const_new(None),
            }),
        }
    }

    pub(crate) fn knows_session(&self) -> bool {
        self.inner.session.is_some()
    }

    pub(crate) fn knows_csrf(&self) -> bool {
        self.inner.csrf.is_some()
    }

    /// That of `request`; `None` where no [`AuthLayer`](crate::AuthLayer) has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// Who is logged in: Django's `request.user`, asked for at most once in a request.
    ///
    /// The session names a user and a backend that is configured; the user's row is there and
    /// active; and the hash in the session is that of the row's password, under the current key
    /// or one from before (then the session gets a new key and hash). Where the hash is another,
    /// the password has been changed: the session is deleted.
    ///
    /// # Errors
    /// The session or the users cannot be read.
    pub async fn user(&self) -> Result<Option<User>, AuthError> {
        let mut found = self.inner.found.lock().await;
        if let Some(user) = &*found {
            return Ok(user.clone());
        }
        let user = self.find().await?;
        *found = Some(user.clone());
        Ok(user)
    }

    async fn find(&self) -> Result<Option<User>, AuthError> {
        let (shared, session) = (self.shared()?, self.session()?);
        let Some(login) = session.read(Login::of).await? else {
            return Ok(None);
        };
        if !shared.backends.contains(&login.backend) {
            return Ok(None);
        }
        let row = shared.users.by_id(&login.user_id).await;
        let Some(row) = row.map_err(AuthError::Users)?.filter(|row| row.is_active) else {
            return Ok(None);
        };
        let hash = login.hash.as_deref().unwrap_or_default();
        match shared.auth.matches(&row.password, hash) {
            Some(KeyUsed::Current) => {}
            Some(_) => match session.cycle_key().await {
                Ok(()) => {
                    let hash = shared.auth.hash(&row.password);
                    session.insert(keys::AUTH_USER_HASH, &hash).await?;
                }
                // A request beside this one was first, or a logout: this one began before either,
                // and whatever it writes to the session is refused.
                Err(SessionError::Interrupted) => {}
                Err(error) => return Err(error.into()),
            },
            None => {
                session.flush().await?;
                return Ok(None);
            }
        }
        Ok(Some(User::new(row)))
    }

    /// The user with this name, if the password is theirs and they are active: Django's
    /// `authenticate`. It takes a good part of a second, outside the runtime's own threads, and a
    /// wrong password takes as long as for a name that nobody has. One whose hash cannot be checked
    /// here (of another hasher than PBKDF2) counts as wrong, and the log says so. It logs nobody
    /// in.
    ///
    /// Whoever guesses is not slowed down any further: limit that by client and by name.
    ///
    /// No more are hashed at once than there are cores, and sixteen times as many wait; who comes
    /// then is [`Busy`](AuthError::Busy), so that a flood of logins neither takes the threads of
    /// other requests nor makes a queue of minutes.
    ///
    /// # Errors
    /// The users cannot be read, or too many passwords are being checked.
    pub async fn authenticate(
        &self,
        username: &str,
        password: &str,
    ) -> Result<Option<User>, AuthError> {
        let shared = self.shared()?;
        let row = shared.users.by_username(username).await;
        let row = row.map_err(AuthError::Users)?;
        let column = row.as_ref().map(|row| row.password.clone());
        let fits = password::check(&shared.hashing, password, column).await?;
        let row = row.filter(|row| fits && row.is_active);
        Ok(row.map(User::new))
    }

    /// Logs `user` in: Django's `login`. The session gets a new key, so that one which an
    /// attacker has planted gains nothing, and what it holds stays, unless it was another user's.
    /// The CSRF secret is made anew.
    ///
    /// # Errors
    /// The session cannot be written.
    pub async fn login(&self, user: &User) -> Result<(), AuthError> {
        let (shared, session) = (self.shared()?, self.session()?);
        let hash = shared.auth.hash(&user.password);
        let before = session
            .read(|data| {
                let text = |name| data.get::<String>(name)?.ok();
                let id = data.contains(keys::AUTH_USER_ID);
                id.then(|| (text(keys::AUTH_USER_ID), text(keys::AUTH_USER_HASH)))
            })
            .await?;
        match before {
            None => match session.cycle_key().await {
                // Another login or a logout has ended it: there is nothing to keep.
                Err(SessionError::Interrupted) => session.flush().await?,
                cycled => cycled?,
            },
            Some((id, before)) => {
                let same_user = id.as_deref() == Some(user.id.as_str());
                let before = before.unwrap_or_default();
                let same_hash: bool = before.as_bytes().ct_eq(hash.as_bytes()).into();
                if !same_user || !same_hash {
                    session.flush().await?;
                }
            }
        }
        let backend = shared.backends.first().cloned().unwrap_or_default();
        let login = Login {
            user_id: user.id.clone(),
            backend,
            hash: Some(hash),
        };
        session.write(|data| login.write(data)).await?;
        if let Some(csrf) = &self.inner.csrf {
            csrf.rotate().await?;
        }
        *self.inner.found.lock().await = Some(Some(user.clone()));
        let now = shared.world.now();
        if let Err(error) = shared.users.set_last_login(&user.id, now).await {
            // A service that may only read the users can still log them in.
            tracing::warn!(target: "sealwax", %error, "last_login could not be noted");
        }
        Ok(())
    }

    /// Logs out whoever is logged in, and deletes the session at once: Django's `logout`. Tokens of
    /// theirs are no session and stay: [`Tokens::revoke_all`](crate::Tokens::revoke_all).
    ///
    /// # Errors
    /// The session cannot be deleted. Then nobody is logged out.
    pub async fn logout(&self) -> Result<(), AuthError> {
        self.session()?.flush().await?;
        *self.inner.found.lock().await = Some(None);
        Ok(())
    }

    /// Where a stranger may log in who asked for `url`, and come back.
    #[cfg(feature = "axum")]
    pub(crate) fn login_page(&self, url: &http::Uri) -> Option<String> {
        let page = self.inner.shared.as_ref()?.login_url.as_deref()?;
        let asked = url.path_and_query().map_or("/", |asked| asked.as_str());
        // Path and query only, and one slash: the way back leads to no other site, as `//host` would.
        let asked = format!("/{}", asked.trim_start_matches(['/', '\\']));
        let next = form_urlencoded::Serializer::new(String::new())
            .append_pair("next", &asked)
            .finish();
        let separator = if page.contains('?') { '&' } else { '?' };
        Some(format!("{page}{separator}{next}"))
    }

    fn shared(&self) -> Result<&Arc<Shared>, AuthError> {
        self.inner.shared.as_ref().ok_or(AuthError::NoLayer)
    }

    fn session(&self) -> Result<&Session, SessionError> {
        self.inner.session.as_ref().ok_or(SessionError::NoLayer)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(..)")
    }
}
