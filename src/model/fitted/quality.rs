//! How far the topics can be trusted.

use std::collections::BTreeMap;

use polars::prelude::*;
use rayon::prelude::*;

use super::trust::{TopicQuality, mean_of, rank};
use super::{FittedTopicModel, replace_columns};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Result, Stage};
use crate::measure::{TOP_WORDS, WindowCounts, best_matches, diversity, mean, mean_agreement, separations};

/// Texts that are split into words at a time, which bounds the memory of the words.
const TEXTS: usize = 8192;

impl FittedTopicModel {
    /// The quality of the topics as one row, without known labels:
    ///
    /// | column | meaning |
    /// |---|---|
    /// | `Topics` (Int64) | the number of topics, without -1 |
    /// | `Outliers` (Float64) | the share of rows in topic -1 |
    /// | `NPMI` (Float64) | how well a topic's words belong together, -1 to 1: the mean of `Coherence` in [`topic_quality`](Self::topic_quality), which is gensim's `c_npmi` |
    /// | `Diversity` (Float64) | the share of distinct words among the ten best of all topics, 0 to 1 |
    /// | `Confidence` (Float64) | the mean `Probability` of the rows in topics, 0 to 1 |
    /// | `Agreement` (Float64) | the mean adjusted Rand index between the runs of the clusterer, at about as many clusters; 1 if they are the same |
    ///
    /// What is not known is null: NPMI and diversity without words, NPMI also without texts or
    /// [without the data](Self::without_data), agreement if the clusterer has only one run
    /// ([`Communities`](crate::cluster::Communities) has several), and confidence without topics.
    ///
    /// NPMI rises if rows without clear topics are left out, so compare it together with `Topics` and `Outliers`.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a cat sleeps", "a fast train", "the fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let quality = model.fit(&posts)?.quality()?;
    /// assert_eq!(quality.column("Diversity")?.f64()?.get(0), Some(1.0));
    /// assert_eq!(quality.column("Agreement")?.f64()?.get(0), None);     // k-means runs once
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Interrupted.
    pub fn quality(&self) -> Result<DataFrame> {
        let ids = self.without_outliers();
        let words = self.top_words(&ids);
        let assignment = &*self.topics.assignment;
        let rows = assignment.topics.len();
        let in_topics = assignment.topics.iter().zip(&assignment.probabilities).filter(|(topic, _)| **topic != OUTLIER);
        let outliers = (rows > 0).then(|| 1.0 - assignment.clustered() as f64 / rows as f64);
        let npmi = mean(self.coherences(&words)?.into_iter().flatten());
        let agreement = mean_agreement(&self.pipeline.clusterer.runs());
        let number = |name: &str, value: Option<f64>| Column::new(name.into(), [value]);
        let columns = vec![
            Column::new("Topics".into(), [ids.len() as i64]),
            number("Outliers", outliers),
            number("NPMI", npmi),
            number("Diversity", diversity(&words, TOP_WORDS)),
            number("Confidence", mean(in_topics.map(|(_, probability)| *probability))),
            number("Agreement", agreement),
        ];
        DataFrame::new(1, columns).map_err(internal)
    }

    /// How far each topic can be trusted, one row per topic without -1, ascending:
    ///
    /// | column | meaning |
    /// |---|---|
    /// | `Topic` (Int32), `Count` (Int64), `Name` (String) | as in [`get_topic_info`](Self::get_topic_info) |
    /// | `Coherence` (Float64) | how well its ten best words belong together, -1 to 1: the mean NPMI of their pairs over windows of ten counted words ([`npmi`](crate::measure::npmi)) |
    /// | `Stability` (Float64) | how well the runs of the clusterer reproduce it, 0 to 1: the mean Jaccard similarity with what matches it best in each run, which is a cluster, or all clusters with most of their rows in the topic |
    /// | `Margin` (Float64) | the mean of its rows' `Probability` minus their strength in the second best topic, -1 to 1 |
    /// | `Separation` (Float64) | the mean cosine of its images to their centroid, minus that to the nearest other centroid, -2 to 2 |
    /// | `Trust_rank` (Int64) | its place by the mean of its ranks in these four, as far as they are known: 1 for the topic to trust most |
    ///
    /// What is not known is null: coherence without texts or with fewer than two words, stability and margin if the
    /// clusterer does not tell ([`Communities`](crate::cluster::Communities) does), separation without image vectors. A
    /// topic in which one of them is null, but not in others, has the lowest rank there.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a cat sleeps", "a fast train", "the fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(Communities::new().n_neighbors(3));
    /// let quality = model.fit(&posts)?.topic_quality()?;
    /// assert!(quality.column("Stability")?.f64()?.get(0) > Some(0.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Interrupted.
    pub fn topic_quality(&self) -> Result<DataFrame> {
        let qualities = self.topic_qualities()?;
        let size = |topic: i32| self.topic_size(topic).unwrap_or(0) as i64;
        let names: Vec<Option<String>> = qualities.iter().map(|quality| self.topic_label(quality.topic)).collect();
        let mut columns = vec![
            Column::new("Topic".into(), qualities.iter().map(|quality| quality.topic).collect::<Vec<_>>()),
            Column::new("Count".into(), qualities.iter().map(|quality| size(quality.topic)).collect::<Vec<_>>()),
            Column::new("Name".into(), names),
        ];
        columns.extend(measures(qualities.iter().map(Some)));
        DataFrame::new(qualities.len(), columns).map_err(internal)
    }

