//! Opening regular files to read frames from.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::regular_file::{self, Refusal};

/// Opens a file to read a frame from, and returns its length in bytes.
///
/// # Errors
/// The path does not exist or is not a regular file, or the file is empty or not readable.
pub(super) fn open_regular(path: &Path) -> Result<(File, u64)> {
    regular_file::open(path).map_err(|refusal| {
        let refuse = |message: String| Error::new(ErrorKind::Io, Stage::Input, message).with_path(path);
        match refusal {
            Refusal::Io(cause) => refuse("cannot open the file".to_owned()).with_cause(cause),
            Refusal::Special => refuse(refusal.to_string()).with_hint("Write its output to a regular file first."),
            _ => refuse(refusal.to_string()),
        }
    })
}
