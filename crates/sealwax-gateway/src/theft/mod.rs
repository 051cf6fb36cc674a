//! Signs that somebody uses a cookie that is not his: counted, written down, and told to whoever
//! the operator names.
//!
//! ```text
//!  record of changes ─ Rule::is_sign_of_theft ─▶ Event ─▶ Signs: once a minute and id, with a count
//!                                                            │
//!                                              log ◀─────────┴────▶ Notifier ─▶ webhook or command
//! ```

mod event;
mod notify;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use event::Event;
pub(crate) use notify::Notifier;

/// Ids that are told apart within a [`WINDOW`]; clients can make up networks and names.
const MAX_IDS: usize = 1024;

/// What comes again so soon is only counted.
const WINDOW: Duration = Duration::from_secs(60);

/// What was seen of late on one site.
#[derive(Debug, Default)]
pub(crate) struct Signs(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    ids: HashMap<u64, Window>,
    /// Signs for which there was no room.
    crowd: u64,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    /// The latest of those that were only counted, with their number.
    held: Option<Event>,
}

impl Signs {
    /// The event, if it is to be told now.
    pub(crate) fn see(&self, mut event: Event, now: Instant) -> Option<Event> {
        // Nothing can be left half changed, so a panic elsewhere is no reason to give up.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = event.id();
        if let Some(window) = seen.ids.get_mut(&id) {
            event.count += window.held.as_ref().map_or(0, |held| held.count);
            if now.saturating_duration_since(window.since) < WINDOW {
                window.held = Some(event);
                return None;
            }
            *window = Window::begin(now);
            return Some(event);
        }
        if seen.ids.len() >= MAX_IDS {
            seen.crowd += event.count;
            return None;
        }
        seen.ids.insert(id, Window::begin(now));
        Some(event)
    }

    /// What was held back long enough, and how many signs there was no room for.
    pub(crate) fn due(&self, now: Instant) -> (Vec<Event>, u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        seen.ids.retain(|_, window| {
            if now.saturating_duration_since(window.since) < WINDOW {
                return true;
            }
            match window.held.take() {
                Some(event) => {
                    due.push(event);
                    *window = Window::begin(now);
                    true
                }
                None => false,
            }
        });
        (due, std::mem::take(&mut seen.crowd))
    }
}

impl Window {
    fn begin(since: Instant) -> Self {
        Self { since, held: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use sealwax_policy::{Action, Change, Rule};

    fn event(name: &str) -> Event {
        let asked = Request::new(()).into_parts().0;
        let change = Change::new(Rule::SealForged, Action::Removed, name);
        Event::of("a.test", &change, &asked, None, 0)
    }

    #[test]
    fn what_comes_again_is_counted_and_told_when_the_minute_is_over() {
        let (signs, start) = (Signs::default(), Instant::now());
        let count = |event: Option<Event>| event.map(|event| event.count);
        assert_eq!(count(signs.see(event("sid"), start)), Some(1));
        for _ in 0..5 {
            assert_eq!(count(signs.see(event("sid"), start)), None);
        }
        assert_eq!(count(signs.see(event("other"), start)), Some(1));
        assert!(signs.due(start).0.is_empty());
        let later = start + WINDOW;
        let (due, crowd) = signs.due(later);
        assert_eq!((due.len(), due[0].count, crowd), (1, 5, 0));
        // The next minute has begun with it.
        assert_eq!(count(signs.see(event("sid"), later)), None);
        assert_eq!(count(signs.see(event("sid"), later + WINDOW)), Some(2));
        assert_eq!(signs.due(later + 3 * WINDOW).0.len(), 0);
        assert!(signs.0.lock().unwrap().ids.is_empty());
    }

    #[test]
    fn a_flood_takes_no_more_room_than_there_is() {
        let (signs, start) = (Signs::default(), Instant::now());
        let told =
            (0..2000).filter(|number| signs.see(event(&format!("c{number}")), start).is_some());
        assert_eq!(told.count(), MAX_IDS);
        assert_eq!(signs.due(start + WINDOW), (vec![], 2000 - MAX_IDS as u64));
        assert_eq!(signs.due(start + WINDOW).1, 0);
    }

    impl PartialEq for Event {
        fn eq(&self, other: &Self) -> bool {
            self.to_json() == other.to_json()
        }
    }
}
