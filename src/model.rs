//! The description of a model, and its fit: the pipeline in one screen.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use polars::prelude::*;

use crate::cluster::{Clusterer, Hdbscan};
use crate::corpus::{Columns, Corpus, Embeddings, ImageColumn};
use crate::embed::TextEmbedder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::{Interrupt, Lines, Progress};
use crate::reduce::{Reducer, Umap};
use crate::represent::{Aspect, NeededEmbedder, Representation, TopicContext, TopicWords, representative_rows};
use crate::topics::{Assignment, FittedTopicModel, Inference, Summary, TopicTerms, replace_columns};
use crate::vectorize::{ClassTfIdf, CountVectorizer};

mod check;

use check::{after_pictures, check_described, check_vectors, no_row, pictures_as_main};
pub(crate) use check::{check_labels, check_points};

/// Candidates that a representation chooses from, as in BERTopic.
const CANDIDATE_WORDS: usize = 30;

/// The name of the representation that the topics' own words are.
const MAIN: &str = "Main";

/// A topic model's description: which columns play which role, and the stages. Nothing here changes when it is fitted.
///
/// | setting | default |
/// |---|---|
/// | [`reducer`](Self::reducer) | [`Umap`]: 15 neighbours, 5 dimensions, min_dist 0.0, cosine |
/// | [`clusterer`](Self::clusterer) | [`Hdbscan`]: min_cluster_size 10 |
/// | [`vectorizer`](Self::vectorizer) | [`CountVectorizer`]: single words, English stop words if the texts are English |
/// | [`ctfidf`](Self::ctfidf) | [`ClassTfIdf`] |
/// | [`top_n_words`](Self::top_n_words) | 10 |
/// | [`nr_repr_docs`](Self::nr_repr_docs) | 3 |
/// | [`seed`](Self::seed) | 42 |
#[derive(Debug, Clone)]
pub struct TopicModel {
    columns: Columns,
    embedder: Arc<dyn TextEmbedder>,
    reducer: Arc<dyn Reducer>,
    clusterer: Arc<dyn Clusterer>,
    vectorizer: CountVectorizer,
    ctfidf: ClassTfIdf,
    representations: Vec<(String, Arc<dyn Representation>)>,
    top_n_words: usize,
    nr_repr_docs: usize,
    seed: u64,
    progress: Progress,
}

impl TopicModel {
    /// Topics of the texts in the column `text`, which `embedder` turns into vectors.
    pub fn text(text: impl Into<String>, embedder: impl TextEmbedder + 'static) -> Self {
        TopicModel {
            columns: Columns { text: Some(text.into()), ..Columns::default() },
            embedder: Arc::new(embedder),
            reducer: Arc::new(Umap::new()),
            clusterer: Arc::new(Hdbscan::new()),
            vectorizer: CountVectorizer::new(),
            ctfidf: ClassTfIdf::new(),
            representations: Vec::new(),
            top_n_words: 10,
            nr_repr_docs: 3,
            seed: 42,
            progress: Progress::silent(),
        }
    }

    /// The column `image` holds pictures that illustrate the topics: String paths, Binary encoded images, or
    /// `Struct{bytes, path}`. They do not change what is clustered. Add a
    /// [`VisualRepresentation`](crate::represent::VisualRepresentation) to see them.
    #[must_use]
    pub fn with_images(mut self, image: impl Into<String>) -> Self {
        self.columns.image = Some(image.into());
        self
    }

