//! What was done to a request and its response, and who is told.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use http::Extensions;
use sealwax_policy::{Change, Level, Rule};

/// What the layers changed, refused or noticed, each with its rule and reason: in the extensions
/// of a response that had any such. What happens every time (a header added, a cookie made
/// `Secure`) is in it only while somebody listens for `tracing` events of target
/// `sealwax::changes` at debug level.
///
/// ```
/// use sealwax::Record;
///
/// fn print<B>(response: &http::Response<B>) {
///     let Some(record) = response.extensions().get::<Record>() else { return };
///     for change in record.changes() {
///         println!("{} {}: {}", change.rule.id(), change.subject, change.rule.reason());
///     }
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Record {
    changes: Vec<Change>,
}

impl Record {
    /// The changes, in the order in which they were made.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Adds to the record of a response.
    pub(crate) fn add(extensions: &mut Extensions, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        match extensions.get_mut::<Self>() {
            Some(record) => record.changes.extend(changes),
            None => drop(extensions.insert(Self { changes })),
        }
    }
}

/// How much is recorded: everything only while somebody listens.
pub(crate) fn level() -> Level {
    match tracing::enabled!(target: "sealwax::changes", tracing::Level::DEBUG) {
        true => Level::All,
        false => Level::Notable,
    }
}

/// Distinct subjects told per rule and day. Clients can make subjects up.
const MOST_TOLD: usize = 256;
const DAY: u64 = 86_400;

/// What was told of: each thing once a day, so that no client can fill the log. A subject is 64
/// bits of it, however long it is.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Keyed, so that nobody can make up names that count as told.
    hasher: RandomState,
    day: Mutex<Day>,
}

#[derive(Debug, Default)]
struct Day {
    number: u64,
    rules: HashMap<Rule, Vec<u64>>,
}

impl Told {
    /// Whether `subject` is news under `rule` at `now`, in seconds since the Unix epoch.
    fn is_news(&self, rule: Rule, subject: &str, now: u64) -> bool {
        let subject = self.hasher.hash_one(subject);
        // Nothing can be left half changed, so a panic elsewhere is no reason to give up.
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day.number != now / DAY {
            *day = Day {
                number: now / DAY,
                rules: HashMap::new(),
            };
        }
        let told = day.rules.entry(rule).or_default();
        let news = told.len() < MOST_TOLD && !told.contains(&subject);
        if news {
            told.push(subject);
        }
        news
    }

    /// Tells what is news among `changes`.
    pub(crate) fn tell(&self, changes: &[Change], now: u64) {
        for change in changes {
            debug(change);
            // In report mode what would be done is the news.
            if (change.notable || !change.applied)
                && self.is_news(change.rule, &change.subject, now)
            {
                news(change);
            }
        }
    }
}

/// With what was there before and after, which may hold secrets.
fn debug(change: &Change) {
    tracing::debug!(
        target: "sealwax::changes",
        rule = change.rule.id(),
        action = change.action.as_str(),
        subject = ?change.subject,
        before = ?change.before,
        after = ?change.after,
        applied = change.applied,
    );
}

/// Never a value.
fn news(change: &Change) {
    let (rule, action, subject) = (change.rule.id(), change.action.as_str(), &change.subject);
    let (reason, applied) = (change.rule.reason(), change.applied);
    if change.rule.needs_attention() || change.rule.is_sign_of_theft() {
        tracing::warn!(target: "sealwax", rule, action, ?subject, applied, "{reason}");
    } else {
        tracing::info!(target: "sealwax", rule, action, ?subject, applied, "{reason}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_told_once_a_day_and_made_up_names_are_bounded() {
        let told = Told::default();
        let rule = Rule::HeaderNameDropped;
        assert!(told.is_news(rule, "a_b", 0) && !told.is_news(rule, "a_b", DAY - 1));
        assert!(told.is_news(rule, "a_b", DAY));
        let news = (0..10_000).filter(|n| told.is_news(rule, &format!("x_{n}"), DAY));
        assert_eq!(news.count(), MOST_TOLD - 1);
        assert!(told.is_news(Rule::CookieWithheld, "sid", DAY));
    }
}
