//! `topicframe kernel doctor`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::progress::printable;

use super::folders::{Folders, Places};
use super::needs::needs;
use super::state::{State, hash_of_sources, release, rustc, source_folder};
use crate::table::print;

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    places: Places,

    /// topicframe's sources, to compare the kernel with [default: where this program was built from].
    #[arg(long, value_name = "FOLDER")]
    source: Option<PathBuf>,
}

impl Doctor {
    /// Prints a diagnosis.
    ///
    /// # Errors
    /// If anything is missing or out of date, so that scripts can check.
    pub fn run(&self) -> Result<()> {
        let folders = self.places.folders()?;
        let mut lines = vec!["Needed".to_owned()];
        let mut is_well = true;
        for need in needs(self.places.jupyter()) {
            is_well &= need.found.is_some();
            lines.push(match &need.found {
                Some(found) => format!("  {:<14} {found}", need.name),
                None => format!("  {:<14} MISSING: {} ({})", need.name, need.command, need.what_for),
            });
        }
        lines.push("\nInstalled".to_owned());
        match State::read(&folders) {
            Some(state) => is_well &= self.installed(&folders, &state, &mut lines)?,
            None => {
                is_well = false;
                lines.push("  nothing: run `topicframe kernel install`".to_owned());
            }
        }
        let _ = print(&(printable(&lines.join("\n")) + "\n"));
        match is_well {
            true => Ok(()),
            false => {
                Err(Error::new(ErrorKind::NotFound, Stage::Notebook, "the kernel needs attention, as listed above"))
            }
        }
    }

    /// Whether everything is present and up to date.
    fn installed(&self, folders: &Folders, state: &State, lines: &mut Vec<String>) -> Result<bool> {
        lines.push(format!("  {:<14} {}", "topicframe", state.version));
        lines.push(format!("  {:<14} {}", "built by", release(&state.rustc)));
        lines.push(format!("  {:<14} hub, {}", "features", state.features.join(", ")));
        lines.push(format!("  {:<14} {} ({})", "folder", folders.root.display(), size(&folders.root)));
        let mut is_well = state.kernelspecs.contains(&self.places.kernelspec()?);
        if !is_well {
            lines.push(format!("  {:<14} not installed for this Jupyter: install it there too", "kernelspec"));
        }
        for kernelspec in &state.kernelspecs {
            is_well &= kernelspec.join("kernel.json").is_file();
            let gone = if kernelspec.join("kernel.json").is_file() { "" } else { " (missing: reinstall)" };
            lines.push(format!("  {:<14} {}{gone}", "kernelspec", kernelspec.display()));
        }
        for (name, path) in [("launcher", folders.launcher()), ("library", folders.built()), ("front", folders.front())]
        {
            if !path.exists() {
                is_well = false;
                lines.push(format!("  {name:<14} MISSING: {}; reinstall", path.display()));
            }
        }
        let source = source_folder(self.source.as_deref());
        let sources = hash_of_sources(&source).ok();
        let stale = rustc().map(|rustc| state.stale(&rustc, sources.as_deref())).unwrap_or_default();
        lines.push("\n`topicframe kernel install` would rebuild".to_owned());
        match stale.is_empty() {
            true => lines.push("  nothing: everything is up to date".to_owned()),
            false => lines.extend(stale.iter().map(|reason| format!("  {reason}"))),
        }
        if sources.is_none() {
            lines.push(format!("  (topicframe's sources are not at {}, so they were not checked)", source.display()));
        }
        Ok(is_well && stale.is_empty())
    }
}

/// The disk usage of a folder.
fn size(folder: &Path) -> String {
    let bytes = bytes(folder);
    format!("{:.1} GB", bytes as f64 / 1e9)
}

fn bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}
