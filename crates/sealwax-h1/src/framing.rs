//! How a body is delimited (RFC 9112 §6).

/// Where a message's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none: the message ends with its head.
    Empty,
    /// After so many bytes. Below 2^63.
    Length(u64),
    /// With the last chunk and the trailers (RFC 9112 §7.1).
    Chunked,
    /// When the server closes the connection; responses only.
    UntilClose,
    /// What follows is no body but another protocol: the response was 101.
    Tunnel,
}
