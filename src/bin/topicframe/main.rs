//! `topicframe fit INPUT ...`: topics of a file or of a folder of images, from the command line.

use std::process::ExitCode;

use clap::Parser;

mod bar;
mod fit;
mod model;
mod table;

/// Topics of documents, of documents with pictures, and of pictures.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
enum Command {
    /// Find the topics of a file or of a folder of images: print them, write tables and a page.
    Fit(fit::Fit),
}

fn main() -> ExitCode {
    let Command::Fit(fit) = Command::parse();
    match fit.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::tell(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
