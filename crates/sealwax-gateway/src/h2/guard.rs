//! Counts what both sides of an HTTP/2 connection send, frame by frame, and
//! says when the client has sent too much that carries nothing.
//!
//! Pure: bytes and the time go in, a verdict comes out. The bytes themselves go
//! their way untouched. What the HTTP/2 library bounds well is not counted again:
//! CONTINUATION and header lists, empty and small DATA, streams reset before
//! anyone saw them.

use std::fmt;
use std::time::Duration;

use super::budget::{Kind, Purses};
use super::frames::{Frames, Head, kind};

// RFC 9113 §7.
const PROTOCOL_ERROR: u32 = 0x1;
const FLOW_CONTROL_ERROR: u32 = 0x3;
const STREAM_CLOSED: u32 = 0x5;
const FRAME_SIZE_ERROR: u32 = 0x6;
const REFUSED_STREAM: u32 = 0x7;
const COMPRESSION_ERROR: u32 = 0x9;
const ENHANCE_YOUR_CALM: u32 = 0xb;

/// A client has sent too much of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breach(pub(crate) Kind);

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Breach {}

/// The account of one connection.
#[derive(Debug)]
pub(crate) struct Guard {
    from_client: Frames,
    to_client: Frames,
    purses: Purses,
    /// Streams that we had to reset and that were not paid for yet.
    caused: u32,
    /// The last stream that the client opened.
    last_stream: u32,
    breach: Option<Breach>,
}

impl Guard {
    pub(crate) fn new() -> Self {
        Self {
            from_client: Frames::of_client(),
            to_client: Frames::default(),
            purses: Purses::full(),
            caused: 0,
            last_stream: 0,
            breach: None,
        }
    }

    /// Bytes came from the client, `now` after the connection began. Once
    /// breached, always breached.
    pub(crate) fn received(&mut self, bytes: &[u8], now: Duration) -> Result<(), Breach> {
        let Self {
            purses,
            last_stream,
            breach,
            ..
        } = self;
        let mut pay = |kind| {
            if !purses.pay(kind, now) && breach.is_none() {
                *breach = Some(Breach(kind));
            }
        };
        for _ in 0..std::mem::take(&mut self.caused) {
            pay(Kind::CausedReset);
        }
        self.from_client.feed(bytes, |head| match head.kind {
            kind::HEADERS => *last_stream = head.stream.max(*last_stream),
            // Content and header blocks, which the library bounds, and what it
            // takes for an error at once.
            kind::DATA | kind::CONTINUATION | kind::PUSH_PROMISE => {}
            kind::WINDOW_UPDATE => pay(Kind::WindowUpdate),
            kind::RST_STREAM => pay(Kind::Reset),
            kind::PING => pay(Kind::Ping),
            kind::SETTINGS => pay(Kind::Settings),
            kind::PRIORITY | kind::PRIORITY_UPDATE => pay(Kind::Priority),
            kind::GOAWAY => pay(Kind::GoAway),
            _ => pay(Kind::Unknown),
        });
        self.breach.map_or(Ok(()), Err)
    }

    /// Bytes went out to the client.
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        let Self { purses, caused, .. } = self;
        self.to_client.feed(bytes, |head| match head.kind {
            kind::HEADERS => purses.answered(),
            kind::DATA => purses.sent(head.length),
            kind::RST_STREAM if is_the_clients_doing(head) => *caused = caused.saturating_add(1),
            _ => {}
        });
    }

    pub(crate) fn breach(&self) -> Option<Breach> {
        self.breach
    }

    /// The GOAWAY that ends a breached connection (RFC 9113 §6.8). None where
    /// what was sent stops within a frame, since it would be read as its rest.
    pub(crate) fn goaway(&self) -> Option<Vec<u8>> {
        let breach = self.breach.filter(|_| self.to_client.at_boundary())?;
        let reason = breach.to_string();
        let length = u32::try_from(8 + reason.len()).ok()?;
        let [_, length @ ..] = length.to_be_bytes();
        let mut frame = Vec::with_capacity(17 + reason.len());
        frame.extend(length);
        frame.extend([kind::GOAWAY, 0]);
        frame.extend(0_u32.to_be_bytes());
        // Streams up to this one may have been acted on.
        frame.extend(self.last_stream.to_be_bytes());
        frame.extend(ENHANCE_YOUR_CALM.to_be_bytes());
        frame.extend(reason.as_bytes());
        Some(frame)
    }
}

