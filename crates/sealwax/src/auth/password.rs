//! Passwords, checked where it does not hold up other requests.

use std::sync::Arc;

use sealwax_django::password::{ITERATIONS, encode, iterations, verify};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::error::AuthError;

/// The longest password in bytes. Django has no limit; hashing takes its time anyway, but sending
/// megabytes should not cost the server more than the client.
const LONGEST: usize = 4096;

/// The salt of the hash that is made for nobody.
const NOBODY: &str = "0000000000000000000000";

/// Whether `password` fits `column`. A password that does not takes as long as one whose hash is
/// new, whatever the column, or none.
pub(super) async fn check(
    hashing: &Arc<Semaphore>,
    password: &str,
    column: Option<String>,
) -> Result<bool, AuthError> {
    if password.len() > LONGEST {
        return Ok(false);
    }
    let password = Zeroizing::new(password.to_owned());
    // More at once than there are cores would only slow each other down.
    let turn = Arc::clone(hashing).acquire_owned().await;
    let turn = turn.map_err(|_| AuthError::GivenUp)?;
    let checked = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let column = column.unwrap_or_default();
        let fits = verify(&password, &column).unwrap_or_else(|error| {
            // To a stranger it is a wrong password: an error would tell that the name exists.
            tracing::error!(target: "sealwax", %error, "a password cannot be checked, and counts as wrong");
            false
        });
        if !fits {
            // Who is there, and how their password was hashed, must not show in the time.
            let left = ITERATIONS.saturating_sub(iterations(&column));
            if left > 0 {
                std::hint::black_box(encode(&password, NOBODY, left));
            }
        }
        fits
    });
    checked.await.map_err(|_| AuthError::GivenUp)
}
