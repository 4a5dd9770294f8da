//! The edits of `topicframe edit`: options that are applied in the order in which they are given.
//!
//! A further edit is a variant of [`Edit`], its option in [`KINDS`], and its method in [`Edits::apply`].

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::{OutlierStrategy, Outliers, ReduceOutliers};
use topicframe::prelude::{ClassTfIdf, NrTopics};
use topicframe::topics::Regrouping;

use crate::usage::any_case;

const OUTLIER: i32 = -1;

/// An edit. Topics are those of the model that was loaded.
#[derive(Debug, Clone)]
enum Edit {
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

/// The option of an edit.
struct Kind {
    option: &'static str,
    value_name: &'static str,
    help: &'static str,
    /// Whether values may begin with a minus sign, as that of the outlier topic does.
    has_minus: bool,
    read: fn(&str) -> Result<Edit>,
}

const KINDS: [Kind; 10] = [
    Kind {
        option: "merge",
        value_name: "ID,ID",
        help: "Merge these topics into one. If the first is -1, they become outliers.",
        has_minus: true,
        read: merge,
    },
    Kind {
        option: "delete",
        value_name: "ID,ID",
        help: "Delete these topics: their documents become outliers.",
        has_minus: false,
        read: delete,
    },
    Kind {
        option: "split",
        value_name: "ID=N",
        help: "Divide a topic into this number of topics, by k-means: `3=2`.",
        has_minus: false,
        read: split,
    },
    Kind {
        option: "label",
        value_name: "ID=LABEL",
        help: "Give a topic a label, which it keeps through further edits: `\"3=Old cars\"`.",
        has_minus: false,
        read: label,
    },
    Kind {
        option: "nr-topics",
        value_name: "N|auto",
        help: "Reduce the topics to this number, not counting outliers: to the cut of the tree, where there is one and no \
               topics were merged; otherwise, similar topics are merged.",
        has_minus: false,
        read: |text| any_case(text).map(Edit::NrTopics),
    },
    Kind {
        option: "at",
        value_name: "N",
        help: "Cut the tree of topics at this number, more or fewer than now. Earlier edits are undone, except for the \
               choice of outliers.",
        has_minus: false,
        read: at,
    },
    Kind {
        option: "outliers",
        value_name: "clusterer|none|SHARE|below=P",
        help: "Choose other outliers: those of the `clusterer`, `none`, a share of the documents (`10%` or `0.1`), or \
               documents with a low probability as well (`below=0.3`).",
        has_minus: false,
        read: |text| any_case(text).map(Edit::Outliers),
    },
    Kind {
        option: "reduce-outliers",
        value_name: "embeddings|distributions|c-tf-idf|probabilities",
        help: "Move outliers to the topic that they match best: by the cosine to its mean vector, by shares of their text, \
               by the similarity of words, or by the clusterer's memberships.",
        has_minus: false,
        read: reduce_outliers,
    },
    Kind {
        option: "max-outliers",
        value_name: "SHARE",
        help: "After --reduce-outliers: move only the best matches, until no more than this share of the documents are \
               outliers (`10%` or `0.1`).",
        has_minus: false,
        read: max_outliers,
    },
    Kind {
        option: "ctfidf",
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
pub struct Edits(Vec<Edit>);

impl Args for Edits {
    fn augment_args(command: Command) -> Command {
        command.args(KINDS.iter().map(|kind| {
            Arg::new(kind.option)
                .long(kind.option)
                .value_name(kind.value_name)
                .help(kind.help.trim_end_matches('.'))
                .help_heading(HEADING)
                .action(ArgAction::Append)
                .allow_hyphen_values(kind.has_minus)
                .value_parser(kind.read)
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
            places.zip(matches.get_many::<Edit>(kind.option).into_iter().flatten().cloned()).collect::<Vec<_>>()
        };
        let mut edits: Vec<(usize, Edit)> = KINDS.iter().flat_map(of).collect();
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
                    .with_hint(format!("Give at least one of these options: {}.", options.join(", "))))
            }
        }
    }

    /// Applies the edits to `topics`, one after the other.
    pub fn apply(&self, topics: &FittedTopicModel) -> Result<FittedTopicModel> {
        let mut ids = Ids::of(topics);
        let mut edited = topics.clone();
        for edits in self.0.chunk_by(is_one_edit) {
            let before = edited.history().len();
            edited = match edits {
                [] => continue,
                [Edit::NrTopics(nr_topics), ..] => edited.reduce_topics(*nr_topics)?,
                [Edit::At(nr_topics), ..] => edited.at(*nr_topics)?,
                [Edit::Outliers(outliers), ..] => edited.with_outliers(*outliers)?,
                [Edit::Ctfidf(ctfidf), ..] => edited.with_ctfidf(ctfidf.clone())?,
                [Edit::Delete(_), ..] => {
                    let deleted = edits.iter().filter_map(|edit| match edit {
                        Edit::Delete(deleted) => Some(deleted),
                        _ => None,
                    });
                    let now = deleted.flatten().map(|&id| ids.now(id)).collect::<Result<BTreeSet<i32>>>()?;
                    edited.delete_topics(&now.into_iter().collect::<Vec<_>>())?
                }
                [Edit::Split(topic, parts), ..] => edited.split_topic(ids.now(*topic)?, *parts)?,
                [Edit::Label(..), ..] => {
                    let labels = edits.iter().filter_map(|edit| match edit {
                        Edit::Label(topic, label) => Some((*topic, label.clone())),
                        _ => None,
                    });
                    let now = labels.map(|(topic, label)| Ok((ids.now(topic)?, label)));
                    edited.set_topic_labels(now.collect::<Result<Vec<(i32, String)>>>()?)?
                }
                [Edit::ReduceOutliers(strategy)] => edited.reduce_outliers(*strategy)?,
                [Edit::ReduceOutliers(strategy), .., Edit::MaxOutliers(share)] => {
                    edited.reduce_outliers(ReduceOutliers::new(*strategy).max_outliers(*share))?
                }
                [Edit::ReduceOutliers(_) | Edit::MaxOutliers(_), ..] => {
                    return Err(wrong("--max-outliers belongs to --reduce-outliers")
                        .with_hint("Put it after --reduce-outliers STRATEGY."));
                }
                [Edit::Merge(_), ..] => {
                    let groups = edits.iter().filter_map(|edit| match edit {
                        Edit::Merge(group) => Some(group.as_slice()),
                        _ => None,
                    });
                    let groups = ids.groups(groups)?;
                    match groups.is_empty() {
                        true => edited,
                        false => edited.merge_topics(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())?,
                    }
                }
            };
            ids.follow(&edited, before);
        }
        Ok(edited)
    }
}

/// Whether two edits in a row are one: then topics are described only once.
fn is_one_edit(first: &Edit, next: &Edit) -> bool {
    matches!(
        (first, next),
        (Edit::Merge(_), Edit::Merge(_))
            | (Edit::Delete(_), Edit::Delete(_))
            | (Edit::Label(..), Edit::Label(..))
            | (Edit::ReduceOutliers(_), Edit::MaxOutliers(_))
    )
}

/// What became of each topic of the model that was loaded. Edits renumber topics, but whoever types a command only knows
/// the numbers from before.
struct Ids(BTreeMap<i32, i32>);

impl Ids {
    fn of(topics: &FittedTopicModel) -> Self {
        Ids(topics.topic_ids().into_iter().map(|id| (id, id)).chain([(OUTLIER, OUTLIER)]).collect())
    }

    /// Follows the edits of `topics` from the one with number `first` on.
    fn follow(&mut self, topics: &FittedTopicModel, first: usize) {
        for edit in topics.history().iter().skip(first).filter(|edit| !edit.destinations.is_empty()) {
            self.0.values_mut().filter(|id| **id != OUTLIER).for_each(|id| *id = heir(edit, *id));
        }
    }

    /// The present number of a topic.
    fn now(&self, id: i32) -> Result<i32> {
        match self.0.get(&id) {
            Some(&OUTLIER) if id != OUTLIER => {
                Err(wrong(&format!("topic {id} no longer exists at this point: its documents are outliers"))
                    .with_hint("Edits are applied in the given order: put this one earlier."))
            }
            Some(&now) => Ok(now),
            None => {
                let message = format!("there is no topic {id}");
                let hint = "`topicframe info` lists the topics. Edits refer to them by these numbers, even if an earlier \
                            edit of the same command renumbers them.";
                Err(Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(hint))
            }
        }
    }

    /// The groups of present topics that are to be merged. Groups with a topic in common are one.
    fn groups<'a>(&self, merges: impl Iterator<Item = &'a [i32]>) -> Result<Vec<Vec<i32>>> {
        let mut groups: Vec<BTreeSet<i32>> = Vec::new();
        for merge in merges {
            let mut group = merge.iter().map(|&id| self.now(id)).collect::<Result<BTreeSet<i32>>>()?;
            let (joined, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|other| !other.is_disjoint(&group));
            group.extend(joined.into_iter().flatten());
            groups = others;
            groups.push(group);
        }
        // The outlier topic is the first of its group.
        Ok(groups.into_iter().filter(|group| group.len() > 1).map(|group| group.into_iter().collect()).collect())
    }
}

/// The topic with most documents of a `topic` after an edit, ties by number; -1 if all are outliers.
fn heir(edit: &Regrouping, topic: i32) -> i32 {
    let parts = edit.destinations.get(&topic).into_iter().flatten().filter(|(to, _)| **to != OUTLIER);
    parts.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map_or(OUTLIER, |(&to, _)| to)
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
    let refused = || Error::invalid_parameter(Stage::Topics, "delete", text, "numbers of topics, separated by commas");
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

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
}
