//! Session data as signed text.

use std::borrow::Cow;
use std::time::Duration;

use crate::error::LoadError;
use crate::json::Latin1;
use crate::key::Keys;
use crate::object;
use crate::session::SessionData;
use crate::signer::TimestampSigner;

/// Django's `SESSION_ENGINE`, as far as the signed text depends on it.
///
/// ```
/// use sealwax_django::session::Engine;
///
/// assert_eq!(Engine::Db.salt(), Engine::CachedDb.salt());
/// // class ShopStore(django.contrib.sessions.backends.db.SessionStore)
/// assert_eq!(Engine::Custom("ShopStore".into()).salt(), "django.contrib.sessions.ShopStore");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// `django.contrib.sessions.backends.db`: rows of `django_session`.
    Db,
    /// `django.contrib.sessions.backends.file`: the same text in files.
    File,
    /// `django.contrib.sessions.backends.cached_db`: the same rows behind a cache.
    CachedDb,
    /// `django.contrib.sessions.backends.signed_cookies`: the text is the cookie.
    SignedCookies,
    /// A project's own store: the `__qualname__` of its class, which Django makes part of the
    /// salt. The four above are all called `SessionStore`.
    Custom(String),
}

impl Engine {
    /// The salt of what this engine signs.
    #[must_use]
    pub fn salt(&self) -> Cow<'static, str> {
        match self {
            Self::Db | Self::File | Self::CachedDb => "django.contrib.sessions.SessionStore".into(),
            Self::SignedCookies => "django.contrib.sessions.backends.signed_cookies".into(),
            Self::Custom(class) => format!("django.contrib.sessions.{class}").into(),
        }
    }
}

/// Reads and writes the text of a session: `encode` and `decode` of Django's session stores.
///
/// Keys are taken in once, so keep a codec.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::session::{Engine, SessionCodec, SessionData};
/// use sealwax_django::{Keys, SecretKey};
///
/// let key = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// let keys = Keys::new(SecretKey::new(key).unwrap());
/// let codec = SessionCodec::new(&keys, &Engine::Db);
/// let now = Duration::from_secs(1_764_000_000);
///
/// let mut data = SessionData::new();
/// data.insert("a", &1).unwrap();
/// let text = codec.encode(&data, now);
/// assert_eq!(text, "eyJhIjoxfQ:1vNYyu:kPVysRphsGAXHccG4Z_QE2nlcEqUsQ9ZejL-BIo5nAE");
/// assert_eq!(codec.decode(&text, None, now).unwrap(), data);
/// ```
#[derive(Debug, Clone)]
pub struct SessionCodec {
    signer: TimestampSigner,
    compress: bool,
}

impl SessionCodec {
    /// A codec for what this engine keeps.
    #[must_use]
    pub fn new(keys: &Keys, engine: &Engine) -> Self {
        Self {
            signer: TimestampSigner::new(keys, engine.salt().as_bytes()),
            compress: true,
        }
    }

    /// Whether `encode` tries zlib, as Django always does (the default). Without it the text of a
    /// log-in is a quarter longer, and both ways take a quarter of the time; Django reads either.
    #[must_use]
    pub fn with_compression(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// The signed text, compressed where that is shorter and not switched off.
    #[must_use]
    pub fn encode(&self, data: &SessionData, now: Duration) -> String {
        let json = data.to_json();
        object::seal(&self.signer, &Latin1::write(&json), self.compress, now)
    }

    /// The data of a signed text.
    ///
    /// Django gives `max_age` for signed cookies alone (`SESSION_COOKIE_AGE`); a stored session
    /// ends with its row, not with its text. Django takes a refused session for an empty one.
    ///
    /// # Errors
    /// [`LoadError`]: the signature, the payload or its JSON. Text may unpack to
    /// [`UNPACKED_LIMIT`](crate::UNPACKED_LIMIT).
    pub fn decode(
        &self,
        text: &str,
        max_age: Option<Duration>,
        now: Duration,
    ) -> Result<SessionData, LoadError> {
        let json = object::open(&self.signer, text, max_age, now)?;
        Ok(SessionData::from_json(json)?)
    }
}
