//! The settings of a model. Fitting is in `model/fit.rs`: the whole pipeline on one screen.

use std::path::PathBuf;
use std::sync::Arc;

use crate::caption::ImageCaptioner;
use crate::cluster::{Clusterer, Communities, Hdbscan};
use crate::corpus::Columns;
use crate::embed::{Fusion, ImageEmbedder, JointEmbedder, TextEmbedder};
use crate::encode::Encoder;
use crate::progress::{Interrupt, Progress};
use crate::reduce::{Reducer, Umap};
use crate::represent::{Representation, Representatives};
use crate::vectorize::{ClassTfIdf, CountVectorizer, TextCleaning};

mod captions;
mod check;
mod data;
mod describe;
mod equal_rows;
mod fit;
mod fitted;
mod imported;
mod layout;
mod nr_topics;
mod outliers;
mod params;
mod pipeline;
mod reduce_topics;
mod saved;

pub use fitted::{
    DocumentSearch, FittedTopicModel, HierarchyOptions, OverTimeOptions, PerClassOptions, SplitBy, Summary,
    TopicDistance, TopicsOverTime, UpdateTopics,
};
pub(crate) use fitted::{Doubt, Quality, TopicQuality, no_topic};
pub use nr_topics::NrTopics;
pub use reduce_topics::ReduceTopics;
pub use saved::{LoadOptions, SaveOptions, SavedImages, SavedVectors};

pub use crate::encode::ClusterOn;
pub use crate::topics::{Cut, Linkage, OutlierStrategy, Outliers, ReduceOutliers, TopicHierarchy, TopicLabels};

/// The name of the representation that provides the topics' main words.
const MAIN: &str = "Main";

/// The default number of captioned images per topic. A topic's words are counted in its captions: at ten words per
/// caption, half of them content words, nine captions (BERTopic's number) contain hardly more words than are shown, and
/// most of them only once. Thirty captions are enough to distinguish frequent words from chance, and take seconds per
/// topic.
const CAPTIONED_IMAGES: usize = 30;

/// The settings of a topic model: the roles of the columns, and the stages. Fitting does not change them.
///
/// | setting | default |
/// |---|---|
/// | [`cluster_on`](Self::cluster_on) | set by the constructor |
/// | [`fusion`](Self::fusion) | [`Fusion`]: text and image have equal weight |
/// | [`captioner`](Self::captioner) | none |
/// | [`nr_captioned_images`](Self::nr_captioned_images) | 30 per topic |
/// | [`only_in_image_folder`](Self::only_in_image_folder) | no |
/// | [`cleaning`](Self::cleaning) | [`TextCleaning::Auto`]: URLs, tags and entities are not counted as words |
/// | [`reducer`](Self::reducer) | none: the neighbor graph of the vectors is clustered; [`Umap`] for other clusterers |
/// | [`clusterer`](Self::clusterer) | [`Communities`]: 15 neighbors, as many topics as are coherent, of 10 rows or more |
/// | [`outliers`](Self::outliers) | [`Outliers::AsClustered`]: the rows that the clusterer leaves out |
/// | [`nr_topics`](Self::nr_topics) | as many as the clusterer finds |
/// | [`vectorizer`](Self::vectorizer) | [`CountVectorizer`]: unigrams, without the stop words of the texts' language |
/// | [`ctfidf`](Self::ctfidf) | [`ClassTfIdf`] with [`coverage`](ClassTfIdf::coverage) |
/// | [`merge_word_forms`](Self::merge_word_forms) | yes: a topic's words have "cat" or "cats", not both |
/// | [`coherent_words`](Self::coherent_words) | yes: of the words with the highest weights, those that belong together |
/// | [`top_n_words`](Self::top_n_words) | 10 |
/// | [`nr_repr_docs`](Self::nr_repr_docs) | 3 |
/// | [`representatives`](Self::representatives) | [`Representatives::Best`] |
/// | [`seed`](Self::seed) | 42 |
///
/// [`bertopic`](Self::bertopic) sets BERTopic's stages instead.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(20))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin())
///     .reducer(NoReduction)                                     // few, clear-cut rows: no need to reduce them
///     .clusterer(KMeans::new(2))
///     .ctfidf(ClassTfIdf::new().reduce_frequent_words(true))
///     .seed(7);
///
/// let (topics, posts) = model.fit_transform(&posts)?;
/// assert_eq!(topics.labels()[..4], [0, 1, 0, 1]);
/// assert_eq!(posts.get_column_names(), ["text", "embedding", "Topic", "Probability"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TopicModel {
    encoder: Encoder,
    captioner: Option<Arc<dyn ImageCaptioner>>,
    nr_captioned_images: usize,
    /// `None`: UMAP, for a clusterer of points.
    reducer: Option<Arc<dyn Reducer>>,
    clusterer: Arc<dyn Clusterer>,
    outliers: Outliers,
    nr_topics: Option<NrTopics>,
    vectorizer: CountVectorizer,
    ctfidf: ClassTfIdf,
    merge_word_forms: bool,
    coherent_words: bool,
    representations: Vec<(String, Arc<dyn Representation>)>,
    top_n_words: usize,
    nr_repr_docs: usize,
    representatives: Representatives,
    seed: u64,
    progress: Progress,
}

