//! Temporary files: only their owner can read them, and they do not outlive their process for long.
//!
//! A process holds a lock on each of its temporary files while it writes them. An unlocked file was left behind by a
//! killed process; the next process that writes to the same folder removes it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The temporary files of this process.
static ALIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn alive() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary files of this process. While the returned value is alive, attempts to start or complete a file
/// block. For a program that is about to exit, such as on Ctrl-C: every output is then complete, old or new, and no
/// temporary files remain.
pub fn halt_writing() -> HaltedWriting {
    let mut alive = alive();
    for path in std::mem::take(&mut *alive) {
        // The error cannot be reported, and the next process that writes there tries again.
        let _ = fs::remove_file(path);
    }
    HaltedWriting { _alive: alive }
}

/// See [`halt_writing`].
#[must_use = "writing resumes when this is dropped"]
#[derive(Debug)]
pub struct HaltedWriting {
    _alive: MutexGuard<'static, BTreeSet<PathBuf>>,
}

/// Who can read a file.
#[derive(Clone, Copy)]
enum Readers {
    Owner,
    Default,
}

/// A file that is removed when dropped, unless it has replaced its target.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Creates a file in `folder` (so that a rename can replace its target) that only its owner can read.
    pub(super) fn within(folder: &Path) -> io::Result<(Self, File)> {
        let (temporary, file) = Self::new(folder, Readers::Owner)?;
        remove_abandoned(folder, &file.metadata()?);
        Ok((temporary, file))
    }

    fn new(folder: &Path, readers: Readers) -> io::Result<(Self, File)> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id()));
            if let Some(file) = create(&path, readers)? {
                return Ok((Temporary(path), file));
            }
        }
    }

    /// Replaces `target`. The permissions are `permissions`, or those of an existing target, or those of a new file. On
    /// failure nothing has changed.
    pub(super) fn become_file(self, file: File, target: &Path, permissions: Option<Permissions>) -> io::Result<()> {
        let existing = || fs::metadata(target).map(|metadata| metadata.permissions()).ok();
        match permissions.or_else(existing) {
            Some(permissions) => file.set_permissions(permissions)?,
            None => {
                let permissions = of_a_new_file(target.parent().unwrap_or(Path::new(".")))?;
                // If permissions are not supported, only the owner can access the file.
                let _ = file.set_permissions(permissions);
            }
        }
        let mut alive = alive();
        fs::rename(&self.0, target)?;
        alive.remove(&self.0);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // If it has replaced its target, it no longer exists.
        let mut alive = alive();
        if alive.remove(&self.0) {
            // The error cannot be reported, and the next process that writes here tries again.
            let _ = fs::remove_file(&self.0);
        }
    }
}

const PREFIX: &str = ".topicframe-";
const SUFFIX: &str = ".part";

/// Creates a locked file; `None` if the name is taken or another process considered the file abandoned before it was
/// locked.
fn create(path: &Path, readers: Readers) -> io::Result<Option<File>> {
    // Atomic with respect to `halt_writing`: every file is registered.
    let mut alive = alive();
    let file = match open_new(path, readers) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        // Some network file systems do not support locks, so no process considers the file abandoned there.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    if is_removed(&file)? {
        return Ok(None);
    }
    alive.insert(path.to_path_buf());
    Ok(Some(file))
}

#[cfg(unix)]
fn open_new(path: &Path, readers: Readers) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Default => 0o666,
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn open_new(path: &Path, _: Readers) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// The permissions of a new file under the settings of the user and the folder.
fn of_a_new_file(folder: &Path) -> io::Result<Permissions> {
    let (_empty, file) = Temporary::new(folder, Readers::Default)?;
    Ok(file.metadata()?.permissions())
}

/// Removes the files that killed processes of this user left in `folder`. `own` is a file owned by this user.
fn remove_abandoned(folder: &Path, own: &fs::Metadata) {
    // Files that cannot be inspected or removed do no harm.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_name_of_temporary(&entry.file_name())) {
        let path = entry.path();
        let is_ours = |data: &fs::Metadata| data.is_file() && same_owner(data, own);
        if !fs::symlink_metadata(&path).is_ok_and(|data| is_ours(&data)) {
            continue;
        }
        let Ok(file) = open_to_lock(&path) else { continue };
        if file.metadata().is_ok_and(|data| is_ours(&data)) && file.try_lock().is_ok() {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether a name has the exact form of [`Temporary`] names.
fn is_name_of_temporary(name: &OsStr) -> bool {
    let numbers = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Follows no links and does not block on pipes. Some file systems lock only files that are open for writing.
#[cfg(unix)]
fn open_to_lock(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let open = |write: bool| {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        OpenOptions::new().read(!write).write(write).custom_flags(flags).open(path)
    };
    open(true).or_else(|_| open(false))
}

#[cfg(not(unix))]
fn open_to_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

#[cfg(unix)]
fn same_owner(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    a.uid() == b.uid()
}

#[cfg(not(unix))]
fn same_owner(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn is_removed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(file.metadata()?.nlink() == 0)
}

#[cfg(not(unix))]
fn is_removed(_: &File) -> io::Result<bool> {
    Ok(false)
}
