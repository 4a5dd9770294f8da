//! Atomic file writes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::foreign::{Cause, guarded};
use super::temporary::Temporary;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Checks that `path` can be written: it must be a writable regular file or not exist yet, in a writable folder. Links
/// are followed. No files are left behind.
///
/// # Errors
/// The folder does not exist, the file or folder is not writable, or `path` is not a regular file.
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    begin(path).map(drop).map_err(|error| unwritable(path, error))
}

/// Whether two paths refer to the same file, including through links and different spellings. The files need not exist.
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

/// Writes `content` to the file `path` atomically: on error, an existing file is left unchanged.
///
/// # Errors
/// The file cannot be written.
pub fn write_whole(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
    replace(path.as_ref(), |file| file.write_all(content.as_ref()))
}

/// Copies the file `from` to `to` with its permissions, atomically: on error, an existing file is left unchanged.
///
/// # Errors
/// `from` cannot be read or `to` cannot be written.
pub fn copy_whole(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let open = || {
        let file = File::open(from)?;
        let permissions = file.metadata()?.permissions();
        Ok((file, permissions))
    };
    let (mut file, permissions) = open().map_err(|cause: io::Error| {
        Error::new(ErrorKind::Io, Stage::Output, "cannot read the file to copy").with_path(from).with_cause(cause)
    })?;
    replace_with(to, Some(permissions), |copy| io::copy(&mut file, copy).map(drop))
}

/// Lets `write` fill a temporary file in the same folder, then renames it to `path` when it is complete.
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

/// A file that is being written, and replaces another when it is complete.
pub(super) struct Replacement {
    path: PathBuf,
    target: PathBuf,
    temporary: Temporary,
    file: File,
}

impl Replacement {
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let (target, temporary, file) = begin(path).map_err(|error| unwritable(path, error))?;
        Ok(Replacement { path: path.to_path_buf(), target, temporary, file })
    }

    /// A handle to write with.
    pub(super) fn handle(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| unwritable(&self.path, error))
    }

    /// The error for content that could not be written.
    pub(super) fn incomplete(&self, cause: Cause) -> Error {
        incomplete(&self.path, cause)
    }

    /// Gives the file its name, when all of it was written.
    pub(super) fn complete(self) -> Result<()> {
        on_disk(&self.file).map_err(|error| incomplete(&self.path, Cause::new(&error.to_string())))?;
        self.temporary.become_file(self.file, &self.target, None).map_err(|error| unwritable(&self.path, error))
    }
}

/// Creates a file in `folder` that gets the name that `write` returns when it has written its content. Atomic: on error,
/// there is no such file, or an existing one is unchanged.
pub(crate) fn create_named(
    folder: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<String>,
) -> io::Result<()> {
    let (temporary, file) = Temporary::within(folder)?;
    let mut file = BufWriter::new(file);
    let name = write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    on_disk(&file)?;
    temporary.become_file(file, &folder.join(name), None)
}

/// Waits until the file is on disk, so that a power failure cannot leave an empty file under the name.
fn on_disk(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Not every file system supports this.
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
    Error::new(ErrorKind::Io, Stage::Output, "the file could not be written completely and was left unchanged")
        .with_path(path)
        .with_cause(cause)
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, Stage::Output, "cannot write the file")
        .with_path(path)
        .with_hint(
            "Check that the folder exists and is writable, and that the name is unused or belongs to a regular file.",
        )
        .with_cause(error)
}

/// The target of `path`; if it exists, it must be a writable regular file.
fn writable_target(path: &Path) -> io::Result<PathBuf> {
    let target = resolved(path)?;
    match fs::metadata(&target) {
        Ok(metadata) if metadata.is_file() => OpenOptions::new().append(true).open(&target).map(drop)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(target)
}

/// The path with all links resolved, including the last. The file itself need not exist, but its folder must.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    /// The number of consecutive links that Linux follows.
    const MAX_LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let folder = fs::canonicalize(folder_of(&path))?;
        let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
        let place = folder.join(name);
        match fs::read_link(&place) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the link points to itself"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
