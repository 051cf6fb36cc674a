//! Our reading of HTTP/1.1 beside that of hyper, h11, gunicorn and Node, for the committed fuzz
//! corpora and thousands of seeded mutations: where we accept a message, each of them must see the
//! same head, the same content, the same trailers and the same end, or refuse it for a reason that
//! is named here. A refusal by the other cannot make two recipients disagree over a boundary.

use std::collections::BTreeMap;

use sealwax_h1::Asked;

mod inputs;
mod readers;

use inputs::{REQUESTS, RESPONSES, inputs};
use readers::{Program, Seen, Side, by_hyper, by_program, ours};

const GET: Side = Side::Response(Asked {
    head: false,
    upgrade: None,
});
const HEAD: Side = Side::Response(Asked {
    head: true,
    upgrade: None,
});
const UPGRADE: Side = Side::Response(Asked {
    head: false,
    upgrade: Some(b"websocket"),
});

/// A part of an error by which the other refuses what we accept, and why we accept it.
type Reason = (&'static str, &'static str);

/// Compares one reader with ours over all inputs; enough of them must be accepted for that to mean
/// something.
fn compare(inputs: &[(Side, Vec<u8>)], theirs: &[Seen], reasons: &[Reason]) {
    assert_eq!(inputs.len(), theirs.len());
    let mut refusals = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut accepted = 0;
    for ((side, input), theirs) in inputs.iter().zip(theirs) {
        let ours = ours(*side, input);
        accepted += usize::from(ours.messages.iter().any(|message| message.complete));
        if let Some(what) = contradiction(&ours, theirs, &mut refusals, input) {
            wrong.push(format!(
                "{what}\n  {side:?} {}\n  ours   {ours:?}\n  theirs {theirs:?}",
                input.escape_ascii()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} contradictions, the first of them:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
    let unnamed: Vec<_> = refusals
        .iter()
        .filter(|(error, _)| !reasons.iter().any(|(known, _)| error.contains(known)))
        .collect();
    assert!(
        unnamed.is_empty(),
        "refused for no named reason: {unnamed:#?}"
    );
    for (known, why) in reasons {
        let met = refusals.keys().any(|error| error.contains(known));
        assert!(met, "no longer needed: {known:?} ({why})");
    }
    assert!(
        accepted * 5 > inputs.len(),
        "only {accepted} of {} accepted",
        inputs.len()
    );
}

fn requests() -> Vec<(Side, Vec<u8>)> {
    inputs(Side::Request, REQUESTS, "h1_request", 6000, 1)
}

fn responses() -> Vec<(Side, Vec<u8>)> {
    let mut all = inputs(GET, RESPONSES, "h1_response", 3000, 2);
    all.extend(inputs(HEAD, RESPONSES, "h1_response", 1000, 3));
    all.extend(inputs(UPGRADE, RESPONSES, "h1_response", 1000, 4));
    all
}

const EXTENSIONS: Reason = (
    "chunk extensions over limit",
    "hyper counts all extensions of a body, we those that its content does not pay for",
);

const BLANKS: Reason = (
    "illegal chunk header",
    "RFC 9112 §7.1.1 has blanks around an extension's semicolon; h11 does not",
);

const TRAILERS: [Reason; 4] = [
    (
        "bad Content-Length",
        "among trailers it frames nothing and is reported as it came; h11 reads it like a head's",
    ),
    ("conflicting Content-Length headers", "the same"),
    ("multiple Transfer-Encoding headers", "the same"),
    (
        "Only Transfer-Encoding: chunked is supported",
        "the same for Transfer-Encoding",
    ),
];

const EMPTY_LINE: Reason = (
    "no request line received",
    "RFC 9112 §2.2: a server SHOULD ignore an empty line before a request; h11 does not",
);

const TARGETS: Reason = (
    "invalid URI",
    "hyper refuses some visible ASCII in a target, such as a quotation mark, which browsers send",
);

const GUNICORN: [Reason; 4] = [
    (
        "ExpectationFailed",
        "HTTP/1.0 knows no expectations, so we ignore them there; gunicorn answers 417",
    ),
    (
        "no message after this one",
        "HTTP/1.0 with two Connection fields: gunicorn ends the connection, we may keep it",
    ),
    (
        "InvalidRequestMethod",
        "RFC 9110 §9.1: any token is a method; gunicorn takes capitals, at least three",
    ),
    (
        "Invalid HTTP header name",
        "trailers that would frame or route a head are reported as they came; gunicorn refuses them",
    ),
];

const LLHTTP: [Reason; 4] = [
    (
        "Data after `Connection: close`",
        "llhttp heeds Connection also among trailers and in interim responses",
    ),
    (
        "Invalid character in chunk size",
        "RFC 9112 §7.1.1 has blanks around an extension's semicolon; llhttp does not",
    ),
    (
        "Invalid character in chunk extensions",
        "the same, and quoted pairs (RFC 9110 §5.6.4)",
    ),
    (
        "Content-Length can't be present with Transfer-Encoding",
        "among trailers it frames nothing and is reported as it came; llhttp reads it like a head's",
    ),
];

const LLHTTP_REQUESTS: [Reason; 5] = [
    (
        "Unexpected char in url server",
        "whether the host of an absolute target is well-formed is not judged by framing",
    ),
    (
        "no message after this one",
        "llhttp stops behind a request that offers h2c, which RFC 9113 §3.1 has withdrawn",
    ),
    (
        "Invalid `Transfer-Encoding` header value",
        "the same for Transfer-Encoding",
    ),
    (
        "Invalid method encountered",
        "RFC 9110 §9.1: any token is a method; llhttp takes those it knows",
    ),
    ("Expected space after method", "the same"),
];

#[test]
fn hyper_reads_requests_as_we_do() {
    let inputs = requests();
    compare(&inputs, &by_hyper(&inputs), &[EXTENSIONS, TARGETS]);
}

#[test]
fn hyper_reads_responses_as_we_do() {
    let inputs = responses();
    compare(&inputs, &by_hyper(&inputs), &[EXTENSIONS]);
}

#[test]
fn h11_reads_requests_as_we_do() {
    let inputs = requests();
    let reasons = [&[EMPTY_LINE, BLANKS], &TRAILERS[..]].concat();
    compare(&inputs, &by_program(Program::H11, &inputs), &reasons);
}

#[test]
fn h11_reads_responses_as_we_do() {
    let inputs = responses();
    let reasons = [&[BLANKS], &TRAILERS[..]].concat();
    compare(&inputs, &by_program(Program::H11, &inputs), &reasons);
}

#[test]
fn gunicorn_reads_requests_as_we_do() {
    let inputs = requests();
    compare(&inputs, &by_program(Program::Gunicorn, &inputs), &GUNICORN);
}

#[test]
fn node_reads_requests_as_we_do() {
    let inputs = requests();
    let reasons = [&LLHTTP[..], &LLHTTP_REQUESTS].concat();
    compare(&inputs, &by_program(Program::Node, &inputs), &reasons);
}

#[test]
fn node_reads_responses_as_we_do() {
    let inputs = responses();
    compare(&inputs, &by_program(Program::Node, &inputs), &LLHTTP);
}

/// Where `theirs` contradicts what we accepted; refusals are counted by their reason.
fn contradiction(
    ours: &Seen,
    theirs: &Seen,
    refusals: &mut BTreeMap<String, (usize, String)>,
    input: &[u8],
) -> Option<String> {
    let mut refused = |error: &str| {
        let example = || input.escape_ascii().to_string();
        refusals
            .entry(error.to_owned())
            .or_insert_with(|| (0, example()))
            .0 += 1;
        None
    };
    for (number, mine) in ours.messages.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| &ours.messages[before]);
        let Some(other) = theirs.messages.get(number) else {
            return match &theirs.error {
                // The one before was the last that they wanted.
                _ if before.is_some_and(|before| before.last) => None,
                Some(error) => refused(error),
                // Whole messages until there, and then the end: they closed, or changed the protocol.
                None if theirs.messages.iter().all(|message| message.complete) => {
                    refused("no message after this one")
                }
                None => Some(format!("message {number} was not seen at all")),
            };
        };
        let expected = [&mine.start, &mine.version];
        if expected != [&other.start, &other.version] && absolute(&mine.start) != other.start {
            return Some(format!("message {number} begins otherwise"));
        }
        if mine.fields != other.fields {
            return Some(format!("message {number} has other fields"));
        }
        let common = mine.body.len().min(other.body.len());
        if mine.body[..common] != other.body[..common] {
            return Some(format!("message {number} has other content"));
        }
        if !mine.complete {
            // What we refuse they may accept; what is incomplete for us must be so for all.
            let wrong = other.complete && ours.error.is_none();
            return wrong.then(|| format!("message {number} is complete for them"));
        }
        if !other.complete {
            return match &theirs.error {
                Some(error) => refused(error),
                None => Some(format!("message {number} is incomplete for them")),
            };
        }
        if mine.body != other.body || rest(&mine.trailers) != rest(&other.trailers) {
            return Some(format!("message {number} has another body or trailers"));
        }
        if let (Some(mine), Some(other)) = (mine.end, other.end)
            && mine != other
        {
            return Some(format!(
                "message {number} ends at {mine}, for them at {other}"
            ));
        }
    }
    let more = theirs.messages.len() > ours.messages.len() && ours.error.is_none();
    more.then(|| "they see another message".to_owned())
}

/// Trailers but for Content-Length, which h11 treats as a head's and makes one of several.
fn rest(trailers: &[(String, String)]) -> Vec<&(String, String)> {
    trailers
        .iter()
        .filter(|(name, _)| name != "content-length")
        .collect()
}

/// A request line as `http::Uri` prints one in absolute form: scheme in lower case, never
/// without a path.
fn absolute(start: &str) -> String {
    let Some((method, target)) = start.split_once(' ') else {
        return start.to_owned();
    };
    let Some((scheme, rest)) = target.split_once("://") else {
        return start.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let slash = if path.starts_with('/') { "" } else { "/" };
    let scheme = scheme.to_ascii_lowercase();
    format!("{method} {scheme}://{authority}{slash}{path}")
}
