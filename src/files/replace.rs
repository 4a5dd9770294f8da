//! Files written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::foreign::{Cause, guarded};
use crate::error::{Error, ErrorKind, Result, Stage};

/// Checks that `path` can be written: a regular file that may be written to or a name that is still free, in a folder
/// that may be written to. A link stands for the file that it leads to. Nothing is left behind.
///
/// # Errors
/// A folder that is not there, a file or folder that must not be written to, or something that is not a regular file.
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let check = || Temporary::beside(&writable_target(path)?);
    check().map(drop).map_err(|error| unwritable(path, error))
}

/// Whether two paths lead to the same file, through links and other spellings too. The files need not exist.
pub fn same_file(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    let (a, b) = (a.as_ref(), b.as_ref());
    let linked = matches!((fs::metadata(a), fs::metadata(b)), (Ok(a), Ok(b)) if same_inode(&a, &b));
    linked || matches!((resolved(a), resolved(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(unix)]
fn same_inode(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_inode(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    false
}

/// Writes `content` to the file `path`, whole or not at all: after an error an older file is as it was.
///
/// # Errors
/// A file that cannot be written.
pub fn write_whole(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
    replace(path.as_ref(), |file| file.write_all(content.as_ref()))
}

/// Lets `write` fill a temporary file beside `path`, and puts that in its place when it is complete.
pub(super) fn replace<E: std::fmt::Display>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::result::Result<(), E>,
) -> Result<()> {
    let (target, temporary, file) = begin(path).map_err(|error| unwritable(path, error))?;
    let mut file = BufWriter::new(file);
    guarded(|| write(&mut file)).map_err(|cause| incomplete(path, cause))?;
    file.into_inner().map_err(|error| incomplete(path, Cause::new(&error.to_string())))?;
    temporary.become_file(&target).map_err(|error| unwritable(path, error))
}

fn begin(path: &Path) -> io::Result<(PathBuf, Temporary, File)> {
    let target = writable_target(path)?;
    let (temporary, file) = Temporary::beside(&target)?;
    Ok((target, temporary, file))
}

fn incomplete(path: &Path, cause: Cause) -> Error {
    Error::new(ErrorKind::Io, Stage::Output, "the file could not be written completely, and is left as it was")
        .path(path)
        .cause(cause)
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, Stage::Output, "the file cannot be written")
        .path(path)
        .hint("Check that the folder exists and may be written to, and that the name is free or a file's.")
        .cause(error)
}

/// Where `path` leads; what is there already must be a regular file that may be written to.
fn writable_target(path: &Path) -> io::Result<PathBuf> {
    let target = resolved(path)?;
    match fs::metadata(&target) {
        Ok(metadata) if metadata.is_file() => OpenOptions::new().append(true).open(&target).map(drop)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(target)
}

/// The path with all links followed, the last one too; the file itself need not exist, its folder must.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    /// As many links in a row as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let folder = fs::canonicalize(folder_of(&path))?;
        let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
        let place = folder.join(name);
        match fs::read_link(&place) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the link leads to itself"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that is removed when dropped, unless it has taken the place of another.
struct Temporary(PathBuf);

impl Temporary {
    /// A new file in the folder of `target`, so that a rename can put it there.
    fn beside(target: &Path) -> io::Result<(Self, File)> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = folder_of(target).join(format!(".topicframe-{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Temporary(path), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the place of `target`, with its permissions if there is one. After a failure nothing has changed.
    fn become_file(self, target: &Path) -> io::Result<()> {
        if let Ok(metadata) = fs::metadata(target) {
            fs::set_permissions(&self.0, metadata.permissions())?;
        }
        fs::rename(&self.0, target)?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // There is nobody to tell, and the name shows where it comes from.
        let _ = fs::remove_file(&self.0);
    }
}
