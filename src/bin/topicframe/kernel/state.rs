//! What was installed, and with which tools: determines what would be rebuilt, and why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use topicframe::error::Result;

use super::folders::{Folders, unreadable, wrong};
use super::written::Written;

/// Written when everything is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// topicframe's version.
    pub version: String,
    /// The output of `rustc -vV`.
    pub rustc: String,
    /// The enabled features of topicframe.
    pub features: Vec<String>,
    /// A hash of topicframe's sources.
    pub sources: String,
    /// The kernelspecs that point here.
    pub kernelspecs: Vec<PathBuf>,
    /// The time in seconds of the library's last full build.
    pub seconds: u64,
}

impl State {
    /// What is installed; `None` if nothing is.
    pub fn read(folders: &Folders) -> Option<State> {
        serde_json::from_slice(&fs::read(folders.state()).ok()?).ok()
    }

    pub fn write(&self, folders: &Folders, written: &mut Written) -> Result<()> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|cause| wrong("the state cannot be written").with_cause(cause))?;
        written.write(&folders.state(), &text)
    }

    /// The same state, with these kernelspecs.
    pub fn with_kernelspecs(self, kernelspecs: &[PathBuf]) -> State {
        State { kernelspecs: kernelspecs.to_vec(), ..self }
    }

    /// The differences between the kernel as it is and as it would be built now, each with its build time.
    pub fn stale(&self, rustc: &str, sources: Option<&str>) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.rustc.is_empty() {
            reasons.push("what is missing: the last build did not finish".to_owned());
        } else if self.rustc != rustc {
            reasons.push(format!(
                "everything: it was built with {}, and cells are now compiled with {} (about {} min)",
                release(&self.rustc),
                release(rustc),
                self.seconds.div_ceil(60).max(1)
            ));
        }
        if sources.is_some_and(|sources| sources != self.sources) {
            reasons.push("topicframe: its sources have changed (a few minutes)".to_owned());
        }
        reasons
    }
}

/// The first line of `rustc -vV`.
pub fn release(rustc: &str) -> &str {
    rustc.lines().next().unwrap_or("an unknown rustc")
}

/// The host platform of a rustc, from its `-vV` output.
pub fn host(rustc: &str) -> Option<&str> {
    rustc.lines().find_map(|line| line.strip_prefix("host: "))
}

/// cargo, run in `folder`, without interactive input.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The folder of topicframe's sources: the specified one, or where this program was built from.
pub fn source_folder(named: Option<&Path>) -> PathBuf {
    named.unwrap_or(Path::new(env!("CARGO_MANIFEST_DIR"))).to_path_buf()
}

/// The `-vV` output of the current rustc.
pub fn rustc() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map_err(|cause| {
        wrong("rustc cannot be started").with_cause(cause).with_hint("Install Rust: https://rustup.rs, then try again.")
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A hash of the files in `folder` that topicframe is built from.
pub fn hash_of_sources(folder: &Path) -> Result<String> {
    let mut paths = vec![folder.join("Cargo.toml"), folder.join("Cargo.lock")];
    collect(&folder.join("src"), &mut paths)?;
    paths.sort();
    let mut hash = Sha256::new();
    for path in paths.iter().filter(|path| path.exists()) {
        let content = fs::read(path).map_err(|cause| unreadable("a source file cannot be read", path, cause))?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        hash.update(name.to_string_lossy().as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(&content);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Appends the files below `folder` to `paths`.
pub fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |cause| unreadable("a source folder cannot be read", folder, cause);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
