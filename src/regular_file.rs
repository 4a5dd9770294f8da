//! Reads regular files only: opening a pipe would block until there is a writer, and a device never ends.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Why a file was not opened or read.
#[derive(Debug)]
pub(crate) enum Refusal {
    Io(io::Error),
    Folder,
    /// A pipe, a socket or a device.
    Special,
    /// Zero bytes long, or reported as such: files in `/proc` are, and reading some of them blocks.
    Empty,
    /// Larger than the limit.
    TooLarge,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::Io(error)
    }
}

/// Formatted as a clause.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Io(error) if error.kind() == io::ErrorKind::NotFound => "the file is missing",
            Refusal::Io(_) => "the file cannot be read",
            Refusal::Folder => "this is a folder, not a file",
            Refusal::Special => "this is not a regular file, but a pipe, a socket or a device",
            Refusal::Empty => "the file is empty",
            Refusal::TooLarge => "the file is too large",
        })
    }
}

/// Opens a non-empty regular file; also returns its length in bytes.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Refusal> {
    // Opening a pipe would block, so check first; then check again what was opened.
    check(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let length = check(&file.metadata()?)?;
    Ok((file, length))
}

/// Reads a regular file of at most `limit` bytes. A file that grows while it is read stays within the limit.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Refusal> {
    let (file, length) = open(path)?;
    if length > limit {
        return Err(Refusal::TooLarge);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Refusal::TooLarge) } else { Ok(bytes) }
}

fn check(metadata: &Metadata) -> Result<u64, Refusal> {
    match metadata.len() {
        _ if metadata.is_dir() => Err(Refusal::Folder),
        _ if !metadata.is_file() => Err(Refusal::Special),
        0 => Err(Refusal::Empty),
        length => Ok(length),
    }
}
