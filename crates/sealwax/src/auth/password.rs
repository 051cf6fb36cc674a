//! Passwords, checked where it does not hold up other requests.

use std::sync::Arc;

use sealwax_django::password::{ITERATIONS, encode, iterations, verify};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::error::AuthError;

/// The longest password in bytes. Django has no limit; hashing takes its time anyway, but sending
/// megabytes should not cost the server more than the client.
const LONGEST: usize = 4096;

/// The salt of the hash that is made for nobody.
const NOBODY: &str = "0000000000000000000000";

/// Passwords that wait for each one that is being hashed. With Django's iterations a core hashes
/// two to five in a second, so the last one waits some seconds; who came later would rather be
/// told.
const WAITING: usize = 16;

/// How many passwords are hashed at once, and how many wait.
#[derive(Debug)]
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Hashing {
    /// At most as many at once as there are cores: more would only slow each other down.
    pub(super) fn on_all_cores() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::at_once(cores)
    }

    fn at_once(turns: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            places: Arc::new(Semaphore::new(turns.saturating_mul(1 + WAITING))),
        }
    }

    /// Waits for a turn, unless too many do.
    async fn turn(&self) -> Result<Turn, AuthError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| AuthError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| AuthError::GivenUp)?;
        Ok(Turn {
            _turn: turn,
            _place: place,
        })
    }
}

/// Given back when it is dropped.
struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

/// Whether `password` fits `column`. A password that does not takes as long as one whose hash is
/// new, whatever the column, or none.
pub(super) async fn check(
    hashing: &Hashing,
    password: &str,
    column: Option<String>,
) -> Result<bool, AuthError> {
    if password.len() > LONGEST {
        return Ok(false);
    }
    let password = Zeroizing::new(password.to_owned());
    let turn = hashing.turn().await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_is_refused_and_leaves_no_queue() {
        let hashing = Hashing::at_once(1);
        let column = encode("right", "salt", 1);
        let mut tasks = Vec::new();
        for _ in 0..WAITING + 11 {
            tasks.push(check(&hashing, "right", Some(column.clone())));
        }
        // The long hash that a wrong password costs is not what is tried here.
        let done = futures_util::future::join_all(tasks).await;
        let refused = |answer: &Result<bool, AuthError>| matches!(answer, Err(AuthError::Busy));
        assert_eq!(done.iter().filter(|answer| refused(answer)).count(), 10);
        let let_in = |answer: &&Result<bool, AuthError>| matches!(answer, Ok(true));
        assert_eq!(done.iter().filter(let_in).count(), WAITING + 1);
        // Later there is room again, also after those who did not wait for their answer.
        let gone = check(&hashing, "right", Some(column.clone()));
        drop(gone);
        assert!(check(&hashing, "right", Some(column)).await.unwrap());
        assert_eq!(hashing.places.available_permits(), WAITING + 1);
    }
}
