//! Where HTTP/2 frames begin in a stream of bytes (RFC 9113 §4.1). Payloads
//! are skipped, not looked at and not copied.

/// Length (24 bits), type, flags, stream identifier.
const HEAD: usize = 9;
/// A head and the error code that is all of a RST_STREAM's payload.
const HEAD_AND_CODE: usize = HEAD + 4;

/// "PRI * HTTP/2.0", two line ends, "SM", two line ends (RFC 9113 §3.4).
const PREFACE: u32 = 24;

/// The types of RFC 9113 §6 and RFC 9218 §7.1, as far as they are told apart.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0x0;
    pub(crate) const HEADERS: u8 = 0x1;
    pub(crate) const PRIORITY: u8 = 0x2;
    pub(crate) const RST_STREAM: u8 = 0x3;
    pub(crate) const SETTINGS: u8 = 0x4;
    pub(crate) const PUSH_PROMISE: u8 = 0x5;
    pub(crate) const PING: u8 = 0x6;
    pub(crate) const GOAWAY: u8 = 0x7;
    pub(crate) const WINDOW_UPDATE: u8 = 0x8;
    pub(crate) const CONTINUATION: u8 = 0x9;
    pub(crate) const PRIORITY_UPDATE: u8 = 0x10;
}

/// The head of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: u32,
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    /// Of a RST_STREAM of the right length; otherwise 0.
    pub(crate) code: u32,
}

impl Head {
    fn parse(bytes: &[u8; HEAD_AND_CODE]) -> Self {
        let [l0, l1, l2, kind, _, s0, s1, s2, s3, c0, c1, c2, c3] = *bytes;
        let mut head = Self {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind,
            // The first bit is reserved and says nothing.
            stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]),
            code: 0,
        };
        if head.has_code() {
            head.code = u32::from_be_bytes([c0, c1, c2, c3]);
        }
        head
    }

    fn has_code(self) -> bool {
        self.kind == kind::RST_STREAM && self.length == 4
    }

    /// How many of the payload's bytes were read with the head.
    fn read_ahead(self) -> u32 {
        if self.has_code() { 4 } else { 0 }
    }
}

/// Follows one direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The beginning of a head that came in parts.
    partial: [u8; HEAD_AND_CODE],
    have: u8,
    /// What is left of the current frame.
    skip: u32,
}

impl Frames {
    /// What a client sends: its preface stands before the first frame.
    pub(crate) fn of_client() -> Self {
        Self {
            skip: PREFACE,
            ..Self::default()
        }
    }

    /// Tells `seen` the head of every frame that `bytes` completes, in whatever
    /// parts it comes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Head)) {
        loop {
            let skipped = bytes.len().min(self.skip as usize);
            bytes = bytes.get(skipped..).unwrap_or_default();
            // No more than `skip`, which is a u32.
            self.skip -= skipped as u32;
            if bytes.is_empty() {
                return;
            }
            let head = if self.have == 0
                && let Some(whole) = bytes.first_chunk()
            {
                let head = Head::parse(whole);
                bytes = bytes.get(HEAD..).unwrap_or_default();
                self.skip = head.length;
                head
            } else if let Some(head) = self.gather(&mut bytes) {
                self.skip = head.length - head.read_ahead();
                head
            } else {
                return;
            };
            seen(head);
        }
    }

    /// Adds to a head that came in parts.
    fn gather(&mut self, bytes: &mut &[u8]) -> Option<Head> {
        loop {
            let have = usize::from(self.have);
            if have >= HEAD {
                let head = Head::parse(&self.partial);
                if have == HEAD + head.read_ahead() as usize {
                    self.have = 0;
                    // No code of an earlier frame may be taken for the next one's.
                    self.partial = [0; HEAD_AND_CODE];
                    return Some(head);
                }
            }
            let (first, rest) = bytes.split_first()?;
            *self.partial.get_mut(have)? = *first;
            self.have += 1;
            *bytes = rest;
        }
    }

    /// Whether the last byte seen was the last of its frame.
    pub(crate) fn at_boundary(&self) -> bool {
        self.have == 0 && self.skip == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, 0xff]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    #[test]
    fn heads_are_found_in_any_parts() {
        let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        for (kind, stream, payload) in [
            (kind::SETTINGS, 0, &b"\0\x03\0\0\0\x64"[..]),
            (kind::RST_STREAM, 1, b"\0\0\0\x08"),
            (kind::PING, 0x8000_0000, b"01234567"),
            (kind::DATA, 3, &[7; 300]),
            (kind::DATA, 3, b""),
            (kind::RST_STREAM, 5, b"\x01\x02\x03\x04\x05"),
            (kind::RST_STREAM, 7, b"\0\0\x01\x02"),
        ] {
            all.extend(frame(kind, stream, payload));
        }
        let expected = [
            (6, kind::SETTINGS, 0, 0),
            (4, kind::RST_STREAM, 1, 8),
            (8, kind::PING, 0, 0),
            (300, kind::DATA, 3, 0),
            (0, kind::DATA, 3, 0),
            (5, kind::RST_STREAM, 5, 0),
            (4, kind::RST_STREAM, 7, 0x102),
        ];
        for size in 1..=all.len() {
            let mut frames = Frames::of_client();
            let mut seen = Vec::new();
            for part in all.chunks(size) {
                frames.feed(part, |head| {
                    seen.push((head.length, head.kind, head.stream, head.code));
                });
            }
            assert_eq!(seen, expected, "in parts of {size}");
            assert!(frames.at_boundary());
        }
        let mut frames = Frames::of_client();
        for (index, byte) in all.iter().enumerate() {
            frames.feed(&[*byte], |_| {});
            let ends = [24, 39, 52, 69, 378, 387, 401, 414];
            assert_eq!(frames.at_boundary(), ends.contains(&(index + 1)), "{index}");
        }
    }
}
