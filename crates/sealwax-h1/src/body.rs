//! The body of a message, piece by piece.

use crate::chunk::{Chunks, Step, Trailers};
use crate::{Framing, Limits, Refusal, Rule, rule::refuse};

/// What the next bytes of the input are. All that a piece names is consumed: the next call gets
/// what lies behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// `skip` bytes of framing, then `len` bytes of content; `len` is at least 1.
    Data {
        /// Bytes of framing before the content.
        skip: usize,
        /// Bytes of content.
        len: usize,
    },
    /// The message is complete. What lies behind `skip` belongs to the next message, or to nobody.
    End {
        /// Bytes of framing that still belong to this message.
        skip: usize,
    },
    /// All of the input was framing, and more is needed.
    More {
        /// The length of the input.
        skip: usize,
    },
}

/// Finds the content of one message's body. At most 64 bytes, and no allocation but for trailers.
#[derive(Debug)]
pub struct Decoder {
    kind: Kind,
    /// Bytes of content that are still to come: of the body, or of the current chunk.
    left: u64,
    chunks: Chunks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Length,
    Chunked,
    UntilClose,
}

impl Decoder {
    /// A decoder for one body. Of `limits` it takes those of chunks and trailers.
    #[must_use]
    pub fn new(framing: Framing, limits: &Limits) -> Self {
        let (kind, left) = match framing {
            Framing::Empty => (Kind::Length, 0),
            Framing::Length(length) => (Kind::Length, length),
            Framing::Chunked => (Kind::Chunked, 0),
            Framing::UntilClose | Framing::Tunnel => (Kind::UntilClose, 0),
        };
        Decoder {
            kind,
            left,
            chunks: Chunks::new(limits),
        }
    }

    /// The next piece of `input`, which begins where the last piece ended. Once the message is
    /// complete the answer is always `End { skip: 0 }`.
    ///
    /// # Errors
    /// A [`Refusal`] when chunks or trailers are malformed or beyond the limits, and again on every
    /// call after that. The body is cut short there and must not be passed on as complete.
    #[inline]
    pub fn decode(&mut self, input: &[u8]) -> Result<Piece, Refusal> {
        match self.kind {
            Kind::Chunked => self.chunks.decode(&mut self.left, input),
            Kind::Length if self.left == 0 => Ok(Piece::End { skip: 0 }),
            _ if input.is_empty() => Ok(Piece::More { skip: 0 }),
            Kind::Length => Ok(Piece::Data {
                skip: 0,
                len: take(&mut self.left, input.len()),
            }),
            Kind::UntilClose => Ok(Piece::Data {
                skip: 0,
                len: input.len(),
            }),
        }
    }

    /// Whether the message is complete. A chunked one is when its [`Piece::End`] has been given.
    #[must_use]
    #[inline]
    pub fn is_done(&self) -> bool {
        match self.kind {
            Kind::Length => self.left == 0,
            Kind::Chunked => self.chunks.step == Step::Done,
            Kind::UntilClose => false,
        }
    }

    /// Bytes that are still to come of a body with a length; `None` for every other.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        (self.kind == Kind::Length).then_some(self.left)
    }

    /// The connection has been closed by the other side: the end of a body until close, after
    /// which [`is_done`](Self::is_done) holds.
    ///
    /// # Errors
    /// [`Rule::CutShort`] when the body was to go on.
    pub fn end(&mut self) -> Result<(), Refusal> {
        if self.kind == Kind::UntilClose {
            self.kind = Kind::Length;
            self.left = 0;
        }
        if !self.is_done() {
            return refuse(Rule::CutShort, 0);
        }
        Ok(())
    }

    /// The trailers of a complete chunked body, once; `None` when there are none. They are
    /// reported as they came: what of them may be passed on is for the caller to say, and never
    /// fields that frame, route or authenticate a message (RFC 9110 §6.5.1).
    pub fn trailers(&mut self) -> Option<Trailers> {
        self.chunks.take_trailers()
    }
}

/// Takes up to `available` bytes off what is left, and says how many.
#[inline]
pub(crate) fn take(left: &mut u64, available: usize) -> usize {
    match usize::try_from(*left) {
        Ok(wanted) if wanted <= available => {
            *left = 0;
            wanted
        }
        _ => {
            *left -= available as u64;
            available
        }
    }
}
