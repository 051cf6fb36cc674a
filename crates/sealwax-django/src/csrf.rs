//! CSRF secrets and tokens: the second line, after the judgement of where a request came from.
//!
//! A secret is 32 of 62 characters; the cookie `csrftoken` (or the session) holds it bare. A token,
//! which stands in forms and headers, is a fresh mask of 32 characters and the secret enciphered
//! with it, so that no two pages carry the same text and compression tells nothing about it
//! (BREACH). `SECRET_KEY` has no part in it.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// The characters of a secret: Django's `CSRF_SECRET_LENGTH`.
pub const SECRET_LENGTH: usize = 32;
/// The characters of a masked token: Django's `CSRF_TOKEN_LENGTH`.
pub const TOKEN_LENGTH: usize = 2 * SECRET_LENGTH;
/// The form field that carries a token.
pub const FORM_FIELD: &str = "csrfmiddlewaretoken";

const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A CSRF secret. It is wiped when it is dropped; `Debug` does not show it.
///
/// ```
/// use sealwax_django::csrf::{self, CsrfSecret};
///
/// let secret = CsrfSecret::from_random(&[7; 32]); // 32 bytes from the system
/// let token = secret.mask(&[9; 32]);              // other 32 bytes, for each page
/// assert_eq!(token.len(), csrf::TOKEN_LENGTH);
/// assert!(secret.matches(&CsrfSecret::parse(&token).unwrap()));
/// ```
#[derive(Clone)]
pub struct CsrfSecret([u8; SECRET_LENGTH]);

impl CsrfSecret {
    /// A new secret of 32 random bytes, which must come from a cryptographic source. Each
    /// character is uniform but for less than 2⁻³².
    #[must_use]
    pub fn from_random(random: &[u8; 32]) -> Self {
        Self(characters(random))
    }

    /// Reads a secret or a masked token, as it comes in a cookie, a form or a header.
    ///
    /// # Errors
    /// [`FormatError`]: the length first, then the characters.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        check_format(text)?;
        let bytes = text.as_bytes();
        let mut secret = [0; SECRET_LENGTH];
        match bytes.split_at_checked(SECRET_LENGTH) {
            Some((bare, [])) => secret.copy_from_slice(bare),
            Some((mask, cipher)) => {
                for ((out, &mask), &cipher) in secret.iter_mut().zip(mask).zip(cipher) {
                    let (mask, cipher) = (index(mask), index(cipher));
                    *out = character(cipher + 62 - mask);
                }
            }
            None => return Err(FormatError::Length),
        }
        Ok(Self(secret))
    }

    /// The bare secret, as the cookie holds it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The alphabet is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A token for one page: the secret under a mask of 32 random bytes, which must come from a
    /// cryptographic source and be used once.
    #[must_use]
    pub fn mask(&self, random: &[u8; 32]) -> String {
        let mask = characters(random);
        let mut token = String::with_capacity(TOKEN_LENGTH);
        token.extend(mask.iter().copied().map(char::from));
        for (&secret, &mask) in self.0.iter().zip(&mask) {
            token.push(char::from(character(index(secret) + index(mask))));
        }
        token
    }

    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Drop for CsrfSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for CsrfSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfSecret(..)")
    }
}

/// Why a text is neither a secret nor a token; the text is Django's and ends a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It has neither 32 nor 64 characters.
    #[error("has incorrect length")]
    Length,
    /// A character is none of `a-zA-Z0-9`.
    #[error("has invalid characters")]
    Characters,
}

/// Whether a text could be a secret or a token: Django's `_check_token_format`.
///
/// # Errors
/// [`FormatError`]: the length, in characters, first.
///
/// ```
/// use sealwax_django::csrf::{FormatError, check_format};
///
/// assert_eq!(check_format(&"a".repeat(64)), Ok(()));
/// assert_eq!(check_format("short"), Err(FormatError::Length));
/// assert_eq!(check_format(&"-".repeat(32)), Err(FormatError::Characters));
/// ```
pub fn check_format(text: &str) -> Result<(), FormatError> {
    if ![SECRET_LENGTH, TOKEN_LENGTH].contains(&text.chars().count()) {
        return Err(FormatError::Length);
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(FormatError::Characters);
    }
    Ok(())
}

