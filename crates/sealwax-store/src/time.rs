//! Instants since the Unix epoch, as the homes keep them.

use std::time::Duration;

/// Cuts what is finer than a microsecond off: no database keeps it.
pub(crate) fn to_micros(instant: Duration) -> Duration {
    Duration::new(instant.as_secs(), instant.subsec_micros() * 1_000)
}
