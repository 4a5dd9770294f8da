//! The kernelspec that Jupyter reads: a folder of two files, next to those of other kernels.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::{check_writable, write_whole};

use super::folders::{Folders, metadata_of, unreadable};
use super::written::in_the_way;
use super::{DISPLAY_NAME, NAME};

/// The logo in JupyterLab's launcher.
const LOGO: &str = include_str!("logo.svg");

const SPEC_FILE: &str = "kernel.json";
const LOGO_FILE: &str = "logo-svg.svg";

/// Refuses to replace a different kernel with the same name.
pub fn check(kernelspec: &Path) -> Result<()> {
    if metadata_of(kernelspec)?.is_some_and(|data| !data.is_dir()) {
        return Err(in_the_way(kernelspec));
    }
    for file in [SPEC_FILE, LOGO_FILE].map(|name| kernelspec.join(name)) {
        if metadata_of(&file)?.is_some_and(|data| !data.is_file()) {
            return Err(in_the_way(&file));
        }
    }
    let spec = kernelspec.join(SPEC_FILE);
    let is_ours = read(&spec).is_some_and(|spec| spec["metadata"][NAME].is_object() && spec["argv"][1] == "kernel");
    if metadata_of(&spec)?.is_none() || is_ours {
        return Ok(());
    }
    let message = format!("another kernel is already named `{NAME}`");
    Err(Error::new(ErrorKind::InvalidData, Stage::Notebook, message)
        .with_path(kernelspec)
        .with_hint("Rename its folder, or select another Jupyter with --prefix."))
}

/// Registers the kernel with Jupyter.
pub fn write(folders: &Folders, kernelspec: &Path) -> Result<()> {
    check(kernelspec)?;
    fs::create_dir_all(kernelspec).map_err(|cause| unreadable("a folder cannot be created", kernelspec, cause))?;
    let spec = json!({
        "argv": [folders.launcher(), "kernel", "run", "--folder", folders.root, "{connection_file}"],
        "display_name": DISPLAY_NAME,
        "language": "rust",
        "interrupt_mode": "message",
        "metadata": { NAME: { "version": env!("CARGO_PKG_VERSION") } },
    });
    write_new(&kernelspec.join(SPEC_FILE), &serde_json::to_vec_pretty(&spec).unwrap_or_default(), true)?;
    // A logo set by the user is kept.
    write_new(&kernelspec.join(LOGO_FILE), LOGO.as_bytes(), false)
}

fn write_new(path: &Path, content: &[u8], replaces: bool) -> Result<()> {
    match fs::read(path) {
        Ok(existing) if !replaces || existing == content => Ok(()),
        _ => write_whole(path, content),
    }
}

/// Unregisters the kernel from Jupyter, and removes the kernelspec folder if nothing else is in it. Returns whether it
/// was registered.
pub fn remove(folders: &Folders, kernelspec: &Path) -> Result<bool> {
    let spec = kernelspec.join(SPEC_FILE);
    let is_folder = metadata_of(kernelspec)?.is_some_and(|data| data.is_dir());
    let is_file = is_folder && metadata_of(&spec)?.is_some_and(|data| data.is_file());
    let starts = |spec: Value| Some(Path::new(spec["argv"].get(0)?.as_str()?) == folders.launcher());
    if !is_file || !read(&spec).and_then(starts).unwrap_or(false) {
        return Ok(false);
    }
    let remove = |path: &Path| fs::remove_file(path).map_err(|cause| unreadable("this cannot be removed", path, cause));
    let logo = kernelspec.join(LOGO_FILE);
    if metadata_of(&logo)?.is_some_and(|data| data.is_file())
        && fs::read(&logo).is_ok_and(|existing| existing == LOGO.as_bytes())
    {
        remove(&logo)?;
    }
    // Last, because it identifies the folder as ours.
    remove(&spec)?;
    let _ = fs::remove_dir(kernelspec);
    Ok(true)
}

/// Removes what a killed installation left in the kernelspec folder: an empty file, and the folder if nothing else is
/// in it.
pub fn sweep(kernelspec: &Path) {
    let is_folder = metadata_of(kernelspec).is_ok_and(|data| data.is_some_and(|data| data.is_dir()));
    if is_folder && kernelspec.ends_with(Path::new("kernels").join(NAME)) {
        // Checking a folder for writing removes what killed writes left there.
        let _ = check_writable(kernelspec.join(SPEC_FILE));
        let _ = fs::remove_dir(kernelspec);
    }
}

fn read(spec: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(spec).ok()?).ok()
}
