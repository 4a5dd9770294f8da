//! `topicframe fit INPUT ...`: finds the topics of a file or of a folder of images from the command line; `topicframe
//! transform INPUT ... --model FOLDER`: places new documents in the topics of a saved model; `topicframe info FOLDER`:
//! shows one; `topicframe edit FOLDER ...`: changes its topics; `topicframe find FOLDER QUERY`: searches them;
//! `over-time`, `per-class`, `hierarchy` and `distribution` explore them;
//! `topicframe kernel ...`: runs topicframe in Jupyter.

use std::process::ExitCode;

use clap::Parser;
use topicframe::error::Interface;

mod apply;
mod bar;
mod contents;
mod distribution;
mod edit;
mod edits;
mod exploring;
mod find;
mod fit;
mod gather;
mod hierarchy;
mod info;
mod kernel;
mod limits;
mod loading;
mod model;
mod names;
mod outputs;
mod over_time;
mod per_class;
mod plots;
mod quality;
mod reading;
mod result;
mod saving;
mod signals;
mod table;
mod transform;
mod usage;

const AFTER_HELP: &str = "\
A first look at the topics of a column:  topicframe fit posts.csv --text caption
The options of a command:                topicframe fit --help";

/// Topic modeling for text, text with images, and images alone.
#[derive(Debug, Parser)]
#[command(name = "topicframe", version, arg_required_else_help = true, after_help = AFTER_HELP)]
#[allow(clippy::large_enum_variant, reason = "only one is created, and it runs immediately")]
enum Command {
    /// Find the topics of a file or of a folder of images; print them, and write tables, an HTML report and a map.
    Fit(fit::Fit),
    /// Place new documents in the topics of a saved model, in batches: their number is not limited by the memory.
    Transform(transform::Transform),
    /// Show a saved model: its topics, settings, and origin; write its tables, its report, its map and its figures.
    Info(info::Info),
    /// Change the topics of a saved model: merge, delete, divide or label them, choose other outliers.
    Edit(edit::Edit),
    /// Find the topics or documents of a saved model that are nearest to a text or an image.
    Find(find::Find),
    /// Show the topics of a saved model over time, and which of them rise or fall.
    OverTime(over_time::OverTime),
    /// Show the topics of a saved model by the classes of a column, and which are over-represented.
    PerClass(per_class::PerClass),
    /// Show the tree in which the topics of a saved model merge.
    Hierarchy(hierarchy::Hierarchy),
    /// Show the topics within each document.
    Distribution(distribution::Distribution),
    /// Manage the Jupyter kernel for Rust notebooks with topicframe preloaded: install, remove or check it.
    Kernel(kernel::Kernel),
}

fn main() -> ExitCode {
    signals::listen();
    let command = match usage::parse(std::env::args_os().collect()) {
        Ok(command) => command,
        Err(code) => return code,
    };
    let result = match command {
        Command::Fit(fit) => fit.run(),
        Command::Transform(transform) => transform.run(),
        Command::Info(info) => info.run(),
        Command::Edit(edit) => edit.run(),
        Command::Find(find) => find.run(),
        Command::OverTime(over_time) => over_time.run(),
        Command::PerClass(per_class) => per_class.run(),
        Command::Hierarchy(hierarchy) => hierarchy.run(),
        Command::Distribution(distribution) => distribution.run(),
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
