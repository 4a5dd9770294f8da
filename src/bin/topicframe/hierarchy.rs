//! `topicframe hierarchy`: the tree in which the topics of a saved model merge.

use std::path::PathBuf;

use clap::Args;
use topicframe::error::{Error, Result, Stage};
use topicframe::prelude::{HierarchyOptions, Linkage, TopicDistance};
use topicframe::progress::printable;

use crate::bar;
use crate::loading::Loading;
use crate::result::ResultTable;
use crate::usage::any_case;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Hierarchy {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// What topics are compared by: their words, or their mean vectors [default: words, or without any, vectors].
    #[arg(long, value_name = "c-tf-idf|vectors", value_parser = distance)]
    by: Option<TopicDistance>,

    /// How far apart groups of topics are.
    #[arg(
        long,
        value_name = "ward|average|complete|single",
        default_value_t = Linkage::Ward,
        value_parser = any_case::<Linkage>
    )]
    linkage: Linkage,

    #[command(flatten)]
    result: ResultTable,

    #[command(flatten)]
    loading: Loading,
}

const EXAMPLES: &str = "\
Example:
  topicframe hierarchy topics/ --out merges.csv";

impl Hierarchy {
    /// Prints the tree, and writes the table of merges.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        self.result.check(&self.model)?;
        let topics = self.loading.load(&self.model, &progress)?;
        let options = HierarchyOptions::new().linkage(self.linkage).distance(self.by.clone().unwrap_or_default());
        let tree = topics.hierarchical_topics_with(&options)?;
        let text = printable_lines(&tree.get_topic_tree());
        self.result.tell_as(&text, &tree.frame()?, &progress)
    }
}

fn printable_lines(text: &str) -> String {
    text.lines().map(|line| printable(line) + "\n").collect()
}

fn distance(text: &str) -> Result<TopicDistance> {
    match text.to_lowercase().as_str() {
        "c-tf-idf" => Ok(TopicDistance::CTfIdf),
        "vectors" => Ok(TopicDistance::Vectors),
        _ => Err(Error::invalid_parameter(Stage::Topics, "by", text, "c-tf-idf or vectors")),
    }
}
