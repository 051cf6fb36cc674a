//! The key that everything is signed with.

use std::collections::HashSet;

/// What Django's `check --deploy` calls too short (security.W009).
pub(super) const SHORTEST: usize = 50;

const FEWEST_DISTINCT: usize = 5;

/// What `startproject` writes in front of a key that was never meant for production.
const INSECURE: &str = "django-insecure-";

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
