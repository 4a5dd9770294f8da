//! The description of a model. Its fit is in `model/fit.rs`: the pipeline in one screen.

use std::path::PathBuf;
use std::sync::Arc;

use crate::caption::ImageCaptioner;
use crate::cluster::{Clusterer, Hdbscan};
use crate::corpus::Columns;
use crate::embed::{Fusion, ImageEmbedder, JointEmbedder, TextEmbedder};
use crate::encode::Encoder;
use crate::progress::{Interrupt, Progress};
use crate::reduce::{Reducer, Umap};
use crate::represent::Representation;
use crate::vectorize::{ClassTfIdf, CountVectorizer, TextCleaning};

mod captions;
mod check;
mod data;
mod describe;
mod equal_rows;
mod fit;
mod fitted;
mod params;
mod pipeline;

pub use fitted::{FittedTopicModel, NrTopics, Summary};

pub use crate::encode::ClusterOn;

/// The name of the representation that the topics' own words are.
const MAIN: &str = "Main";

/// Images of a topic that are captioned, unless the user says otherwise. A topic's words are counted in its captions: at
/// ten words a caption, of which half are content, nine captions (BERTopic's number) hold hardly more words than are
/// shown, most of them once. Thirty tell frequent words from chance, and take seconds a topic.
const CAPTIONED_IMAGES: usize = 30;

