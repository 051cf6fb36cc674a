//! What a machine has: the only part that looks at it.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The operating system, as far as trust stores differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Os {
    /// Linux, of any distribution.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
    /// Anything else; NSS databases may be there.
    Other,
}

/// A Linux distribution's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SystemStore {
    /// Debian, Ubuntu, Alpine, Gentoo.
    Debian,
    /// Fedora, RHEL and their kin.
    Fedora,
    /// Arch and its kin.
    Arch,
    /// openSUSE and SLE, the administrator's directory.
    Suse,
    /// openSUSE and SLE, where only the older directory exists.
    SuseUsr,
}

impl SystemStore {
    /// In the order in which they are looked for. Fedora before Debian, since
    /// some systems keep a Debian-style directory for compatibility.
    const ALL: [Self; 5] = [
        Self::Fedora,
        Self::Debian,
        Self::Arch,
        Self::Suse,
        Self::SuseUsr,
    ];

    /// Where certificates are put, relative to the root directory.
    pub(super) fn anchors(self) -> &'static str {
        match self {
            Self::Debian => "usr/local/share/ca-certificates",
            Self::Fedora => "etc/pki/ca-trust/source/anchors",
            Self::Arch => "etc/ca-certificates/trust-source/anchors",
            Self::Suse => "etc/pki/trust/anchors",
            Self::SuseUsr => "usr/share/pki/trust/anchors",
        }
    }

    /// The command that makes the bundle anew.
    pub(super) fn tool(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Debian | Self::Suse | Self::SuseUsr => ("update-ca-certificates", &[]),
            Self::Fedora => ("update-ca-trust", &["extract"]),
            Self::Arch => ("trust", &["extract-compat"]),
        }
    }

    /// The bundle that programs read, relative to the root directory.
    pub(super) fn bundle(self) -> &'static str {
        match self {
            Self::Debian | Self::Arch => "etc/ssl/certs/ca-certificates.crt",
            Self::Fedora => "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            Self::Suse | Self::SuseUsr => "var/lib/ca-certificates/ca-bundle.pem",
        }
    }

    /// The command that installs the tool.
    pub(super) fn install_tool(self) -> &'static str {
        match self {
            Self::Debian => "apt install ca-certificates",
            Self::Fedora => "dnf install ca-certificates",
            Self::Arch => "pacman -S ca-certificates-utils p11-kit",
            Self::Suse | Self::SuseUsr => "zypper install ca-certificates",
        }
    }

    /// The command that installs NSS's certutil.
    pub(super) fn install_certutil(self) -> &'static str {
        match self {
            Self::Debian => "apt install libnss3-tools",
            Self::Fedora => "dnf install nss-tools",
            Self::Arch => "pacman -S nss",
            Self::Suse | Self::SuseUsr => "zypper install mozilla-nss-tools",
        }
    }
}

impl fmt::Display for SystemStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debian => "Debian/Ubuntu system store",
            Self::Fedora => "Fedora/RHEL system store",
            Self::Arch => "Arch system store",
            Self::Suse | Self::SuseUsr => "openSUSE system store",
        })
    }
}

/// An NSS database, existing or to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NssDatabase {
    /// Its directory.
    pub dir: PathBuf,
    /// Who reads it.
    pub used_by: String,
    /// Whether it is there already.
    pub exists: bool,
}

/// What was seen of a machine. All fields can be written, so that a plan for
/// another machine can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The operating system.
    pub os: Os,
    /// Whether this process may write to the system's directories.
    pub is_root: bool,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// The directory that the system's paths start at: `/`, but in an image that
    /// is being built, or a test.
    pub system_root: PathBuf,
    /// The distribution's store.
    pub system_store: Option<SystemStore>,
    /// The command that makes the distribution's bundle anew.
    pub system_tool: Option<PathBuf>,
    /// NSS's certutil. (Windows has an unrelated program of that name.)
    pub certutil: Option<PathBuf>,
    /// The NSS databases of the user's browsers.
    pub nss: Vec<NssDatabase>,
    /// Whether this Linux runs inside Windows (WSL).
    pub wsl: bool,
    /// The user who became root by `sudo`; their browsers' databases are
    /// elsewhere.
    pub sudo_user: Option<String>,
}

/// Browsers that read the shared NSS database on Linux.
const CHROMIUM_COMMANDS: [&str; 8] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "google-chrome-beta",
    "brave-browser",
    "microsoft-edge",
    "vivaldi",
];

/// Shared databases, below home. The first is what is made where none exists.
const SHARED: [(&str, &str); 4] = [
    (".pki/nssdb", "Chromium, Chrome"),
    (".local/share/pki/nssdb", "Chromium, Chrome"),
    ("snap/chromium/current/.pki/nssdb", "Chromium snap"),
    (
        "snap/chromium/current/.local/share/pki/nssdb",
        "Chromium snap",
    ),
];

