//! The topics within documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::DataFrame;

use super::FittedTopicModel;
use crate::corpus::TextColumn;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::vectors::unit;
use crate::progress::Task;
use crate::topics::{
    ApproximateDistribution, SparseShares, TermWindows, TextWindows, TokenDistribution, TopicDistribution, similarities,
};
use crate::vectorize::{FittedCountVectorizer, TermFinder};

/// Windows that are embedded at a time, which bounds memory.
const WINDOWS_AT_A_TIME: usize = 4_096;

/// The topics that documents are compared with.
struct Compared {
    ids: Arc<[i32]>,
    names: Arc<[String]>,
}

impl FittedTopicModel {
    /// What the rows of the fit are about, besides their own topics: the shares of all topics in each of them.
    ///
    /// Each row's text is divided into windows of consecutive words, and every window is compared with every topic: by the
    /// cosine of the c-TF-IDF of its words to that of the topic, or of their embeddings
    /// ([`use_embedding_model`](ApproximateDistribution::use_embedding_model)). The similarities that count
    /// ([`min_similarity`](ApproximateDistribution::min_similarity)) are added up by topic, and scaled so that a row's
    /// shares sum to 1. This is BERTopic's `approximate_distribution`, with the same numbers for the same words. Words are
    /// those that the model's vectorizer finds, in any script; -1 is not a topic. For rows without a text, captions are
    /// compared, if there are some.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let shares = topics.approximate_distribution(&ApproximateDistribution::new().min_similarity(0.2))?;
    /// assert_eq!(shares.of(0), [(topics.labels()[0], 1.0)]);
    /// assert!(shares.without_match().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A parameter is out of range; the model is without its documents, or counted no words; with embeddings, it has no
    /// embedder for texts; interrupted.
    pub fn approximate_distribution(&self, settings: &ApproximateDistribution) -> Result<TopicDistribution> {
        settings.check()?;
        let on_command_line = "this needs texts, but the documents of the model have none";
        let texts = self
            .fitted_texts("approximate_distribution")
            .map_err(|error| error.said_on_command_line(on_command_line))?;
        self.distribution(&texts, &(0..texts.len()).collect::<Vec<_>>(), settings)
    }

    /// The same for new rows, whose texts are in the column of the fit ([`with_columns`](Self::with_columns) names
    /// another). The model does not need its documents.
    ///
    /// # Errors
    /// As [`approximate_distribution`](Self::approximate_distribution), but for the documents; the column is missing, or
    /// is no text.
    pub fn approximate_distribution_of(
        &self,
        frame: &DataFrame,
        settings: &ApproximateDistribution,
    ) -> Result<TopicDistribution> {
        settings.check()?;
        let texts = self.new_texts(frame, "approximate_distribution_of")?;
        self.distribution(&texts, &(0..texts.len()).collect::<Vec<_>>(), settings)
    }

    /// The topics of each word of some `rows` of the fit (BERTopic's `calculate_tokens`), in the order of `rows`. A
    /// notebook shows the texts with their words marked by topic.
    ///
    /// # Errors
    /// As [`approximate_distribution`](Self::approximate_distribution); a row does not exist.
    pub fn token_distributions(
        &self,
        rows: &[usize],
        settings: &ApproximateDistribution,
    ) -> Result<Vec<TokenDistribution>> {
        settings.check()?;
        self.tokens(&self.fitted_texts("token_distributions")?, rows, settings)
    }

    /// The same for some `rows` of a new frame.
    ///
    /// # Errors
    /// As [`approximate_distribution_of`](Self::approximate_distribution_of); a row does not exist.
    pub fn token_distributions_of(
        &self,
        frame: &DataFrame,
        rows: &[usize],
        settings: &ApproximateDistribution,
    ) -> Result<Vec<TokenDistribution>> {
        settings.check()?;
        self.tokens(&self.new_texts(frame, "token_distributions_of")?, rows, settings)
    }

    fn fitted_texts(&self, what: &str) -> Result<TextColumn> {
        let texts = self.data(what)?.texts.clone();
        texts.ok_or_else(|| without_texts(what).with_hint("Images have texts if the model has a captioner."))
    }

