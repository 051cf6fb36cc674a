//! The head of a request (RFC 9112 §3).

use std::ops::Range;

use crate::bytes::{target_end, token_end};
use crate::lines::{Count, Field, Lines, Sink, line_ends};
use crate::noted::{Gather, Noted};
use crate::target::{TargetForm, form};
use crate::version::{Version, read_version};
use crate::{Framing, Limits, Refusal, Rule, limits::compact, rule::refuse};

/// What a request's head says. Its ranges and those of its fields lie in the `input` that
/// [`RequestParser::parse`] was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// The method: one token, case-sensitive.
    pub method: Range<usize>,
    /// The request target, byte for byte.
    pub target: Range<usize>,
    /// Which form the target has.
    pub form: TargetForm,
    /// The version in the request line.
    pub version: Version,
    /// How the body is framed: [`Framing::Empty`] when no field speaks of a body,
    /// [`Framing::Length`] or [`Framing::Chunked`]. Never anything else.
    pub framing: Framing,
    /// Whether the client leaves the connection open for another request (RFC 9112 §9.3).
    pub keep_alive: bool,
    /// Whether `Connection` has options other than `close`, `keep-alive` and `upgrade`: names of
    /// fields that are meant for this connection only (RFC 9110 §7.6.1).
    pub nominates: bool,
    /// Whether the client asks to switch to another protocol (RFC 9110 §7.8): HTTP/1.1, an
    /// Upgrade field and `Connection: upgrade`. Such a request has no body, or it is refused. A
    /// client that offers `h2c` alone asks for nothing, since RFC 9113 §3.1 has withdrawn it.
    pub upgrade: bool,
    /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
    /// Never in HTTP/1.0.
    pub expects_continue: bool,
    /// Bytes that the head took, an ignored empty line before it included. The body begins there.
    pub length: usize,
}

/// Reads the heads of the requests on one connection, one after the other.
#[derive(Debug)]
pub struct RequestParser {
    start_line: u32,
    head: u32,
    fields: u32,
    seen: u32,
    progress: Progress,
}

/// How far the head has been read.
#[derive(Debug, Clone, Copy)]
struct Progress {
    place: Place,
    /// The first byte that has not been judged; within the fields, `lines` knows.
    at: usize,
    line: RequestLine,
    lines: Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the request line, where one empty line is ignored (RFC 9112 §2.2).
    Before,
    Method,
    Target,
    Version,
    Fields,
}

#[derive(Debug, Clone, Copy)]
struct RequestLine {
    method: usize,
    method_end: usize,
    target_end: usize,
    form: TargetForm,
    version: Version,
}

impl RequestParser {
    /// A parser for a connection of which nothing has been read.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        RequestParser {
            start_line: compact(limits.start_line),
            head: compact(limits.head),
            fields: compact(limits.fields),
            seen: 0,
            progress: Progress::START,
        }
    }

    /// Reads a head from `input`: everything that has come since the last message ended. `None`
    /// means that the head is not complete: call again with the same bytes and more behind them.
    /// What has been judged is not read again before the head is whole, so a head that comes byte
    /// by byte costs two passes, not one for each byte.
    ///
    /// `fields` is cleared, and filled when the head is complete. After `Some` the parser is ready
    /// for the next message; after a refusal it refuses the same bytes again.
    ///
    /// # Errors
    /// A [`Refusal`], as early as it can be known: a wrong request line, a bare LF or too long a
    /// line does not wait for the end of the head. What follows from several fields together (both
    /// framings, two hosts) is judged when all have been seen. How the input was cut into calls
    /// makes no difference.
    pub fn parse(
        &mut self,
        input: &[u8],
        fields: &mut Vec<Field>,
    ) -> Result<Option<RequestHead>, Refusal> {
        fields.clear();
        let most = self.fields;
        if self.progress.begun() {
            let mut seen = self.seen;
            let mut count = Count {
                seen: &mut seen,
                most,
            };
            let end = self.advance(input, &mut count)?;
            self.seen = seen;
            if end.is_none() {
                return Ok(None);
            }
            // Whole at last: gather what it says in one go.
            self.progress = Progress::START;
        }
        let mut gather = Gather {
            fields,
            most,
            noted: Noted::default(),
        };
        let Some(end) = self.advance(input, &mut gather)? else {
            // Enough for the limit: no head has 2^32 fields.
            self.seen = compact(gather.fields.len());
            gather.fields.clear();
            return Ok(None);
        };
        let head = judge(&self.progress.line, &gather.noted, end)?;
        self.seen = 0;
        self.progress = Progress::START;
        Ok(Some(head))
    }

    /// Whether `input` holds the beginning of a request: anything but an empty line, or half of
    /// one, which is ignored there (RFC 9112 §2.2). A connection on which nothing has begun may be
    /// closed without an answer.
    #[must_use]
    pub fn has_begun(&self, input: &[u8]) -> bool {
        !matches!(input, b"" | b"\r" | b"\r\n")
    }

    /// Reads on within the limits: where the head ends.
    #[inline]
    fn advance(&mut self, input: &[u8], sink: &mut impl Sink) -> Result<Option<usize>, Refusal> {
        let most = self.head as usize;
        let bounded = input.get(..most).unwrap_or(input);
        if self.progress.place != Place::Fields {
            // An ignored empty line is no part of the request line.
            let before = if input.starts_with(b"\r\n") { 2 } else { 0 };
            let first = (self.start_line as usize).saturating_add(before);
            let line = bounded.get(..first).unwrap_or(bounded);
            if !self.progress.request_line(line)? {
                return match line.len() >= first {
                    true => refuse(Rule::RequestLineLong, first),
                    false => incomplete(input, most),
                };
            }
        }
        match self.progress.lines.read(bounded, sink)? {
            None => incomplete(input, most),
            end => Ok(end),
        }
    }
}

