//! What can go wrong, by whose fault it is, and the one place that maps a
//! failed request to its status and texts.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

use http::StatusCode;
use sealwax_policy::Problem;

use crate::crowd::Overload;

/// Why a configuration cannot be served: the setting, the cause, the mend.
#[derive(Debug)]
pub struct StartError {
    key: String,
    cause: String,
    mend: String,
}

impl StartError {
    pub(crate) fn new(
        key: impl Into<String>,
        cause: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            cause: cause.into(),
            mend: mend.into(),
        }
    }

    /// The setting at fault, dotted as in the settings table, with the number
    /// of the site where it has one: `site.0.tls.key`, `listen.https`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// What to do about it.
    #[must_use]
    pub fn mend(&self) -> &str {
        &self.mend
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.cause, self.mend)
    }
}

impl std::error::Error for StartError {}

/// What an upstream did wrong.
#[derive(Debug)]
pub(crate) enum UpstreamFault {
    /// No connection.
    Connect(io::Error),
    /// No connection in time.
    ConnectTimeout(Duration),
    /// It closed or reset the connection before answering.
    Closed(String),
    /// No response head in time.
    HeadTimeout(Duration),
    /// No response head by the time that all should be over.
    Total(Duration),
    /// Its response cannot be read in one way only.
    BadResponse(&'static str),
    /// Its response is no HTTP/1.1.
    Unreadable(&'static str),
}

/// Why a request's head or framing is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Stable, for logs and tests; dotted from general to special.
    pub(crate) id: &'static str,
    /// What was wrong, and the section that it rests on.
    pub(crate) sentence: &'static str,
    /// What to answer.
    pub(crate) status: StatusCode,
}

impl From<sealwax_h1::Refusal> for Refusal {
    fn from(refusal: sealwax_h1::Refusal) -> Self {
        let rule = refusal.rule;
        Self {
            id: rule.id(),
            sentence: rule.sentence(),
            status: StatusCode::from_u16(rule.status()).unwrap_or(StatusCode::BAD_REQUEST),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.sentence, self.id)
    }
}

/// Why a request was not answered by the app.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The policy refused it.
    Policy(StatusCode, Problem),
    /// TLS was set up for another site (RFC 9110 §15.5.20).
    Misdirected,
    /// A path of the gateway's own that does not exist.
    NotHere,
    /// The request cannot be read in one way only.
    Malformed(Refusal),
    /// The head did not come in time.
    HeadTimeout(Duration),
    /// The head (414: the request line alone) is longer than
    /// `limits.request_head`.
    HeadTooLong(StatusCode, usize),
    /// The head has more fields than `limits.request_headers`.
    TooManyFields(usize),
    /// Plain HTTP on the TLS port that no redirect answers.
    PlainOnTls,
    /// The body is longer than `limits.request_body`.
    BodyTooLarge(u64),
    /// The client stopped sending its body.
    BodyTimeout(Duration),
    /// The client sent fewer bytes of its body a second than this.
    BodyTooSlow(u64),
    /// The client was still sending its body when all should have been over.
    BodyTotal(Duration),
    /// The client's body ended early or could not be read.
    BodyBroken,
    /// The connection is one too many.
    Overload(Overload),
    /// We are out of file descriptors or ports.
    Exhausted(io::Error),
    /// The worker holds as many connections to apps as it may, this number,
    /// and none came free in time.
    Full(usize),
    /// The named upstream failed.
    Upstream(String, UpstreamFault),
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Fault::Policy(status, _) => *status,
            Fault::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Fault::NotHere => StatusCode::NOT_FOUND,
            Fault::Malformed(refusal) => refusal.status,
            Fault::HeadTooLong(status, _) => *status,
            Fault::PlainOnTls | Fault::BodyBroken => StatusCode::BAD_REQUEST,
            Fault::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::TooManyFields(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Fault::HeadTimeout(_)
            | Fault::BodyTimeout(_)
            | Fault::BodyTooSlow(_)
            | Fault::BodyTotal(_) => StatusCode::REQUEST_TIMEOUT,
            Fault::Overload(_) | Fault::Exhausted(_) | Fault::Full(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Fault::Upstream(
                _,
                UpstreamFault::ConnectTimeout(_)
                | UpstreamFault::HeadTimeout(_)
                | UpstreamFault::Total(_),
            ) => StatusCode::GATEWAY_TIMEOUT,
            Fault::Upstream(..) => StatusCode::BAD_GATEWAY,
        }
    }

