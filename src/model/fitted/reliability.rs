//! How far the topics depend on single rows.

use polars::prelude::*;

use super::FittedTopicModel;
use super::trust::mean_of;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::mix::mix;
use crate::measure::best_matches;

/// The share of the rows that a sample has.
const KEPT: f64 = 0.8;

impl FittedTopicModel {
    /// How reliable each topic is if the data change: clusters a random 80 % of the rows again, `refits` times, and
    /// compares. One row per topic without -1, ascending: `Topic` (Int32), `Count` (Int64), `Name` (String) and
    /// `Reliability` (Float64, 0 to 1): the mean Jaccard similarity of the topic's rows in a sample with what matches
    /// them best in the clustering of that sample, as in `Stability` of [`topic_quality`](Self::topic_quality). A topic
    /// that five refits reproduce with .7 or more hardly depends on single rows.
    ///
    /// Nothing is embedded again, and no neighbors are searched: the neighbor graph of the fit is cut down to the sample.
    /// Each refit takes about as long as the clustering did. The samples follow from the model's seed.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a cat sleeps", "a fast train", "the fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(Communities::new().n_neighbors(3));
    /// let topics = model.fit(&posts)?;
    /// assert_eq!(topics.reliability(2)?.height(), topics.summary().topics);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `refits` is 0 or above 100; the clusterer cannot cluster a part of its rows again
    /// ([`Communities`](crate::cluster::Communities) can); the model is without its data; interrupted.
    pub fn reliability(&self, refits: usize) -> Result<DataFrame> {
        if !(1..=100).contains(&refits) {
            return Err(Error::invalid_parameter(Stage::Topics, "refits", refits, "1 to 100"));
        }
        let data = self.data_with_vectors("reliability")?;
        let topics: Vec<i32> = self.topics_of(&data.encoded.rows).collect();
        let progress = &self.settings.progress;
        let task = progress.task(Stage::Cluster, "refits", refits);
        let mut found = Vec::new();
        for refit in 0..refits {
            let seed = mix(self.settings.seed, refit as u64);
            let sample = sample(topics.len(), seed);
            let Some(clusters) = self.pipeline.clusterer.refit(&sample, seed, progress)? else {
                return Err(cannot_refit());
            };
            found.push(best_matches(sample.iter().map(|&row| topics[row]).zip(clusters)));
            task.advance(1);
        }
        task.finish()?;
        let ids = self.without_outliers();
        let sizes: Vec<i64> = ids.iter().map(|&id| self.topic_size(id).unwrap_or(0) as i64).collect();
        let columns = vec![
            Column::new("Topic".into(), &ids),
            Column::new("Count".into(), sizes),
            Column::new("Name".into(), ids.iter().map(|&id| self.topic_label(id)).collect::<Vec<_>>()),
            Column::new("Reliability".into(), ids.iter().map(|id| mean_of(&found, id)).collect::<Vec<_>>()),
        ];
        DataFrame::new(ids.len(), columns).map_err(internal)
    }
}

/// A random 80 % of `rows` rows, ascending, at least one.
fn sample(rows: usize, seed: u64) -> Vec<usize> {
    let kept = ((rows as f64 * KEPT).round() as usize).clamp(rows.min(1), rows);
    let mut drawn: Vec<(u64, usize)> = (0..rows).map(|row| (mix(seed, row as u64), row)).collect();
    drawn.sort_unstable();
    let mut sample: Vec<usize> = drawn.into_iter().take(kept).map(|(_, row)| row).collect();
    sample.sort_unstable();
    sample
}

fn cannot_refit() -> Error {
    let message = "the clusterer cannot cluster a part of its rows again, so the topics' reliability is not known";
    Error::new(ErrorKind::NotFound, Stage::Topics, message)
        .with_hint("Fit with Communities, or fit the model to random samples of the frame and compare the topics.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_80_percent_of_the_rows() {
        assert_eq!((sample(0, 1).len(), sample(1, 1), sample(1_000, 1).len()), (0, vec![0], 800));
        assert!(sample(1_000, 1).is_sorted() && sample(1_000, 1) != sample(1_000, 2));
    }
}
