//! `topicframe hierarchy`: the tree in which the topics of a saved model merge.

use clap::Args;
use topicframe::error::{Error, Result, Stage};
use topicframe::prelude::{HierarchyOptions, Linkage, TopicDistance};
use topicframe::progress::printable;

use crate::bar;
use crate::exploring::Explored;
use crate::table::counted;
use crate::usage::any_case;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Hierarchy {
    /// What topics are compared by: their words, or their mean vectors [default: words, or without any, vectors].
    #[arg(long, value_name = "c-tf-idf|vectors", value_parser = distance)]
    by: Option<TopicDistance>,

    /// The distance of two groups of topics: the increase of their variance (`ward`), or the mean, the largest
    /// (`complete`) or the smallest distance (`single`) between their topics.
    #[arg(
        long,
        value_name = "ward|average|complete|single",
        default_value_t = Linkage::Ward,
        value_parser = any_case::<Linkage>
    )]
    linkage: Linkage,

    #[command(flatten)]
    explored: Explored,
}

const EXAMPLES: &str = "\
What is nearest merges first. The numbers in the tree are those of `topicframe info MODEL`; the
table of --out has the two groups of each merge with their names, all of its topics, and its
distance. `topicframe edit MODEL --nr-topics N` merges topics.

Examples:
  topicframe hierarchy topics/ --out merges.csv
  topicframe hierarchy topics/ --by vectors --linkage average";

impl Hierarchy {
    /// Prints the tree, and writes the table of merges.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        let topics = self.explored.load(&progress)?;
        let options = HierarchyOptions::new().linkage(self.linkage).distance(self.by.clone().unwrap_or_default());
        let tree = topics.hierarchical_topics_with(&options)?;
        if tree.leaves().len() < 2 {
            let message = format!("there is no tree: the model has {}", counted(tree.leaves().len(), "topic"));
            progress.note(Stage::Topics, message);
        }
        let text = printable_lines(&tree.get_topic_tree());
        self.explored.result().tell_as(&text, &tree.frame()?, &progress)
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
