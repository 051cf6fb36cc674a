//! A client that speaks HTTP/2 in exact frames.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::kit::{App, PATIENCE, Running, client_config};

// RFC 9113 §6.
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

// Flags.
pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const PRIORITISED: u8 = 0x20;

// RFC 9113 §7.
pub const NO_ERROR: u32 = 0;
pub const PROTOCOL_ERROR: u32 = 1;
pub const FLOW_CONTROL_ERROR: u32 = 3;
pub const STREAM_CLOSED: u32 = 5;
pub const FRAME_SIZE_ERROR: u32 = 6;
pub const REFUSED_STREAM: u32 = 7;
pub const CANCEL: u32 = 8;
pub const COMPRESSION_ERROR: u32 = 9;
pub const ENHANCE_YOUR_CALM: u32 = 11;

// RFC 9113 §6.5.2.
pub const ENABLE_PUSH: u16 = 2;
pub const INITIAL_WINDOW_SIZE: u16 = 4;
pub const MAX_FRAME_SIZE: u16 = 5;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug, Clone)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error code of a RST_STREAM or GOAWAY.
    pub fn code(&self) -> u32 {
        let code = match self.kind {
            GOAWAY => &self.payload[4..8],
            _ => &self.payload[..4],
        };
        u32::from_be_bytes(code.try_into().unwrap())
    }

    pub fn is_ack(&self) -> bool {
        matches!(self.kind, SETTINGS | PING) && self.flags & ACK != 0
    }

    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An HPACK integer with `prefix` bits (RFC 7541 §5.1).
