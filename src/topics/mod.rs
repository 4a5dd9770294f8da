//! Topics as data: which row has which topic, what the topics' texts contain, where topics lie, how they are described.
//!
//! Knows nothing of the model that found them. Every edit is one `regroup` of rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::corpus::Embeddings;
use crate::error::Result;
use crate::represent::{Aspect, TopicWords};
use crate::vectorize::ClassTfIdf;

mod assignment;
mod centroids;
mod history;
mod linkage;
mod terms;

pub(crate) use assignment::{Assignment, Place};
pub(crate) use centroids::Centroids;
pub use history::Regrouping;
pub(crate) use linkage::average_linkage;
pub use terms::TopicTerms;

/// The topics of a frame. Cloning is cheap: the parts are shared.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    /// Row to topic, and cluster label to topic.
    pub(crate) assignment: Arc<Assignment>,
    /// Term counts of documents and of topics, and the topics' weights.
    pub(crate) terms: Arc<TopicTerms>,
    /// The mean vector of each topic.
    pub(crate) centroids: Arc<Centroids>,
    /// Words, other descriptions and representative rows.
    pub(crate) description: Arc<Description>,
    /// The edits since the fit, the first one first.
    pub(crate) history: Arc<Vec<Regrouping>>,
}

/// What describes topics, by topic id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) words: TopicWords,
    pub(crate) aspects: BTreeMap<String, Aspect>,
    /// The names of the aspects, in the order in which they were asked for.
    pub(crate) order: Vec<String>,
    /// The rows that represent each topic, with their scores, best first.
    pub(crate) representatives: BTreeMap<i32, Vec<(usize, f64)>>,
}

impl Topics {
    /// The topics of a fit, which nothing has edited.
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
            history: Arc::default(),
        }
    }

    /// Topics of the same rows by `groups`, any number for each row, -1 for outliers: numbered by size, topics of one
    /// size in the order of their groups. Counts and weights follow without reading a text, and so does the mean of
    /// every topic whose rows changed. A row that becomes an outlier has the probability 0; other probabilities stay.
    ///
    /// `describe` describes the new topics. `edit` names what was done, for the [history](Self::history).
    pub(crate) fn regroup(
        &self,
        edit: &str,
        groups: &[i32],
        vectors: &Embeddings,
        weighting: &ClassTfIdf,
        describe: impl FnOnce(&Assignment, &TopicTerms) -> Result<Description>,
    ) -> Result<Topics> {
        let (assignment, regrouping) = self.assignment.regrouped(edit, groups);
        let terms = self.terms.regrouped(&regrouping, &self.assignment.ids(), &assignment, weighting)?;
        let centroids = self.centroids.regrouped(&regrouping, &assignment, vectors);
        let description = describe(&assignment, &terms)?;
        let history = self.history.iter().cloned().chain([regrouping]).collect();
        Ok(Topics { history: Arc::new(history), ..Topics::new(assignment, terms, centroids, description) })
    }
}
