//! The folder that is pushed: which files it has, and their contents. A folder whose files may lie elsewhere, or that
//! cannot be stored on every system, is refused before anything is sent.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::git_blob::GitBlob;
use super::unfit;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::hub::name::is_inside;
use crate::progress::Progress;

/// The maximum number of files.
const MAX_FILES: usize = 10_000;

/// The maximum number of nested folders, which is also that of [`is_inside`].
const MAX_DEPTH: usize = 16;

/// Size limit for a file: the Hub's for uploads by LFS.
const MAX_FILE: u64 = 50_000_000_000;

/// Bytes that are read and hashed at a time.
const PIECE: usize = 256 << 10;

/// Bytes at the start of a file by which the Hub tells text from binary files.
const SAMPLE: u64 = 512;

/// A file that is pushed, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalFile {
    /// The path in the folder and in the repository, with `/`.
    pub(super) name: String,
    pub(super) size: u64,
    path: PathBuf,
    modified: Option<SystemTime>,
}

/// All files of the folder, by name.
pub(super) fn files_of(folder: &Path, progress: &Progress) -> Result<Vec<LocalFile>> {
    if !folder.is_dir() {
        let message = "there is no such folder to push";
        return Err(Error::new(ErrorKind::NotFound, Stage::Output, message).with_path(folder));
    }
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), String::new(), 1)];
    while let Some((path, name, depth)) = folders.pop() {
        for entry in fs::read_dir(&path).map_err(|cause| unreadable(&path, cause))? {
            progress.check(Stage::Output)?;
            let entry = entry.map_err(|cause| unreadable(&path, cause))?;
            let (path, name) = (entry.path(), name_in(&name, &entry)?);
            // Of a link, this is the link itself.
            let metadata = fs::symlink_metadata(&path).map_err(|cause| unreadable(&path, cause))?;
            match metadata.is_dir() {
                true if is_skipped(&name) => {}
                true if depth == MAX_DEPTH => return Err(unfit("the folder is nested too deeply").with_path(&path)),
                true => folders.push((path, name, depth + 1)),
                false if is_temporary(&name) => {}
                false => files.push(LocalFile::found(name, path, &metadata)?),
            }
            if files.len() > MAX_FILES {
                let message = format!("the folder has more than {MAX_FILES} files, the most that one push can have");
                return Err(unfit(message).with_path(folder));
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    match files.is_empty() {
        true => Err(unfit("there is nothing to push: the folder has no files").with_path(folder)),
        false => Ok(files),
    }
}

/// What Python skips as well: git's own data, and the notes of its downloads.
fn is_skipped(folder: &str) -> bool {
    let is_at_end = |name: &str| folder == name || folder.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
    is_at_end(".git") || is_at_end(".cache/huggingface")
}

/// What a killed process of this crate has left in the middle of writing.
fn is_temporary(file: &str) -> bool {
    let (_, name) = file.rsplit_once('/').unwrap_or(("", file));
    name.starts_with(".topicframe-") && (name.ends_with(".part") || name.ends_with(".tmp"))
}

fn name_in(folder: &str, entry: &fs::DirEntry) -> Result<String> {
    let refused = |name: &str| {
        let message = format!("the file name {name:?} cannot be used on every system, so the folder is not pushed");
        unfit(message).with_path(entry.path()).with_hint("Rename the file.")
    };
    let name = entry.file_name();
    let name = name.to_str().ok_or_else(|| refused(&name.to_string_lossy()))?;
    let name = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    match is_inside(&name) {
        true => Ok(name),
        false => Err(refused(&name)),
    }
}

impl LocalFile {
    fn found(name: String, path: PathBuf, metadata: &Metadata) -> Result<Self> {
        if metadata.is_symlink() {
            let message = "the folder has a link, which could lead to any other file, so it is not pushed";
            return Err(unfit(message).with_path(path).with_hint("Replace the link with a copy of its file."));
        }
        if !metadata.is_file() {
            let message = "the folder has something that is not a file (a pipe, a socket or a device)";
            return Err(unfit(message).with_path(path).with_hint("Remove it from the folder."));
        }
        if metadata.len() > MAX_FILE {
            let size = metadata.len() / 1_000_000_000;
            let message = format!("the file has {size} GB; the Hub takes at most {} GB", MAX_FILE / 1_000_000_000);
            return Err(unfit(message).with_path(path).with_hint("Split it into several files."));
        }
        Ok(LocalFile { name, size: metadata.len(), modified: metadata.modified().ok(), path })
    }

    /// The file, which must be as it was found.
    pub(super) fn open(&self) -> Result<File> {
        self.check()?;
        let file = File::open(&self.path).map_err(|cause| unreadable(&self.path, cause))?;
        self.check_metadata(&file.metadata().map_err(|cause| unreadable(&self.path, cause))?)?;
        Ok(file)
    }

    /// Checks that the file is as it was found.
    pub(super) fn check(&self) -> Result<()> {
        self.check_metadata(&fs::symlink_metadata(&self.path).map_err(|cause| unreadable(&self.path, cause))?)
    }

    fn check_metadata(&self, now: &Metadata) -> Result<()> {
        match now.is_file() && now.len() == self.size && now.modified().ok() == self.modified {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    /// The error for a file that is not as it was found.
    pub(super) fn changed(&self) -> Error {
        Error::new(ErrorKind::Io, Stage::Output, "the file changed while it was being pushed")
            .with_path(&self.path)
            .with_hint("Nothing has changed on the Hub. Push again when nothing writes into the folder.")
    }

    pub(super) fn unreadable(&self, cause: io::Error) -> Error {
        unreadable(&self.path, cause)
    }

    /// The first bytes, in Base64.
    pub(super) fn sample(&self) -> Result<String> {
        let mut sample = Vec::new();
        self.open()?.take(SAMPLE).read_to_end(&mut sample).map_err(|cause| unreadable(&self.path, cause))?;
        Ok(STANDARD.encode(sample))
    }

    /// SHA-256, in hexadecimal digits; `read` is told how many bytes were read at each piece.
    pub(super) fn sha256(&self, read: impl FnMut(u64) -> Result<()>) -> Result<String> {
        let mut hash = Sha256::new();
        self.for_each_piece(read, |piece| hash.update(piece))?;
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The identifier that git gives to the content.
    pub(super) fn git_identifier(&self, read: impl FnMut(u64) -> Result<()>) -> Result<String> {
        let mut blob = GitBlob::new(self.size);
        self.for_each_piece(read, |piece| blob.update(piece))?;
        Ok(blob.finish())
    }

    fn for_each_piece(&self, mut read: impl FnMut(u64) -> Result<()>, mut on: impl FnMut(&[u8])) -> Result<()> {
        let mut file = self.open()?;
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return self.check(),
                Ok(length) => {
                    on(piece.get(..length).unwrap_or_default());
                    read(length as u64)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(unreadable(&self.path, cause)),
            }
        }
    }
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, Stage::Output, "the folder cannot be read").with_path(path).with_cause(cause)
}