/// Other codes are ours or the app's: a response that broke off, or one that
/// was whole before the request was.
fn is_the_clients_doing(reset: Head) -> bool {
    matches!(
        reset.code,
        PROTOCOL_ERROR
            | FLOW_CONTROL_ERROR
            | STREAM_CLOSED
            | FRAME_SIZE_ERROR
            | REFUSED_STREAM
            | COMPRESSION_ERROR
            | ENHANCE_YOUR_CALM
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, 0]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    fn guard() -> Guard {
        let mut guard = Guard::new();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        guard.received(preface, Duration::ZERO).unwrap();
        guard
    }

    /// After how many of these the guard has enough.
    fn ends_after(mut next: impl FnMut(&mut Guard, u32) -> Result<(), Breach>) -> (u32, Kind) {
        let mut guard = guard();
        for count in 0..100_000 {
            if let Err(Breach(kind)) = next(&mut guard, count) {
                return (count, kind);
            }
        }
        panic!("never");
    }

    #[test]
    fn every_kind_of_flood_ends() {
        for (kind, payload, expected) in [
            (kind::PING, &[0; 8][..], (500, Kind::Ping)),
            (kind::SETTINGS, &[], (100, Kind::Settings)),
            (kind::PRIORITY, &[0; 5], (500, Kind::Priority)),
            (kind::PRIORITY_UPDATE, &[0; 5], (500, Kind::Priority)),
            (kind::RST_STREAM, &[0; 4], (500, Kind::Reset)),
            (kind::WINDOW_UPDATE, &[0; 4], (1000, Kind::WindowUpdate)),
            (kind::GOAWAY, &[0; 8], (10, Kind::GoAway)),
            (0xfe, &[0; 70], (500, Kind::Unknown)),
        ] {
            let frame = frame(kind, 1, payload);
            let ended = ends_after(|guard, _| guard.received(&frame, Duration::ZERO));
            assert_eq!(ended, expected);
        }
    }

    #[test]
    fn requests_and_content_are_free() {
        let mut guard = guard();
        let mut parts = frame(kind::HEADERS, 1, &[0x82; 40]);
        parts.extend(frame(kind::CONTINUATION, 1, &[0x82; 40]));
        parts.extend(frame(kind::DATA, 1, &[0; 4000]));
        for _ in 0..10_000 {
            guard.received(&parts, Duration::ZERO).unwrap();
        }
    }

    #[test]
    fn given_up_requests_are_weighed_against_answered_ones() {
        let [open, reset] = [
            frame(kind::HEADERS, 1, b"x"),
            frame(kind::RST_STREAM, 1, &[0; 4]),
        ];
        let answer = frame(kind::HEADERS, 1, b"y");
        // Rapid reset.
        let ended = ends_after(|guard, _| {
            guard.received(&open, Duration::ZERO)?;
            guard.received(&reset, Duration::ZERO)
        });
        assert_eq!(ended, (500, Kind::Reset));
        // Paced, twenty in a second: half of them too many.
        let (count, kind) = ends_after(|guard, count| {
            guard.received(&open, SECOND * count / 20)?;
            guard.received(&reset, SECOND * count / 20)
        });
        assert!((900..1600).contains(&count), "{count}");
        assert_eq!(kind, Kind::Reset);
        // Every one given up after its answer began: a player that seeks.
        let mut guard = guard();
        for _ in 0..10_000 {
            guard.received(&open, Duration::ZERO).unwrap();
            guard.sent(&answer);
            guard.received(&reset, Duration::ZERO).unwrap();
        }
    }

    #[test]
    fn resets_that_the_client_caused_are_counted() {
        for (code, counted) in [
            (1, true),
            (3, true),
            (5, true),
            (7, true),
            (0, false),
            (2, false),
            (8, false),
        ] {
            let mut guard = guard();
            let reset = frame(kind::RST_STREAM, 1, &u32::to_be_bytes(code));
            for _ in 0..201 {
                guard.sent(&reset);
            }
            let verdict = guard.received(b"", Duration::ZERO);
            assert_eq!(verdict.is_err(), counted, "code {code}");
        }
    }

    #[test]
    fn an_hour_of_honest_traffic_passes() {
        // h2load, Go (two WINDOW_UPDATEs for 4 KiB), gRPC's PINGs, a browser
        // that cancels a page a minute: all at once.
        let mut guard = guard();
        let ping = frame(kind::PING, 0, &[0; 8]);
        let reset = frame(kind::RST_STREAM, 1, &[0; 4]);
        let update = frame(kind::WINDOW_UPDATE, 1, &[0; 4]);
        for second in 0..3600 {
            let now = SECOND * second;
            for _ in 0..100 {
                guard
                    .received(&frame(kind::HEADERS, 1, b"get"), now)
                    .unwrap();
                guard.sent(&frame(kind::HEADERS, 1, b"200"));
                guard.sent(&frame(kind::DATA, 1, &[0; 16_384]));
                for _ in 0..8 {
                    guard.received(&update, now).unwrap();
                }
                guard.received(&ping, now).unwrap();
            }
            if second % 60 == 0 {
                for _ in 0..128 {
                    guard.received(&reset, now).unwrap();
                }
            }
        }
    }

    #[test]
    fn windows_opened_a_byte_at_a_time_do_not_pay_for_themselves() {
        let update = frame(kind::WINDOW_UPDATE, 1, &[0, 0, 0, 1]);
        let byte = frame(kind::DATA, 1, b"x");
        let (count, kind) = ends_after(|guard, _| {
            guard.sent(&byte);
            guard.received(&update, Duration::ZERO)
        });
        assert!(count < 1100, "{count}");
        assert_eq!(kind, Kind::WindowUpdate);
    }

    #[test]
    fn the_farewell_waits_for_the_end_of_a_frame() {
        let mut guard = guard();
        guard
            .received(&frame(kind::HEADERS, 9, b"x"), Duration::ZERO)
            .unwrap();
        assert_eq!(guard.goaway(), None);
        while guard
            .received(&frame(kind::PING, 0, &[0; 8]), Duration::ZERO)
            .is_ok()
        {}
        let response = frame(kind::DATA, 1, b"hello");
        guard.sent(&response[..10]);
        assert_eq!(guard.goaway(), None);
        guard.sent(&response[10..]);
        let goaway = guard.goaway().unwrap();
        let reason = b"too many PING frames";
        assert_eq!(goaway[..3], [0, 0, 8 + reason.len() as u8]);
        assert_eq!(goaway[3..17], [7, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0xb]);
        assert_eq!(&goaway[17..], reason);
    }
}
