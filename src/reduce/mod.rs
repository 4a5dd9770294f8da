//! Dimensionality reduction.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::Array2;

use crate::error::{Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::state::State;
use crate::training::Training;

mod pca;
pub mod umap;

pub use pca::{FittedPca, Pca};
pub use umap::Umap;

/// The settings of a dimensionality reduction; [`fit`](Reducer::fit) returns a [`Reduction`].
///
/// ```
/// use topicframe::linalg::vectors::Vectors;
/// use topicframe::ndarray::{Array2, s};
/// use topicframe::prelude::*;
///
/// /// Keeps the first dimensions, for embeddings that were trained for it (Matryoshka).
/// #[derive(Debug, Clone, Copy)]
/// struct Truncate(usize);
///
/// impl Reducer for Truncate {
///     fn check(&self) -> Result<(), Error> {
///         match self.0 {
///             0 => Err(Error::invalid_parameter(Stage::Reduce, "dimensions", 0, "at least 1")),
///             _ => Ok(()),
///         }
///     }
///
///     fn fit(&self, training: &Training<'_>) -> Result<Reduction, Error> {
///         let rows = self.transform(&training.matrix().view().into(), &training.progress)?;
///         Ok(Reduction::new(rows, *self))
///     }
/// }
///
/// impl FittedReducer for Truncate {
///     fn transform(&self, vectors: &Vectors, _progress: &Progress) -> Result<Array2<f32>, Error> {
///         Ok(vectors.to_matrix().slice(s![.., ..self.0.min(vectors.columns())]).to_owned())
///     }
/// }
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(Truncate(64)).clusterer(KMeans::new(2));
/// assert_eq!(model.fit(&posts)?.topic_ids(), [0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Reducer: Send + Sync + Debug {
    /// Checks every parameter, before any work: a model calls this before it reads the frame. The built-in stages also
    /// call it in [`fit`](Self::fit), which can be called without a model.
    fn check(&self) -> Result<()>;

    /// Reduces the rows of `training` to fewer dimensions. The same rows and seed produce the same result on any number
    /// of threads. A reducer that keeps its training vectors can share them instead of copying ([`Training::vectors`]).
    fn fit(&self, training: &Training<'_>) -> Result<Reduction>;

    /// Whether only a row's direction counts. An all-zero row has no direction, so a model treats it as an outlier.
    /// Default: false.
    fn uses_direction_only(&self) -> bool {
        false
    }

    /// Whether every duplicate of a row counts, and duplicates get equal positions without help. Default: false; a
    /// model then passes each vector once, so that all rows with this vector have the same position.
    fn weights_duplicates(&self) -> bool {
        false
    }

    /// Whether this uses [`Training::labels`]. Default: false.
    fn uses_labels(&self) -> bool {
        false
    }

    /// The name and settings, from which [`reducer_of`] builds an equal reducer. Default: none; the built-in reducers
    /// have one.
    fn spec(&self) -> Option<Spec> {
        None
    }
}

/// The built-in reducer that a [`Spec`] describes.
///
/// ```
/// use topicframe::reduce::{Pca, Reducer, reducer_of};
///
/// let spec = Pca::new().n_components(10).spec().ok_or("no spec")?;
/// assert!(reducer_of(&spec)?.weights_duplicates());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound` if there is no built-in reducer with this name; the settings cannot be read, or are out of range.
pub fn reducer_of(spec: &Spec) -> Result<Arc<dyn Reducer>> {
    let reducer: Arc<dyn Reducer> = match spec.name.as_str() {
        "umap" => Arc::new(spec.read::<Umap>(Stage::Reduce)?),
        "pca" => Arc::new(spec.read::<Pca>(Stage::Reduce)?),
        "none" => Arc::new(NoReduction),
        _ => return Err(spec.unknown(Stage::Reduce, "umap, pca and none")),
    };
    reducer.check()?;
    Ok(reducer)
}

/// The built-in fitted reducer of a [`State`], which [`FittedReducer::state`] returned.
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
/// use topicframe::reduce::fitted_reducer_of;
///
/// let rows = array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]];
/// let reduction = Pca::new().n_components(1).fit(&Training::new(rows.clone()))?;
/// let again = fitted_reducer_of(reduction.model.state().ok_or("no state")?)?;
/// assert_eq!(again.transform(&rows.into(), &Progress::silent())?, reduction.embedding);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound` if no built-in reducer has this kind; the state is damaged.
pub fn fitted_reducer_of(state: State<'_>) -> Result<Arc<dyn FittedReducer>> {
    match state.kind() {
        "umap" => umap::from_state(state),
        "pca" => pca::from_state(state),
        "none" => Ok(Arc::new(NoReduction)),
        _ => Err(state.unknown(Stage::Reduce, "umap, pca and none")),
    }
}

/// The result of fitting a [`Reducer`].
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// let rows = array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]];
/// let reduction = Pca::new().n_components(1).fit(&Training::new(rows.clone()))?;
/// assert_eq!(reduction.embedding.dim(), (3, 1));
///
/// let placed = reduction.model.transform(&rows.into(), &Progress::silent())?;
/// assert_eq!(placed, reduction.embedding);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reduction {
    /// The reduced rows, in the order of the training rows.
    pub embedding: Array2<f32>,
    /// Places new rows in the same space.
    pub model: Arc<dyn FittedReducer>,
}

