//! The fit: the pipeline in one screen.

use std::sync::Arc;

use polars::prelude::*;

use super::vectors::{Embedded, For};
use super::{ClusterOn, Described, TopicModel};
use crate::corpus::{Corpus, DistinctRows, Embeddings};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::topics::{Assignment, FittedTopicModel, Inference, Summary, replace_columns};

impl TopicModel {
    /// `frame` with a column `embedding` of the vectors that a fit would cluster, `Array(Float32, d)`, null where there
    /// is none: embed once, then fit often with [`.embeddings("embedding")`](Self::embeddings). Where texts and images
    /// are fused, the columns `text_embedding` and `image_embedding` hold what was fused, for other fusions
    /// ([`text_embeddings`](Self::text_embeddings), [`image_embeddings`](Self::image_embeddings)).
    ///
    /// # Errors
    /// A column that is missing or of a wrong type; an embedder that fails; images of which not one can be read.
    pub fn embed(&self, frame: &DataFrame) -> Result<DataFrame> {
        self.check_sources()?;
        let mut corpus = Corpus::read(frame, &self.columns)?;
        if self.embeds_images() {
            self.check_images(&corpus)?;
        }
        let (embeddings, fusion) = self.vectors(&mut corpus, For::Fit)?;
        let mut columns = vec![embeddings.to_column("embedding")?];
        if fusion.is_some() {
            let parts = [("text_embedding", corpus.text_embeddings), ("image_embedding", corpus.image_embeddings)];
            for (name, vectors) in parts {
                columns.extend(vectors.map(|vectors| vectors.to_column(name)).transpose()?);
            }
        }
        replace_columns(frame, columns)
    }

    /// Finds the topics of `frame`: the fitted model, and the frame with `embedding` (the vectors that were clustered), `Topic`
    /// (Int32, -1 where none) and `Probability` (Float64, how strongly the row belongs to its topic) added.
    ///
    /// # Errors
    /// See [`fit`](Self::fit).
    pub fn fit_transform(&self, frame: &DataFrame) -> Result<(FittedTopicModel, DataFrame)> {
        let fitted = self.fit(frame)?;
        let frame = self.with_topics(frame, &fitted.embeddings, fitted.topics(), fitted.probabilities())?;
        Ok((fitted, frame))
    }

    /// Finds the topics of `frame`.
    ///
    /// # Errors
    /// A parameter out of its range (before any work), a column that is missing or of a wrong type, vectors that
    /// cannot be used, fewer rows than a topic needs, texts without a word, and whatever a stage reports.
    pub fn fit(&self, frame: &DataFrame) -> Result<FittedTopicModel> {
        self.check()?;
        let corpus = self.read_corpus(frame)?;
        let settled = self.settled(&corpus);
        let Embedded { corpus, embeddings, fusion, rows } = settled.placeable(corpus, For::Fit)?;
        self.check_inputs(&corpus, &embeddings, &rows)?;
        self.check_rows(&rows, &corpus)?;
        let distinct = DistinctRows::of(&embeddings, &rows);
        self.note_copies(&distinct);
        let reduction = self.reduce(&embeddings, &rows, &distinct)?;
        self.progress.check(Stage::Reduce)?;
        let clustering = self.cluster(&reduction, &distinct)?;
        self.progress.check(Stage::Cluster)?;
        let assignment = Assignment::by_size(&clustering, &rows, corpus.rows);
        let captions = self.captions(&corpus, &embeddings, &assignment)?;
        let corpus = corpus.with_captions(&captions);
        let settled = if captions.is_empty() { settled } else { self.settled(&corpus) };
        let terms = settled.count_terms(&corpus, &assignment)?;
        let described = settled.describe(&corpus, &embeddings, &assignment, &terms)?;
        let summary = self.summarize(&corpus, &embeddings, &assignment, &distinct, captions.len());
        let Described { words, aspects, order, representatives } = described;
        Ok(FittedTopicModel {
            frame: frame.clone(),
            corpus: Arc::new(corpus),
            embeddings: Arc::new(embeddings),
            assignment: Arc::new(assignment),
            terms: Arc::new(terms),
            captions: Arc::new(captions),
            words: Arc::new(words),
            aspects: Arc::new(aspects),
            aspect_order: Arc::new(order),
            representatives: Arc::new(representatives),
            inference: Arc::new(Inference {
                model: settled,
                fusion,
                reducer: reduction.model,
                clusterer: clustering.model,
                known: distinct.known,
            }),
            summary: Arc::new(summary),
        })
    }

