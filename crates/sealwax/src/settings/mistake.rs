//! What is wrong with settings: every mistake at once, each with its place, cause and mend.

use std::fmt;

/// One mistake: something that cannot work.
///
/// ```
/// use sealwax::Settings;
///
/// let mistakes = Settings::production(["app.example.com:443"]).check().unwrap_err();
/// let mistake = mistakes.iter().next().unwrap();
/// assert_eq!(mistake.place, "allowed_hosts");
/// assert_eq!(mistake.cause, "`app.example.com:443` is no host and matches nothing");
/// assert!(mistake.mend.starts_with("write a name or an address without scheme, port and path"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The setting or the environment variable.
    pub place: String,
    /// What is wrong with it.
    pub cause: String,
    /// What to do.
    pub mend: String,
}

impl Mistake {
    pub(crate) fn new(
        place: impl Into<String>,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            cause: cause.into(),
            mend: mend.into(),
        }
    }

    /// An error whose text names cause and mend, with `;` between.
    pub(crate) fn of(place: &str, error: &impl fmt::Display) -> Self {
        let text = error.to_string();
        match text.rsplit_once("; ") {
            Some((cause, mend)) => Self::new(place, cause, mend),
            None => Self::new(place, text, "change it"),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.mend)
    }
}

/// Every mistake of some settings. Never empty.
///
/// ```
/// use sealwax::Settings;
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.session_cookie_age = 0;
/// settings.x_frame_options = Some("ALLOWALL".into());
/// let mistakes = settings.check().unwrap_err();
/// assert_eq!(mistakes.iter().count(), 2);
/// assert_eq!(mistakes.to_string().lines().count(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    /// Fails if there are any.
    pub(crate) fn check(mistakes: Vec<Mistake>) -> Result<(), Self> {
        match mistakes.is_empty() {
            true => Ok(()),
            false => Err(Self(mistakes)),
        }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

/// One line for each.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Something that works, but is weaker than it could be.
///
/// ```
/// use sealwax::Settings;
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// settings.session_cookie_httponly = false;
/// let warnings = settings.check()?;
/// assert_eq!(warnings[0].django, Some("W015"));
/// assert!(warnings[0].to_string().starts_with("security.W015 session_cookie_httponly: "));
/// # Ok::<(), sealwax::Mistakes>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The id of the same finding in Django's `check --deploy`, where it has one.
    pub django: Option<&'static str>,
    /// The setting.
    pub place: &'static str,
    /// What is weak about it.
    pub cause: String,
    /// What to do.
    pub mend: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.django {
            write!(f, "security.{id} ")?;
        }
        write!(f, "{}: {}; {}", self.place, self.cause, self.mend)
    }
}
