//! What can go wrong on a connection.

use crate::target::Target;

/// The most an answer's head may have. Far more than any server measured sends.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// The most an answer's body may have that is read to its end.
pub(crate) const MAX_BODY: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection")]
    Connect(#[source] std::io::Error),
    #[error("the TLS handshake failed")]
    Handshake(#[source] std::io::Error),
    #[error("the server did not agree on the protocol that was offered")]
    Protocol,
    #[error("the request could not be written")]
    Write(#[source] std::io::Error),
    #[error("the answer could not be read")]
    Read(#[source] std::io::Error),
    #[error("the answer ended after {0} bytes")]
    Truncated(usize),
    #[error("the answer's head is malformed or over {MAX_HEAD} bytes")]
    Head,
    #[error("the answer's status is {0}")]
    Status(u16),
    #[error("the answer has no Content-Length")]
    NoLength,
    #[error("the answer's body has {got} bytes that are not the ones expected")]
    Body { got: usize },
    #[error("HTTP/2 failed")]
    Http2(#[from] h2::Error),
    #[error("the request cannot be written down")]
    Request(#[from] http::Error),
    #[error("nothing happened for {:?}", crate::connection::PATIENCE)]
    TimedOut,
    #[error("the handshake was {}, not {}", kind(!expected), kind(*expected))]
    Kind { expected: bool },
}

impl Failure {
    /// A 200 with every byte of the body, or the failure that it is not.
    pub(crate) fn unless_good(status: u16, body: &[u8], target: &Target) -> Result<(), Self> {
        if status != 200 {
            Err(Self::Status(status))
        } else if body != target.body {
            Err(Self::Body { got: body.len() })
        } else {
            Ok(())
        }
    }

    /// The server took its leave in order (RFC 9113, 6.8), and this request was not begun: it
    /// may be sent again, and nothing failed.
    pub(crate) fn is_farewell(&self) -> bool {
        let Self::Http2(error) = self else {
            return false;
        };
        error.is_remote()
            && match error.reason() {
                Some(h2::Reason::NO_ERROR) => error.is_go_away(),
                reason => reason == Some(h2::Reason::REFUSED_STREAM),
            }
    }
}

/// With all its causes.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

fn kind(resumed: bool) -> &'static str {
    if resumed { "resumed" } else { "full" }
}
