//! Did what happened have to happen?

use sealwax_tests::Record;
use sealwax_tests::wire::{self, Message, Read};

use crate::case::{Case, Seen, Tail, Want, seen};
use crate::stage::{Heard, printable};

/// The client's answers, interim ones left out; what is not exact is an error.
pub(crate) fn answers(heard: &Heard, heads: &[bool]) -> Result<(Vec<Message>, bool), String> {
    let mut rest = &heard.bytes[..];
    let mut answers = Vec::new();
    loop {
        if rest.is_empty() {
            return Ok((answers, true));
        }
        let to_head = heads.get(answers.len()).copied().unwrap_or(false);
        match wire::response(rest, to_head, heard.closed) {
            Read::Whole(message, taken) => {
                rest = &rest[taken..];
                if message.status() >= 200 {
                    answers.push(message);
                }
            }
            Read::Partial => return Ok((answers, false)),
            Read::Bad(what) => return Err(format!("the client got what is no response: {what}")),
        }
    }
}

/// Compares what client and app got with what the case wants.
pub(crate) fn verdict(
    case: &Case,
    host: &str,
    heard: &Heard,
    record: &Record,
) -> Result<(), String> {
    for connection in &record.connections {
        if let Some(bad) = &connection.bad {
            let rest = printable(connection.rest());
            return Err(format!(
                "what reached the app is no exact request: {bad}: {rest}"
            ));
        }
    }
    match &case.want {
        Want::Refused(statuses) => refused(statuses, &[], host, heard, record, false),
        Want::Broken(statuses) => refused(statuses, &[], host, heard, record, true),
        Want::PassedThenRefused(seen, statuses) => {
            refused(statuses, seen, host, heard, record, false)
        }
        Want::Denied(statuses) => denied(statuses, case.tail, host, heard, record),
        Want::Passed(seen) => passed(seen, case.tail, host, heard, record),
        Want::Optional(statuses, seen) => {
            let first = denied(statuses, case.tail, host, heard, record);
            first.or_else(|first| {
                let seen = [seen.clone()];
                passed(&seen, case.tail, host, heard, record)
                    .map_err(|second| format!("neither denied ({first}) nor passed ({second})"))
            })
        }
        Want::Either(statuses, seen) => {
            let first = refused(statuses, &[], host, heard, record, false);
            first.or_else(|first| {
                let seen = [seen.clone()];
                passed(&seen, case.tail, host, heard, record)
                    .map_err(|second| format!("neither refused ({first}) nor passed ({second})"))
            })
        }
    }
}

/// The requests `before` pass; then comes one of the statuses and the end of the connection.
fn refused(
    statuses: &[u16],
    before: &[Seen],
    host: &str,
    heard: &Heard,
    record: &Record,
    partly: bool,
) -> Result<(), String> {
    saw(record, host, before)?;
    let unfinished = record.connections.iter().any(|one| !one.rest().is_empty());
    if unfinished && !partly {
        return Err(format!(
            "the beginning of a refused request reached the app: {record:?}"
        ));
    }
    let heads: Vec<_> = before.iter().map(Seen::is_head).collect();
    let (answers, whole) = answers(heard, &heads)?;
    let (first, last) = answers.split_at(answers.len().min(before.len()));
    echoed(first, before)?;
    match last {
        [answer] if statuses.contains(&answer.status()) && whole => {}
        [] if partly => {}
        [] => return Err("no answer".to_owned()),
        others => {
            let got: Vec<_> = others.iter().map(Message::status).collect();
            return Err(format!("answered {got:?}, not one of {statuses:?}"));
        }
    }
    closed(heard)
}

fn denied(
    statuses: &[u16],
    tail: Tail,
    host: &str,
    heard: &Heard,
    record: &Record,
) -> Result<(), String> {
    let (answers, whole) = answers(heard, &[])?;
    let Some((answer, rest)) = answers.split_first() else {
        return Err("no answer".to_owned());
    };
    if !statuses.contains(&answer.status()) || !whole {
        return Err(format!(
            "answered {}, not one of {statuses:?}",
            answer.status()
        ));
    }
    let after = seen("GET", "/after");
    let after = &[after][..usize::from(!rest.is_empty() && tail == Tail::Request)];
    saw(record, host, after)?;
    echoed(rest, after)?;
    closed(heard)
}

fn passed(
    seen: &[Seen],
    tail: Tail,
    host: &str,
    heard: &Heard,
    record: &Record,
) -> Result<(), String> {
    let mut seen = seen.to_vec();
    if tail == Tail::Request {
        seen.push(crate::case::seen("GET", "/after"));
    }
    saw(record, host, &seen)?;
    if let Some(one) = record.connections.iter().find(|one| !one.rest().is_empty()) {
        return Err(format!("after it the app got {}", printable(one.rest())));
    }
    let heads: Vec<_> = seen.iter().map(Seen::is_head).collect();
    let (answers, whole) = answers(heard, &heads)?;
    if !whole {
        return Err("the last answer is not whole".to_owned());
    }
    echoed(&answers, &seen)?;
    closed(heard)
}

fn saw(record: &Record, host: &str, seen: &[Seen]) -> Result<(), String> {
    if record.requests.len() != seen.len() {
        let got: Vec<_> = record
            .requests
            .iter()
            .map(|(_, request)| format!("{} {}", request.method(), request.target()))
            .collect();
        return Err(format!("the app saw {got:?}, not {} requests", seen.len()));
    }
    for (seen, (_, request)) in seen.iter().zip(&record.requests) {
        seen.matches(request, host)?;
    }
    Ok(())
}

/// Each answer is the app's to that very request.
fn echoed(answers: &[Message], seen: &[Seen]) -> Result<(), String> {
    let statuses: Vec<_> = answers.iter().map(Message::status).collect();
    if statuses != vec![200; seen.len()] {
        return Err(format!("answered {statuses:?} to {} requests", seen.len()));
    }
    for (answer, seen) in answers.iter().zip(seen) {
        let body = seen.echo();
        if !seen.is_head() && answer.body != body {
            return Err(format!("the client got {}", printable(&answer.body)));
        }
    }
    Ok(())
}

fn closed(heard: &Heard) -> Result<(), String> {
    if heard.closed {
        Ok(())
    } else {
        Err("the connection stays open".to_owned())
    }
}
