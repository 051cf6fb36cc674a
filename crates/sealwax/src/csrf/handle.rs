//! The CSRF secret of one request, as a handler sees it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Extensions, HeaderValue, Request};
use sealwax_django::csrf::CsrfSecret;
use sealwax_django::session::{CookieLife, keys};
use sealwax_policy::Change;

use super::Shared;
use crate::session::{Session, SessionError};

/// Makes the tokens of one request. With the feature `axum`, extract
/// `CsrfToken` instead.
///
/// ```
/// # async fn page(request: http::Request<()>) -> Result<String, sealwax::SessionError> {
/// let csrf = sealwax::Csrf::of(&request).ok_or(sealwax::SessionError::NoLayer)?;
/// let token = csrf.token().await?;
/// Ok(format!("<input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{token}\">"))
/// # }
/// ```
#[derive(Clone)]
pub struct Csrf {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// Where the secret is kept, if not in a cookie.
    session: Option<Session>,
    /// The cookie as it was sent; it is judged only when a token is.
    sent: Option<Box<str>>,
    cookie: Mutex<Cookie>,
    /// What was not refused, and only reported.
    reported: Mutex<Vec<Change>>,
}

/// The secret in the cookie.
#[derive(Default)]
struct Cookie {
    secret: Option<CsrfSecret>,
    /// The response sets the cookie.
    send: bool,
}

impl Csrf {
    pub(super) fn new(
        shared: &Arc<Shared>,
        cookie: Option<&str>,
        session: Option<Session>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared: Arc::clone(shared),
                session,
                sent: cookie.map(Into::into),
                cookie: Mutex::default(),
                reported: Mutex::default(),
            }),
        }
    }

    /// That of `request`; `None` where no [`CsrfLayer`](crate::CsrfLayer) has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// A token for this page: 64 characters, others for each call. The response renews the cookie
    /// (and varies by it), so ask only where the token is used: Django's `get_token`.
    ///
    /// # Errors
    /// The session's store, with `csrf_use_sessions`; the system gives no random bytes.
    pub async fn token(&self) -> Result<String, SessionError> {
        let mask: [u8; 32] = self.inner.shared.world.random()?;
        if self.inner.shared.use_sessions() {
            let session = self.session()?;
            let kept = session.get::<String>(keys::CSRF_TOKEN).await?;
            let secret = match kept.and_then(|text| CsrfSecret::parse(&text).ok()) {
                Some(secret) => secret,
                None => self.put_new(session).await?,
            };
            return Ok(secret.mask(&mask));
        }
        let mut cookie = self.cookie();
        if cookie.secret.is_none() {
            let sent = self.inner.sent.as_deref();
            let sent = sent.and_then(|text| CsrfSecret::parse(text).ok());
            cookie.secret = Some(match sent {
                Some(secret) => secret,
                None => self.new_secret()?,
            });
        }
        cookie.send = true;
        let token = cookie.secret.as_ref().map(|secret| secret.mask(&mask));
        // It has just been set.
        Ok(token.unwrap_or_default())
    }

    /// A new secret: tokens from before are worth nothing any more. Do so at login: Django's
    /// `rotate_token`.
    ///
    /// # Errors
    /// As for [`token`](Self::token).
    pub async fn rotate(&self) -> Result<(), SessionError> {
        if self.inner.shared.use_sessions() {
            self.put_new(self.session()?).await?;
            return Ok(());
        }
        let secret = self.new_secret()?;
        let mut cookie = self.cookie();
        cookie.secret = Some(secret);
        cookie.send = true;
        Ok(())
    }

    /// The secret to judge a token by, as it was kept.
    pub(super) async fn kept(&self) -> Result<Option<String>, SessionError> {
        match self.inner.shared.use_sessions() {
            true => self.session()?.get(keys::CSRF_TOKEN).await,
            false => Ok(self.inner.sent.as_deref().map(str::to_owned)),
        }
    }

    /// The cookie that the response sets. One that cannot be read is replaced, so that its
    /// owner's next try succeeds.
    pub(super) fn set_cookie(&self) -> Option<HeaderValue> {
        let shared = &self.inner.shared;
        if shared.use_sessions() {
            return None;
        }
        let mut cookie = self.cookie();
        let unreadable = || {
            let sent = self.inner.sent.as_deref();
            sent.is_some_and(|text| CsrfSecret::parse(text).is_err())
        };
        if !cookie.send && !unreadable() {
            return None;
        }
        if cookie.secret.is_none() {
            cookie.secret = self.new_secret().ok();
        }
        let life = match shared.checked.settings.csrf_cookie_age {
            None => CookieLife::Browser,
            Some(age) => {
                // The settings end at a hundred years.
                let age = i64::try_from(age).unwrap_or(i64::MAX);
                CookieLife::lasting(age, shared.world.now())
            }
        };
        shared.cookie.set(cookie.secret.as_ref()?.as_str(), &life)
    }

    /// Keeps a change for the response's record.
    pub(super) fn report(&self, change: Change) {
        held(&self.inner.reported).push(change);
    }

    pub(super) fn take_reported(&self) -> Vec<Change> {
        std::mem::take(&mut *held(&self.inner.reported))
    }

    fn session(&self) -> Result<&Session, SessionError> {
        self.inner.session.as_ref().ok_or(SessionError::NoLayer)
    }

    async fn put_new(&self, session: &Session) -> Result<CsrfSecret, SessionError> {
        let secret = self.new_secret()?;
        session.insert(keys::CSRF_TOKEN, secret.as_str()).await?;
        Ok(secret)
    }

    fn new_secret(&self) -> Result<CsrfSecret, SessionError> {
        let random = self.inner.shared.world.random()?;
        Ok(CsrfSecret::from_random(&random))
    }

    fn cookie(&self) -> MutexGuard<'_, Cookie> {
        held(&self.inner.cookie)
    }
}

/// Nothing can be left half changed, so a panic elsewhere is no reason to give up.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Csrf(..)")
    }
}
