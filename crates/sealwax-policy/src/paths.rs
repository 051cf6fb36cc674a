//! Sets of paths, given as patterns.

use std::error::Error;
use std::fmt;

use regex::bytes::{Regex, RegexSet};

/// A set of path patterns: regular expressions, searched anywhere in the
/// percent-decoded path without its leading slashes, as Django does.
///
/// ```
/// use sealwax_policy::Paths;
///
/// let paths = Paths::new(["^hook/"]).unwrap();
/// assert!(paths.find("/hook/../admin"));
/// assert!(!paths.find_unambiguous("/hook/../admin") && paths.find_unambiguous("/hook/pay"));
/// ```
#[derive(Debug, Clone)]
pub struct Paths(RegexSet);

impl Default for Paths {
    fn default() -> Self {
        Self(RegexSet::empty())
    }
}

impl Paths {
    /// Compiles `patterns`. They run in linear time, so look-around and
    /// back-references, which Python has, do not exist.
    ///
    /// # Errors
    /// The first pattern that does not compile, or that all are too large
    /// together.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, PatternError> {
        let patterns: Vec<S> = patterns.into_iter().collect();
        RegexSet::new(&patterns)
            .map(Self)
            .map_err(|error| PatternError::of(&patterns, error))
    }

    /// Whether `pattern` wants a slash at the start, where no path has one: `^/health`, which was
    /// meant to be `^health`.
    ///
    /// ```
    /// use sealwax_policy::Paths;
    ///
    /// assert!(Paths::never_matches("^/health") && !Paths::never_matches("^/?health"));
    /// ```
    #[must_use]
    pub fn never_matches(pattern: &str) -> bool {
        let Some(rest) = pattern.strip_prefix("^/") else {
            return false;
        };
        !rest.starts_with(['?', '*', '{']) && !rest.contains('|')
    }

    /// Whether any pattern is found in `path` (still percent-encoded).
    #[must_use]
    pub fn find(&self, path: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let decoded = percent_decode(path.trim_start_matches('/'));
        self.0.is_match(without_leading_slashes(&decoded))
    }

    /// The same as [`find`](Self::find), for a set that gives a protection: also where only some
    /// server would read the path so that it matches. Read like that, `\\` is `/`, what is
    /// percent-encoded twice is decoded twice, empty and dot segments are gone, and so are
    /// parameters behind a `;`.
    #[must_use]
    pub fn find_in_any_reading(&self, path: &str) -> bool {
        self.find(path) || (!self.0.is_empty() && self.0.is_match(&most_liberal(path)))
    }

    /// The same as [`find`](Self::find), for a set that takes a protection
    /// away: a path that two servers could read differently is in no such set.
    /// These are paths with an empty, `.` or `..` segment, or in which `/`,
    /// `\`, `%`, `;` or a control character came percent-encoded; so
    /// `^hook/` has `/hook/pay`, and neither `/hook/../admin` nor
    /// `/hook%2f..%2fadmin`.
    #[must_use]
    pub fn find_unambiguous(&self, path: &str) -> bool {
        !self.0.is_empty() && !is_ambiguous(path) && self.find(path)
    }

    /// Whether there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The patterns as they were written.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        self.0.patterns()
    }
}

/// A pattern that does not compile. The text says which, why, and the mend.
#[derive(Debug, Clone)]
pub struct PatternError {
    pattern: Option<String>,
    cause: regex::Error,
}

impl PatternError {
    fn of<S: AsRef<str>>(patterns: &[S], together: regex::Error) -> Self {
        let first = patterns.iter().map(AsRef::as_ref).find_map(|pattern| {
            let cause = Regex::new(pattern).err()?;
            Some((pattern.to_owned(), cause))
        });
        match first {
            Some((pattern, cause)) => Self {
                pattern: Some(pattern),
                cause,
            },
            None => Self {
                pattern: None,
                cause: together,
            },
        }
    }

