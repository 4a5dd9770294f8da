//! Topics as data: the topic of each row, term counts, centroids and descriptions.
//!
//! Independent of the model that found them. Every edit is one `regroup` of rows.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::corpus::Embeddings;
use crate::error::Result;
use crate::represent::{Aspect, TopicWords};
use crate::vectorize::ClassTfIdf;

mod admit;
mod assignment;
mod centroids;
mod choice;
mod coherent_words;
mod distribution;
mod granularity;
mod hierarchy;
mod history;
mod labels;
mod linkage;
mod nearest;
mod outliers;
mod probabilities;
mod reduction;
mod saved;
mod terms;
mod time_bins;
mod tuned_words;

pub(crate) use assignment::{Assignment, Place};
pub(crate) use centroids::Centroids;
pub(crate) use choice::ClusteredRows;
pub use distribution::{ApproximateDistribution, TokenDistribution, TopicDistribution};
pub(crate) use distribution::{SparseShares, TermWindows, TextWindows, similarities};
pub(crate) use granularity::TermCoherence;
pub use hierarchy::{Cut, HierarchyLeaf, HierarchyMerge, TopicHierarchy};
pub use history::Regrouping;
pub use labels::TopicLabels;
pub(crate) use labels::of_minorities;
pub use linkage::Linkage;
pub(crate) use linkage::{Distances, average_linkage, average_linkage_within, dendrogram};
pub use outliers::Outliers;
pub use probabilities::TopicProbabilities;
pub(crate) use probabilities::{FittedMemberships, Memberships};
pub use reduction::{OutlierStrategy, ReduceOutliers};
pub(crate) use saved::{history_from_json, history_to_json};
pub use terms::TopicTerms;
pub(crate) use terms::{DocumentTerms, WordWeighting};
pub(crate) use time_bins::{Binning, TimeBins, too_many};
pub(crate) use tuned_words::{TunedWords, Tuning};

/// The topics of a frame. Cloning is cheap: the parts are shared.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    /// The mapping from rows and cluster labels to topics.
    pub(crate) assignment: Arc<Assignment>,
    /// The term counts of documents and topics, and the topics' weights.
    pub(crate) terms: Arc<TopicTerms>,
    /// The mean vector of each topic.
    pub(crate) centroids: Arc<Centroids>,
    /// The words, additional descriptions and representative rows.
    pub(crate) description: Arc<Description>,
    /// The labels that topics were given, by topic id. One of -1 is kept while there are no outliers.
    pub(crate) labels: Arc<BTreeMap<i32, String>>,
    /// The edits since the fit, oldest first.
    pub(crate) history: Arc<Vec<Regrouping>>,
}

/// The descriptions of topics, by topic id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) words: TopicWords,
    pub(crate) aspects: BTreeMap<String, Aspect>,
    /// The names of the aspects, in the order in which they were requested.
    pub(crate) order: Vec<String>,
    /// The rows that represent each topic, with their scores, best first.
    pub(crate) representatives: BTreeMap<i32, Vec<(usize, f64)>>,
}

impl Topics {
    /// The topics of a fit, without edits.
    pub(crate) fn new(
        assignment: Assignment,
        terms: TopicTerms,
        centroids: Centroids,
        description: Description,
    ) -> Self {
        Topics {
            assignment: Arc::new(assignment),
            terms: Arc::new(terms),
            centroids: Arc::new(centroids),
            description: Arc::new(description),
            labels: Arc::default(),
            history: Arc::default(),
        }
    }

    /// A number that other topics hardly ever have: of the topic of each row, the sizes of topics and their mean vectors.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.assignment.topics.hash(&mut hasher);
        self.assignment.sizes.hash(&mut hasher);
        for (topic, mean) in self.centroids.iter() {
            topic.hash(&mut hasher);
            mean.iter().for_each(|x| x.to_bits().hash(&mut hasher));
        }
        hasher.finish()
    }

    /// The same topics with an edit in their history that moved no row.
    pub(crate) fn recorded(&self, edit: &str) -> Self {
        let topics = &self.assignment.topics;
        let history = self.history.iter().cloned().chain([Regrouping::new(edit, topics, topics)]).collect();
        Topics { history: Arc::new(history), ..self.clone() }
    }

    /// The same topics with labels.
    pub(crate) fn with_labels(self, labels: BTreeMap<i32, String>) -> Self {
        Topics { labels: Arc::new(labels), ..self }
    }

    /// The same topics with a history.
    pub(crate) fn with_history(self, history: Vec<Regrouping>) -> Self {
        Topics { history: Arc::new(history), ..self }
    }

    /// Regroups the same rows by `groups`, an arbitrary number for each row, -1 for outliers. Topics are numbered by
    /// size, ties by group number. Counts and weights are recomputed without reading the texts, and so is the mean of
    /// every topic whose rows changed. A row that becomes an outlier has probability 0; other probabilities are
    /// unchanged.
    ///
    /// `describe` describes the new topics. `edit` is the name of the edit, for the [history](Self::history).
    pub(crate) fn regroup(
        &self,
        edit: &str,
        groups: &[i32],
        vectors: &Embeddings,
        weighting: &ClassTfIdf,
        describe: impl FnOnce(&Assignment, &TopicTerms) -> Result<Description>,
    ) -> Result<Topics> {
        let (assignment, regrouping) = self.assignment.regrouped(edit, groups, vectors);
        self.reassigned(assignment, regrouping, vectors, weighting, describe)
    }

    /// The topics of the same rows by another clustering, recorded as `edit`; otherwise like [`regroup`](Self::regroup).
    pub(crate) fn reassign(
        &self,
        edit: &str,
        assignment: Assignment,
        vectors: &Embeddings,
        weighting: &ClassTfIdf,
        describe: impl FnOnce(&Assignment, &TopicTerms) -> Result<Description>,
    ) -> Result<Topics> {
        let regrouping = Regrouping::new(edit, &self.assignment.topics, &assignment.topics);
        self.reassigned(assignment, regrouping, vectors, weighting, describe)
    }

    fn reassigned(
        &self,
        assignment: Assignment,
        regrouping: Regrouping,
        vectors: &Embeddings,
        weighting: &ClassTfIdf,
        describe: impl FnOnce(&Assignment, &TopicTerms) -> Result<Description>,
    ) -> Result<Topics> {
        let unchanged = regrouping.unchanged();
        let (terms, centroids) = rayon::join(
            || self.terms.regrouped(&unchanged, &self.assignment.ids(), &assignment, weighting),
            || self.centroids.regrouped(&unchanged, &assignment, vectors),
        );
        let terms = terms?;
        let description = describe(&assignment, &terms)?;
        let labels = labels::relabeled(&self.labels, &regrouping);
        let history = self.history.iter().cloned().chain([regrouping]).collect();
        Ok(Topics::new(assignment, terms, centroids, description).with_labels(labels).with_history(history))
    }
}
