//! What was installed, and by what: to tell what would be rebuilt, and why.

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
    /// What `rustc -vV` said.
    pub rustc: String,
    /// topicframe's features that are on.
    pub features: Vec<String>,
    /// A hash of topicframe's sources.
    pub sources: String,
    /// The kernelspecs that point here.
    pub kernelspecs: Vec<PathBuf>,
    /// Seconds that the library took to build, the last time that it was built from nothing.
    pub seconds: u64,
}

impl State {
    /// What is installed; `None` where nothing is.
    pub fn read(folders: &Folders) -> Option<State> {
        serde_json::from_slice(&fs::read(folders.state()).ok()?).ok()
    }

    pub fn write(&self, folders: &Folders, written: &mut Written) -> Result<()> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|cause| wrong("the state cannot be written").cause(cause))?;
        written.write(&folders.state(), &text)
    }

    /// The same, known to Jupyter in these folders.
    pub fn with_kernelspecs(self, kernelspecs: &[PathBuf]) -> State {
        State { kernelspecs: kernelspecs.to_vec(), ..self }
    }

    /// What differs between the kernel as it is and as it would be built now, each with what it costs.
    pub fn stale(&self, rustc: &str, sources: Option<&str>) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.rustc.is_empty() {
            reasons.push("what is missing: the last build has not come to its end".to_owned());
        } else if self.rustc != rustc {
            reasons.push(format!(
                "everything: it was built by {}, and cells are compiled by {} now (about {} min)",
                release(&self.rustc),
                release(rustc),
                self.seconds.div_ceil(60).max(1)
            ));
        }
        if sources.is_some_and(|sources| sources != self.sources) {
            reasons.push("topicframe: its sources have changed since (a minute or two)".to_owned());
        }
        reasons
    }
}

/// The first line of `rustc -vV`.
pub fn release(rustc: &str) -> &str {
    rustc.lines().next().unwrap_or("an unknown rustc")
}

/// The machine that a rustc compiles for, by what its `-vV` says.
pub fn host(rustc: &str) -> Option<&str> {
    rustc.lines().find_map(|line| line.strip_prefix("host: "))
}

/// cargo, in `folder`, asking nothing.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The folder of topicframe's sources: the one that was named, or where this program was built from.
pub fn source_folder(named: Option<&Path>) -> PathBuf {
    named.unwrap_or(Path::new(env!("CARGO_MANIFEST_DIR"))).to_path_buf()
}

/// What compiles here.
pub fn rustc() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map_err(|cause| {
        wrong("rustc cannot be started").cause(cause).hint("Install Rust: https://rustup.rs, then try again.")
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A hash of what topicframe is built from, below `folder`.
pub fn hash_of_sources(folder: &Path) -> Result<String> {
    let mut paths = vec![folder.join("Cargo.toml"), folder.join("Cargo.lock")];
    collect(&folder.join("src"), &mut paths)?;
    paths.sort();
    let mut hash = Sha256::new();
    for path in paths.iter().filter(|path| path.exists()) {
        let content = fs::read(path).map_err(|cause| unreadable("a source cannot be read", path, cause))?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        hash.update(name.to_string_lossy().as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(&content);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files below `folder`, into `paths`.
pub fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |cause| unreadable("a folder of sources cannot be read", folder, cause);
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
