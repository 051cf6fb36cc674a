//! The authority's directory: two files, and the rules for making them once.
//!
//! Order is what keeps this simple. The key is written first, the certificate
//! second; an authority exists when both do. A key without a certificate is a
//! creation that was cut short, and the next one completes it with that key. A
//! certificate without a key is a loss, and is told.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

use super::error::LocalError;
use super::{KEY_FILE, LocalAuthority, ROOT_FILE, root};
use crate::disk;

const LOCK_FILE: &str = ".lock";

/// Paths are made absolute, since a child process that is told of the root may
/// run in another directory.
fn absolute(dir: &Path) -> Result<PathBuf, LocalError> {
    std::path::absolute(dir).map_err(|error| io_error(dir, "read", error))
}

pub(super) fn open(dir: &Path) -> Result<Option<LocalAuthority>, LocalError> {
    let dir = &absolute(dir)?;
    let key_path = dir.join(KEY_FILE);
    let root_path = dir.join(ROOT_FILE);
    let key = read_key(&key_path)?;
    let root = read(&root_path)?;
    match (key, root) {
        (Some(key), Some(root)) => {
            check_directory(dir)?;
            root::authority(&root_path, root, &key_path, &key).map(Some)
        }
        // Looked at once more: another process may have made both since the
        // first look.
        (None, Some(_)) if read_key(&key_path)?.is_some() => open(dir),
        (None, Some(_)) => Err(LocalError::KeyMissing { path: key_path }),
        (_, None) => Ok(None),
    }
}

pub(super) fn create(dir: &Path, now: i64) -> Result<LocalAuthority, LocalError> {
    let dir = &absolute(dir)?;
    disk::create_private_dir(dir).map_err(|error| io_error(dir, "create", error))?;
    check_directory(dir)?;
    let _lock = lock(dir)?;
    // Another process may have been first while we waited.
    if let Some(authority) = open(dir)? {
        return Ok(authority);
    }

    let key_path = dir.join(KEY_FILE);
    let root_path = dir.join(ROOT_FILE);
    let key_pem = match read_key(&key_path)? {
        Some(interrupted) => interrupted,
        None => new_key(&key_path)?,
    };
    let key = KeyPair::from_pem(&key_pem).map_err(|error| LocalError::Damaged {
        path: key_path.clone(),
        why: format!("this is not a usable key: {error}"),
    })?;
    let root_pem = root::certificate(&key, now, &root_path)?;
    // Before it is written: what would be refused tomorrow must not be made today.
    let authority = root::authority(&root_path, root_pem, &key_path, &key_pem)?;
    disk::write_atomically(&root_path, authority.root_pem.as_bytes(), 0o644)
        .map_err(|error| io_error(&root_path, "write", error))?;
    Ok(authority)
}

fn new_key(path: &Path) -> Result<String, LocalError> {
    let key =
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| LocalError::Crypto {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
    let pem = key.serialize_pem();
    disk::write_atomically(path, pem.as_bytes(), 0o600)
        .map_err(|error| io_error(path, "write", error))?;
    Ok(pem)
}

/// The lock goes with the process, however it ends.
fn lock(dir: &Path) -> Result<File, LocalError> {
    let path = dir.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options
        .open(&path)
        .map_err(|error| io_error(&path, "create", error))?;
    file.lock()
        .map_err(|error| io_error(&path, "lock", error))?;
    Ok(file)
}

fn read(path: &Path) -> Result<Option<String>, LocalError> {
    present(path, disk::read(path, disk::MAX_FILE)).and_then(|contents| {
        contents
            .map(|contents| text(path, contents.bytes))
            .transpose()
    })
}

fn read_key(path: &Path) -> Result<Option<String>, LocalError> {
    let Some(contents) = present(path, disk::read_no_follow(path, disk::MAX_FILE))? else {
        return Ok(None);
    };
    if let Some(mode) = disk::permission_bits(&contents.metadata)
        && mode & 0o077 != 0
    {
        return Err(LocalError::KeyExposed {
            path: path.to_owned(),
            mode,
        });
    }
    text(path, contents.bytes).map(Some)
}

fn present(
    path: &Path,
    read: io::Result<disk::Contents>,
) -> Result<Option<disk::Contents>, LocalError> {
    match read {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path, "read", error)),
    }
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, LocalError> {
    String::from_utf8(bytes).map_err(|_| LocalError::Damaged {
        path: path.to_owned(),
        why: "this is not PEM text".to_owned(),
    })
}

/// Who can write to the directory can exchange the key, whatever its mode.
fn check_directory(dir: &Path) -> Result<(), LocalError> {
    let metadata = fs::metadata(dir).map_err(|error| io_error(dir, "read", error))?;
    match disk::permission_bits(&metadata) {
        Some(mode) if mode & 0o022 != 0 => Err(LocalError::DirectoryWritable {
            path: dir.to_owned(),
            mode,
        }),
        _ => Ok(()),
    }
}

fn io_error(path: &Path, action: &'static str, error: io::Error) -> LocalError {
    LocalError::Io {
        path: path.to_owned(),
        action,
        error,
    }
}
