//! `topicframe per-class`: the topics of a saved model by the classes of its documents.

use std::path::PathBuf;

use clap::Args;
use topicframe::error::Result;
use topicframe::prelude::PerClassOptions;

use crate::bar;
use crate::loading::Loading;
use crate::result::ResultTable;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PerClass {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The column with the classes: texts, categories, integers, booleans, or lists, of which a document is in each.
    #[arg(long, value_name = "COLUMN")]
    column: String,

    /// Also show topics in classes in which they have no documents.
    #[arg(long)]
    absent: bool,

    /// Do not average the words of a topic in a class with those of the whole topic.
    #[arg(long)]
    no_global_tuning: bool,

    #[command(flatten)]
    result: ResultTable,

    #[command(flatten)]
    loading: Loading,
}

const EXAMPLES: &str = "\
Lift is the share of a topic in a class divided by its share everywhere. The log odds ratio tells the same, but small
counts are smoothed, so that it may be above 0 where a topic is absent. A q-value below 0.05: this is hardly chance.

Example:
  topicframe per-class topics/ --column party --out parties.csv";

impl PerClass {
    /// Prints the frequency and the words of each topic in each class, with tests.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        self.result.check(&self.model)?;
        let topics = self.loading.load(&self.model, &progress)?;
        let options = PerClassOptions::new().absent(self.absent).global_tuning(!self.no_global_tuning);
        self.result.tell(&topics.topics_per_class_with(&self.column, &options)?, &progress)
    }
}
