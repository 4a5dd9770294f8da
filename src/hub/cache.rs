//! Hugging Face's cache on disk, in the layout that `huggingface_hub` reads and writes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use glob::Pattern;
use serde_json::{Map, Value};

use super::Wanted;
use super::name::{ModelName, is_commit, is_inside};
use super::needed::{Listing, Standing, matching, model_files, standing};
use super::read::read_limited;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;

/// Size limit for the list of a model's files.
const MAX_LISTING: u64 = 32 << 20;

/// Polling interval for a lock that is held by another process or thread.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The part of the cache that belongs to one model.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
    locks: PathBuf,
    symlinks: bool,
}

/// A usable snapshot.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub(super) folder: PathBuf,
    /// Whether the snapshot is known to be complete.
    pub(super) sure: bool,
}

impl Cache {
    pub(super) fn new(root: &Path, model: &ModelName, symlinks: bool) -> Self {
        let name = model.folder();
        Cache { folder: root.join(&name), locks: root.join(".locks").join(&name), symlinks }
    }

    /// The model's folder: `models--organization--name`.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Where a blob is downloaded to.
    pub(super) fn partial(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// The snapshot of a revision, if it has everything that is wanted.
    pub(super) fn find(&self, revision: &str, wanted: &Wanted) -> Option<Cached> {
        let commit = self.commit_of(revision)?;
        let folder = self.snapshot(&commit);
        if !folder.is_dir() {
            return None;
        }
        let standing = match wanted {
            Wanted::Files(files) if files.iter().all(|file| folder.join(file).is_file()) => Standing::Complete,
            Wanted::Files(_) => Standing::Incomplete,
            Wanted::Model => match self.listing(&commit) {
                Some(listing) if has_all(&folder, &listing) => Standing::Complete,
                Some(_) => Standing::Incomplete,
                None => standing(&folder),
            },
            // Such a model may be pushed again and again, so a branch is not known to be where it was.
            Wanted::Matching(patterns) => match self.has_matching(&commit, patterns) {
                true if is_commit(revision) => Standing::Complete,
                true => Standing::Uncertain,
                false => Standing::Incomplete,
            },
        };
        (standing != Standing::Incomplete).then(|| Cached { folder, sure: standing == Standing::Complete })
    }

    /// Whether the snapshot has all files of the commit that match one of the patterns, and there are some.
    pub(super) fn has_matching(&self, commit: &str, patterns: &[Pattern]) -> bool {
        let folder = self.snapshot(commit);
        let Some(listing) = self.listing(commit) else {
            return false;
        };
        let files = matching(&listing, patterns);
        !files.is_empty() && files.iter().all(|name| has(&folder, &listing, name))
    }

    fn commit_of(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let bytes = read_limited(&self.folder.join("refs").join(revision), 64).ok()?;
        let commit = String::from_utf8(bytes).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// The file list of a commit as saved by [`remember`](Self::remember). A commit never changes.
    fn listing(&self, commit: &str) -> Option<Listing> {
        let bytes = read_limited(&self.listing_file(commit), MAX_LISTING).ok()?;
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        let files = value.get("files")?.as_object()?;
        Some(files.iter().map(|(name, size)| (name.clone(), size.as_u64())).filter(|(n, _)| is_inside(n)).collect())
    }

    /// Outside `snapshots`, where Python and loaders would mistake it for a file of the model.
    fn listing_file(&self, commit: &str) -> PathBuf {
        self.folder.join(".topicframe").join(format!("{commit}.json"))
    }

    /// Records that a snapshot is complete: what the Hub lists for it, and that `revision` points to it.
    pub(super) fn remember(&self, revision: &str, commit: &str, listing: Option<&Listing>) -> Result<()> {
        if let Some(listing) = listing {
            // Sizes are known of what was downloaded, by now or earlier.
            let earlier = self.listing(commit).unwrap_or_default();
            let size = |name: &String, size: &Option<u64>| size.or_else(|| earlier.get(name).copied().flatten());
            let files = listing.iter().map(|(name, known)| (name.clone(), Value::from(size(name, known))));
            let files: Map<String, Value> = files.collect();
            let content = Value::from(Map::from_iter([("files".to_owned(), Value::Object(files))]));
            write_whole(&self.listing_file(commit), content.to_string().as_bytes())?;
        }
        if !is_commit(revision) && self.commit_of(revision).as_deref() != Some(commit) {
            write_whole(&self.folder.join("refs").join(revision), commit.as_bytes())?;
        }
        Ok(())
    }

    /// Whether the blob exists and has the expected size.
    pub(super) fn has_blob(&self, etag: &str, size: Option<u64>) -> bool {
        let metadata = fs::metadata(self.blob(etag));
        metadata.is_ok_and(|found| found.is_file() && size.is_none_or(|size| size == found.len()))
    }

    /// Waits until no other process or thread writes this blob. The lock ends when the file is dropped or its process
    /// exits.
    pub(super) fn lock(&self, etag: &str, progress: &Progress) -> Result<File> {
        let path = self.locks.join(format!("{etag}.lock"));
        let open = |path: &Path| {
            fs::create_dir_all(&self.locks)?;
            OpenOptions::new().create(true).truncate(false).write(true).open(path)
        };
        let file = open(&path).map_err(|cause| unwritable(&path, cause))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                // Some network file systems have no locks: there, two downloads may at worst waste each other's time.
                Err(TryLockError::Error(_)) => return Ok(file),
            }
            progress.check(Stage::Embed)?;
        }
    }

