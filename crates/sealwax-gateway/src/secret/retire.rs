//! Which old keys go when a new one comes.

use std::time::Duration;

use sealwax_cookie::{KeyId, KeyRing, KeyRingError, SealKey};

/// Which old keys a rotation drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retire {
    /// None.
    Nothing,
    /// All but so many; the new key is one of them. At least 1.
    AllBut(usize),
    /// Those that have not sealed for longer than this: since a key before them was made. Where that
    /// is not known they stay.
    UnusedFor(Duration),
}

/// A ring with a new first key.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rotated {
    /// The keys as they are now.
    pub ring: KeyRing,
    /// What values of these had sealed does not open any more.
    pub dropped: Vec<KeyId>,
}

impl Retire {
    /// Puts `key`, made at `now` (Unix seconds), before the keys of `ring`.
    pub(super) fn rotate(
        self,
        ring: &KeyRing,
        key: SealKey,
        now: i64,
    ) -> Result<Rotated, KeyRingError> {
        let mut kept = Vec::new();
        let mut dropped = Vec::new();
        // The first seals until this moment.
        let mut replaced = Some(now);
        for (place, old) in ring.keys().iter().enumerate() {
            let goes = match self {
                Self::Nothing => false,
                Self::AllBut(keys) => place + 1 >= keys.max(1),
                Self::UnusedFor(limit) => replaced.is_some_and(|replaced| {
                    let unused = u64::try_from(now.saturating_sub(replaced)).unwrap_or(0);
                    unused > limit.as_secs()
                }),
            };
            match goes {
                true => dropped.push(old.id()),
                false => kept.push(old.clone()),
            }
            replaced = old.made();
        }
        let ring = KeyRing::new(key.made_at(now), kept)?;
        Ok(Rotated { ring, dropped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const NOW: i64 = 1_764_000_000;

    fn key(n: u8) -> SealKey {
        SealKey::new([n; 32])
    }

    /// How many of the keys, made so many days ago, stay beside the new one.
    fn stay(retire: Retire, made: &[Option<i64>]) -> usize {
        let keys = (1..).zip(made).map(|(n, days)| match days {
            Some(days) => key(n).made_at(NOW - days * DAY),
            None => key(n),
        });
        let mut keys = keys.collect::<Vec<_>>().into_iter();
        let ring = KeyRing::new(keys.next().unwrap(), keys).unwrap();
        let rotated = retire.rotate(&ring, key(0), NOW).unwrap();
        assert_eq!(rotated.ring.ids().next(), Some(key(0).id()));
        assert_eq!(rotated.ring.keys()[0].made(), Some(NOW));
        let stayed = rotated.ring.ids().count() - 1;
        assert_eq!(stayed + rotated.dropped.len(), made.len());
        stayed
    }

    #[test]
    fn keys_go_by_number() {
        let three = [Some(1), Some(2), Some(3)];
        assert_eq!(stay(Retire::Nothing, &three), 3);
        for (keep, stayed) in [(9, 3), (4, 3), (3, 2), (2, 1), (1, 0), (0, 0)] {
            assert_eq!(stay(Retire::AllBut(keep), &three), stayed, "{keep}");
        }
    }

    #[test]
    fn keys_go_by_the_time_since_they_last_sealed() {
        let unused = |days: u64| Retire::UnusedFor(Duration::from_secs(days * 86_400));
        // Made a year ago, and sealing until now: it stays.
        assert_eq!(stay(unused(30), &[Some(365)]), 1);
        assert_eq!(stay(unused(0), &[Some(365)]), 1);
        // The second was replaced when the first was made.
        assert_eq!(stay(unused(30), &[Some(29), Some(300)]), 2);
        assert_eq!(stay(unused(30), &[Some(30), Some(300)]), 2);
        assert_eq!(stay(unused(30), &[Some(31), Some(300), Some(400)]), 1);
        assert_eq!(stay(unused(0), &[Some(1), Some(2), Some(3)]), 1);
        // What is not known is not guessed.
        assert_eq!(stay(unused(0), &[None, None]), 2);
        assert_eq!(stay(unused(30), &[Some(31), None, Some(400)]), 2);
        // A key from the future has replaced nothing long ago.
        assert_eq!(stay(unused(0), &[Some(-5), Some(3)]), 2);
    }

    #[test]
    fn a_full_ring_is_told() {
        let ring = KeyRing::new(key(1), (2..=16).map(key)).unwrap();
        assert!(Retire::Nothing.rotate(&ring, key(0), NOW).is_err());
        let kept = Retire::AllBut(16).rotate(&ring, key(0), NOW).unwrap();
        assert_eq!(kept.dropped.len(), 1);
    }
}
