//! The kinds of values that settings have, and how a variable writes each.

use std::fmt;

use zeroize::Zeroizing;

/// Key material as it was written. It is wiped when dropped and never printed.
///
/// ```
/// use sealwax::Secret;
///
/// let secret = Secret::new("an example of fifty characters, which nobody guesses!");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text of a secret, such as Django's `SECRET_KEY`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<S: Into<String>> From<S> for Secret {
    fn from(text: S) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// `SameSite` of a cookie (RFC 6265bis, Section 4.1.2.7).
///
/// ```
/// use sealwax::{SameSite, Settings};
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.session_cookie_samesite = SameSite::Strict;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Sent with requests of the same site and with top-level navigations to it.
    Lax,
    /// Sent with requests of the same site only.
    Strict,
    /// Sent always. Needs `Secure`.
    None,
    /// No attribute. `SealLayer` puts `Lax` there.
    Omitted,
}

impl SameSite {
    /// The value of the attribute.
    pub(crate) fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Lax => Some("Lax"),
            Self::Strict => Some("Strict"),
            Self::None => Some("None"),
            Self::Omitted => None,
        }
    }
}

/// When an unsafe request must carry Django's CSRF token.
///
/// ```
/// use sealwax::{Settings, TokenRule};
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.csrf_token = TokenRule::Always; // as Django does
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRule {
    /// Only where the browser has not said by `Sec-Fetch-Site: same-origin` or `none` that no
    /// other site made the request. Scripts and pages cannot set that header.
    WithoutFetchMetadata,
    /// Always, as in Django.
    Always,
}

/// Whether a rule acts or only tells.
///
/// ```
/// use sealwax::{Mode, Settings};
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.csrf_mode = Mode::Report; // look first
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It acts.
    Enforce,
    /// It changes and refuses nothing, and says what it would have done.
    Report,
}

/// Signed cookies with the salt of Django before June 2026 (CVE-2026-6873).
///
/// ```
/// use sealwax::{LegacySalt, Settings};
///
/// let mut settings = Settings::production(["app.example.com"]);
/// // Django 4.2 next door writes and reads the old one only.
/// settings.signed_cookie_legacy_salt_fallback = LegacySalt::Write;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacySalt {
    /// Neither accepted nor written.
    Off,
    /// Accepted; Django's `SIGNED_COOKIE_LEGACY_SALT_FALLBACK = True`.
    Read,
    /// Accepted and written, for a Django beside that knows no other.
    Write,
}

/// How one kind of value is written in a variable.
pub(super) trait Value: Sized {
    /// What is expected, to finish the sentence "is not …".
    const WANTED: &'static str;

    /// Reads the text of a variable; `None` if it is no such value.
    fn read(text: &str) -> Option<Self>;

    /// The value as a variable would write it.
    fn write(&self) -> String;
}

impl Value for bool {
    const WANTED: &'static str = "true or false";

    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            // Nothing at all is more often a slip than a wish to be less safe.
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

macro_rules! numbers {
    ($($type:ty),+) => { $(
        impl Value for $type {
            const WANTED: &'static str = "a whole number in range";

            fn read(text: &str) -> Option<Self> {
                text.replace('_', "").parse().ok()
            }

            fn write(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}
numbers!(u16, u32, u64, usize);

impl Value for String {
    const WANTED: &'static str = "text";

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn write(&self) -> String {
        self.clone()
    }
}

impl Value for Secret {
    const WANTED: &'static str = "text";

    fn read(text: &str) -> Option<Self> {
        Some(Self::new(text))
    }

    fn write(&self) -> String {
        String::new()
    }
}

/// Nothing at all, or Python's `None`, is none.
impl<T: Value> Value for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn read(text: &str) -> Option<Self> {
        match text {
            "" | "None" => Some(None),
            text => T::read(text).map(Some),
        }
    }

    fn write(&self) -> String {
        self.as_ref().map(T::write).unwrap_or_default()
    }
}

/// Separated by commas.
impl<T: Value> Value for Vec<T> {
    const WANTED: &'static str = "a list with commas between";

    fn read(text: &str) -> Option<Self> {
        let items = text.split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(T::read).collect()
    }

    fn write(&self) -> String {
        let items: Vec<String> = self.iter().map(T::write).collect();
        items.join(", ")
    }
}

/// `HTTP_X_FORWARDED_PROTO,https`.
impl Value for (String, String) {
    const WANTED: &'static str = "two words with a comma between: HTTP_X_FORWARDED_PROTO,https";

    fn read(text: &str) -> Option<Self> {
        let (name, value) = text.split_once(',')?;
        let pair = (name.trim().to_owned(), value.trim().to_owned());
        (!pair.0.is_empty() && !pair.1.contains(',')).then_some(pair)
    }

    fn write(&self) -> String {
        format!("{},{}", self.0, self.1)
    }
}

/// Words, in any case of letters.
macro_rules! words {
    ($type:ident, $wanted:literal, $( $word:literal => $variant:ident ),+) => {
        impl Value for $type {
            const WANTED: &'static str = $wanted;

            fn read(text: &str) -> Option<Self> {
                $( if text.eq_ignore_ascii_case($word) {
                    return Some(Self::$variant);
                } )+
                None
            }

            fn write(&self) -> String {
                let word = match self {
                    $( Self::$variant => $word, )+
                };
                word.to_owned()
            }
        }
    };
}
words!(SameSite, "Lax, Strict, None or omitted",
    "Lax" => Lax, "Strict" => Strict, "None" => None, "omitted" => Omitted);
words!(TokenRule, "without_fetch_metadata or always",
    "without_fetch_metadata" => WithoutFetchMetadata, "always" => Always);
words!(Mode, "enforce or report", "enforce" => Enforce, "report" => Report);

/// Django's own setting is a boolean.
impl Value for LegacySalt {
    const WANTED: &'static str = "off, read or write";

    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            other => bool::read(other).map(|read| if read { Self::Read } else { Self::Off }),
        }
    }

    fn write(&self) -> String {
        let word = match self {
            Self::Off => "off",
            Self::Read => "read",
            Self::Write => "write",
        };
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round<T: Value + PartialEq + fmt::Debug>(value: T) {
        assert_eq!(T::read(&value.write()), Some(value));
    }

    #[test]
    fn what_is_written_is_read() {
        round(true);
        round(Some(7_u64));
        round(None::<u64>);
        round(vec!["a".to_owned(), ".b".to_owned()]);
        round(Vec::<String>::new());
        round(("HTTP_X".to_owned(), "https".to_owned()));
        for same_site in [
            SameSite::Lax,
            SameSite::Strict,
            SameSite::None,
            SameSite::Omitted,
        ] {
            round(same_site);
        }
        for salt in [LegacySalt::Off, LegacySalt::Read, LegacySalt::Write] {
            round(salt);
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert_eq!(bool::read("maybe"), None);
        assert_eq!(bool::read(""), None);
        assert_eq!(u64::read("-1"), None);
        assert_eq!(u64::read("1e3"), None);
        assert_eq!(u64::read("31_449_600"), Some(31_449_600));
        assert_eq!(<(String, String)>::read("HTTP_X"), None);
        assert_eq!(SameSite::read("lax"), Some(SameSite::Lax));
        assert_eq!(LegacySalt::read("True"), Some(LegacySalt::Read));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2") && secret.write().is_empty());
    }
}