    fn new_texts(&self, frame: &DataFrame, what: &str) -> Result<TextColumn> {
        match &self.pipeline.encoder.encoder.columns.text {
            Some(column) => TextColumn::read(frame, column),
            None => Err(no_texts(what)),
        }
    }

    fn compared(&self) -> Compared {
        let ids: Arc<[i32]> = self.without_outliers().into();
        let names = ids.iter().map(|&topic| self.topic_label(topic).unwrap_or_default()).collect();
        Compared { ids, names }
    }

    /// For each of `rows` of the fit: the topic with the largest share of its text, ties by number, and that share.
    pub(super) fn largest_shares(&self, what: &str, rows: &[usize]) -> Result<Vec<Option<(i32, f64)>>> {
        let texts = self.data(what)?.texts.clone().ok_or_else(|| {
            let hint = Hint::new("Use OutlierStrategy::Embeddings.").on_command_line("Use the strategy embeddings.");
            without_texts(what).with_hint(hint)
        })?;
        let (topics, vectorizer) = (self.compared(), self.fitted_vectorizer()?);
        let windows = self.term_windows(&vectorizer, &topics)?;
        let task = self.settings.progress.task(Stage::Topics, "topics within documents", rows.len());
        let texts: Vec<Option<&str>> = rows.iter().map(|&row| texts.get(row)).collect();
        let largest = windows.largest(&texts, &ApproximateDistribution::new(), &task);
        task.finish()?;
        let topic = |(place, share): (usize, f64)| Some((*topics.ids.get(place)?, share));
        Ok(largest.into_iter().map(|found| found.and_then(topic)).collect())
    }

    /// The topics of some rows of `texts`, in the order of `rows`.
    fn distribution(
        &self,
        texts: &TextColumn,
        rows: &[usize],
        settings: &ApproximateDistribution,
    ) -> Result<TopicDistribution> {
        let topics = self.compared();
        let vectorizer = self.fitted_vectorizer()?;
        let task = self.settings.progress.task(Stage::Topics, "topics within documents", rows.len());
        let shares = match settings.is_by_embeddings() {
            false => {
                let texts: Vec<Option<&str>> = rows.iter().map(|&row| texts.get(row)).collect();
                self.term_windows(&vectorizer, &topics)?.shares(&texts, settings, &task)
            }
            true => {
                let mut shares = SparseShares::default();
                self.embed_windows(&vectorizer, texts, rows, settings, &task, |windows, similarities| {
                    shares.push(&windows.sums(similarities.iter().copied(), topics.ids.len()));
                })?;
                shares
            }
        };
        task.finish()?;
        Ok(TopicDistribution::new(topics.ids, shares))
    }

