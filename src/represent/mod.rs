//! Describing topics: words, labels and images.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use crate::caption::ImageCaptioner;
use crate::corpus::{Embeddings, ImageColumn, TextColumn};
use crate::embed::{ImageEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vectorize::CountVectorizer;

mod coverage;
mod keybert_inspired;
mod maximal_marginal_relevance;
mod representatives;
mod text_vectors;
pub mod visual;
mod visual_words;

pub use keybert_inspired::KeyBERTInspired;
pub use maximal_marginal_relevance::MaximalMarginalRelevance;
pub use representatives::Representatives;
pub(crate) use representatives::{TextRows, covering_representatives, representative_rows};
pub use visual::SavedImages;
pub(crate) use visual::SavedPictures;
pub use visual::{Gallery, OnImageError, Picture, Ranking, SkippedImage, VisualRepresentation};
pub use visual_words::VisualWords;

/// Words of topics with their weights, best first, by topic id.
///
/// ```
/// use topicframe::prelude::*;
///
/// let words = TopicWords::from([(0, vec![("cat".to_owned(), 0.9), ("dog".to_owned(), 0.4)])]);
/// assert_eq!(words[&0][0].0, "cat");
/// assert!(words.to_text().is_some_and(|text| text.contains("dog")));   // a notebook shows them
/// ```
pub type TopicWords = BTreeMap<i32, Vec<(String, f64)>>;

/// One description of every topic.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
///
/// let topics = model.representation("KeyBERT", KeyBERTInspired::new().top_n_words(1)).fit(&posts)?;
/// match topics.topic_aspect("KeyBERT")? {
///     Aspect::Words(words) => assert_eq!(words[&0].len(), 1),
///     Aspect::Images(gallery) => assert!(gallery.skipped().is_empty()),
///     _ => {}
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Aspect {
    /// Words, or a label as a single word.
    Words(TopicWords),
    /// Images.
    Images(Gallery),
}

/// Describes topics; passed to [`TopicModel::representation`](crate::model::TopicModel::representation).
///
/// ```
/// use topicframe::prelude::*;
///
/// /// A label for each topic: its most representative text.
/// #[derive(Debug)]
/// struct BestText;
///
/// impl Representation for BestText {
///     fn check(&self) -> Result<(), Error> {
///         Ok(()) // no parameters to check
///     }
///
///     fn describe(&self, context: &TopicContext<'_>, _words: &TopicWords) -> Result<Aspect, Error> {
///         let best = context.representative_rows(1);
///         let label = |topic: &i32| {
///             let &(row, score) = best.get(topic)?.first()?;
///             Some((context.texts?.get(row)?.to_owned(), score))
///         };
///         Ok(Aspect::Words(context.topics.iter().map(|topic| (*topic, label(topic).into_iter().collect())).collect()))
///     }
/// }
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.representation("Label", BestText).fit(&posts)?;     // a column of get_topic_info()
/// let Aspect::Words(labels) = topics.topic_aspect("Label")? else { panic!("it returns words") };
/// assert_eq!(labels[&1][0].0, "a fast train");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Representation: Send + Sync + Debug {
    /// Checks every parameter, before any work.
    fn check(&self) -> Result<()>;

    /// Whether the model must have an image column. Default: no.
    fn needs_images(&self) -> bool {
        false
    }

    /// Whether it reads the texts of the fit, so that a model that was saved without its documents cannot be edited with
    /// it. Default: no.
    fn needs_texts(&self) -> bool {
        false
    }

    /// The embedder that this requires; the model checks for it before any work. Default: none.
    fn needs_embedder(&self) -> Option<NeededEmbedder> {
        None
    }

    /// Whether [`describe`](Self::describe) returns words, so that a chain can continue. Default: yes.
    fn produces_words(&self) -> bool {
        true
    }

    /// The representation's captioner, if any: the model uses it as its
    /// [`captioner`](crate::model::TopicModel::captioner), unless it already has one. Default: none.
    fn captioner(&self) -> Option<Arc<dyn ImageCaptioner>> {
        None
    }

    /// The name and settings, from which [`representation_of`] builds an equal representation, so that a saved model can
    /// describe its topics anew. Default: none; the built-in representations have one.
    fn spec(&self) -> Option<Spec> {
        None
    }

    /// Describes every topic of `context`, including -1: words have an entry for each, which is empty for a topic
    /// without words. `words` are the candidates from the previous step: the 30 best c-TF-IDF words, or more if the
    /// model's `top_n_words` is larger, or the result of the previous representation in the same chain. Of the words of
    /// `Main`, a model keeps the first [`top_n_words`](crate::model::TopicModel::top_n_words).
    fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect>;
}

