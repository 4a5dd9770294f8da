//! Vectors to few dimensions.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::error::Result;
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;

mod pca;
pub mod umap;

pub use pca::Pca;
pub use umap::Umap;

/// Settings of a reduction, which [`fit`](Reducer::fit) turns into a [`Reduction`].
pub trait Reducer: Send + Sync + Debug {
    /// Checks every parameter, before any work.
    fn check(&self) -> Result<()>;

    /// Reduces `data` (n rows, d columns, finite) to n rows of fewer columns. The same data and seed give the same
    /// result on any number of threads.
    fn fit(&self, data: ArrayView2<'_, f32>, seed: u64, progress: &Progress) -> Result<Reduction>;

    /// As [`fit`](Self::fit), for vectors that the caller shares: a reducer that keeps its training data need not copy
    /// them. This is what a model calls. By default the same as `fit`.
    fn fit_shared(&self, data: &Vectors, seed: u64, progress: &Progress) -> Result<Reduction> {
        self.fit(data.to_matrix().view(), seed, progress)
    }

    /// Whether only a row's direction counts. A row of zeros has none: a model counts it as an outlier. By default false.
    fn by_direction(&self) -> bool {
        false
    }

    /// Whether equal rows get equal places by themselves, and copies should count. By default false: a model then gives
    /// each vector once, so that all rows that have it lie at one place.
    fn counts_copies(&self) -> bool {
        false
    }
}

/// What fitting a [`Reducer`] gives.
#[derive(Debug, Clone)]
pub struct Reduction {
    /// n rows in few dimensions, in the order of the data.
    pub embedding: Array2<f32>,
    /// Places new rows in the same space.
    pub model: Arc<dyn FittedReducer>,
}

/// Places new rows in the space of a fitted reduction.
pub trait FittedReducer: Send + Sync + Debug {
    /// One row for each row of `data`, which has as many columns as the data of the fit. Rows do not influence each other.
    fn transform(&self, data: ArrayView2<'_, f32>, progress: &Progress) -> Result<Array2<f32>>;

    /// As [`transform`](Self::transform), for vectors that the caller shares.
    fn transform_shared(&self, data: &Vectors, progress: &Progress) -> Result<Array2<f32>> {
        self.transform(data.to_matrix().view(), progress)
    }
}

/// Leaves the vectors as they are: for vectors that are small already, or reduced elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoReduction;

impl Reducer for NoReduction {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn fit(&self, data: ArrayView2<'_, f32>, _seed: u64, _progress: &Progress) -> Result<Reduction> {
        Ok(Reduction { embedding: data.to_owned(), model: Arc::new(NoReduction) })
    }
}

impl FittedReducer for NoReduction {
    fn transform(&self, data: ArrayView2<'_, f32>, _progress: &Progress) -> Result<Array2<f32>> {
        Ok(data.to_owned())
    }
}
