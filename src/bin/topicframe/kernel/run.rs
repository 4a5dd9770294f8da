//! The program that Jupyter starts: finds a folder that no other kernel uses, and runs evcxr's kernel there.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use topicframe::error::{Error, ErrorKind, Result, Stage};

use super::files::ANALYSIS;
use super::folders::{Folders, unreadable, wrong};
use super::needs::evcxr_jupyter;
use super::state::{State, rustc};
use super::written::Written;

/// Maximum number of concurrent kernels.
const SLOTS: usize = 64;

#[derive(Debug, Args)]
pub struct Run {
    /// Where the kernel was installed.
    #[arg(long)]
    folder: PathBuf,

    /// Jupyter's connection file.
    connection_file: PathBuf,
}

impl Run {
    pub fn run(&self) -> Result<()> {
        let folders = Folders { root: self.folder.clone() };
        check(&folders)?;
        let Some(evcxr) = evcxr_jupyter() else {
            return Err(
                wrong("evcxr_jupyter is missing").with_hint("`topicframe kernel doctor` shows how to install it.")
            );
        };
        let (slot, lock) = free_slot(&folders)?;
        let mut command = Command::new(evcxr);
        command.arg("--control_file").arg(&self.connection_file);
        // The lock is held as long as the kernel keeps it open, as its standard input, which it does not read.
        command.stdin(lock);
        command.envs(environment(&folders, &slot));
        become_it(command)
    }
}

/// Refuses to start if cells would be compiled by a rustc that cannot read the library.
fn check(folders: &Folders) -> Result<()> {
    let Some(state) = State::read(folders) else {
        return Err(wrong("the kernel is not completely installed")
            .with_path(&folders.root)
            .with_hint("Run `topicframe kernel install`."));
    };
    match state.stale(&rustc()?, None).first() {
        None => Ok(()),
        Some(reason) => Err(Error::new(ErrorKind::InvalidData, Stage::Notebook, "the kernel must be rebuilt")
            .with_hint(format!("Run `topicframe kernel install` to rebuild {reason}."))),
    }
}

/// A folder and the lock that reserves it for this kernel.
fn free_slot(folders: &Folders) -> Result<(PathBuf, File)> {
    let mut written = Written::join(folders)?;
    for number in 0..SLOTS {
        let slot = folders.slots().join(number.to_string());
        let failed = |cause| unreadable("the kernel's folder cannot be used", &slot, cause);
        if !written.take_slot(&slot)? {
            continue;
        }
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(slot.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => return Ok((slot, lock)),
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
    }
    Err(wrong(format!("{SLOTS} kernels are already running")).with_path(folders.slots()).with_hint("Shut one down."))
}

/// The environment variables for evcxr. Its own settings, and those of other kernels, are elsewhere and stay unchanged.
fn environment(folders: &Folders, slot: &Path) -> Vec<(&'static str, std::ffi::OsString)> {
    let path = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    let before = std::env::var_os(path).unwrap_or_default();
    let libraries = [folders.built().join("deps"), rust_libraries()].into_iter().chain(std::env::split_paths(&before));
    // An empty path would refer to the notebook's folder.
    let libraries = libraries.filter(|path| !path.as_os_str().is_empty());
    let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    flags.push(format!(" --cfg {ANALYSIS}"));
    vec![
        // rustc records the library's location relative to where a cell is compiled; evcxr loads it from elsewhere.
        (path, std::env::join_paths(libraries).unwrap_or(before)),
        ("EVCXR_TMPDIR", slot.into()),
        ("EVCXR_CONFIG_DIR", folders.config().into()),
        // Seen only by evcxr's analysis: it compiles cells with its own flags.
        ("RUSTFLAGS", flags),
        ("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false".into()),
        // The library is built without either; in a user's cell an overflow should be reported rather than wrap.
        ("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "true".into()),
    ]
}

/// Where the standard library is.
fn rust_libraries() -> PathBuf {
    let output = Command::new("rustc").args(["--print", "target-libdir"]).output();
    output.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())).unwrap_or_default()
}

#[cfg(unix)]
fn become_it(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(wrong("evcxr_jupyter cannot be started").with_cause(command.exec()))
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> Result<()> {
    let failed = |cause| wrong("evcxr_jupyter cannot be started").cause(cause);
    match command.status().map_err(failed)?.success() {
        true => Ok(()),
        false => Err(wrong("evcxr_jupyter failed")),
    }
}