    /// Where relative image paths start. Default: the working folder.
    #[must_use]
    pub fn image_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.columns.image_folder = folder.into();
        self
    }

    /// Clusters the vectors in this column, `Array(Float32, d)` or `List(Float32)`; then no embedder runs. Rows whose
    /// vector is null are outliers.
    #[must_use]
    pub fn embeddings(mut self, column: impl Into<String>) -> Self {
        self.columns.embeddings = Some(column.into());
        self
    }

    /// Vectors of the images alone, `Array(Float32, d)` or `List(Float32)`: pictures are chosen by them.
    #[must_use]
    pub fn image_embeddings(mut self, column: impl Into<String>) -> Self {
        self.columns.image_embeddings = Some(column.into());
        self
    }

    /// How vectors become points: [`Umap`], [`Pca`](crate::reduce::Pca), [`NoReduction`](crate::reduce::NoReduction)
    /// or a type of your own.
    #[must_use]
    pub fn reducer(mut self, reducer: impl Reducer + 'static) -> Self {
        self.reducer = Arc::new(reducer);
        self
    }

    /// How points become topics: [`Hdbscan`], [`KMeans`](crate::cluster::KMeans) or a type of your own.
    #[must_use]
    pub fn clusterer(mut self, clusterer: impl Clusterer + 'static) -> Self {
        self.clusterer = Arc::new(clusterer);
        self
    }

    /// [`Hdbscan`] with this `min_cluster_size`, the fewest documents that make a topic (2 or more). Replaces the
    /// clusterer.
    #[must_use]
    pub fn min_topic_size(self, min_topic_size: usize) -> Self {
        self.clusterer(Hdbscan::new().min_cluster_size(min_topic_size))
    }

    /// How texts become counts of terms.
    #[must_use]
    pub fn vectorizer(mut self, vectorizer: CountVectorizer) -> Self {
        self.vectorizer = vectorizer;
        self
    }

    /// How counts become weights.
    #[must_use]
    pub fn ctfidf(mut self, ctfidf: ClassTfIdf) -> Self {
        self.ctfidf = ctfidf;
        self
    }

    /// Describes the topics in one more way. `name` becomes a column of
    /// [`get_topic_info`](FittedTopicModel::get_topic_info); `Main` replaces the topics' own words. Given twice under
    /// one name, the second works on the words of the first: a chain.
    #[must_use]
    pub fn representation(mut self, name: impl Into<String>, representation: impl Representation + 'static) -> Self {
        self.representations.push((name.into(), Arc::new(representation)));
        self
    }

    /// Words per topic, 1 to 1,000. Default 10.
    #[must_use]
    pub fn top_n_words(mut self, top_n_words: usize) -> Self {
        self.top_n_words = top_n_words;
        self
    }

    /// Representative documents per topic, 0 to 1,000. Default 3.
    #[must_use]
    pub fn nr_repr_docs(mut self, nr_repr_docs: usize) -> Self {
        self.nr_repr_docs = nr_repr_docs;
        self
    }

    /// The seed of everything random. Default 42: every fit is reproducible.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether to say on standard error what is going on, as throttled whole lines. Default: silence.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        self.with_progress(if verbose { Progress::to(Arc::new(Lines::stderr())) } else { Progress::silent() })
    }

    /// Where to say what is going on.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = match (progress.interrupt(), self.progress.interrupt()) {
            (None, Some(interrupt)) => progress.clone().with_interrupt(interrupt.clone()),
            _ => progress,
        };
        self
    }

    /// What stops a fit, an embedding or a placing of new rows that is under way. A switch stays thrown: after
    /// [`stop`](Interrupt::stop) the model needs a new one.
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.progress = self.progress.with_interrupt(interrupt);
        self
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Checks every parameter of every stage. [`fit`](Self::fit) does so before any work.
    ///
    /// # Errors
    /// The first parameter that is out of its range, or a representation that lacks the column it needs.
    pub fn check(&self) -> Result<()> {
        self.reducer.check()?;
        self.clusterer.check()?;
        self.vectorizer.check()?;
        self.ctfidf.check()?;
        if !(1..=1000).contains(&self.top_n_words) {
            return Err(Error::parameter(Stage::Represent, "top_n_words", self.top_n_words, "1 to 1000"));
        }
        if self.nr_repr_docs > 1000 {
            return Err(Error::parameter(Stage::Represent, "nr_repr_docs", self.nr_repr_docs, "at most 1000"));
        }
        self.check_columns()?;
        self.representations.iter().try_for_each(|(name, representation)| self.check_one(name, &**representation))?;
        self.check_chains()
    }

    /// A column that the output adds would take the place of one that the model reads.
    fn check_columns(&self) -> Result<()> {
        let columns = &self.columns;
        let roles = [
            ("text", &columns.text, &["embedding", "Topic", "Probability"][..]),
            ("image", &columns.image, &["embedding", "Topic", "Probability"]),
            ("image vector", &columns.image_embeddings, &["embedding", "Topic", "Probability"]),
            ("vector", &columns.embeddings, &["Topic", "Probability"]),
        ];
        for (role, column, taken) in roles {
            if let Some(column) = column.as_ref().filter(|column| taken.contains(&column.as_str())) {
                let message = format!("the {role} column has the name of a column that the result adds");
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message)
                    .column(column)
                    .hint("Rename it; the result adds `embedding`, `Topic` and `Probability`."));
            }
        }
        Ok(())
    }

    /// Pictures end a chain, and are not the topics' own words.
    fn check_chains(&self) -> Result<()> {
        let mut ended = Vec::new();
        for (name, representation) in &self.representations {
            if ended.contains(&name) {
                return Err(after_pictures(name));
            }
            if !representation.gives_words() {
                ended.push(name);
            }
        }
        if ended.iter().any(|name| *name == MAIN) { Err(pictures_as_main()) } else { Ok(()) }
    }

    fn check_one(&self, name: &str, representation: &dyn Representation) -> Result<()> {
        const TAKEN: [&str; 5] = ["Topic", "Count", "Name", "Representation", "Representative_Docs"];
        if name.is_empty() || TAKEN.contains(&name) {
            let message =
                format!("a representation cannot be called `{name}`: the topic table has that column already");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint("Choose another name."));
        }
        representation.check()?;
        if representation.needs_images() && self.columns.image.is_none() {
            let message = format!("the representation `{name}` needs images, and the model has no image column");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message)
                .hint("Name the column: TopicModel::text(..).with_images(\"image\")."));
        }
        match representation.needs_embedder() {
            None | Some(NeededEmbedder::Texts) => Ok(()),
            Some(needed) => Err(needed.missing(name)),
        }
    }

    /// `frame` with a column `embedding` of its texts' vectors, `Array(Float32, d)`: embed once, then fit often with
    /// [`.embeddings("embedding")`](Self::embeddings).
    ///
    /// # Errors
    /// A column that is missing or of a wrong type; an embedder that fails.
    pub fn embed(&self, frame: &DataFrame) -> Result<DataFrame> {
        let corpus = Corpus::read(frame, &self.columns)?;
        let embeddings = self.vectors(&corpus)?;
        replace_columns(frame, vec![embeddings.to_column("embedding")?])
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
        let Embedded { corpus, embeddings, rows } = self.embedded(frame)?;
        self.check_texts(&corpus, &rows)?;
        self.check_rows(&rows, &corpus)?;
        let reduction = self.reducer.fit_shared(&embeddings.of_rows(&rows)?, self.seed, &self.progress)?;
        check_points(&reduction.embedding, rows.len())?;
        self.progress.check(Stage::Reduce)?;
        let clustering = self.clusterer.fit(reduction.embedding.view(), self.seed, &self.progress)?;
        check_labels(&clustering.labels, &clustering.probabilities, rows.len())?;
        self.progress.check(Stage::Cluster)?;
        let assignment = Assignment::by_size(&clustering, &rows, corpus.rows);
        let terms = self.count_terms(&corpus, &assignment)?;
        let described = self.describe(&corpus, &embeddings, &assignment, &terms)?;
        let summary = self.summarise(&corpus, &embeddings, &assignment, rows.len());
        let scores = &terms.text_scores;
        let representatives = corpus
            .texts
            .as_ref()
            .map(|texts| representative_rows(texts, &assignment.topics, scores, self.nr_repr_docs))
            .unwrap_or_default();
        Ok(FittedTopicModel {
            frame: frame.clone(),
            corpus: Arc::new(corpus),
            embeddings: Arc::new(embeddings),
            assignment: Arc::new(assignment),
            terms: Arc::new(terms),
            words: Arc::new(described.words),
            aspects: Arc::new(described.aspects),
            aspect_order: Arc::new(described.order),
            representatives: Arc::new(representatives),
            inference: Arc::new(Inference {
                model: self.clone(),
                reducer: reduction.model,
                clusterer: clustering.model,
                known: std::sync::OnceLock::new(),
            }),
            summary: Arc::new(summary),
        })
    }

    /// Reads the columns, checks that pictures can be found, embeds what has no vector yet, and finds the rows that can
    /// be clustered.
    fn embedded(&self, frame: &DataFrame) -> Result<Embedded> {
        let corpus = Corpus::read(frame, &self.columns)?;
        if self.representations.iter().any(|(_, representation)| representation.needs_images()) {
            corpus.images.as_ref().map_or(Ok(()), ImageColumn::check_reachable)?;
        }
        if self.columns.embeddings.is_none() && frame.column("embedding").is_ok() {
            let message = "the frame's column `embedding` is not used and is replaced by newly computed vectors; \
                           name it with .embeddings(\"embedding\") to use it";
            self.progress.note(Stage::Embed, message);
        }
        self.placeable(corpus)
    }

    /// As `embedded`, for rows that are to be placed: they need no pictures, and may all be blank.
    pub(crate) fn embedded_new(&self, frame: &DataFrame) -> Result<Embedded> {
        let columns = Columns { image: None, image_embeddings: None, ..self.columns.clone() };
        self.placeable(Corpus::read(frame, &columns)?)
    }

    fn placeable(&self, corpus: Corpus) -> Result<Embedded> {
        let embeddings = self.vectors(&corpus)?;
        let rows = self.clusterable(&corpus, &embeddings);
        Ok(Embedded { corpus, embeddings, rows })
    }

    fn vectors(&self, corpus: &Corpus) -> Result<Embeddings> {
        if let Some(embeddings) = &corpus.embeddings {
            return Ok(embeddings.clone());
        }
        let Some(texts) = &corpus.texts else {
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, "the model has no text column"));
        };
        let rows = texts.rows();
        let texts: Vec<&str> = rows.iter().filter_map(|&row| texts.get(row)).collect();
        let vectors = match texts.is_empty() {
            true => ndarray::Array2::zeros((0, self.embedder.dimensions())),
            false => self.embedder.embed_texts(&texts, &self.progress)?,
        };
        check_vectors(&vectors, &rows)?;
        Embeddings::scatter(vectors, &rows, corpus.rows)
    }

    /// The rows that have a text and a vector; the others are counted and told. A vector of zeros is what an embedder
    /// gives for a text without a known word; among vectors of the frame's own it is a point like any other.
    fn clusterable(&self, corpus: &Corpus, embeddings: &Embeddings) -> Vec<usize> {
        let given = self.columns.embeddings.is_some();
        let says_something = |vector: &[f32]| given || vector.iter().any(|&x| x != 0.0);
        let texted: Vec<usize> = (0..corpus.rows).filter(|&row| corpus.has_text(row)).collect();
        let has_vector = |row: usize| embeddings.get(row).is_some_and(says_something);
        let rows: Vec<usize> = texted.iter().copied().filter(|&row| has_vector(row)).collect();
        self.note_outliers(corpus.rows - texted.len(), "no text (null, empty or whitespace)");
        let why = if given { "a text but no vector (null)" } else { "a text without a word that the embedder knows" };
        self.note_outliers(texted.len() - rows.len(), why);
        rows
    }

    fn check_texts(&self, corpus: &Corpus, rows: &[usize]) -> Result<()> {
        match (rows.is_empty(), (0..corpus.rows).any(|row| corpus.has_text(row))) {
            (false, _) => Ok(()),
            (true, false) => Err(no_row(corpus, "no row has a text: all are null, empty or whitespace")),
            (true, true) => Err(no_row(corpus, "no row has a vector that says something: all are null or zero")),
        }
    }

    fn note_outliers(&self, rows: usize, why: &str) {
        if rows > 0 {
            let rows = if rows == 1 { "1 row has".to_owned() } else { format!("{rows} rows have") };
            self.progress.note(Stage::Input, format!("{rows} {why}: counted as outliers (topic -1)"));
        }
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
        Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message).hint(
            "Give more rows, or lower min_cluster_size (min_topic_size; two topics need twice that) or n_clusters.",
        ))
    }

    fn count_terms(&self, corpus: &Corpus, assignment: &Assignment) -> Result<TopicTerms> {
        let texts: Vec<(usize, &str)> = match &corpus.texts {
            Some(texts) => (0..corpus.rows).filter_map(|row| Some((row, texts.get(row)?))).collect(),
            None => Vec::new(),
        };
        TopicTerms::count(&texts, &assignment.topics, &assignment.ids(), &self.vectorizer, &self.ctfidf, &self.progress)
    }

    fn describe(
        &self,
        corpus: &Corpus,
        embeddings: &Embeddings,
        assignment: &Assignment,
        terms: &TopicTerms,
    ) -> Result<Described> {
        let ids = assignment.ids();
        let context = TopicContext {
            topics: &ids,
            assignments: &assignment.topics,
            texts: corpus.texts.as_ref(),
            images: corpus.images.as_ref(),
            embeddings,
            text_embeddings: self.columns.embeddings.is_none().then_some(embeddings),
            image_embeddings: corpus.image_embeddings.as_ref(),
            text_scores: &terms.text_scores,
            vocabulary: &terms.vocabulary,
            c_tf_idf: &terms.c_tf_idf,
            embedder: Some(&*self.embedder),
            image_embedder: None,
            joint_text: None,
            seed: self.seed,
            progress: &self.progress,
        };
        let candidates = terms.top_words(&ids, self.top_n_words.max(CANDIDATE_WORDS));
        let mut aspects = BTreeMap::<String, Aspect>::new();
        let mut order = Vec::new();
        for (name, representation) in &self.representations {
            let words = match aspects.get(name) {
                None => &candidates,
                Some(Aspect::Words(words)) => words,
                Some(Aspect::Pictures(_)) => return Err(after_pictures(name)),
            };
            self.progress.check(Stage::Represent)?;
            let aspect = representation.describe(&context, words)?;
            if aspects.insert(name.clone(), aspect).is_none() && name != MAIN {
                order.push(name.clone());
            }
        }
        let words = match aspects.remove(MAIN) {
            None => candidates,
            Some(Aspect::Words(words)) => words,
            Some(Aspect::Pictures(_)) => return Err(pictures_as_main()),
        };
        check_described(&words, &ids, MAIN)?;
        Ok(Described { words: cut(words, self.top_n_words), aspects, order })
    }

    fn summarise(&self, corpus: &Corpus, embeddings: &Embeddings, assignment: &Assignment, rows: usize) -> Summary {
        let outliers = assignment.sizes.get(&crate::cluster::OUTLIER).copied().unwrap_or(0);
        let images = corpus.images.as_ref().map(|images| (0..images.len()).filter(|&row| images.has(row)).count());
        let embedder = match &self.columns.embeddings {
            Some(column) => format!("the column `{column}`"),
            None => format!("{:?}", self.embedder),
        };
        Summary {
            rows: corpus.rows,
            clustered: corpus.rows - outliers,
            outliers,
            blank: corpus.rows - rows,
            topics: assignment.sizes.keys().filter(|&&id| id != crate::cluster::OUTLIER).count(),
            dimensions: embeddings.dimensions(),
            seed: self.seed,
            embedder,
            reducer: format!("{:?}", self.reducer),
            clusterer: format!("{:?}", self.clusterer),
            text_column: self.columns.text.clone(),
            image_column: self.columns.image.clone(),
            images,
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

/// A frame's columns and vectors, ready to be clustered.
pub(crate) struct Embedded {
    pub(crate) corpus: Corpus,
    pub(crate) embeddings: Embeddings,
    /// The rows that can be clustered, ascending.
    pub(crate) rows: Vec<usize>,
}

struct Described {
    words: TopicWords,
    aspects: BTreeMap<String, Aspect>,
    order: Vec<String>,
}

fn cut(mut words: TopicWords, n: usize) -> TopicWords {
    words.values_mut().for_each(|words| words.truncate(n));
    words
}
