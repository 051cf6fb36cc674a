//! The head of a response (RFC 9112 §4).

use std::ops::Range;

use crate::bytes::{list, value_end};
use crate::lines::{Count, Field, Lines, Sink, line_ends};
use crate::noted::{Gather, Noted};
use crate::request::incomplete;
use crate::version::{Version, read_version};
use crate::{Framing, Limits, Refusal, Rule, limits::compact, rule::refuse};

/// What was asked, which decides what a response means (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked<'a> {
    /// The method was HEAD: whatever the response says about a body, it has none.
    pub head: bool,
    /// The protocols offered, as in the Upgrade field that was sent; `None` when there was none,
    /// or no `Connection: upgrade` with it.
    pub upgrade: Option<&'a [u8]>,
}

/// What a response's head says. Its ranges and those of its fields lie in the `input` that
/// [`ResponseParser::parse`] was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code, 100 to 599.
    pub status: u16,
    /// The version in the status line.
    pub version: Version,
    /// The reason phrase; often empty.
    pub reason: Range<usize>,
    /// How the body is framed. [`Framing::Empty`] for 1xx, 204, 304 and every answer to HEAD,
    /// whatever the fields say; [`Framing::Tunnel`] for 101; [`Framing::UntilClose`] when no field
    /// says.
    pub framing: Framing,
    /// Whether the connection can carry another exchange when this response is complete
    /// (RFC 9112 §9.3). Never after a body until close or a tunnel, nor when a 204 announces a
    /// body that it cannot have, since that body may follow.
    pub keep_alive: bool,
    /// Whether `Connection` has options other than `close`, `keep-alive` and `upgrade`: names of
    /// fields that are meant for this connection only (RFC 9110 §7.6.1).
    pub nominates: bool,
    /// Bytes that the head took. The body begins there.
    pub length: usize,
}

impl ResponseHead {
    /// Whether another response to the same request follows: 1xx but 101 (RFC 9110 §15.2).
    #[must_use]
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }
}

/// Reads the responses to one request: interim ones, then the final one.
#[derive(Debug)]
pub struct ResponseParser {
    start_line: u32,
    head: u32,
    fields: u32,
    /// Interim responses that may still come.
    interim: u32,
    seen: u32,
    progress: Progress,
}

/// How far the head has been read.
#[derive(Debug, Clone, Copy)]
struct Progress {
    place: Place,
    /// Within the reason: the first byte that has not been judged.
    at: usize,
    line: StatusLine,
    lines: Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Status,
    Reason,
    Fields,
}

#[derive(Debug, Clone, Copy)]
struct StatusLine {
    version: Version,
    status: u16,
    reason: usize,
    reason_end: usize,
}

