//! The regular files that frames are read from.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::regular_file::{self, Refusal};

/// Opens a file to read a frame from, and gives its length in bytes.
///
/// # Errors
/// A path that leads nowhere, to a folder, or to something else than a regular file; an empty file; one that must not be
/// read.
pub(super) fn open_regular(path: &Path) -> Result<(File, u64)> {
    regular_file::open(path).map_err(|refusal| {
        let refuse = |message: String| Error::new(ErrorKind::Io, Stage::Input, message).path(path);
        match refusal {
            Refusal::Io(cause) => refuse("the file cannot be opened".to_owned()).cause(cause),
            Refusal::Special => refuse(refusal.to_string()).hint("Write what comes out of it to a file first."),
            _ => refuse(refusal.to_string()),
        }
    })
}
