//! How large each part of a message may become.

/// Upper bounds of one message. Every one is inclusive: what is exactly as large passes, what is
/// larger is refused as soon as it can be known, and before it has to be stored.
///
/// A value above `u32::MAX` counts as `u32::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request line or status line, its CR LF included.
    /// Beyond it: [`Rule::RequestLineLong`](crate::Rule::RequestLineLong),
    /// [`Rule::StatusLineLong`](crate::Rule::StatusLineLong).
    pub start_line: usize,
    /// Bytes of the whole head: start line, field lines, the empty line at the end, and an ignored
    /// empty line before a request. Beyond it: [`Rule::HeadLong`](crate::Rule::HeadLong).
    pub head: usize,
    /// Field lines of the head. Beyond it: [`Rule::HeadFields`](crate::Rule::HeadFields).
    pub fields: usize,
    /// Bytes of one chunk's line, size and extensions without CR LF.
    /// Beyond it: [`Rule::ChunkLineLong`](crate::Rule::ChunkLineLong).
    pub chunk_line: usize,
    /// Bytes of chunk framing that a body may cost beyond what its content pays for.
    ///
    /// Each chunk adds the bytes of its framing (line, extensions, both CR LF) and takes away
    /// [`Limits::CHUNK_CREDIT`] for each byte of content, never below zero. A body of one-byte
    /// chunks has five bytes of framing for each byte of content and never adds up; long
    /// extensions on tiny chunks do.
    /// Beyond it: [`Rule::ChunkFlood`](crate::Rule::ChunkFlood).
    pub chunk_overhead: usize,
    /// Bytes of the trailer section, the empty line at its end included.
    /// Beyond it: [`Rule::TrailersLong`](crate::Rule::TrailersLong).
    pub trailers: usize,
    /// Field lines of the trailer section.
    /// Beyond it: [`Rule::TrailersFields`](crate::Rule::TrailersFields).
    pub trailer_fields: usize,
    /// Interim (1xx) responses before the final one; unused in requests.
    /// Beyond it: [`Rule::InterimFlood`](crate::Rule::InterimFlood).
    pub interim: u32,
}

impl Limits {
    /// Bytes of chunk framing that one byte of content pays for.
    pub const CHUNK_CREDIT: u64 = 16;

    /// What a request may need: a start line of 16 KiB (RFC 9112 §3 recommends at least 8,000
    /// bytes), a head of 64 KiB with 128 fields, 4 KiB of trailers.
    pub const REQUEST: Limits = Limits {
        start_line: 16 * 1024,
        head: 64 * 1024,
        fields: 128,
        chunk_line: 1024,
        chunk_overhead: 16 * 1024,
        trailers: 4 * 1024,
        trailer_fields: 32,
        interim: 0,
    };

    /// What a response may need: apps send more and longer fields than browsers do
    /// (Content-Security-Policy, many cookies).
    pub const RESPONSE: Limits = Limits {
        start_line: 8 * 1024,
        head: 128 * 1024,
        fields: 256,
        chunk_line: 1024,
        chunk_overhead: 16 * 1024,
        trailers: 16 * 1024,
        trailer_fields: 64,
        interim: 16,
    };
}

/// A limit as it is kept: four bytes, so that a parser stays small.
pub(crate) fn compact(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
