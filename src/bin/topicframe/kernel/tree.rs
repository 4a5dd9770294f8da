//! Folders that are caches of other programs (cargo and evcxr) and are removed as a whole.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use topicframe::error::Result;
use topicframe::files::write_whole;

/// As specified at https://bford.info/cachedir: backups skip tagged folders. cargo tags its own.
const SIGNATURE: &str = "Signature: 8a477f597d28d172789f06886806bc55";

/// The name of the tag file.
pub const TAG: &str = "CACHEDIR.TAG";

/// Tags `folder` as a cache.
pub fn tag(folder: &Path) -> Result<()> {
    write_whole(folder.join(TAG), format!("{SIGNATURE}\n# A cache of topicframe's kernel for Jupyter.\n"))
}

/// Whether `folder` is tagged as a cache.
pub fn is_cache(folder: &Path) -> bool {
    let tag = folder.join(TAG);
    let is_file = fs::symlink_metadata(&tag).is_ok_and(|data| data.is_file() && data.len() < 10_000);
    is_file && fs::read_to_string(tag).is_ok_and(|text| text.starts_with(SIGNATURE))
}

/// The result of removing a tree.
pub enum Removed {
    All,
    /// Nothing was removed, because another file system is mounted in it.
    Nothing,
}

/// Removes the folder `path` with all its contents. Links are removed, not followed.
pub fn remove_tree(path: &Path) -> io::Result<Removed> {
    let data = fs::symlink_metadata(path)?;
    if !data.is_dir() || holds_other_file_system(path, &data)? {
        return Ok(Removed::Nothing);
    }
    fs::remove_dir_all(path).map(|()| Removed::All)
}

fn holds_other_file_system(folder: &Path, data: &Metadata) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // For a link, this is the metadata of the link itself.
        let below = entry.metadata()?;
        if below.is_dir() && (!same_file_system(&below, data) || holds_other_file_system(&entry.path(), data)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(unix)]
fn same_file_system(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    a.dev() == b.dev()
}

#[cfg(not(unix))]
fn same_file_system(_: &Metadata, _: &Metadata) -> bool {
    true
}
