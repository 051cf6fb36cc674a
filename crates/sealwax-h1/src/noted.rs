//! The few fields of a head that decide where the message ends and what becomes of the connection.

use crate::bytes::{is_token, list, trim};
use crate::lines::{Field, Sink};
use crate::{Framing, Refusal, Rule, Version, rule::refuse};

/// What the fields of one head said, gathered while they were read and judged when all are known,
/// so that the order of fields never matters.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The first field whose own value is not well-formed.
    fault: Option<Refusal>,
    length: Option<(u64, usize)>,
    coding: Option<(Coding, usize)>,
    hosts: Hosts,
    close: bool,
    keep_alive: bool,
    /// `Connection` names another field.
    pub(crate) nominates: bool,
    /// `Connection: upgrade`.
    pub(crate) upgrade_option: bool,
    /// The first Upgrade field.
    pub(crate) upgrade: Option<Field>,
    pub(crate) upgrade_fields: u32,
    /// Whether a protocol other than `h2c` was named.
    upgrade_beyond_h2c: bool,
    pub(crate) expects_continue: bool,
    pub(crate) unknown_expectation: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Coding {
    Chunked,
    Unsupported,
    Malformed,
}

#[derive(Debug, Default, Clone, Copy)]
enum Hosts {
    #[default]
    None,
    One,
    /// And where the second stands.
    Many(usize),
}

/// Keeps the fields of a head and notes those that matter for framing.
pub(crate) struct Gather<'a> {
    pub(crate) fields: &'a mut Vec<Field>,
    pub(crate) most: u32,
    pub(crate) noted: Noted,
}

impl Sink for Gather<'_> {
    #[inline]
    fn take(&mut self, input: &[u8], field: Field) -> Result<(), Rule> {
        if self.fields.len() >= self.most as usize {
            return Err(Rule::HeadFields);
        }
        self.fields.push(field);
        self.noted.note(input, field);
        Ok(())
    }
}

