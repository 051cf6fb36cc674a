//! HTTP/2 in exact frames (RFC 9113 §4, §6), for clients that no library would play.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::{Tls, connect_tls};

/// Frame types (RFC 9113 §6).
#[allow(missing_docs, reason = "the RFC's own names")]
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Frame flags (RFC 9113 §6).
#[allow(missing_docs, reason = "the RFC's own names")]
pub mod flag {
    pub const NONE: u8 = 0;
    pub const ACK: u8 = 1;
    pub const END_STREAM: u8 = 1;
    pub const END_HEADERS: u8 = 4;
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream, 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Whether it ends its stream.
    #[must_use]
    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & flag::END_STREAM != 0
    }

    /// The `:status` of a response's HEADERS: its first field (RFC 9113 §8.3.2).
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        status(&self.payload)
    }

    /// The error code of RST_STREAM and GOAWAY.
    #[must_use]
    pub fn error_code(&self) -> Option<u32> {
        let at = match self.kind {
            kind::RST_STREAM => 0,
            kind::GOAWAY => 4,
            _ => return None,
        };
        let bytes = self.payload.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }
}

/// A connection; it answers SETTINGS and PING, and nothing else, by itself.
pub struct Frames {
    reader: ReadHalf<TlsStream<TcpStream>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
}

impl Frames {
    /// Connects for the server name `host` and sends preface and SETTINGS.
    ///
    /// # Errors
    /// When there is no connection, or HTTP/2 is not chosen.
    pub async fn connect(address: SocketAddr, tls: &Tls, host: &str) -> std::io::Result<Self> {
        let stream = connect_tls(address, tls, host, &[b"h2"]).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(std::io::Error::other("the server did not choose h2"));
        }
        let (reader, writer) = tokio::io::split(stream);
        let mut frames = Self { reader, writer };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        frames.write(preface).await;
        // No dynamic table (RFC 7541 §4.2), so that each header block can be read alone.
        frames.send(kind::SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]).await;
        Ok(frames)
    }

    /// Exact bytes. A peer that has closed takes none; reading tells.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.writer.write_all(bytes).await;
        let _ = self.writer.flush().await;
    }

    /// One frame.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let bytes = frame(kind, flags, stream, payload);
        self.write(&bytes).await;
    }

    /// The next frame; `None` at the end of the connection, or after ten seconds of silence.
    pub async fn next(&mut self) -> Option<Frame> {
        let limit = Duration::from_secs(10);
        tokio::time::timeout(limit, self.read()).await.ok()?
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.reader.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.reader.read_exact(&mut payload).await.ok()?;
        let frame = Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        };
        if frame.flags & flag::ACK == 0 {
            match frame.kind {
                kind::SETTINGS => self.send(kind::SETTINGS, flag::ACK, 0, &[]).await,
                kind::PING => self.send(kind::PING, flag::ACK, 0, &frame.payload).await,
                _ => {}
            }
        }
        Some(frame)
    }
}

/// The bytes of one frame.
///
/// # Panics
/// When the payload is longer than a frame can say.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    assert!(length < 1 << 24, "a frame's length has 24 bits");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header block of plain literals that enter no table (RFC 7541 §6.2.2).
#[must_use]
pub fn block(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of 7 bits (RFC 7541 §5.1).
fn length(block: &mut Vec<u8>, length: usize) {
    if length < 127 {
        block.push(u8::try_from(length).expect("below 127"));
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).expect("below 128") | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).expect("below 128"));
}

/// Reads the `:status` at the start of a header block. It is in the static table (RFC 7541,
/// appendix A: 8 to 14), or a literal with that name.
fn status(block: &[u8]) -> Option<u16> {
    let mut block = block;
    // Changes of the table's size (§6.3) come first.
    while block.first()? >> 5 == 1 {
        block = block.get(1..)?;
    }
    let indexed = [200, 204, 206, 304, 400, 404, 500];
    match block.first()? {
        first @ 0x88..=0x8e => indexed.get(usize::from(first - 0x88)).copied(),
        // Literals whose name is entry 8: with, without and never indexed.
        0x48 | 0x08 | 0x18 => {
            let length = block.get(1)?;
            let text = block.get(2..2 + usize::from(length & 127))?;
            if length & 128 == 0 {
                std::str::from_utf8(text).ok()?.parse().ok()
            } else {
                digits(text)
            }
        }
        _ => None,
    }
}

/// Three digits in the Huffman code of RFC 7541, appendix B: `0` to `2` are 00000 to 00010,
/// `3` to `9` are 011001 to 011111.
fn digits(coded: &[u8]) -> Option<u16> {
    let mut bits = coded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let mut code = 0;
        for _ in 0..5 {
            code = code << 1 | bits.next()?;
        }
        let digit = if code < 3 {
            code
        } else {
            (code << 1 | bits.next()?).checked_sub(0b011_001)? + 3
        };
        number = number * 10 + digit;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_in_every_form() {
        for (block, expected) in [
            (&[0x88][..], 200),
            (&[0x20, 0x8c], 400),
            (&[0x3f, 0xe1][..0], 0),
            (&[0x08, 3, b'4', b'2', b'1'], 421),
            // RFC 7541, appendix C.6.1 and C.6.2: 302 and 307.
            (&[0x48, 0x82, 0x64, 0x02], 302),
            (&[0x48, 0x83, 0x64, 0x0e, 0xff], 307),
        ] {
            assert_eq!(status(block).unwrap_or(0), expected, "{block:x?}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_rfc() {
        let mut bytes = Vec::new();
        length(&mut bytes, 1337);
        // RFC 7541, appendix C.1.2 has a prefix of 5 bits: 31 + 1306; here 127 + 1210.
        assert_eq!(bytes, [127, 0b1011_1010, 9]);
        assert_eq!(
            block(&[(b"a".to_vec(), b"b".to_vec())]),
            [0, 1, b'a', 1, b'b']
        );
        assert_eq!(
            frame(kind::PING, 0, 3, b"x"),
            [0, 0, 1, 6, 0, 0, 0, 0, 3, b'x']
        );
    }
}