impl TopicModel {
    /// Topics of the texts in the column `text`, embedded with `embedder`.
    pub fn text(text: impl Into<String>, embedder: impl TextEmbedder + 'static) -> Self {
        let columns = Columns { text: Some(text.into()), ..Columns::default() };
        Self::new(columns, ClusterOn::Text).embedders(Some(Arc::new(embedder)), None)
    }

    /// Topics of the texts in the column `text` and the images in the column `image` together: `joint` embeds both into
    /// the same space, and [`fusion`](Self::fusion) combines the two vectors. A row may lack a text or an image; a row
    /// that lacks both is an outlier.
    pub fn text_and_images(
        text: impl Into<String>,
        image: impl Into<String>,
        joint: impl JointEmbedder + 'static,
    ) -> Self {
        let columns = Columns { text: Some(text.into()), image: Some(image.into()), ..Columns::default() };
        let joint = Arc::new(joint);
        Self::new(columns, ClusterOn::Both).embedders(Some(Arc::clone(&joint) as Arc<dyn TextEmbedder>), Some(joint))
    }

    /// Topics of the images in the column `image` (String paths, Binary encoded images, or `Struct{bytes, path}`),
    /// embedded with `embedder`. Rows without an image, or with one that cannot be read, are outliers.
    ///
    /// Words come from a [`captioner`](Self::captioner). Without one, if the embedder also embeds text
    /// ([`ImageEmbedder::text_side`]), they are selected from a vocabulary by their similarity to the topic's images.
    /// With neither, topics have images but no words.
    pub fn images(image: impl Into<String>, embedder: impl ImageEmbedder + 'static) -> Self {
        let columns = Columns { image: Some(image.into()), ..Columns::default() };
        Self::new(columns, ClusterOn::Images).embedders(None, Some(Arc::new(embedder)))
    }

    /// An embedder with zero dimensions ([`NoEmbedder`](crate::embed::NoEmbedder)) embeds nothing, and counts as no
    /// embedder. It is kept if its parameters are the reason, so that [`check`](Self::check) can report them.
    fn embedders(mut self, text: Option<Arc<dyn TextEmbedder>>, image: Option<Arc<dyn ImageEmbedder>>) -> Self {
        self.encoder.text_embedder = text.filter(|embedder| embedder.dimensions() > 0 || embedder.check().is_err());
        self.encoder.image_embedder = image.filter(|embedder| embedder.dimensions() > 0 || embedder.check().is_err());
        self
    }

    fn new(columns: Columns, cluster_on: ClusterOn) -> Self {
        TopicModel {
            encoder: Encoder {
                columns,
                cluster_on,
                text_embedder: None,
                image_embedder: None,
                fusion: Fusion::new(),
                cleaning: TextCleaning::Auto,
            },
            captioner: None,
            nr_captioned_images: CAPTIONED_IMAGES,
            reducer: None,
            clusterer: Arc::new(Communities::new()),
            outliers: Outliers::AsClustered,
            nr_topics: None,
            vectorizer: CountVectorizer::new(),
            ctfidf: ClassTfIdf::new().coverage(true),
            merge_word_forms: true,
            coherent_words: true,
            representations: Vec::new(),
            top_n_words: 10,
            nr_repr_docs: 3,
            representatives: Representatives::Best,
            seed: 42,
            progress: Progress::of_a_model(),
        }
    }

