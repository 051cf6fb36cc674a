//! Tokens of API clients, kept as hashes.

use std::fmt;
use std::time::Duration;

use crate::{BoxFuture, StoreError};

/// The SHA-256 of a token.
///
/// A store never sees a token, only its hash, so whoever reads the store cannot
/// use what is there. The token must be random (128 bits or more): a plain hash
/// protects no password.
///
/// # Time
/// A lookup compares hashes in an index, which takes longer the more leading
/// bytes agree. That tells an attacker nothing of use: to bring about a hash
/// that shares its first bytes with a stored one takes as many attempts at
/// SHA-256 as guessing those bytes, and what is learned are bytes of the hash,
/// from which no token follows. Equality of two values of this type is
/// compared in constant time all the same.
///
/// # Example
/// ```
/// use sealwax_store::TokenHash;
///
/// let hash = TokenHash([0xab; 32]); // of the token, by SHA-256
/// assert_eq!(TokenHash::from_hex(&hash.to_hex()), Some(hash));
/// ```
#[derive(Clone, Copy, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The hash as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                // A nibble is below 16.
                text.push(char::from(DIGITS[usize::from(nibble)]));
            }
        }
        text
    }

    /// The hash of 64 hexadecimal digits of either case; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = <[u32; 64]>::try_from(digits?).ok()?;
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            // Both are below 16.
            *byte = (high << 4 | low) as u8;
        }
        Some(Self(bytes))
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.0[..], &other.0[..]).into()
    }
}

impl std::hash::Hash for TokenHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.to_hex();
        write!(f, "TokenHash({}…)", hex.get(..8).unwrap_or_default())
    }
}

/// What is known of a token.
///
/// All times count from the Unix epoch and are kept to the microsecond.
///
/// ```
/// use std::time::Duration;
/// use sealwax_store::{TokenHash, TokenRecord};
///
/// let now = Duration::from_secs(1_800_000_000);
/// let record = TokenRecord {
///     hash: TokenHash([0xab; 32]),
///     subject: "7".into(),
///     scopes: vec!["orders:read".into()],
///     label: "the warehouse's printer".into(),
///     created: now,
///     expires: Some(now + Duration::from_secs(90 * 86_400)),
///     last_used: None,
/// };
/// # let _ = record;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// The SHA-256 of the token, by which it is found and revoked.
    pub hash: TokenHash,
    /// Whose token it is: the primary key of a user as text, or the name of a
    /// machine. At most 255 bytes.
    pub subject: String,
    /// What it may be used for: scope tokens of RFC 6749 §3.3 (visible ASCII
    /// without `"` and `\`).
    pub scopes: Vec<String>,
    /// What its owner calls it. At most 255 bytes.
    pub label: String,
    /// When it was made.
    pub created: Duration,
    /// The instant from which it no longer counts; `None` for one that only
    /// ends when it is revoked.
    pub expires: Option<Duration>,
    /// When it was last used, as far as [`TokenStore::touch`] was told.
    pub last_used: Option<Duration>,
}

/// What became of a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Inserted {
    /// The hash is there already and nothing was stored.
    Taken,
    /// It is stored.
    Yes,
}