impl ResponseParser {
    /// A parser for the responses to one request.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        ResponseParser {
            start_line: compact(limits.start_line),
            head: compact(limits.head),
            fields: compact(limits.fields),
            interim: limits.interim,
            seen: 0,
            progress: Progress::START,
        }
    }

    /// Reads a head from `input`: everything that has come since the request was sent or since
    /// the interim response before. `None` means that the head is not complete: call again with
    /// the same bytes and more behind them.
    ///
    /// `fields` is cleared, and filled when the head is complete. After an interim response
    /// ([`ResponseHead::is_interim`]) the parser is ready for the next head, which begins at its
    /// [`length`](ResponseHead::length); after the final one it has done its work.
    ///
    /// One form that the grammar does not have is read all the same, since widespread apps send
    /// it and it can mean only one thing: a status line without the space before a reason that is
    /// empty (`HTTP/1.1 200` CR LF).
    ///
    /// # Errors
    /// A [`Refusal`], as early as it can be known. The response is not to be used, nor the
    /// connection.
    pub fn parse(
        &mut self,
        input: &[u8],
        asked: &Asked<'_>,
        fields: &mut Vec<Field>,
    ) -> Result<Option<ResponseHead>, Refusal> {
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
            self.seen = compact(gather.fields.len());
            gather.fields.clear();
            return Ok(None);
        };
        let head = judge(input, &self.progress.line, &gather.noted, asked, end)?;
        if head.is_interim() {
            match self.interim.checked_sub(1) {
                Some(left) => self.interim = left,
                None => return refuse(Rule::InterimFlood, 0),
            }
        }
        self.seen = 0;
        self.progress = Progress::START;
        Ok(Some(head))
    }

    /// Reads on within the limits: where the head ends.
    #[inline]
    fn advance(&mut self, input: &[u8], sink: &mut impl Sink) -> Result<Option<usize>, Refusal> {
        let most = self.head as usize;
        let bounded = input.get(..most).unwrap_or(input);
        if self.progress.place != Place::Fields {
            let first = self.start_line as usize;
            let line = bounded.get(..first).unwrap_or(bounded);
            if !self.progress.status_line(line)? {
                return match line.len() >= first {
                    true => refuse(Rule::StatusLineLong, first),
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

impl Progress {
    const START: Progress = Progress {
        place: Place::Status,
        at: 0,
        line: StatusLine {
            version: Version::Http11,
            status: 0,
            reason: 0,
            reason_end: 0,
        },
        lines: Lines::START,
    };

    /// Whether a call before this one has left something to go on with. A status line that breaks
    /// off before its reason is at most twelve bytes, which are read again.
    fn begun(&self) -> bool {
        self.place != Place::Status
    }

    /// Reads on in the status line: whether it is complete.
    #[inline]
    fn status_line(&mut self, input: &[u8]) -> Result<bool, Refusal> {
        let line = &mut self.line;
        if self.place == Place::Status {
            let Some(version) = read_version(input, 0)? else {
                return Ok(false);
            };
            let Some(status) = read_status(input, Version::LENGTH)? else {
                return Ok(false);
            };
            let end = Version::LENGTH + 4;
            match input.get(end) {
                None => return Ok(false),
                Some(b' ') => line.reason = end + 1,
                Some(b'\r') => line.reason = end,
                Some(b'\n') => return refuse(Rule::BareLf, end),
                Some(_) => return refuse(Rule::StatusLine, end),
            }
            line.version = version;
            line.status = status;
            self.at = line.reason;
            self.place = Place::Reason;
        }
        self.at = value_end(input, self.at);
        match input.get(self.at) {
            None => return Ok(false),
            Some(b'\r') => {
                if !line_ends(input, self.at)? {
                    return Ok(false);
                }
            }
            Some(b'\n') => return refuse(Rule::BareLf, self.at),
            Some(_) => return refuse(Rule::StatusLine, self.at),
        }
        line.reason_end = self.at;
        self.lines = Lines::begin_at(self.at + 2);
        self.place = Place::Fields;
        Ok(true)
    }
}

/// SP and three digits at `at`, or `None` while they are not whole.
fn read_status(input: &[u8], at: usize) -> Result<Option<u16>, Refusal> {
    let mut status = 0;
    for offset in 0..4 {
        let at = at + offset;
        match input.get(at) {
            None => return Ok(None),
            Some(b' ') if offset == 0 => {}
            Some(b'\n') => return refuse(Rule::BareLf, at),
            Some(byte) if offset > 0 && byte.is_ascii_digit() => {
                status = status * 10 + u16::from(byte - b'0');
            }
            Some(_) => return refuse(Rule::StatusLine, at),
        }
    }
    if !(100..=599).contains(&status) {
        return refuse(Rule::StatusRange, at + 1);
    }
    Ok(Some(status))
}

/// What a complete head comes to, all its fields considered (RFC 9112 §6.3).
fn judge(
    input: &[u8],
    line: &StatusLine,
    noted: &Noted,
    asked: &Asked<'_>,
    end: usize,
) -> Result<ResponseHead, Refusal> {
    let StatusLine {
        version, status, ..
    } = *line;
    let announced = noted.framing(version)?;
    let announces_content = !matches!(announced, None | Some(Framing::Length(0)));
    let mut keep_alive = noted.keep_alive(version);
    let framing = match status {
        100..=199 if announces_content => {
            return refuse(Rule::InterimBody, noted.framed_at());
        }
        101 => {
            check_switch(input, version, noted, asked)?;
            Framing::Tunnel
        }
        204 => {
            keep_alive &= !announces_content;
            Framing::Empty
        }
        100..=199 | 304 => Framing::Empty,
        _ if asked.head => Framing::Empty,
        _ => announced.unwrap_or(Framing::UntilClose),
    };
    Ok(ResponseHead {
        status,
        version,
        reason: line.reason..line.reason_end,
        framing,
        keep_alive: keep_alive && !matches!(framing, Framing::UntilClose | Framing::Tunnel),
        nominates: noted.nominates,
        length: end,
    })
}

/// A 101 is the answer to what was asked (RFC 9110 §7.8, §15.2.2).
fn check_switch(
    input: &[u8],
    version: Version,
    noted: &Noted,
    asked: &Asked<'_>,
) -> Result<(), Refusal> {
    let (Some(offered), Some(field)) = (asked.upgrade, noted.upgrade) else {
        return refuse(Rule::UpgradeUnasked, 0);
    };
    if version != Version::Http11 || !noted.upgrade_option {
        return refuse(Rule::UpgradeUnasked, 0);
    }
    let chosen = input.get(field.value()).unwrap_or_default();
    let mut protocols = list(chosen).peekable();
    let named = protocols.peek().is_some();
    let known = |protocol: &[u8]| list(offered).any(|o| o.eq_ignore_ascii_case(protocol));
    if noted.upgrade_fields > 1 || !named || !protocols.all(known) {
        return refuse(Rule::UpgradeOther, field.value().start);
    }
    Ok(())
}
