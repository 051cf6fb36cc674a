//! # A strict HTTP/1.1 codec
//!
//! Bytes in, events out: heads, framing, chunks and trailers of both sides of a connection
//! (RFC 9112). Everything that a recipient may refuse is refused, by a [`Rule`] that names the
//! sentence it rests on; nothing is repaired. What one recipient can read in two ways is what
//! attackers use to make two recipients disagree.
//!
//! ```text
//!            ┌ RequestParser ─▶ RequestHead ┐                    ┌ Data, Data, …
//!  bytes ──▶ ┤                              ├─ Framing ─▶ Decoder ┤
//!            └ ResponseParser ▶ ResponseHead┘                    └ End, Trailers
//!                  │                                │
//!                  └────────────▶ Refusal ◀─────────┘
//!  bytes ◀── write::{request_line, status_line, field, end_of_head, chunk_head}
//! ```
//!
//! What it does: find the end of every message, and refuse those that have no certain one. What
//! it does not: sockets, time, buffers, HTTP/2, the content of fields that do not frame the
//! message (the host's spelling, cookies, URLs). No byte is copied but those of trailers: a
//! [`Field`] says where in the input it lies.
//!
//! The caller keeps one buffer. It gives the parser all that has come since the last message
//! ended, again with more behind it until a head is complete; drops `length` bytes; gives the rest
//! to a [`Decoder`], piece by piece, until [`Piece::End`]; and begins again.
//!
//! ```
//! use sealwax_h1::{Decoder, Limits, Piece, RequestParser, Rule};
//!
//! let mut parser = RequestParser::new(Limits::REQUEST);
//! let mut fields = Vec::new();
//! let input = b"POST /login HTTP/1.1\r\nHost: app.example\r\nContent-Length: 4\r\n\r\na=b&GET";
//!
//! // Half of a head is no head yet.
//! assert_eq!(parser.parse(&input[..30], &mut fields), Ok(None));
//! let head = parser.parse(input, &mut fields)?.expect("complete");
//! assert_eq!(&input[head.target.clone()], b"/login");
//! assert_eq!(&input[fields[0].value()], b"app.example");
//!
//! let mut body = Decoder::new(head.framing, &Limits::REQUEST);
//! let rest = &input[head.length..];
//! assert_eq!(body.decode(rest), Ok(Piece::Data { skip: 0, len: 4 }));
//! assert_eq!(body.decode(&rest[4..]), Ok(Piece::End { skip: 0 }));
//!
//! // What is ambiguous is refused, whichever field comes first.
//! let smuggled = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n";
//! let refusal = parser.parse(smuggled, &mut fields).expect_err("two framings");
//! assert_eq!(refusal.rule, Rule::FramingBoth);
//! assert_eq!(refusal.rule.status(), 400);
//! # Ok::<(), sealwax_h1::Refusal>(())
//! ```

mod body;
mod bytes;
mod chunk;
mod framing;
mod limits;
mod lines;
mod noted;
mod request;
mod response;
mod rule;
mod target;
mod version;
pub mod write;

pub use body::{Decoder, Piece};
pub use chunk::Trailers;
pub use framing::Framing;
pub use limits::Limits;
pub use lines::Field;
pub use request::{RequestHead, RequestParser};
pub use response::{Asked, ResponseHead, ResponseParser};
pub use rule::{Refusal, Rule};
pub use target::TargetForm;
pub use version::Version;
