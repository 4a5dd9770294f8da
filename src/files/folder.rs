//! The files in a folder and its subfolders.

use std::fs::{self, DirEntry};
use std::path::Path;

use crate::corpus::escaped;
use crate::error::{Error, ErrorKind, Result, Stage};

/// The folders that were skipped.
#[derive(Default)]
pub(super) struct PassedOver {
    /// The number of links to folders.
    pub(super) links: usize,
    /// The error for each folder that cannot be read.
    pub(super) unreadable: Vec<Error>,
}

/// Calls `take` with each file in `folder` and its subfolders, and with its path relative to `folder`, in which bytes
/// that are not Unicode are written as `\xE9`. Names that `is_left_out` accepts are skipped. Links to folders are not
/// followed, so that the traversal always terminates.
///
/// # Errors
/// `folder` itself cannot be read.
pub(super) fn each_file(
    folder: &Path,
    is_left_out: impl Fn(&str) -> bool,
    mut take: impl FnMut(&DirEntry, String),
) -> Result<PassedOver> {
    let mut passed_over = PassedOver::default();
    let mut left = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = left.pop() {
        let unreadable = |cause| {
            Error::new(ErrorKind::Io, Stage::Input, "cannot read the folder").with_path(&folder).with_cause(cause)
        };
        let entries = match fs::read_dir(&folder).map_err(unreadable) {
            Ok(entries) => entries,
            Err(error) if prefix.is_empty() => return Err(error),
            Err(error) => {
                passed_over.unreadable.push(error);
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let name = escaped(&entry.file_name());
            if is_left_out(&name) {
                continue;
            }
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                left.push((entry.path(), format!("{path}/")));
            } else if kind.is_symlink() && entry.path().is_dir() {
                passed_over.links += 1;
            } else {
                take(&entry, path);
            }
        }
    }
    Ok(passed_over)
}
