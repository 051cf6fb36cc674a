//! What the gateway remembers of a site across requests, reloads and restarts:
//! the cookie names its app sets, and how far its HSTS ramp has come.
//!
//! ```text
//!  worker ─ learn ─▶ names (a snapshot that all workers read) ─▶ keeper ─▶ home/sites/HOST.names
//!  keeper, each minute ─ certificate? ─▶ ramp ─▶ header value ───────────▶ home/sites/HOST.hsts
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use http::HeaderValue;
use sealwax_policy::{Hsts, KnownNames, Learned, Ramp};

use crate::disk;
use crate::theft::Signs;
use crate::told::Told;

const RAMP_FORMAT: &str = "sealwax-hsts 1";
const MIGRATION_FORMAT: &str = "sealwax-migrate 1";

pub(crate) struct Memory {
    pub(crate) names: ArcSwap<KnownNames>,
    pub(crate) hsts: ArcSwap<HeaderValue>,
    /// Also the lock under which `names` is replaced.
    ramp: Mutex<Ramp>,
    pub(crate) told: Told,
    pub(crate) signs: Signs,
    unsaved: AtomicBool,
    /// The last attempt to save went wrong; the next one tries again.
    failed: AtomicBool,
    names_path: PathBuf,
    ramp_path: PathBuf,
    migration_path: PathBuf,
}

impl Memory {
    /// Reads what is known of the site `name`. A damaged file is reported, set
    /// aside and begun anew.
    pub(crate) fn open(home: &Path, name: &str, hsts: &Hsts) -> Arc<Self> {
        let stem = file_stem(name);
        let names_path = home.join("sites").join(format!("{stem}.names"));
        let ramp_path = home.join("sites").join(format!("{stem}.hsts"));
        let migration_path = home.join("sites").join(format!("{stem}.migrate"));
        let names = load(&names_path, |text| {
            KnownNames::from_text(text).map_err(|error| error.to_string())
        });
        let ramp = load(&ramp_path, parse_ramp);
        Arc::new(Self {
            names: ArcSwap::from_pointee(names),
            hsts: ArcSwap::from_pointee(hsts.value(ramp)),
            ramp: Mutex::new(ramp),
            told: Told::new(),
            signs: Signs::default(),
            unsaved: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            names_path,
            ramp_path,
            migration_path,
        })
    }

    /// When the migration to prefixed names ends that may last `seconds` from
    /// the moment it was first seen. Without one, the moment is forgotten.
    pub(crate) fn migration_end(&self, seconds: u64, now: u64) -> Option<u64> {
        if seconds == 0 {
            // There is none to forget, as a rule.
            let _ = std::fs::remove_file(&self.migration_path);
            return None;
        }
        let began = load(&self.migration_path, |text| parse_migration(text).map(Some))
            .unwrap_or_else(|| {
                if let Err(error) = disk::write(
                    &self.migration_path,
                    &format!("{MIGRATION_FORMAT}\nsince {now}\n"),
                ) {
                    complain(&self.migration_path, &error);
                }
                now
            });
        Some(began.saturating_add(seconds))
    }

    /// Takes new HSTS settings; the ramp stays where it is.
    pub(crate) fn set_hsts(&self, hsts: &Hsts) {
        self.hsts.store(Arc::new(hsts.value(*held(&self.ramp))));
    }

    /// Remembers names. True when that is news to be saved.
    pub(crate) fn learn(&self, learned: &[Learned]) -> bool {
        let _alone = held(&self.ramp);
        let mut names = KnownNames::clone(&self.names.load());
        for cookie in learned {
            names.learn(&cookie.name, cookie.form, cookie.floored, cookie.day);
        }
        self.names.store(Arc::new(names));
        !self.unsaved.swap(true, Ordering::AcqRel)
    }

    /// Writes the names to the disk, if there are any that are not there yet.
    pub(crate) fn save(&self) {
        let unsaved = self.unsaved.swap(false, Ordering::AcqRel);
        if !self.failed.swap(false, Ordering::AcqRel) && !unsaved {
            return;
        }
        let text = self.names.load().to_text();
        if let Err(error) = disk::write(&self.names_path, &text) {
            self.failed.store(true, Ordering::Release);
            complain(&self.names_path, &error);
        }
    }

    /// Moves the ramp on, if its time has come.
    pub(crate) fn advance(&self, hsts: &Hsts, now: u64, certificate_valid: bool) {
        let mut ramp = held(&self.ramp);
        let next = ramp.advance(now, certificate_valid);
        if next == *ramp {
            return;
        }
        if next.step != ramp.step {
            tracing::info!(target: "sealwax", max_age = hsts.max_age(next), "HSTS goes one step up the ramp");
        }
        *ramp = next;
        self.hsts.store(Arc::new(hsts.value(next)));
        if let Err(error) = disk::write(&self.ramp_path, &ramp_text(next)) {
            complain(&self.ramp_path, &error);
        }
    }
}

/// No state that these locks guard can be left half changed, so a panic
/// elsewhere is no reason to give up.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn load<T: Default>(path: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
    let cause = match disk::read(path) {
        Ok(None) => return T::default(),
        Ok(Some(text)) => match parse(&text) {
            Ok(value) => return value,
            Err(cause) => cause,
        },
        Err(error) => error.to_string(),
    };
    let aside = disk::set_aside(path);
    tracing::warn!(
        target: "sealwax",
        path = %path.display(),
        cause,
        kept = ?aside.ok(),
        "a state file cannot be read; it was set aside and is begun anew"
    );
    T::default()
}