    /// The pattern; `None` when each compiles by itself, but all together are
    /// too large.
    #[must_use]
    pub fn pattern(&self) -> Option<&str> {
        self.pattern.as_deref()
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(pattern) = &self.pattern else {
            return f.write_str("the patterns are too large together; use fewer or simpler ones");
        };
        let look_around = ["(?=", "(?!", "(?<=", "(?<!"]
            .iter()
            .any(|group| pattern.contains(group));
        if look_around {
            write!(
                f,
                "the pattern `{pattern}` looks around, which patterns that run in linear time cannot; \
                 name what is meant: in place of `^(?!api/)`, list the paths that are exempt"
            )
        } else {
            write!(
                f,
                "the pattern `{pattern}` does not compile; write a regular expression, searched \
                 in the path without its leading slash"
            )
        }
    }
}

impl Error for PatternError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

/// The path as the most liberal of servers reads it, without its leading slash.
fn most_liberal(path: &str) -> Vec<u8> {
    let once = percent_decode(path);
    let twice = percent_decode(&String::from_utf8_lossy(&once));
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut pieces = twice.split(|byte| matches!(byte, b'/' | b'\\')).peekable();
    while let Some(piece) = pieces.next() {
        let segment = piece.split(|byte| *byte == b';').next().unwrap_or_default();
        let is_last = pieces.peek().is_none();
        match segment {
            b".." => drop(segments.pop()),
            b"" | b"." => {}
            named => segments.push(named),
        }
        // A slash at the end is part of the path.
        if is_last && matches!(segment, b"" | b"." | b"..") {
            segments.push(b"");
        }
    }
    segments.join(&b'/')
}

fn without_leading_slashes(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|byte| *byte != b'/');
    path.get(start.unwrap_or(path.len())..).unwrap_or_default()
}

fn is_ambiguous(path: &str) -> bool {
    let segments = path.strip_prefix('/').unwrap_or(path);
    let last = segments.split('/').count() - 1;
    segments.split('/').enumerate().any(|(number, segment)| {
        // The last may be empty: a path that ends with a slash, or the root.
        let hole = segment.is_empty() && number != last;
        let plain = percent_decode(segment);
        let odd = |byte: &u8| byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'%' | b';');
        hole || matches!(plain.as_slice(), b"." | b"..") || plain.iter().any(odd)
    })
}

fn percent_decode(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1).zip(bytes.get(at + 2));
        match pair.and_then(|(high, low)| Some((hex(*high)? << 4) | hex(*low)?)) {
            Some(decoded) if *byte == b'%' => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    // A hex digit is below 16, so the cast keeps its value.
    (digit as char).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exempt_path_is_never_an_ambiguous_one() {
        let hooks = Paths::new(["^hook/", "^$"]).unwrap();
        for (path, found) in [
            ("/hook/", true),
            ("/hook/pay", true),
            ("/%68ook/pay", true),
            ("/hook/caf%C3%A9", true),
            ("/", true),
            ("/hook", false),
            ("/hook/../admin", false),
            ("/hook/%2e%2E/admin", false),
            ("/hook/./x", false),
            ("/hook%2f..%2fadmin", false),
            ("/hook%2fx", false),
            ("/hook/..%5cadmin", false),
            ("/hook/..\\admin", false),
            ("/hook/%252e%252e/admin", false),
            ("/hook/..;/admin", false),
            ("/hook/x%00", false),
            ("//hook/", false),
            ("/hook//x", false),
            ("/x/hook/", false),
        ] {
            assert_eq!(hooks.find_unambiguous(path), found, "{path}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_run_is_named_with_the_mend() {
        let error = Paths::new(["^ok$", "^(?!api/)"]).unwrap_err();
        assert_eq!(error.pattern(), Some("^(?!api/)"));
        assert!(error.to_string().contains("list the paths"), "{error}");
        let error = Paths::new(["("]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the pattern `(` does not compile"),
            "{error}"
        );
        assert!(error.source().is_some());
    }
}