/// The built-in representation that a [`Spec`] describes.
///
/// ```
/// use topicframe::prelude::*;
/// use topicframe::represent::representation_of;
///
/// let diverse = MaximalMarginalRelevance::new().diversity(0.5);
/// let again = representation_of(&diverse.spec().ok_or("no spec")?)?;
/// assert_eq!(format!("{again:?}"), format!("{diverse:?}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound` if there is no built-in representation with this name; the settings cannot be read, or are out of range.
pub fn representation_of(spec: &Spec) -> Result<Arc<dyn Representation>> {
    let stage = Stage::Represent;
    let representation: Arc<dyn Representation> = match spec.name.as_str() {
        "keybert_inspired" => Arc::new(spec.read::<KeyBERTInspired>(stage)?),
        "maximal_marginal_relevance" => Arc::new(spec.read::<MaximalMarginalRelevance>(stage)?),
        "visual_words" => Arc::new(spec.read::<VisualWords>(stage)?),
        "visual" => Arc::new(VisualRepresentation::from_settings(spec.read(stage)?)),
        _ => {
            let known = "keybert_inspired, maximal_marginal_relevance, visual_words and visual";
            return Err(spec.unknown(stage, known));
        }
    };
    representation.check()?;
    Ok(representation)
}

/// An embedder that a [`Representation`] requires.
///
/// ```
/// use topicframe::prelude::*;
/// use topicframe::represent::NeededEmbedder;
///
/// assert_eq!(KeyBERTInspired::new().needs_embedder(), Some(NeededEmbedder::Texts));
///
/// // So a model without an embedder of texts refuses it, before any work.
/// let model = TopicModel::text("text", NoEmbedder).embeddings("vectors");
/// let model = model.representation("Main", KeyBERTInspired::new());
/// assert_eq!(model.check().unwrap_err().stage(), Stage::Represent);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NeededEmbedder {
    /// An embedder of texts: [`TopicContext::embedder`].
    Texts,
    /// An embedder of texts into the same space as image embeddings, and image embeddings: [`TopicContext::joint_text`]
    /// and [`TopicContext::image_embeddings`].
    Joint,
}

impl NeededEmbedder {
    /// The error if `representation` lacks it.
    pub(crate) fn missing(self, representation: &str) -> Error {
        let (what, hint) = match self {
            NeededEmbedder::Texts => {
                ("an embedder for texts", "Give the model one, or a joint model of images and texts.")
            }
            NeededEmbedder::Joint => (
                "image vectors and an embedder for texts into the same space",
                "Embed the images with a joint model, such as CLIP.",
            ),
        };
        let message = format!("the representation `{representation}` needs {what}, but the model has none");
        Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).with_hint(hint)
    }
}

/// The data available to a [`Representation`]. Rows are those of the fitted frame.
///
/// ```
/// use topicframe::corpus::Embeddings;
/// use topicframe::linalg::sparse::CsrMatrix;
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// // Two topics of two rows each, and two terms: for testing a representation without a fit.
/// let embeddings = Embeddings::scatter(array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], &[0, 1, 2, 3], 4)?;
/// let vocabulary = ["cat".to_owned(), "train".to_owned()];
/// let c_tf_idf = CsrMatrix::new(2, vec![0, 1, 2], vec![0, 1], vec![0.7, 0.7])?;
/// let progress = Progress::silent();
/// let context = TopicContext::new(&[0, 1], &[0, 1, 0, 1], &embeddings, &vocabulary, &c_tf_idf, &progress);
///
/// let words = TopicWords::from([(0, vec![("cat".to_owned(), 0.7)]), (1, vec![("train".to_owned(), 0.7)])]);
/// let aspect = MaximalMarginalRelevance::new().describe(&context, &words)?;
/// assert!(matches!(aspect, Aspect::Words(kept) if kept == words));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TopicContext<'a> {
    /// Topic ids in ascending order, starting with -1 if there are outliers.
    pub topics: &'a [i32],
    /// The topic of each row.
    pub assignments: &'a [i32],
    /// The texts in which the topics' words were counted, if any: the text column, and captions for some of the rows
    /// that have only an image.
    pub texts: Option<&'a TextColumn>,
    /// The image column, if the model has one.
    pub images: Option<&'a ImageColumn>,
    /// The vectors that were clustered.
    pub embeddings: &'a Embeddings,
    /// The embeddings of the rows' `texts` by `embedder`, if the fit computed them.
    pub text_embeddings: Option<&'a Embeddings>,
    /// The image embeddings, if any: from the frame, or computed by the model.
    pub image_embeddings: Option<&'a Embeddings>,
    /// How well each row's text represents its topic: the cosine similarity of the row's c-TF-IDF to the topic's, 0 to
    /// 1; 0 if the row has no text.
    pub text_scores: &'a [f64],
    /// The settings by which the texts' terms were counted, with the stop words and the cleaning of the fit, if texts
    /// were counted: [`analyze`](CountVectorizer::analyze) finds the terms of other texts as the model does.
    pub vectorizer: Option<&'a CountVectorizer>,
    /// The terms, one for each column of `c_tf_idf`.
    pub vocabulary: &'a [String],
    /// Topic-term weights; row i belongs to `topics[i]`. If the model
    /// [merges word forms](crate::model::TopicModel::merge_word_forms), a topic has only one form of each word.
    pub c_tf_idf: &'a CsrMatrix<f64>,
    /// The embedder of texts, if the model has one: its own, or that of the joint model of its images. Its vectors
    /// can be compared with `embeddings` only if texts, or images of the same joint model, were clustered.
    pub embedder: Option<&'a dyn TextEmbedder>,
    /// The embedder of images, if the model has one.
    pub image_embedder: Option<&'a dyn ImageEmbedder>,
    /// The embedder of texts into the space of `image_embeddings`, if there is one, to compare words with images.
    pub joint_text: Option<&'a dyn TextEmbedder>,
    /// The seed of the fit.
    pub seed: u64,
    /// Progress reporting.
    pub progress: &'a Progress,
}

