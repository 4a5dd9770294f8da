//! `topicframe per-class`: the topics of a saved model by the classes of its documents.

use clap::Args;
use topicframe::error::{Result, Stage};
use topicframe::prelude::PerClassOptions;

use crate::bar;
use crate::exploring::Divided;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PerClass {
    /// The column with the classes: texts, categories, integers, booleans, or lists of these (a document is in each class
    /// of its list).
    #[arg(long, value_name = "COLUMN")]
    column: String,

    /// Also show topics in classes in which they have no documents.
    #[arg(long)]
    absent: bool,

    #[command(flatten)]
    divided: Divided,
}

const EXAMPLES: &str = "\
The model must have been saved with its documents; the column is one of the input's. Share is the
share of a class's documents that are in the topic, and lift is that divided by the topic's share
everywhere. A q-value below 0.05: this is hardly chance. The file of --out has intervals, p-values
and the log odds ratio as well, which tells the same as lift, but smooths small counts, so that it
may be above 0 where a topic is absent.

Example:
  topicframe per-class topics/ --column party --out parties.csv";

/// The columns that are printed; the others are the details of the tests.
const PRINTED: [&str; 7] = ["Topic", "Words", "Class", "Frequency", "Share", "Lift", "Q_value"];

impl PerClass {
    /// Prints the frequency and the words of each topic in each class, with tests.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        let topics = self.divided.load(&progress)?;
        let options = PerClassOptions::new().absent(self.absent).global_tuning(self.divided.global_tuning());
        let classes = topics.topics_per_class_with(&self.column, &options)?;
        self.divided.tell_columns(&classes, &PRINTED, &progress)?;
        if classes.column("Lift").is_ok_and(|lift| lift.null_count() == lift.len() && !lift.is_empty()) {
            let message = "no lift and no p-values: with a single class or a single topic, there is nothing to compare";
            progress.note(Stage::Topics, message);
        }
        Ok(())
    }
}
