//! Who is logged in: what a session says, and whether the password is still the same.

use subtle::ConstantTimeEq as _;

use crate::key::{KeyUsed, Keys};
use crate::mac::{Algorithm, KeyedMac};
use crate::session::{SessionData, keys};

/// What Django's `login()` leaves in a session.
///
/// It counts for nothing on its own: the user's row has to be read, be active, and its password
/// column has to give the same hash ([`SessionAuth::matches`]).
///
/// ```
/// use sealwax_django::Login;
/// use sealwax_django::session::SessionData;
///
/// let mut data = SessionData::new();
/// assert!(Login::of(&data).is_none());
///
/// let login = Login {
///     user_id: "1".into(),
///     backend: Login::MODEL_BACKEND.into(),
///     hash: Some("of the password column".into()),
/// };
/// login.write(&mut data);
/// assert!(Login::of(&data) == Some(login));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The primary key of the user, as text.
    pub user_id: String,
    /// The dotted path of the backend that logged them in, one of `AUTHENTICATION_BACKENDS`.
    pub backend: String,
    /// The hash of the password column at log-in; absent where the user model has none.
    pub hash: Option<String>,
}

impl Login {
    /// `django.contrib.auth.backends.ModelBackend`, Django's default backend.
    pub const MODEL_BACKEND: &'static str = "django.contrib.auth.backends.ModelBackend";

    /// What a session says; `None` where it names no user or no backend.
    #[must_use]
    pub fn of(data: &SessionData) -> Option<Self> {
        let text = |name| data.get::<String>(name)?.ok();
        Some(Self {
            user_id: text(keys::AUTH_USER_ID)?,
            backend: text(keys::AUTH_USER_BACKEND)?,
            hash: text(keys::AUTH_USER_HASH),
        })
    }

    /// Writes it as Django's `login()` does, in Django's order.
    pub fn write(&self, data: &mut SessionData) {
        let hash = self.hash.as_deref().unwrap_or_default();
        for (name, value) in [
            (keys::AUTH_USER_ID, self.user_id.as_str()),
            (keys::AUTH_USER_BACKEND, self.backend.as_str()),
            (keys::AUTH_USER_HASH, hash),
        ] {
            // Text is always JSON.
            let written = data.insert(name, value);
            debug_assert!(written.is_ok());
        }
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user_id", &self.user_id)
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

/// Makes and checks `_auth_user_hash`: Django's `get_session_auth_hash`.
///
/// The hash is made of the password column, so that a changed password ends every session but the
/// one that changed it. Keys are taken in once, so keep it.
///
/// ```
/// use sealwax_django::{KeyUsed, Keys, SecretKey, SessionAuth};
///
/// let key = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// let auth = SessionAuth::new(&Keys::new(SecretKey::new(key).unwrap()));
/// let column = format!("pbkdf2_sha256$1000000$saltsaltsaltsaltsaltsa${}=", "A".repeat(43));
/// let hash = auth.hash(&column);
/// assert_eq!(hash, "64134a9fffc4e2cf3457d6a60a6624b708b418a206bf52a1c5b9ed8468763898");
/// assert_eq!(auth.matches(&column, &hash), Some(KeyUsed::Current));
/// assert_eq!(auth.matches("another", &hash), None);
/// ```
#[derive(Clone)]
pub struct SessionAuth {
    /// The current key, then the fallbacks; never empty.
    macs: Vec<KeyedMac>,
}

impl SessionAuth {
    /// For Django's `AbstractBaseUser`, which every user model has under it that does not define
    /// `get_session_auth_hash` anew.
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        Self::with_salt(
            keys,
            "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash",
        )
    }

    /// For a user model that hashes under a salt of its own.
    #[must_use]
    pub fn with_salt(keys: &Keys, salt: &str) -> Self {
        let derived = |key: &crate::SecretKey| {
            KeyedMac::derived(Algorithm::Sha256, &[salt.as_bytes(), key.bytes()])
        };
        Self {
            macs: keys.iter().map(derived).collect(),
        }
    }

    /// The hash of a password column with the current key: 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self, password_column: &str) -> String {
        let hex = self.macs.first().map(|mac| hex(mac, password_column));
        // There is a current key.
        hex.map(|hex| String::from_utf8_lossy(&hex).into_owned())
            .unwrap_or_default()
    }

    /// Which key makes this hash of this column, compared in constant time; `None` logs out.
    ///
    /// After [`KeyUsed::Fallback`] Django cycles the session's key and writes the hash anew.
    #[must_use]
    pub fn matches(&self, password_column: &str, hash: &str) -> Option<KeyUsed> {
        self.macs
            .iter()
            .position(|mac| hex(mac, password_column).ct_eq(hash.as_bytes()).into())
            .map(KeyUsed::at)
    }
}

impl std::fmt::Debug for SessionAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionAuth")
            .field("keys", &self.macs.len())
            .finish()
    }
}

/// The tag of SHA-256 in hexadecimal.
fn hex(mac: &KeyedMac, text: &str) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let tag = mac.tag(&[text.as_bytes()]);
    let mut hex = [b'0'; 64];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(tag.bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}
