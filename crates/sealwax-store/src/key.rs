//! The key of a session: what its cookie carries.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The letters of new keys, as Django draws them.
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// 36⁸: eight letters fit into one 64-bit number.
const EIGHT_LETTERS: u128 = 36u128.pow(8);

/// The key of a session: 8 to 40 bytes of visible ASCII.
///
/// Whoever holds it holds the session, so [`Debug`](fmt::Debug) shows its first
/// four bytes only and there is no `Display`.
///
/// ```
/// use sealwax_store::SessionKey;
///
/// let key = SessionKey::parse("kq3vfs7h2nqk8x0zjw5y4t1m6c9b2d7g").unwrap();
/// assert_eq!(key.as_str().len(), SessionKey::GENERATED);
/// assert!(!format!("{key:?}").contains("2d7g"));
/// assert!(SessionKey::parse("short").is_err());
/// ```
#[derive(Clone, Copy)]
pub struct SessionKey {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl SessionKey {
    /// The shortest key that is accepted, as in Django.
    pub const SHORTEST: usize = 8;
    /// The longest key: the width of Django's column.
    pub const LONGEST: usize = 40;
    /// The length of the keys that [`generate`](Self::generate) makes.
    pub const GENERATED: usize = 32;

    /// A new key of 32 letters from `a-z0-9`, about 165 bits.
    ///
    /// `random` must come from a cryptographically secure generator. Half of it
    /// makes 16 letters: 128 bits for 83, so that no letter is likelier than
    /// another by more than one part in 2⁴⁵.
    #[must_use]
    pub fn generate(random: [u8; 32]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        let mut letters = bytes.iter_mut();
        for half in random.as_chunks::<16>().0 {
            let mut number = u128::from_be_bytes(*half);
            for _ in 0..2 {
                // Below 36⁸, which is below 2⁴², so nothing is cut off.
                let mut eight = (number % EIGHT_LETTERS) as u64;
                number /= EIGHT_LETTERS;
                for letter in letters.by_ref().take(8) {
                    // The remainder is below 36, the length of the alphabet.
                    *letter = ALPHABET[(eight % 36) as usize];
                    eight /= 36;
                }
            }
        }
        Self {
            bytes,
            length: Self::GENERATED as u8,
        }
    }

    /// The key that a cookie carries.
    ///
    /// # Errors
    /// [`InvalidKey`] when it is shorter than 8 bytes, longer than 40, or holds
    /// anything but visible ASCII: no store can have such a key, so the cookie
    /// counts as none.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        if !(Self::SHORTEST..=Self::LONGEST).contains(&text.len()) {
            return Err(InvalidKey::Length(text.len()));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidKey::Character);
        }
        let mut bytes = [0; Self::LONGEST];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self {
            bytes,
            length: text.len() as u8,
        })
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Visible ASCII by construction, and `length` is at most 40.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or_default()
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for SessionKey {}

impl Hash for SessionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.as_str().get(..4).unwrap_or_default();
        write!(f, "SessionKey({start}…)")
    }
}

/// Why a text is no session key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Something else than visible ASCII.
    #[error("a session key is visible ASCII")]
    Character,
    /// Its length, in bytes.
    #[error("a session key has 8 to 40 bytes, this one {0}")]
    Length(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_have_32_letters_of_the_alphabet() {
        let key = SessionKey::generate([0; 32]);
        assert_eq!(key.as_str(), "a".repeat(32));
        let key = SessionKey::generate([0xff; 32]);
        assert_eq!(key.as_str().len(), 32);
        // 2¹²⁸ − 1 in base 36 is f5lxx1zz5pnorynqglhzmsp33 with digits first; its
        // last sixteen digits, lowest first, in an alphabet with letters first.
        let digits = "pnorynqglhzmsp33";
        let expected: String = digits
            .chars()
            .rev()
            .map(|digit| ALPHABET[digit.to_digit(36).unwrap() as usize] as char)
            .collect();
        assert_eq!(key.as_str(), expected.repeat(2));
    }

    #[test]
    fn every_letter_comes_up_about_as_often() {
        let mut counts = [0u32; 36];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..4_000 {
            let mut random = [0; 32];
            for chunk in random.as_chunks_mut::<8>().0 {
                // splitmix64: even, and the same in every run.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                *chunk = (z ^ (z >> 31)).to_be_bytes();
            }
            for byte in SessionKey::generate(random).as_str().bytes() {
                counts[ALPHABET.iter().position(|&letter| letter == byte).unwrap()] += 1;
            }
        }
        // 128,000 letters: 3,556 of each, with a standard deviation of 59.
        assert!(
            counts.iter().all(|count| (3_200..3_900).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn only_what_a_store_can_hold_is_a_key() {
        assert!(SessionKey::parse("12345678").is_ok());
        assert_eq!(SessionKey::parse("1234567"), Err(InvalidKey::Length(7)));
        assert!(SessionKey::parse(&"k".repeat(40)).is_ok());
        assert_eq!(
            SessionKey::parse(&"k".repeat(41)),
            Err(InvalidKey::Length(41))
        );
        for bad in ["abc\0defgh", "abc defgh", "abcdéfgh", "abcdefg\n"] {
            assert_eq!(
                SessionKey::parse(bad),
                Err(InvalidKey::Character),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn debug_does_not_give_the_session_away() {
        let key = SessionKey::parse("abcdefghijklmnop").unwrap();
        assert_eq!(format!("{key:?}"), "SessionKey(abcd…)");
        assert_eq!(key.as_str(), "abcdefghijklmnop");
    }
}
