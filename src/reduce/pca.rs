//! Principal component analysis, using linfa.

use std::sync::Arc;

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::{FittedReducer, Reducer, Reduction};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::finite::{EMBED_AGAIN, check_finite};
use crate::linalg::symmetric_eigen::sign_of_largest;
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::state::State;
use crate::training::Training;

/// Principal component analysis: the directions of largest variance. Fast, linear, and a baseline for
/// [`Umap`](super::Umap).
///
/// Computed by `linfa-reduction` in double precision. The entry of largest magnitude in each direction is positive, so
/// the result does not depend on how it was computed; the seed is not used.
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// // All rows are on one line: one component keeps their distances.
/// let rows = array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]];
/// let reduction = Pca::new().n_components(1).fit(&Training::new(rows))?;
/// let step = reduction.embedding[[1, 0]] - reduction.embedding[[0, 0]];
/// assert!((step - 5.0_f32.sqrt()).abs() < 1e-3);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pca {
    n_components: usize,
}

impl Default for Pca {
    fn default() -> Self {
        Pca::new()
    }
}

impl Pca {
    /// Creates settings with 5 components.
    pub fn new() -> Self {
        Pca { n_components: 5 }
    }

    /// The number of dimensions of the result: at least 1 and at most the number of rows and of columns of the data;
    /// default 5.
    #[must_use]
    pub fn n_components(mut self, n_components: usize) -> Self {
        self.n_components = n_components;
        self
    }

    /// Fits the directions to `data` (n rows, d columns).
    ///
    /// # Errors
    /// `n_components` is 0 or greater than the number of rows or columns; a value is NaN or infinite (the error names
    /// the row).
    pub fn fit_components(&self, data: ArrayView2<'_, f32>) -> Result<FittedPca> {
        self.check()?;
        check_finite(data, Stage::Reduce, "vector").map_err(|error| error.with_hint(EMBED_AGAIN))?;
        let (rows, columns) = data.dim();
        if self.n_components > rows.min(columns) {
            let allowed = format!("at most the number of rows ({rows}) and columns ({columns}) of the data");
            return Err(Error::invalid_parameter(Stage::Reduce, "n_components", self.n_components, &allowed));
        }
        let dataset = DatasetBase::from(data.mapv(f64::from));
        let fitted = linfa_reduction::Pca::params(self.n_components).fit(&dataset).map_err(|error| {
            Error::new(ErrorKind::Internal, Stage::Reduce, "failed to compute the principal components")
                .with_cause(error)
        })?;
        let mut components = fitted.components().clone();
        if components.nrows() == 0 {
            // Equal rows have no variance in any direction: any directions will do, and all rows have the same
            // position.
            components = Array2::from_diag_elem(columns, 1.0).slice_move(s![..self.n_components, ..]);
        }
        for mut component in components.axis_iter_mut(Axis(0)) {
            let sign = sign_of_largest(component.iter().copied());
            component *= sign;
        }
        Ok(FittedPca { components, mean: fitted.mean().clone() })
    }
}

impl Reducer for Pca {
    fn check(&self) -> Result<()> {
        if self.n_components == 0 {
            return Err(Error::invalid_parameter(Stage::Reduce, "n_components", 0, "1 or more"));
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>) -> Result<Reduction> {
        training.check(Stage::Reduce)?;
        let task = training.progress.task(Stage::Reduce, "components", 0);
        // linfa computes all components in one call, which cannot be stopped.
        training.progress.check(Stage::Reduce)?;
        let data = training.matrix();
        let fitted = self.fit_components(data.view())?;
        task.finish()?;
        Ok(Reduction::new(fitted.project(data.view(), &training.progress)?, fitted))
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("pca", self)
    }

    /// A row's position depends only on its own values, and the variance is that of all rows.
    fn weights_duplicates(&self) -> bool {
        true
    }
}

/// The directions found by [`Pca`].
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// let rows = array![[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]];
/// let fitted = Pca::new().n_components(1).fit_components(rows.view())?;
/// assert_eq!(fitted.mean(), &array![1.0, 5.0]);
/// assert!((fitted.components()[[0, 0]] - 1.0).abs() < 1e-3);        // the rows differ in the first column only
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPca {
    components: Array2<f64>,
    mean: Array1<f64>,
}

impl FittedPca {
    /// The directions: `n_components` rows of d columns, each of unit length, in order of decreasing variance.
    pub fn components(&self) -> &Array2<f64> {
        &self.components
    }

    /// The mean of the training rows: d values.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    fn project(&self, data: ArrayView2<'_, f32>, progress: &Progress) -> Result<Array2<f32>> {
        let task = progress.task(Stage::Reduce, "projection", data.nrows());
        let mut projected = Array2::zeros((data.nrows(), self.components.nrows()));
        for (row, mut out) in data.rows().into_iter().zip(projected.rows_mut()) {
            if task.is_interrupted() {
                break;
            }
            for (component, to) in self.components.rows().into_iter().zip(out.iter_mut()) {
                let terms = row.iter().zip(&self.mean).zip(component);
                *to = terms.map(|((&x, mean), along)| (f64::from(x) - mean) * along).sum::<f64>() as f32;
            }
            task.advance(1);
        }
        task.finish()?;
        Ok(projected)
    }
}

impl FittedReducer for FittedPca {
    fn transform(&self, vectors: &Vectors, progress: &Progress) -> Result<Array2<f32>> {
        let data = vectors.to_matrix();
        let data = data.view();
        if data.ncols() != self.mean.len() {
            let message = format!("rows have {} columns; expected {}", data.ncols(), self.mean.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Reduce, message));
        }
        check_finite(data, Stage::Reduce, "vector").map_err(|error| error.with_hint(EMBED_AGAIN))?;
        self.project(data, progress)
    }

    fn state(&self) -> Option<State<'_>> {
        let components = State::new("pca").with_matrix("components", self.components.view());
        Some(components.with_values("mean", self.mean.iter().copied().collect::<Vec<f64>>()))
    }
}

/// The directions of a state.
pub(super) fn from_state(mut state: State<'_>) -> Result<Arc<dyn FittedReducer>> {
    let components = state.take_matrix::<f64>("components")?;
    let mean = state.take_exactly::<f64>("mean", components.ncols())?;
    match components.iter().chain(&mean).all(|x| x.is_finite()) && components.nrows() > 0 {
        true => Ok(Arc::new(FittedPca { components, mean: mean.into() })),
        false => Err(state.out_of_range("components")),
    }
}