    /// One sentence for the visitor; it gives nothing away.
    pub(crate) fn for_visitor(&self) -> &'static str {
        match self {
            Fault::Policy(_, problem) => problem.for_visitor(),
            Fault::Misdirected => {
                "This connection was made for another site. Loading the page again mends it."
            }
            Fault::NotHere => "There is nothing at this address.",
            Fault::Malformed(_) => "The request could not be read.",
            Fault::HeadTimeout(_) => "The request took too long to arrive.",
            Fault::HeadTooLong(..) => {
                "The request's address or header is longer than accepted here."
            }
            Fault::TooManyFields(_) => "The request has more header fields than accepted here.",
            Fault::PlainOnTls => {
                "This port speaks HTTPS only: use an address that begins with https://."
            }
            Fault::BodyTooLarge(_) => "What was sent is larger than this site accepts.",
            Fault::BodyTimeout(_) | Fault::BodyTooSlow(_) | Fault::BodyTotal(_) => {
                "The request took too long to arrive."
            }
            Fault::BodyBroken => "The request ended before it was complete.",
            Fault::Overload(_) | Fault::Exhausted(_) | Fault::Full(_) => {
                "The site is busy at the moment. Please try again shortly."
            }
            Fault::Upstream(_, fault) => match fault {
                UpstreamFault::Connect(_) => {
                    "The site is not available at the moment. Please try again shortly."
                }
                UpstreamFault::ConnectTimeout(_)
                | UpstreamFault::HeadTimeout(_)
                | UpstreamFault::Total(_) => {
                    "The site took too long to answer. Please try again shortly."
                }
                _ => "The site did not give a proper answer. Please try again shortly.",
            },
        }
    }

    /// Cause and mend for whoever runs the site.
    pub(crate) fn for_operator(&self) -> Cow<'static, str> {
        match self {
            Fault::Policy(_, problem) => Cow::Borrowed(problem.for_operator()),
            Fault::Misdirected => Cow::Borrowed(
                "The TLS connection was set up (SNI) for another site than the request's Host; browsers try again on a new connection.",
            ),
            Fault::NotHere => Cow::Borrowed(
                "Paths under /.sealwax/ belong to the gateway and never reach the app.",
            ),
            Fault::Malformed(refusal) => Cow::Owned(refusal.to_string()),
            Fault::HeadTimeout(limit) => Cow::Owned(format!(
                "The client did not send the whole head of its request within {limit:?}; timeouts.request_head sets that limit."
            )),
            Fault::HeadTooLong(_, limit) => Cow::Owned(format!(
                "The head of the request is longer than limits.request_head, {limit} bytes; raise it if a client needs more. Often it is cookies that have piled up."
            )),
            Fault::TooManyFields(limit) => Cow::Owned(format!(
                "The request has more header fields than limits.request_headers, {limit}; raise it if a client needs more."
            )),
            Fault::PlainOnTls => Cow::Borrowed(
                "Plain HTTP came in on the https listener; use https:// in the address.",
            ),
            Fault::BodyTooLarge(limit) => Cow::Owned(format!(
                "The body is longer than limits.request_body, {limit} bytes; raise it if such uploads are meant to be."
            )),
            Fault::BodyTimeout(limit) => Cow::Owned(format!(
                "The client sent nothing of its body for {limit:?}; timeouts.request_body_idle sets that limit."
            )),
            Fault::BodyTooSlow(rate) => Cow::Owned(format!(
                "The client sent its body at less than {rate} bytes a second; limits.request_body_rate sets that limit."
            )),
            Fault::BodyTotal(limit) => Cow::Owned(format!(
                "The client was still sending its body after {limit:?}; timeouts.total sets that limit."
            )),
            Fault::BodyBroken => {
                Cow::Borrowed("The client's connection broke, or its body framing is invalid.")
            }
            Fault::Overload(why) => Cow::Owned(format!("The connection was turned away: {why}.")),
            Fault::Exhausted(error) => Cow::Owned(format!(
                "The gateway could not open a connection: {error}; raise the limit of open files (ulimit -n, LimitNOFILE)."
            )),
            Fault::Full(limit) => Cow::Owned(format!(
                "All {limit} connections to apps that this worker may hold are in use, and none came free within timeouts.connect: the app is too slow for what is asked of it, or the limit of open files (ulimit -n, LimitNOFILE) is too low."
            )),
            Fault::Upstream(name, fault) => Cow::Owned(upstream_text(name, fault)),
        }
    }

    /// Whether it is for want of something that may be there again soon.
    pub(crate) fn is_shortage(&self) -> bool {
        matches!(
            self,
            Fault::Overload(_) | Fault::Exhausted(_) | Fault::Full(_)
        )
    }

    /// Whether the log line is a warning to the operator rather than a client's
    /// everyday mistake.
    pub(crate) fn concerns_operator(&self) -> bool {
        matches!(
            self,
            Fault::Exhausted(_)
                | Fault::Full(_)
                | Fault::Upstream(..)
                | Fault::Policy(StatusCode::LOOP_DETECTED, _)
        )
    }
}

fn upstream_text(name: &str, fault: &UpstreamFault) -> String {
    match fault {
        UpstreamFault::Connect(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                format!("Nothing listens at {name}: start your app there, or change `to`.")
            }
            io::ErrorKind::NotFound => {
                format!(
                    "There is no socket at {name}: start your app so that it creates it, or change `to`."
                )
            }
            io::ErrorKind::PermissionDenied => {
                format!(
                    "The gateway may not open {name}: give its user read and write access to the socket."
                )
            }
            _ => format!(
                "No connection to {name}: {error}; check the address in `to` and that the app is running."
            ),
        },
        UpstreamFault::ConnectTimeout(limit) => {
            format!(
                "{name} did not take a connection within {limit:?}: it is overloaded, or a firewall is in between."
            )
        }
        UpstreamFault::Closed(how) => format!(
            "{name} closed the connection before it answered ({how}): look at the app's own log for a crash or a worker timeout."
        ),
        UpstreamFault::HeadTimeout(limit) => format!(
            "{name} did not begin to answer within {limit:?}: the app is stuck or too slow; timeouts.response_head sets the limit."
        ),
        UpstreamFault::Total(limit) => format!(
            "{name} had not begun to answer when the request had taken {limit:?}; timeouts.total sets the limit."
        ),
        UpstreamFault::BadResponse(what) => {
            format!(
                "The response of {name} was refused, since it could be read in more than one way: {what}"
            )
        }
        UpstreamFault::Unreadable(what) => {
            format!(
                "{name} did not answer in HTTP/1.1 ({what}) Is `to` the address of a plain HTTP server?"
            )
        }
    }
}
