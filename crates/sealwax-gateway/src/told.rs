//! What the operator has been told of a site: each thing once a day.
//!
//! Clients can make things up (cookie and header names, paths), so what is
//! kept has a fixed size, and each rule has room of its own: no flood under one
//! silences another.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sealwax_policy::Rule;

/// Distinct subjects told per rule and day.
const MAX_TOLD: usize = 1024;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(crate) struct Told {
    /// Keyed, so that nobody can make up names that count as told.
    hasher: RandomState,
    rules: Mutex<HashMap<Rule, Heard>>,
}

/// The day of one rule. A subject is 64 bits of it, however long it is.
#[derive(Debug)]
struct Heard {
    since: Instant,
    subjects: HashSet<u64>,
    /// Times that something was not told for want of room.
    untold: u64,
}

impl Heard {
    fn begin(since: Instant) -> Self {
        Self {
            since,
            subjects: HashSet::new(),
            untold: 0,
        }
    }
}

impl Told {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            rules: Mutex::default(),
        }
    }

    /// Whether this has not been told today, and may be.
    pub(crate) fn is_news(&self, rule: Rule, subject: &str, site: &str, now: Instant) -> bool {
        let subject = self.hasher.hash_one(subject);
        // Nothing can be left half changed, so a panic elsewhere is no reason
        // to give up.
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = rules.entry(rule).or_insert_with(|| Heard::begin(now));
        let rule = rule.id();
        if now.saturating_duration_since(heard.since) >= DAY {
            let (told, untold) = (heard.subjects.len(), heard.untold);
            if untold > 0 {
                tracing::info!(target: "sealwax", site, rule, told, untold, "a day of this rule is over; what it does is told anew");
            }
            *heard = Heard::begin(now);
        }
        if heard.subjects.len() < MAX_TOLD {
            return heard.subjects.insert(subject);
        }
        if !heard.subjects.contains(&subject) {
            if heard.untold == 0 {
                tracing::warn!(target: "sealwax", site, rule, told = MAX_TOLD, "this rule has acted on so many different names that the rest of a day's are only counted");
            }
            heard.untold += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_UP: Rule = Rule::HeaderNameDropped;

    #[test]
    fn a_flood_of_names_silences_its_own_rule_only_and_only_for_a_day() {
        let (told, start) = (Told::new(), Instant::now());
        let news = |rule, subject: &str, now| told.is_news(rule, subject, "a", now);
        assert!(news(MADE_UP, "x_y", start) && !news(MADE_UP, "x_y", start));
        for number in 0..10_000 {
            let told = news(MADE_UP, &format!("x_{number}"), start);
            assert_eq!(told, number < MAX_TOLD - 1, "{number}");
        }
        assert!(news(Rule::CookieWithheld, "sid", start));
        assert!(!news(Rule::CookieWithheld, "sid", start));
        assert!(!news(MADE_UP, "new", start + DAY / 2));
        assert!(news(MADE_UP, "new", start + DAY));
        assert!(!news(MADE_UP, "new", start + DAY + DAY / 2));
    }

    #[test]
    fn long_names_are_not_kept() {
        let told = Told::new();
        for number in 0..10_u64 {
            let name = format!("{number}{}", "a".repeat(60_000));
            assert!(told.is_news(MADE_UP, &name, "a", Instant::now()));
            assert!(!told.is_news(MADE_UP, &name, "a", Instant::now()));
        }
        let rules = told.rules.lock().unwrap();
        // The type says it: a subject is a number.
        let subjects: &HashSet<u64> = &rules[&MADE_UP].subjects;
        assert_eq!(subjects.len(), 10);
    }
}
