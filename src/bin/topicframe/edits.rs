//! The options of `topicframe edit`: edits in the order in which they are given.
//!
//! A further edit is a variant of [`Edit`], its option in [`KINDS`], and its method in `apply.rs`.

use std::collections::BTreeSet;
use std::fmt;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::{OutlierStrategy, Outliers};
use topicframe::prelude::{ClassTfIdf, NrTopics};

use crate::usage::any_case;

/// The number that stands for the documents in no topic.
pub const OUTLIER: i32 = -1;

/// An edit. Topics are those of the model that was loaded.
#[derive(Debug, Clone)]
pub enum Edit {
    Merge(Vec<i32>),
    Delete(Vec<i32>),
    Split(i32, usize),
    Label(i32, String),
    ReduceOutliers(OutlierStrategy),
    MaxOutliers(f64),
    NrTopics(NrTopics),
    At(usize),
    Outliers(Outliers),
    Ctfidf(ClassTfIdf),
}

/// An edit as it was given.
#[derive(Debug, Clone)]
pub struct Given {
    pub edit: Edit,
    option: &'static str,
    value: String,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.contains(char::is_whitespace) {
            true => write!(f, "--{} \"{}\"", self.option, self.value),
            false => write!(f, "--{} {}", self.option, self.value),
        }
    }
}

/// The option of an edit.
struct Kind {
    option: &'static str,
    /// Another name of the option, which the help mentions.
    alias: Option<&'static str>,
    value_name: &'static str,
    help: &'static str,
    /// Whether values may begin with a minus sign, as that of the outlier topic does.
    has_minus: bool,
    read: fn(&str) -> Result<Edit>,
}

const KINDS: [Kind; 10] = [
    Kind {
        option: "merge",
        alias: None,
        value_name: "ID,ID",
        help: "Merge these topics into one, which keeps the label of the largest, if that has one. If -1 comes first, they \
               become outliers.",
        has_minus: true,
        read: merge,
    },
    Kind {
        option: "delete",
        alias: None,
        value_name: "ID,ID",
        help: "Delete these topics: their documents become outliers.",
        has_minus: true,
        read: delete,
    },
    Kind {
        option: "split",
        alias: None,
        value_name: "ID=N",
        help: "Divide topic ID into N topics, by k-means: `3=2`.",
        has_minus: true,
        read: split,
    },
    Kind {
        option: "label",
        alias: None,
        value_name: "ID=LABEL",
        help: "Give a topic a label, which it keeps through further edits: `\"3=Old cars\"`; `3=` removes it.",
        has_minus: true,
        read: label,
    },
    Kind {
        option: "nr-topics",
        alias: Some("reduce"),
        value_name: "N|auto",
        help: "Reduce the topics to this number, not counting outliers: to the cut of the tree that the fit found, as long \
               as no topics were merged; otherwise, similar topics are merged. `auto` merges those that are very similar. \
               --reduce is the same option.",
        has_minus: false,
        read: |text| any_case(text).map(Edit::NrTopics),
    },
    Kind {
        option: "at",
        alias: None,
        value_name: "N",
        help: "Cut the tree that the fit found at this number of topics, more or fewer than now. Earlier edits are undone, \
               except for the choice of outliers.",
        has_minus: false,
        read: at,
    },
    Kind {
        option: "outliers",
        alias: None,
        value_name: "clusterer|none|SHARE|below=P",
        help: "Choose other outliers: those of the `clusterer`, `none`, a share of the documents (`10%` or `0.1`), or \
               documents with a low probability as well (`below=0.3`).",
        has_minus: false,
        read: |text| any_case(text).map(Edit::Outliers),
    },
    Kind {
        option: "reduce-outliers",
        alias: None,
        value_name: "embeddings|distributions|c-tf-idf|probabilities",
        help: "Move outliers to the topic that they match best: by `embeddings` (the cosine to its mean vector), \
               `distributions` (the shares of topics in their text), `c-tf-idf` (the similarity of their words), or \
               `probabilities` (the clusterer's memberships).",
        has_minus: false,
        read: reduce_outliers,
    },
    Kind {
        option: "max-outliers",
        alias: None,
        value_name: "SHARE",
        help: "After --reduce-outliers: move only the best matches, and only until this share of the documents are \
               outliers (`10%` or `0.1`).",
        has_minus: false,
        read: max_outliers,
    },
    Kind {
        option: "ctfidf",
        alias: None,
        value_name: "plain|coverage|bm25|reduce-frequent-words",
        help: "Weight the words of topics anew by c-TF-IDF: `plain` is BERTopic's formula; one or more of the others, \
               separated by commas, are added to it: the share of a topic's documents that have the word (the default of \
               `topicframe fit`), BM25's weights, the square root of counts.",
        has_minus: false,
        read: ctfidf,
    },
];

/// The help's group of the edits.
const HEADING: &str = "Edits, applied in the given order";

/// Edits in the order of the command line.
#[derive(Debug, Clone)]
pub struct Edits(Vec<Given>);