    fn check_rows(&self, rows: &[usize], corpus: &Corpus) -> Result<()> {
        let needed = self.clusterer.min_rows();
        if rows.len() >= needed {
            return Ok(());
        }
        let message = format!(
            "{} of {} rows can be clustered, and {needed} is the fewest that these settings can tell topics apart in",
            rows.len(),
            corpus.rows
        );
        let hint =
            "Give more rows, or lower min_cluster_size (min_topic_size; two topics need twice that) or n_clusters.";
        let hint = Hint::new(hint).on_command_line(
            "Give more rows, or lower --min-cluster-size (two topics need twice that number of rows).",
        );
        Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message).hint(hint))
    }

    fn summarize(
        &self,
        corpus: &Corpus,
        embeddings: &Embeddings,
        assignment: &Assignment,
        distinct: &DistinctRows,
        captions: usize,
    ) -> Summary {
        let images = corpus.images.as_ref().map(|images| (0..images.len()).filter(|&row| images.has(row)).count());
        Summary {
            rows: corpus.rows,
            clustered: assignment.clustered(),
            outliers: corpus.rows - assignment.clustered(),
            blank: corpus.rows - distinct.places.len(),
            repeated: distinct.repeated(),
            topics: assignment.topic_count(),
            dimensions: embeddings.dimensions(),
            seed: self.seed,
            cluster_on: self.cluster_on,
            embedder: self.embedding_in_words(),
            reducer: format!("{:?}", self.reducer),
            clusterer: format!("{:?}", self.clusterer),
            text_column: self.columns.text.clone(),
            image_column: self.columns.image.clone(),
            images,
            captioner: self.captioner.as_ref().map(|captioner| format!("{captioner:?}")),
            captions,
        }
    }

    pub(super) fn embedding_in_words(&self) -> String {
        let column = |name: &String| format!("the column `{name}`");
        let columns = &self.columns;
        if let Some(name) = &columns.embeddings {
            return column(name);
        }
        let text = || match &columns.text_embeddings {
            Some(name) => column(name),
            None => self.text_embedder.as_ref().map(|embedder| format!("{embedder:?}")).unwrap_or_default(),
        };
        let images = || match &columns.image_embeddings {
            Some(name) => column(name),
            None => self.image_embedder.as_ref().map(|embedder| format!("{embedder:?}")).unwrap_or_default(),
        };
        match self.cluster_on {
            ClusterOn::Text => text(),
            ClusterOn::Images => images(),
            ClusterOn::Both if text() == images() => text(),
            ClusterOn::Both => format!("{} and {}", text(), images()),
        }
    }

    pub(crate) fn with_topics(
        &self,
        frame: &DataFrame,
        embeddings: &Embeddings,
        topics: &[i32],
        probabilities: &[f64],
    ) -> Result<DataFrame> {
        let mut columns = Vec::new();
        // The memory is shared: a given column of another name or type costs nothing to show here too.
        if self.columns.embeddings.as_deref() != Some("embedding") {
            columns.push(embeddings.to_column("embedding")?);
        }
        columns.push(Column::new("Topic".into(), topics));
        columns.push(Column::new("Probability".into(), probabilities));
        for column in ["Topic", "Probability"] {
            if frame.column(column).is_ok() {
                self.progress.note(Stage::Input, format!("the frame's column `{column}` is replaced by the new one"));
            }
        }
        replace_columns(frame, columns)
    }
}