impl Reduction {
    /// A reduction from the reduced rows, in the order of the training rows, and the model that places new rows.
    pub fn new(embedding: Array2<f32>, model: impl FittedReducer + 'static) -> Self {
        Reduction { embedding, model: Arc::new(model) }
    }
}

/// Places new rows in the space of a fitted reduction.
///
/// ```
/// use topicframe::linalg::vectors::Vectors;
/// use topicframe::ndarray::{Array1, Array2, Axis, array};
/// use topicframe::prelude::*;
///
/// /// Moves rows so that the mean of the training rows is at the origin.
/// #[derive(Debug)]
/// struct Centered(Array1<f32>);
///
/// impl FittedReducer for Centered {
///     fn transform(&self, vectors: &Vectors, _progress: &Progress) -> Result<Array2<f32>, Error> {
///         Ok(&vectors.to_matrix() - &self.0)
///     }
/// }
///
/// let rows = array![[1.0, 2.0], [3.0, 6.0]];
/// let model = Centered(rows.mean_axis(Axis(0)).unwrap_or_default());
/// assert_eq!(model.transform(&rows.into(), &Progress::silent())?, array![[-1.0, -2.0], [1.0, 2.0]]);
/// # Ok::<(), Error>(())
/// ```
pub trait FittedReducer: Send + Sync + Debug {
    /// Reduces `vectors`, which have the same dimensions as those of the fit, to one row each. Rows are placed
    /// independently of each other.
    fn transform(&self, vectors: &Vectors, progress: &Progress) -> Result<Array2<f32>>;

    /// What this consists of, to be saved with a model; [`fitted_reducer_of`] builds an equal one. `None`, the default,
    /// if it cannot be saved; the built-in reducers can.
    fn state(&self) -> Option<State<'_>> {
        None
    }
}

/// No dimensionality reduction: for vectors that already have few dimensions, or were reduced elsewhere.
///
/// ```
/// use topicframe::prelude::*;
///
/// // The vectors have two dimensions: cluster them as they are.
/// let places = [[0.0_f32, 0.1], [9.0, 9.1], [0.1, 0.0]].map(|place| Series::new("".into(), place));
/// let posts = df!("place" => places.as_slice(), "text" => ["a cat", "a train", "a dog"])?;
/// let model = TopicModel::text("text", NoEmbedder).embeddings("place");
/// let topics = model.reducer(NoReduction).clusterer(KMeans::new(2)).fit(&posts)?;
/// assert_eq!(topics.labels(), [0, 1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoReduction;

impl Reducer for NoReduction {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn fit(&self, training: &Training<'_>) -> Result<Reduction> {
        training.check(Stage::Reduce)?;
        Ok(Reduction::new(training.matrix().into_owned(), NoReduction))
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("none", &serde_json::Map::new())
    }
}

impl FittedReducer for NoReduction {
    fn transform(&self, vectors: &Vectors, _progress: &Progress) -> Result<Array2<f32>> {
        Ok(vectors.to_matrix().into_owned())
    }

    fn state(&self) -> Option<State<'_>> {
        Some(State::new("none"))
    }
}