impl Args for Edits {
    fn augment_args(command: Command) -> Command {
        command.args(KINDS.iter().map(|kind| {
            let (option, read) = (kind.option, kind.read);
            let given = move |value: &str| -> Result<Given> {
                Ok(Given { edit: read(value)?, option, value: value.to_owned() })
            };
            Arg::new(kind.option)
                .long(kind.option)
                .aliases(kind.alias)
                .value_name(kind.value_name)
                .help(kind.help.trim_end_matches('.'))
                .help_heading(HEADING)
                .action(ArgAction::Append)
                .allow_hyphen_values(kind.has_minus)
                .value_parser(given)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Edits {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let of = |kind: &Kind| {
            let places = matches.indices_of(kind.option).into_iter().flatten();
            places.zip(matches.get_many::<Given>(kind.option).into_iter().flatten().cloned()).collect::<Vec<_>>()
        };
        let mut edits: Vec<(usize, Given)> = KINDS.iter().flat_map(of).collect();
        edits.sort_by_key(|(place, _)| *place);
        Ok(Edits(edits.into_iter().map(|(_, edit)| edit).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Edits {
    /// Checks that there are any, unless the model `is_saved` with less than it has.
    pub fn check(&self, is_saved: bool) -> Result<()> {
        match self.0.is_empty() && !is_saved {
            false => Ok(()),
            true => {
                let options: Vec<String> = KINDS.iter().map(|kind| format!("--{}", kind.option)).collect();
                Err(wrong("there is nothing to edit")
                    .with_hint(format!(
                        "Give at least one of these options: {}. `topicframe info MODEL` writes pages and tables of a model as \
                         it is.",
                        options.join(", ")
                    )))
            }
        }
    }

    /// The edits, one after the other.
    pub fn all(&self) -> &[Given] {
        &self.0
    }
}

fn merge(text: &str) -> Result<Edit> {
    let refused = |allowed: &str| Error::invalid_parameter(Stage::Topics, "merge", text, allowed);
    let ids = text.split(',').map(|id| id.trim().parse::<i32>());
    let ids = ids.collect::<std::result::Result<Vec<_>, _>>().map_err(|_| refused(TOPICS))?;
    match ids.as_slice() {
        [_, others @ ..] if others.contains(&OUTLIER) => {
            Err(refused("topics, or -1 and topics that become outliers: outliers cannot be merged into a topic"))
        }
        [_, _, ..] => Ok(Edit::Merge(ids)),
        _ => Err(refused(TOPICS)),
    }
}

fn delete(text: &str) -> Result<Edit> {
    let ids = text.split(',').map(|id| id.trim().parse::<i32>().ok().filter(|id| *id != OUTLIER));
    let allowed = "the numbers of topics, separated by commas; -1 stands for outliers, which are in no topic";
    let refused = || Error::invalid_parameter(Stage::Topics, "delete", text, allowed);
    ids.collect::<Option<Vec<_>>>().map(Edit::Delete).ok_or_else(refused)
}

fn split(text: &str) -> Result<Edit> {
    let parsed = text
        .split_once('=')
        .and_then(|(id, parts)| Some((id.trim().parse().ok()?, parts.trim().parse().ok().filter(|parts| *parts > 1)?)));
    let allowed = "a topic and the number of its parts, at least 2, such as 3=2";
    let refused = || Error::invalid_parameter(Stage::Topics, "split", text, allowed);
    parsed.map(|(id, parts)| Edit::Split(id, parts)).ok_or_else(refused)
}

fn label(text: &str) -> Result<Edit> {
    let parsed = text.split_once('=').and_then(|(id, label)| Some((id.trim().parse().ok()?, label.trim().to_owned())));
    let refused = || Error::invalid_parameter(Stage::Topics, "label", text, "a topic and its label, such as 3=Cars");
    parsed.map(|(id, label)| Edit::Label(id, label)).ok_or_else(refused)
}

fn reduce_outliers(text: &str) -> Result<Edit> {
    let allowed = "embeddings, distributions, c-tf-idf or probabilities";
    let refused = |_| Error::invalid_parameter(Stage::Topics, "reduce_outliers", text, allowed);
    any_case(text).map(Edit::ReduceOutliers).map_err(refused)
}

fn max_outliers(text: &str) -> Result<Edit> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    let refused = || Error::invalid_parameter(Stage::Topics, "max_outliers", text, "a share, such as 10% or 0.1");
    share.ok().filter(|share| (0.0..=1.0).contains(share)).map(Edit::MaxOutliers).ok_or_else(refused)
}

/// What `--merge` takes.
const TOPICS: &str = "the numbers of at least two topics, separated by commas, such as 1,2";

fn at(text: &str) -> Result<Edit> {
    match text.parse() {
        Ok(nr_topics) if nr_topics > 0 => Ok(Edit::At(nr_topics)),
        _ => Err(Error::invalid_parameter(Stage::Topics, "at", text, "a number of topics, at least 1")),
    }
}

fn ctfidf(text: &str) -> Result<Edit> {
    let names = text.to_lowercase();
    let names: BTreeSet<&str> = names.split(',').map(str::trim).collect();
    let added = names.iter().try_fold(ClassTfIdf::new(), |weighting, name| match *name {
        "plain" if names.len() == 1 => Some(weighting),
        "coverage" => Some(weighting.coverage(true)),
        "bm25" => Some(weighting.bm25_weighting(true)),
        "reduce-frequent-words" => Some(weighting.reduce_frequent_words(true)),
        _ => None,
    });
    let allowed = "plain, or one or more of coverage, bm25 and reduce-frequent-words, separated by commas";
    added.map(Edit::Ctfidf).ok_or_else(|| Error::invalid_parameter(Stage::Topics, "ctfidf", text, allowed))
}

pub fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
}
