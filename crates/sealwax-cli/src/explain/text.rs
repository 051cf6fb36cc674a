//! An examination as text: both heads like a diff, each change with its reason.

use http::StatusCode;
use sealwax_policy::{Action, Change, Mode, Rule};

use super::examine::{Examination, Verdict};
use super::parts::{Comparison, Part};
use crate::terminal::Paint;

/// The whole examination. `basis` says which policy and memory it rests on.
pub(crate) fn render(examination: &Examination, basis: &[String], paint: Paint) -> String {
    let mut out = String::new();
    line(
        &mut out,
        &paint.bold(format!("{} {}", method(examination), examination.url)),
    );
    for fact in basis {
        line(&mut out, &paint.dim(format!("  {fact}")));
    }
    if examination.mode == Mode::Report {
        line(
            &mut out,
            &paint.yellow(
                "  mode = \"report\": responses are left as they are; what would be done is told",
            ),
        );
    }
    line(&mut out, "");
    request(&mut out, examination, paint);
    if let Some(comparison) = &examination.response {
        line(&mut out, "");
        let from = match examination.verdict {
            Verdict::Forwarded => "Response, from the app to the client",
            _ => "Response, made here, to the client",
        };
        line(&mut out, &paint.bold(from));
        line(
            &mut out,
            &format!("    HTTP/1.1 {}", status(examination.status)),
        );
        heads(&mut out, comparison, paint);
    }
    out
}

fn request(out: &mut String, examination: &Examination, paint: Paint) {
    let forwarded = matches!(examination.verdict, Verdict::Forwarded);
    line(
        out,
        &paint.bold(if forwarded {
            "Request, from the client to the app"
        } else {
            "Request, from the client"
        }),
    );
    line(out, &format!("    {}", examination.request_line));
    heads(out, &examination.request, paint);
    match &examination.verdict {
        Verdict::Forwarded => {}
        Verdict::Answered { problem } => {
            line(
                out,
                &format!(
                    "  {}",
                    paint.yellow(format!(
                        "→ {}; the app is not asked",
                        status(examination.status)
                    ))
                ),
            );
            if let Some(problem) = problem {
                line(out, &format!("    help: {}", problem.for_operator()));
            }
        }
        Verdict::Refused { rule, mend } => {
            line(
                out,
                &format!(
                    "  {}",
                    paint.yellow(format!(
                        "→ {}; the app is not asked",
                        status(examination.status)
                    ))
                ),
            );
            line(
                out,
                &format!(
                    "      {}",
                    reason(rule.id(), rule.reason(), rule.reference(), paint)
                ),
            );
            line(out, &format!("    help: {mend}"));
        }
        Verdict::Health => line(
            out,
            "  → 200 OK: the gateway's own health path; the app is not asked",
        ),
    }
}

/// The lines of one head, then what was decided about none of them. A reason
/// that was given once is named afterwards.
pub(crate) fn heads(out: &mut String, comparison: &Comparison, paint: Paint) {
    let mut told: Vec<Rule> = Vec::new();
    let mut parts = comparison.parts.iter().peekable();
    while let Some(part) = parts.next() {
        lines_of(out, part, paint);
        // Five headers added for one reason need to hear it only once.
        let same_reason = parts.peek().is_some_and(|next| {
            next.is_changed() && part.is_changed() && rules(next) == rules(part)
        });
        if !same_reason {
            reasons(out, part, &mut told, paint);
        }
    }
    for change in &comparison.notes {
        line(out, &note(change, paint));
    }
}

fn reasons(out: &mut String, part: &Part, told: &mut Vec<Rule>, paint: Paint) {
    let mut again = Vec::new();
    for change in &part.why {
        if told.contains(&change.rule) {
            again.push(change.rule.id());
            continue;
        }
        told.push(change.rule);
        line(out, &why(change, paint));
    }
    if !again.is_empty() {
        line(
            out,
            &format!(
                "      {}  {}",
                paint.bold(again.join(", ")),
                paint.dim("as above")
            ),
        );
    }
}

fn rules(part: &Part) -> Vec<&'static str> {
    part.why.iter().map(|change| change.rule.id()).collect()
}

fn lines_of(out: &mut String, part: &Part, paint: Paint) {
    let name = title_case(&part.name);
    if part.is_changed() {
        for value in &part.before {
            line(out, &paint.red(format!("  - {name}: {value}")));
        }
        for value in &part.after {
            line(out, &paint.green(format!("  + {name}: {value}")));
        }
    } else {
        for value in &part.before {
            line(out, &format!("    {name}: {value}"));
        }
    }
    for value in part.left_undone() {
        line(out, &paint.yellow(format!("  ~ {name}: {value}")));
    }
}

fn introduction(change: &Change) -> &'static str {
    match change.action {
        _ if change.notable && change.rule.is_sign_of_theft() => THEFT,
        Action::Reported => "note: ",
        _ => "",
    }
}

const THEFT: &str = "a sign of theft: ";

/// The reason for a change to a line.
fn why(change: &Change, paint: Paint) -> String {
    let sentence = format!("{}{}", introduction(change), change.rule.reason());
    format!(
        "      {}",
        reason(change.rule.id(), &sentence, change.rule.reference(), paint)
    )
}

/// A decision about no line in particular.
fn note(change: &Change, paint: Paint) -> String {
    let mut sentence = String::new();
    if !change.applied && change.action != Action::Reported {
        sentence.push_str(&format!("would be {}: ", change.action.as_str()));
    }
    if !matches!(change.subject.as_str(), "request" | "response") {
        sentence.push_str(&format!("`{}`: ", change.subject));
    }
    if change.notable && change.rule.is_sign_of_theft() {
        sentence.push_str(THEFT);
    }
    sentence.push_str(change.rule.reason());
    let cited = reason(change.rule.id(), &sentence, change.rule.reference(), paint);
    match &change.after {
        Some(after) if !change.applied => format!("  * {cited}\n  ~ {after}"),
        _ => format!("  * {cited}"),
    }
}

fn reason(rule: &str, sentence: &str, reference: &str, paint: Paint) -> String {
    // The sentences about single cookies cite their section themselves.
    let cited = if sentence.contains(reference) {
        sentence.to_owned()
    } else {
        format!("{} ({reference}).", sentence.trim_end_matches('.'))
    };
    format!("{}  {}", paint.bold(rule), paint.dim(cited))
}

fn method(examination: &Examination) -> &str {
    examination
        .request_line
        .split(' ')
        .next()
        .unwrap_or_default()
}

fn status(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// `set-cookie` as people know it: names of fields are case-insensitive
/// (RFC 9110 §5.1).
pub(crate) fn title_case(name: &str) -> String {
    let word = |word: &str| match word {
        "ip" | "te" | "www" => word.to_ascii_uppercase(),
        "etag" => "ETag".to_owned(),
        _ => {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| {
                format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
            })
        }
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}
