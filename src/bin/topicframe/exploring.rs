//! What commands have in common that explore the topics of a saved model. They need no embedder.

use std::path::PathBuf;

use clap::Args;
use topicframe::FittedTopicModel;
use topicframe::error::Result;
use topicframe::polars::prelude::DataFrame;
use topicframe::prelude::OverTimeOptions;
use topicframe::progress::Progress;

use crate::result::ResultTable;

/// The model, and where the table goes.
#[derive(Debug, Args)]
pub struct Explored {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    #[command(flatten)]
    result: ResultTable,
}

/// The model, whose topics are divided by the values of a column, and how the words of the parts are found.
#[derive(Debug, Args)]
pub struct Divided {
    /// Do not average the words of a topic in each part with those of the whole topic.
    #[arg(long)]
    no_global_tuning: bool,

    #[command(flatten)]
    explored: Explored,
}

/// `options` with the bins that were asked for, and the format of the times.
pub fn with_bins(
    mut options: OverTimeOptions,
    every: Option<&str>,
    nr_bins: Option<usize>,
    format: Option<&str>,
) -> OverTimeOptions {
    if let Some(every) = every {
        options = options.every(every);
    }
    if let Some(nr_bins) = nr_bins {
        options = options.nr_bins(nr_bins);
    }
    if let Some(format) = format {
        options = options.format(format);
    }
    options
}

impl Explored {
    /// Loads the model, after a check whether the table can be written.
    pub fn load(&self, progress: &Progress) -> Result<FittedTopicModel> {
        self.result.check(&self.model)?;
        Ok(FittedTopicModel::load(&self.model)?.with_progress(progress.clone()))
    }

    pub fn result(&self) -> &ResultTable {
        &self.result
    }
}

impl Divided {
    pub fn load(&self, progress: &Progress) -> Result<FittedTopicModel> {
        self.explored.load(progress)
    }

    /// Prints and writes the table.
    pub fn tell(&self, frame: &DataFrame, progress: &Progress) -> Result<()> {
        self.explored.result.tell(frame, progress)
    }

    /// Prints some columns of the table and writes all of it.
    pub fn tell_columns(&self, frame: &DataFrame, columns: &[&str], progress: &Progress) -> Result<()> {
        self.explored.result.tell_columns(frame, columns, progress)
    }

    pub fn global_tuning(&self) -> bool {
        !self.no_global_tuning
    }
}
