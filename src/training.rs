//! The training data of a stage.

use ndarray::{Array2, ArrayView1, CowArray, Ix2};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::graph::FittedNeighborGraph;
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;

/// The training data of a [`Reducer`](crate::reduce::Reducer) or a [`Clusterer`](crate::cluster::Clusterer): vectors,
/// and what is known about their rows.
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
    /// The vectors: n rows of d finite values. Duplicates may be stored once.
    pub vectors: Vectors,
    /// If rows share vectors: the index of each row's vector. `None`: row `i` has vector `i`.
    pub places: Option<&'a [u32]>,
    /// The index of each row in the user's frame, ascending, if known.
    pub frame_rows: Option<&'a [usize]>,
    /// The known class label of each row, -1 if unknown; `None` if no labels are known.
    pub labels: Option<&'a [i32]>,
    /// The neighbor graph of the vectors, if the stage asked for one ([`Clusterer::graph`](crate::cluster::Clusterer)).
    pub graph: Option<&'a FittedNeighborGraph>,
    /// The random seed.
    pub seed: u64,
    /// Progress reporting and interruption.
    pub progress: Progress,
}

impl<'a> Training<'a> {
    /// Training data from rows of finite values: an `Array2<f32>` (not copied), a view (copied), or [`Vectors`]. The
    /// seed is 42, progress is silent, and nothing else is known.
    pub fn new(vectors: impl Into<Vectors>) -> Self {
        let progress = Progress::silent();
        Training {
            vectors: vectors.into(),
            places: None,
            frame_rows: None,
            labels: None,
            graph: None,
            seed: 42,
            progress,
        }
    }

    /// Sets the vector of each row: there are `places.len()` rows, and row `i` has the vector `places[i]`. Default:
    /// each row has its own.
    #[must_use]
    pub fn with_places(self, places: &'a [u32]) -> Self {
        Training { places: Some(places), ..self }
    }

    /// Sets the index of each row in the user's frame, ascending. Default: unknown.
    #[must_use]
    pub fn with_frame_rows(self, rows: &'a [usize]) -> Self {
        Training { frame_rows: Some(rows), ..self }
    }

    /// Sets the known class label of each row, -1 if unknown. Default: none are known.
    #[must_use]
    pub fn with_labels(self, labels: &'a [i32]) -> Self {
        Training { labels: Some(labels), ..self }
    }

    /// Sets the neighbor graph of the vectors. Default: none; a stage that needs one builds it.
    #[must_use]
    pub fn with_graph(self, graph: &'a FittedNeighborGraph) -> Self {
        Training { graph: Some(graph), ..self }
    }

    /// Sets the random seed. Default 42.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Training { seed, ..self }
    }

    /// Sets progress reporting and interruption. Default: silent.
    #[must_use]
    pub fn with_progress(self, progress: &Progress) -> Self {
        Training { progress: progress.clone(), ..self }
    }

    /// Checks that the parts are consistent. Every built-in stage does so first. The number of vectors and their values
    /// are not checked: a stage reports too few rows, and values that are NaN or infinite, itself.
    ///
    /// # Errors
    /// `InvalidData` of `stage`: a place is out of range; the number of frame rows or labels differs from the number of
    /// rows; a label is below -1.
    pub fn check(&self, stage: Stage) -> Result<()> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidData, stage, message);
        let (rows, vectors) = (self.rows(), self.vectors.rows());
        let lost = self.places.and_then(|places| places.iter().position(|&place| place as usize >= vectors));
        if let Some(row) = lost {
            return Err(invalid(format!("the row's place is out of range for {vectors} vectors")).with_row(row));
        }
        let parts = [("frame rows", self.frame_rows.map(<[_]>::len)), ("labels", self.labels.map(<[_]>::len))];
        for (what, len) in parts.into_iter().filter_map(|(what, len)| Some((what, len?))) {
            if len != rows {
                return Err(invalid(format!("{len} {what} do not match {rows} rows")));
            }
        }
        match self.labels.and_then(|labels| labels.iter().position(|&label| label < -1)) {
            Some(row) => Err(invalid("a label is below -1 (unknown)".to_owned()).with_row(row)),
            None => Ok(()),
        }
    }

    /// The number of rows, including duplicates.
    pub fn rows(&self) -> usize {
        self.places.map_or(self.vectors.rows(), <[_]>::len)
    }

    /// One vector per row, including duplicates, for stages that do not treat equal rows specially. A view of
    /// [`vectors`](Self::vectors) if they are contiguous and no rows share a vector, otherwise a copy. A row whose
    /// place is out of range is NaN.
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
