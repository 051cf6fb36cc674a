//! An examination for machines. `docs/explain.md` documents the form; `version`
//! changes when a member changes its meaning or goes away.

use sealwax_policy::{Change, Mode};
use serde_json::{Value, json};

use super::examine::{Examination, Verdict};
use super::parts::{Comparison, Part};

const VERSION: u32 = 1;

pub(crate) fn render(examination: &Examination, policy: &str, names: Option<&str>) -> Value {
    json!({
        "version": VERSION,
        "url": examination.url,
        "policy": policy,
        "names": names,
        "site": examination.site,
        "mode": match examination.mode { Mode::Enforce => "enforce", Mode::Report => "report" },
        "verdict": verdict(examination),
        "request": {
            "line": examination.request_line,
            "headers": headers(&examination.request),
            "notes": changes(&examination.request.notes),
        },
        "response": examination.response.as_ref().map(|response| json!({
            "status": examination.status.as_u16(),
            "headers": headers(response),
            "notes": changes(&response.notes),
        })),
    })
}

fn verdict(examination: &Examination) -> Value {
    let status = examination.status.as_u16();
    match &examination.verdict {
        Verdict::Forwarded => json!({ "kind": "forwarded" }),
        Verdict::Answered { problem: None } if examination.status.is_redirection() => {
            json!({ "kind": "redirected", "status": status })
        }
        Verdict::Answered { problem: None } => json!({ "kind": "answered", "status": status }),
        Verdict::Answered {
            problem: Some(problem),
        } => {
            json!({ "kind": "refused", "status": status, "mend": problem.for_operator() })
        }
        Verdict::Refused { rule, mend } => json!({
            "kind": "refused", "status": status, "rule": rule.id(),
            "reason": rule.reason(), "reference": rule.reference(), "mend": mend,
        }),
        Verdict::Health => json!({ "kind": "health", "status": status }),
    }
}

fn headers(comparison: &Comparison) -> Vec<Value> {
    comparison.parts.iter().map(header).collect()
}

fn header(part: &Part) -> Value {
    json!({ "name": part.name, "before": part.before, "after": part.after, "changes": changes(&part.why) })
}

fn changes(changes: &[Change]) -> Vec<Value> {
    changes.iter().map(change).collect()
}

fn change(change: &Change) -> Value {
    json!({
        "rule": change.rule.id(),
        "action": change.action.as_str(),
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
        "applied": change.applied,
        "sign_of_theft": change.notable && change.rule.is_sign_of_theft(),
        "reason": change.rule.reason(),
        "reference": change.rule.reference(),
    })
}
