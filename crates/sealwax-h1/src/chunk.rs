//! The chunked transfer coding (RFC 9112 §7.1): every byte of framing against the grammar.

use crate::body::{Piece, take};
use crate::bytes::{is_blank, is_token_byte, is_value_byte};
use crate::lines::{Field, Lines, Sink};
use crate::{Limits, Refusal, Rule, limits::compact, rule::refuse};

/// The trailer section of a chunked body (RFC 9112 §7.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailers {
    /// The field lines as they came, and the empty line at the end.
    pub bytes: Vec<u8>,
    /// Where the fields lie in `bytes`; at least one.
    pub fields: Vec<Field>,
}

/// Where in a chunked body the next byte stands.
///
/// ```text
///  Begin ─▶ Size ─┬────────────────────────────────▶ Lf ─▶ Data ─▶ DataCr ─▶ DataLf ─▶ Begin
///                 ├─▶ SizeBlank ─▶ Extension          │ size 0
///                 └─▶ Extension ─▶ Name ─▶ … ─────────┤
///                        ▲                  │         ▼
///                        └──────── ; ───────┘   TrailersBegin ─┬─▶ Trailers ─▶ Done
///                                                              └─▶ TrailersLf ─▶ Done
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Before a chunk size.
    Begin,
    Size,
    /// Blanks after the size: an extension must follow.
    SizeBlank,
    /// After a semicolon.
    Extension,
    Name,
    /// Blanks after an extension's name: `=` or another extension must follow.
    NameBlank,
    /// After `=`.
    Equals,
    Token,
    Quoted,
    /// After a backslash within quotes.
    Escaped,
    /// After the closing quote.
    QuotedEnd,
    /// Blanks after an extension's value: another extension must follow.
    ValueBlank,
    /// After the CR of a chunk's line.
    Lf,
    Data,
    /// After a chunk's content.
    DataCr,
    DataLf,
    /// After the last chunk.
    TrailersBegin,
    /// After the CR of an empty trailer section.
    TrailersLf,
    Trailers,
    Done,
}

/// What is known of a chunked body between two calls.
#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) step: Step,
    /// Bytes of the current chunk's line.
    line: u32,
    /// Framing that no content has paid for.
    excess: u32,
    most_line: u32,
    most_excess: u32,
    most_trailers: u32,
    most_trailer_fields: u32,
    /// Why no more is decoded.
    refused: Option<Rule>,
    /// Only where there are any, which is rare.
    trailing: Option<Box<Trailing>>,
}

#[derive(Debug, Default)]
struct Trailing {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    lines: Lines,
}

/// Keeps the fields of a trailer section.
struct Keep<'a> {
    fields: &'a mut Vec<Field>,
    most: u32,
}

impl Sink for Keep<'_> {
    fn take(&mut self, _: &[u8], field: Field) -> Result<(), Rule> {
        if self.fields.len() >= self.most as usize {
            return Err(Rule::TrailersFields);
        }
        self.fields.push(field);
        Ok(())
    }
}

impl Chunks {
    pub(crate) fn new(limits: &Limits) -> Self {
        Chunks {
            step: Step::Begin,
            line: 0,
            excess: 0,
            most_line: compact(limits.chunk_line),
            most_excess: compact(limits.chunk_overhead),
            most_trailers: compact(limits.trailers),
            most_trailer_fields: compact(limits.trailer_fields),
            refused: None,
            trailing: None,
        }
    }

    /// The next piece; `left` holds what is left of the current chunk. After a refusal every call
    /// refuses, so that nothing behind what was malformed can be taken for content.
    pub(crate) fn decode(&mut self, left: &mut u64, input: &[u8]) -> Result<Piece, Refusal> {
        if let Some(rule) = self.refused {
            return refuse(rule, 0);
        }
        let result = self.next(left, input);
        self.refused = result.err().map(|refusal| refusal.rule);
        result
    }

    fn next(&mut self, left: &mut u64, input: &[u8]) -> Result<Piece, Refusal> {
        let mut at = 0;
        loop {
            match self.step {
                Step::Done => return Ok(Piece::End { skip: at }),
                Step::Data => {
                    if at >= input.len() {
                        return Ok(Piece::More { skip: at });
                    }
                    let len = take(left, input.len() - at);
                    if *left == 0 {
                        self.step = Step::DataCr;
                    }
                    return Ok(Piece::Data { skip: at, len });
                }
                Step::Trailers => return self.trailers(input, at),
                _ => {}
            }
            let Some(&byte) = input.get(at) else {
                return Ok(Piece::More { skip: at });
            };
            match self.judge(byte, left) {
                Ok((step, taken)) => {
                    self.step = step;
                    at += usize::from(taken);
                }
                // What is wrong with a CR is only seen behind it.
                Err(Rule::BareCr) => return refuse(Rule::BareCr, at.saturating_sub(1)),
                Err(rule) => return refuse(rule, at),
            }
        }
    }

