//! A mistake, told in full: what is wrong, where, and how to mend it.

use std::fmt;

use crate::render;
use crate::source::Place;

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing starts.
    Error,
    /// It starts, but somebody should look.
    Warning,
}

/// What is wrong with one value, before its place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Ends the sentence "`listen.http` …".
    pub(crate) cause: String,
    /// Stands under the marked text.
    pub(crate) label: String,
    pub(crate) mend: String,
}

impl Fault {
    pub(crate) fn new(
        cause: impl Into<String>,
        label: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            cause: cause.into(),
            label: label.into(),
            mend: mend.into(),
        }
    }
}

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub cause: String,
    /// Where; `None` when nothing was written that could be pointed at.
    pub place: Option<Place>,
    /// What stands under the marked text; may be empty.
    pub label: String,
    /// Other places that belong to the mistake, each with its label.
    pub others: Vec<(Place, String)>,
    /// What to do about it.
    pub mend: String,
}

impl Diagnostic {
    /// An error that has no place in the configuration, such as a file that
    /// cannot be read. `cause` is one sentence without a full stop, `mend` what
    /// to do about it.
    #[must_use]
    pub fn unplaced(cause: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::error(cause).mend(mend)
    }

    /// An error; add the place and the mend.
    pub(crate) fn error(cause: impl Into<String>) -> Self {
        Self::new(Severity::Error, cause.into())
    }

    /// A warning; add the place and the mend.
    pub(crate) fn warning(cause: impl Into<String>) -> Self {
        Self::new(Severity::Warning, cause.into())
    }

    fn new(severity: Severity, cause: String) -> Self {
        Self {
            severity,
            cause,
            place: None,
            label: String::new(),
            others: Vec::new(),
            mend: String::new(),
        }
    }

    pub(crate) fn at(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.place = Some(place.clone());
        self.label = label.into();
        self
    }

    /// As [`Diagnostic::at`], where there may be no place.
    pub(crate) fn at_any(self, place: Option<&Place>, label: impl Into<String>) -> Self {
        match place {
            Some(place) => self.at(place, label),
            None => self,
        }
    }

    pub(crate) fn and(mut self, place: Option<&Place>, label: impl Into<String>) -> Self {
        self.others
            .extend(place.map(|place| (place.clone(), label.into())));
        self
    }

    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = mend.into();
        self
    }

    /// The diagnostic in the look of rustc's, ending in a newline. With
    /// `color`, it holds ANSI escape sequences.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        render::diagnostic(self, color)
    }
}

/// One line: place, cause, mend.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.cause)?;
        if !self.mend.is_empty() {
            write!(f, "; {}", self.mend)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// All mistakes of one configuration, errors and warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.items.extend(other.items);
    }

    /// File first, in the order of its lines; then variables by name, then
    /// flags; what has no place comes last. What was reached by two ways (a
    /// value of every site) is told once.
    pub(crate) fn sort(&mut self) {
        use crate::source::Origin;
        self.items.sort_by_key(|d| {
            let rank = match d.place.as_ref().map(Place::origin) {
                Some(Origin::File(_)) => 0,
                Some(Origin::Variable(_)) => 1,
                Some(Origin::Flag(_)) => 2,
                None => 3,
            };
            let in_file = d.place.as_ref().filter(|place| place.is_in_file());
            (rank, in_file.map_or(0, |place| place.span().start))
        });
        self.items.dedup();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.items
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count()
    }

    /// In the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// All of them in the look of rustc's, with a line at the end that counts
    /// them when there is more than one. At most 100 are shown.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        render::diagnostics(self, color)
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            items: vec![diagnostic],
        }
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// One line for each diagnostic.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, item) in self.items.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
