//! One writer at a time.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result, Stage};

/// How long to wait for another writer.
const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(10);

/// Held while a folder is written; it ends with the process, too.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock is released when the file is closed")] Option<File>);

impl Lock {
    /// Waits until no other process writes to `folder`.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        // Some file systems cannot lock: two processes that save a model at the same time are up to the user there.
        let Ok(file) = handle(folder) else { return Ok(Lock(None)) };
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(Some(file))),
                Err(TryLockError::Error(_)) => return Ok(Lock(None)),
                Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                    let message = "another process is saving a model to this folder, and does not finish";
                    return Err(Error::new(ErrorKind::Io, Stage::Output, message).with_path(folder));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
    }
}

/// The folder itself can be locked.
#[cfg(unix)]
fn handle(folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

#[cfg(not(unix))]
fn handle(folder: &Path) -> std::io::Result<File> {
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(".topicframe-lock"))
}
