//! Password columns: `pbkdf2_sha256$ITERATIONS$SALT$HASH`, Django's default, and the SHA-1 form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The iterations with which Django 6.1 makes a `pbkdf2_sha256` hash.
pub const ITERATIONS: u32 = 1_500_000;

/// What marks a password that fits nothing: Django's `UNUSABLE_PASSWORD_PREFIX`.
const UNUSABLE: char = '!';

/// Whether a password fits a password column: Django's `check_password`, for PBKDF2 (RFC 8018,
/// Section 5.2). It takes a good fraction of a second, as it is meant to: call it where that is
/// allowed, such as in `spawn_blocking`.
///
/// An unusable password, beginning with `!`, and an empty column fit nothing.
///
/// # Errors
/// [`UnknownHash`] for a column of another hasher, or none.
///
/// ```
/// use sealwax_django::password::{UnknownHash, encode, verify};
///
/// let column = encode("correct horse", "battery", 1000);
/// assert_eq!(verify("correct horse", &column), Ok(true));
/// assert_eq!(verify("staple", &column), Ok(false));
/// assert_eq!(verify("staple", "!random"), Ok(false));
/// assert_eq!(
///     verify("staple", "argon2$argon2id$..."),
///     Err(UnknownHash::Algorithm("argon2".into()))
/// );
/// ```
pub fn verify(password: &str, column: &str) -> Result<bool, UnknownHash> {
    if column.is_empty() || column.starts_with(UNUSABLE) {
        return Ok(false);
    }
    let parts = Parts::of(column)?;
    let hash = match parts.algorithm {
        Algorithm::Sha256 => sha256(password, parts.salt, parts.iterations),
        Algorithm::Sha1 => sha1(password, parts.salt, parts.iterations),
    };
    Ok(hash.as_bytes().ct_eq(parts.hash.as_bytes()).into())
}

/// How many iterations [`verify`] takes for a column: none where there is nothing to hash. What is
/// left to [`ITERATIONS`] should be spent after a wrong password, so that the time does not tell
/// whose account is old or has none: Django's `harden_runtime`.
///
/// ```
/// use sealwax_django::password::{encode, iterations};
///
/// assert_eq!(iterations(&encode("correct horse", "battery", 1000)), 1000);
/// assert_eq!(iterations("!unusable"), 0);
/// ```
#[must_use]
pub fn iterations(column: &str) -> u32 {
    Parts::of(column).map_or(0, |parts| parts.iterations)
}

/// A password column, as Django's `make_password` makes it with `pbkdf2_sha256`.
///
/// The salt is random text without `$`; Django uses 22 characters of `a-zA-Z0-9`. Making one for
/// nobody takes as long as checking one: do that where a user is unknown, so that the time does not
/// tell.
///
/// ```
/// use sealwax_django::password::{ITERATIONS, encode};
///
/// let column = encode("correct horse", "0aPqx7Zr4kLm9WcVbN2sTd", 1000); // ITERATIONS in earnest
/// assert!(column.starts_with("pbkdf2_sha256$1000$0aPqx7Zr4kLm9WcVbN2sTd$"));
/// assert!(ITERATIONS > 1_000_000);
/// ```
#[must_use]
pub fn encode(password: &str, salt: &str, iterations: u32) -> String {
    let hash = sha256(password, salt, iterations);
    format!("pbkdf2_sha256${iterations}${salt}${}", *hash)
}

/// Why a password column cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownHash {
    /// It is made by another hasher.
    #[error(
        "password hashes of {0} cannot be checked here, only pbkdf2_sha256 and pbkdf2_sha1; \
         put PBKDF2PasswordHasher first in Django's PASSWORD_HASHERS, and each is made anew at its \
         owner's next log-in there"
    )]
    Algorithm(String),
    /// It is no password column at all.
    #[error("the password column is not ALGORITHM$ITERATIONS$SALT$HASH")]
    Malformed,
}

enum Algorithm {
    Sha1,
    Sha256,
}

struct Parts<'c> {
    algorithm: Algorithm,
    iterations: u32,
    salt: &'c str,
    hash: &'c str,
}

impl<'c> Parts<'c> {
    fn of(column: &'c str) -> Result<Self, UnknownHash> {
        let (algorithm, rest) = column.split_once('$').ok_or(UnknownHash::Malformed)?;
        let algorithm = match algorithm {
            "pbkdf2_sha256" => Algorithm::Sha256,
            "pbkdf2_sha1" => Algorithm::Sha1,
            other => return Err(UnknownHash::Algorithm(other.to_owned())),
        };
        let mut rest = rest.splitn(3, '$');
        let iterations = rest.next().and_then(|text| text.parse().ok());
        match (iterations, rest.next(), rest.next()) {
            (Some(iterations @ 1..), Some(salt), Some(hash)) => Ok(Self {
                algorithm,
                iterations,
                salt,
                hash,
            }),
            _ => Err(UnknownHash::Malformed),
        }
    }
}

fn sha256(password: &str, salt: &str, iterations: u32) -> Zeroizing<String> {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt.as_bytes(), iterations, &mut *key);
    Zeroizing::new(STANDARD.encode(*key))
}

fn sha1(password: &str, salt: &str, iterations: u32) -> Zeroizing<String> {
    let mut key = Zeroizing::new([0; 20]);
    pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt.as_bytes(), iterations, &mut *key);
    Zeroizing::new(STANDARD.encode(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_django_made() {
        let column = "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=";
        assert_eq!(encode("lètmein", "seasalt", 1000), column);
        assert_eq!(verify("lètmein", column), Ok(true));
        assert_eq!(verify("letmein", column), Ok(false));
        let column = "pbkdf2_sha1$1000$seasalt$ljleU4wBmTtz/MoG5YTwxpM0d7I=";
        assert_eq!(verify("lètmein", column), Ok(true));
        assert_eq!(verify("letmein", column), Ok(false));
    }

    #[test]
    fn what_cannot_be_checked() {
        for (column, name) in [
            ("bcrypt_sha256$$2b$12$abc", "bcrypt_sha256"),
            ("scrypt$16384$salt$8$5$hash", "scrypt"),
            ("md5$salt$hash", "md5"),
        ] {
            assert_eq!(
                verify("x", column),
                Err(UnknownHash::Algorithm(name.into()))
            );
        }
        for column in [
            "nothing",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$x$salt$hash",
            "pbkdf2_sha256$0$salt$hash",
            "pbkdf2_sha256$-1$salt$hash",
            "pbkdf2_sha256$5000000000$salt$hash",
            "pbkdf2_sha256$1$salt",
        ] {
            assert_eq!(verify("x", column), Err(UnknownHash::Malformed), "{column}");
        }
        assert_eq!(verify("", ""), Ok(false));
        assert_eq!(verify("", "!"), Ok(false));
    }
}
