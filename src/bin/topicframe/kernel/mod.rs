//! `topicframe kernel`: a Jupyter kernel for Rust with topicframe preloaded.
//!
//! evcxr compiles each cell as a separate crate. With topicframe as an ordinary dependency, it would compile topicframe
//! again in every new kernel's folder. So `install` builds topicframe once, as a dynamic library with all its
//! dependencies, and cells depend on a small crate (`front`) that links to it. A kernel compiles only the cells, in a
//! folder (`slots`) reserved for it as long as it runs.

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
    /// Build the kernel, register it with Jupyter, and run a test cell.
    Install(install::Install),
    /// Remove the kernel from Jupyter, and everything that was built for it.
    Uninstall(uninstall::Uninstall),
    /// Report what is installed, what is missing, and what would be rebuilt and why.
    Doctor(doctor::Doctor),
    /// The command that Jupyter runs.
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
