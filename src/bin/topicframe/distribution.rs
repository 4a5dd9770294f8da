//! `topicframe distribution`: the topics within documents.

use std::path::PathBuf;

use clap::Args;
use topicframe::error::Result;
use topicframe::files::read_frame;
use topicframe::prelude::ApproximateDistribution;

use crate::bar;
use crate::limits::ImageLimits;
use crate::loading::Loading;
use crate::result::ResultTable;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Distribution {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A file with other documents, in columns as in the fit (.csv, .tsv, .json, .ndjson, .parquet, .arrow) [default: the
    /// documents of the model].
    #[arg(long, value_name = "FILE")]
    documents: Option<PathBuf>,

    /// Number of words that are compared with the topics at a time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    window: usize,

    /// Number of words from one window to the next.
    #[arg(long, value_name = "N", default_value_t = 1)]
    stride: usize,

    /// The least similarity of a window to a topic that counts, 0 to 1.
    #[arg(long, value_name = "S", default_value_t = 0.1)]
    min_similarity: f64,

    /// Also compare incomplete windows at the ends of a document.
    #[arg(long)]
    padding: bool,

    /// Compare windows by the embedder instead of their words, which takes longer.
    #[arg(long)]
    use_embedding_model: bool,

    #[command(flatten)]
    result: ResultTable,

    #[command(flatten)]
    loading: Loading,
}

const EXAMPLES: &str = "\
Each document is compared with the topics window by window, so that a long one may be about several.
Rows are counted from 0. A document that matches no topic has neither a topic nor a share.

Examples:
  topicframe distribution topics/ --out shares.parquet
  topicframe distribution topics/ --documents new.csv --window 8 --stride 4";

impl Distribution {
    /// Prints the share of each topic in each document.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        let settings = ApproximateDistribution::new()
            .window(self.window)
            .stride(self.stride)
            .min_similarity(self.min_similarity)
            .padding(self.padding)
            .use_embedding_model(self.use_embedding_model);
        settings.check()?;
        self.result.check(&self.model)?;
        let topics = self.loading.load(&self.model, &ImageLimits::default(), &progress)?;
        let shares = match &self.documents {
            Some(path) => topics.approximate_distribution_of(&read_frame(path)?, &settings)?,
            None => topics.approximate_distribution(&settings)?,
        };
        self.result.tell(&shares.to_frame()?, &progress)
    }
}
