//! What a machine has: the only part that looks at it.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::browsers::{self, Homes};

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
        let homes = home.map(|home| Homes {
            // Relative values are to be ignored (XDG Base Directory section 3).
            data: absolute("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
            config: absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            home,
        });
        let mut machine = Self::look(Path::new("/"), homes, &search);
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
        Self::look(system_root, home.map(Homes::below), search)
    }

    fn look(system_root: &Path, homes: Option<Homes>, search: &[PathBuf]) -> Self {
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
        let has_chromium = browsers::CHROMIUM_COMMANDS
            .iter()
            .any(|command| find(command).is_some());
        Self {
            os,
            is_root: false,
            system_root: system_root.to_owned(),
            system_store,
            system_tool: system_store.and_then(|store| find(store.tool().0)),
            certutil: if os == Os::Windows {
                None
            } else {
                find("certutil")
            },
            nss: homes
                .as_ref()
                .map(|homes| browsers::databases(homes, has_chromium))
                .unwrap_or_default(),
            home: homes.map(|homes| homes.home),
            wsl: os == Os::Linux && is_wsl(system_root),
            sudo_user: None,
        }
    }
}

fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
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
