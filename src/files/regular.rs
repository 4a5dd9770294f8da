//! Regular files, and no others: a pipe would be waited for, and a device never ends.

use std::fs::{self, File, Metadata};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};

/// Opens a file to read a frame from, and gives its length in bytes.
///
/// # Errors
/// A path that leads nowhere, to a folder, or to something else than a regular file; an empty file; one that must not be
/// read.
pub(super) fn open_regular(path: &Path) -> Result<(File, u64)> {
    let unopened = |error| Error::new(ErrorKind::Io, Stage::Input, "the file cannot be opened").path(path).cause(error);
    // Opening a pipe would wait for its writer, so look first; and again at what was opened.
    check(path, &fs::metadata(path).map_err(unopened)?)?;
    let file = File::open(path).map_err(unopened)?;
    let metadata = file.metadata().map_err(unopened)?;
    check(path, &metadata)?;
    Ok((file, metadata.len()))
}

fn check(path: &Path, metadata: &Metadata) -> Result<()> {
    let refuse = |message: &str| Error::new(ErrorKind::Io, Stage::Input, message).path(path);
    if metadata.is_dir() {
        return Err(refuse("this is a folder, not a file"));
    }
    if !metadata.is_file() {
        return Err(refuse("this is not a regular file, but a pipe, a socket or a device")
            .hint("Write what comes out of it to a file first."));
    }
    match metadata.len() {
        // The files of /proc say so, too.
        0 => Err(refuse("the file is empty")),
        _ => Ok(()),
    }
}
