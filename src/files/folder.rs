//! The files of a folder and of the folders in it.

use std::fs::{self, DirEntry};
use std::path::Path;

use crate::corpus::escaped;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Gives `take` each file in `folder` and in the folders in it, and its path from `folder` on, in which bytes that are not
/// Unicode stand as `\xE9`. What `is_left_out` says of by its name is passed over. How many links to folders there are: these
/// are not followed, and so there is an end however deep the folders are.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn each_file(
    folder: &Path,
    is_left_out: impl Fn(&str) -> bool,
    mut take: impl FnMut(&DirEntry, String),
) -> Result<usize> {
    let mut links = 0;
    let mut left = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = left.pop() {
        let unreadable =
            |cause| Error::new(ErrorKind::Io, Stage::Input, "the folder cannot be read").path(&folder).cause(cause);
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
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
                links += 1;
            } else {
                take(&entry, path);
            }
        }
    }
    Ok(links)
}