/// A home for the tokens of API clients.
///
/// As with [`SessionStore`](crate::SessionStore), an `Ok` is a promise that
/// outlives a crash, and each method is one atomic step.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use sealwax_store::{Memory, TokenHash, TokenStore};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (tokens, now) = (Memory::new(), Duration::from_secs(1_800_000_000));
/// let hash = TokenHash([0xab; 32]);
/// assert_eq!(tokens.find(&hash, now).await?, None);
/// assert!(!tokens.revoke(&hash).await?);
/// assert_eq!(tokens.revoke_all("7").await?, 0);
/// # Ok::<(), sealwax_store::StoreError>(())
/// # }).unwrap();
/// ```
pub trait TokenStore: Send + Sync + 'static {
    /// Stores a new token.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] for a record that cannot be stored (a text
    /// that is too long, or a scope with characters that no scope has), and
    /// [`StoreError::Unavailable`].
    fn insert<'a>(&'a self, record: &'a TokenRecord)
    -> BoxFuture<'a, Result<Inserted, StoreError>>;

    /// The token with this hash, unless there is none or it has expired
    /// (`expires == now` has).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`].
    fn find<'a>(
        &'a self,
        hash: &'a TokenHash,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<TokenRecord>, StoreError>>;

    /// Notes that the token was used. Call it seldom (once a minute and token
    /// will do): it is a write. A revoked token stays revoked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn touch<'a>(
        &'a self,
        hash: &'a TokenHash,
        used: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Removes a token; `false` when there was none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn revoke<'a>(&'a self, hash: &'a TokenHash) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Removes all tokens of a subject, and answers how many there were: for a password
    /// that was changed, an account that was closed, "log out everywhere". One that is
    /// inserted at the same time may be left.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn revoke_all<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// All tokens of a subject, expired ones too, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`].
    fn list<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Vec<TokenRecord>, StoreError>>;

    /// Removes tokens that have expired, and answers how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>>;
}

/// The longest subject and the longest label, in bytes.
const LONGEST_TEXT: usize = 255;

impl TokenRecord {
    /// Refuses what no home could give back as it came.
    pub(crate) fn check(&self, place: &str) -> Result<(), StoreError> {
        for (name, text) in [("subject", &self.subject), ("label", &self.label)] {
            if text.len() > LONGEST_TEXT || text.contains('\0') {
                return Err(StoreError::misconfigured(
                    place,
                    format_args!("the {name} of a token is longer than 255 bytes or holds NUL"),
                    "shorten it",
                ));
            }
        }
        let scope = |text: &String| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        };
        if let Some(bad) = self.scopes.iter().find(|text| !scope(text)) {
            return Err(StoreError::misconfigured(
                place,
                format_args!("{bad:?} is no scope"),
                "use visible ASCII without double quotes and backslashes (RFC 6749 §3.3)",
            ));
        }
        Ok(())
    }
}

/// The columns of a token, in the order in which both databases bind and read them.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! columns {
    () => {
        r#""token_hash", "subject", "scopes", "label", "created", "expires", "last_used""#
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use columns;

/// Scopes as one text: RFC 6749 §3.3 separates them by spaces.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(crate) fn join_scopes(scopes: &[String]) -> String {
    scopes.join(" ")
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(crate) fn split_scopes(text: &str) -> Vec<String> {
    let scopes = text.split(' ').filter(|scope| !scope.is_empty());
    scopes.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_goes_through_hexadecimal_and_back() {
        let hash = TokenHash(std::array::from_fn(|place| (place * 37 % 256) as u8));
        assert_eq!(TokenHash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(
            TokenHash::from_hex(&hash.to_hex().to_uppercase()),
            Some(hash)
        );
        let zeros = "0".repeat(63);
        for bad in [
            "",
            zeros.as_str(),
            &format!("{zeros}g"),
            &format!("{zeros}00"),
        ] {
            assert_eq!(TokenHash::from_hex(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn records_that_would_come_back_changed_are_refused() {
        let good = TokenRecord {
            hash: TokenHash([0; 32]),
            subject: "7".into(),
            scopes: vec!["read".into(), "orders:write".into()],
            label: "the warehouse's scanner".into(),
            created: Duration::ZERO,
            expires: None,
            last_used: None,
        };
        assert_eq!(good.check("memory:"), Ok(()));
        let bad = [
            TokenRecord {
                scopes: vec!["a b".into()],
                ..good.clone()
            },
            TokenRecord {
                scopes: vec![String::new()],
                ..good.clone()
            },
            TokenRecord {
                scopes: vec!["a\"b".into()],
                ..good.clone()
            },
            TokenRecord {
                label: "l".repeat(256),
                ..good.clone()
            },
            TokenRecord {
                subject: "a\0".into(),
                ..good.clone()
            },
        ];
        for record in bad {
            let refused = record.check("memory:");
            assert!(
                matches!(refused, Err(StoreError::Misconfigured(_))),
                "{record:?}"
            );
        }
    }
}
