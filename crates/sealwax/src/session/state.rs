//! The session of one request: nothing until somebody asks, then what the store has.

use std::time::Duration;

use sealwax_django::LoadError;
use sealwax_django::session::{Expiry, Facts, SessionData};
use sealwax_store::{Created, Record, Saved, SessionKey, StoreError};

use super::Shared;
use super::error::SessionError;

/// New keys that are tried before it is not chance any more.
const KEYS_TRIED: usize = 10;

/// What is known of the session. Every method that may need the store is asynchronous and does at
/// once what it says, as Django's do.
#[derive(Debug)]
pub(super) struct State {
    /// The cookie was sent, whatever its value.
    pub(super) cookie_sent: bool,
    /// The key, as the cookie has it or as it was made since; `None` once it is known to be
    /// nobody's.
    pub(super) key: Option<SessionKey>,
    /// The content, once somebody has asked for it.
    data: Option<SessionData>,
    pub(super) accessed: bool,
    pub(super) modified: bool,
}

impl State {
    /// A session of which only the cookie's value is known.
    pub(super) fn new(cookie: Option<&str>) -> Self {
        Self {
            cookie_sent: cookie.is_some(),
            // What cannot be a key of any store is nobody's.
            key: cookie.and_then(|text| SessionKey::parse(text).ok()),
            data: None,
            accessed: false,
            modified: false,
        }
    }

    /// The content, from the store where it has not been asked yet. Without a key there is
    /// nothing to ask for.
    pub(super) async fn data(&mut self, shared: &Shared) -> Result<&mut SessionData, SessionError> {
        self.accessed = true;
        if self.data.is_none() {
            self.data = Some(self.load(shared).await?);
        }
        Ok(self.data.get_or_insert_default())
    }

    async fn load(&mut self, shared: &Shared) -> Result<SessionData, SessionError> {
        let Some(key) = self.key else {
            return Ok(SessionData::new());
        };
        let now = shared.world.now();
        match shared.store.load(&key, now).await {
            Ok(Some(record)) => shared.decode(&record.data, now),
            Ok(None) => {
                self.key = None;
                Ok(SessionData::new())
            }
            // To the visitor it is as if there were none.
            Err(error @ StoreError::Corrupt(_)) => {
                tracing::error!(target: "sealwax", %error, "a stored session cannot be read; it counts as absent");
                self.key = None;
                Ok(SessionData::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Stores the content: a session without a key is created, one with a key is updated and never
    /// brought back.
    pub(super) async fn save(&mut self, shared: &Shared) -> Result<(), SessionError> {
        self.data(shared).await?;
        let Some(key) = self.key else {
            self.key = Some(self.create(shared).await?);
            self.modified = true;
            return Ok(());
        };
        let record = self.record(shared)?;
        match shared.store.save(&key, record).await? {
            Saved::Yes => Ok(()),
            Saved::Gone => Err(SessionError::Interrupted),
        }
    }

    /// Stores the content under a new key, which it gives.
    async fn create(&self, shared: &Shared) -> Result<SessionKey, SessionError> {
        for _ in 0..KEYS_TRIED {
            let key = SessionKey::generate(shared.world.random()?);
            match shared.store.create(&key, self.record(shared)?).await? {
                Created::Yes => return Ok(key),
                Created::Taken => {}
            }
        }
        // With 165 random bits, this is a generator that repeats itself.
        Err(SessionError::Random(crate::NoRandomness))
    }

    /// The same content under a new key; the old one is nobody's any more. A session that was
    /// deleted meanwhile, by a logout, does not live on under the new key.
    pub(super) async fn cycle_key(&mut self, shared: &Shared) -> Result<(), SessionError> {
        self.data(shared).await?;
        let new = self.create(shared).await?;
        if let Some(old) = self.key {
            // A deletion does not tell whether there was anything, but an update does.
            let now = shared.world.now();
            let emptied = Record {
                data: shared.codec.encode(&SessionData::new(), now).into(),
                expires: now,
            };
            if shared.store.save(&old, emptied).await? == Saved::Gone {
                shared.store.delete(&new).await?;
                return Err(SessionError::Interrupted);
            }
        }
        // From here on nothing is written under the old key, even if it cannot be deleted.
        let old = self.key.replace(new);
        self.modified = true;
        if let Some(old) = old {
            shared.store.delete(&old).await?;
        }
        Ok(())
    }

    /// No content and no key: whoever had the cookie is nobody.
    pub(super) async fn flush(&mut self, shared: &Shared) -> Result<(), SessionError> {
        if let Some(key) = self.key {
            shared.store.delete(&key).await?;
        }
        self.accessed = true;
        self.modified = true;
        self.data = Some(SessionData::new());
        self.key = None;
        Ok(())
    }

    /// What is to be stored, if it can be read again.
    fn record(&self, shared: &Shared) -> Result<Record, SessionError> {
        let now = shared.world.now();
        let text = match &self.data {
            Some(data) => shared.codec.encode_within_limit(data, now),
            None => Ok(shared.codec.encode(&SessionData::new(), now)),
        };
        let text = text.map_err(|error| SessionError::Limit(error.into()))?;
        Ok(Record {
            data: text.into(),
            expires: self.expiry().date(shared.cookie_age(), now),
        })
    }

    /// The session's own lifetime. One that nobody can read is as if there were none; Django
    /// answers 500 there.
    pub(super) fn expiry(&self) -> Expiry {
        let data = self.data.as_ref();
        data.map_or(Expiry::Default, |data| {
            Expiry::of(data).unwrap_or(Expiry::Default)
        })
    }

    /// Whether the content has been asked for.
    pub(super) fn is_loaded(&self) -> bool {
        self.data.is_some()
    }

    /// What the response side of Django's `SessionMiddleware` looks at.
    pub(super) fn facts(&self, shared: &Shared, status: u16, now: Duration) -> Facts {
        let settings = &shared.checked.settings;
        let expiry = self.expiry();
        Facts {
            cookie_sent: self.cookie_sent,
            accessed: self.accessed,
            modified: self.modified,
            empty: self.key.is_none() && self.data.as_ref().is_none_or(SessionData::is_empty),
            save_every_request: settings.session_save_every_request,
            status,
            at_browser_close: expiry.at_browser_close(settings.session_expire_at_browser_close),
            age: expiry.age(shared.cookie_age(), now),
        }
    }
}

impl Shared {
    /// The content of a stored text; what was not signed with our keys is empty, as in Django. What
    /// Django could read and we do not is an error: taken for empty, the next save would lose it.
    fn decode(&self, text: &str, now: Duration) -> Result<SessionData, SessionError> {
        match self.codec.decode(text, None, now) {
            Ok(data) => Ok(data),
            Err(error) if error.is_limit() => Err(SessionError::Limit(error)),
            Err(LoadError::Signature(_)) => {
                tracing::warn!(target: "sealwax", "a stored session is signed with another key, or its text is spoilt; it counts as empty. If there are many, check SECRET_KEY, SECRET_KEY_FALLBACKS and SESSION_ENGINE");
                Ok(SessionData::new())
            }
            Err(error) => {
                tracing::warn!(target: "sealwax", %error, "a stored session cannot be read; it counts as empty");
                Ok(SessionData::new())
            }
        }
    }

    fn cookie_age(&self) -> Duration {
        Duration::from_secs(self.checked.settings.session_cookie_age)
    }
}
