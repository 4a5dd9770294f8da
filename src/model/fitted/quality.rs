//! How far the topics can be trusted.

use std::collections::BTreeMap;

use polars::prelude::*;
use rayon::prelude::*;

use super::trust::{Margin, Repetition, TopicQuality, caution, margins, mean_of, rank, repetitions};
use super::{FittedTopicModel, replace_columns};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Result, Stage};
use crate::measure::{
    Chance, TOP_WORDS, WindowCounts, WordsInCommon, best_matches, diversity, mean, mean_agreement, separations,
};

/// Texts that are split into words at a time, which bounds the memory of the words.
const TEXTS: usize = 8192;

/// How far topics can be trusted, each and as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Quality {
    /// Ascending by topic, without -1.
    pub(crate) topics: Vec<TopicQuality>,
    /// The share of rows in topic -1.
    pub(crate) outliers: Option<f64>,
    pub(crate) npmi: Option<f64>,
    /// The mean coherence by chance.
    pub(crate) chance: Option<f64>,
    pub(crate) diversity: Option<f64>,
    pub(crate) confidence: Option<f64>,
    /// The number of runs of the clusterer, and how far they agree.
    pub(crate) runs: usize,
    pub(crate) agreement: Option<f64>,
    /// What speaks against the clustering as a whole.
    pub(crate) caution: Option<&'static str>,
}

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
    /// | `Caution` (String) | what speaks against the topics as a whole; null if nothing does |
    ///
    /// What is not known is null: NPMI and diversity without words, NPMI also without texts or
    /// [without the data](Self::without_data), agreement if the clusterer has only one run
    /// ([`Communities`](crate::cluster::Communities) has several, which divide the same communities of the level above, so
    /// they agree more than independent ones), and confidence without topics.
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
        let quality = self.measured()?;
        let number = |name: &str, value: Option<f64>| Column::new(name.into(), [value]);
        let columns = vec![
            Column::new("Topics".into(), [quality.topics.len() as i64]),
            number("Outliers", quality.outliers),
            number("NPMI", quality.npmi),
            number("Diversity", quality.diversity),
            number("Confidence", quality.confidence),
            number("Agreement", quality.agreement),
            Column::new("Caution".into(), [quality.caution]),
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
    /// | `Coherence_by_chance` (Float64) | the coherence of words that are as frequent as these, but anywhere in the texts: the mean of five shuffles |
    /// | `Repetition` (Float64) | the share of a text's counted terms that another text of the topic has as well, 0 to 1: near 1 for copies of a text |
    /// | `Trust_rank` (Int64) | its place by the mean of its ranks in the first four, as far as they are known: 1 for the topic to trust most; topics with a `Caution` come last |
    /// | `Caution` (String) | what speaks against the topic, in words; null if nothing does |
    ///
    /// Measures that are not known are null. A caution does not depend on the other topics: `Stability` is below .5, so
    /// that what matches the topic best is as much something else (a dissolved cluster; Hennig 2007); `Coherence` is not
    /// above that of each shuffle; `Margin` is not above 0 by two standard errors; `Separation` is not above 0; or
    /// `Repetition` is .5 or more, and two texts have five terms or more in common, as copies of a text, or those that end
    /// with the same signature. [`quality`](Self::quality) has a caution about all topics, if those that chance would make,
    /// too (by stability or coherence), have most of the rows, or if texts hardly have more words in common with the
    /// nearest ones than after they exchanged words at random (swap randomization; Gionis and others 2007).
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
        let qualities = self.measured()?.topics;
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

    /// [`get_topic_info`](Self::get_topic_info) with the columns of [`topic_quality`](Self::topic_quality) from `Coherence`
    /// on; they are null for topic -1.
    ///
    /// # Errors
    /// As [`get_topic_info`](Self::get_topic_info); interrupted.
    pub fn get_topic_info_with_quality(&self) -> Result<DataFrame> {
        self.with_quality(&self.get_topic_info()?)
    }

    /// The same of [`get_topic_info_with_paths`](Self::get_topic_info_with_paths).
    ///
    /// # Errors
    /// As [`get_topic_info_with_paths`](Self::get_topic_info_with_paths); interrupted.
    pub fn get_topic_info_with_paths_and_quality(&self) -> Result<DataFrame> {
        self.with_quality(&self.get_topic_info_with_paths()?)
    }

    /// A table of all topics with the columns of the measures.
    fn with_quality(&self, info: &DataFrame) -> Result<DataFrame> {
        let qualities: BTreeMap<i32, TopicQuality> =
            self.measured()?.topics.into_iter().map(|quality| (quality.topic, quality)).collect();
        let ids = self.topic_ids();
        replace_columns(info, measures(ids.iter().map(|id| qualities.get(id))))
    }

    /// How far the topics can be trusted.
    pub(crate) fn measured(&self) -> Result<Quality> {
        let ids = self.without_outliers();
        let words = self.top_words(&ids);
        let coherences = self.coherences(&words)?;
        let runs = self.pipeline.clusterer.runs();
        let stabilities = self.stabilities(&runs);
        let (margins, separations, repetitions) = (self.margins(), self.separations(), self.repetitions());
        let of_topic = |(&topic, (coherence, chance)): (&i32, (Option<f64>, Option<Chance>))| TopicQuality {
            topic,
            coherence,
            chance,
            stability: mean_of(&stabilities, &topic),
            margin: margins.get(&topic).copied(),
            separation: separations.get(&topic).copied(),
            repetition: repetitions.get(&topic).copied(),
            rank: None,
        };
        let mut topics: Vec<TopicQuality> = ids.iter().zip(coherences).map(of_topic).collect();
        rank(&mut topics);
        let assignment = &*self.topics.assignment;
        let (clustered, outliers) = (assignment.clustered() as f64, assignment.outlier_count() as f64);
        let in_topics = assignment.topics.iter().zip(&assignment.probabilities).filter(|(topic, _)| **topic != OUTLIER);
        let sized = topics.iter().map(|quality| (quality, self.topic_size(quality.topic).unwrap_or(0)));
        Ok(Quality {
            outliers: (clustered + outliers > 0.0).then(|| outliers / (clustered + outliers)),
            npmi: mean(topics.iter().filter_map(|one| one.coherence)),
            chance: mean(topics.iter().filter_map(|one| Some(one.chance?.mean))),
            diversity: diversity(&words, TOP_WORDS),
            confidence: mean(in_topics.map(|(_, probability)| *probability)),
            runs: runs.len(),
            agreement: mean_agreement(&runs),
            caution: caution(sized, self.words_in_common()),
            topics,
        })
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

    /// The coherence of each topic's words in the texts of the fit, and by chance.
    fn coherences(&self, words: &[Vec<&str>]) -> Result<Vec<(Option<f64>, Option<Chance>)>> {
        let texts = self.data.as_ref().and_then(|data| data.texts.as_ref());
        let (Some(texts), Some(vectorizer)) = (texts, self.topics.terms.vectorizer()) else {
            return Ok(vec![(None, None); words.len()]);
        };
        // Phrases are found where their words are.
        let vectorizer = vectorizer.clone().ngram_range(1, 1);
        let texts: Vec<&str> = texts.by_row().into_iter().map(|(_, text)| text).collect();
        let mut counts = WindowCounts::new(words);
        for texts in texts.chunks(TEXTS) {
            self.settings.progress.check(Stage::Topics)?;
            counts.add(&vectorizer.analyze(texts)?);
        }
        let by_chance = counts.by_chance(self.settings.seed, || self.settings.progress.check(Stage::Topics))?;
        Ok(counts.npmi().into_iter().zip(by_chance).collect())
    }

    /// For each run of the clusterer, how well it reproduces each topic.
    fn stabilities(&self, runs: &[Vec<i32>]) -> Vec<BTreeMap<i32, f64>> {
        let Some(data) = &self.data else { return Vec::new() };
        let of_run = |run: &Vec<i32>| best_matches(self.topics_of(&data.encoded.rows).zip(run).map(|(a, &b)| (a, b)));
        runs.into_par_iter().with_max_len(1).map(of_run).collect()
    }

    /// The mean difference between the strengths of each topic's rows in their topic and in the second best.
    fn margins(&self) -> BTreeMap<i32, Margin> {
        let assignment = &*self.topics.assignment;
        let runners_up = assignment.runners_up.iter().flatten();
        let rows = assignment.topics.iter().zip(&assignment.probabilities).zip(runners_up);
        margins(rows.map(|((&topic, own), (_, other))| (topic, own - other)))
    }

    fn repetitions(&self) -> BTreeMap<i32, Repetition> {
        let terms = &self.topics.terms;
        let found = repetitions(&terms.document_counts, &terms.topic_documents);
        self.topic_ids().into_iter().zip(found).filter_map(|(topic, repetition)| Some((topic, repetition?))).collect()
    }

    fn words_in_common(&self) -> Option<WordsInCommon> {
        WordsInCommon::of(self.topics.terms.document_terms(), self.settings.seed)
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
    let cautions = qualities.iter().map(|one| one.and_then(TopicQuality::caution));
    vec![
        column("Coherence", |one| one.coherence),
        column("Stability", |one| one.stability),
        column("Margin", |one| one.margin.map(|margin| margin.mean)),
        column("Separation", |one| one.separation),
        column("Coherence_by_chance", |one| one.chance.map(|chance| chance.mean)),
        column("Repetition", |one| one.repetition.map(|repetition| repetition.share)),
        Column::new("Trust_rank".into(), ranks.collect::<Vec<Option<i64>>>()),
        Column::new("Caution".into(), cautions.collect::<Vec<Option<String>>>()),
    ]
}