/// What a request brought to be judged by [`check_token`].
#[derive(Debug, Clone, Copy)]
pub struct Brought<'r> {
    /// The secret: of the cookie, or of the session under `CSRF_USE_SESSIONS`.
    pub secret: Option<&'r str>,
    /// Whether it came from the session, where its format is not questioned.
    pub from_session: bool,
    /// The form field [`FORM_FIELD`], empty where there is none or the method is not `POST`.
    pub field: &'r str,
    /// The header that `CSRF_HEADER_NAME` names.
    pub header: Option<&'r str>,
    /// That header's name as Django shows it: `X-Csrftoken`.
    pub header_label: &'r str,
}

/// Why a token is refused. `Display` is Django's text, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenReason {
    /// Neither cookie nor session holds a secret.
    #[error("CSRF cookie not set.")]
    NoCookie,
    /// The cookie holds what is no secret.
    #[error("CSRF cookie {0}.")]
    BadCookie(FormatError),
    /// Neither form nor header carries a token.
    #[error("CSRF token missing.")]
    Missing,
    /// What form or header carry is no token.
    #[error("CSRF token from {0} {1}.")]
    BadToken(TokenSource, FormatError),
    /// The token was made from another secret.
    #[error("CSRF token from {0} incorrect.")]
    Incorrect(TokenSource),
}

/// Where a token came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// The form field.
    Post,
    /// The header with this label.
    Header(String),
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post => f.write_str("POST"),
            Self::Header(label) => write!(f, "the '{label}' HTTP header"),
        }
    }
}

/// Judges the token of an unsafe request: Django's `_check_token`.
///
/// A non-empty form field counts; otherwise the header does.
///
/// # Errors
/// [`TokenReason`], for a 403.
///
/// ```
/// use sealwax_django::csrf::{Brought, CsrfSecret, check_token};
///
/// let secret = CsrfSecret::from_random(&[7; 32]);
/// let token = secret.mask(&[9; 32]);
/// let brought = Brought {
///     secret: Some(secret.as_str()),
///     from_session: false,
///     field: "",
///     header: Some(&token),
///     header_label: "X-Csrftoken",
/// };
/// assert_eq!(check_token(&brought), Ok(()));
///
/// let reason = check_token(&Brought { header: Some("short"), ..brought }).unwrap_err();
/// assert_eq!(
///     reason.to_string(),
///     "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length."
/// );
/// ```
pub fn check_token(brought: &Brought<'_>) -> Result<(), TokenReason> {
    let secret = match brought.secret {
        None => return Err(TokenReason::NoCookie),
        Some(text) => match CsrfSecret::parse(text) {
            Ok(secret) => Some(secret),
            // What our own session holds is not called the client's fault; it just matches nothing.
            Err(_) if brought.from_session => None,
            Err(error) => return Err(TokenReason::BadCookie(error)),
        },
    };
    let (token, source) = match (brought.field, brought.header) {
        ("", None) => return Err(TokenReason::Missing),
        ("", Some(header)) => (header, TokenSource::Header(brought.header_label.to_owned())),
        (field, _) => (field, TokenSource::Post),
    };
    match CsrfSecret::parse(token) {
        Err(error) => Err(TokenReason::BadToken(source, error)),
        Ok(token) if secret.is_some_and(|secret| secret.matches(&token)) => Ok(()),
        Ok(_) => Err(TokenReason::Incorrect(source)),
    }
}

/// 32 characters of 32 bytes: each half is a fraction of 128 bits, of which multiplying by 62
/// carries out one character after the other.
fn characters(random: &[u8; 32]) -> [u8; SECRET_LENGTH] {
    let mut out = [0; SECRET_LENGTH];
    for (half, random) in out.chunks_exact_mut(16).zip(random.chunks_exact(16)) {
        let mut low = word(random, 0);
        let mut high = word(random, 8);
        for slot in half {
            let carried = u128::from(low) * 62;
            low = carried as u64;
            let carried = u128::from(high) * 62 + (carried >> 64);
            high = carried as u64;
            *slot = character((carried >> 64) as u8);
        }
    }
    out
}

/// Eight bytes as a number, little-endian.
fn word(bytes: &[u8], at: usize) -> u64 {
    bytes
        .iter()
        .skip(at)
        .take(8)
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

fn character(index: u8) -> u8 {
    // The remainder is within the alphabet.
    ALPHABET[usize::from(index % 62)]
}

/// The place of a character of the alphabet; others were refused before.
fn index(character: u8) -> u8 {
    match character {
        b'a'..=b'z' => character - b'a',
        b'A'..=b'Z' => character - b'A' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
