//! The text form of a [`KeyRing`](super::KeyRing), and what can be wrong with it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::key::{KeyId, SealKey};

/// A line in the text of a key ring that is wrong. Neither form of it shows anything of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyRingError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub cause: KeyRingCause,
}

/// What is wrong with a line in the text of a key ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyRingCause {
    /// The same key stands on an earlier line.
    Duplicate,
    /// There is no key at all.
    Empty,
    /// No `id:key`.
    Form,
    /// The id is not eight hexadecimal digits.
    Id,
    /// The key is not 32 bytes in base64url without padding.
    Key,
    /// The time is no number of seconds.
    Made,
    /// More than [`MAX_KEYS`](super::KeyRing::MAX_KEYS) keys.
    TooMany,
    /// The id belongs to another key, so that one of the two was changed or cut off.
    WrongId,
}

impl KeyRingCause {
    /// What to do about it.
    pub const fn mend(self) -> &'static str {
        match self {
            Self::Duplicate => "remove one of the two",
            Self::Empty => "make one with `sealwax secret new`",
            Self::Form | Self::Id | Self::Key | Self::WrongId => {
                "restore the line from a copy, or remove it"
            }
            Self::Made => "remove the second colon and what follows it",
            Self::TooMany => "remove the last lines, which are the oldest keys",
        }
    }
}

/// The cause alone.
impl fmt::Display for KeyRingCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "the same key stands on an earlier line",
            Self::Empty => "there is no key",
            Self::Form => "expected id:key, such as `sealwax secret new` writes",
            Self::Id => "the id before the colon is not eight hexadecimal digits",
            Self::Key => "the key is not 32 bytes in base64url without padding",
            Self::Made => "the time behind the key is not a number of seconds since 1970",
            Self::TooMany => "more than 16 keys",
            Self::WrongId => "the id belongs to another key, so the line was changed or cut off",
        })
    }
}

/// The line, the cause and the mend.
impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, cause } = self;
        write!(f, "line {line}: {cause}; {}", cause.mend())
    }
}

impl std::error::Error for KeyRingError {}

/// What should be keys, each with its line.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim_start().starts_with('#'))
        .flat_map(|(line, number)| line.split(',').map(move |entry| (number, entry.trim())))
        .filter(|(_, entry)| !entry.is_empty())
}

/// Reads `id:key` or `id:key:made`.
pub(super) fn key(entry: &str) -> Result<SealKey, KeyRingCause> {
    let (id, rest) = entry.split_once(':').ok_or(KeyRingCause::Form)?;
    let (key, made) = match rest.split_once(':') {
        Some((key, made)) => (key, Some(seconds(made).ok_or(KeyRingCause::Made)?)),
        None => (rest, None),
    };
    let id = KeyId::parse(id).ok_or(KeyRingCause::Id)?;
    let mut bytes = Zeroizing::new([0; SealKey::LENGTH]);
    match URL_SAFE_NO_PAD.decode_slice(key, bytes.as_mut_slice()) {
        Ok(SealKey::LENGTH) => {}
        _ => return Err(KeyRingCause::Key),
    }
    let key = SealKey::new(*bytes);
    if key.id() != id {
        return Err(KeyRingCause::WrongId);
    }
    Ok(match made {
        Some(made) => key.made_at(made),
        None => key,
    })
}

fn seconds(text: &str) -> Option<i64> {
    // `i64::from_str` alone would take "+1" and "-1".
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::KeyRing;

    #[test]
    fn mistakes_name_the_line_the_cause_and_the_mend_and_no_key() {
        let [one, two] = [1, 2].map(|n| {
            let ring = KeyRing::new(SealKey::new([n; 32]), []).unwrap();
            ring.to_text().trim_end().to_owned()
        });
        let (id, key) = one.split_once(':').unwrap();
        let many: String = (0..17)
            .map(|n| {
                KeyRing::new(SealKey::new([n; 32]), [])
                    .unwrap()
                    .to_text()
                    .to_string()
            })
            .collect();
        let swapped = format!("{id}:{}", two.split_once(':').unwrap().1);
        let cases = [
            (String::new(), 1, KeyRingCause::Empty),
            ("# nothing\n\n , \n".into(), 3, KeyRingCause::Empty),
            ("hunter2".into(), 1, KeyRingCause::Form),
            (key.to_owned(), 1, KeyRingCause::Form),
            (format!(":{key}"), 1, KeyRingCause::Id),
            (format!("{one}\nxyz:{key}"), 2, KeyRingCause::Id),
            (format!("{id}:"), 1, KeyRingCause::Key),
            (format!("{id}:{}", &key[..42]), 1, KeyRingCause::Key),
            (format!("{one}A"), 1, KeyRingCause::Key),
            (format!("{one}="), 1, KeyRingCause::Key),
            (
                format!("{id}:{}", key.replace('B', "+")),
                1,
                KeyRingCause::Key,
            ),
            (format!("#\n{one}\n\n{swapped}"), 4, KeyRingCause::WrongId),
            (format!("{one}:"), 1, KeyRingCause::Made),
            (format!("{one}:-1"), 1, KeyRingCause::Made),
            (format!("{one}:1:2"), 1, KeyRingCause::Made),
            (format!("{two},{one}\n{one}"), 2, KeyRingCause::Duplicate),
            (many, 17, KeyRingCause::TooMany),
        ];
        for (text, line, cause) in cases {
            let error = KeyRing::parse(&text).unwrap_err();
            assert_eq!((error.line, error.cause), (line, cause), "{text:?}");
            let shown = format!("{error} {error:?}");
            assert!(shown.starts_with(&format!("line {line}: ")), "{shown}");
            assert!(shown.contains("; "), "a mend: {shown}");
            assert!(!shown.contains(&key[..8]) && !shown.contains("hunter2"));
        }
    }
}
