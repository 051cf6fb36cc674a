//! The version in a start line (RFC 9112 §2.3).

use crate::{Refusal, Rule, rule::refuse};

/// The version of a message, as its start line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no chunks, no Host needed, and the connection ends unless asked to stay.
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl Version {
    /// Bytes of `HTTP/1.1`.
    pub(crate) const LENGTH: usize = 8;
}

/// The version at `at`, or `None` while it is not whole. The first byte that cannot belong to a
/// version is refused without waiting for the rest.
#[inline]
pub(crate) fn read_version(input: &[u8], at: usize) -> Result<Option<Version>, Refusal> {
    let rest = input.get(at..).unwrap_or_default();
    match rest.first_chunk::<{ Version::LENGTH }>() {
        Some(b"HTTP/1.1") => return Ok(Some(Version::Http11)),
        Some(b"HTTP/1.0") => return Ok(Some(Version::Http10)),
        _ => {}
    }
    for (offset, (&byte, &pattern)) in rest.iter().zip(b"HTTP/1.1").enumerate() {
        let at = at + offset;
        match byte {
            b'0' if offset == 7 => {}
            b'\n' => return refuse(Rule::BareLf, at),
            _ if byte == pattern => {}
            _ if byte.is_ascii_digit() && pattern == b'1' => {
                return refuse(Rule::VersionUnsupported, at);
            }
            _ => return refuse(Rule::Version, at),
        }
    }
    Ok(None)
}
