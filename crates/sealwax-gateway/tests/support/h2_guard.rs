//! What must hold for every input of the HTTP/2 frame guard. The fuzz target
//! calls [`h2_guard`]; `tests/h2_corpus.rs` calls it for every file of the
//! committed corpus and for variations of them.

#![allow(
    dead_code,
    reason = "not everything that is included here is used here"
)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

#[path = "../../src/h2/budget.rs"]
pub(crate) mod budget;
#[path = "../../src/h2/frames.rs"]
pub(crate) mod frames;
#[path = "../../src/h2/guard.rs"]
pub(crate) mod guard;

use budget::Kind;
use guard::Guard;

/// One thing that happens to a connection. A script of them is written as
/// operation, length (two bytes, big-endian) and that many bytes.
#[derive(Debug, Clone, Copy)]
enum Event<'a> {
    /// `R`: the client sends this.
    Received(&'a [u8]),
    /// `F`: the client sends this a hundred times.
    Flood(&'a [u8]),
    /// `S`: this goes out.
    Sent(&'a [u8]),
    /// Any other: as many milliseconds pass as the length says.
    Wait(u64),
}

fn events(mut script: &[u8]) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    while let [operation, high, low, rest @ ..] = script {
        let length = usize::from(*high) << 8 | usize::from(*low);
        let bytes = &rest[..length.min(rest.len())];
        let (event, used) = match operation {
            b'R' => (Event::Received(bytes), bytes.len()),
            b'F' => (Event::Flood(bytes), bytes.len()),
            b'S' => (Event::Sent(bytes), bytes.len()),
            _ => (Event::Wait(length as u64), 0),
        };
        events.push(event);
        script = &rest[used..];
    }
    events
}

/// Plays a script in parts of at most `part` bytes; the state after each event.
fn play(events: &[Event<'_>], part: usize) -> Vec<(Option<Kind>, Option<Vec<u8>>)> {
    let mut guard = Guard::new();
    let mut now = Duration::ZERO;
    let mut states = Vec::new();
    for event in events {
        match *event {
            Event::Received(bytes) => receive(&mut guard, bytes, part, now),
            Event::Flood(bytes) => {
                for _ in 0..100 {
                    receive(&mut guard, bytes, part, now);
                }
            }
            Event::Sent(bytes) => bytes.chunks(part).for_each(|part| guard.sent(part)),
            Event::Wait(time) => now += Duration::from_millis(time),
        }
        states.push((guard.breach().map(|breach| breach.0), guard.goaway()));
    }
    states
}

fn receive(guard: &mut Guard, bytes: &[u8], part: usize, now: Duration) {
    let before = guard.breach();
    let mut verdict = guard.received(b"", now);
    for part in bytes.chunks(part) {
        verdict = guard.received(part, now);
    }
    assert_eq!(verdict.err(), guard.breach());
    assert!(before.is_none() || before == guard.breach());
}

/// Frames as one who has all bytes at hand would find them: type, stream, length
/// and what is there of the payload.
fn split(mut bytes: &[u8]) -> Vec<(u8, u32, usize, &[u8])> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, _, d, e, f, g, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let stream = u32::from_be_bytes([*d, *e, *f, *g]) & 0x7fff_ffff;
        let payload = &rest[..length.min(rest.len())];
        frames.push((*kind, stream, length, payload));
        bytes = &rest[payload.len()..];
    }
    frames
}

/// How many of each kind may come at once, and what a second brings, in words of
/// this test's own.
const ALLOWED: [(Kind, u64, u64); 8] = [
    (Kind::Ping, 500, 100),
    (Kind::Settings, 100, 2),
    (Kind::Priority, 500, 50),
    (Kind::Reset, 500, 10),
    (Kind::CausedReset, 200, 5),
    (Kind::WindowUpdate, 1000, 200),
    (Kind::GoAway, 10, 1),
    (Kind::Unknown, 500, 50),
];

fn kind_of(frame: u8) -> Option<Kind> {
    Some(match frame {
        0 | 1 | 5 | 9 => return None,
        2 | 16 => Kind::Priority,
        3 => Kind::Reset,
        4 => Kind::Settings,
        6 => Kind::Ping,
        7 => Kind::GoAway,
        8 => Kind::WindowUpdate,
        _ => Kind::Unknown,
    })
}

/// Compares the guard with what can be said of the whole script.
pub(crate) fn h2_guard(script: &[u8]) {
    let events = events(script);
    let states = play(&events, usize::MAX);
    for part in [1, 7] {
        assert_eq!(play(&events, part), states, "in parts of {part}");
    }

    let (mut received, mut sent, mut milliseconds) = (Vec::new(), Vec::new(), 0);
    for event in &events {
        match *event {
            Event::Received(bytes) => received.extend(bytes),
            Event::Flood(bytes) => received.extend(bytes.repeat(100)),
            Event::Sent(bytes) => sent.extend(bytes),
            Event::Wait(time) => milliseconds += time,
        }
    }
    let received = split(received.get(24..).unwrap_or_default());
    let sent = split(&sent);
    let breach = states.last().and_then(|state| state.0);

    // Useful work, at the best rate that there is for it.
    let work: u64 = sent
        .iter()
        .map(|(kind, _, length, _)| match kind {
            0 => 1 + *length as u64 / 512 + 1,
            1 => 4,
            _ => 0,
        })
        .sum();
    for (kind, burst, rate) in ALLOWED {
        let count = if kind == Kind::CausedReset {
            let caused = |code: &[u8]| matches!(code, [0, 0, 0, 1 | 3 | 5 | 6 | 7 | 9 | 11]);
            sent.iter()
                .filter(|(kind, _, length, payload)| *kind == 3 && *length == 4 && caused(payload))
                .count() as u64
        } else {
            received
                .iter()
                .filter(|(frame, ..)| kind_of(*frame) == Some(kind))
                .count() as u64
        };
        if count <= burst {
            assert_ne!(breach, Some(kind), "{count} were too many");
        }
        // Those sent last are paid for when something comes.
        let most = burst + rate * (milliseconds + 1) / 1000 + work;
        if count > most && kind != Kind::CausedReset {
            assert!(breach.is_some(), "{count} of {kind:?} were not too many");
        }
    }

    for (breach, goaway) in states {
        let Some(goaway) = goaway else { continue };
        let reason = breach.unwrap().to_string();
        match &split(&goaway)[..] {
            [(7, 0, _, payload)] => {
                assert_eq!(payload[4..8], [0, 0, 0, 11]);
                assert_eq!(&payload[8..], reason.as_bytes());
            }
            other => panic!("{other:?}"),
        }
    }
}
