//! `topicframe find`: searches the topics of a saved model.

use std::path::PathBuf;

use clap::Args;
use topicframe::error::{Error, Result, Stage};

use crate::bar;
use crate::loading::Loading;
use crate::result::ResultTable;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Find {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A word or any text.
    #[arg(value_name = "QUERY", required_unless_present = "image", conflicts_with = "image")]
    query: Option<String>,

    /// An image file instead of a text, for a model with an embedder that supports images.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,

    /// The number of topics.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top_n: usize,

    #[command(flatten)]
    result: ResultTable,

    #[command(flatten)]
    loading: Loading,
}

const EXAMPLES: &str = "\
Examples:
  topicframe find topics/ \"a boat on the sea\"
  topicframe find topics/ --image boat.jpg --top-n 3 --out nearest.csv";

impl Find {
    /// Prints the nearest topics with their similarities.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        if self.top_n == 0 {
            return Err(Error::invalid_parameter(Stage::Topics, "top_n", 0, "at least 1"));
        }
        self.result.check(&self.model)?;
        let topics = self.loading.load(&self.model, &progress)?;
        let found = match &self.image {
            Some(image) => topics.find_topics_by_image(image.as_path(), self.top_n)?,
            None => topics.find_topics(self.query.as_deref().unwrap_or_default(), self.top_n)?,
        };
        self.result.tell(&found, &progress)
    }
}
