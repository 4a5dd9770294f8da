//! `topicframe kernel uninstall`.

use std::fs;
use std::path::Path;

use clap::Args;
use topicframe::error::Result;

use super::folders::{Folders, Places, unreadable};
use super::state::State;
use crate::table::tell;

#[derive(Debug, Args)]
pub struct Uninstall {
    #[command(flatten)]
    places: Places,
}

impl Uninstall {
    /// Removes what `install` wrote, and nothing else.
    pub fn run(&self) -> Result<()> {
        let folders = self.places.folders()?;
        let mut kernelspecs = State::read(&folders).map(|state| state.kernelspecs).unwrap_or_default();
        let here = self.places.kernelspec()?;
        if !kernelspecs.contains(&here) {
            kernelspecs.push(here);
        }
        let mut removed = false;
        for kernelspec in kernelspecs.iter().filter(|kernelspec| belongs(kernelspec, &folders)) {
            remove(kernelspec)?;
            removed = true;
        }
        if !folders.marker().is_file() {
            tell(if removed { "topicframe's kernel is removed." } else { "There was no kernel of topicframe." });
            return Ok(());
        }
        let parts = [folders.sources(), folders.library(), folders.analysis(), folders.front(), folders.config()];
        for part in parts.iter().chain(&[folders.slots()]) {
            remove(part)?;
        }
        remove(&folders.root.join("bin"))?;
        // The marker goes last: what was removed in part can be removed again.
        for file in [folders.state(), folders.marker()] {
            let _ = fs::remove_file(file);
        }
        // Only if nothing else is in it.
        let _ = fs::remove_dir(&folders.root);
        tell("topicframe's kernel is removed.");
        Ok(())
    }
}

/// Whether a kernelspec starts the kernel that is to go.
fn belongs(kernelspec: &Path, folders: &Folders) -> bool {
    let starts = || {
        let spec: serde_json::Value = serde_json::from_slice(&fs::read(kernelspec.join("kernel.json")).ok()?).ok()?;
        Some(Path::new(spec["argv"].get(0)?.as_str()?) == folders.launcher())
    };
    starts().unwrap_or(false)
}

fn remove(folder: &Path) -> Result<bool> {
    if !folder.exists() {
        return Ok(false);
    }
    fs::remove_dir_all(folder).map_err(|cause| unreadable("this cannot be removed", folder, cause))?;
    tell(&format!("removed {}", folder.display()));
    Ok(true)
}
