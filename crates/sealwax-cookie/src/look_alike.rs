//! Names that some servers read as another name.
//!
//! PHP turns `.`, space and an unclosed `[` of a cookie's name into `_` and cuts `name[key]` down to
//! `name`; ASP.NET compares names without regard to case; some readers percent-decode them. To such
//! a server `laravel.session`, `LARAVEL_SESSION` and `laravel%5Fsession` are all `laravel_session`,
//! and any sibling host can set them.

use crate::prefix::Prefix;
use crate::well_known::{WELL_KNOWN, may_be_well_known};

/// Longer names are not folded; no protected name comes near.
const MAX: usize = 96;

/// A name as the most forgiving server would read it.
pub(crate) struct Fold {
    bytes: [u8; MAX],
    length: usize,
}

impl Fold {
    /// `None` for an empty or overlong name.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        let mut fold = Self {
            bytes: [0; MAX],
            length: 0,
        };
        for byte in Folding(name) {
            *fold.bytes.get_mut(fold.length)? = byte;
            fold.length += 1;
        }
        (fold.length > 0).then_some(fold)
    }

    /// Whether `name` is read so: the same as the comparison with its own fold, without making it.
    pub(crate) fn is_of(&self, name: &[u8]) -> bool {
        Folding(name).eq(self.as_bytes().iter().copied())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        // `length` counts what was written.
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether a forgiving server would see a prefix that no browser has checked.
    pub(crate) fn has_prefix(&self) -> bool {
        Prefix::split(self.as_bytes()).is_some()
    }

    /// The well-known names that read the same.
    pub(crate) fn well_known(&self) -> impl Iterator<Item = &'static [u8]> {
        let fold = self.as_bytes();
        let candidates = if may_be_well_known(fold) {
            WELL_KNOWN
        } else {
            &[]
        };
        candidates.iter().filter_map(move |(known, ..)| {
            let (begin, whole) = match known.strip_suffix('*') {
                Some(begin) => (begin.as_bytes(), false),
                None => (known.as_bytes(), true),
            };
            let same = fold.len() >= begin.len()
                && (!whole || fold.len() == begin.len())
                && begin
                    .iter()
                    .zip(fold)
                    .all(|(known, byte)| folded(*known) == *byte);
            same.then_some(known.as_bytes())
        })
    }
}

/// One byte of a name that holds neither `%` nor `[`.
pub(crate) const fn folded(byte: u8) -> u8 {
    match byte {
        b'.' | b' ' | b'+' => b'_',
        other => other.to_ascii_lowercase(),
    }
}

/// What of a name such servers read, byte by byte.
struct Folding<'n>(&'n [u8]);

impl Iterator for Folding<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let (first, tail) = self.0.split_first()?;
        let (byte, rest) = match (first, tail) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', tail),
            },
            _ => (*first, tail),
        };
        self.0 = rest;
        match byte {
            b'[' if closes(rest) => {
                self.0 = &[];
                None
            }
            b'.' | b' ' | b'+' | b'[' => Some(b'_'),
            other => Some(other.to_ascii_lowercase()),
        }
    }
}

/// Whether a `]` follows, in one spelling or the other.
fn closes(rest: &[u8]) -> bool {
    rest.contains(&b']')
        || rest
            .windows(3)
            .any(|three| three.eq_ignore_ascii_case(b"%5d"))
}

fn hex(digit: u8) -> Option<u8> {
    // A hex digit is below 16, so the cast keeps its value.
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(name: &str) -> String {
        Fold::of(name.as_bytes()).map_or(String::new(), |f| {
            String::from_utf8_lossy(f.as_bytes()).into_owned()
        })
    }

    #[test]
    fn folds_as_php_asp_and_decoders_read() {
        for (name, read) in [
            ("laravel.session", "laravel_session"),
            ("laravel[session", "laravel_session"),
            ("PHPSESSID[a]", "phpsessid"),
            ("PHPSESSID%5Ba%5D", "phpsessid"),
            ("session%69d", "sessionid"),
            (".AspNetCore.Session", "_aspnetcore_session"),
            ("%5f%5fHost-x", "__host-x"),
            ("..Host-x", "__host-x"),
            ("a%zz%4", "a%zz%4"),
            ("[a]", ""),
            ("", ""),
        ] {
            assert_eq!(fold(name), read, "{name}");
        }
        assert!(Fold::of(&[b'a'; MAX + 1]).is_none());
        assert!(Fold::of(b"..Secure-x").is_some_and(|f| f.has_prefix()));
    }

    #[test]
    fn finds_what_well_known_names_read_like() {
        let found =
            |name: &str| Fold::of(name.as_bytes()).is_some_and(|f| f.well_known().next().is_some());
        for (known, ..) in WELL_KNOWN {
            let known = known.trim_end_matches('*');
            assert!(found(known) && found(&known.to_uppercase()), "{known}");
            assert!(found(&known.replace(['.', '_'], "%2E")), "{known}");
        }
        let of = |name: &str, read: &str| Fold::of(read.as_bytes()).unwrap().is_of(name.as_bytes());
        assert!(of("Laravel.Session[x]", "laravel_session") && of("a%2eb", "A_b"));
        assert!(!of("laravel", "laravel_session") && !of("laravel_session", "laravel"));
        for name in ["theme", "_ga", "cart", "sessions", "id", "a.b"] {
            assert!(!found(name), "{name}");
        }
    }
}
