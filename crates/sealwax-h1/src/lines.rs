//! Field lines: those of a head and those of a trailer section (RFC 9112 §5).

use std::ops::Range;

use crate::bytes::{is_blank, token_end, value_end};
use crate::{Refusal, Rule, rule::refuse};

/// One field line, by where it lies in the bytes that were parsed. Sixteen bytes, no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    name: u32,
    name_end: u32,
    value: u32,
    value_end: u32,
}

impl Field {
    /// The name: one token, in the sender's case.
    #[must_use]
    #[inline]
    pub fn name(&self) -> Range<usize> {
        self.name as usize..self.name_end as usize
    }

    /// The value without the white space around it: visible ASCII, spaces, tabs and bytes from
    /// 0x80; possibly empty.
    #[must_use]
    #[inline]
    pub fn value(&self) -> Range<usize> {
        self.value as usize..self.value_end as usize
    }
}

/// What becomes of the fields that are found.
pub(crate) trait Sink {
    /// Takes the next field; an error says that there are too many.
    fn take(&mut self, input: &[u8], field: Field) -> Result<(), Rule>;
}

/// Counts fields without keeping them: for a head that comes in pieces, whose fields are gathered
/// once it is whole.
pub(crate) struct Count<'a> {
    pub(crate) seen: &'a mut u32,
    pub(crate) most: u32,
}

impl Sink for Count<'_> {
    fn take(&mut self, _: &[u8], _: Field) -> Result<(), Rule> {
        if *self.seen >= self.most {
            return Err(Rule::HeadFields);
        }
        *self.seen += 1;
        Ok(())
    }
}

/// How far a section of field lines has been read. Kept between calls, so that a section that
/// comes byte by byte is still read once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    place: Place,
    /// The first byte that has not been judged.
    at: usize,
    name: usize,
    name_end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a line.
    Begin,
    Name,
    Value,
}

impl Default for Lines {
    fn default() -> Self {
        Lines::START
    }
}

impl Lines {
    pub(crate) const START: Lines = Lines {
        place: Place::Begin,
        at: 0,
        name: 0,
        name_end: 0,
    };

    /// A section that begins at the offset `at`.
    pub(crate) fn begin_at(at: usize) -> Self {
        Lines { at, ..Lines::START }
    }

    /// Reads on: where the section ends, behind its empty line, or `None` if `input` ends first.
    /// `input` is at most `u32::MAX` bytes long.
    #[inline]
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        sink: &mut impl Sink,
    ) -> Result<Option<usize>, Refusal> {
        let Lines {
            mut place,
            mut at,
            mut name,
            mut name_end,
        } = *self;
        let found = loop {
            if place == Place::Begin {
                match input.get(at) {
                    None => break None,
                    Some(b'\r') => {
                        if !line_ends(input, at)? {
                            break None;
                        }
                        break Some(at + 2);
                    }
                    Some(&byte) if is_blank(byte) => return refuse(Rule::FieldFolded, at),
                    Some(_) => {}
                }
                name = at;
                place = Place::Name;
            }
            if place == Place::Name {
                at = token_end(input, at);
                match input.get(at) {
                    None => break None,
                    Some(b':') if at > name => {}
                    Some(b'\n') => return refuse(Rule::BareLf, at),
                    Some(&byte) if is_blank(byte) => return refuse(Rule::FieldSpace, at),
                    Some(_) => return refuse(Rule::FieldName, at),
                }
                name_end = at;
                at += 1;
                place = Place::Value;
            }
            at = value_end(input, at);
            match input.get(at) {
                None => break None,
                Some(b'\r') => {
                    if !line_ends(input, at)? {
                        break None;
                    }
                }
                Some(b'\n') => return refuse(Rule::BareLf, at),
                Some(_) => return refuse(Rule::FieldValue, at),
            }
            let field = without_blanks(input, name, name_end, at);
            if let Err(rule) = sink.take(input, field) {
                return refuse(rule, name);
            }
            at += 2;
            place = Place::Begin;
        };
        *self = Lines {
            place,
            at,
            name,
            name_end,
        };
        Ok(found)
    }
}

/// Whether the CR at `at` has its LF; `false` when that cannot be known yet.
#[inline]
pub(crate) fn line_ends(input: &[u8], at: usize) -> Result<bool, Refusal> {
    match input.get(at + 1) {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) => refuse(Rule::BareCr, at),
    }
}

/// The field whose colon stands at `name_end` and whose CR stands at `end`.
#[inline]
fn without_blanks(input: &[u8], name: usize, name_end: usize, mut end: usize) -> Field {
    let mut value = name_end + 1;
    while value < end && input.get(value).is_some_and(|&byte| is_blank(byte)) {
        value += 1;
    }
    while value < end && input.get(end - 1).is_some_and(|&byte| is_blank(byte)) {
        end -= 1;
    }
    // No offset is above the length of `input`, which the limits keep below 2^32.
    Field {
        name: name as u32,
        name_end: name_end as u32,
        value: value as u32,
        value_end: end as u32,
    }
}
