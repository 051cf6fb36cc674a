//! Where a setting was written: a file, a command-line flag or a variable.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What kind of text a setting was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The configuration file at this path.
    File(PathBuf),
    /// A command-line flag, with its dashes: `--to`.
    Flag(&'static str),
    /// An environment variable: `SEALWAX_LISTEN_HTTPS`.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
        }
    }
}

/// A whole text and where it came from. Flags and variables are kept as they
/// would be typed (`--to VALUE`, `NAME=VALUE`), so that all three are shown the
/// same way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) origin: Origin,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn file(path: &Path, text: String) -> Arc<Self> {
        Arc::new(Self {
            origin: Origin::File(path.to_owned()),
            text,
        })
    }
}

/// One stretch of a text: the place of a setting or of a mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    source: Arc<Source>,
    span: Range<usize>,
}

impl Place {
    /// `span` is brought inside the text and onto character boundaries, so
    /// that showing it can never fail.
    pub(crate) fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let text = &source.text;
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
        Self {
            source: Arc::clone(source),
            span: start..end,
        }
    }

    /// The value of a flag.
    pub(crate) fn flag(name: &'static str, value: &str) -> Self {
        let text = format!("{name} {value}");
        let span = name.len() + 1..text.len();
        Self::new(
            &Arc::new(Source {
                origin: Origin::Flag(name),
                text,
            }),
            span,
        )
    }

    /// The value of a variable.
    pub(crate) fn variable(name: &str, value: &str) -> Self {
        let text = format!("{name}={value}");
        let span = name.len() + 1..text.len();
        Self::new(
            &Arc::new(Source {
                origin: Origin::Variable(name.to_owned()),
                text,
            }),
            span,
        )
    }

    /// A stretch inside this one, counted from its start.
    pub(crate) fn within(&self, part: Range<usize>) -> Self {
        let start = self.span.start;
        Self::new(
            &self.source,
            start + part.start..(start + part.end).min(self.span.end),
        )
    }

    /// The same text with another stretch.
    pub(crate) fn elsewhere(&self, span: Range<usize>) -> Self {
        Self::new(&self.source, span)
    }

    /// Which file, flag or variable this is in.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.source.origin
    }

    /// The line, counted from 1. Always 1 for flags and variables.
    #[must_use]
    pub fn line(&self) -> usize {
        self.before().bytes().filter(|b| *b == b'\n').count() + 1
    }

    /// The column in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.before()
            .chars()
            .rev()
            .take_while(|c| *c != '\n')
            .count()
            + 1
    }

    /// The text at this place.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text.get(self.span.clone()).unwrap_or_default()
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(crate) fn is_in_file(&self) -> bool {
        matches!(self.source.origin, Origin::File(_))
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The byte range of the whole lines that this place touches.
    pub(crate) fn lines(&self) -> Range<usize> {
        let text = &self.source.text;
        let start = self.before().rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(self.span.end..).unwrap_or_default();
        let end = rest.find('\n').map_or(text.len(), |at| self.span.end + at);
        start..end
    }

    fn before(&self) -> &str {
        self.source.text.get(..self.span.start).unwrap_or_default()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `sealwax.toml:3:9`, `flag --to` or `variable SEALWAX_LISTEN_HTTPS`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin() {
            origin @ Origin::File(_) => write!(f, "{origin}:{}:{}", self.line(), self.column()),
            origin => write!(f, "{origin}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let source = Source::file(Path::new("f.toml"), "a\n\u{e9} = x\n".into());
        let place = Place::new(&source, 7..8);
        assert_eq!((place.line(), place.column(), place.text()), (2, 5, "x"));
        assert_eq!(place.to_string(), "f.toml:2:5");
        assert_eq!(place.lines(), 2..8);
    }

    #[test]
    fn a_span_is_brought_into_the_text() {
        let source = Source::file(Path::new("f"), "\u{e9}".into());
        assert_eq!(Place::new(&source, 1..99).text(), "\u{e9}");
        assert_eq!(Place::flag("--to", "a").within(1..9).text(), "");
    }

    #[test]
    fn flags_and_variables_are_named() {
        assert_eq!(Place::flag("--to", "x").to_string(), "flag --to");
        assert_eq!(Place::variable("SEALWAX_A", "x").text(), "x");
    }
}
