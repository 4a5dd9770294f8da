//! Applying the edits of `topicframe edit` in their order, and what is said about those that change nothing.

use std::collections::{BTreeMap, BTreeSet};

use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::ReduceOutliers;
use topicframe::prelude::NrTopics;
use topicframe::progress::Progress;

use crate::edits::{Edit, Given, OUTLIER, wrong};
use crate::table::counted;

/// Applies `edits` to `topics`, one after the other. Edits that change nothing are told to `progress`, with the reason.
pub fn apply(edits: &[Given], topics: &FittedTopicModel, progress: &Progress) -> Result<(FittedTopicModel, Ids)> {
    let mut ids = Ids::of(topics);
    let mut edited = topics.clone();
    for edits in edits.chunk_by(|first, next| is_one_edit(&first.edit, &next.edit)) {
        let first = edited.history().len();
        let after = applied(edits, &edited, &ids)?;
        for note in remarks(edits, &edited, &after, &ids)? {
            progress.note(Stage::Topics, note);
        }
        ids.follow(&after, first);
        edited = after;
    }
    Ok((edited, ids))
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

/// The model after `edits` that are one.
fn applied(edits: &[Given], topics: &FittedTopicModel, ids: &Ids) -> Result<FittedTopicModel> {
    let edits: Vec<&Edit> = edits.iter().map(|given| &given.edit).collect();
    match edits.as_slice() {
        [] => Ok(topics.clone()),
        [Edit::NrTopics(nr_topics), ..] => topics.reduce_topics(*nr_topics),
        [Edit::At(nr_topics), ..] => topics.at(*nr_topics),
        [Edit::Outliers(outliers), ..] => topics.with_outliers(*outliers),
        [Edit::Ctfidf(ctfidf), ..] => topics.with_ctfidf(ctfidf.clone()),
        [Edit::Delete(_), ..] => {
            let deleted = edits.iter().filter_map(|edit| match edit {
                Edit::Delete(deleted) => Some(deleted),
                _ => None,
            });
            let now = deleted.flatten().map(|&id| ids.now(id)).collect::<Result<BTreeSet<i32>>>()?;
            topics.delete_topics(&now.into_iter().collect::<Vec<_>>())
        }
        [Edit::Split(topic, parts), ..] => topics.split_topic(ids.now(*topic)?, *parts),
        [Edit::Label(..), ..] => {
            let labels = edits.iter().filter_map(|edit| match edit {
                Edit::Label(topic, label) => Some((*topic, label.clone())),
                _ => None,
            });
            let now = labels.map(|(topic, label)| Ok((ids.now(topic)?, label)));
            topics.set_topic_labels(now.collect::<Result<Vec<(i32, String)>>>()?)
        }
        [Edit::ReduceOutliers(strategy)] => topics.reduce_outliers(*strategy),
        [Edit::ReduceOutliers(strategy), .., Edit::MaxOutliers(share)] => {
            topics.reduce_outliers(ReduceOutliers::new(*strategy).max_outliers(*share))
        }
        [Edit::ReduceOutliers(_) | Edit::MaxOutliers(_), ..] => {
            Err(wrong("--max-outliers belongs to --reduce-outliers")
                .with_hint("Put it after --reduce-outliers STRATEGY."))
        }
        [Edit::Merge(_), ..] => {
            let groups = edits.iter().filter_map(|edit| match edit {
                Edit::Merge(group) => Some(group.as_slice()),
                _ => None,
            });
            let groups = ids.groups(groups)?;
            match groups.is_empty() {
                true => Ok(topics.clone()),
                false => topics.merge_topics(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            }
        }
    }
}

/// What is said about `edits` that are one: which of them changed nothing, or something else than was asked for.
fn remarks(edits: &[Given], before: &FittedTopicModel, after: &FittedTopicModel, ids: &Ids) -> Result<Vec<String>> {
    let given = edits.iter().map(Given::to_string).collect::<Vec<_>>().join(" ");
    let idle = |why: &str| vec![format!("{given} changed nothing: {why}")];
    let (topics, now) = (before.summary().topics, after.summary().topics);
    let is_unmoved = before.labels() == after.labels() && before.probabilities() == after.probabilities();
    let Some(first) = edits.first() else { return Ok(Vec::new()) };
    Ok(match &first.edit {
        Edit::Merge(_) => edits.iter().map(|given| ids.idle_merge(given)).collect::<Result<Vec<_>>>()?.concat(),
        Edit::Delete(_) => edits.iter().filter_map(|given| ids.joined_delete(given, before)).collect(),
        Edit::Label(..) => idle_labels(edits, before, ids)?,
        Edit::NrTopics(NrTopics::Count(wanted)) if is_unmoved && topics <= *wanted => match topics == *wanted {
            true => idle(&format!("there {} already", are(topics, "topic"))),
            false => idle(&format!("the model has only {}", counted(topics, "topic"))),
        },
        Edit::NrTopics(_) if is_unmoved => idle("no topics are similar enough to be merged"),
        Edit::NrTopics(NrTopics::Count(wanted)) if now != *wanted => {
            vec![format!("{given} gave {}, the nearest number that is possible", counted(now, "topic"))]
        }
        Edit::At(_) if is_unmoved => idle(&format!("there {} already", are(topics, "topic"))),
        Edit::Outliers(_) if is_unmoved => {
            vec![format!("{given} moved no document: they are as chosen already; new documents follow the choice")]
        }
        Edit::ReduceOutliers(_) if is_unmoved => idle(&why_no_outlier_moved(edits, before)),
        Edit::Ctfidf(_) if before.get_topics() == after.get_topics() => idle("words are weighted so already"),
        _ => Vec::new(),
    })
}

/// `is 1 topic`, `are 7 topics`.
fn are(number: usize, noun: &str) -> String {
    format!("{} {}", if number == 1 { "is" } else { "are" }, counted(number, noun))
}

fn why_no_outlier_moved(edits: &[Given], topics: &FittedTopicModel) -> String {
    let summary = topics.summary();
    let most = edits.iter().find_map(|given| match given.edit {
        Edit::MaxOutliers(share) => Some(share),
        _ => None,
    });
    // Those without a vector stay outliers, and do not count.
    let (rows, outliers) = (summary.rows.saturating_sub(summary.blank), summary.outliers.saturating_sub(summary.blank));
    match most {
        _ if outliers == 0 && summary.outliers > 0 => {
            format!("there {} without anything to compare", are(summary.outliers, "outlier"))
        }
        _ if outliers == 0 => "there are no outliers".to_owned(),
        _ if summary.topics == 0 => "there are no topics".to_owned(),
        Some(share) if outliers as f64 <= share * rows as f64 => {
            format!("there {}, which is no more than that share", are(outliers, "outlier"))
        }
        _ => format!("there {}, none of which matches a topic well enough", are(outliers, "outlier")),
    }
}

/// Labels that topics had already.
fn idle_labels(edits: &[Given], topics: &FittedTopicModel, ids: &Ids) -> Result<Vec<String>> {
    let mut labels = topics.custom_labels();
    let mut told = Vec::new();
    for given in edits {
        let Edit::Label(topic, label) = &given.edit else { continue };
        let now = ids.now(*topic)?;
        let before = match label.is_empty() {
            true => labels.remove(&now),
            false => labels.insert(now, label.clone()),
        };
        match before {
            None if label.is_empty() => told.push(format!("{given} changed nothing: topic {topic} has no label")),
            Some(before) if before == *label => {
                told.push(format!("{given} changed nothing: topic {topic} has this label already"));
            }
            _ => {}
        }
    }
    Ok(told)
}

/// What became of each topic of the model that was loaded. Edits renumber topics, but whoever types a command only knows
/// the numbers from before.
pub struct Ids(BTreeMap<i32, i32>);

impl Ids {
    fn of(topics: &FittedTopicModel) -> Self {
        Ids(topics.topic_ids().into_iter().map(|id| (id, id)).chain([(OUTLIER, OUTLIER)]).collect())
    }

    /// Follows the edits of `topics` from the one with number `first` on.
    fn follow(&mut self, topics: &FittedTopicModel, first: usize) {
        for edit in topics.history().iter().skip(first).filter(|edit| !edit.destinations.is_empty()) {
            self.0.values_mut().for_each(|id| *id = edit.heir(*id));
        }
    }

    /// The present number of a topic; that of outliers, if it no longer exists.
    pub fn heir(&self, id: i32) -> i32 {
        self.0.get(&id).copied().unwrap_or(OUTLIER)
    }

    /// Whether another topic became the same one.
    pub fn is_joined(&self, id: i32) -> bool {
        let now = self.heir(id);
        self.0.iter().any(|(&other, &heir)| other != id && heir == now)
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

    /// What a deletion deletes that an earlier edit merged.
    fn joined_delete(&self, given: &Given, before: &FittedTopicModel) -> Option<String> {
        let Edit::Delete(deleted) = &given.edit else { return None };
        let joined = |id: &&i32| self.0.iter().any(|(other, now)| !deleted.contains(other) && *now == self.heir(**id));
        let id = deleted.iter().filter(|id| **id != OUTLIER).find(joined)?;
        let documents = counted(before.topic_size(self.heir(*id)).unwrap_or(0), "document");
        Some(format!("{given}: topic {id} was merged by an earlier edit, so all {documents} of the merged topic go"))
    }

    /// Why a merge has nothing to merge, if it has not.
    fn idle_merge(&self, given: &Given) -> Result<Vec<String>> {
        let Edit::Merge(named) = &given.edit else { return Ok(Vec::new()) };
        let now = named.iter().map(|&id| self.now(id)).collect::<Result<BTreeSet<i32>>>()?;
        let named: BTreeSet<i32> = named.iter().copied().collect();
        Ok(match (now.len(), named.len()) {
            (2.., _) => Vec::new(),
            (_, 1) => vec![format!("{given} changed nothing: it names only one topic")],
            _ => vec![format!("{given} changed nothing: these are one topic already")],
        })
    }
}
