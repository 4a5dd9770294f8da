//! The files of the kernel: written only if they differ, so that cargo rebuilds only what it must.

use std::collections::BTreeSet;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};

use topicframe::error::Result;

use super::folders::{Folders, unreadable};
use super::state::collect;
use super::written::Written;

/// The metadata by which rustc distinguishes the library's crates from crates of the same name that a cell adds.
pub const METADATA: &str = "topicframe";

/// The `cfg` that makes the front crate depend on topicframe's sources, in evcxr's analysis only.
pub const ANALYSIS: &str = "topicframe_analysis";

/// A string as a TOML or JSON literal.
pub fn quoted(text: impl AsRef<Path>) -> String {
    serde_json::Value::from(text.as_ref().to_string_lossy()).to_string()
}

/// Copies topicframe's sources, so that the kernel does not depend on their original location.
pub fn copy_sources(from: &Path, folders: &Folders, written: &mut Written) -> Result<()> {
    let to = folders.sources();
    let mut paths: Vec<PathBuf> =
        ["Cargo.toml", "Cargo.lock", "README.md"].iter().map(|name| from.join(name)).collect();
    collect(&from.join("src"), &mut paths)?;
    let mut wanted = BTreeSet::new();
    for path in paths.iter().filter(|path| path.exists()) {
        let target = to.join(path.strip_prefix(from).unwrap_or(path));
        let content = fs::read(path).map_err(|cause| unreadable("a source file cannot be read", path, cause))?;
        match path.ends_with("Cargo.toml") {
            true => written.write(&target, without_targets(&String::from_utf8_lossy(&content)).as_bytes())?,
            false => written.write(&target, &content)?,
        }
        wanted.insert(target);
    }
    written.remove_all_but(&wanted, &to)
}

/// A manifest without its tests, examples and benchmarks, whose files are not copied.
fn without_targets(manifest: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            skips = ["[[test]]", "[[example]]", "[[bench]]"].contains(&line.trim());
        }
        if !skips {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// A manifest's profiles: how its dependencies are compiled.
fn profiles(manifest: &str) -> String {
    let mut kept = String::new();
    let mut keeps = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            keeps = line.starts_with("[profile.");
        }
        if keeps {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// The crate of the dynamic library: topicframe with all its dependencies, without those of the command line.
pub fn write_library(folders: &Folders, features: &[String], written: &mut Written) -> Result<()> {
    let folder = folders.library();
    let source = folders.sources().join("Cargo.toml");
    let profiles = profiles(
        &fs::read_to_string(&source).map_err(|cause| unreadable("a source file cannot be read", &source, cause))?,
    );
    let features: BTreeSet<&str> = features.iter().map(String::as_str).chain(["hub", "models"]).collect();
    let features: Vec<&str> = features.into_iter().collect();
    let manifest = format!(
        "[package]\nname = \"topicframe-notebook\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ncrate-type = [\"dylib\"]\n\n\
         [dependencies]\n\
         topicframe = {{ path = {}, default-features = false, features = {features:?} }}\n\n\
         [workspace]\n\n{profiles}",
        quoted(folders.sources())
    );
    written.write(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    written.write(&folder.join("src").join("lib.rs"), b"pub use topicframe::*;\n")?;
    seed_lock(folders, &folder, written)
}

/// Starts from the dependency versions that topicframe is tested with.
fn seed_lock(folders: &Folders, folder: &Path, written: &mut Written) -> Result<()> {
    let (lock, target) = (folders.sources().join("Cargo.lock"), folder.join("Cargo.lock"));
    if target.exists() || !lock.exists() {
        // cargo maintains it.
        return written.expect(&target);
    }
    let content = fs::read(&lock).map_err(|cause| unreadable("a file cannot be read", &lock, cause))?;
    written.write(&target, &content)
}

/// The crate that cells depend on. To rustc it is the library; to evcxr's analysis it is the sources in `analysis`.
pub fn write_front(folders: &Folders, analysis: &Path, written: &mut Written) -> Result<()> {
    let folder = folders.front();
    let manifest = format!(
        "[package]\nname = \"topicframe\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [target.'cfg({ANALYSIS})'.dependencies]\n\
         topicframe_sources = {{ package = \"topicframe\", path = {} }}\n\n\
         [lints.rust]\nunexpected_cfgs = \"allow\"\n\n[workspace]\n",
        quoted(analysis)
    );
    let library = format!("{DLL_PREFIX}topicframe_notebook{DLL_SUFFIX}");
    let build = format!(
        "fn main() {{\n    println!(\"cargo::rerun-if-changed={{}}\", {:?});\n    \
         println!(\"cargo::rustc-link-search=crate={{}}\", {:?});\n    \
         println!(\"cargo::rustc-link-search=dependency={{}}\", {:?});\n}}\n",
        folders.built().join(library),
        folders.built(),
        folders.built().join("deps")
    );
    let lib = "#[cfg(not(rust_analyzer))]\nextern crate topicframe_notebook as built;\n\
               #[cfg(not(rust_analyzer))]\npub use built::*;\n\
               #[cfg(rust_analyzer)]\npub use topicframe_sources::*;\n";
    written.write(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    written.write(&folder.join("build.rs"), build.as_bytes())?;
    written.write(&folder.join("src").join("lib.rs"), lib.as_bytes())
}

/// evcxr's settings: every notebook starts with topicframe preloaded. The `?` is there because evcxr only allows it in
/// cells after it has seen the first one, and a cell ending with that first `?` would be displayed as `Debug`.
pub fn write_config(folders: &Folders, written: &mut Written) -> Result<()> {
    let config = format!(
        "[evcxr]\nprelude = \"\"\"\nuse topicframe::prelude::*;\nOk::<(), Error>(())?;\n\"\"\"\n\n\
         [dependencies]\ntopicframe = {{ path = {} }}\n",
        quoted(folders.front())
    );
    written.write(&folders.config().join("evcxr.toml"), config.as_bytes())
}

/// Copies this program to where no build can remove it.
pub fn copy_launcher(folders: &Folders, written: &mut Written) -> Result<()> {
    let launcher = folders.launcher();
    let program = std::env::current_exe()
        .map_err(|cause| unreadable("this program cannot be found", Path::new("topicframe"), cause))?;
    // The launcher of a running kernel cannot be overwritten, but it can be replaced.
    if program == launcher { Ok(()) } else { written.copy(&program, &launcher) }
}
