//! The key that everything is signed with.

use std::collections::HashSet;
use std::sync::OnceLock;

use sealwax_django::{Keys, SecretKey};

use super::Settings;
use super::mistake::Mistake;
use crate::world::World;

const MEND: &str = "set it to 50 or more random characters, the same in every process";

/// What Django's `check --deploy` calls too short (security.W009).
pub(super) const SHORTEST: usize = 50;

const FEWEST_DISTINCT: usize = 5;

/// What `startproject` writes in front of a key that was never meant for production.
const INSECURE: &str = "django-insecure-";

/// The keys of the settings. In development one is made up where there is none: then sessions end
/// with the process, which is better than a key that everybody knows.
pub(super) fn of(settings: &Settings, world: &World) -> Result<Keys, Mistake> {
    let text = settings.secret_key.expose();
    let current = match text {
        "" if settings.debug => made_up(world)?.to_vec(),
        text if text.chars().count() < SHORTEST && !settings.debug => {
            let cause = match text {
                "" => "there is none, and sessions, tokens and messages are signed with it",
                _ => "it has fewer than 50 characters, so it can be guessed",
            };
            return Err(Mistake::new("secret_key", cause, MEND));
        }
        text => text.as_bytes().to_vec(),
    };
    let key = |bytes: Vec<u8>| {
        SecretKey::new(bytes).map_err(|error| {
            Mistake::new(
                "secret_key_fallbacks",
                error.to_string(),
                "take the empty one out",
            )
        })
    };
    let fallbacks = settings.secret_key_fallbacks.iter();
    let fallbacks: Result<Vec<_>, _> = fallbacks
        .map(|text| key(text.expose().as_bytes().to_vec()))
        .collect();
    Ok(Keys::new(key(current)?).with_fallbacks(fallbacks?))
}

/// The key that this process has made up: one for all layers, which may be built apart.
static MADE_UP: OnceLock<[u8; 48]> = OnceLock::new();

fn made_up(world: &World) -> Result<&'static [u8; 48], Mistake> {
    if let Some(key) = MADE_UP.get() {
        return Ok(key);
    }
    let random: [u8; 48] = world
        .random()
        .map_err(|error| Mistake::new("secret_key", error.to_string(), MEND))?;
    // Where two make one at the same time, the first counts for both.
    Ok(MADE_UP.get_or_init(|| {
        tracing::info!(target: "sealwax", "no secret_key is set: one is made up, and what is signed with it ends with this process");
        random
    }))
}

/// Why `key` is weaker than it should be.
pub(super) fn weakness(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        return Some("there is none, so nothing can be signed");
    }
    if key.chars().count() < SHORTEST {
        return Some("it has fewer than 50 characters");
    }
    if key.chars().collect::<HashSet<_>>().len() < FEWEST_DISTINCT {
        return Some("it has fewer than 5 different characters");
    }
    if key.starts_with(INSECURE) {
        return Some("it begins with `django-insecure-`, so it was made for development");
    }
    None
}

#[cfg(test)]
mod tests {
    use sealwax_django::Signer;

    use super::*;

    #[test]
    fn layers_that_are_built_apart_have_one_made_up_key() {
        let signer = || {
            let keys = of(&Settings::development(), &World::default()).unwrap();
            Signer::new(&keys, "salt")
        };
        let signed = signer().sign("text");
        assert_eq!(signer().unsign(&signed), Ok("text"));
        let mut settings = Settings::development();
        settings.secret_key = "mine".into();
        let keys = of(&settings, &World::default()).unwrap();
        assert!(Signer::new(&keys, "salt").unsign(&signed).is_err());
    }
}
