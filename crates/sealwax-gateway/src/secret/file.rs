//! The file: read with a bound, written whole or not at all, for its owner alone.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{self as unix_fs, DirBuilderExt as _, MetadataExt as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sealwax_cookie::{KeyRing, KeyRingCause, SealKey};
use zeroize::Zeroizing;

use super::error::SecretError;
use super::retire::{Retire, Rotated};
use crate::clock;

/// Sixteen keys and many comments. A file that is larger is something else.
const MAX_FILE: u64 = 64 * 1024;

/// A file of keys that seal cookies.
#[derive(Debug, Clone)]
pub struct SecretFile {
    path: PathBuf,
}

/// What is in a file of keys.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoadedSecret {
    /// The keys.
    pub ring: KeyRing,
    /// What somebody should look at, although it works.
    pub warnings: Vec<String>,
}

impl SecretFile {
    /// The file at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file that is used where none is named: `secret/keys` below `home`.
    #[must_use]
    pub fn below(home: &Path) -> Self {
        Self::new(home.join("secret").join("keys"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// That it is not there.
    #[must_use]
    pub fn missing(&self) -> SecretError {
        SecretError::new(
            self.path.display(),
            "there are no keys to seal cookies with",
            "make them with `sealwax secret new` (with --config, if there is a configuration file), and copy the file to every node; or give all of them the same SEALWAX_SECRET",
        )
    }

    /// Reads it, following symbolic links; `None` where there is no such file.
    ///
    /// # Errors
    /// It cannot be read, or a line of it is wrong.
    pub fn load(&self) -> Result<Option<LoadedSecret>, SecretError> {
        let (text, metadata) = match self.read() {
            Ok(read) => read,
            // A link that leads nowhere is a mistake, not a file to be made.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.path.is_symlink() => {
                return Ok(None);
            }
            Err(error) => return Err(SecretError::reading(&self.path, &error)),
        };
        let ring = KeyRing::parse(&text).map_err(|error| SecretError::text(&self.path, error))?;
        Ok(Some(LoadedSecret {
            ring,
            warnings: self.too_open(&metadata).into_iter().collect(),
        }))
    }

    /// Makes it, with one new key, for its owner alone (mode 0600). Directories that are missing are
    /// made (mode 0700).
    ///
    /// # Errors
    /// Something is there already, or it cannot be written.
    pub fn create(&self) -> Result<KeyRing, SecretError> {
        let key = new_key(&self.path)?.made_at(clock::unix_signed());
        let ring = KeyRing::new(key, []).map_err(|error| SecretError::text(&self.path, error))?;
        self.write_new(&ring).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SecretError::new(
                self.path.display(),
                "the file is there already",
                "`sealwax secret rotate` puts a new key before the old ones; remove the file to start afresh, which makes every sealed cookie worthless",
            ),
            _ => SecretError::writing(&self.path, &error),
        })?;
        Ok(ring)
    }

    /// Reads it, or makes it where it is missing. Of several that make it at once, all get the keys
    /// of the one that was first.
    ///
    /// # Errors
    /// As [`load`](Self::load) and [`create`](Self::create).
    pub fn open_or_create(&self) -> Result<LoadedSecret, SecretError> {
        if let Some(loaded) = self.load()? {
            return Ok(loaded);
        }
        let created = self.create();
        // Somebody else's, where ours came second.
        match (self.load()?, created) {
            (Some(loaded), Ok(_)) => {
                tracing::info!(target: "sealwax", "{}: made a key that seals cookies", self.path.display());
                Ok(loaded)
            }
            (Some(loaded), Err(_)) => Ok(loaded),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(self.missing()),
        }
    }