    /// The step after `byte`, and whether the byte is a part of the one before it.
    #[inline]
    fn judge(&mut self, byte: u8, left: &mut u64) -> Result<(Step, bool), Rule> {
        let next = match (self.step, byte) {
            (Step::Lf, b'\n') => self.line_read(*left)?,
            (Step::DataCr, b'\r') => Step::DataLf,
            (Step::DataLf, b'\n') => Step::Begin,
            (Step::DataCr | Step::DataLf, _) => return Err(Rule::ChunkEnd),
            (Step::TrailersBegin, b'\r') => Step::TrailersLf,
            (Step::TrailersBegin, _) => return Ok((Step::Trailers, false)),
            (Step::TrailersLf, b'\n') => Step::Done,
            (Step::Lf | Step::TrailersLf, _) => return Err(Rule::BareCr),
            (_, b'\n') => return Err(Rule::BareLf),
            _ => return Ok((self.judge_line(byte, left)?, true)),
        };
        Ok((next, true))
    }

    /// Within a chunk's line: `chunk-size *( BWS ";" BWS name [ BWS "=" BWS value ] ) CR`.
    #[inline]
    fn judge_line(&mut self, byte: u8, left: &mut u64) -> Result<Step, Rule> {
        let next = match (self.step, byte) {
            (Step::Size | Step::Name | Step::Token | Step::QuotedEnd, b'\r') => {
                return Ok(Step::Lf);
            }
            (Step::Begin | Step::Size, _) if byte.is_ascii_hexdigit() => {
                add_digit(left, byte)?;
                Step::Size
            }
            (Step::Size | Step::SizeBlank, b';') => Step::Extension,
            (Step::Size | Step::SizeBlank, b' ' | b'\t') => Step::SizeBlank,
            (Step::Begin | Step::Size | Step::SizeBlank, _) => return Err(Rule::ChunkSize),

            (Step::Extension | Step::Equals, b' ' | b'\t') => self.step,
            (Step::Extension | Step::Name, _) if is_token_byte(byte) => Step::Name,
            (Step::Name | Step::NameBlank, b'=') => Step::Equals,
            (Step::Equals, b'"') => Step::Quoted,
            (Step::Equals | Step::Token, _) if is_token_byte(byte) => Step::Token,
            (Step::Quoted, b'"') => Step::QuotedEnd,
            (Step::Quoted, b'\\') => Step::Escaped,
            (Step::Quoted | Step::Escaped, _) if is_value_byte(byte) => Step::Quoted,
            (
                Step::Name | Step::NameBlank | Step::Token | Step::QuotedEnd | Step::ValueBlank,
                b';',
            ) => Step::Extension,
            (Step::Name | Step::NameBlank, _) if is_blank(byte) => Step::NameBlank,
            (Step::Token | Step::QuotedEnd | Step::ValueBlank, _) if is_blank(byte) => {
                Step::ValueBlank
            }
            _ => return Err(Rule::ChunkExtension),
        };
        if self.line >= self.most_line {
            return Err(Rule::ChunkLineLong);
        }
        self.line += 1;
        Ok(next)
    }

    /// A chunk's line is whole: count what it cost.
    fn line_read(&mut self, size: u64) -> Result<Step, Rule> {
        let line = std::mem::take(&mut self.line);
        if size == 0 {
            return Ok(Step::TrailersBegin);
        }
        // The line, its CR LF, and the one after the content.
        let framing = u64::from(self.excess) + u64::from(line) + 4;
        let excess = framing.saturating_sub(size.saturating_mul(Limits::CHUNK_CREDIT));
        if excess > u64::from(self.most_excess) {
            return Err(Rule::ChunkFlood);
        }
        // At most `most_excess`, which is a u32.
        self.excess = excess as u32;
        Ok(Step::Data)
    }

    /// Gathers the trailer section, of which `input` goes on at `at`.
    fn trailers(&mut self, input: &[u8], at: usize) -> Result<Piece, Refusal> {
        let most = self.most_trailers as usize;
        let Trailing {
            bytes,
            fields,
            lines,
        } = self.trailing.get_or_insert_default().as_mut();
        let before = bytes.len();
        let rest = input.get(at..).unwrap_or_default();
        bytes.extend_from_slice(rest.get(..most - before).unwrap_or(rest));
        let mut keep = Keep {
            fields,
            most: self.most_trailer_fields,
        };
        match lines.read(bytes, &mut keep) {
            Ok(Some(end)) => {
                bytes.truncate(end);
                self.step = Step::Done;
                Ok(Piece::End {
                    skip: at + end - before,
                })
            }
            Ok(None) if bytes.len() >= most => {
                refuse(Rule::TrailersLong, at + bytes.len() - before)
            }
            Ok(None) => Ok(Piece::More { skip: input.len() }),
            Err(refusal) => refuse(refusal.rule, at + refusal.at.saturating_sub(before)),
        }
    }

    /// The trailers of a body that is complete.
    pub(crate) fn take_trailers(&mut self) -> Option<Trailers> {
        if self.step != Step::Done {
            return None;
        }
        let trailing = self.trailing.take()?;
        Some(Trailers {
            bytes: trailing.bytes,
            fields: trailing.fields,
        })
    }
}

/// One more hexadecimal digit of a size, which stays below 2^63 as a Content-Length does.
fn add_digit(size: &mut u64, digit: u8) -> Result<(), Rule> {
    if *size > (i64::MAX as u64) >> 4 {
        return Err(Rule::ChunkOverflow);
    }
    let value = match digit {
        b'0'..=b'9' => digit - b'0',
        // Only hexadecimal digits come here; in lower case they follow each other from `a`.
        _ => (digit | 0x20) - b'a' + 10,
    };
    *size = *size << 4 | u64::from(value);
    Ok(())
}
