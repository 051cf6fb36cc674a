//! Tokens of API clients: made, issued, revoked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealwax_store::{Inserted, StoreError, TokenHash, TokenRecord, TokenStore};
use sha2::{Digest as _, Sha256};

use crate::world::{NoRandomness, World};

/// What every token begins with, so that a leaked one is recognised by whoever finds it.
const PREFIX: &str = "swx_";

/// Issues and revokes the tokens of API clients.
///
/// A token is 32 random bytes as text, `swx_` and 43 characters. It is shown once, to whom it is
/// for; the store keeps its SHA-256, from which nobody gets the token.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sealwax::{Memory, NewToken, Tokens};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let tokens = Tokens::new(Arc::new(Memory::new()));
/// let token = tokens
///     .issue(NewToken {
///         subject: "7".into(),
///         scopes: vec!["orders:read".into()],
///         label: "the warehouse's printer".into(),
///         lasts: Some(Duration::from_secs(90 * 86_400)),
///     })
///     .await?;
/// assert!(token.starts_with("swx_"));
/// assert!(tokens.revoke(&token).await?);
/// # Ok::<(), sealwax::TokenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Tokens {
    store: Arc<dyn TokenStore>,
    world: World,
}

/// What a new token is for.
///
/// ```
/// use sealwax::NewToken;
///
/// let token = NewToken {
///     subject: "warehouse".into(),
///     scopes: vec!["orders:read".into()],
///     ..NewToken::default()
/// };
/// assert_eq!(token.lasts, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewToken {
    /// Whose it is: the primary key of a user as text, or the name of a machine.
    pub subject: String,
    /// What it may be used for: scope tokens of RFC 6749 §3.3.
    pub scopes: Vec<String>,
    /// What its owner calls it.
    pub label: String,
    /// How long it lasts; `None`: until it is revoked.
    pub lasts: Option<Duration>,
}

/// Why a token could not be issued or revoked.
///
/// ```
/// use sealwax::{TokenError, Tokens};
///
/// async fn log_out_everywhere(tokens: &Tokens, token: &str) -> &'static str {
///     match tokens.revoke(token).await {
///         Ok(true) => "It is worth nothing any more.",
///         Ok(false) => "There is no such token.",
///         Err(TokenError::Store(_)) => "Please try again in a few seconds.",
///         Err(_) => "Something went wrong.",
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// None could be made.
    #[error("a token cannot be made")]
    Random(#[from] NoRandomness),
    /// The store does not answer, or refuses what is to be kept.
    #[error("the store of tokens does not do what it was asked")]
    Store(#[from] StoreError),
}

impl Tokens {
    /// Tokens that are kept in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn TokenStore>) -> Self {
        Self {
            store,
            world: World::default(),
        }
    }

    /// Makes a token and keeps its hash. Show it once: nobody can find it out again.
    ///
    /// # Errors
    /// The store, or the system gives no random bytes.
    pub async fn issue(&self, new: NewToken) -> Result<String, TokenError> {
        let random: [u8; 32] = self.world.random()?;
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        let now = self.world.now();
        let record = TokenRecord {
            hash: hash(&token),
            subject: new.subject,
            scopes: new.scopes,
            label: new.label,
            created: now,
            expires: new.lasts.map(|lasts| now.saturating_add(lasts)),
            last_used: None,
        };
        match self.store.insert(&record).await? {
            Inserted::Yes => Ok(token),
            // With 256 random bits, this is a generator that repeats itself.
            Inserted::Taken => Err(NoRandomness.into()),
        }
    }

    /// Ends a token. False: there was none.
    ///
    /// # Errors
    /// The store.
    pub async fn revoke(&self, token: &str) -> Result<bool, TokenError> {
        Ok(self.store.revoke(&hash(token)).await?)
    }

    /// Ends all tokens of a subject, and says how many there were. Nothing else does: a logout or a
    /// changed password ends sessions, not tokens.
    ///
    /// # Errors
    /// The store.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let tokens = sealwax::Tokens::new(std::sync::Arc::new(sealwax::Memory::new()));
    /// # let token = sealwax::NewToken { subject: "7".into(), ..Default::default() };
    /// # tokens.issue(token).await?;
    /// // The password of the user with the id 7 was changed.
    /// assert_eq!(tokens.revoke_all("7").await?, 1);
    /// # Ok::<(), sealwax::TokenError>(())
    /// # }).unwrap();
    /// ```
    pub async fn revoke_all(&self, subject: &str) -> Result<u64, TokenError> {
        Ok(self.store.revoke_all(subject).await?)
    }

    /// What is known of a subject's tokens, the oldest first. By the hash in it one can be
    /// revoked in the store.
    ///
    /// # Errors
    /// The store.
    pub async fn list(&self, subject: &str) -> Result<Vec<TokenRecord>, TokenError> {
        Ok(self.store.list(subject).await?)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// What the store keeps of a token.
pub(super) fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}
