//! `topicframe kernel`: a kernel for Jupyter in which cells of Rust know topicframe.
//!
//! evcxr compiles each cell as a crate of its own. Given topicframe as an ordinary dependency, it would compile that in
//! every new kernel's folder. So `install` builds topicframe once, as a dynamic library with all that it stands on, and
//! cells depend on a small crate (`front`) that links to it. What a kernel compiles is the cells alone, in a folder
//! (`slots`) that it has for itself as long as it runs.

use clap::{Args, Subcommand};
use topicframe::error::Result;

mod analysis;
mod doctor;
mod earlier;
mod files;
mod folders;
mod install;
mod kernelspec;
mod needs;
mod run;
mod state;
mod tree;
mod uninstall;
mod written;

/// The kernel's name in Jupyter's folders.
const NAME: &str = "topicframe";

/// The kernel's name in menus.
const DISPLAY_NAME: &str = "Rust (topicframe)";

#[derive(Debug, Args)]
pub struct Kernel {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Build the kernel, tell Jupyter of it, and run a first cell.
    Install(install::Install),
    /// Remove the kernel from Jupyter, and what was built for it.
    Uninstall(uninstall::Uninstall),
    /// Say what is installed, what is missing, and what would be rebuilt and why.
    Doctor(doctor::Doctor),
    /// What Jupyter starts.
    #[command(hide = true)]
    Run(run::Run),
}

impl Kernel {
    pub fn run(&self) -> Result<()> {
        match &self.action {
            Action::Install(install) => install.run(),
            Action::Uninstall(uninstall) => uninstall.run(),
            Action::Doctor(doctor) => doctor.run(),
            Action::Run(run) => run.run(),
        }
    }
}
