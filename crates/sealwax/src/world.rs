//! Time and randomness, in one place: everything below takes them as arguments, and tests replace
//! them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where time and random bytes come from.
#[derive(Clone, Default)]
pub(crate) enum World {
    /// The system's clock and its random generator.
    #[default]
    Real,
    /// A test's.
    #[cfg_attr(not(test), expect(dead_code, reason = "made by tests only"))]
    Made(Arc<dyn Fn() -> Duration + Send + Sync>),
}

/// The system gives no random bytes: no secret can be made.
///
/// ```
/// use sealwax::{CspNonce, NoRandomness};
///
/// fn attribute(nonce: &CspNonce) -> Result<String, NoRandomness> {
///     Ok(format!("nonce=\"{}\"", nonce.value()?))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes; a secret cannot be made without them")]
pub struct NoRandomness;

impl World {
    /// Time since the Unix epoch; zero on a clock that is set before it.
    pub(crate) fn now(&self) -> Duration {
        match self {
            Self::Real => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            Self::Made(now) => now(),
        }
    }

    /// Bytes that nobody can guess.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(bytes)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "World::Real",
            Self::Made(_) => "World::Made(..)",
        })
    }
}
