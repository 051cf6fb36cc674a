//! Messages as bytes: each function appends to a buffer and writes nothing that
//! [`RequestParser`](crate::RequestParser) or [`ResponseParser`](crate::ResponseParser) refuses, if its
//! arguments are what their names say: a method and a name are tokens, a target is visible ASCII
//! without `#`, a value holds no control character but tabs and has no white space around it. What
//! was parsed here, or is an `http::HeaderValue` without tabs at its ends, fulfils that. Debug
//! builds check it.

use crate::bytes::{is_token, is_value_byte, target_end};

/// Ends the content of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// The chunk that ends a body without trailers, the empty line after it included.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The chunk that ends a body with trailers: write each with [`field`], then [`end_of_head`].
pub const LAST_CHUNK_BEFORE_TRAILERS: &[u8] = b"0\r\n";

/// Appends `method SP target SP HTTP/1.1 CRLF` (RFC 9112 §3).
#[inline]
pub fn request_line(out: &mut Vec<u8>, method: &[u8], target: &[u8]) {
    debug_assert!(is_token(method), "a method is a token");
    debug_assert!(
        !target.is_empty() && target_end(target, 0) == target.len(),
        "a target is visible ASCII"
    );
    out.reserve(method.len() + target.len() + 12);
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(target);
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// Appends `HTTP/1.1 SP status SP reason CRLF` (RFC 9112 §4) with the registered reason phrase, or
/// with none for a status that is not registered. `status` is between 100 and 599.
#[inline]
pub fn status_line(out: &mut Vec<u8>, status: u16) {
    debug_assert!((100..=599).contains(&status), "a status is 100 to 599");
    let reason = reason(status);
    let digit = |power: u16| b'0' + (status / power % 10) as u8;
    out.reserve(reason.len() + 15);
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(&[digit(100), digit(10), digit(1), b' ']);
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends one field line, `name: value CRLF` (RFC 9112 §5).
#[inline]
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    debug_assert!(is_token(name), "a field's name is a token");
    debug_assert!(
        value.iter().all(|&byte| is_value_byte(byte)),
        "a field's value has no control characters"
    );
    out.reserve(name.len() + value.len() + 4);
    // Single bytes are pushed: a slice, however short, is a call of memcpy.
    out.extend_from_slice(name);
    out.push(b':');
    out.push(b' ');
    out.extend_from_slice(value);
    out.push(b'\r');
    out.push(b'\n');
}

/// Appends the empty line that ends a head or a trailer section.
#[inline]
pub fn end_of_head(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// The line before the content of a chunk: its size in hexadecimal and CR LF (RFC 9112 §7.1). The
/// content follows, then [`CHUNK_END`]. A size of 0 would end the body: use [`LAST_CHUNK`].
#[must_use]
#[inline]
pub fn chunk_head(len: usize) -> ChunkHead {
    debug_assert!(len > 0, "an empty chunk ends the body");
    let mut bytes = [0; ChunkHead::MOST];
    let digits = (len.max(1).ilog2() / 4 + 1) as usize;
    for (place, byte) in bytes.iter_mut().take(digits).enumerate() {
        let nibble = (len >> (4 * (digits - 1 - place))) & 0xf;
        *byte = if nibble < 10 {
            b'0' + nibble as u8
        } else {
            b'a' + (nibble - 10) as u8
        };
    }
    for (byte, &end) in bytes.iter_mut().skip(digits).zip(b"\r\n") {
        *byte = end;
    }
    ChunkHead {
        bytes,
        len: (digits + 2) as u8,
    }
}

/// The line before a chunk's content, on the stack; made by [`chunk_head`].
#[derive(Debug, Clone, Copy)]
pub struct ChunkHead {
    bytes: [u8; Self::MOST],
    len: u8,
}

impl ChunkHead {
    /// Sixteen digits and CR LF.
    const MOST: usize = 18;
}

impl AsRef<[u8]> for ChunkHead {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The reason phrase registered for a status code (RFC 9110 §15 and IANA's registry); empty for
/// one that is not.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "",
    }
}
