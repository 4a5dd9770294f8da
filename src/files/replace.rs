//! Files written whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::foreign::{Cause, guarded};
use super::temporary::Temporary;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Checks that `path` can be written: a regular file that may be written to or a name that is still free, in a folder
/// that may be written to. A link stands for the file that it leads to. Nothing is left behind.
///
/// # Errors
/// A folder that is not there, a file or folder that must not be written to, or something that is not a regular file.
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    begin(path).map(drop).map_err(|error| unwritable(path, error))
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

/// Copies the file `from` to `to` with its permissions, whole or not at all: after an error an older file is as it was.
///
/// # Errors
/// A file that cannot be read, or one that cannot be written.
pub fn copy_whole(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let open = || {
        let file = File::open(from)?;
        let permissions = file.metadata()?.permissions();
        Ok((file, permissions))
    };
    let (mut file, permissions) = open().map_err(|cause: io::Error| {
        Error::new(ErrorKind::Io, Stage::Output, "the file to copy cannot be read").path(from).cause(cause)
    })?;
    replace_with(to, Some(permissions), |copy| io::copy(&mut file, copy).map(drop))
}

/// Lets `write` fill a temporary file beside `path`, and puts that in its place when it is complete.
pub(super) fn replace<E: std::fmt::Display>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::result::Result<(), E>,
) -> Result<()> {
    replace_with(path, None, write)
}

fn replace_with<E: std::fmt::Display>(
    path: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut BufWriter<File>) -> std::result::Result<(), E>,
) -> Result<()> {
    let (target, temporary, file) = begin(path).map_err(|error| unwritable(path, error))?;
    let mut file = BufWriter::new(file);
    guarded(|| write(&mut file)).map_err(|cause| incomplete(path, cause))?;
    let complete = || {
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        on_disk(&file).map(|()| file)
    };
    let file = complete().map_err(|error| incomplete(path, Cause::new(&error.to_string())))?;
    temporary.become_file(file, &target, permissions).map_err(|error| unwritable(path, error))
}

/// Waits until the disk has the file: the name must not lead to a file that a loss of power leaves empty.
fn on_disk(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Not every file system can say so.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

fn begin(path: &Path) -> io::Result<(PathBuf, Temporary, File)> {
    let target = writable_target(path)?;
    let (temporary, file) = Temporary::within(folder_of(&target))?;
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
