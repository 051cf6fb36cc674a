//! What a `SealLayer` remembers while its process lives: the cookie names that the app sets, and
//! how far the HSTS ramp has come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use http::HeaderValue;
use sealwax_policy::{Form, Hsts, KnownNames, Learned, LoopWatch, Ramp, State};

use crate::record::Told;
use crate::settings::Settings;

/// Seconds between two looks at the ramp.
const LOOK: u64 = 60;
const SECONDS_PER_DAY: u64 = 86_400;

#[derive(Debug)]
pub(super) struct Memory {
    known: RwLock<Known>,
    ramp: Mutex<Ramp>,
    /// When to look at the ramp again, in Unix seconds.
    look: AtomicU64,
    pub(super) loops: Mutex<LoopWatch>,
    pub(super) told: Told,
    pub(super) told_of_plain_http: AtomicBool,
}

#[derive(Debug)]
struct Known {
    names: KnownNames,
    hsts: HeaderValue,
}

impl Memory {
    /// `now` is Unix time in seconds.
    pub(super) fn new(settings: &Settings, hsts: &Hsts, now: u64) -> Self {
        let ramp = Ramp::default();
        Self {
            known: RwLock::new(Known {
                names: own_names(settings, now),
                hsts: hsts.value(ramp),
            }),
            ramp: Mutex::new(ramp),
            look: AtomicU64::new(0),
            loops: Mutex::default(),
            told: Told::default(),
            told_of_plain_http: AtomicBool::new(false),
        }
    }

    /// Calls `judge` with what is known as of `now`, in Unix seconds.
    pub(super) fn with_state<T>(&self, now: u64, judge: impl FnOnce(State<'_>) -> T) -> T {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        judge(State {
            now,
            names: &known.names,
            hsts: &known.hsts,
        })
    }

    pub(super) fn learn(&self, learned: &[Learned]) {
        if learned.is_empty() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for cookie in learned {
            known
                .names
                .learn(&cookie.name, cookie.form, cookie.floored, cookie.day);
        }
    }

    /// Moves the ramp on, if its time has come. `trusted`: whether a publicly trusted chain is
    /// served now.
    pub(super) fn advance(&self, hsts: &Hsts, now: u64, trusted: bool) {
        if !hsts.ramp || now < self.look.load(Ordering::Relaxed) {
            return;
        }
        self.look.store(now.saturating_add(LOOK), Ordering::Relaxed);
        let mut ramp = held(&self.ramp);
        let next = ramp.advance(now, trusted);
        if next.step != ramp.step {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.hsts = hsts.value(next);
        }
        *ramp = next;
    }
}

/// Nothing that these locks guard can be left half changed, so a panic elsewhere is no reason to
/// give up.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The forms in which the session and CSRF cookies leave, so that a restart does not wait for the
/// app to set them again: those with a `Domain` keep their name, those with another `Path` get
/// `__Secure-`.
fn own_names(settings: &Settings, now: u64) -> KnownNames {
    let mut names = KnownNames::default();
    let day = u32::try_from(now / SECONDS_PER_DAY).unwrap_or(u32::MAX);
    let cookies = [
        (
            &settings.session_cookie_name,
            &settings.session_cookie_domain,
            &settings.session_cookie_path,
        ),
        (
            &settings.csrf_cookie_name,
            &settings.csrf_cookie_domain,
            &settings.csrf_cookie_path,
        ),
    ];
    for (name, domain, path) in cookies {
        let form = match (domain, path.as_str()) {
            _ if !settings.cookie_prefix => Form::Bare,
            (Some(_), _) => Form::Bare,
            (None, "/") => Form::Host,
            (None, _) => Form::Secure,
        };
        names.learn(name.as_bytes(), form, false, day);
    }
    names
}
