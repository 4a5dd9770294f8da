//! Granularity after the fit: the cuts of the tree that the clusterer found.

use polars::prelude::*;

use super::FittedTopicModel;
use crate::cluster::Clustering;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::measure::{mean, mean_agreement};
use crate::model::check::checked;
use crate::topics::TermCoherence;

/// The maximum number of layers: more than a person compares.
const MAX_LAYERS: usize = 6;

/// Layers whose numbers of topics differ by a smaller factor tell the same.
const APART: f64 = 1.25;

/// A cut of the tree.
struct Layer {
    /// The cluster of each clustered row.
    labels: Vec<i32>,
    topics: usize,
    /// The number of rows of the largest topic.
    largest: usize,
    /// How far the runs agree at about this number.
    stability: Option<f64>,
    is_present: bool,
}

impl FittedTopicModel {
    /// The layers of the tree of topics that the clusterer found: up to six cuts, of which [`at`](Self::at) takes one and
    /// [`topics_at`](Self::topics_at) several. One row per cut, the coarsest first:
    ///
    /// | column | meaning |
    /// |---|---|
    /// | `Layer` (Int64) | its number, from 0 for the coarsest |
    /// | `Topics` (Int64) | its number of topics, without -1: the number to pass to `at` |
    /// | `NPMI` (Float64) | how well a topic's ten best words belong together, -1 to 1: the mean of [`document_npmi`](crate::measure::document_npmi) over the topics; null without texts |
    /// | `Stability` (Float64) | the mean adjusted Rand index between the runs of the clusterer at about as many clusters, as `Agreement` in [`quality`](Self::quality); 1 if they are the same, null if it has only one run |
    /// | `Largest` (Float64) | the share of all rows that the largest topic has, 0 to 1 |
    /// | `Present` (Boolean) | whether these are the topics of this model |
    ///
    /// Layers are the levels that the clusterer found by itself (of [`Communities`](crate::cluster::Communities): two per
    /// doubling of the resolution, each the consensus of all runs), and the cut that the model has now, unless its topics
    /// were merged. Levels with a single topic, or with less than a quarter more topics than the one before, are left
    /// out, and the least stable ones if there are more than six. A small tree has fewer than three.
    ///
    /// NPMI is that of words as they are counted, by whole texts, as in the choice of the number of topics: compare it
    /// between layers, not with that of `quality`, which is by windows. It tends to rise with the number of topics, and
    /// is negative where texts are short. Neither NPMI nor stability depends on edits.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let folder = "examples/data/openclipart";
    /// let drawings = read_csv(format!("{folder}/captions.csv"))?;
    /// let model = TopicModel::text("caption", StaticEmbedder::builtin()).clusterer(Communities::new());
    /// let topics = model.fit(&drawings)?;
    ///
    /// let layers = topics.layers()?;
    /// let counts: Vec<i64> = layers.column("Topics")?.i64()?.iter().flatten().collect();
    /// assert!(counts.len() >= 3 && counts.is_sorted());
    /// let coarse = topics.at(counts[0] as usize)?;
    /// assert_eq!(coarse.summary().topics as i64, counts[0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The clusterer found no tree ([`Communities`](crate::cluster::Communities) does); the model is without its data;
    /// interrupted.
    pub fn layers(&self) -> Result<DataFrame> {
        let data = self.data_with_vectors("layers")?;
        let layers = self.stable_layers()?;
        let coherence = TermCoherence::new(self.topics.terms.documents(), &data.encoded.rows);
        let mut npmi = Vec::with_capacity(layers.len());
        for layer in &layers {
            self.settings.progress.check(Stage::Topics)?;
            let count = layer.labels.iter().max().map_or(0, |&last| usize::try_from(last + 1).unwrap_or(0));
            npmi.push(mean(coherence.npmi_of_groups(&layer.labels, count).into_iter().flatten()));
        }
        let rows = data.documents.rows.max(1) as f64;
        let largest = layers.iter().map(|layer| layer.largest as f64 / rows);
        let columns = vec![
            Column::new("Layer".into(), (0..layers.len() as i64).collect::<Vec<_>>()),
            Column::new("Topics".into(), layers.iter().map(|layer| layer.topics as i64).collect::<Vec<_>>()),
            Column::new("NPMI".into(), npmi),
            Column::new("Stability".into(), layers.iter().map(|layer| layer.stability).collect::<Vec<Option<f64>>>()),
            Column::new("Largest".into(), largest.collect::<Vec<f64>>()),
            Column::new("Present".into(), layers.iter().map(|layer| layer.is_present).collect::<Vec<bool>>()),
        ];
        DataFrame::new(layers.len(), columns).map_err(internal)
    }

    /// The topics of each row of the fitted frame at several granularities: a column `Topic_<n>` (Int32, -1 for
    /// outliers) for each of the numbers `n` in `nr_topics`, in their order, with the labels of [`at(n)`](Self::at). In
    /// each column, topic 0 is the largest. Columns are nested: rows in the same topic of a finer cut are in the same
    /// topic of a coarser one. Edits of the topics are not considered.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let folder = "examples/data/openclipart";
    /// let drawings = read_csv(format!("{folder}/captions.csv"))?;
    /// let model = TopicModel::text("caption", StaticEmbedder::builtin()).clusterer(Communities::new());
    /// let topics = model.fit(&drawings)?;
    ///
    /// let levels = topics.topics_at(&[5, 20])?;
    /// assert_eq!(levels.get_column_names(), ["Topic_5", "Topic_20"]);
    /// assert_eq!(levels.height(), drawings.height());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A number is 0, or occurs twice; the clusterer found no tree ([`Communities`](crate::cluster::Communities) does);
    /// the model is without its data; interrupted.
    pub fn topics_at(&self, nr_topics: &[usize]) -> Result<DataFrame> {
        let data = self.data_with_vectors("topics_at")?;
        let mut columns = Vec::with_capacity(nr_topics.len());
        for (at, &count) in nr_topics.iter().enumerate() {
            self.settings.progress.check(Stage::Topics)?;
            if nr_topics.iter().take(at).any(|&earlier| earlier == count) {
                let message = format!("the number {count} is listed twice, and would be two columns of the same name");
                return Err(
                    Error::new(ErrorKind::InvalidParameter, Stage::Topics, message).with_hint("List each number once.")
                );
            }
            let assignment = self.assigned(data, &self.tree_at(count)?, None)?;
            columns.push(Column::new(format!("Topic_{count}").into(), assignment.topics));
        }
        DataFrame::new(data.documents.rows, columns).map_err(internal)
    }

