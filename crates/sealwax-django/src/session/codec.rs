//! Session data as signed text.

use std::borrow::Cow;
use std::time::Duration;

use crate::error::{LoadError, UnpackError};
use crate::json::Latin1;
use crate::key::Keys;
use crate::object;
use crate::pack::UNPACKED_LIMIT;
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
    /// Bytes of JSON from which zlib is tried.
    compress_from: usize,
    /// What stands before the JSON instead of a signature after it, one for each key; empty
    /// where texts are signed.
    marks: Vec<String>,
}

/// What a mark is a signature of.
const MARKED: &str = "a session in this process";
/// Ends a mark. No signed text holds it.
const END_OF_MARK: char = '\n';

impl SessionCodec {
    /// A codec for what this engine keeps.
    #[must_use]
    pub fn new(keys: &Keys, engine: &Engine) -> Self {
        Self {
            signer: TimestampSigner::new(keys, engine.salt().as_bytes()),
            compress_from: 0,
            marks: Vec::new(),
        }
    }

    /// Whether `encode` tries zlib, as Django always does (the default). Without it the text of a
    /// log-in is a quarter longer, and both ways take a quarter of the time; Django reads either.
    #[must_use]
    pub fn with_compression(self, compress: bool) -> Self {
        self.with_compression_from(if compress { 0 } else { usize::MAX })
    }

    /// The length of the JSON, in bytes, from which `encode` tries zlib. Most of what zlib costs is
    /// its start, so that it is worth its time for long texts only.
    #[must_use]
    pub fn with_compression_from(mut self, bytes: usize) -> Self {
        self.compress_from = bytes;
        self
    }

    /// For texts that never leave this process, which nobody else can have written: `encode`
    /// neither signs nor compresses them, but puts a mark before them that depends on the key,
    /// so that what was written under another key is still refused. `decode` reads such texts, and
    /// signed ones too.
    #[must_use]
    pub fn for_own_memory(mut self) -> Self {
        self.marks = self.signer.signatures(MARKED);
        self.marks
            .iter_mut()
            .for_each(|mark| mark.push(END_OF_MARK));
        self
    }

    /// The signed text, compressed where that is shorter and not switched off.
    #[must_use]
    pub fn encode(&self, data: &SessionData, now: Duration) -> String {
        self.write(&data.to_json(), now)
    }

    /// The same, unless [`decode`](Self::decode) would refuse the text for its length.
    ///
    /// # Errors
    /// [`UnpackError::TooLarge`] for more than [`UNPACKED_LIMIT`] bytes of JSON.
    pub fn encode_within_limit(
        &self,
        data: &SessionData,
        now: Duration,
    ) -> Result<String, UnpackError> {
        let json = data.to_json();
        if json.len() > UNPACKED_LIMIT {
            let limit = UNPACKED_LIMIT;
            return Err(UnpackError::TooLarge { limit });
        }
        Ok(self.write(&json, now))
    }

    fn write(&self, json: &str, now: Duration) -> String {
        if let Some(mark) = self.marks.first() {
            return [mark, json].concat();
        }
        let compress = json.len() >= self.compress_from;
        object::seal(&self.signer, &Latin1::write(json), compress, now)
    }

    /// The data of a signed text.
    ///
    /// Django gives `max_age` for signed cookies alone (`SESSION_COOKIE_AGE`); a stored session
    /// ends with its row, not with its text. Django takes a refused session for an empty one; where
    /// the error [is a limit](LoadError::is_limit), that would lose what Django can read.
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
        if let Some(json) = self.marked(text) {
            return Ok(SessionData::from_json(json)?);
        }
        let json = object::open(&self.signer, text, max_age, now)?;
        Ok(SessionData::from_json(json)?)
    }

    /// The JSON behind a mark of one of the keys.
    fn marked<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.marks
            .iter()
            .find_map(|mark| text.strip_prefix(mark.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::BadSignature;
    use crate::key::SecretKey;

    const NOW: Duration = Duration::from_secs(1_764_000_000);

    fn key(letter: &str) -> SecretKey {
        SecretKey::new(letter.repeat(50)).unwrap()
    }

    fn codec(keys: &Keys) -> SessionCodec {
        SessionCodec::new(keys, &Engine::Db)
    }

    fn data(length: usize) -> SessionData {
        let mut data = SessionData::new();
        data.insert("a", &"a".repeat(length)).unwrap();
        data
    }

    #[test]
    fn long_texts_are_compressed_and_short_ones_need_not_be() {
        let codec = codec(&Keys::new(key("a"))).with_compression_from(100);
        for (length, compressed) in [(50, false), (100, true)] {
            let data = data(length);
            let text = codec.encode(&data, NOW);
            assert_eq!(text.starts_with('.'), compressed);
            assert_eq!(codec.decode(&text, None, NOW).unwrap(), data);
        }
    }

    #[test]
    fn what_is_written_within_the_limit_is_read() {
        let codec = codec(&Keys::new(key("a")));
        let around = r#"{"a":""}"#.len();
        let most = data(UNPACKED_LIMIT - around);
        let text = codec.encode_within_limit(&most, NOW).unwrap();
        assert_eq!(codec.decode(&text, None, NOW).unwrap(), most);
        let more = data(UNPACKED_LIMIT - around + 1);
        let limit = UNPACKED_LIMIT;
        assert_eq!(
            codec.encode_within_limit(&more, NOW),
            Err(UnpackError::TooLarge { limit })
        );
        let refused = codec.decode(&codec.encode(&more, NOW), None, NOW);
        assert!(refused.unwrap_err().is_limit());
    }

    #[test]
    fn deep_nesting_is_a_limit_and_other_spoilt_json_is_none() {
        let codec = codec(&Keys::new(key("a")));
        let sealed = |json: &str| object::seal(&codec.signer, json.as_bytes(), true, NOW);
        for (json, limit) in [
            (
                format!(r#"{{"a":{}1{}}}"#, "[".repeat(990), "]".repeat(990)),
                true,
            ),
            (r#"{"a":"#.to_owned(), false),
            ("[1]".to_owned(), false),
        ] {
            let error = codec.decode(&sealed(&json), None, NOW).unwrap_err();
            assert_eq!(error.is_limit(), limit, "{error:?}");
        }
    }

    #[test]
    fn own_memory_needs_no_signature_but_the_right_key() {
        let (old, new) = (Keys::new(key("a")), Keys::new(key("b")));
        let both = Keys::new(key("b")).with_fallbacks([key("a")]);
        let written = codec(&old).for_own_memory().encode(&data(50), NOW);
        assert!(written.ends_with(&*data(50).to_json()));
        for keys in [&old, &both] {
            let read = codec(keys).for_own_memory().decode(&written, None, NOW);
            assert_eq!(read.unwrap(), data(50));
        }
        let refused = |codec: SessionCodec| codec.decode(&written, None, NOW).unwrap_err();
        assert!(matches!(
            refused(codec(&new).for_own_memory()),
            LoadError::Signature(_)
        ));
        // A text without a signature is none for whoever asks for one.
        assert!(matches!(
            refused(codec(&old)),
            LoadError::Signature(BadSignature::MissingSeparator | BadSignature::Mismatch)
        ));
        // What was signed is read, and written again as it was.
        let signed = codec(&old).encode(&data(50), NOW);
        let read = codec(&old).for_own_memory().decode(&signed, None, NOW);
        assert_eq!(read.unwrap(), data(50));
    }
}
