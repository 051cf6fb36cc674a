//! Diagnostics as rustc would print them.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::source::{Place, Source};

/// Diagnostics shown at most; a file of nonsense would otherwise fill the
/// terminal.
const MOST: usize = 100;

/// A line longer than this (bytes) is shown around the mark only.
const LONGEST_LINE: usize = 2000;

pub(crate) fn diagnostics(all: &Diagnostics, color: bool) -> String {
    let mut out = String::new();
    for item in all.iter().take(MOST) {
        out.push_str(&diagnostic(item, color));
        out.push('\n');
    }
    let errors = all.errors();
    let warnings = all.len() - errors;
    if all.len() > MOST {
        out.push_str(&format!("… and {} more\n", all.len() - MOST));
    }
    if all.len() > 1 {
        let level = if errors > 0 {
            Level::ERROR
        } else {
            Level::WARNING
        };
        let title = format!("the configuration has {}", count(errors, warnings));
        let group = Group::with_title(level.primary_title(title));
        out.push_str(&renderer(color).render(&[group]));
        out.push('\n');
    }
    out
}

pub(crate) fn diagnostic(item: &Diagnostic, color: bool) -> String {
    let level = match item.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(item.cause.as_str()));
    for snippet in snippets(item) {
        group = group.element(snippet);
    }
    if !item.mend.is_empty() {
        group = group.element(Level::HELP.message(item.mend.as_str()));
    }
    let rendered = renderer(color).render(&[group]);
    let mut text = String::with_capacity(rendered.len() + 1);
    for line in rendered.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn renderer(color: bool) -> Renderer {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.decor_style(DecorStyle::Ascii)
}

fn count(errors: usize, warnings: usize) -> String {
    let plural = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    match (errors, warnings) {
        (0, w) => plural(w, "warning"),
        (e, 0) => plural(e, "error"),
        (e, w) => format!("{} and {}", plural(e, "error"), plural(w, "warning")),
    }
}

/// One marked stretch: primary or not, where, and what stands under it.
struct Mark<'a>(AnnotationKind, &'a Place, &'a str);

/// One snippet for each file that has a part in the mistake, and one for all
/// flags and variables.
fn snippets(item: &Diagnostic) -> Vec<Snippet<'_, Annotation<'_>>> {
    let primary = item
        .place
        .iter()
        .map(|p| Mark(AnnotationKind::Primary, p, item.label.as_str()));
    let others = item
        .others
        .iter()
        .map(|(p, l)| Mark(AnnotationKind::Context, p, l.as_str()));
    let mut marks: Vec<Mark<'_>> = primary.chain(others).collect();
    let mut out = Vec::new();
    while let Some(&Mark(_, first, _)) = marks.first() {
        let source = Arc::clone(first.source());
        let (here, elsewhere): (Vec<_>, Vec<_>) = marks.into_iter().partition(|Mark(_, p, _)| {
            Arc::ptr_eq(p.source(), &source) || !(p.is_in_file() || first.is_in_file())
        });
        out.push(if first.is_in_file() {
            in_file(&source, &here)
        } else {
            typed(&here)
        });
        marks = elsewhere;
    }
    out
}

fn in_file<'a>(source: &Source, marks: &[Mark<'_>]) -> Snippet<'a, Annotation<'a>> {
    let window = window(marks);
    // Cutting the text to the lines in question keeps this fast in large files.
    let text = source
        .text
        .get(window.clone())
        .unwrap_or_default()
        .to_owned();
    let before = source.text.get(..window.start).unwrap_or_default();
    let first_line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let annotations = marks.iter().map(|Mark(kind, place, label)| {
        let span = place.span();
        let inside = |at: usize| at.clamp(window.start, window.end) - window.start;
        annotation(*kind, inside(span.start)..inside(span.end), label)
    });
    Snippet::source(text)
        .line_start(first_line)
        .path(source.origin.to_string())
        .annotations(annotations)
}

/// Flags and variables as they would be typed, one on each line.
fn typed<'a>(marks: &[Mark<'_>]) -> Snippet<'a, Annotation<'a>> {
    let mut text = String::new();
    let mut shown: Vec<(&Arc<Source>, usize)> = Vec::new();
    let mut annotations = Vec::new();
    for Mark(kind, place, label) in marks {
        let known = shown
            .iter()
            .find(|(source, _)| Arc::ptr_eq(source, place.source()));
        let start = known.map(|(_, start)| *start).unwrap_or_else(|| {
            if !text.is_empty() {
                text.push('\n');
            }
            let start = text.len();
            // A line break inside a value would look like another variable.
            text.push_str(&place.source().text.replace(['\n', '\r'], " "));
            shown.push((place.source(), start));
            start
        });
        let span = place.span();
        annotations.push(annotation(
            *kind,
            start + span.start..start + span.end,
            label,
        ));
    }
    Snippet::source(text)
        .line_numbering(false)
        .annotations(annotations)
}

fn annotation<'a>(kind: AnnotationKind, span: Range<usize>, label: &str) -> Annotation<'a> {
    kind.span(span)
        .label((!label.is_empty()).then(|| label.to_owned()))
}

/// The whole lines of all marks; in a very long line, what is around the mark.
fn window(marks: &[Mark<'_>]) -> Range<usize> {
    let start = marks
        .iter()
        .map(|Mark(_, place, _)| place.lines().start)
        .min()
        .unwrap_or_default();
    let end = marks
        .iter()
        .map(|Mark(_, place, _)| place.lines().end)
        .max()
        .unwrap_or_default();
    let [Mark(_, only, _)] = marks else {
        return start..end;
    };
    if end - start <= LONGEST_LINE {
        return start..end;
    }
    let text = &only.source().text;
    let near = only
        .span()
        .start
        .saturating_sub(LONGEST_LINE / 4)
        .max(start);
    let far = (only.span().start + LONGEST_LINE / 4).min(end);
    text.ceil_char_boundary(near)..text.floor_char_boundary(far)
}
