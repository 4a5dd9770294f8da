//! `topicframe kernel uninstall`.

use clap::Args;
use topicframe::error::Result;

use super::folders::Places;
use super::kernelspec;
use super::state::State;
use super::written::{MAX_LISTED, Written};
use crate::table::report_line;

#[derive(Debug, Args)]
pub struct Uninstall {
    #[command(flatten)]
    places: Places,
}

impl Uninstall {
    /// Removes what `install` wrote, and nothing else.
    pub fn run(&self) -> Result<()> {
        let folders = self.places.folders()?;
        let written = Written::open(&folders)?;
        let mut kernelspecs = State::read(&folders).map(|state| state.kernelspecs).unwrap_or_default();
        kernelspecs.iter().for_each(|kernelspec| kernelspec::sweep(kernelspec));
        let here = self.places.kernelspec()?;
        if !kernelspecs.contains(&here) {
            kernelspecs.push(here);
        }
        let mut removed = written.is_some();
        for kernelspec in &kernelspecs {
            if kernelspec::remove(&folders, kernelspec)? {
                report_line(&format!("removed {}", kernelspec.display()));
                removed = true;
            }
        }
        if let Some(written) = written {
            let others = written.remove_everything(&folders)?;
            report_line(&format!("removed what `kernel install` wrote into {}", folders.root.display()));
            for other in &others {
                report_line(&format!("left {}, which it did not write", other.display()));
            }
            if others.len() == MAX_LISTED {
                report_line("there may be more files left");
            }
        }
        report_line(if removed {
            "topicframe's kernel has been removed."
        } else {
            "No topicframe kernel was installed."
        });
        Ok(())
    }
}
