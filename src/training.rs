//! What a stage is fitted to.

use ndarray::{Array2, ArrayView1, CowArray, Ix2};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;

/// What a [`Reducer`](crate::reduce::Reducer) or a [`Clusterer`](crate::cluster::Clusterer) is fitted to: vectors, and what
/// is known about their rows.
///
/// ```
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// let points = Array2::from_shape_fn((60, 8), |(row, column)| ((row * 7 + column * 3) % 11) as f32);
/// let plane = Umap::new().n_components(2).fit(&Training::new(points).with_seed(7))?;
/// assert_eq!(plane.embedding.dim(), (60, 2));
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Training<'a> {
    /// The vectors, each once: n rows of d finite numbers.
    pub vectors: Vectors,
    /// Where rows share vectors: the vector that each row has. `None`: row `i` has vector `i`.
    pub places: Option<&'a [u32]>,
    /// The row of the user's frame that each row is, ascending, where that is known.
    pub frame_rows: Option<&'a [usize]>,
    /// The class of each row that is known beforehand, -1 where it is not; `None` where nothing is known.
    pub labels: Option<&'a [i32]>,
    /// The seed of everything random.
    pub seed: u64,
    /// Where to report, and what interrupts.
    pub progress: Progress,
}

impl<'a> Training<'a> {
    /// Rows of finite numbers: an `Array2<f32>`, which is not copied, a view, which is, or [`Vectors`]. The seed is 42,
    /// progress is silent, and nothing else is known.
    pub fn new(vectors: impl Into<Vectors>) -> Self {
        let progress = Progress::silent();
        Training { vectors: vectors.into(), places: None, frame_rows: None, labels: None, seed: 42, progress }
    }

    /// There are as many rows as `places`, and row `i` has the vector `places[i]`. Default: each row has its own.
    #[must_use]
    pub fn with_places(self, places: &'a [u32]) -> Self {
        Training { places: Some(places), ..self }
    }

    /// The row of the user's frame that each row is, ascending. Default: unknown.
    #[must_use]
    pub fn with_frame_rows(self, rows: &'a [usize]) -> Self {
        Training { frame_rows: Some(rows), ..self }
    }

    /// The known class of each row, -1 where it is unknown. Default: none is known.
    #[must_use]
    pub fn with_labels(self, labels: &'a [i32]) -> Self {
        Training { labels: Some(labels), ..self }
    }

    /// The seed. Default 42.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Training { seed, ..self }
    }

    /// Where to report, and what interrupts. Default: silent.
    #[must_use]
    pub fn with_progress(self, progress: &Progress) -> Self {
        Training { progress: progress.clone(), ..self }
    }

    /// Checks that the parts fit each other. Every built-in stage does so first.
    ///
    /// # Errors
    /// `InvalidData` of `stage`: a place that is not among the vectors; more or fewer frame rows or labels than rows; a
    /// label below -1.
    pub fn check(&self, stage: Stage) -> Result<()> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidData, stage, message);
        let (rows, vectors) = (self.rows(), self.vectors.rows());
        let lost = self.places.and_then(|places| places.iter().position(|&place| place as usize >= vectors));
        if let Some(row) = lost {
            return Err(invalid(format!("a row lies at a point that is not among the {vectors} given")).with_row(row));
        }
        let parts = [("frame rows", self.frame_rows.map(<[_]>::len)), ("labels", self.labels.map(<[_]>::len))];
        for (what, len) in parts.into_iter().filter_map(|(what, len)| Some((what, len?))) {
            if len != rows {
                return Err(invalid(format!("{len} {what} do not match {rows} rows")));
            }
        }
        match self.labels.and_then(|labels| labels.iter().position(|&label| label < -1)) {
            Some(row) => Err(invalid("a label is below -1, which stands for unknown".to_owned()).with_row(row)),
            None => Ok(()),
        }
    }

    /// The number of rows, copies included.
    pub fn rows(&self) -> usize {
        self.places.map_or(self.vectors.rows(), <[_]>::len)
    }

    /// One vector a row, copies included: for stages that treat equal rows like any others. A view of
    /// [`vectors`](Self::vectors) where they lie one after the other and no rows share one, a copy otherwise. A row whose
    /// place is not among the vectors is NaN.
    pub fn matrix(&self) -> CowArray<'_, f32, Ix2> {
        let Some(places) = self.places else { return self.vectors.to_matrix() };
        let (reader, vectors) = (self.vectors.reader(), self.vectors.rows());
        let mut matrix = Array2::from_elem((places.len(), self.vectors.columns()), f32::NAN);
        for (mut row, &place) in matrix.outer_iter_mut().zip(places).filter(|(_, place)| (**place as usize) < vectors) {
            row.assign(&ArrayView1::from(reader.row(place as usize)));
        }
        CowArray::from(matrix)
    }
}
