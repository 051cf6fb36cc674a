//! The head of a response, as bytes, and how its end will be known
//! (RFC 9112 §6.3).

use http::header::{self, HeaderName};
use http::{Method, StatusCode, Version, response};
use http_body::Body as _;
use sealwax_h1::write;

use crate::body::Body;
use crate::clock;

/// What the request's head has to do with the response's.
pub(super) struct Asked {
    head_only: bool,
    http10: bool,
    /// The client means to keep the connection.
    pub(super) keep_alive: bool,
}

/// How the response's end will be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has no content.
    Empty,
    /// Its length is in the head.
    Length,
    Chunked,
    /// By the end of the connection: HTTP/1.0 knows nothing else.
    UntilClose,
}

impl Asked {
    pub(super) fn of(request: &http::request::Parts, keep_alive: bool) -> Self {
        Self {
            head_only: request.method == Method::HEAD,
            http10: request.version == Version::HTTP_10,
            keep_alive,
        }
    }

    /// For an answer to what could not be read.
    pub(super) fn unknown() -> Self {
        Self {
            head_only: false,
            http10: false,
            keep_alive: false,
        }
    }

    /// How a response with `status`, and content of so many bytes if that is
    /// known, is framed for this client.
    pub(super) fn framing(&self, status: StatusCode, length: Option<u64>) -> Framing {
        if self.head_only || has_no_content(status) {
            Framing::Empty
        } else if length.is_some() {
            Framing::Length
        } else if self.http10 {
            Framing::UntilClose
        } else {
            Framing::Chunked
        }
    }

    /// Appends the head to `out`. `keep` says whether the connection is kept.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        head: &response::Parts,
        framing: Framing,
        body: &Body,
        keep: bool,
    ) {
        write::status_line(out, head.status.as_u16());
        let mut has_length = false;
        let mut has_date = body.lines().has_date();
        let switches = matches!(
            head.status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::UPGRADE_REQUIRED
        );
        for (name, value) in &head.headers {
            if *name == header::CONTENT_LENGTH {
                // RFC 9110 §8.6; and beside a chunked body it would be a lie.
                if !may_have_length(head.status) || matches!(framing, Framing::Chunked) {
                    continue;
                }
                has_length = true;
            } else if *name == header::DATE {
                has_date = true;
            } else if (*name == header::CONNECTION && !switches) || is_ours(name) {
                continue;
            }
            write::field(out, name.as_str().as_bytes(), value.as_bytes());
        }
        out.extend_from_slice(body.lines().as_bytes());
        match framing {
            Framing::Length if !has_length => {
                let mut digits = itoa::Buffer::new();
                let length = digits.format(body.size_hint().exact().unwrap_or(0));
                write::field(out, b"content-length", length.as_bytes());
            }
            Framing::Chunked => write::field(out, b"transfer-encoding", b"chunked"),
            _ => {}
        }
        if !has_date {
            clock::with_date(|date| write::field(out, b"date", date));
        }
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            if !keep {
                write::field(out, b"connection", b"close");
            } else if self.http10 {
                write::field(out, b"connection", b"keep-alive");
            }
        }
        write::end_of_head(out);
    }
}

/// Decided here, not by who made the response.
fn is_ours(name: &HeaderName) -> bool {
    *name == header::TRANSFER_ENCODING
}

fn has_no_content(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn may_have_length(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests;