    /// [`get_topic_info`](Self::get_topic_info) with the columns `Coherence`, `Stability`, `Margin`, `Separation` and
    /// `Trust_rank` of [`topic_quality`](Self::topic_quality); they are null for topic -1.
    ///
    /// # Errors
    /// As [`get_topic_info`](Self::get_topic_info); interrupted.
    pub fn get_topic_info_with_quality(&self) -> Result<DataFrame> {
        let qualities: BTreeMap<i32, TopicQuality> =
            self.topic_qualities()?.into_iter().map(|quality| (quality.topic, quality)).collect();
        let ids = self.topic_ids();
        replace_columns(&self.get_topic_info()?, measures(ids.iter().map(|id| qualities.get(id))))
    }

    /// How far each topic can be trusted, ascending by topic, without -1.
    pub(crate) fn topic_qualities(&self) -> Result<Vec<TopicQuality>> {
        let ids = self.without_outliers();
        let coherences = self.coherences(&self.top_words(&ids))?;
        let (stabilities, margins, separations) = (self.stabilities(), self.margins(), self.separations());
        let of_topic = |(&topic, coherence): (&i32, Option<f64>)| TopicQuality {
            topic,
            coherence,
            stability: mean_of(&stabilities, &topic),
            margin: margins.get(&topic).copied(),
            separation: separations.get(&topic).copied(),
            rank: None,
        };
        let mut qualities: Vec<TopicQuality> = ids.iter().zip(coherences).map(of_topic).collect();
        rank(&mut qualities);
        Ok(qualities)
    }

    /// The topic of each of `rows`.
    pub(super) fn topics_of(&self, rows: &[usize]) -> impl Iterator<Item = i32> + Clone {
        let topics = &self.topics.assignment.topics;
        rows.iter().map(|&row| topics.get(row).copied().unwrap_or(OUTLIER))
    }

    pub(super) fn without_outliers(&self) -> Vec<i32> {
        self.topic_ids().into_iter().filter(|&topic| topic != OUTLIER).collect()
    }

    pub(super) fn top_words(&self, ids: &[i32]) -> Vec<Vec<&str>> {
        let words = |id: &i32| {
            let words = self.topics.description.words.get(id).into_iter().flatten();
            words.map(|(word, _)| word.as_str()).filter(|word| !word.is_empty()).take(TOP_WORDS).collect()
        };
        ids.iter().map(words).collect()
    }

    /// The coherence of each topic's words in the texts of the fit.
    fn coherences(&self, words: &[Vec<&str>]) -> Result<Vec<Option<f64>>> {
        let texts = self.data.as_ref().and_then(|data| data.texts.as_ref());
        let (Some(texts), Some(vectorizer)) = (texts, self.topics.terms.vectorizer()) else {
            return Ok(vec![None; words.len()]);
        };
        // Phrases are found where their words are.
        let vectorizer = vectorizer.clone().ngram_range(1, 1);
        let texts: Vec<&str> = texts.by_row().into_iter().map(|(_, text)| text).collect();
        let mut counts = WindowCounts::new(words);
        for texts in texts.chunks(TEXTS) {
            self.settings.progress.check(Stage::Topics)?;
            counts.add(&vectorizer.analyze(texts)?);
        }
        Ok(counts.npmi())
    }

    /// For each run of the clusterer, how well it reproduces each topic.
    fn stabilities(&self) -> Vec<BTreeMap<i32, f64>> {
        let Some(data) = &self.data else { return Vec::new() };
        let of_run = |run: Vec<i32>| best_matches(self.topics_of(&data.encoded.rows).zip(&run).map(|(a, &b)| (a, b)));
        self.pipeline.clusterer.runs().into_par_iter().with_max_len(1).map(of_run).collect()
    }

    /// The mean difference between the strengths of each topic's rows in their topic and in the second best.
    fn margins(&self) -> BTreeMap<i32, f64> {
        let assignment = &*self.topics.assignment;
        let mut sums = BTreeMap::<i32, (f64, usize)>::new();
        let runners_up = assignment.runners_up.iter().flatten();
        for ((&topic, own), (_, other)) in assignment.topics.iter().zip(&assignment.probabilities).zip(runners_up) {
            let (sum, rows) = sums.entry(topic).or_default();
            *sum += own - other;
            *rows += 1;
        }
        sums.into_iter().map(|(topic, (sum, rows))| (topic, sum / rows as f64)).collect()
    }

    fn separations(&self) -> BTreeMap<i32, f64> {
        let Some(images) = self.data.as_ref().and_then(|data| data.encoded.images.as_ref()) else {
            return BTreeMap::new();
        };
        let topics = self.topics.assignment.topics.iter().enumerate();
        separations(topics.filter_map(|(row, &topic)| Some((topic, images.get(row)?))))
    }
}

/// The columns of the measures.
fn measures<'a>(qualities: impl Iterator<Item = Option<&'a TopicQuality>>) -> Vec<Column> {
    let qualities: Vec<Option<&TopicQuality>> = qualities.collect();
    let column = |name: &str, measure: fn(&TopicQuality) -> Option<f64>| {
        Column::new(name.into(), qualities.iter().map(|one| one.and_then(measure)).collect::<Vec<Option<f64>>>())
    };
    let ranks = qualities.iter().map(|one| one.and_then(|one| one.rank).map(|rank| rank as i64));
    vec![
        column("Coherence", |one| one.coherence),
        column("Stability", |one| one.stability),
        column("Margin", |one| one.margin),
        column("Separation", |one| one.separation),
        Column::new("Trust_rank".into(), ranks.collect::<Vec<Option<i64>>>()),
    ]
}
