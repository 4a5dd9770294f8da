//! Fitting: the whole pipeline on one screen.

use std::collections::BTreeSet;
use std::sync::Arc;

use polars::prelude::*;

use super::check::checked;
use super::data::Data;
use super::equal_rows::Rows;
use super::fitted::replace_columns;
use super::pipeline::{Known, Pipeline};
use super::{FittedTopicModel, NrTopics, Summary, TopicModel};
use crate::cluster::{Clustering, FittedClusterer, OUTLIER};
use crate::corpus::DistinctRows;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::graph::NeighborGraph;
use crate::topics::{Assignment, Centroids, DocumentTerms, TermCoherence, Topics};

impl TopicModel {
    /// Adds a column `embedding` to `frame`, with the vectors that a fit would cluster, `Array(Float32, d)`, or null if
    /// there is none: embed once, then fit repeatedly with [`.embeddings("embedding")`](Self::embeddings). If texts and
    /// images are fused, the columns `text_embedding` and `image_embedding` contain the vectors before fusion, to try
    /// other fusions ([`text_embeddings`](Self::text_embeddings), [`image_embeddings`](Self::image_embeddings)).
    ///
    /// # Errors
    /// A parameter of an embedder is out of range (checked before any work); a column is missing or has the wrong type;
    /// an embedder fails; none of the images can be read.
    pub fn embed(&self, frame: &DataFrame) -> Result<DataFrame> {
        self.encoder.check_sources()?;
        let (vectors, fusion) = self.encoder.vectors(frame, &self.progress)?;
        let mut columns = vec![vectors.clustered.to_column("embedding")?];
        if fusion.is_some() {
            for (name, vectors) in [("text_embedding", vectors.texts), ("image_embedding", vectors.images)] {
                columns.extend(vectors.map(|vectors| vectors.to_column(name)).transpose()?);
            }
        }
        replace_columns(frame, columns)
    }

    /// Finds the topics of `frame`. Returns the fitted model, and the frame with the added columns `embedding` (the
    /// clustered vectors), `Topic` (Int32, -1 for outliers) and `Probability` (Float64, the membership strength).
    ///
    /// # Errors
    /// See [`fit`](Self::fit).
    pub fn fit_transform(&self, frame: &DataFrame) -> Result<(FittedTopicModel, DataFrame)> {
        let fitted = self.fit(frame)?;
        let frame = fitted.fitted_frame()?;
        Ok((fitted, frame))
    }

    /// Finds the topics of `frame`.
    ///
    /// # Errors
    /// A parameter is out of range (checked before any work), a column is missing or has the wrong type, vectors are
    /// not usable, there are fewer rows than a topic needs, texts contain no words, or a stage fails.
    pub fn fit(&self, frame: &DataFrame) -> Result<FittedTopicModel> {
        self.check()?;
        let documents = self.encoder.read(frame, self.opens_images(), &self.progress)?;
        let (graph, reducer) = (self.clusterer.graph(), self.reduction());
        let direction_only = match (&reducer, &graph) {
            (Some(reducer), _) => reducer.uses_direction_only(),
            (None, graph) => graph.as_ref().is_some_and(NeighborGraph::uses_direction_only),
        };
        let (encoded, encoder) = self.encoder.fit(&documents, direction_only, &self.progress)?;
        self.check_rows(&encoded.rows, documents.rows)?;
        let distinct = DistinctRows::of(&encoded.clustered, &encoded.rows);
        self.note_copies(&distinct);
        let labels = documents.labels.as_deref();
        let rows = Rows { vectors: &encoded.clustered, rows: &encoded.rows, labels };
        let (points, reducer) = match &reducer {
            Some(reducer) => {
                let reduction = self.reduce(&**reducer, &rows, &distinct)?;
                (Some(reduction.embedding), Some(reduction.model))
            }
            None => (None, None),
        };
        self.progress.check(Stage::Reduce)?;
        let mut counted = None;
        let clustering = match (graph, points) {
            (Some(graph), points) => {
                counted = self.count_documents(documents.texts.as_ref(), encoder.encoder.cleaning)?;
                self.cluster_graph(graph, &rows, points, &distinct, counted.as_ref())?
            }
            (None, Some(points)) => self.cluster(&rows, points, &distinct)?,
            (None, None) => {
                self.cluster(&rows, rows.vectors.of_rows(&distinct.firsts)?.to_matrix().into_owned(), &distinct)?
            }
        };
        self.progress.check(Stage::Cluster)?;
        let clustering = self.cut(clustering, counted.as_ref(), &encoded.rows)?;
        self.note_joined(&*clustering.model);
        let assignment = self.assign(&clustering, &encoded, documents.rows)?;
        let assignment = self.choose_outliers(assignment, self.outliers, &encoded, &*clustering.model)?;
        let captions = self.captions(&documents, &encoded, &assignment)?;
        let data = Data::new(frame, documents, encoded, encoder.encoder.cleaning)
            .with_captions(captions, self.encoder.cleaning);
        // Captions are texts, too.
        if counted.is_none() || !data.captions.is_empty() {
            counted = self.count_documents(data.texts.as_ref(), data.cleaning)?;
        }
        let terms = self.topic_terms(&data, &assignment, counted)?;
        let description = self.describe(&data, &assignment, &terms)?;
        let centroids = Centroids::of(&assignment.topics, &data.encoded.clustered);
        let summary = self.summarize(&data, &assignment, &distinct);
        let vectors = data.encoded.clustered.clone();
        let known = Known { rows: distinct.known, vectors, is_rounded: false };
        Ok(FittedTopicModel {
            settings: Arc::new(self.clone()),
            pipeline: Arc::new(Pipeline {
                encoder,
                reducer,
                clusterer: clustering.model,
                known: Some(Arc::new(known)),
            }),
            topics: Topics::new(assignment, terms, centroids, description),
            data: Some(Arc::new(data)),
            imported: None,
            earlier: Arc::default(),
            layout: Arc::default(),
            summary: Arc::new(summary),
        })
    }