impl Noted {
    #[inline]
    fn note(&mut self, input: &[u8], field: Field) {
        // The lengths of the six names that matter; most fields end here.
        let name = field.name();
        if !matches!(name.len(), 4 | 6 | 7 | 10 | 14 | 17) {
            return;
        }
        let (Some(name), Some(value)) = (input.get(name), input.get(field.value())) else {
            return;
        };
        let at = field.name().start;
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(at),
            6 if name.eq_ignore_ascii_case(b"expect") => self.expect(value, at),
            7 if name.eq_ignore_ascii_case(b"upgrade") => self.upgrade(field, value),
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(field, value),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.length(field, value, has_tab_beside(input, field));
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.coding(value, at, has_tab_beside(input, field));
            }
            _ => {}
        }
    }

    fn fault(&mut self, rule: Rule, at: usize) {
        self.fault.get_or_insert(Refusal { rule, at });
    }

    fn host(&mut self, at: usize) {
        self.hosts = match self.hosts {
            Hosts::None => Hosts::One,
            Hosts::One => Hosts::Many(at),
            many @ Hosts::Many(_) => many,
        };
    }

    fn expect(&mut self, value: &[u8], at: usize) {
        if value.eq_ignore_ascii_case(b"100-continue") {
            self.expects_continue = true;
        } else {
            self.unknown_expectation.get_or_insert(at);
        }
    }

    fn upgrade(&mut self, field: Field, value: &[u8]) {
        if list(value).any(|protocol| !is_protocol(protocol)) {
            self.fault(Rule::Upgrade, field.value().start);
        }
        self.upgrade_beyond_h2c |=
            list(value).any(|protocol| !protocol.eq_ignore_ascii_case(b"h2c"));
        self.upgrade.get_or_insert(field);
        self.upgrade_fields += 1;
    }

    fn connection(&mut self, field: Field, value: &[u8]) {
        // What nearly everybody sends.
        if value.eq_ignore_ascii_case(b"keep-alive") {
            self.keep_alive = true;
            return;
        }
        for option in list(value) {
            if !is_token(option) {
                self.fault(Rule::Connection, field.value().start);
            }
            let close = option.eq_ignore_ascii_case(b"close");
            let keep_alive = option.eq_ignore_ascii_case(b"keep-alive");
            let upgrade = option.eq_ignore_ascii_case(b"upgrade");
            self.close |= close;
            self.keep_alive |= keep_alive;
            self.upgrade_option |= upgrade;
            self.nominates |= !(close || keep_alive || upgrade);
        }
    }

    fn length(&mut self, field: Field, value: &[u8], tab: bool) {
        let at = field.name().start;
        if self.length.is_some() {
            self.fault(Rule::LengthRepeated, at);
        }
        match decimal(value).filter(|_| !tab) {
            Some(length) => self.length = Some((length, at)),
            None => {
                self.length = Some((0, at));
                self.fault(Rule::Length, field.value().start);
            }
        }
    }

    fn coding(&mut self, value: &[u8], at: usize, tab: bool) {
        if self.coding.is_some() {
            self.fault(Rule::CodingRepeated, at);
        }
        let coding = if tab {
            Coding::Malformed
        } else if value.eq_ignore_ascii_case(b"chunked") {
            Coding::Chunked
        } else if is_compression_then_chunked(value) {
            Coding::Unsupported
        } else {
            Coding::Malformed
        };
        self.coding = Some((coding, at));
    }

    /// What goes for requests and responses alike: `None` when no field frames the message.
    pub(crate) fn framing(&self, version: Version) -> Result<Option<Framing>, Refusal> {
        if let (Some((_, length)), Some((_, coding))) = (self.length, self.coding) {
            return refuse(Rule::FramingBoth, length.max(coding));
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        match self.coding {
            Some((_, at)) if version == Version::Http10 => refuse(Rule::CodingHttp10, at),
            Some((Coding::Malformed, at)) => refuse(Rule::Coding, at),
            Some((Coding::Unsupported, at)) => refuse(Rule::CodingUnsupported, at),
            Some((Coding::Chunked, _)) => Ok(Some(Framing::Chunked)),
            None => Ok(self.length.map(|(length, _)| Framing::Length(length))),
        }
    }

    /// Where the field stands that frames the message.
    pub(crate) fn framed_at(&self) -> usize {
        let coding = self.coding.map(|(_, at)| at);
        coding.or(self.length.map(|(_, at)| at)).unwrap_or(0)
    }

    /// Exactly one Host in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112 §3.2).
    pub(crate) fn check_host(&self, version: Version, end: usize) -> Result<(), Refusal> {
        match self.hosts {
            Hosts::Many(at) => refuse(Rule::HostRepeated, at),
            Hosts::None if version == Version::Http11 => refuse(Rule::HostMissing, end),
            Hosts::None | Hosts::One => Ok(()),
        }
    }

    /// Whether the connection outlives the message (RFC 9112 §9.3).
    pub(crate) fn keep_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    /// Whether the client asks to leave HTTP/1.1 for something that may be switched to. RFC 9113
    /// §3.1 has withdrawn `h2c`, which some clients still offer with every request; one that
    /// offers nothing else asks for nothing.
    pub(crate) fn asks_to_upgrade(&self, version: Version) -> bool {
        version == Version::Http11 && self.upgrade_option && self.upgrade_beyond_h2c
    }
}

/// Whether a tab stands beside the value of a field that frames the message. The grammar allows it,
/// but llhttp (Node) takes one behind `chunked` for a part of the value, and then reads another
/// message than we do.
fn has_tab_beside(input: &[u8], field: Field) -> bool {
    let before = input.get(field.name().end..field.value().start);
    let after = input.get(field.value().end..).unwrap_or_default();
    before.is_some_and(|before| before.contains(&b'\t'))
        || after
            .iter()
            .take_while(|&&byte| byte != b'\r')
            .any(|&byte| byte == b'\t')
}

/// 1*DIGIT below 2^63, without a leading zero: recipients that count in signed numbers, or read
/// a leading zero as octal, must not come to another end than we do.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 || (text.len() > 1 && text.first() == Some(&b'0')) {
        return None;
    }
    let mut number = 0u64;
    for &byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        // Nineteen digits are less than 2^64.
        number = number * 10 + u64::from(byte - b'0');
    }
    (number <= i64::MAX as u64).then_some(number)
}

/// protocol-name ["/" protocol-version] (RFC 9110 §7.8).
fn is_protocol(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |&byte| byte == b'/');
    parts.next().is_some_and(is_token) && parts.next().is_none_or(is_token)
}

/// A list of registered compressions that ends in `chunked`: well-formed, and not ours to decode.
fn is_compression_then_chunked(value: &[u8]) -> bool {
    let known: [&[u8]; 5] = [b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"];
    let Some(comma) = value.iter().rposition(|&byte| byte == b',') else {
        return false;
    };
    let (before, last) = value.split_at(comma);
    last.get(1..)
        .is_some_and(|last| trim(last).eq_ignore_ascii_case(b"chunked"))
        && before
            .split(|&byte| byte == b',')
            .all(|coding| known.iter().any(|k| trim(coding).eq_ignore_ascii_case(k)))
}
