//! `topicframe find`: searches the topics and the documents of a saved model.

use std::path::PathBuf;

use clap::Args;
use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::polars::prelude::DataFrame;
use topicframe::prelude::DocumentSearch;

use crate::bar;
use crate::limits::ImageLimits;
use crate::loading::Loading;
use crate::result::ResultTable;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Find {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A word or any text.
    #[arg(value_name = "QUERY", required_unless_present_any = ["image", "similar_to"], conflicts_with = "image")]
    query: Option<String>,

    /// An image file instead of a text, for a model with an embedder that supports images.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,

    /// A topic instead of a text: the topics that are most similar to it.
    #[arg(long, value_name = "ID", conflicts_with_all = ["query", "image", "documents"])]
    similar_to: Option<i32>,

    /// Find documents instead of topics; the model must have been saved with its vectors.
    #[arg(long)]
    documents: bool,

    /// With --documents: only documents of this topic; -1 for outliers.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    topic: Option<i32>,

    /// The number of topics or documents.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top_n: usize,

    #[command(flatten)]
    result: ResultTable,

    #[command(flatten)]
    loading: Loading,

    #[command(flatten)]
    limits: ImageLimits,
}

const EXAMPLES: &str = "\
Similarity and score are the cosine of the query's embedding to that of the topic or document, -1 to
1. Rows are counted from 0.

Examples:
  topicframe find topics/ \"a boat on the sea\"
  topicframe find topics/ --image boat.jpg --top-n 3 --out nearest.csv
  topicframe find topics/ \"a boat on the sea\" --documents --topic 3
  topicframe find topics/ --similar-to 3";

/// What is printed of documents: where they are, how well they match, and what they say.
fn first_columns<'a>(topics: &FittedTopicModel, found: &'a DataFrame) -> Vec<&'a str> {
    let summary = topics.summary();
    let own = [&summary.text_column, &summary.image_column];
    let is_own = |name: &str| own.iter().any(|column| column.as_deref() == Some(name));
    let names = || found.get_column_names().into_iter().map(|name| name.as_str());
    let about = names().filter(|name| ["Row", "Topic", "Score"].contains(name));
    about.chain(names().filter(|name| is_own(name))).collect()
}

impl Find {
    /// Prints the nearest topics or documents with their similarities.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        if self.top_n == 0 {
            return Err(Error::invalid_parameter(Stage::Topics, "top_n", 0, "at least 1"));
        }
        if self.topic.is_some() && !self.documents {
            let message = "--topic is for documents, but topics are searched";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                .with_hint("Add --documents, or omit --topic. --similar-to ID finds the topics that are like one."));
        }
        self.result.check(&self.model)?;
        let topics = self.loading.load(&self.model, &self.limits, &progress)?;
        let query = self.query.as_deref().unwrap_or_default();
        let found = match (self.similar_to, &self.image, self.documents) {
            (Some(topic), ..) => topics.similar_topics(topic, self.top_n)?,
            (None, Some(image), true) => topics.find_documents_by_image(image.as_path(), self.search())?,
            (None, Some(image), false) => topics.find_topics_by_image(image.as_path(), self.top_n)?,
            (None, None, true) => topics.find_documents(query, self.search())?,
            (None, None, false) => topics.find_topics(query, self.top_n)?,
        };
        if found.height() == 0 {
            progress.note(Stage::Topics, if self.documents { "nothing was found" } else { "the model has no topics" });
        }
        match self.documents {
            true => self.result.tell_columns(&found, &first_columns(&topics, &found), &progress),
            false => self.result.tell(&found, &progress),
        }
    }

    fn search(&self) -> DocumentSearch {
        let search = DocumentSearch::new(self.top_n);
        match self.topic {
            Some(topic) => search.topic(topic),
            None => search,
        }
    }
}