/// More is needed, unless the limit leaves no room for it.
pub(crate) fn incomplete(input: &[u8], most: usize) -> Result<Option<usize>, Refusal> {
    if input.len() >= most {
        return refuse(Rule::HeadLong, most);
    }
    Ok(None)
}

impl Progress {
    const START: Progress = Progress {
        place: Place::Before,
        at: 0,
        line: RequestLine {
            method: 0,
            method_end: 0,
            target_end: 0,
            form: TargetForm::Origin,
            version: Version::Http11,
        },
        lines: Lines::START,
    };

    /// Whether a call before this one has left something to go on with.
    fn begun(&self) -> bool {
        self.place != Place::Before
    }

    /// Reads on in the request line: whether it is complete.
    #[inline]
    fn request_line(&mut self, input: &[u8]) -> Result<bool, Refusal> {
        let line = &mut self.line;
        if self.place == Place::Before {
            if input.first() == Some(&b'\r') {
                if !line_ends(input, 0)? {
                    return Ok(false);
                }
                line.method = 2;
            }
            self.at = line.method;
            self.place = Place::Method;
        }
        if self.place == Place::Method {
            self.at = token_end(input, self.at);
            match input.get(self.at) {
                None => return Ok(false),
                Some(b' ') if self.at > line.method => {}
                Some(b'\n') => return refuse(Rule::BareLf, self.at),
                Some(b' ' | b'\r') => return refuse(Rule::RequestLine, self.at),
                Some(_) => return refuse(Rule::Method, self.at),
            }
            line.method_end = self.at;
            self.at += 1;
            self.place = Place::Target;
        }
        if self.place == Place::Target {
            self.at = target_end(input, self.at);
            let target = line.method_end + 1;
            match input.get(self.at) {
                None => return Ok(false),
                Some(b' ') if self.at > target => {}
                Some(b'\n') => return refuse(Rule::BareLf, self.at),
                Some(b' ' | b'\r') => return refuse(Rule::RequestLine, self.at),
                Some(_) => return refuse(Rule::Target, self.at),
            }
            line.target_end = self.at;
            let method = input.get(line.method..line.method_end).unwrap_or_default();
            match form(method, input.get(target..self.at).unwrap_or_default()) {
                Ok(form) => line.form = form,
                Err(rule) => return refuse(rule, target),
            }
            self.at += 1;
            self.place = Place::Version;
        }
        // What is left is at most ten bytes: cheaper to read again than to remember.
        let Some(version) = read_version(input, self.at)? else {
            return Ok(false);
        };
        let end = self.at + Version::LENGTH;
        match input.get(end) {
            None => return Ok(false),
            Some(b'\r') => {
                if !line_ends(input, end)? {
                    return Ok(false);
                }
            }
            Some(b'\n') => return refuse(Rule::BareLf, end),
            Some(_) => return refuse(Rule::RequestLine, end),
        }
        line.version = version;
        self.lines = Lines::begin_at(end + 2);
        self.place = Place::Fields;
        Ok(true)
    }
}

/// What a complete head comes to, all its fields considered.
fn judge(line: &RequestLine, noted: &Noted, end: usize) -> Result<RequestHead, Refusal> {
    let version = line.version;
    let framing = noted.framing(version)?.unwrap_or(Framing::Empty);
    noted.check_host(version, end)?;
    let upgrade = noted.asks_to_upgrade(version);
    let has_body = !matches!(framing, Framing::Empty | Framing::Length(0));
    if upgrade && has_body {
        return refuse(Rule::UpgradeBody, noted.framed_at());
    }
    if line.form == TargetForm::Authority && has_body {
        return refuse(Rule::ConnectBody, noted.framed_at());
    }
    if let Some(at) = noted.unknown_expectation
        && version == Version::Http11
    {
        return refuse(Rule::Expect, at);
    }
    Ok(RequestHead {
        method: line.method..line.method_end,
        target: line.method_end + 1..line.target_end,
        form: line.form,
        version,
        framing,
        keep_alive: noted.keep_alive(version),
        nominates: noted.nominates,
        upgrade,
        expects_continue: noted.expects_continue && version == Version::Http11,
        length: end,
    })
}