fn complain(path: &Path, error: &std::io::Error) {
    tracing::warn!(
        target: "sealwax",
        path = %path.display(),
        %error,
        "a state file cannot be written: after a restart the site starts without it; make the directory writable or set SEALWAX_HOME"
    );
}

fn ramp_text(ramp: Ramp) -> String {
    let mut text = format!("{RAMP_FORMAT}\nstep {}\n", ramp.step);
    if let Some(since) = ramp.since {
        let _ = writeln!(text, "since {since}");
    }
    text
}

fn parse_ramp(text: &str) -> Result<Ramp, String> {
    let mut lines = text.lines();
    if lines.next() != Some(RAMP_FORMAT) {
        return Err(format!("line 1 is not `{RAMP_FORMAT}`"));
    }
    let mut ramp = Ramp::default();
    for (index, line) in lines.enumerate() {
        let damaged = || format!("line {} cannot be read", index + 2);
        match line.split_once(' ') {
            Some(("step", step)) => {
                ramp.step = step.parse().map_err(|_| damaged())?;
                if usize::from(ramp.step) >= sealwax_policy::RAMP.len() {
                    return Err(damaged());
                }
            }
            Some(("since", since)) => ramp.since = Some(since.parse().map_err(|_| damaged())?),
            _ => return Err(damaged()),
        }
    }
    Ok(ramp)
}

fn parse_migration(text: &str) -> Result<u64, String> {
    let mut lines = text.lines();
    if lines.next() != Some(MIGRATION_FORMAT) {
        return Err(format!("line 1 is not `{MIGRATION_FORMAT}`"));
    }
    let since = lines
        .next()
        .and_then(|line| line.strip_prefix("since "))
        .and_then(|since| since.parse().ok());
    since.ok_or_else(|| "line 2 cannot be read".to_owned())
}

/// A host pattern as a file name: what is no letter, digit, `-` or inner dot is
/// percent-encoded.
fn file_stem(host: &str) -> String {
    let mut stem = String::with_capacity(host.len());
    for (at, byte) in host.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'.' && at > 0) {
            stem.push(char::from(byte));
        } else {
            let _ = write!(stem, "%{byte:02X}");
        }
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwax_policy::Form;

    fn cookie(name: &str) -> Learned {
        Learned {
            name: name.into(),
            form: Form::Host,
            floored: true,
            day: 20_000,
        }
    }

    #[test]
    fn names_survive_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let memory = Memory::open(home.path(), "app.example.com", &Hsts::default());
        assert!(memory.learn(&[cookie("sid")]));
        assert!(!memory.learn(&[cookie("other")]));
        memory.save();
        let again = Memory::open(home.path(), "app.example.com", &Hsts::default());
        assert!(
            again.names.load().get(b"sid").is_some() && again.names.load().get(b"other").is_some()
        );
    }

    #[test]
    fn a_write_that_failed_is_made_up_for() {
        let home = tempfile::tempdir().unwrap();
        let sites = home.path().join("sites");
        let memory = Memory::open(home.path(), "a", &Hsts::default());
        std::fs::write(&sites, "no directory").unwrap();
        assert!(memory.learn(&[cookie("sid")]));
        memory.save();
        // News again, so that somebody is woken to save it.
        assert!(memory.learn(&[cookie("other")]));
        memory.save();
        std::fs::remove_file(&sites).unwrap();
        // And without news, when the keeper comes by.
        memory.save();
        let again = Memory::open(home.path(), "a", &Hsts::default());
        let names = again.names.load();
        assert!(names.get(b"sid").is_some() && names.get(b"other").is_some());
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_begun_anew() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sites/a.names");
        disk::write(&path, "no such format\n").unwrap();
        disk::write(
            &home.path().join("sites/a.hsts"),
            "sealwax-hsts 1\nstep 9\n",
        )
        .unwrap();
        let memory = Memory::open(home.path(), "a", &Hsts::default());
        assert_eq!(memory.names.load().iter().count(), 0);
        assert!(!path.exists() && home.path().join("sites/a.names.damaged").exists());
        assert!(home.path().join("sites/a.hsts.damaged").exists());
        assert_eq!(**memory.hsts.load(), "max-age=300");
    }

    #[test]
    fn the_ramp_advances_and_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let hsts = Hsts::default();
        let memory = Memory::open(home.path(), "a", &hsts);
        memory.advance(&hsts, 1000, true);
        memory.advance(&hsts, 1299, true);
        assert_eq!(**memory.hsts.load(), "max-age=300");
        memory.advance(&hsts, 1300, true);
        assert_eq!(**memory.hsts.load(), "max-age=86400");
        let again = Memory::open(home.path(), "a", &hsts);
        assert_eq!(**again.hsts.load(), "max-age=86400");
    }

    #[test]
    fn a_migration_counts_from_when_it_was_first_seen() {
        let home = tempfile::tempdir().unwrap();
        let open = || Memory::open(home.path(), "a", &Hsts::default());
        assert_eq!(open().migration_end(100, 1000), Some(1100));
        assert_eq!(open().migration_end(100, 1050), Some(1100));
        assert_eq!(open().migration_end(0, 1060), None);
        assert_eq!(open().migration_end(100, 2000), Some(2100));
    }

    #[test]
    fn file_names_are_tame() {
        assert_eq!(file_stem("app.example.com"), "app.example.com");
        assert_eq!(file_stem(".example.com"), "%2Eexample.com");
        assert_eq!(file_stem("[::1]"), "%5B%3A%3A1%5D");
        assert_eq!(file_stem("*"), "%2A");
        assert_eq!(file_stem("../x"), "%2E.%2Fx");
    }
}
