//! What the kernel is made of: written only where it differs, so that cargo rebuilds only what has to be.

use std::collections::BTreeSet;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use topicframe::error::Result;

use super::folders::{Folders, unreadable};
use super::state::collect;
use super::{DISPLAY_NAME, NAME};

/// The name under which rustc tells the library's crates from crates of the same name that a cell adds by itself.
pub const METADATA: &str = "topicframe";

/// Tells evcxr's analysis, and nothing else, that the front crate depends on topicframe's sources.
pub const ANALYSIS: &str = "topicframe_analysis";

/// The logo in JupyterLab's launcher.
const LOGO: &str = include_str!("logo.svg");

/// A text as TOML and JSON write it.
pub fn quoted(text: impl AsRef<Path>) -> String {
    serde_json::Value::from(text.as_ref().to_string_lossy()).to_string()
}

/// Writes `content`, unless it is there already.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|cause| unreadable("a folder cannot be made", folder, cause))?;
    }
    fs::write(path, content).map_err(|cause| unreadable("a file cannot be written", path, cause))
}

/// Copies topicframe's sources, so that the kernel does not depend on where they came from.
pub fn copy_sources(from: &Path, folders: &Folders) -> Result<()> {
    let to = folders.sources();
    let mut paths: Vec<PathBuf> =
        ["Cargo.toml", "Cargo.lock", "README.md"].iter().map(|name| from.join(name)).collect();
    collect(&from.join("src"), &mut paths)?;
    let mut wanted = BTreeSet::new();
    for path in paths.iter().filter(|path| path.exists()) {
        let target = to.join(path.strip_prefix(from).unwrap_or(path));
        let content = fs::read(path).map_err(|cause| unreadable("a source cannot be read", path, cause))?;
        match path.ends_with("Cargo.toml") {
            true => write(&target, without_targets(&String::from_utf8_lossy(&content)).as_bytes())?,
            false => write(&target, &content)?,
        }
        wanted.insert(target);
    }
    remove_all_but(&wanted, &to.join("src"))
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

/// Removes the files below `folder` that are not wanted any more.
pub fn remove_all_but(wanted: &BTreeSet<PathBuf>, folder: &Path) -> Result<()> {
    let mut there = Vec::new();
    collect(folder, &mut there)?;
    for path in there.iter().filter(|path| !wanted.contains(*path)) {
        fs::remove_file(path).map_err(|cause| unreadable("an old source cannot be removed", path, cause))?;
    }
    Ok(())
}

/// The crate of the dynamic library: topicframe with all that it stands on.
pub fn write_library(folders: &Folders, features: &[String]) -> Result<()> {
    let folder = folders.library();
    let manifest = format!(
        "[package]\nname = \"topicframe-notebook\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ncrate-type = [\"dylib\"]\n\n\
         [dependencies]\ntopicframe = {{ path = {}, features = {features:?} }}\n\n\
         [workspace]\n\n[profile.release]\ndebug = false\n",
        quoted(folders.sources())
    );
    write(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    write(&folder.join("src").join("lib.rs"), b"pub use topicframe::*;\n")?;
    seed_lock(folders, &folder)
}

/// The versions that topicframe is tested with.
fn seed_lock(folders: &Folders, folder: &Path) -> Result<()> {
    let (lock, target) = (folders.sources().join("Cargo.lock"), folder.join("Cargo.lock"));
    if target.exists() || !lock.exists() {
        return Ok(());
    }
    let content = fs::read(&lock).map_err(|cause| unreadable("a file cannot be read", &lock, cause))?;
    write(&target, &content)
}

/// The crate that cells depend on. To rustc it is the library; to evcxr's analysis it is the sources in `analysis`.
pub fn write_front(folders: &Folders, analysis: &Path) -> Result<()> {
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
    write(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    write(&folder.join("build.rs"), build.as_bytes())?;
    write(&folder.join("src").join("lib.rs"), lib.as_bytes())
}

/// evcxr's settings: every notebook begins with topicframe at hand. The question mark is there because evcxr learns only
/// from the first one that cells may have some; a cell that ended with that one would show itself as `Debug`.
pub fn write_config(folders: &Folders) -> Result<()> {
    let config = format!(
        "[evcxr]\nprelude = \"\"\"\nuse topicframe::prelude::*;\nOk::<(), Error>(())?;\n\"\"\"\n\n\
         [dependencies]\ntopicframe = {{ path = {} }}\n",
        quoted(folders.front())
    );
    write(&folders.config().join("evcxr.toml"), config.as_bytes())
}

/// What Jupyter reads.
pub fn write_kernelspec(folders: &Folders, kernelspec: &Path) -> Result<()> {
    let launcher = folders.launcher();
    let spec = json!({
        "argv": [launcher, "kernel", "run", "--folder", folders.root, "{connection_file}"],
        "display_name": DISPLAY_NAME,
        "language": "rust",
        "interrupt_mode": "message",
        "metadata": { NAME: { "version": env!("CARGO_PKG_VERSION") } },
    });
    let text = serde_json::to_vec_pretty(&spec).unwrap_or_default();
    write(&kernelspec.join("kernel.json"), &text)?;
    write(&kernelspec.join("logo-svg.svg"), LOGO.as_bytes())
}

/// This very program, where no build can take it away.
pub fn copy_launcher(folders: &Folders) -> Result<()> {
    let launcher = folders.launcher();
    let program = std::env::current_exe()
        .map_err(|cause| unreadable("this program cannot be found", Path::new("topicframe"), cause))?;
    if program == launcher {
        return Ok(());
    }
    let failed = |cause| unreadable("the kernel's launcher cannot be written", &launcher, cause);
    if let Some(folder) = launcher.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Beside and renamed: the launcher of a running kernel cannot be written to.
    let beside = launcher.with_extension("new");
    fs::copy(&program, &beside).map_err(failed)?;
    fs::rename(&beside, &launcher).map_err(failed)
}