    /// Checks that the disk has room for this many more bytes of `model`, before any of them is requested.
    #[cfg(feature = "hub")]
    pub(super) fn check_space(&self, bytes: u64, model: &str) -> Result<()> {
        // Without links, a snapshot contains copies.
        let bytes = if self.symlinks { bytes } else { bytes.saturating_mul(2) };
        match fs4::available_space(&self.folder) {
            Ok(free) if free < bytes => {
                let needed = format!("the model `{model}` needs {} MB more", bytes.div_ceil(1_000_000));
                let message = format!("{needed}, but the disk of the cache has only {} MB free", free / 1_000_000);
                let error = Error::new(ErrorKind::Io, Stage::Embed, message).with_path(&self.folder);
                Err(error.with_hint(another_folder("Is there room on another disk?")))
            }
            // If the system does not report free space, a failed write will.
            _ => Ok(()),
        }
    }

    /// Creates the `blobs` folder.
    pub(super) fn prepare(&self) -> Result<()> {
        let blobs = self.folder.join("blobs");
        fs::create_dir_all(&blobs).map_err(|cause| unwritable(&blobs, cause))
    }

    /// Turns a complete partial file into the blob.
    pub(super) fn publish(&self, etag: &str) -> Result<()> {
        let blob = self.blob(etag);
        fs::rename(self.partial(etag), &blob).map_err(|cause| unwritable(&blob, cause))
    }

    /// Makes `file` of the snapshot point to the blob: by a relative link, or as a copy where links cannot be created.
    pub(super) fn point(&self, commit: &str, file: &str, etag: &str) -> Result<()> {
        let place = self.snapshot(commit).join(file);
        let blob = self.blob(etag);
        let is_it = matches!((fs::canonicalize(&place), fs::canonicalize(&blob)), (Ok(a), Ok(b)) if a == b);
        if is_it {
            return Ok(());
        }
        let up = "../".repeat(2 + file.matches('/').count());
        let target = PathBuf::from(format!("{up}blobs/{etag}"));
        let put = |temporary: &Path| {
            let linked = self.symlinks && link(&target, temporary).is_ok();
            if linked { Ok(()) } else { fs::copy(&blob, temporary).map(drop) }
        };
        replace(&place, put).map_err(|cause| unwritable(&place, cause))
    }
}

fn has_all(folder: &Path, listing: &Listing) -> bool {
    let mut read = |name: &str, limit: u64| read_limited(&folder.join(name), limit);
    let Ok(files) = model_files(listing, &mut read) else {
        return false;
    };
    files.iter().all(|name| has(folder, listing, name))
}

fn has(folder: &Path, listing: &Listing, name: &str) -> bool {
    let size = listing.get(name).copied().flatten();
    let metadata = fs::metadata(folder.join(name));
    metadata.is_ok_and(|found| found.is_file() && size.is_none_or(|size| size == found.len()))
}

#[cfg(unix)]
fn link(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(windows)]
fn link(target: &Path, place: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target.to_string_lossy().replace('/', "\\"), place)
}

#[cfg(not(any(unix, windows)))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, |temporary| fs::write(temporary, content)).map_err(|cause| unwritable(path, cause))
}

/// Writes a file next to `path`, and moves it there when it is complete: another process never sees half of it.
fn replace(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!(".topicframe-{}-{number}.tmp", std::process::id()));
    let made = make(&temporary).and_then(|()| fs::rename(&temporary, path));
    if made.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    made
}

/// `question`, followed by how to choose another folder.
fn another_folder(question: &str) -> Hint {
    Hint::new(format!("{question} Set HF_HOME or `Hub::cache_folder` to use another folder."))
        .on_command_line(format!("{question} Set HF_HOME to use another folder."))
}

pub(super) fn unwritable(path: &Path, cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, Stage::Embed, "the model cache cannot be written")
        .with_path(path)
        .with_cause(cause)
        .with_hint(another_folder("Is the disk full or read-only?"))
}