    /// Puts a new key first and drops what `retire` says. The file is replaced whole; it keeps its
    /// owner and, at most, its group's right to read. A symbolic link stays, and what it leads to is
    /// replaced.
    ///
    /// # Errors
    /// There is no such file, it cannot be read, is full, or cannot be written. Then it is as it was.
    pub fn rotate(&self, retire: Retire) -> Result<Rotated, SecretError> {
        let real = match fs::canonicalize(&self.path) {
            Ok(path) => Self::new(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.missing()),
            Err(error) => return Err(SecretError::reading(&self.path, &error)),
        };
        let writing = |error: io::Error| SecretError::writing(&real.path, &error);
        // Two rotations at once would lose one of the two keys. Ends with the process.
        let _lock = real.lock().map_err(writing)?;
        let Some(LoadedSecret { ring, .. }) = real.load()? else {
            return Err(self.missing());
        };
        let rotated = retire
            .rotate(&ring, new_key(&real.path)?, clock::unix_signed())
            .map_err(|error| match error.cause {
                KeyRingCause::TooMany => SecretError::new(
                    real.path.display(),
                    format!("there is no room for another key: {} are the most", KeyRing::MAX_KEYS),
                    "drop old ones: `--drop-older-than 400d` drops those that nothing is sealed with any more, `--keep 15` all but the newest 15",
                ),
                _ => SecretError::text(&real.path, error),
            })?;
        real.replace(&rotated.ring).map_err(writing)?;
        Ok(rotated)
    }

    fn read(&self) -> io::Result<(Zeroizing<String>, Metadata)> {
        // Opening a FIFO would wait for its writer, so the kind is looked at first and once more on
        // the opened file.
        regular(&fs::metadata(&self.path)?)?;
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        regular(&metadata)?;
        // Large enough from the start: a text that grows leaves copies of keys behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize + 1));
        file.take(MAX_FILE + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_FILE {
            return Err(io::Error::other("it is larger than 64 KiB"));
        }
        Ok((text, metadata))
    }

    /// A warning where others than the owner and the group's readers have rights.
    fn too_open(&self, metadata: &Metadata) -> Option<String> {
        let mode = metadata.mode() & 0o777;
        let what = match (mode & 0o004 != 0, mode & 0o022 != 0) {
            (false, false) => return None,
            (true, false) => "everybody on this machine can read",
            (_, true) => "others than their owner can replace",
        };
        let path = self.path.display();
        Some(format!(
            "{path}: {what} the keys that seal cookies (mode {mode:04o}). Run `chmod 600 {path}`, and rotate them."
        ))
    }

    fn write_new(&self, ring: &KeyRing) -> io::Result<()> {
        let directory = self.directory();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let _lock = self.lock()?;
        let temporary = self.sibling();
        let written = write(&temporary, ring, 0o600)
            // Unlike a rename, a link replaces nothing.
            .and_then(|()| fs::hard_link(&temporary, &self.path));
        // Also where it failed: what is left of the attempt helps nobody.
        let _ = fs::remove_file(&temporary);
        written?;
        File::open(directory)?.sync_all()
    }

    fn replace(&self, ring: &KeyRing) -> io::Result<()> {
        let before = fs::metadata(&self.path)?;
        let temporary = self.sibling();
        let replaced = write(&temporary, ring, 0o600 | before.mode() & 0o040)
            .and_then(|()| keep_owner(&temporary, &before))
            .and_then(|()| fs::rename(&temporary, &self.path));
        if replaced.is_err() {
            let _ = fs::remove_file(&temporary);
            return replaced;
        }
        // The rename lasts once its directory is on the disk.
        File::open(self.directory())?.sync_all()
    }

    fn lock(&self) -> io::Result<File> {
        let directory = File::open(self.directory())?;
        match directory.lock() {
            // Some network file systems know no locks.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(directory),
            Err(error) => Err(error),
            Ok(()) => Ok(directory),
        }
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        }
    }

    fn sibling(&self) -> PathBuf {
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}.new", std::process::id()));
        self.path.with_file_name(name)
    }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = match metadata.is_dir() {
        true => "it is a directory",
        false => "it is not a regular file",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

fn write(path: &Path, ring: &KeyRing, mode: u32) -> io::Result<()> {
    // A leftover of a process that had our number and died.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `create_new` neither follows a planted link nor reuses what somebody holds open.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(ring.to_text().as_bytes())?;
    // `open` applies the umask, which may take more than others' rights.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Whoever rotates as root must not take the file from the gateway's user.
fn keep_owner(path: &Path, before: &Metadata) -> io::Result<()> {
    let now = fs::metadata(path)?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    unix_fs::lchown(path, Some(before.uid()), Some(before.gid()))
}

fn new_key(path: &Path) -> Result<SealKey, SecretError> {
    let mut bytes = Zeroizing::new([0; SealKey::LENGTH]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| {
        SecretError::new(
            path.display(),
            format!("the system gives no randomness for a key: {error}"),
            "look at /dev/urandom",
        )
    })?;
    Ok(SealKey::new(*bytes))
}