fn integer(first: u8, prefix: u32, mut value: usize) -> Vec<u8> {
    let most = (1 << prefix) - 1;
    if value < most {
        return vec![first | u8::try_from(value).unwrap()];
    }
    let mut bytes = vec![first | u8::try_from(most).unwrap()];
    value -= most;
    while value >= 128 {
        bytes.push(u8::try_from(value % 128).unwrap() | 0x80);
        value /= 128;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

/// A literal field without indexing, plain (RFC 7541 §6.2.2).
pub fn literal(name: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let mut field = vec![0];
    field.extend(integer(0, 7, name.len()));
    field.extend(name.as_bytes());
    field.extend(integer(0, 7, value.len()));
    field.extend(value);
    field
}

pub fn literals(fields: &[(&str, &str)]) -> Vec<u8> {
    fields
        .iter()
        .flat_map(|(name, value)| literal(name, value))
        .collect()
}

/// `method` of `path` at localhost.
pub fn request(method: &str, path: &str) -> Vec<u8> {
    literals(&[
        (":method", method),
        (":scheme", "https"),
        (":path", path),
        (":authority", "localhost"),
    ])
}

/// Answers SETTINGS and PING, and nothing else, by itself.
pub struct Frames {
    peeked: Option<Frame>,
    tls: StreamOwned<ClientConnection, TcpStream>,
    /// What goes out at once, so that it is also read at once.
    waiting: Vec<u8>,
    incoming: Vec<u8>,
}

impl Frames {
    /// TLS stands; nothing has been said.
    pub fn silent(running: &Running) -> Self {
        let stream = TcpStream::connect(running.https).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let config = client_config(running.home.path(), &[b"h2"]);
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        Self {
            peeked: None,
            tls: StreamOwned::new(tls, stream),
            waiting: Vec::new(),
            incoming: Vec::new(),
        }
    }

    /// `settings`: identifier and value each.
    pub fn connect(running: &Running, settings: &[(u16, u32)]) -> Self {
        let mut frames = Self::silent(running);
        frames.put(PREFACE);
        frames.settings(settings);
        frames.flush();
        frames
    }

    /// Connected, and both sides know each other's settings.
    pub fn settled(running: &Running) -> Self {
        let mut frames = Self::connect(running, &[]);
        while !frames.next().unwrap().is_ack() {}
        frames
    }

    /// Waits with these bytes for the next flush.
    pub fn put(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.waiting.extend(bytes.as_ref());
        self
    }

    pub fn put_frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: impl AsRef<[u8]>,
    ) -> &mut Self {
        self.put(frame(kind, flags, stream, payload.as_ref()))
    }

    pub fn settings(&mut self, settings: &[(u16, u32)]) -> &mut Self {
        let mut payload = Vec::new();
        for (identifier, value) in settings {
            payload.extend(identifier.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        self.put_frame(SETTINGS, 0, 0, payload)
    }

    pub fn flush(&mut self) {
        assert!(self.try_flush(), "the gateway does not listen any more");
    }

    /// False when the gateway does not listen any more.
    pub fn try_flush(&mut self) -> bool {
        let waiting = std::mem::take(&mut self.waiting);
        self.tls
            .write_all(&waiting)
            .and_then(|()| self.tls.flush())
            .is_ok()
    }

    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) {
        self.put_frame(kind, flags, stream, payload).flush();
    }

    pub fn get(&mut self, stream: u32, path: &str) {
        self.send(
            HEADERS,
            END_STREAM | END_HEADERS,
            stream,
            request("GET", path),
        );
    }

    /// For how long to wait for frames.
    pub fn patience(&mut self, patience: Duration) {
        self.tls.sock.set_read_timeout(Some(patience)).unwrap();
    }

    /// The next frame; `None` at the end of the connection, or of patience.
    pub fn next(&mut self) -> Option<Frame> {
        self.read().ok().flatten()
    }

    /// The next frame, which comes again.
    pub fn peek(&mut self) -> Option<Frame> {
        self.peeked = self.next();
        self.peeked.clone()
    }

    /// The next frame; an error when none came in time, none at the end.
    pub fn read(&mut self) -> Result<Option<Frame>, ErrorKind> {
        if let Some(frame) = self.peeked.take() {
            return Ok(Some(frame));
        }
        loop {
            if let Some(frame) = self.parse() {
                if matches!(frame.kind, SETTINGS | PING) && !frame.is_ack() {
                    let payload = if frame.kind == PING {
                        frame.payload.clone()
                    } else {
                        Vec::new()
                    };
                    self.put_frame(frame.kind, ACK, 0, payload);
                    self.try_flush();
                }
                return Ok(Some(frame));
            }
            match self.receive() {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    kind @ (ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Err(kind),
                    // A reset, or an end without a close_notify.
                    _ => return Ok(None),
                },
            }
        }
    }

    /// Not by the stream's own `read`, which first wants to send what the
    /// gateway may no longer take.
    fn receive(&mut self) -> std::io::Result<usize> {
        let StreamOwned { conn, sock } = &mut self.tls;
        loop {
            let mut buffer = [0; 16_384];
            match conn.reader().read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => {
                    let count = outcome?;
                    self.incoming.extend(&buffer[..count]);
                    return Ok(count);
                }
            }
            conn.read_tls(sock)?;
            conn.process_new_packets().map_err(std::io::Error::other)?;
            if conn.is_handshaking() || conn.wants_write() {
                // The handshake's, or a key update's.
                conn.write_tls(sock).ok();
            }
        }
    }

    fn parse(&mut self) -> Option<Frame> {
        let head: [u8; 9] = *self.incoming.first_chunk()?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
        };
        let length = number(&head[..3]) as usize;
        if self.incoming.len() < 9 + length {
            return None;
        }
        let rest = self.incoming.split_off(9 + length);
        let whole = std::mem::replace(&mut self.incoming, rest);
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: number(&head[5..]),
            payload: whole[9..].to_vec(),
        })
    }

    pub fn until(&mut self, kind: u8, stream: u32) -> Frame {
        loop {
            let frame = self
                .next()
                .unwrap_or_else(|| panic!("no frame {kind} of {stream}"));
            if (frame.kind, frame.stream) == (kind, stream) {
                return frame;
            }
        }
    }

    /// Waits for a response's end.
    pub fn finish(&mut self, stream: u32) {
        while let Some(frame) = self.next() {
            if frame.stream == stream && frame.ends_stream() {
                return;
            }
        }
        panic!("stream {stream} did not end");
    }

    /// The last GOAWAY before the end of the connection.
    pub fn farewell(&mut self) -> Option<Frame> {
        let mut last = None;
        loop {
            match self.read() {
                Ok(Some(frame)) if frame.kind == GOAWAY => last = Some(frame),
                Ok(Some(_)) => {}
                Ok(None) => return last,
                Err(error) => panic!("the connection still stands: {error}; last {last:?}"),
            }
        }
    }
}

/// Reads bodies, and answers with eleven bytes.
pub fn echoing_app() -> App {
    App::new(|conn| {
        while let Some(head) = conn.head() {
            let head = head.to_lowercase();
            let length = head
                .split_once("content-length: ")
                .and_then(|(_, rest)| rest.split_once('\r'));
            if head.contains("transfer-encoding: chunked") {
                conn.chunked();
            } else if let Some((length, _)) = length {
                conn.body(length.parse().unwrap());
            }
            if !conn.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world") {
                return;
            }
        }
    })
}
