//! Two heads side by side: what stayed, what went, what came, and which
//! decisions speak of it.

use http::HeaderMap;
use sealwax_policy::{Action, Change, Rule};

const SET_COOKIE: &str = "set-cookie";

/// One header, or one cookie that is set: its lines before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Header name in lower case.
    pub(crate) name: String,
    pub(crate) before: Vec<String>,
    pub(crate) after: Vec<String>,
    /// The decisions about it.
    pub(crate) why: Vec<Change>,
}

impl Part {
    pub(crate) fn is_changed(&self) -> bool {
        self.before != self.after
    }

    /// The lines that it would have become outside report mode.
    pub(crate) fn left_undone(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self
            .why
            .iter()
            .filter(|change| !change.applied && change.action != Action::Reported)
            .filter_map(|change| change.after.as_deref())
            .collect();
        lines.dedup();
        lines
    }
}

/// A head taken apart; `notes` are the decisions about no line in particular.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) parts: Vec<Part>,
    pub(crate) notes: Vec<Change>,
}

/// Compares two heads and hands each of `changes` to the line it speaks of.
pub(crate) fn compare(before: &HeaderMap, after: &HeaderMap, changes: Vec<Change>) -> Comparison {
    let mut changes = Changes(changes);
    let mut parts = Vec::new();
    for name in before.keys().map(http::HeaderName::as_str) {
        if name == SET_COOKIE {
            set_cookies(
                lines(before, name),
                lines(after, name),
                &mut changes,
                &mut parts,
            );
        } else {
            let (before, after) = (lines(before, name), lines(after, name));
            parts.push(Part {
                before,
                after,
                why: changes.about_header(name),
                name: name.to_owned(),
            });
        }
    }
    let mut new: Vec<&str> = after
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| !before.contains_key(*name))
        .collect();
    // A map forgets its order when something is taken out; the record does not.
    new.sort_by_key(|name| changes.first_about(name));
    for name in new {
        if name == SET_COOKIE {
            set_cookies(Vec::new(), lines(after, name), &mut changes, &mut parts);
        } else {
            parts.push(Part {
                before: Vec::new(),
                after: lines(after, name),
                why: changes.about_header(name),
                name: name.to_owned(),
            });
        }
    }
    while let Some(name) = changes.next_left_undone() {
        let why = changes.about_header(&name);
        parts.push(Part {
            name,
            before: Vec::new(),
            after: Vec::new(),
            why,
        });
    }
    Comparison {
        parts,
        notes: changes.0,
    }
}

/// Each Set-Cookie line is a part of its own, with all the lines that it
/// became; lines that stand for themselves (the deletion of a stale form)
/// follow.
fn set_cookies(
    before: Vec<String>,
    mut after: Vec<String>,
    changes: &mut Changes,
    parts: &mut Vec<Part>,
) {
    for line in before {
        let why = changes.about_cookie_line(&line);
        let deleted = why
            .iter()
            .find(|change| change.rule == Rule::CookieDeleted && change.applied);
        let became = match (
            deleted,
            why.iter()
                .find_map(|change| change.after.clone().filter(|_| change.applied)),
        ) {
            (Some(deletion), _) => after
                .extract_if(.., |new| is_form_of(new, &deletion.subject))
                .collect(),
            (None, Some(new)) if take(&mut after, &new) => vec![new],
            _ if take(&mut after, &line) => vec![line.clone()],
            _ => Vec::new(),
        };
        parts.push(Part {
            name: SET_COOKIE.to_owned(),
            before: vec![line],
            after: became,
            why,
        });
    }
    for line in after {
        let why = changes.about_cookie_line(&line);
        parts.push(Part {
            name: SET_COOKIE.to_owned(),
            before: Vec::new(),
            after: vec![line],
            why,
        });
    }
}

fn take(lines: &mut Vec<String>, wanted: &str) -> bool {
    match lines.iter().position(|line| line == wanted) {
        Some(at) => {
            lines.remove(at);
            true
        }
        None => false,
    }
}

/// The values of one header as text that is safe to print.
fn lines(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .map(|value| printable(value.as_bytes()))
        .collect()
}

/// Bytes as text that is safe to print: what is not printable becomes an
/// escape, as in the record of changes, which must compare equal.
pub(crate) fn printable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

/// The decisions that have not found their line yet.
struct Changes(Vec<Change>);

impl Changes {
    /// Where the record speaks of a header first; cookies come after all others.
    fn first_about(&self, name: &str) -> usize {
        self.0
            .iter()
            .position(|change| change.subject == name)
            .unwrap_or(usize::MAX)
    }

    /// A header that report mode did not add.
    fn next_left_undone(&self) -> Option<String> {
        let undone = self.0.iter().find(|change| {
            let of_header =
                matches!(change.action, Action::Added) && !matches!(change.rule, Rule::Cookie(_));
            of_header && !change.applied && change.after.is_some()
        });
        undone.map(|change| change.subject.clone())
    }

    fn about_header(&mut self, name: &str) -> Vec<Change> {
        self.take(|change| match change.rule {
            Rule::CookieDropped(_) => name == "cookie",
            Rule::Cookie(_) => false,
            _ => change.subject == name,
        })
    }

    fn about_cookie_line(&mut self, line: &str) -> Vec<Change> {
        let exact = self.take(|change| change.before.as_deref() == Some(line));
        let mut by_name = self.take(|change| {
            let of_cookie = change.rule.id().starts_with("cookie.") && change.before.is_none();
            of_cookie && is_form_of(line, &change.subject)
        });
        let mut all = exact;
        all.append(&mut by_name);
        all
    }

    fn take(&mut self, wanted: impl Fn(&Change) -> bool) -> Vec<Change> {
        self.0.extract_if(.., |change| wanted(change)).collect()
    }
}

/// Whether a Set-Cookie line is about the cookie that the app calls `subject`.
fn is_form_of(line: &str, subject: &str) -> bool {
    let name = line.split(['=', ';']).next().unwrap_or_default().trim();
    let own = name
        .strip_prefix("__Host-")
        .or_else(|| name.strip_prefix("__Secure-"))
        .unwrap_or(name);
    !subject.is_empty() && (name == subject || own == subject)
}
