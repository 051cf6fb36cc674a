//! Reading with a bound and writing without a half-written moment.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// No certificate chain, key or trust bundle comes near this many bytes; a file
/// that does is something else, and reading it whole would only cost memory.
pub(crate) const MAX_FILE: u64 = 1024 * 1024;

/// A file's bytes together with what the *opened* file says about itself, so
/// that nothing can change between the check and the read.
pub(crate) struct Contents {
    pub(crate) bytes: Vec<u8>,
    pub(crate) metadata: Metadata,
}

/// Reads a regular file of at most `limit` bytes, following symlinks.
///
/// # Errors
/// The operating system's, `InvalidInput` for what is not a regular file, and
/// `FileTooLarge` beyond the limit.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Contents> {
    // Opening a FIFO would wait for its writer, so the kind is looked at first
    // and once more on the opened file.
    refuse_irregular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    read_opened(file, limit)
}

/// As [`read`], but a symlink in the last component is refused.
///
/// # Errors
/// As [`read`]; a symlink, or a file swapped for another while it was opened,
/// is `InvalidInput`.
pub(crate) fn read_no_follow(path: &Path, limit: u64) -> io::Result<Contents> {
    let before = fs::symlink_metadata(path)?;
    if before.file_type().is_symlink() {
        return Err(irregular("a symbolic link stands in its place"));
    }
    refuse_irregular(&before)?;
    let file = File::open(path)?;
    if !same_file(&before, &file.metadata()?) {
        return Err(irregular("the file was exchanged while it was opened"));
    }
    read_opened(file, limit)
}

fn read_opened(file: File, limit: u64) -> io::Result<Contents> {
    let metadata = file.metadata()?;
    refuse_irregular(&metadata)?;
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file that grows is noticed as well.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("the file is larger than {limit} bytes"),
        ));
    }
    Ok(Contents { bytes, metadata })
}

fn refuse_irregular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        Err(irregular("it is a directory"))
    } else if metadata.is_file() {
        Ok(())
    } else {
        Err(irregular("it is not a regular file"))
    }
}

fn irregular(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, cause)
}

/// Writes `bytes` to `path` so that a reader, a crash or a full disk sees the
/// old file or the new one, never a part: a sibling file is written, synced and
/// renamed over the name. A symlink at `path` is replaced, not followed.
///
/// Two writers of one path must exclude each other.
///
/// # Errors
/// The operating system's. The sibling is removed again.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| irregular("the path has no file name"))?;
    let mut sibling = std::ffi::OsString::from(".");
    sibling.push(name);
    sibling.push(format!(".{}.new", std::process::id()));
    let sibling = path.with_file_name(sibling);

    // What a crashed process with our number left behind.
    match fs::remove_file(&sibling) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_new(&sibling, bytes, mode).and_then(|()| fs::rename(&sibling, path));
    if written.is_err() {
        // The first error is the one to tell; this one would hide it.
        let _ = fs::remove_file(&sibling);
        return written;
    }
    sync_directory_of(path);
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // create_new is O_EXCL: it neither follows a planted symlink nor reuses a
    // file that somebody else already holds open.
    options.write(true).create_new(true);
    with_mode(&mut options, mode);
    let mut file = options.open(path)?;
    restrict_to(&file, mode)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The rename is durable only when the directory is. Some file systems cannot
/// sync a directory; the file itself is whole either way.
fn sync_directory_of(path: &Path) {
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty())
        && let Ok(directory) = File::open(parent)
    {
        let _ = directory.sync_all();
    }
}

#[cfg(unix)]
mod os {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    pub(super) fn with_mode(options: &mut OpenOptions, mode: u32) {
        options.mode(mode);
    }

    /// `open` applies the umask; a certificate that tools must read needs 0644
    /// under any umask.
    pub(super) fn restrict_to(file: &File, mode: u32) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(mode))
    }

    pub(super) fn same_file(a: &Metadata, b: &Metadata) -> bool {
        a.dev() == b.dev() && a.ino() == b.ino()
    }

    pub(crate) fn permission_bits(metadata: &Metadata) -> Option<u32> {
        Some(metadata.mode() & 0o7777)
    }

    /// Changes whenever a file at a path was replaced or rewritten.
    pub(crate) fn identity(metadata: &Metadata) -> [i64; 5] {
        [
            metadata.dev().cast_signed(),
            metadata.ino().cast_signed(),
            metadata.size().cast_signed(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        ]
    }

    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }
}

#[cfg(not(unix))]
mod os {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;
    use std::time::UNIX_EPOCH;

    pub(super) fn with_mode(_: &mut OpenOptions, _: u32) {}

    pub(super) fn restrict_to(_: &File, _: u32) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn same_file(a: &Metadata, b: &Metadata) -> bool {
        identity(a) == identity(b)
    }

    /// Not a thing here: access is a matter of the profile directory's list.
    pub(crate) fn permission_bits(_: &Metadata) -> Option<u32> {
        None
    }

    pub(crate) fn identity(metadata: &Metadata) -> [i64; 5] {
        let changed = metadata
            .modified()
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .unwrap_or_default();
        [
            0,
            0,
            metadata.len().cast_signed(),
            changed.as_secs().cast_signed(),
            i64::from(changed.subsec_nanos()),
        ]
    }

    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }
}

pub(crate) use os::{create_private_dir, identity, permission_bits};
use os::{restrict_to, same_file, with_mode};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewrite_replaces_a_symlink_and_leaves_no_sibling() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let path = dir.path().join("root.pem");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&victim, &path).unwrap();

        write_atomically(&path, b"new", 0o644).unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 2, "a temporary file was left behind");
    }

    #[cfg(unix)]
    #[test]
    fn modes_hold_under_any_umask() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o644] {
            let path = dir.path().join(format!("{mode:o}"));
            write_atomically(&path, b"x", mode).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!(permission_bits(&metadata), Some(mode));
        }
    }

    #[test]
    fn refuses_what_is_too_large_or_not_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        fs::write(&path, [0; 11]).unwrap();
        assert_eq!(read(&path, 11).unwrap().bytes.len(), 11);
        let error = read(&path, 10).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let error = read(dir.path(), 10).err().unwrap();
        assert_eq!(error.to_string(), "it is a directory");
        assert!(read(Path::new("/dev/zero"), 10).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_is_refused_where_none_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        fs::write(&target, "secret").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(read(&link, 100).unwrap().bytes, b"secret");
        let error = read_no_follow(&link, 100).err().unwrap();
        assert!(error.to_string().contains("symbolic link"), "{error}");
    }
}
