//! Where browsers keep their NSS databases.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::machine::NssDatabase;

/// The user's directories that browsers look in.
pub(super) struct Homes {
    pub(super) home: PathBuf,
    /// `XDG_DATA_HOME`.
    pub(super) data: PathBuf,
    /// `XDG_CONFIG_HOME`.
    pub(super) config: PathBuf,
}

impl Homes {
    /// Where nothing else is said.
    pub(super) fn below(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            data: home.join(".local/share"),
            config: home.join(".config"),
        }
    }
}

/// Browsers that read the shared database on Linux.
pub(super) const CHROMIUM_COMMANDS: [&str; 8] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "google-chrome-beta",
    "brave-browser",
    "microsoft-edge",
    "vivaldi",
];

const CHROMIUM: &str = "Chromium, Chrome";

/// All databases that exist, and the one to make where Chromium is installed but
/// has not run yet.
///
/// Chromium reads `~/.pki/nssdb` where it exists, and only then the newer place
/// below `XDG_DATA_HOME` (seen with 156). Of the two the old place is made, for
/// older versions know no other. It is not made beside the new one: Chromium
/// would lose sight of what is in there.
pub(super) fn databases(homes: &Homes, has_chromium: bool) -> Vec<NssDatabase> {
    let Homes { home, data, config } = homes;
    let old = home.join(".pki/nssdb");

    let mut candidates = vec![
        (old.clone(), CHROMIUM.to_owned()),
        (data.join("pki/nssdb"), CHROMIUM.to_owned()),
    ];
    let shared = candidates.len();
    for dir in [".pki/nssdb", ".local/share/pki/nssdb"] {
        let dir = home.join("snap/chromium/current").join(dir);
        candidates.push((dir, "Chromium snap".to_owned()));
    }
    for app in directories(&home.join(".var/app")) {
        let used_by = format!("{} flatpak", name(&app));
        candidates.push((app.join(".pki/nssdb"), used_by.clone()));
        candidates.push((app.join("data/pki/nssdb"), used_by));
    }
    for (dir, used_by) in profile_homes(home, config) {
        for profile in directories(&dir) {
            let used_by = format!("{used_by} profile {}", name(&profile));
            candidates.push((profile, used_by));
        }
    }

    let exists = |dir: &Path| dir.join("cert9.db").is_file();
    let is_missing = !candidates.iter().take(shared).any(|(dir, _)| exists(dir));
    let to_make = (has_chromium && is_missing).then(|| NssDatabase {
        dir: old,
        used_by: CHROMIUM.to_owned(),
        exists: false,
    });
    let existing = candidates
        .into_iter()
        .filter(|(dir, _)| exists(dir))
        .map(|(dir, used_by)| NssDatabase {
            dir,
            used_by,
            exists: true,
        });
    to_make.into_iter().chain(existing).collect()
}

fn profile_homes(home: &Path, config: &Path) -> [(PathBuf, &'static str); 7] {
    let flatpak = home.join(".var/app/org.mozilla.firefox");
    [
        (home.join(".mozilla/firefox"), "Firefox"),
        (config.join("mozilla/firefox"), "Firefox"),
        (
            home.join("snap/firefox/common/.mozilla/firefox"),
            "Firefox snap",
        ),
        (flatpak.join(".mozilla/firefox"), "Firefox flatpak"),
        (flatpak.join("config/mozilla/firefox"), "Firefox flatpak"),
        (home.join(".librewolf"), "LibreWolf"),
        (
            home.join("Library/Application Support/Firefox/Profiles"),
            "Firefox",
        ),
    ]
}

/// The subdirectories, sorted so that plans are stable.
fn directories(dir: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(OsStr::new("?"))
        .to_string_lossy()
        .into_owned()
}
