//! `topicframe fit INPUT ...`: topics of a file or of a folder of images, from the command line; `topicframe kernel
//! ...`: topicframe in Jupyter.

use std::process::ExitCode;

use clap::Parser;
use topicframe::error::Interface;

mod bar;
mod fit;
mod kernel;
mod model;
mod signals;
mod table;

/// Topics of documents, of documents with pictures, and of pictures.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[allow(clippy::large_enum_variant, reason = "one is made, and run at once")]
enum Command {
    /// Find the topics of a file or of a folder of images: print them, write tables and a page.
    Fit(fit::Fit),
    /// A kernel for Jupyter in which cells of Rust know topicframe: install it, remove it, look after it.
    Kernel(kernel::Kernel),
}

fn main() -> ExitCode {
    signals::listen();
    let result = match Command::parse() {
        Command::Fit(fit) => fit.run(),
        Command::Kernel(kernel) => kernel.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::tell(&format!("error: {}", error.told(Interface::CommandLine)));
            ExitCode::FAILURE
        }
    }
}
