//! Passwords, checked where it does not hold up other requests.

use std::sync::Arc;

use sealwax_django::password::{ITERATIONS, encode, verify};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::error::AuthError;

/// The longest password in bytes. Django has no limit; hashing takes its time anyway, but sending
/// megabytes should not cost the server more than the client.
const LONGEST: usize = 4096;

/// The salt of the hash that is made for nobody.
const NOBODY: &str = "0000000000000000000000";

/// Whether `password` fits `column`; without one, the time is taken all the same.
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
        match column {
            Some(column) => verify(&password, &column),
            None => {
                std::hint::black_box(encode(&password, NOBODY, ITERATIONS));
                Ok(false)
            }
        }
    });
    Ok(checked.await.map_err(|_| AuthError::GivenUp)??)
}
