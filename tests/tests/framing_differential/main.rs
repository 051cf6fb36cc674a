//! Our reading of HTTP/1.1 beside that of h11 and hyper, for the committed fuzz corpora and
//! thousands of seeded mutations: where we accept a message, they must see the same head, the same
//! content, the same trailers and the same end, or refuse it for a reason that is named here.

use std::collections::BTreeMap;

use sealwax_h1::Asked;

mod inputs;
mod readers;

use inputs::{REQUESTS, RESPONSES, inputs};
use readers::{Seen, Side, h11, hyper_requests, hyper_response, ours};

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

/// What others refuse although we accept it: part of the error, and why we do. Their refusal cannot
/// desynchronise anybody. The first can only be met in requests.
const REASONS: &[(&str, &str)] = &[
    (
        "no request line received",
        "RFC 9112 §2.2: a server SHOULD ignore an empty line before a request; h11 does not",
    ),
    (
        "illegal chunk header",
        "RFC 9112 §7.1.1 has blanks around an extension's semicolon; h11 does not",
    ),
    (
        "bad Content-Length",
        "h11 reads Content-Length among trailers as if it framed something; it is reported as it came",
    ),
    ("conflicting Content-Length headers", "the same"),
    (
        "Only Transfer-Encoding: chunked is supported",
        "the same for Transfer-Encoding",
    ),
    (
        "chunk extensions over limit",
        "hyper counts all extensions of a body, we those that its content does not pay for",
    ),
];

/// Reads all inputs in all three ways; how many were accepted.
fn compare(inputs: &[(Side, Vec<u8>)]) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut refusals = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut accepted = 0;
    for ((side, input), h11) in inputs.iter().zip(h11(inputs)) {
        let ours = ours(*side, input);
        accepted += usize::from(ours.messages.iter().any(|message| message.complete));
        let hyper = runtime.block_on(async {
            match side {
                Side::Request => hyper_requests(input).await,
                Side::Response(asked) => hyper_response(*asked, input).await,
            }
        });
        for (name, theirs) in [("h11", h11), ("hyper", hyper)] {
            if let Some(what) = contradiction(&ours, &theirs, &mut refusals, input) {
                wrong.push(format!(
                    "{name}: {what}\n  {side:?} {}\n  ours {ours:?}\n  {name} {theirs:?}",
                    input.escape_ascii()
                ));
            }
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
        .filter(|(error, _)| !REASONS.iter().any(|(known, _)| error.contains(known)))
        .collect();
    assert!(
        unnamed.is_empty(),
        "refused for no named reason: {unnamed:#?}"
    );
    let leading = matches!(inputs.first(), Some((Side::Request, _)));
    for (known, why) in REASONS.iter().skip(usize::from(!leading)) {
        let met = refusals.keys().any(|error| error.contains(known));
        assert!(met, "no longer needed: {known:?} ({why})");
    }
    accepted
}

#[test]
fn requests_that_we_accept_are_read_alike_by_h11_and_hyper() {
    let inputs = inputs(Side::Request, REQUESTS, "h1_request", 6000, 1);
    let accepted = compare(&inputs);
    assert!(
        accepted > 1200,
        "only {accepted} of {} accepted",
        inputs.len()
    );
}

#[test]
fn responses_that_we_accept_are_read_alike_by_h11_and_hyper() {
    let mut all = inputs(GET, RESPONSES, "h1_response", 3000, 2);
    all.extend(inputs(HEAD, RESPONSES, "h1_response", 1000, 3));
    all.extend(inputs(UPGRADE, RESPONSES, "h1_response", 1000, 4));
    let accepted = compare(&all);
    assert!(accepted > 1000, "only {accepted} of {} accepted", all.len());
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
                Some(error) => refused(error),
                // The one before was the last that they wanted.
                None if before.is_some_and(|before| before.last) => None,
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
