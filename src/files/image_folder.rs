//! A folder of images as a frame.

use std::fs;
use std::path::Path;

use polars::prelude::*;

use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};

/// The column that [`read_image_folder`] makes.
pub const IMAGE_COLUMN: &str = "image";

/// The names of files that are taken for images.
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];

/// The most folders within each other.
const DEEPEST: usize = 32;

/// One row for each image in `folder` and the folders in it, in the order of their paths: column `image` (String), paths
/// that start at `folder`. Give the folder to the model too:
/// [`image_folder`](crate::model::TopicModel::image_folder).
///
/// Images are files that are called so (`.png`, `.jpg`, `.jpeg`, `.webp`, `.gif`, `.bmp`); none is opened. Hidden files
/// and folders, and links to folders, are left out.
///
/// # Errors
/// A folder that cannot be read, or has no image in it.
pub fn read_image_folder(folder: impl AsRef<Path>) -> Result<DataFrame> {
    let folder = folder.as_ref();
    let mut paths = Vec::new();
    collect(folder, "", DEEPEST, &mut paths)?;
    if paths.is_empty() {
        let message = format!("there is no image in this folder (files called .{})", EXTENSIONS.join(", ."));
        return Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).path(folder));
    }
    paths.sort_unstable();
    DataFrame::new(paths.len(), vec![Column::new(IMAGE_COLUMN.into(), paths)]).map_err(internal)
}

fn collect(folder: &Path, prefix: &str, deepest: usize, paths: &mut Vec<String>) -> Result<()> {
    let unreadable =
        |cause| Error::new(ErrorKind::Io, Stage::Input, "the folder cannot be read").path(folder).cause(cause);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        // A name that is no Unicode cannot stand in a column.
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() && deepest > 0 {
            collect(&entry.path(), &format!("{path}/"), deepest - 1, paths)?;
        } else if !kind.is_dir() && is_image(name) {
            paths.push(path);
        }
    }
    Ok(())
}

pub(super) fn is_image(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.contains(&extension.to_lowercase().as_str())
}