    /// The model at up to `most` coarser cuts of the tree, the coarsest first, each with at least three topics and at most
    /// a third of the topics of the next; none if the clusterer found no tree, or if vectors are missing.
    pub(crate) fn coarser(&self, most: usize) -> Result<Vec<FittedTopicModel>> {
        if self.data_with_vectors("layers").is_err() {
            return Ok(Vec::new());
        }
        let mut layers = Vec::new();
        let mut finest = self.summary().topics;
        for count in apart(self.pipeline.clusterer.levels(), None).into_iter().rev() {
            if layers.len() < most && count >= 3 && count * 3 <= finest {
                let layer = self.recut("at", self.tree_at(count)?, None)?;
                finest = layer.summary().topics;
                layers.push(layer);
            }
        }
        layers.reverse();
        Ok(layers)
    }

    /// The cut of the tree with `nr_topics` topics, or the nearest number that it has.
    pub(super) fn tree_at(&self, nr_topics: usize) -> Result<Clustering> {
        if nr_topics == 0 {
            return Err(Error::invalid_parameter(Stage::Topics, "nr_topics", 0, "at least 1"));
        }
        self.clustering_at(nr_topics)?.ok_or_else(no_tree)
    }

    /// The same, but `None` if the clusterer found no tree.
    pub(super) fn clustering_at(&self, nr_topics: usize) -> Result<Option<Clustering>> {
        let rows = self.data_with_vectors("at")?.encoded.rows.len();
        self.pipeline.clusterer.at(nr_topics).map(|clustering| checked(clustering, rows)).transpose()
    }

    /// The layers, ascending by their number of topics.
    fn stable_layers(&self) -> Result<Vec<Layer>> {
        let present = self.topics.assignment.unmerged().filter(|&count| count > 0);
        let mut counts = self.pipeline.clusterer.levels();
        if counts.is_empty() {
            return Err(no_tree());
        }
        counts.extend(present);
        let mut layers = Vec::new();
        for count in apart(counts, present) {
            self.settings.progress.check(Stage::Topics)?;
            layers.push(Layer::new(self.tree_at(count)?, present == Some(count)));
        }
        while layers.len() > MAX_LAYERS {
            // The finest of equally stable ones.
            let stability = |layer: &Layer| layer.stability.unwrap_or(1.0);
            let given_up = layers.iter().enumerate().rev().filter(|(_, layer)| !layer.is_present);
            match given_up.min_by(|a, b| stability(a.1).total_cmp(&stability(b.1))).map(|(place, _)| place) {
                Some(place) => drop(layers.remove(place)),
                None => break,
            }
        }
        Ok(layers)
    }
}

impl Layer {
    fn new(clustering: Clustering, is_present: bool) -> Self {
        let labels = clustering.labels;
        let count = labels.iter().max().map_or(0, |&last| usize::try_from(last + 1).unwrap_or(0));
        let mut sizes = vec![0_usize; count];
        for &label in &labels {
            if let Some(size) = usize::try_from(label).ok().and_then(|label| sizes.get_mut(label)) {
                *size += 1;
            }
        }
        Layer {
            topics: sizes.iter().filter(|&&size| size > 0).count(),
            largest: sizes.into_iter().max().unwrap_or(0),
            stability: mean_agreement(&clustering.model.runs()),
            labels,
            is_present,
        }
    }
}

/// The numbers of topics in `counts` that tell something different, ascending: more than one, and far enough apart.
/// `present` is among them in any case.
fn apart(mut counts: Vec<usize>, present: Option<usize>) -> Vec<usize> {
    counts.sort_unstable();
    counts.dedup();
    let is_near = |a: usize, b: usize| (a.max(b) as f64) < APART * a.min(b) as f64;
    let mut kept: Vec<usize> = Vec::new();
    for count in counts {
        let near_present = present.is_some_and(|present| present != count && is_near(present, count));
        let near_last = kept.last().is_some_and(|&last| is_near(last, count));
        if present == Some(count) || count > 1 && !near_present && !near_last {
            kept.push(count);
        }
    }
    kept
}

fn no_tree() -> Error {
    let message = "the clusterer found no tree of topics, so there is no other number of them to choose";
    Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(
        Hint::new("Fit with .clusterer(Communities::new()), or merge topics with reduce_topics or merge_topics.")
            .on_command_line("Fit without --like bertopic, or merge topics with --nr-topics or --merge."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_apart_and_include_the_present_one() {
        assert_eq!(apart(vec![1, 4, 5, 9, 10, 24], None), [4, 5, 9, 24]);
        assert_eq!(apart(vec![1, 4, 5, 9, 10, 24, 11], Some(11)), [4, 5, 11, 24]);
        assert_eq!(apart(vec![1, 1], Some(1)), [1]);
        assert_eq!(apart(vec![0, 40, 44, 48, 52], None), [40, 52]);
    }
}
