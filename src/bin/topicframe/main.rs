//! `topicframe fit INPUT ...`: finds the topics of a file or of a folder of images from the command line; `topicframe
//! transform INPUT ... --model FOLDER`: places new documents in the topics of a saved model; `topicframe info FOLDER`:
//! shows one; `topicframe kernel ...`: runs topicframe in Jupyter.

use std::process::ExitCode;

use clap::Parser;
use topicframe::error::Interface;

mod bar;
mod fit;
mod gather;
mod info;
mod kernel;
mod model;
mod outputs;
mod quality;
mod reading;
mod signals;
mod table;
mod transform;

/// Topic modeling for text, text with images, and images alone.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[allow(clippy::large_enum_variant, reason = "only one is created, and it runs immediately")]
enum Command {
    /// Find the topics of a file or of a folder of images; print them, and write tables and an HTML report.
    Fit(fit::Fit),
    /// Place new documents in the topics of a saved model, in batches: their number is not limited by the memory.
    Transform(transform::Transform),
    /// Show a saved model: its topics, settings, and origin; write its tables and its report.
    Info(info::Info),
    /// Manage the Jupyter kernel for Rust notebooks with topicframe preloaded: install, remove or check it.
    Kernel(kernel::Kernel),
}

fn main() -> ExitCode {
    signals::listen();
    let result = match Command::parse() {
        Command::Fit(fit) => fit.run(),
        Command::Transform(transform) => transform.run(),
        Command::Info(info) => info.run(),
        Command::Kernel(kernel) => kernel.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::report_line(&format!("error: {}", error.report(Interface::CommandLine)));
            ExitCode::FAILURE
        }
    }
}