    fn tokens(
        &self,
        texts: &TextColumn,
        rows: &[usize],
        settings: &ApproximateDistribution,
    ) -> Result<Vec<TokenDistribution>> {
        if let Some(&row) = rows.iter().find(|&&row| row >= texts.len()) {
            let message = format!("there is no row {row}: the frame has {}", texts.len());
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint("Rows are counted from 0."));
        }
        let topics = self.compared();
        let vectorizer = self.fitted_vectorizer()?;
        let task = self.settings.progress.task(Stage::Topics, "topics of words", rows.len());
        let mut found = Vec::with_capacity(rows.len());
        match settings.is_by_embeddings() {
            false => {
                let windows = self.term_windows(&vectorizer, &topics)?;
                for &row in rows.iter().take_while(|_| !task.is_interrupted()) {
                    found.push(windows.tokens(row, texts.get(row).unwrap_or_default(), settings));
                    task.advance(1);
                }
            }
            true => self.embed_windows(&vectorizer, texts, rows, settings, &task, |windows, similarities| {
                found.push(windows.tokens(similarities.iter().copied(), topics.ids.len()));
            })?,
        }
        task.finish()?;
        Ok(found.into_iter().map(|tokens| tokens.of_topics(&topics.ids, &topics.names)).collect())
    }

    /// The vectorizer that counts as in the fit.
    fn fitted_vectorizer(&self) -> Result<FittedCountVectorizer> {
        let terms = &*self.topics.terms;
        match terms.vectorizer() {
            Some(settings) if !terms.vocabulary.is_empty() => {
                FittedCountVectorizer::from_vocabulary(settings.clone(), terms.vocabulary.to_vec())
            }
            _ => {
                let message = "the topics have no counted words to compare documents with";
                Err(Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(
                    "A model of images counts words if it has a captioner, and a model of BERTopic if it was saved with \
                     save_ctfidf=True.",
                ))
            }
        }
    }

    fn term_windows<'v>(&self, vectorizer: &'v FittedCountVectorizer, topics: &Compared) -> Result<TermWindows<'v>> {
        let terms = &*self.topics.terms;
        let imported = self.imported.as_ref().and_then(|imported| imported.ctfidf.as_ref());
        let idf = match imported {
            Some(weighting) => weighting.idf(),
            None => terms.idf()?,
        };
        let ids = self.topic_ids();
        let rows: Vec<usize> = topics.ids.iter().filter_map(|topic| ids.binary_search(topic).ok()).collect();
        Ok(TermWindows::new(vectorizer, &terms.c_tf_idf, &rows, idf, terms.weighting().power()))
    }

    /// Calls `visit` with the windows of each of `rows`, in order, and their similarities to the topics.
    fn embed_windows(
        &self,
        vectorizer: &FittedCountVectorizer,
        texts: &TextColumn,
        rows: &[usize],
        settings: &ApproximateDistribution,
        task: &Task,
        mut visit: impl FnMut(TextWindows, &[&[f64]]),
    ) -> Result<()> {
        let finder = TermFinder::new(vectorizer);
        let mean = |topic| unit(self.topics.centroids.get(topic).unwrap_or_default().iter().copied());
        let means: Vec<Vec<f64>> = self.without_outliers().into_iter().map(mean).collect();
        let (mut waiting, mut of_rows) = (Windows::default(), Vec::new());
        for (done, &row) in rows.iter().enumerate() {
            if task.is_interrupted() {
                return Ok(());
            }
            let windows = TextWindows::new(row, texts.get(row).unwrap_or_default(), &finder, settings);
            let numbers: Vec<usize> = windows.texts().into_iter().map(|text| waiting.number_of(text)).collect();
            of_rows.push((windows, numbers));
            if waiting.texts.len() < WINDOWS_AT_A_TIME && done + 1 < rows.len() {
                continue;
            }
            let found = self.similarities_of(&std::mem::take(&mut waiting).texts, &means, settings)?;
            task.advance(of_rows.len());
            for (windows, numbers) in of_rows.drain(..) {
                let of_windows: Vec<&[f64]> =
                    numbers.iter().map(|&number| found.get(number).map(Vec::as_slice).unwrap_or_default()).collect();
                visit(windows, &of_windows);
            }
        }
        Ok(())
    }

    fn similarities_of(
        &self,
        texts: &[String],
        means: &[Vec<f64>],
        settings: &ApproximateDistribution,
    ) -> Result<Vec<Vec<f64>>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vectors = self.pipeline.encoder.encode_texts(&texts, &self.settings.progress)?;
        Ok(similarities(vectors.view(), means, settings))
    }
}

/// The distinct texts of windows.
#[derive(Default)]
struct Windows {
    texts: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Windows {
    fn number_of(&mut self, text: String) -> usize {
        if let Some(&number) = self.numbers.get(&text) {
            return number;
        }
        let number = self.texts.len();
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }
}

/// The error of `what` for rows of the fit that have no texts, without a hint.
fn without_texts(what: &str) -> Error {
    let message = format!("{what} needs texts, but the documents of this model have none");
    Error::new(ErrorKind::NotFound, Stage::Topics, message)
}

/// The error of `what` for new rows that have no texts.
fn no_texts(what: &str) -> Error {
    let message = format!("{what} needs texts, but the model has no text column");
    Error::new(ErrorKind::NotFound, Stage::Topics, message)
        .said_on_command_line("this needs texts, but the model was fitted without a text column")
        .with_hint(
            Hint::new(
                "Name the column of new texts: topics.with_columns(Columns { text: Some(..), ..topics.columns() }).",
            )
            .on_command_line(""),
        )
}