    /// What to cluster, if the model has texts and images. Default: [`ClusterOn::Both`] after
    /// [`text_and_images`](Self::text_and_images). A column that is not clustered still describes the topics.
    #[must_use]
    pub fn cluster_on(mut self, cluster_on: ClusterOn) -> Self {
        self.encoder.cluster_on = cluster_on;
        self
    }

    /// How a row's text and image vectors are combined. Default: equal weights.
    #[must_use]
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.encoder.fusion = fusion;
        self
    }

    /// Captions images: of each topic, the most representative images without a text are captioned, and the captions
    /// serve as the topic's texts, for words, names and representative documents.
    #[must_use]
    pub fn captioner(mut self, captioner: impl ImageCaptioner + 'static) -> Self {
        self.captioner = Some(Arc::new(captioner));
        self
    }

    /// The number of images captioned per topic, at least 1. Default 30: every caption takes time, but with far fewer,
    /// a topic has too few words (BERTopic captions nine).
    #[must_use]
    pub fn nr_captioned_images(mut self, nr_captioned_images: usize) -> Self {
        self.nr_captioned_images = nr_captioned_images;
        self
    }

    /// Captions every image without a text, instead of some per topic.
    #[must_use]
    pub fn caption_all_images(self) -> Self {
        self.nr_captioned_images(usize::MAX)
    }

    /// Adds the column `image` of images that illustrate the topics: String paths, Binary encoded images, or
    /// `Struct{bytes, path}`. They do not affect the clustering. Add a
    /// [`VisualRepresentation`](crate::represent::VisualRepresentation) to see them.
    #[must_use]
    pub fn with_images(mut self, image: impl Into<String>) -> Self {
        self.encoder.columns.image = Some(image.into());
        self
    }

    /// The folder that relative image paths are resolved against. Default: the working directory.
    #[must_use]
    pub fn image_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.encoder.columns.image_folder = folder.into();
        self
    }

    /// Whether images outside the [image folder](Self::image_folder) are rejected and treated as unreadable: absolute
    /// paths to files elsewhere, and symbolic links that lead outside. Default: no; they are read, and reported with
    /// their number and the first path. An untrusted table can refer to any image on this machine, and a report would
    /// show it.
    #[must_use]
    pub fn only_in_image_folder(mut self, only_in_image_folder: bool) -> Self {
        self.encoder.columns.only_in_image_folder = only_in_image_folder;
        self
    }

    /// Clusters the precomputed embeddings in this column, `Array(Float32, d)` or `List(Float32)`, without running an
    /// embedder. Rows with a null vector are outliers.
    #[must_use]
    pub fn embeddings(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.embeddings = Some(column.into());
        self
    }

    /// Precomputed text embeddings, `Array(Float32, d)` or `List(Float32)`, used instead of embedding the texts. Null
    /// means no vector.
    #[must_use]
    pub fn text_embeddings(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.text_embeddings = Some(column.into());
        self
    }

    /// Precomputed image embeddings, `Array(Float32, d)` or `List(Float32)`, used instead of embedding the images, and
    /// to select representative images. Null means no vector.
    #[must_use]
    pub fn image_embeddings(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.image_embeddings = Some(column.into());
        self
    }

    /// Known class labels: an integer column, -1 or null if the class is unknown (BERTopic's `y`). They are passed to
    /// the reducer and the clusterer ([`Training`](crate::training::Training)), at least one of which must use them;
    /// the built-in ones do not.
    #[must_use]
    pub fn labels(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.labels = Some(column.into());
        self
    }

    /// The dimensionality reduction: [`Umap`], [`Pca`](crate::reduce::Pca), [`NoReduction`](crate::reduce::NoReduction)
    /// or a custom type. Default: none for a clusterer of a neighbor graph ([`Clusterer::graph`]), such as
    /// [`Communities`]; for others, [`Umap`] with 15 neighbors, 5 dimensions, min_dist 0.0 and cosine distance. If one is
    /// set, a neighbor graph is that of the reduced vectors.
    #[must_use]
    pub fn reducer(mut self, reducer: impl Reducer + 'static) -> Self {
        self.reducer = Some(Arc::new(reducer));
        self
    }

    /// The clustering: [`Communities`], [`Hdbscan`], [`KMeans`](crate::cluster::KMeans) or a custom type.
    #[must_use]
    pub fn clusterer(mut self, clusterer: impl Clusterer + 'static) -> Self {
        self.clusterer = Arc::new(clusterer);
        self
    }

    /// The minimum number of documents in a topic, at least 2: sets the clusterer's `min_cluster_size`
    /// ([`Clusterer::with_min_cluster_size`]). A clusterer without one is replaced by [`Communities`].
    #[must_use]
    pub fn min_topic_size(mut self, min_topic_size: usize) -> Self {
        let sized = self.clusterer.with_min_cluster_size(min_topic_size);
        self.clusterer = sized.unwrap_or_else(|| Arc::new(Communities::new().min_cluster_size(min_topic_size)));
        self
    }

    /// BERTopic's stages and numbers: [`Umap`], [`Hdbscan`], c-TF-IDF without coverage, all forms of a word, words by
    /// weight alone. Settings made after this stay.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(20))?;
    /// let topics = TopicModel::text("text", StaticEmbedder::builtin()).bertopic().fit(&posts)?;
    /// assert!(topics.summary().clusterer.starts_with("Hdbscan"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn bertopic(self) -> Self {
        self.reducer(Umap::new())
            .clusterer(Hdbscan::new())
            .ctfidf(ClassTfIdf::new())
            .merge_word_forms(false)
            .coherent_words(false)
    }

    /// The reduction that the clusterer's input needs; `None` if it is the vectors' neighbor graph.
    fn reduction(&self) -> Option<Arc<dyn Reducer>> {
        match (&self.reducer, self.clusterer.graph()) {
            (Some(reducer), _) => Some(Arc::clone(reducer)),
            (None, Some(_)) => None,
            (None, None) => Some(Arc::new(Umap::new())),
        }
    }

    /// The number of topics, not counting the outlier topic: `nr_topics(20)`, at least 1, or
    /// `nr_topics(NrTopics::Auto)`. Default: as many as the clusterer finds.
    ///
    /// If the clusterer finds a tree of topics ([`Communities`] does), this is its cut with
    /// that number, or the nearest that it has, and with [`NrTopics::Auto`] the cut that the clusterer chooses. Other
    /// clusterers know one number only: similar topics are merged until there are no more than requested, as by
    /// [`reduce_topics`](FittedTopicModel::reduce_topics), so there may be fewer.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "a dog sleeps", "a fast train", "a slow train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).nr_topics(2);
    ///
    /// let merged = model.clone().reducer(NoReduction).clusterer(KMeans::new(4)).fit(&posts)?;
    /// assert_eq!((merged.topic_ids(), merged.topic_size(0)), (vec![0, 1], Some(20)));
    /// let cut = model.clusterer(Communities::new().n_neighbors(30)).fit(&posts)?;
    /// assert!(cut.topic_ids().len() <= 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn nr_topics(mut self, nr_topics: impl Into<NrTopics>) -> Self {
        self.nr_topics = Some(nr_topics.into());
        self
    }

    /// What is removed from scraped texts before counting words, and before embedding with a
    /// [`StaticEmbedder`](crate::embed::StaticEmbedder): URLs, tags, entities. The texts are unchanged in all tables,
    /// and other embedders receive them unchanged. If the [`CountVectorizer`] has its own
    /// [`cleaning`](CountVectorizer::cleaning), that is used for counting. Default [`TextCleaning::Auto`].
    #[must_use]
    pub fn cleaning(mut self, cleaning: TextCleaning) -> Self {
        self.encoder.cleaning = cleaning;
        self
    }

    /// How terms are counted in texts.
    #[must_use]
    pub fn vectorizer(mut self, vectorizer: CountVectorizer) -> Self {
        self.vectorizer = vectorizer;
        self
    }

    /// How term counts are weighted. Default: `ClassTfIdf::new().coverage(true)`; `ClassTfIdf::new()` is BERTopic's
    /// formula. [`with_ctfidf`](FittedTopicModel::with_ctfidf) changes it after the fit.
    #[must_use]
    pub fn ctfidf(mut self, ctfidf: ClassTfIdf) -> Self {
        self.ctfidf = ctfidf;
        self
    }

    /// Whether the words of a topic contain only one form of each word, singular or plural: the one that is the most
    /// frequent in the topic, weighted by the counts of all of them. Default: true; BERTopic shows all forms.
    ///
    /// Plurals are those of English texts, formed by simple rules, where the singular occurs as well: `cats` is shown
    /// with `cat`, but `news` apart from `new`. Forms that differ in case, which are counted apart with
    /// [`lowercase(false)`](CountVectorizer::lowercase), are merged in any language. The vocabulary and the counts in
    /// [`terms`](FittedTopicModel::terms) keep all forms.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cats sleep", "two cats and a cat", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// assert_eq!(model.fit(&posts)?.topic_label(0).as_deref(), Some("0_cats_sleep"));
    ///
    /// let every_form = model.merge_word_forms(false);
    /// assert_eq!(every_form.fit(&posts)?.topic_label(0).as_deref(), Some("0_cats_cat_sleep"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn merge_word_forms(mut self, merge_word_forms: bool) -> Self {
        self.merge_word_forms = merge_word_forms;
        self
    }

    /// Whether the words of a topic are chosen to belong together: of the 30 with the highest weights, one after the
    /// other, the word with the highest mean of its weight and its coherence (NPMI within texts, see
    /// [`document_npmi`](crate::measure::document_npmi)) with the words chosen before. They are listed by weight. Default:
    /// true; otherwise, and in BERTopic, they are the words with the highest weights. A representation called `Main`
    /// chooses words itself.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => [["the cat purrs"; 10].as_slice(), &["a train"; 11]].concat())?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(KMeans::new(1)).top_n_words(2);
    /// assert_eq!(model.fit(&posts)?.topic_label(0).as_deref(), Some("0_cat_purrs"));
    ///
    /// let by_weight = model.coherent_words(false);
    /// assert_eq!(by_weight.fit(&posts)?.topic_label(0).as_deref(), Some("0_train_cat"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn coherent_words(mut self, coherent_words: bool) -> Self {
        self.coherent_words = coherent_words;
        self
    }

    /// Adds a description of the topics. `name` becomes a column of
    /// [`get_topic_info`](FittedTopicModel::get_topic_info); `Main` replaces the topics' main words. A repeated name
    /// builds a chain: the second representation works on the words of the first.
    #[must_use]
    pub fn representation(mut self, name: impl Into<String>, representation: impl Representation + 'static) -> Self {
        if self.captioner.is_none() {
            self.captioner = representation.captioner();
        }
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

    /// Whether the representative documents are the best ones, or those that together cover the topic. A
    /// [`VisualRepresentation`](crate::represent::VisualRepresentation) has its own setting. Default:
    /// [`Representatives::Best`].
    #[must_use]
    pub fn representatives(mut self, representatives: Representatives) -> Self {
        self.representatives = representatives;
        self
    }

    /// The random seed. Default 42: every fit is reproducible.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether to report progress on standard error, as throttled, complete lines. Default: silent; in a notebook,
    /// steps that take longer than a moment are reported.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        self.with_progress(if verbose { Progress::lines() } else { Progress::silent() })
    }

    /// The destination of progress reports.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = match (progress.interrupt(), self.progress.interrupt()) {
            (None, Some(interrupt)) => progress.clone().with_interrupt(interrupt.clone()),
            _ => progress,
        };
        self
    }

    /// A switch that cancels a running fit, embedding or transform. It cannot be reset: after
    /// [`stop`](Interrupt::stop), the model needs a new one.
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.progress = self.progress.with_interrupt(interrupt);
        self
    }
}
