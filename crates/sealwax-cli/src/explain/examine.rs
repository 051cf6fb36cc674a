//! Puts a message through the machine that the gateway drives, with the
//! recorder turned up, and keeps both sides of each head.

use http::{HeaderValue, Method, StatusCode};
use sealwax_config::Site;
use sealwax_policy::{
    Answer, Change, Connection, Exchange, KnownNames, Level, LoopWatch, Mode, Plan, Problem,
    RESERVED_PREFIX, Rule, State, Step, Target, choose,
};

use super::message::Message;
use super::parts::{self, Comparison};

/// Everything that would be done to a message.
#[derive(Debug)]
pub(crate) struct Examination {
    pub(crate) url: String,
    /// `GET /path HTTP/1.1`.
    pub(crate) request_line: String,
    pub(crate) site: Option<String>,
    pub(crate) mode: Mode,
    pub(crate) verdict: Verdict,
    pub(crate) request: Comparison,
    /// None when the request is refused before any site is asked.
    pub(crate) response: Option<Comparison>,
    /// Status of the response that the client gets.
    pub(crate) status: StatusCode,
}

/// Who answers the request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The app.
    Forwarded,
    /// The policy, instead of the app: a redirect or a refusal.
    Answered {
        /// What to tell; None for a redirect.
        problem: Option<Problem>,
    },
    /// The gateway, before any site is asked.
    Refused {
        rule: Rule,
        /// What whoever runs the gateway can do.
        mend: String,
    },
    /// The gateway itself, at its health path.
    Health,
}

/// Where the gateway answers for itself.
const HEALTH: &str = "/.sealwax/health";

/// What is known beside the message.
pub(crate) struct Circumstances<'a> {
    pub(crate) sites: &'a [Site],
    /// Whether the certificate served for the site is publicly trusted.
    pub(crate) publicly_trusted: bool,
    pub(crate) names: &'a KnownNames,
    pub(crate) hsts: &'a HeaderValue,
    /// Unix time in seconds.
    pub(crate) now: u64,
}

/// The site that answers for the message's host, if there is one.
pub(crate) fn site<'s>(sites: &'s [Site], message: &Message) -> Option<&'s Site> {
    let target = Target::read(&message.request).ok()?;
    choose(sites, |site| &site.policy.hosts, target.domain())
}

pub(crate) fn examine(mut message: Message, circumstances: &Circumstances<'_>) -> Examination {
    let request_line = format!(
        "{} {} HTTP/1.1",
        message.request.method, message.request.uri
    );
    let refused = |message: Message, request_line: String, rule, status, mend: String| {
        let headers = &message.request.headers;
        Examination {
            url: message.url,
            request_line,
            site: None,
            mode: Mode::Enforce,
            verdict: Verdict::Refused { rule, mend },
            request: parts::compare(headers, headers, Vec::new()),
            response: None,
            status,
        }
    };
    let target = match Target::read(&message.request) {
        Ok(target) => target,
        Err(rule @ Rule::MethodRefused) => {
            let mend = Problem::BadMethod.for_operator().to_owned();
            return refused(
                message,
                request_line,
                rule,
                StatusCode::METHOD_NOT_ALLOWED,
                mend,
            );
        }
        Err(rule) => {
            let mend = Problem::BadHost.for_operator().to_owned();
            return refused(message, request_line, rule, StatusCode::BAD_REQUEST, mend);
        }
    };
    let path = message.request.uri.path();
    if path == HEALTH && matches!(message.request.method, Method::GET | Method::HEAD) {
        let mut health = refused(
            message,
            request_line,
            Rule::ReservedPath,
            StatusCode::OK,
            String::new(),
        );
        health.verdict = Verdict::Health;
        return health;
    }
    let Some(site) = choose(
        circumstances.sites,
        |site| &site.policy.hosts,
        target.domain(),
    ) else {
        let mend = format!(
            "if `{}` is yours, add it to `hosts` of its site; answered now: {}",
            target.domain(),
            answered_hosts(circumstances.sites)
        );
        return refused(
            message,
            request_line,
            Rule::HostUnknown,
            StatusCode::MISDIRECTED_REQUEST,
            mend,
        );
    };
    let is_reserved = path.starts_with(RESERVED_PREFIX);
    let connection = Connection {
        peer: Some(message.peer),
        tls: message.tls,
        publicly_trusted: message.tls && circumstances.publicly_trusted,
    };
    let state = State {
        now: circumstances.now,
        names: circumstances.names,
        hsts: circumstances.hsts,
    };
    let mut exchange = Exchange::new(
        &site.policy,
        connection,
        target,
        &message.request,
        Level::All,
    );

    let asked = message.request.headers.clone();
    let step = exchange.request(&mut message.request, state);
    let request_changes = exchange.changes().len();
    // What of it is ours the policy has answered.
    if matches!(step, Step::Forward) && is_reserved {
        let mend = "nothing answers at this path".to_owned();
        return refused(
            message,
            request_line,
            Rule::ReservedPath,
            StatusCode::NOT_FOUND,
            mend,
        );
    }

    let (verdict, status, before, after) = match step {
        Step::Respond(answer) => answered(&mut exchange, answer, state),
        Step::Forward => {
            let before = message.response.headers.clone();
            match exchange.response(&mut message.response, state, &mut LoopWatch::default()) {
                Plan::Pass => (
                    Verdict::Forwarded,
                    message.response.status,
                    before,
                    message.response.headers,
                ),
                Plan::Replace(answer) => answered(&mut exchange, answer, state),
            }
        }
    };
    let mut request_record = exchange.finish().changes;
    let response_record: Vec<Change> = request_record
        .drain(request_changes.min(request_record.len())..)
        .collect();
    Examination {
        url: message.url,
        request_line,
        site: Some(site.name.clone()),
        mode: site.policy.mode,
        verdict,
        request: parts::compare(&asked, &message.request.headers, request_record),
        response: Some(parts::compare(&before, &after, response_record)),
        status,
    }
}

/// A response of our own gets the same protection as one of the app's.
fn answered(
    exchange: &mut Exchange<'_>,
    answer: Answer,
    state: State<'_>,
) -> (Verdict, StatusCode, http::HeaderMap, http::HeaderMap) {
    let before = answer.headers.clone();
    let mut after = answer.headers;
    exchange.own_response(&mut after, state);
    (
        Verdict::Answered {
            problem: answer.problem,
        },
        answer.status,
        before,
        after,
    )
}

fn answered_hosts(sites: &[Site]) -> String {
    let hosts: Vec<&str> = sites
        .iter()
        .flat_map(|site| site.policy.hosts.patterns())
        .collect();
    hosts.join(", ")
}