/// A topic model's description: which columns play which role, and the stages. Nothing here changes when it is fitted.
///
/// | setting | default |
/// |---|---|
/// | [`cluster_on`](Self::cluster_on) | what the constructor says |
/// | [`fusion`](Self::fusion) | [`Fusion`]: text and image count alike |
/// | [`captioner`](Self::captioner) | none |
/// | [`nr_captioned_images`](Self::nr_captioned_images) | 30 a topic |
/// | [`only_in_image_folder`](Self::only_in_image_folder) | no |
/// | [`cleaning`](Self::cleaning) | [`TextCleaning::Auto`]: addresses, tags and entities are not counted as words |
/// | [`reducer`](Self::reducer) | [`Umap`]: 15 neighbors, 5 dimensions, min_dist 0.0, cosine |
/// | [`clusterer`](Self::clusterer) | [`Hdbscan`]: min_cluster_size 10 |
/// | [`vectorizer`](Self::vectorizer) | [`CountVectorizer`]: single words, without the stop words of the texts' language |
/// | [`ctfidf`](Self::ctfidf) | [`ClassTfIdf`] |
/// | [`top_n_words`](Self::top_n_words) | 10 |
/// | [`nr_repr_docs`](Self::nr_repr_docs) | 3 |
/// | [`seed`](Self::seed) | 42 |
#[derive(Debug, Clone)]
pub struct TopicModel {
    encoder: Encoder,
    captioner: Option<Arc<dyn ImageCaptioner>>,
    nr_captioned_images: usize,
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
        let columns = Columns { text: Some(text.into()), ..Columns::default() };
        Self::new(columns, ClusterOn::Text).embedders(Some(Arc::new(embedder)), None)
    }

    /// Topics of the texts in the column `text` and the images in the column `image` together: `joint` turns both into
    /// vectors of one space, and [`fusion`](Self::fusion) makes one of the two. A row may lack its text or its image;
    /// a row that lacks both is an outlier.
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
    /// which `embedder` turns into vectors. Rows without an image, or with one that cannot be read, are outliers.
    ///
    /// Words come from a [`captioner`](Self::captioner). Without one, and with an embedder that knows texts too
    /// ([`ImageEmbedder::text_side`]), they are chosen from a vocabulary by how well they fit the topic's images. With
    /// neither, topics have pictures and no words.
    pub fn images(image: impl Into<String>, embedder: impl ImageEmbedder + 'static) -> Self {
        let columns = Columns { image: Some(image.into()), ..Columns::default() };
        Self::new(columns, ClusterOn::Images).embedders(None, Some(Arc::new(embedder)))
    }

    /// An embedder without dimensions embeds nothing ([`NoEmbedder`](crate::embed::NoEmbedder)): the model has none then.
    fn embedders(mut self, text: Option<Arc<dyn TextEmbedder>>, image: Option<Arc<dyn ImageEmbedder>>) -> Self {
        self.encoder.text_embedder = text.filter(|embedder| embedder.dimensions() > 0);
        self.encoder.image_embedder = image.filter(|embedder| embedder.dimensions() > 0);
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
            reducer: Arc::new(Umap::new()),
            clusterer: Arc::new(Hdbscan::new()),
            vectorizer: CountVectorizer::new(),
            ctfidf: ClassTfIdf::new(),
            representations: Vec::new(),
            top_n_words: 10,
            nr_repr_docs: 3,
            seed: 42,
            progress: Progress::of_a_model(),
        }
    }

    /// What is clustered, where the model has texts and images. Default: [`ClusterOn::Both`] after
    /// [`text_and_images`](Self::text_and_images). The other one still describes the topics.
    #[must_use]
    pub fn cluster_on(mut self, cluster_on: ClusterOn) -> Self {
        self.encoder.cluster_on = cluster_on;
        self
    }

    /// How a row's text and image become one vector. Default: both count alike.
    #[must_use]
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.encoder.fusion = fusion;
        self
    }

    /// Puts images into words: the most representative images of each topic that have no text of their own are
    /// captioned, and the captions are the topic's texts, for words, names and representative documents.
    #[must_use]
    pub fn captioner(mut self, captioner: impl ImageCaptioner + 'static) -> Self {
        self.captioner = Some(Arc::new(captioner));
        self
    }

    /// How many images of each topic are captioned, at least 1. Default 30: each costs time, and much fewer leave a
    /// topic short of words (BERTopic captions nine).
    #[must_use]
    pub fn nr_captioned_images(mut self, nr_captioned_images: usize) -> Self {
        self.nr_captioned_images = nr_captioned_images;
        self
    }

    /// Captions every image that has no text of its own, instead of some of each topic.
    #[must_use]
    pub fn caption_all_images(self) -> Self {
        self.nr_captioned_images(usize::MAX)
    }

    /// The column `image` holds pictures that illustrate the topics: String paths, Binary encoded images, or
    /// `Struct{bytes, path}`. They do not change what is clustered. Add a
    /// [`VisualRepresentation`](crate::represent::VisualRepresentation) to see them.
    #[must_use]
    pub fn with_images(mut self, image: impl Into<String>) -> Self {
        self.encoder.columns.image = Some(image.into());
        self
    }

    /// Where relative image paths start. Default: the working folder.
    #[must_use]
    pub fn image_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.encoder.columns.image_folder = folder.into();
        self
    }

    /// Whether images outside the [image folder](Self::image_folder) are refused, as images that cannot be read: those
    /// with an absolute path to elsewhere, and links that lead out of it. Default: no; they are read, and told with a
    /// count and the first path. A table from somebody else can name any picture on this machine, and a page would show
    /// it.
    #[must_use]
    pub fn only_in_image_folder(mut self, only_in_image_folder: bool) -> Self {
        self.encoder.columns.only_in_image_folder = only_in_image_folder;
        self
    }

    /// Clusters the vectors in this column as they are, `Array(Float32, d)` or `List(Float32)`; then no embedder runs.
    /// Rows whose vector is null are outliers.
    #[must_use]
    pub fn embeddings(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.embeddings = Some(column.into());
        self
    }

    /// Vectors of the texts alone, `Array(Float32, d)` or `List(Float32)`: texts are not embedded. Null: no vector.
    #[must_use]
    pub fn text_embeddings(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.text_embeddings = Some(column.into());
        self
    }

    /// Vectors of the images alone, `Array(Float32, d)` or `List(Float32)`: images are not embedded, and pictures are
    /// chosen by these. Null: no vector.
    #[must_use]
    pub fn image_embeddings(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.image_embeddings = Some(column.into());
        self
    }

    /// Classes of rows that are known beforehand: a column of whole numbers, -1 or null where the class is unknown
    /// (BERTopic's `y`). They are passed to the reducer and the clusterer ([`Training`](crate::training::Training)), one of
    /// which must use them; the built-in ones do not.
    #[must_use]
    pub fn labels(mut self, column: impl Into<String>) -> Self {
        self.encoder.columns.labels = Some(column.into());
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

    /// What of scraped texts is neither a word nor seen by a [`StaticEmbedder`](crate::embed::StaticEmbedder): addresses,
    /// tags, entities. The texts stay as they are in every table, and embedders of other kinds see them so. A
    /// [`CountVectorizer`] with a [`cleaning`](CountVectorizer::cleaning) of its own counts by that. Default
    /// [`TextCleaning::Auto`].
    #[must_use]
    pub fn cleaning(mut self, cleaning: TextCleaning) -> Self {
        self.encoder.cleaning = cleaning;
        self
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
    /// [`get_topic_info`](FittedTopicModel::get_topic_info); `Main` replaces the topics' own words. Given
    /// twice under one name, the second works on the words of the first: a chain.
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

    /// The seed of everything random. Default 42: every fit is reproducible.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether to say on standard error what is going on, as throttled whole lines. Default: silence; in a notebook, work
    /// that takes longer than a moment is told of.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        self.with_progress(if verbose { Progress::lines() } else { Progress::silent() })
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
}
