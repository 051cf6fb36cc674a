//! What a browser is told to do with a session: JSON session instructions.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use crate::binder::REFRESH_PATH;
use crate::proof::{PROOF_ATTRIBUTES, PROOF_COOKIE};
use crate::session::Edition;

/// A part of the site for which no request waits until the proof is refreshed, such as static files.
/// Where the app must know who asks, it must not be excluded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excluded {
    /// This path and all below it, such as `/static`.
    pub path: String,
}

#[derive(Serialize)]
struct Instructions<'a> {
    session_identifier: &'a str,
    refresh_url: &'a str,
    scope: Scope<'a>,
    credentials: [Credential; 1],
    // No `allowed_refresh_initiators`: other sites would learn by the clock whether somebody has a
    // session here.
}

#[derive(Serialize)]
struct Scope<'a> {
    /// One host: a proof is a `__Host-` cookie.
    include_site: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scope_specification: Vec<Rule<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    r#type: &'static str,
    domain: &'static str,
    path: &'a str,
}

#[derive(Serialize)]
struct Credential {
    r#type: &'static str,
    name: &'static str,
    attributes: &'static str,
}

#[derive(Serialize)]
struct End<'a> {
    session_identifier: &'a str,
    r#continue: bool,
}

pub(crate) fn begin(session: &str, refresh_url: &str, excluded: &[Excluded]) -> String {
    json(&Instructions {
        session_identifier: session,
        refresh_url,
        scope: Scope {
            include_site: false,
            scope_specification: excluded
                .iter()
                .map(|excluded| Rule {
                    r#type: "exclude",
                    domain: "*",
                    path: &excluded.path,
                })
                .collect(),
        },
        credentials: [Credential {
            r#type: "cookie",
            name: PROOF_COOKIE,
            attributes: PROOF_ATTRIBUTES,
        }],
    })
}

/// What tells instructions apart, whatever the session.
pub(crate) fn edition(excluded: &[Excluded]) -> Edition {
    let hash = digest(&SHA256, begin("", REFRESH_PATH, excluded).as_bytes());
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

/// The body of a response with status 200 that ends a session, as the answer to its refresh:
/// `{"session_identifier":"…","continue":false}`. The browser forgets the key, and the request that
/// waited goes on; where there is another session, with that one's proof.
#[must_use]
pub fn end_session(session: &str) -> String {
    json(&End {
        session_identifier: session,
        r#continue: false,
    })
}

/// Strings and booleans in a struct always become JSON; an empty body would end the registration.
fn json(instructions: &impl Serialize) -> String {
    serde_json::to_string(instructions).unwrap_or_default()
}