    /// The same rows in as many clusters as requested, or if that and the clusterer leave it open, as their texts suggest;
    /// if the clusterer knows one number only, in that.
    fn cut(&self, clustering: Clustering, terms: Option<&DocumentTerms>, rows: &[usize]) -> Result<Clustering> {
        let chosen = match self.nr_topics {
            Some(NrTopics::Count(count)) => {
                let cut = clustering.model.at(count);
                cut.iter().for_each(|cut| self.note_count(count, &cut.labels));
                cut
            }
            _ => terms.and_then(|terms| clustering.model.most_coherent(&mut TermCoherence::new(terms, rows))),
        };
        chosen.map_or(Ok(clustering), |chosen| checked(chosen, rows.len()))
    }

    /// Reports that groups were too small for a cluster.
    fn note_joined(&self, clusterer: &dyn FittedClusterer) {
        let (joined, fewest) = (clusterer.joined(), self.clusterer.min_rows());
        if joined > 0 {
            let groups = if joined == 1 { "1 group" } else { &format!("{joined} groups") };
            let message =
                format!("{groups} of fewer than {fewest} rows joined the topic that they are best connected to");
            let hint = Hint::new("A lower min_cluster_size keeps smaller topics.")
                .on_command_line("A lower --min-cluster-size keeps smaller topics.");
            self.progress.note_with_hint(Stage::Cluster, message, hint);
        }
    }

    /// Reports that the clusters of a cut are not as many as requested.
    fn note_count(&self, requested: usize, labels: &[i32]) {
        let found = labels.iter().filter(|&&label| label != OUTLIER).collect::<BTreeSet<_>>().len();
        let why = match found < requested {
            true => "smaller topics would have too few rows, or the graph does not divide them",
            false => "nothing connects them",
        };
        if found != requested {
            let message =
                format!("{requested} topics were requested, but the nearest cut of the tree has {found}: {why}");
            self.progress.note(Stage::Topics, message);
        }
    }

    /// Whether something other than the encoder opens the images.
    fn opens_images(&self) -> bool {
        self.captioner.is_some() || self.representations.iter().any(|(_, representation)| representation.needs_images())
    }

    fn check_rows(&self, rows: &[usize], all: usize) -> Result<()> {
        let needed = self.clusterer.min_rows();
        if rows.len() >= needed {
            return Ok(());
        }
        let message =
            format!("{} of {all} rows can be clustered, but these settings need at least {needed}", rows.len());
        Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message).with_hint(self.clusterer.too_few_rows_hint()))
    }

    fn summarize(&self, data: &Data, assignment: &Assignment, distinct: &DistinctRows) -> Summary {
        let (documents, columns) = (&data.documents, &self.encoder.columns);
        let images = documents.images.as_ref().map(|images| (0..images.len()).filter(|&row| images.has(row)).count());
        Summary {
            rows: documents.rows,
            clustered: assignment.clustered(),
            outliers: documents.rows - assignment.clustered(),
            blank: documents.rows - distinct.places.len(),
            repeated: distinct.repeated(),
            topics: assignment.topic_count(),
            dimensions: data.encoded.clustered.dimensions(),
            seed: self.seed,
            cluster_on: self.encoder.cluster_on,
            embedder: self.encoder.describe_embedders(),
            reducer: match self.reduction() {
                Some(reducer) => format!("{reducer:?}"),
                None => "none: the neighbor graph is clustered".to_owned(),
            },
            clusterer: format!("{:?}", self.clusterer),
            text_column: columns.text.clone(),
            image_column: columns.image.clone(),
            images,
            captioner: self.captioner.as_ref().map(|captioner| format!("{captioner:?}")),
            captions: data.captions.len(),
        }
    }
}
