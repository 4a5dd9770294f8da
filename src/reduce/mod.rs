//! Dimensionality reduction.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::Array2;

use crate::error::{Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::training::Training;

mod pca;
pub mod umap;

pub use pca::Pca;
pub use umap::Umap;

/// The settings of a dimensionality reduction; [`fit`](Reducer::fit) returns a [`Reduction`].
pub trait Reducer: Send + Sync + Debug {
    /// Checks every parameter, before any work.
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

/// The result of fitting a [`Reducer`].
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
pub trait FittedReducer: Send + Sync + Debug {
    /// Reduces `vectors`, which have the same dimensions as those of the fit, to one row each. Rows are placed
    /// independently of each other.
    fn transform(&self, vectors: &Vectors, progress: &Progress) -> Result<Array2<f32>>;
}

/// No dimensionality reduction: for vectors that already have few dimensions, or were reduced elsewhere.
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
}