/// Directories of Firefox profiles, below home.
const PROFILES: [(&str, &str); 8] = [
    (".mozilla/firefox", "Firefox"),
    (".config/mozilla/firefox", "Firefox"),
    ("snap/firefox/common/.mozilla/firefox", "Firefox snap"),
    (
        ".var/app/org.mozilla.firefox/.mozilla/firefox",
        "Firefox flatpak",
    ),
    (
        ".var/app/org.mozilla.firefox/config/mozilla/firefox",
        "Firefox flatpak",
    ),
    (".librewolf", "LibreWolf"),
    (".thunderbird", "Thunderbird"),
    ("Library/Application Support/Firefox/Profiles", "Firefox"),
];

impl Machine {
    /// Looks at this machine: `HOME`, `PATH`, `SUDO_USER`, and which directories
    /// exist. Reads nothing private and changes nothing.
    pub fn detect() -> Self {
        let mut search: Vec<_> = env::var_os("PATH")
            .map(|path| env::split_paths(&path).collect())
            .unwrap_or_default();
        // Not in a user's PATH everywhere, but where root's tools are.
        search.extend(["/usr/sbin", "/sbin", "/opt/homebrew/opt/nss/bin"].map(PathBuf::from));
        let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let is_root = is_root();
        let mut machine = Self::look_at(Path::new("/"), home.as_deref(), &search);
        machine.is_root = is_root;
        machine.sudo_user = env::var("SUDO_USER")
            .ok()
            .filter(|user| is_root && !user.is_empty() && user != "root");
        machine
    }

    /// Looks at a machine whose system directories are below `system_root` and
    /// whose commands are in the directories of `search`. For this operating
    /// system; without root.
    pub fn look_at(system_root: &Path, home: Option<&Path>, search: &[PathBuf]) -> Self {
        let os = match env::consts::OS {
            "linux" => Os::Linux,
            "macos" => Os::MacOs,
            "windows" => Os::Windows,
            _ => Os::Other,
        };
        let find = |command: &str| {
            search
                .iter()
                .map(|dir| dir.join(command))
                .find(|path| path.is_file())
        };
        let system_store = SystemStore::ALL
            .into_iter()
            .find(|store| os == Os::Linux && system_root.join(store.anchors()).is_dir());
        let has_chromium = CHROMIUM_COMMANDS
            .iter()
            .any(|command| find(command).is_some());
        Self {
            os,
            is_root: false,
            home: home.map(Path::to_owned),
            system_root: system_root.to_owned(),
            system_store,
            system_tool: system_store.and_then(|store| find(store.tool().0)),
            certutil: if os == Os::Windows {
                None
            } else {
                find("certutil")
            },
            nss: home
                .map(|home| databases(home, has_chromium))
                .unwrap_or_default(),
            wsl: os == Os::Linux && is_wsl(system_root),
            sudo_user: None,
        }
    }
}

fn databases(home: &Path, has_chromium: bool) -> Vec<NssDatabase> {
    let mut found = Vec::new();
    let mut add = |dir: PathBuf, used_by: &str| {
        if dir.join("cert9.db").is_file() {
            found.push(NssDatabase {
                dir,
                used_by: used_by.to_owned(),
                exists: true,
            });
        }
    };
    for (dir, used_by) in SHARED {
        add(home.join(dir), used_by);
    }
    for app in entries(&home.join(".var/app")) {
        let used_by = format!("{} flatpak", file_name(&app));
        add(app.join(".pki/nssdb"), &used_by);
        add(app.join("data/pki/nssdb"), &used_by);
    }
    for (dir, used_by) in PROFILES {
        for profile in entries(&home.join(dir)) {
            add(
                profile.clone(),
                &format!("{used_by} profile {}", file_name(&profile)),
            );
        }
    }
    let shared = |database: &NssDatabase| {
        SHARED
            .iter()
            .take(2)
            .any(|(dir, _)| database.dir == home.join(dir))
    };
    if has_chromium && !found.iter().any(shared) {
        let (dir, used_by) = SHARED[0];
        found.insert(
            0,
            NssDatabase {
                dir: home.join(dir),
                used_by: used_by.to_owned(),
                exists: false,
            },
        );
    }
    found
}

/// The subdirectories, sorted so that plans are stable.
fn entries(dir: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(OsStr::new("?"))
        .to_string_lossy()
        .into_owned()
}

fn is_wsl(system_root: &Path) -> bool {
    fs::read_to_string(system_root.join("proc/sys/kernel/osrelease"))
        .is_ok_and(|release| release.to_ascii_lowercase().contains("microsoft"))
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Windows stores of the user need no privilege.
#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
