//! Topics to words, labels and pictures.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use crate::corpus::{Embeddings, ImageColumn, TextColumn};
use crate::embed::{ImageCaptioner, ImageEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::Progress;

mod keybert_inspired;
mod maximal_marginal_relevance;
mod representatives;
mod text_vectors;
pub mod visual;
mod visual_words;

pub use keybert_inspired::KeyBERTInspired;
pub use maximal_marginal_relevance::MaximalMarginalRelevance;
pub(crate) use representatives::representative_rows;
pub use visual::{Gallery, OnImageError, Picture, Ranking, SkippedImage, VisualRepresentation};
pub use visual_words::VisualWords;

/// Words of topics with their weights, best first, by topic id.
pub type TopicWords = BTreeMap<i32, Vec<(String, f64)>>;

/// One way of describing every topic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Aspect {
    /// Words, or a label as a single word.
    Words(TopicWords),
    /// Pictures.
    Pictures(Gallery),
}

/// Describes topics. Plugs into [`TopicModel::representation`](crate::model::TopicModel::representation).
pub trait Representation: Send + Sync + Debug {
    /// Checks every parameter, before any work.
    fn check(&self) -> Result<()>;

    /// Whether this needs the model to know an image column.
    fn needs_images(&self) -> bool {
        false
    }

    /// The embedder that this cannot do without; the model looks before any work whether it has it. Default: none.
    fn needs_embedder(&self) -> Option<NeededEmbedder> {
        None
    }

    /// Whether [`describe`](Self::describe) gives words, on which a chain can go on.
    fn gives_words(&self) -> bool {
        true
    }

    /// What is to put images into words, where the representation was given such a thing: the model takes it as its
    /// [`captioner`](crate::model::TopicModel::captioner), unless it has one. Default: none.
    fn captioner(&self) -> Option<Arc<dyn ImageCaptioner>> {
        None
    }

    /// Describes every topic of `context`. `words` are the candidates of the step before: the best c-TF-IDF words, or
    /// what the previous representation of the same chain made of them.
    fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect>;
}

/// An embedder that a [`Representation`] cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NeededEmbedder {
    /// One of texts: [`TopicContext::embedder`].
    Texts,
    /// One of texts into the space of the images' vectors, and such vectors: [`TopicContext::joint_text`] and
    /// [`TopicContext::image_embeddings`].
    WordsBesideImages,
}

impl NeededEmbedder {
    /// What to say where `representation` lacks it.
    pub(crate) fn missing(self, representation: &str) -> Error {
        let (what, hint) = match self {
            NeededEmbedder::Texts => {
                ("an embedder of texts", "Give the model one, or a joint model of images and texts.")
            }
            NeededEmbedder::WordsBesideImages => (
                "vectors of images and an embedder of texts into the same space",
                "Embed the images with a joint model, such as CLIP.",
            ),
        };
        let message = format!("the representation `{representation}` needs {what}, and the model has none");
        Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint(hint)
    }
}

/// What a [`Representation`] may look at. Rows are those of the fitted frame.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TopicContext<'a> {
    /// Topic ids in ascending order, -1 first where there are outliers.
    pub topics: &'a [i32],
    /// The topic of each row.
    pub assignments: &'a [i32],
    /// What the topics' words were counted in, where there is anything: the text column, and for rows that have an image
    /// alone the captions that a captioner gave some of them.
    pub texts: Option<&'a TextColumn>,
    /// The image column, where the model has one.
    pub images: Option<&'a ImageColumn>,
    /// The vectors that were clustered.
    pub embeddings: &'a Embeddings,
    /// Vectors of the rows' `texts` by `embedder`, where the fit computed such.
    pub text_embeddings: Option<&'a Embeddings>,
    /// Vectors of the images alone, where there are any: those of the frame, or those that the model computed.
    pub image_embeddings: Option<&'a Embeddings>,
    /// For each row, how well its text stands for its topic: the cosine between the row's c-TF-IDF and the topic's, 0
    /// to 1; 0 where the row has no text.
    pub text_scores: &'a [f64],
    /// The terms, one for each column of `c_tf_idf`.
    pub vocabulary: &'a [String],
    /// Topic-term weights; row i belongs to `topics[i]`.
    pub c_tf_idf: &'a CsrMatrix<f64>,
    /// The embedder of texts, where the model has one: its own, or that of the joint model of its images. Its vectors
    /// can be compared with `embeddings` only if texts, or images of the same joint model, were clustered.
    pub embedder: Option<&'a dyn TextEmbedder>,
    /// The embedder of images, where the model has one.
    pub image_embedder: Option<&'a dyn ImageEmbedder>,
    /// The embedder of texts into the space of `image_embeddings`, where there is one: words can be compared with
    /// images through it.
    pub joint_text: Option<&'a dyn TextEmbedder>,
    /// The seed of the fit.
    pub seed: u64,
    /// Where to report.
    pub progress: &'a Progress,
}

impl TopicContext<'_> {
    /// The `n` rows of each topic whose texts stand for it best, with their `text_scores`, best first, ties by row; of
    /// equal texts the first. Topics without a text are left out.
    pub fn representative_rows(&self, n: usize) -> BTreeMap<i32, Vec<(usize, f64)>> {
        let rows = |texts| representative_rows(texts, self.assignments, self.text_scores, n);
        self.texts.map(rows).unwrap_or_default()
    }
}
