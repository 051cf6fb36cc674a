//! What is not TOML, in the words of somebody who did not write a parser.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue, Error};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Place, Source};

/// For so many mistakes the other place they belong to is looked for; each
/// costs a walk through the file.
const LOOKED_UP: usize = 100;

/// Tells each mistake of syntax, one for each line; gives the starts of the
/// lines that are spoilt by one.
pub(crate) fn explain(
    source: &Arc<Source>,
    root: &DeTable<'_>,
    errors: &[Error],
    out: &mut Diagnostics,
) -> BTreeSet<usize> {
    let mut spoilt = BTreeSet::new();
    let mut list_line: Option<Range<usize>> = None;
    let nothing = DeTable::new();
    for (number, error) in errors.iter().enumerate() {
        let place = Place::new(source, error.span().unwrap_or_default());
        let line = place.lines();
        // What follows the first mistake of a line mostly follows from it.
        let first = spoilt.insert(line.start);
        // A list that is not closed runs on through the lines below it.
        let in_list = is_about_list(error.message());
        let runs_on = in_list && list_line.is_some_and(|last| line.start <= last.end + 1);
        list_line = in_list.then_some(line);
        if first && !runs_on {
            let root = if number < LOOKED_UP { root } else { &nothing };
            out.push(explain_one(error, &place, root));
        }
    }
    spoilt
}

fn explain_one(error: &Error, place: &Place, root: &DeTable<'_>) -> Diagnostic {
    let message = error.message();
    let is = |beginning: &str| message.starts_with(beginning);
    if is("duplicate key") {
        return duplicate(place, root);
    }
    let broken_value = [
        "string values must be quoted",
        "invalid float",
        "invalid integer",
        "invalid boolean",
        "invalid date",
        "invalid time",
    ];
    if broken_value.iter().any(|beginning| is(beginning)) {
        let value = whole_value(place);
        let text = value.text();
        if !text.is_empty() {
            let quoted = format!("{:?}", text.trim_matches(['"', '\'']));
            return Diagnostic::error(
                "a value is neither a number, nor true or false, nor text in quotes",
            )
            .at(&value, "text needs quotes")
            .mend(format!("write {quoted}"));
        }
    }
    if is_about_list(message) {
        let begin = innermost_list(root, place.span().start).map(|at| place.elsewhere(at..at + 1));
        return Diagnostic::error("a list does not end as it should")
            .at(place, "here `,` or `]` was expected")
            .and(begin.as_ref(), "the list begins here")
            .mend("put commas between the items and ] after the last");
    }
    let (cause, label, mend) = if is("unclosed table") {
        (
            "the name of a table is not closed",
            "`]` is missing",
            "write [listen]",
        )
    } else if is("unclosed array table") {
        (
            "the name of a table is not closed",
            "`]]` is missing",
            "write [[site]]",
        )
    } else if is("unclosed inline table") {
        (
            "a table does not end as it should",
            "here `,` or `}` was expected",
            "put commas between the entries and } after the last",
        )
    } else if is("invalid basic string") || is("invalid literal string") {
        (
            "a text does not end as it should",
            "a quote is missing",
            "put quotes around the text, both on the same line",
        )
    } else if is("key with no value") {
        ("a key has no value", "`=` is missing", "write key = value")
    } else if is("unexpected key or value") {
        (
            "two settings stand on one line",
            "the second begins here",
            "begin a new line for each setting",
        )
    } else if is("invalid unquoted key") || is("unquoted keys cannot be empty") {
        (
            "a key needs quotes",
            "not a letter, digit, `-` or `_`",
            "write key = value; put a key with other characters in quotes",
        )
    } else {
        (
            "this is not TOML",
            message,
            "see https://toml.io for the form of the file",
        )
    };
    Diagnostic::error(cause).at(place, label).mend(mend)
}

fn is_about_list(message: &str) -> bool {
    let beginnings = [
        "unclosed array, ",
        "missing comma between array",
        "unexpected `=` in array",
    ];
    beginnings
        .iter()
        .any(|beginning| message.starts_with(beginning))
}

/// Where the innermost list around `at` begins.
fn innermost_list(table: &DeTable<'_>, at: usize) -> Option<usize> {
    let mut found = None;
    for value in table.values() {
        match value.get_ref() {
            DeValue::Table(inner) => found = found.max(innermost_list(inner, at)),
            DeValue::Array(items) => {
                let span = value.span();
                let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                // An array of tables has the place of its first header.
                if span.start < at
                    && at <= span.end
                    && items.iter().all(|item| item.span().end <= span.end)
                {
                    found = found.max(Some(span.start));
                }
                for inner in tables {
                    found = found.max(innermost_list(inner, at));
                }
            }
            _ => {}
        }
    }
    found
}

fn duplicate(place: &Place, root: &DeTable<'_>) -> Diagnostic {
    let name = place.text();
    let earlier = earlier_key(root, name.trim_matches(['"', '\'']), place.span().start)
        .map(|span| place.elsewhere(span))
        .or_else(|| (!root.is_empty()).then(|| earlier_header(place)).flatten());
    Diagnostic::error(format!("`{name}` is given twice"))
        .at(place, "given again")
        .and(earlier.as_ref(), "first here")
        .mend("keep one of the two")
}

/// The last key `name` before `before` that the parser kept.
fn earlier_key(table: &DeTable<'_>, name: &str, before: usize) -> Option<Range<usize>> {
    let mut best: Option<Range<usize>> = None;
    let mut look = |span: Option<Range<usize>>| {
        if let Some(span) = span
            && span.start < before
            && best.as_ref().is_none_or(|best| best.start < span.start)
        {
            best = Some(span);
        }
    };
    for (key, value) in table {
        if key.get_ref() == name {
            look(Some(key.span()));
        }
        match value.get_ref() {
            DeValue::Table(inner) => look(earlier_key(inner, name, before)),
            DeValue::Array(items) => {
                for inner in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    look(earlier_key(inner, name, before));
                }
            }
            _ => {}
        }
    }
    best
}

/// The same `[header]` on an earlier line: the parser keeps only the later one.
fn earlier_header(place: &Place) -> Option<Place> {
    let text = &place.source().text;
    let line = text.get(place.lines())?.trim();
    if !line.starts_with('[') {
        return None;
    }
    let mut start = 0;
    for earlier in text.get(..place.lines().start)?.split_inclusive('\n') {
        if earlier.trim() == line {
            return Some(place.elsewhere(start..start + earlier.trim_end().len()));
        }
        start += earlier.len();
    }
    None
}

/// The parser stops in the middle of a value; this is all of it.
fn whole_value(place: &Place) -> Place {
    let text = &place.source().text;
    let line = place.lines();
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | '#');
    let begins = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | '{' | '=');
    let start = place.span().start;
    let before = text.get(line.start..start).unwrap_or_default();
    let after = text.get(start..line.end).unwrap_or_default();
    let from = before
        .rfind(begins)
        .map_or(line.start, |at| line.start + at + 1);
    let to = after.find(ends).map_or(line.end, |at| start + at);
    place.elsewhere(from..to)
}
