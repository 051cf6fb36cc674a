//! The two addresses at which browsers register and refresh by themselves.
//!
//! They stand on what the browser signs, and on no cookie: where another site has started what the
//! browser does, it sends none.

use http::header::HeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sealwax_bind::{
    CHALLENGE, Field, REFRESH_PATH, REGISTER_PATH, REGISTRATION_REFUSED, RESPONSE, Refresh,
    Refreshing, Refusal, Registration, SESSION_ID,
};

use super::Bind;
use super::answers::{never_stored, set_cookie};
use super::came::Came;
use super::leaving::Leaving;
use crate::answer::Answer;
use crate::explain::{Action, Change, Recorder, Rule};

/// The type of session instructions.
const JSON: &str = "application/json";

/// The answer to a request for one of them; where a key was proven, with what that means for the
/// cookies that came along.
pub(crate) fn answer(
    bind: &Bind,
    came: &Came,
    request: &Parts,
    host: &str,
    now: u64,
    record: &mut Recorder,
) -> Option<(Answer, Option<Leaving>)> {
    let path = request.uri.path();
    if path != REGISTER_PATH && path != REFRESH_PATH {
        return None;
    }
    if request.method != Method::POST || came_from_elsewhere(&request.headers) {
        // No browser sends this.
        return Some((never_stored(StatusCode::NOT_FOUND), None));
    }
    Some(match path {
        REGISTER_PATH => (register(bind, request, host, now, record), None),
        _ => refresh(bind, came, request, host, now, record),
    })
}

fn register(bind: &Bind, request: &Parts, host: &str, now: u64, record: &mut Recorder) -> Answer {
    let registered = bind.binder.register(&Registration {
        host,
        response: field(&request.headers, RESPONSE),
        now,
        random: bind.random(),
    });
    let registered = match registered {
        Ok(registered) => registered,
        Err(refusal) => {
            report(&refusal, "registration", record);
            return never_stored(status(REGISTRATION_REFUSED));
        }
    };
    record.routine(|| {
        Change::new(Rule::BindRegistered, Action::Added, "session")
            .after(registered.thumbprint.short().as_bytes())
    });
    let mut answer = never_stored(StatusCode::OK);
    set_cookie(&mut answer.headers, registered.set_cookie);
    challenge(&mut answer.headers, registered.challenge);
    answer.with_body(JSON, registered.body)
}

fn refresh(
    bind: &Bind,
    came: &Came,
    request: &Parts,
    host: &str,
    now: u64,
    record: &mut Recorder,
) -> (Answer, Option<Leaving>) {
    let refreshing = bind.binder.refresh(&Refresh {
        host,
        query: request.uri.query().map(str::as_bytes),
        session: field(&request.headers, SESSION_ID),
        response: field(&request.headers, RESPONSE),
        mark: came.mark.as_ref().map(|(_, value)| value.as_slice()),
        now,
        random: bind.random(),
    });
    let mut answer = never_stored(status(refreshing.status()));
    match refreshing {
        Refreshing::Refreshed(refreshed) => {
            let key = refreshed.proof.key;
            record.routine(|| {
                Change::new(Rule::BindRefreshed, Action::Added, "proof")
                    .after(key.short().as_bytes())
            });
            set_cookie(&mut answer.headers, &refreshed.set_cookie);
            if !refreshed.body.is_empty() {
                answer = answer.with_body(JSON, refreshed.body);
            }
            return (answer, Some(Leaving::refreshed(key, now)));
        }
        Refreshing::Challenged(challenged) => {
            report(&challenged.reason, "refresh", record);
            challenge(&mut answer.headers, challenged.challenge);
        }
        Refreshing::Unavailable(refusal) | Refreshing::Ended(refusal) => {
            report(&refusal, "refresh", record);
        }
    }
    (answer, None)
}

fn report(refusal: &Refusal, subject: &str, record: &mut Recorder) {
    let change = || {
        let mut cause = refusal.to_string();
        if let Some(source) = std::error::Error::source(refusal) {
            cause = format!("{cause}: {source}");
        }
        Change::new(Rule::BindRefused, Action::Refused, subject).before(cause.as_bytes())
    };
    match refusal.is_ordinary() {
        true => record.routine(change),
        false => record.notable(change),
    }
}

fn came_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn field<'h>(headers: &'h HeaderMap, name: &'static str) -> Field<'h> {
    Field::of(headers.get_all(name).iter().map(HeaderValue::as_bytes))
}

fn challenge(headers: &mut HeaderMap, challenge: String) {
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        headers.insert(HeaderName::from_static(CHALLENGE), challenge);
    }
}

fn status(code: u16) -> StatusCode {
    // All of the protocol's are valid ones.
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