impl<'a> TopicContext<'a> {
    /// A context with the data that every representation can use: the `topics` in ascending order, the topic of each
    /// row (`assignments`), the `embeddings` that were clustered, and the `c_tf_idf` weights, one row for each of the
    /// topics and one column for each term of the `vocabulary`. No texts, vectorizer, images or embedders; seed 42.
    /// Models build contexts themselves; this is for testing a representation.
    pub fn new(
        topics: &'a [i32],
        assignments: &'a [i32],
        embeddings: &'a Embeddings,
        vocabulary: &'a [String],
        c_tf_idf: &'a CsrMatrix<f64>,
        progress: &'a Progress,
    ) -> Self {
        TopicContext {
            topics,
            assignments,
            texts: None,
            images: None,
            embeddings,
            text_embeddings: None,
            image_embeddings: None,
            text_scores: &[],
            vectorizer: None,
            vocabulary,
            c_tf_idf,
            embedder: None,
            image_embedder: None,
            joint_text: None,
            seed: 42,
            progress,
        }
    }

    /// Sets the rows' texts, which [`TextColumn::read`] takes from a frame, and how well each represents its topic (0
    /// to 1).
    #[must_use]
    pub fn with_texts(self, texts: &'a TextColumn, text_scores: &'a [f64]) -> Self {
        TopicContext { texts: Some(texts), text_scores, ..self }
    }

    /// Sets the settings for finding the terms of texts. In a model, neither the stop words nor the cleaning are `Auto`.
    #[must_use]
    pub fn with_vectorizer(self, vectorizer: &'a CountVectorizer) -> Self {
        TopicContext { vectorizer: Some(vectorizer), ..self }
    }

    /// Sets the rows' images, and their embeddings, if any.
    #[must_use]
    pub fn with_images(self, images: &'a ImageColumn, image_embeddings: Option<&'a Embeddings>) -> Self {
        TopicContext { images: Some(images), image_embeddings, ..self }
    }

    /// Sets the embedder of texts, and the embeddings of the texts, if known.
    #[must_use]
    pub fn with_embedder(self, embedder: &'a dyn TextEmbedder, text_embeddings: Option<&'a Embeddings>) -> Self {
        TopicContext { embedder: Some(embedder), text_embeddings, ..self }
    }

    /// Sets the embedder of images, and that of texts into the same space, if there is one.
    #[must_use]
    pub fn with_image_embedder(self, embedder: &'a dyn ImageEmbedder) -> Self {
        TopicContext { image_embedder: Some(embedder), joint_text: embedder.text_side(), ..self }
    }

    /// The seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        TopicContext { seed, ..self }
    }

    /// The `n` rows of each topic whose texts represent it best, with their `text_scores`, best first, ties by row; of
    /// equal texts, only the first. Topics without a text are omitted.
    pub fn representative_rows(&self, n: usize) -> BTreeMap<i32, Vec<(usize, f64)>> {
        let rows = |texts| representative_rows(TextRows::Texts(texts), self.assignments, self.text_scores, n);
        self.texts.map(rows).unwrap_or_default()
    }
}
